/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/route.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/hash.h"
#include "base/prefix_map.h"
#include "profiler/client_hello.h"

#include <errno.h>
#include <string.h>

#define ALPN_BYTES_MAX 255
/* Of a rule without a source condition. */
#define SOURCE_ANY NULL
#define PROTOCOL_ANY (PROTOCOL_ALL | PROTOCOL_SILENT)

/* What of a rule is looked at when its name or ALPN has been met. */
struct rule {
	struct prefix_map *sources; /* SOURCE_ANY: no condition */
	const char **alpns;
	uint32_t n_alpns;
	protocol_set protocols; /* PROTOCOL_ANY: no condition */
};

/* Rules with this set of protocols and, but for the source, nothing else. */
struct group {
	protocol_set protocols;
	uint32_t first_any; /* the first without a source condition */
	struct prefix_map *by_source;
};

/* Rules at one name or ALPN, in file order. */
struct spot {
	uint32_t *at;
	uint32_t n;
};

struct route_table {
	struct rule *rules;
	uint32_t n;
	uint32_t first_any; /* the first rule without any condition */
	uint32_t first_hello; /* ... with a name or ALPN, but no source */
	bool reads, names_any;
	bool with_source; /* some rule has a source condition */
	/* Lowest positions of rules with a source condition: those that have
	 * no other, and those that need the ClientHello. */
	struct prefix_map *by_source, *by_source_hello;
	struct strmap *names; /* exact: name -> spot */
	struct strmap *suffixes; /* "*.example.com" at "example.com" */
	struct strmap *alpns; /* of rules without a name */
	struct spot *any_name; /* "*"; or NULL */
	struct group *groups;
	uint32_t n_groups;
};

static uint32_t lower_of(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static bool label_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_';
}

int route_name_check(const char *name)
{
	size_t length = strlen(name);

	if (!strcmp(name, "*"))
		return 0;
	if (!strncmp(name, "*.", 2))
		name += 2;
	if (!*name || length > CLIENT_HELLO_NAME_MAX)
		return -EINVAL;
	/* Labels that are not empty; no final dot. */
	for (const char *p = name; *p; p++) {
		if (*p == '.' ? p == name || p[-1] == '.' || !p[1]
			      : !label_byte(*p))
			return -EINVAL;
	}
	return 0;
}

int route_alpn_check(const char *alpn)
{
	size_t length = strlen(alpn);

	return length && length <= ALPN_BYTES_MAX ? 0 : -EINVAL;
}

/* --- building --- */

static char *lower_copy(struct arena *arena, const char *name)
{
	char *copy = arena_strdup(arena, name);

	for (char *p = copy; *p; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	}
	return copy;
}

/* Positions come in ascending order; one that is there already is last. */
static void spot_add(struct arena *arena, struct spot *spot, uint32_t position)
{
	uint32_t n = spot->n;

	if (n && spot->at[n - 1] == position)
		return;
	/* The room doubles whenever a power of two is full. */
	if (!(n & (n - 1)))
		spot->at = arena_grow(arena, spot->at, n * sizeof(*spot->at),
		    (n ? 2 * (size_t)n : 1) * sizeof(*spot->at));
	spot->at[n] = position;
	spot->n = n + 1;
}

static void map_add(
    struct arena *arena, struct strmap *map, const char *key, uint32_t position)
{
	struct spot *spot = strmap_get(map, key);

	if (!spot) {
		spot = arena_alloc(arena, sizeof(*spot));
		strmap_put(map, key, spot);
	}
	spot_add(arena, spot, position);
}

static void name_add(struct arena *arena, struct route_table *table,
    const char *name, uint32_t position)
{
	br_assert(!route_name_check(name));
	if (!strcmp(name, "*")) {
		if (!table->any_name)
			table->any_name =
			    arena_alloc(arena, sizeof(*table->any_name));
		spot_add(arena, table->any_name, position);
	} else if (name[0] == '*') {
		map_add(arena, table->suffixes, lower_copy(arena, name + 2),
		    position);
	} else {
		map_add(arena, table->names, lower_copy(arena, name), position);
	}
}

static void rule_fill(
    struct arena *arena, struct rule *rule, const struct route_rule *from)
{
	struct prefix_entry *entries;

	rule->n_alpns = from->n_alpns;
	if (from->n_alpns)
		rule->alpns =
		    arena_alloc(arena, from->n_alpns * sizeof(*rule->alpns));
	for (uint32_t i = 0; i < from->n_alpns; i++) {
		br_assert(!route_alpn_check(from->alpns[i]));
		rule->alpns[i] = arena_strdup(arena, from->alpns[i]);
	}
	rule->protocols = from->protocols ? from->protocols : PROTOCOL_ANY;
	if (rule->protocols & protocol_server_first())
		rule->protocols |= PROTOCOL_SILENT;
	/* A WebSocket begins as a request of HTTP. */
	if (rule->protocols & PROTOCOL_BIT(PROTOCOL_HTTP))
		rule->protocols |= PROTOCOL_BIT(PROTOCOL_WEBSOCKET);
	/* Rules without a name or ALPN are in maps of the table. */
	if (!from->n_sources || !(from->n_names || from->n_alpns))
		return;
	entries = arena_alloc(arena, from->n_sources * sizeof(*entries));
	for (uint32_t i = 0; i < from->n_sources; i++)
		entries[i].prefix = from->sources[i];
	rule->sources =
	    prefix_map_new(arena, entries, from->n_sources, PREFIX_LOWEST);
}

static void rule_add(struct arena *arena, struct route_table *table,
    const struct route_rule *from, uint32_t position)
{
	struct rule *rule = &table->rules[position];
	bool hello = from->n_names || from->n_alpns;

	rule_fill(arena, rule, from);
	table->names_any |= hello;
	table->reads |= hello || from->protocols;
	table->with_source |= from->n_sources > 0;
	if (!from->n_sources && hello)
		table->first_hello = lower_of(table->first_hello, position);
	else if (!from->n_sources && !from->protocols)
		table->first_any = lower_of(table->first_any, position);
	for (uint32_t i = 0; i < from->n_names; i++)
		name_add(arena, table, from->names[i], position);
	for (uint32_t i = 0; !from->n_names && i < from->n_alpns; i++)
		map_add(arena, table->alpns, rule->alpns[i], position);
}

/* Of all rules with a source condition, those of one kind: with a name or ALPN,
 * or else with exactly these protocols. */
static struct prefix_map *sources_build(struct arena *arena,
    const struct route_table *table, const struct route_rule *rules, bool hello,
    protocol_set protocols)
{
	struct arena *scratch = arena_new();
	struct prefix_entry *entries;
	struct prefix_map *map;
	uint32_t count = 0;
	size_t room = 1;

	for (uint32_t i = 0; i < table->n; i++)
		room += rules[i].n_sources;
	entries = arena_alloc(scratch, room * sizeof(*entries));
	for (uint32_t i = 0; i < table->n; i++) {
		if (hello != (rules[i].n_names || rules[i].n_alpns))
			continue;
		if (!hello && table->rules[i].protocols != protocols)
			continue;
		for (uint32_t k = 0; k < rules[i].n_sources; k++)
			entries[count++] =
			    (struct prefix_entry){rules[i].sources[k], i};
	}
	map = prefix_map_new(arena, entries, count, PREFIX_LOWEST);
	arena_free(scratch);
	return map;
}

static struct group *group_of(struct route_table *table, protocol_set protocols)
{
	for (uint32_t i = 0; i < table->n_groups; i++) {
		if (table->groups[i].protocols == protocols)
			return &table->groups[i];
	}
	table->groups[table->n_groups] =
	    (struct group){.protocols = protocols, .first_any = PREFIX_NONE};
	return &table->groups[table->n_groups++];
}

static void groups_build(struct arena *arena, struct route_table *table,
    const struct route_rule *rules)
{
	table->groups =
	    arena_alloc(arena, (table->n + 1) * sizeof(*table->groups));
	for (uint32_t i = 0; i < table->n; i++) {
		struct group *group;

		if (!rules[i].protocols || rules[i].n_names || rules[i].n_alpns)
			continue;
		group = group_of(table, table->rules[i].protocols);
		if (!rules[i].n_sources)
			group->first_any = lower_of(group->first_any, i);
	}
	for (uint32_t i = 0; i < table->n_groups; i++)
		table->groups[i].by_source = sources_build(
		    arena, table, rules, false, table->groups[i].protocols);
}

struct route_table *route_table_new(
    struct arena *arena, const struct route_rule *rules, uint32_t n)
{
	struct route_table *table = arena_alloc(arena, sizeof(*table));

	br_assert(n < ROUTE_NEEDS_BYTES);
	table->n = n;
	table->rules = arena_alloc(arena, (n + 1) * sizeof(*table->rules));
	table->first_any = table->first_hello = PREFIX_NONE;
	table->names = strmap_new(arena);
	table->suffixes = strmap_new(arena);
	table->alpns = strmap_new(arena);
	for (uint32_t i = 0; i < n; i++)
		rule_add(arena, table, &rules[i], i);
	table->by_source =
	    sources_build(arena, table, rules, false, PROTOCOL_ANY);
	table->by_source_hello = sources_build(arena, table, rules, true, 0);
	groups_build(arena, table, rules);
	return table;
}

bool route_table_reads(const struct route_table *table)
{
	return table->reads;
}

bool route_table_by_source(const struct route_table *table)
{
	return table->with_source;
}

bool route_table_names(const struct route_table *table)
{
	return table->names_any;
}

/* --- looking up --- */

/* The first rule that needs nothing but the source; PREFIX_NONE: none. */
static uint32_t first_by_source(
    const struct route_table *table, const struct addr *source)
{
	if (!table->with_source)
		return table->first_any;
	return lower_of(
	    table->first_any, prefix_map_find(table->by_source, source));
}

/* The first rule by protocols alone that matches, whichever of the possible
 * ones it is; and the first that matches for some of them. */
static void first_by_protocol(const struct route_table *table,
    const struct addr *source, protocol_set possible, uint32_t *ret_sure,
    uint32_t *ret_perhaps)
{
	*ret_sure = *ret_perhaps = PREFIX_NONE;
	for (uint32_t i = 0; i < table->n_groups; i++) {
		const struct group *group = &table->groups[i];
		uint32_t first;

		if (!(possible & group->protocols))
			continue;
		first = group->first_any;
		if (table->with_source)
			first = lower_of(
			    first, prefix_map_find(group->by_source, source));
		if (possible & ~group->protocols)
			*ret_perhaps = lower_of(*ret_perhaps, first);
		else
			*ret_sure = lower_of(*ret_sure, first);
	}
}

uint32_t route_by_protocol(const struct route_table *table,
    const struct addr *source, protocol_set possible, bool hello)
{
	uint32_t decided = first_by_source(table, source);
	uint32_t sure, perhaps;

	first_by_protocol(table, source, possible, &sure, &perhaps);
	decided = lower_of(decided, sure);
	if (hello) {
		perhaps = lower_of(perhaps, table->first_hello);
		if (table->with_source)
			perhaps = lower_of(perhaps,
			    prefix_map_find(table->by_source_hello, source));
	}
	if (perhaps < decided)
		return ROUTE_NEEDS_BYTES;
	return decided == PREFIX_NONE ? ROUTE_DEFAULT : decided;
}

uint32_t route_by_source(
    const struct route_table *table, const struct addr *source)
{
	return route_by_protocol(table, source, PROTOCOL_ANY, true);
}

/* They are few on either side. */
static bool alpn_met(const struct rule *rule, const struct client_hello *hello)
{
	const uint8_t *name;
	uint16_t at = 0;
	uint8_t length;

	if (!rule->n_alpns)
		return true;
	while (client_hello_alpn_next(hello, &at, &name, &length)) {
		for (uint32_t i = 0; i < rule->n_alpns; i++) {
			if (strlen(rule->alpns[i]) == length &&
			    !memcmp(rule->alpns[i], name, length))
				return true;
		}
	}
	return false;
}

struct look {
	const struct route_table *table;
	const struct addr *source;
	const struct client_hello *hello;
	protocol_set protocol;
	uint32_t best; /* the lowest position so far, or PREFIX_NONE */
};

/* The first rule of the spot before the best so far whose other conditions
 * are met; name or ALPN, by which it was found, is. */
static void look_at(struct look *look, const struct spot *spot)
{
	for (uint32_t i = 0; spot && i < spot->n; i++) {
		const struct rule *rule = &look->table->rules[spot->at[i]];

		if (spot->at[i] >= look->best)
			return;
		if (rule->sources != SOURCE_ANY &&
		    prefix_map_find(rule->sources, look->source) == PREFIX_NONE)
			continue;
		if (!(rule->protocols & look->protocol) ||
		    !alpn_met(rule, look->hello))
			continue;
		look->best = spot->at[i];
		return;
	}
}

/* As it is, at each of its suffixes, and as any name. */
static void look_at_names(struct look *look)
{
	const char *name = look->hello->name;

	if (!look->hello->name_length)
		return;
	look_at(look, look->table->any_name);
	look_at(look, strmap_get(look->table->names, name));
	if (!strmap_count(look->table->suffixes))
		return;
	for (const char *dot = strchr(name, '.'); dot;
	     dot = strchr(dot + 1, '.'))
		look_at(look, strmap_get(look->table->suffixes, dot + 1));
}

static void look_at_alpns(struct look *look)
{
	const uint8_t *name;
	uint16_t at = 0;
	uint8_t length;

	if (!strmap_count(look->table->alpns))
		return;
	while (client_hello_alpn_next(look->hello, &at, &name, &length)) {
		char key[ALPN_BYTES_MAX + 1];

		/* No rule's ALPN has a zero byte. */
		if (memchr(name, '\0', length))
			continue;
		memcpy(key, name, length);
		key[length] = '\0';
		look_at(look, strmap_get(look->table->alpns, key));
	}
}

uint32_t route_by_hello(const struct route_table *table,
    const struct addr *source, protocol_set protocol,
    const struct client_hello *hello)
{
	struct look look = {.table = table,
	    .source = source,
	    .hello = hello,
	    .protocol = protocol,
	    .best = first_by_source(table, source)};
	uint32_t sure, perhaps;

	first_by_protocol(table, source, protocol, &sure, &perhaps);
	look.best = lower_of(look.best, sure);

	if (hello) {
		look_at_names(&look);
		look_at_alpns(&look);
	}
	return look.best == PREFIX_NONE ? ROUTE_DEFAULT : look.best;
}
