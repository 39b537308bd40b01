/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tally.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/hash.h"
#include "base/list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE_MAX 512

/* All samples of one name. */
struct named {
	struct list entries;
};

struct entry {
	struct list_node link; /* named.entries, in order of appearance */
	struct list_node all; /* tally.all */
	bool taken;
	struct tally_value value;
	const char *name;
	char sample[]; /* name and labels */
};

struct tally {
	struct arena *arena;
	struct strmap *samples, *names;
	struct list all;
};

/* What a generation that lives holds beside ours. */
static const char *const living_gauges[] = {
    "braid_connections",
    "braid_parked_bytes",
    "braid_sharded_flows",
    "braid_shard_connections",
    "braid_shard_kernel_bytes",
    "braid_listener_connections",
    "braid_server_connections",
    "braid_dns_tcp_connections",
    "braid_worker_flows",
    "braid_worker_directions_splicing",
    "braid_worker_parked_bytes",
    "braid_worker_pipes",
};

struct tally *tally_new(void)
{
	struct tally *tally = calloc(1, sizeof *tally);

	if (!tally)
		br_out_of_memory("metrics", sizeof *tally);
	tally->arena = arena_new();
	tally->samples = strmap_new(tally->arena);
	tally->names = strmap_new(tally->arena);
	list_init(&tally->all);
	return tally;
}

void tally_free(struct tally *tally)
{
	if (!tally)
		return;
	arena_free(tally->arena);
	free(tally);
}

static const char *name_of(struct tally *tally, const char *sample)
{
	size_t length = strcspn(sample, "{");
	char *name = arena_alloc(tally->arena, length + 1);

	memcpy(name, sample, length);
	name[length] = '\0';
	return name;
}

static struct named *named_get(struct tally *tally, const char *name)
{
	struct named *named = strmap_get(tally->names, name);

	if (named)
		return named;
	named = arena_alloc(tally->arena, sizeof *named);
	list_init(&named->entries);
	strmap_put(tally->names, name, named);
	return named;
}

static void add_value(
    struct tally *tally, const char *sample, struct tally_value value)
{
	struct entry *entry = strmap_get(tally->samples, sample);
	size_t room = strlen(sample) + 1;

	if (!entry) {
		entry = arena_alloc(tally->arena, sizeof *entry + room);
		memset(entry, 0, sizeof *entry);
		memcpy(entry->sample, sample, room);
		list_node_init(&entry->link);
		list_node_init(&entry->all);
		entry->name = name_of(tally, sample);
		strmap_put(tally->samples, entry->sample, entry);
		list_push_back(
		    &named_get(tally, entry->name)->entries, &entry->link);
		list_push_back(&tally->all, &entry->all);
	}
	entry->value.whole += value.whole;
	entry->value.part += value.part;
}

/* -- reading ----------------------------------------------------------- */

enum kind { KIND_OTHER, KIND_COUNTED, KIND_LIVING };

static enum kind kind_of_type(const char *line, bool living)
{
	char name[128], type[32];

	if (sscanf(line, "# TYPE %127s %31s", name, type) != 2)
		return KIND_OTHER;
	if (!strcmp(type, "counter") || !strcmp(type, "histogram"))
		return KIND_COUNTED;
	for (size_t i = 0; living && i < BR_COUNT(living_gauges); i++)
		if (!strcmp(name, living_gauges[i]))
			return KIND_LIVING;
	return KIND_OTHER;
}

static bool parse_value(const char *text, struct tally_value *ret)
{
	char *end;

	*ret = (struct tally_value){0};
	if (text[0] < '0' || text[0] > '9')
		return false;
	ret->whole = strtoull(text, &end, 10);
	if (!*end)
		return true;
	ret->whole = 0;
	ret->part = strtod(text, &end);
	return !*end;
}

static void add_line(struct tally *tally, char *line)
{
	char *space = strrchr(line, ' ');
	struct tally_value value;

	if (!space || space == line || !parse_value(space + 1, &value))
		return;
	*space = '\0';
	add_value(tally, line, value);
}

void tally_add(
    struct tally *tally, const char *text, size_t length, bool living)
{
	const char *end = text + length;
	enum kind kind = KIND_OTHER;
	char line[SAMPLE_MAX];

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((stop ? stop : end) - text);

		if (n < sizeof line) {
			memcpy(line, text, n);
			line[n] = '\0';
			if (!strncmp(line, "# TYPE ", 7))
				kind = kind_of_type(line, living);
			else if (line[0] != '#' && kind != KIND_OTHER)
				add_line(tally, line);
		}
		text += n + 1;
	}
}

void tally_merge(struct tally *to, const struct tally *from)
{
	LIST_FOREACH (node, &from->all) {
		const struct entry *entry =
		    br_container_of(node, struct entry, all);

		add_value(to, entry->sample, entry->value);
	}
}

/* -- printing ---------------------------------------------------------- */

struct tally_value tally_take(struct tally *tally, const char *sample)
{
	struct entry *entry = strmap_get(tally->samples, sample);

	if (!entry)
		return (struct tally_value){0};
	entry->taken = true;
	return entry->value;
}

void tally_print_value(struct strbuf *ret, struct tally_value value)
{
	if (value.part != 0)
		strbuf_addf(ret, "%.15g\n", (double)value.whole + value.part);
	else
		strbuf_addf(ret, "%" PRIu64 "\n", value.whole);
}

void tally_print_rest(struct tally *tally, const char *name, struct strbuf *ret)
{
	struct named *named = strmap_get(tally->names, name);

	if (!named)
		return;
	LIST_FOREACH (node, &named->entries) {
		struct entry *entry = br_container_of(node, struct entry, link);

		if (entry->taken)
			continue;
		entry->taken = true;
		strbuf_adds(ret, entry->sample);
		strbuf_addc(ret, ' ');
		tally_print_value(ret, entry->value);
	}
}
