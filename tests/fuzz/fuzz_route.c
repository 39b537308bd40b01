/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of rules read from the first lines, "SOURCE NAME PROTOCOL" each with
 * "-" for none; the bytes behind an empty line are a ClientHello (its record
 * and all). What the table says must be what looking at each rule says, and
 * what is decided before the ClientHello must hold behind it.
 */
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "profiler/client_hello.h"
#include "lb/route.h"

#define TLS PROTOCOL_BIT(PROTOCOL_TLS)
#define NONE PROTOCOL_BIT(PROTOCOL_UNKNOWN)
#define RULES_MAX 32
#define WORD_BYTES_MAX 300

static struct route_rule rules[RULES_MAX];
static struct prefix sources[RULES_MAX];
static char names[RULES_MAX][WORD_BYTES_MAX];
static char protocols[RULES_MAX][WORD_BYTES_MAX];
static const char *name_of[RULES_MAX], *protocol_of[RULES_MAX];
static uint32_t n_rules;

/* The next word of a line, "" for "-"; false when there is none. */
static bool take_word(const uint8_t **at, const uint8_t *end, char *ret)
{
	size_t n = 0;

	while (*at < end && **at == ' ')
		(*at)++;
	while (*at < end && **at != ' ' && n < WORD_BYTES_MAX - 1)
		ret[n++] = (char)*(*at)++;
	ret[n] = '\0';
	if (!strcmp(ret, "-"))
		ret[0] = '\0';
	return n > 0;
}

static void read_rule(const uint8_t *at, const uint8_t *end)
{
	uint32_t i = n_rules;
	char source[WORD_BYTES_MAX];
	struct route_rule rule = {0};

	if (i == RULES_MAX || !take_word(&at, end, source) ||
	    !take_word(&at, end, names[i]) ||
	    !take_word(&at, end, protocols[i]))
		return;
	if (*source && prefix_parse(&sources[i], source))
		return;
	if (*names[i] && route_name_check(names[i]))
		return;
	name_of[i] = names[i];
	protocol_of[i] = protocols[i];
	rule.sources = &sources[i];
	rule.names = &name_of[i];
	rule.alpns = &protocol_of[i];
	rule.n_sources = *source != 0;
	rule.n_names = *names[i] != 0;
	rule.n_alpns = *protocols[i] && !route_alpn_check(protocols[i]);
	rules[n_rules++] = rule;
}

static bool name_meets(const char *want, const char *name)
{
	size_t w = strlen(want), n = strlen(name);

	if (!n || !strcmp(want, "*"))
		return n > 0;
	if (want[0] != '*')
		return !strcasecmp(want, name);
	return n >= w && !strcasecmp(name + n - (w - 1), want + 1);
}

static bool protocol_meets(const char *want, const struct client_hello *hello)
{
	const uint8_t *name;
	uint16_t at = 0;
	uint8_t length;

	while (client_hello_alpn_next(hello, &at, &name, &length)) {
		if (length == strlen(want) && !memcmp(want, name, length))
			return true;
	}
	return false;
}

static uint32_t expected(
    const struct addr *source, const struct client_hello *hello)
{
	struct prefix p;

	br_assert(prefix_of_addr(&p, source));
	for (uint32_t i = 0; i < n_rules; i++) {
		const struct route_rule *r = &rules[i];
		bool met = !r->n_sources || prefix_covers(r->sources, &p);

		if (r->n_names)
			met &= hello && name_meets(r->names[0], hello->name);
		if (r->n_alpns)
			met &= hello && protocol_meets(r->alpns[0], hello);
		if (met)
			return i;
	}
	return ROUTE_DEFAULT;
}

static void check(struct route_table *table, const char *from,
    const struct client_hello *hello)
{
	struct addr source;
	uint32_t early, late;

	br_assert(!addr_parse(&source, from));
	early = route_by_source(table, &source);
	late = route_by_hello(table, &source, hello ? TLS : NONE, hello);
	br_assert(late == expected(&source, hello));
	br_assert(route_by_hello(table, &source, NONE, NULL) ==
		  expected(&source, NULL));
	br_assert(early == ROUTE_NEEDS_BYTES || early == late);
	br_assert(early != ROUTE_NEEDS_BYTES || route_table_reads(table));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *at = data, *end = data + size;
	struct client_hello_reader reader;
	struct client_hello hello = {0};
	struct route_table *table;
	struct arena *arena;

	n_rules = 0;
	while (at < end && *at != '\n') {
		const uint8_t *line = memchr(at, '\n', (size_t)(end - at));

		read_rule(at, line ? line : end);
		at = line ? line + 1 : end;
	}
	at += at < end;
	client_hello_start(&reader);
	(void)!client_hello_read(&reader, at, (size_t)(end - at), &hello);
	arena = arena_new();
	table = route_table_new(arena, rules, n_rules);
	check(table, "10.1.2.3:1", &hello);
	check(table, "192.0.2.1:1", &hello);
	check(table, "[2001:db8::1]:1", &hello);
	arena_free(arena);
	return 0;
}
