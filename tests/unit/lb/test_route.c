/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/route.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/rng.h"
#include "profiler/client_hello.h"
#include "tests/unit/lb/lb_check.h"

#define TLS PROTOCOL_BIT(PROTOCOL_TLS)
#define NONE PROTOCOL_BIT(PROTOCOL_UNKNOWN)
#define RULES_MAX 20000
#define VALUES_MAX 3

/* Rules with up to three values of each kind. */
static struct route_rule rules[RULES_MAX];
static struct prefix prefixes[RULES_MAX][VALUES_MAX];
static const char *names[RULES_MAX][VALUES_MAX];
static const char *protocols[RULES_MAX][VALUES_MAX];
static uint32_t n_rules;
static struct arena *arena;

static void start(void)
{
	memset(rules, 0, sizeof(rules));
	n_rules = 0;
	arena = arena_new();
}

static void add_source(uint32_t rule, const char *text)
{
	struct route_rule *r = &rules[rule];

	r->sources = prefixes[rule];
	ck_assert_int_eq(
	    prefix_parse(&prefixes[rule][r->n_sources++], text), 0);
}

static void add_name(uint32_t rule, const char *name)
{
	rules[rule].names = names[rule];
	names[rule][rules[rule].n_names++] = name;
}

static void add_protocol(uint32_t rule, const char *protocol)
{
	rules[rule].alpns = protocols[rule];
	protocols[rule][rules[rule].n_alpns++] = protocol;
}

/* NULL: no condition of the kind. */
static void add(const char *source, const char *name, const char *protocol)
{
	if (source)
		add_source(n_rules, source);
	if (name)
		add_name(n_rules, name);
	if (protocol)
		add_protocol(n_rules, protocol);
	n_rules++;
}

static struct addr addr_of(const char *text)
{
	struct addr a = {0};

	ck_assert_int_eq(addr_parse(&a, text), 0);
	return a;
}

/* Protocols separated by blanks. */
static struct client_hello hello_of(const char *name, const char *list)
{
	struct client_hello hello = {.name_length = (uint8_t)strlen(name)};

	memcpy(hello.name, name, strlen(name) + 1);
	while (list && *list) {
		size_t length = strcspn(list, " ");

		hello.alpn[hello.alpn_length++] = (uint8_t)length;
		memcpy(hello.alpn + hello.alpn_length, list, length);
		hello.alpn_length = (uint16_t)(hello.alpn_length + length);
		list += length + (list[length] == ' ');
	}
	return hello;
}

static struct route_table *build(void)
{
	return route_table_new(arena, rules, n_rules);
}

static uint32_t by_source(const struct route_table *t, const char *source)
{
	struct addr a = addr_of(source);

	return route_by_source(t, &a);
}

static uint32_t by_hello(const struct route_table *t, const char *source,
    const char *name, const char *list)
{
	struct client_hello hello = hello_of(name, list);
	struct addr a = addr_of(source);

	return route_by_hello(t, &a, TLS, &hello);
}

START_TEST(test_none)
{
	struct route_table *t;
	struct addr a = addr_of("192.0.2.1:1");

	start();
	t = build();
	ck_assert(!route_table_reads(t));
	ck_assert_uint_eq(route_by_source(t, &a), ROUTE_DEFAULT);
	ck_assert_uint_eq(route_by_hello(t, &a, NONE, NULL), ROUTE_DEFAULT);
	ck_assert_uint_eq(
	    by_hello(t, "192.0.2.1:1", "a.example", "h2"), ROUTE_DEFAULT);
	arena_free(arena);
}
END_TEST

/* Whose address decides nothing need not be asked for it. */
START_TEST(test_without_sources)
{
	const struct addr none = {0};
	struct client_hello hello = hello_of("b.example", NULL);
	struct route_table *t;

	start();
	add(NULL, "a.example", NULL); /* 0 */
	add(NULL, "b.example", NULL); /* 1 */
	t = build();
	ck_assert(!route_table_by_source(t));
	ck_assert_uint_eq(route_by_source(t, &none), ROUTE_NEEDS_BYTES);
	ck_assert_uint_eq(route_by_hello(t, &none, TLS, &hello), 1);
	ck_assert_uint_eq(route_by_hello(t, &none, NONE, NULL), ROUTE_DEFAULT);
	add(NULL, NULL, NULL); /* 2 */
	t = build();
	ck_assert(!route_table_by_source(t));
	ck_assert_uint_eq(route_by_hello(t, &none, NONE, NULL), 2);
	add("10.0.0.0/8", "c.example", NULL); /* 3 */
	ck_assert(route_table_by_source(build()));
	arena_free(arena);
}
END_TEST

static void add_set(const char *source, const char *name, protocol_set set)
{
	rules[n_rules].protocols = set;
	add(source, name, NULL);
}

/* A byte that excludes what a rule asks for is enough. */
START_TEST(test_protocols)
{
	const protocol_set ssh = PROTOCOL_BIT(PROTOCOL_SSH);
	const protocol_set http = PROTOCOL_BIT(PROTOCOL_HTTP);
	const struct addr any = addr_of("198.51.100.1:1");
	struct route_table *t;

	start();
	add_set(NULL, NULL, ssh); /* 0 */
	add_set(NULL, "a.example", TLS); /* 1 */
	add_set(NULL, NULL, PROTOCOL_BIT(PROTOCOL_SMTP)); /* 2 */
	t = build();
	ck_assert(route_table_reads(t) && route_table_names(t));
	ck_assert_uint_eq(route_by_source(t, &any), ROUTE_NEEDS_BYTES);
	ck_assert_uint_eq(route_by_protocol(t, &any, ssh, false), 0);
	ck_assert_uint_eq(
	    route_by_protocol(t, &any, ssh | NONE, false), ROUTE_NEEDS_BYTES);
	ck_assert_uint_eq(
	    route_by_protocol(t, &any, http | NONE, false), ROUTE_DEFAULT);
	ck_assert_uint_eq(
	    route_by_protocol(t, &any, TLS, true), ROUTE_NEEDS_BYTES);
	/* In the form of SSL 2 it has no name to wait for. */
	ck_assert_uint_eq(
	    route_by_protocol(t, &any, TLS, false), ROUTE_DEFAULT);
	/* Who waits for the server may be waiting for SMTP's greeting. */
	ck_assert_uint_eq(route_by_hello(t, &any, PROTOCOL_SILENT, NULL), 2);
	ck_assert_uint_eq(route_by_hello(t, &any, NONE, NULL), ROUTE_DEFAULT);
	ck_assert_uint_eq(route_by_hello(t, &any, TLS, NULL), ROUTE_DEFAULT);
	arena_free(arena);
}
END_TEST

/* Nothing waits for bytes that no rule needs. */
START_TEST(test_who_waits)
{
	struct route_table *t;

	start();
	add("10.0.0.0/8", NULL, NULL); /* 0 */
	add("192.168.0.0/16", "a.example", NULL); /* 1 */
	add("192.168.1.0/24", NULL, NULL); /* 2 */
	add("172.16.0.0/12", NULL, NULL); /* 3 */
	add("172.16.0.0/16", NULL, "h2"); /* 4: 3 stands before it */
	t = build();
	ck_assert(route_table_reads(t));
	ck_assert_uint_eq(by_source(t, "10.1.1.1:1"), 0);
	ck_assert_uint_eq(by_source(t, "192.168.0.1:1"), ROUTE_NEEDS_BYTES);
	ck_assert_uint_eq(by_source(t, "192.168.1.1:1"), ROUTE_NEEDS_BYTES);
	ck_assert_uint_eq(by_source(t, "172.16.1.1:1"), 3);
	ck_assert_uint_eq(by_source(t, "198.51.100.1:1"), ROUTE_DEFAULT);
	ck_assert_uint_eq(by_source(t, "[::1]:1"), ROUTE_DEFAULT);
	ck_assert_uint_eq(by_source(t, "unix:/x"), ROUTE_DEFAULT);
	ck_assert_uint_eq(by_source(t, "[::ffff:10.0.0.1]:1"), 0);
	ck_assert_uint_eq(by_hello(t, "192.168.1.1:1", "a.example", NULL), 1);
	ck_assert_uint_eq(by_hello(t, "192.168.1.1:1", "b.example", NULL), 2);
	ck_assert_uint_eq(
	    by_hello(t, "192.168.0.1:1", "b.example", NULL), ROUTE_DEFAULT);
	/* From here on all that no earlier rule catches wait, but what is
	 * behind a rule without condition never does. */
	add(NULL, NULL, "h3"); /* 5 */
	add(NULL, NULL, NULL); /* 6 */
	add(NULL, "never.example", NULL); /* 7 */
	t = build();
	ck_assert_uint_eq(by_source(t, "10.1.1.1:1"), 0);
	ck_assert_uint_eq(by_source(t, "198.51.100.1:1"), ROUTE_NEEDS_BYTES);
	ck_assert_uint_eq(by_source(t, "unix:/x"), ROUTE_NEEDS_BYTES);
	ck_assert_uint_eq(
	    by_hello(t, "198.51.100.1:1", "never.example", "h2"), 6);
	rules[5] = (struct route_rule){0};
	t = build();
	ck_assert_uint_eq(by_source(t, "198.51.100.1:1"), 5);
	arena_free(arena);
}
END_TEST

START_TEST(test_names)
{
	const char *from = "192.0.2.1:1";
	struct route_table *t;

	start();
	add(NULL, "www.Example.com", NULL); /* 0 */
	add(NULL, "*.example.com", NULL); /* 1 */
	add(NULL, "api.example.com", NULL); /* 2: behind 1, never */
	add(NULL, "*.b.example.org", NULL); /* 3 */
	add(NULL, "*.example.org", NULL); /* 4 */
	add(NULL, "*.c.example.org", NULL); /* 5: behind 4, never */
	add(NULL, "*", NULL); /* 6 */
	t = build();
	ck_assert_uint_eq(by_hello(t, from, "www.example.com", NULL), 0);
	ck_assert_uint_eq(by_hello(t, from, "a.www.example.com", NULL), 1);
	ck_assert_uint_eq(by_hello(t, from, "api.example.com", NULL), 1);
	ck_assert_uint_eq(by_hello(t, from, "x.b.example.org", NULL), 3);
	ck_assert_uint_eq(by_hello(t, from, "b.example.org", NULL), 4);
	ck_assert_uint_eq(by_hello(t, from, "x.c.example.org", NULL), 4);
	/* The suffix is no name of its own, and whole labels count. */
	ck_assert_uint_eq(by_hello(t, from, "example.com", NULL), 6);
	ck_assert_uint_eq(by_hello(t, from, "notexample.com", NULL), 6);
	ck_assert_uint_eq(by_hello(t, from, "com", NULL), 6);
	ck_assert_uint_eq(by_hello(t, from, "", NULL), ROUTE_DEFAULT);
	arena_free(arena);
}
END_TEST

START_TEST(test_all_conditions_of_a_rule)
{
	const char *in = "10.1.1.1:1", *out = "192.0.2.1:1";
	struct route_table *t;

	start();
	add("10.0.0.0/8", "a.example", "h2"); /* 0 */
	add_source(0, "2001:db8::/32");
	add_name(0, "*.a.example");
	add_protocol(0, "http/1.1");
	add("10.0.0.0/8", NULL, "h2"); /* 1 */
	add(NULL, "a.example", NULL); /* 2 */
	add(NULL, NULL, "acme-tls/1"); /* 3 */
	t = build();
	ck_assert_uint_eq(by_hello(t, in, "a.example", "h2"), 0);
	ck_assert_uint_eq(by_hello(t, in, "x.a.example", "x http/1.1"), 0);
	ck_assert_uint_eq(
	    by_hello(t, "[2001:db8::1]:1", "a.example", "http/1.1"), 0);
	ck_assert_uint_eq(by_hello(t, in, "b.example", "h2"), 1);
	ck_assert_uint_eq(by_hello(t, in, "a.example", "h3"), 2);
	ck_assert_uint_eq(by_hello(t, out, "a.example", "h2"), 2);
	ck_assert_uint_eq(by_hello(t, out, "", "h2 acme-tls/1"), 3);
	ck_assert_uint_eq(by_hello(t, out, "", "H2"), ROUTE_DEFAULT);
	ck_assert_uint_eq(by_hello(t, out, "", ""), ROUTE_DEFAULT);
	arena_free(arena);
}
END_TEST

START_TEST(test_not_tls)
{
	struct addr a = addr_of("192.0.2.1:1");
	struct route_table *t;

	start();
	add(NULL, "*", NULL);
	add(NULL, NULL, "h2");
	add("192.0.2.0/24", NULL, NULL);
	t = build();
	ck_assert_uint_eq(route_by_source(t, &a), ROUTE_NEEDS_BYTES);
	ck_assert_uint_eq(route_by_hello(t, &a, NONE, NULL), 2);
	arena_free(arena);
}
END_TEST

START_TEST(test_checks)
{
	static const char *const good[] = {
	    "*", "*.com", "example.com", "a", "A-b_c.D", "192.0.2.1"};
	static const char *const wrong[] = {"", "*.", ".", ".a", "a.", "a..b",
	    "**", "*a", "a.*", "*.*.a", "a b", "::1", "a*"};
	char text[300];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_int_eq(route_name_check(good[i]), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(route_name_check(wrong[i]), "%s", wrong[i]);
	memset(text, 'a', sizeof(text));
	text[255] = '\0';
	ck_assert_int_eq(route_name_check(text), 0);
	ck_assert_int_eq(route_alpn_check(text), 0);
	text[255] = 'a';
	text[256] = '\0';
	ck_assert(route_name_check(text));
	ck_assert(route_alpn_check(text));
	ck_assert(route_alpn_check(""));
}
END_TEST

/* --- against looking at each rule --- */

static bool name_meets(const char *want, const char *name)
{
	size_t w = strlen(want), n = strlen(name);

	if (!n || !strcmp(want, "*"))
		return n > 0;
	if (want[0] != '*')
		return !strcmp(want, name);
	return n >= w && !strcmp(name + n - (w - 1), want + 1);
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

static bool source_met(const struct route_rule *r, const struct addr *source)
{
	bool met = !r->n_sources;
	struct prefix p;

	for (uint32_t i = 0; i < r->n_sources; i++)
		met |= prefix_of_addr(&p, source) &&
		       prefix_covers(&r->sources[i], &p);
	return met;
}

static bool hello_met(
    const struct route_rule *r, const struct client_hello *hello)
{
	bool name = !r->n_names, protocol = !r->n_alpns;

	for (uint32_t i = 0; i < r->n_names; i++)
		name |= name_meets(r->names[i], hello->name);
	for (uint32_t i = 0; i < r->n_alpns; i++)
		protocol |= protocol_meets(r->alpns[i], hello);
	return name && protocol;
}

/* A rule as it counts: see route.h about silence and WebSockets. */
static protocol_set protocols_of(const struct route_rule *r)
{
	protocol_set set =
	    r->protocols ? r->protocols : PROTOCOL_ALL | PROTOCOL_SILENT;

	if (set & protocol_server_first())
		set |= PROTOCOL_SILENT;
	if (set & PROTOCOL_BIT(PROTOCOL_HTTP))
		set |= PROTOCOL_BIT(PROTOCOL_WEBSOCKET);
	return set;
}

/* While the connection may be any of these. */
static uint32_t expected_of(const struct addr *source, protocol_set possible)
{
	for (uint32_t i = 0; i < n_rules; i++) {
		const struct route_rule *r = &rules[i];
		bool hello = r->n_names || r->n_alpns;

		if (!source_met(r, source))
			continue;
		if (hello ? possible & TLS
			  : possible & protocols_of(r) &&
				possible & ~protocols_of(r))
			return ROUTE_NEEDS_BYTES;
		if (!hello && possible & protocols_of(r))
			return i;
	}
	return ROUTE_DEFAULT;
}

static void check_protocols(
    const struct route_table *t, const struct addr *source)
{
	static const protocol_set sets[] = {PROTOCOL_ALL | PROTOCOL_SILENT,
	    PROTOCOL_SILENT, NONE, TLS, PROTOCOL_BIT(PROTOCOL_SSH),
	    PROTOCOL_BIT(PROTOCOL_HTTP) | PROTOCOL_BIT(PROTOCOL_WEBSOCKET),
	    PROTOCOL_BIT(PROTOCOL_WEBSOCKET), PROTOCOL_BIT(PROTOCOL_SSH) | NONE,
	    PROTOCOL_BIT(PROTOCOL_MYSQL)};

	for (size_t i = 0; i < BR_COUNT(sets); i++) {
		protocol_set set = sets[i];
		uint32_t expected = expected_of(source, set);

		ck_assert_uint_eq(
		    route_by_protocol(t, source, set, set & TLS), expected);
		if (!(set & (set - 1)) && set != TLS)
			ck_assert_uint_eq(
			    route_by_hello(t, source, set, NULL), expected);
	}
}

static void check_each(const struct route_table *t, const struct addr *source,
    const struct client_hello *hello)
{
	uint32_t expected = ROUTE_DEFAULT, early = ROUTE_DEFAULT;

	for (uint32_t i = 0; i < n_rules && expected == ROUTE_DEFAULT; i++) {
		if (source_met(&rules[i], source) &&
		    protocols_of(&rules[i]) & TLS &&
		    hello_met(&rules[i], hello))
			expected = i;
	}
	for (uint32_t i = 0; i < n_rules && early == ROUTE_DEFAULT; i++) {
		if (!source_met(&rules[i], source))
			continue;
		early =
		    rules[i].n_names || rules[i].n_alpns || rules[i].protocols
			? ROUTE_NEEDS_BYTES
			: i;
	}
	ck_assert_uint_eq(
	    route_by_hello(t, source, hello ? TLS : NONE, hello), expected);
	ck_assert_uint_eq(route_by_source(t, source), early);
}

static const char *pick(struct rng *rng, const char *const *values, uint32_t n)
{
	return values[rng_below(rng, n)];
}

START_TEST(test_agrees_with_looking_at_each)
{
	static const char *const some_names[] = {
	    "a.x.y", "b.x.y", "*.x.y", "*.y", "y", "*", "x.y", "*.a.x.y"};
	static const char *const asked[] = {
	    "a.x.y", "b.x.y", "c.a.x.y", "x.y", "y", "z", ""};
	static const char *const some_protocols[] = {"h2", "h3", "http/1.1"};
	static const protocol_set some_sets[] = {TLS, PROTOCOL_SILENT,
	    PROTOCOL_BIT(PROTOCOL_SSH), PROTOCOL_BIT(PROTOCOL_HTTP),
	    PROTOCOL_BIT(PROTOCOL_MYSQL), PROTOCOL_BIT(PROTOCOL_WEBSOCKET),
	    TLS | PROTOCOL_BIT(PROTOCOL_SSH) | PROTOCOL_SILENT};
	static const char *const lists[] = {
	    "", "h2", "h2 http/1.1", "q h3", "http/1.1"};
	static const char *const sources[] = {
	    "10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24", "::/0", "0.0.0.0/0"};
	static const char *const clients[] = {
	    "10.1.1.1:1", "10.2.1.1:1", "192.0.2.1:1", "[::1]:1", "unix:/x"};
	struct rng rng;

	rng_seed(&rng, (uint64_t)_i + 1);
	start();
	for (uint32_t n = 1 + rng_below(&rng, 12); n_rules < n; n_rules++) {
		/* Mostly one or two kinds of conditions. */
		for (uint32_t k = rng_below(&rng, 3); k; k--)
			if (rng_below(&rng, 2))
				add_source(n_rules, pick(&rng, sources, 5));
		for (uint32_t k = rng_below(&rng, 3); k; k--)
			add_name(n_rules, pick(&rng, some_names, 8));
		if (rng_below(&rng, 3) == 0)
			add_protocol(n_rules, pick(&rng, some_protocols, 3));
		if (rng_below(&rng, 3) == 0)
			rules[n_rules].protocols =
			    some_sets[rng_below(&rng, BR_COUNT(some_sets))];
	}
	{
		struct route_table *t = build();

		for (int c = 0; c < 5; c++) {
			struct addr client = addr_of(clients[c]);

			check_protocols(t, &client);
			for (int a = 0; a < 7; a++)
				for (int l = 0; l < 5; l++) {
					struct client_hello hello =
					    hello_of(asked[a], lists[l]);
					struct addr from = addr_of(clients[c]);

					check_each(t, &from, &hello);
				}
		}
	}
	arena_free(arena);
}
END_TEST

START_TEST(test_thousands)
{
	static char text[RULES_MAX][48];
	struct route_table *t;

	start();
	for (uint32_t i = 0; i < RULES_MAX; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "%sh%u.example.com",
		    i % 2 ? "*." : "", i);
		add(NULL, text[i], NULL);
	}
	t = build();
	for (uint32_t i = 0; i < RULES_MAX; i += 37) {
		char name[64];

		(void)snprintf(name, sizeof(name), "%sh%u.example.com",
		    i % 2 ? "a.b." : "", i);
		ck_assert_uint_eq(by_hello(t, "192.0.2.1:1", name, NULL), i);
	}
	arena_free(arena);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("route");

	tcase_add_test(tcase, test_none);
	tcase_add_test(tcase, test_without_sources);
	tcase_add_test(tcase, test_protocols);
	tcase_add_test(tcase, test_who_waits);
	tcase_add_test(tcase, test_names);
	tcase_add_test(tcase, test_all_conditions_of_a_rule);
	tcase_add_test(tcase, test_not_tls);
	tcase_add_test(tcase, test_checks);
	tcase_add_loop_test(tcase, test_agrees_with_looking_at_each, 0, 300);
	tcase_add_test(tcase, test_thousands);
	return lb_check_main(tcase);
}
