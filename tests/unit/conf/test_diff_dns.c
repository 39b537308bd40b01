/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/diff.h"

#include "base/arena.h"

#include "tests/unit/conf/conf_check.h"

#include <string.h>

#define POP1 "  pop1: {addresses: [192.0.2.1, \"2001:db8::1\"], domain: a}\n"
#define POP2 "  pop2: {addresses: 192.0.2.2, health: {port: 80}}\n"
#define WWW "        www: {pops: [pop1, pop2], weights: {pop1: 3}}\n"
#define A "    a.example:\n      file: /z/a\n      resources:\n" WWW
#define B "    b.example: {records: [\"@ SOA a b 1 2 3 4 5\", \"@ NS a\"]}\n"
#define EU "  eu: {prefixes: 198.51.100.0/24}\n"
#define US "  us: {prefixes: 203.0.113.0/24}\n"
#define DNS "dns:\n  bind: 127.0.0.1\n  zones:\n"
#define BASE DNS A B "pops:\n" POP1 POP2 "regions:\n" EU US

static struct conf *before, *after;
static struct arena *arena;
static struct conf_diff diff;

static void setup(void)
{
	arena = arena_new();
	before = conf_check_parse(BASE);
	after = NULL;
}

static void teardown(void)
{
	conf_free(before);
	conf_free(after);
	arena_free(arena);
}

/* The base with one piece of it replaced, or left out. */
static void replace(const char *piece, const char *with)
{
	const char *at = strstr(BASE, piece);
	char text[2048];

	ck_assert_ptr_nonnull(at);
	(void)snprintf(text, sizeof text, "%.*s%s%s",
	    (int)(at - (const char *)BASE), BASE, with, at + strlen(piece));
	conf_free(after);
	after = conf_check_parse(text);
	conf_diff(before, after, arena, &diff);
}

static void expect(const struct conf_changes *changes, enum conf_change first,
    enum conf_change second)
{
	ck_assert_int_eq(changes->change[0], first);
	ck_assert_int_eq(changes->change[1], second);
	ck_assert_uint_eq(changes->n_removed, 0);
}

START_TEST(same)
{
	replace("dns:", "# moved\ndns:");
	expect(&diff.zones, CONF_SAME, CONF_SAME);
	expect(&diff.pops, CONF_SAME, CONF_SAME);
	expect(&diff.regions, CONF_SAME, CONF_SAME);
	ck_assert_uint_eq(diff.zones.before[1], 1);
}
END_TEST

START_TEST(order_is_no_change)
{
	replace(A B, B A);
	expect(&diff.zones, CONF_SAME, CONF_SAME);
	ck_assert_uint_eq(diff.zones.before[0], 1);
	/* Its POPs stand elsewhere, and are the same. */
	replace(POP1 POP2, POP2 POP1);
	expect(&diff.zones, CONF_SAME, CONF_SAME);
	expect(&diff.pops, CONF_SAME, CONF_SAME);
}
END_TEST

START_TEST(added_and_removed)
{
	replace(B, "    c.example: {file: /z/c}\n");
	ck_assert_int_eq(diff.zones.change[1], CONF_ADDED);
	ck_assert_uint_eq(diff.zones.before[1], UINT32_MAX);
	ck_assert_uint_eq(diff.zones.n_removed, 1);
	ck_assert_uint_eq(diff.zones.removed[0], 1);
	replace(US, "");
	ck_assert_uint_eq(diff.regions.n_removed, 1);
	ck_assert_int_eq(diff.regions.change[0], CONF_SAME);
}
END_TEST

START_TEST(a_zone_is_its_keys)
{
	static const char *const others[] = {"file: /z/b\n      ttl: 5m",
	    "file: /z/a\n      ttl: 5m", "file: /z/a\n      salt: x",
	    "file: /z/a\n      dnssec: {key: /k}",
	    "file: /z/a\n      transfer: {allow: 192.0.2.9}",
	    "file: /z/a\n      records: \"b A 192.0.2.1\""};

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		replace("file: /z/a", others[i]);
		expect(&diff.zones, CONF_CHANGED, CONF_SAME);
	}
	replace("\"@ NS a\"", "\"@ NS b\"");
	expect(&diff.zones, CONF_SAME, CONF_CHANGED);
}
END_TEST

START_TEST(a_zone_is_its_resources)
{
	static const char *const others[] = {
	    "        web: {pops: [pop1, pop2], weights: {pop1: 3}}\n",
	    "        www: {pops: [pop2, pop1], weights: {pop1: 3}}\n",
	    "        www: {pops: [pop1], weights: {pop1: 3}}\n",
	    "        www: {pops: [pop1, pop2], weights: {pop1: 4}}\n",
	    "        www: {pops: [pop1, pop2], weights: {pop2: 3}}\n",
	    "        www: {pops: [pop1, pop2], weights: {pop1: 3}, ttl: 9s}\n",
	    "        www: {pops: [pop1, pop2], weights: {pop1: 3}, ecs: off}\n",
	    "        www: {pops: [pop1, pop2], weights: {pop1: 3}, n: 1}\n",
	    "        www: {pops: [pop1, pop2], weights: {pop1: 3}, alpn: h2}\n",
	    "        www: {pops: [pop1, pop2], weights: {pop1: 3}, mode: "
	    "rank}\n",
	    "        www: {pops: [pop1, pop2], weights: {pop1: 3}, target: "
	    "\"{pop}\"}\n",
	    WWW "        web: {pops: pop1}\n"};

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		replace(WWW, others[i]);
		expect(&diff.zones, CONF_CHANGED, CONF_SAME);
	}
}
END_TEST

START_TEST(a_zone_has_its_pops_addresses)
{
	replace("192.0.2.2", "192.0.2.3");
	expect(&diff.zones, CONF_CHANGED, CONF_SAME);
	expect(&diff.pops, CONF_SAME, CONF_CHANGED);
	replace("domain: a", "domain: b");
	expect(&diff.zones, CONF_CHANGED, CONF_SAME);
	/* What else a POP has is not in the zone. */
	replace("port: 80", "port: 81");
	expect(&diff.zones, CONF_SAME, CONF_SAME);
	expect(&diff.pops, CONF_SAME, CONF_CHANGED);
	replace("domain: a", "domain: a, cost: 2.0");
	expect(&diff.zones, CONF_SAME, CONF_SAME);
	expect(&diff.pops, CONF_CHANGED, CONF_SAME);
}
END_TEST

START_TEST(pops_are_their_scripts)
{
	replace("health: {port: 80}", "health: {type: send_expect, port: 80, "
				      "script: [{send: a}, {expect: b}]}");
	expect(&diff.pops, CONF_SAME, CONF_CHANGED);
	conf_free(before);
	before = after;
	after = NULL;
	replace("health: {port: 80}", "health: {type: send_expect, port: 80, "
				      "script: [{send: a}, {expect: c}]}");
	expect(&diff.pops, CONF_SAME, CONF_CHANGED);
}
END_TEST

START_TEST(regions_change)
{
	replace("203.0.113.0/24", "203.0.113.0/25");
	expect(&diff.regions, CONF_SAME, CONF_CHANGED);
	expect(&diff.zones, CONF_SAME, CONF_SAME);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("diff_dns");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, same);
	tcase_add_test(tcase, order_is_no_change);
	tcase_add_test(tcase, added_and_removed);
	tcase_add_test(tcase, a_zone_is_its_keys);
	tcase_add_test(tcase, a_zone_is_its_resources);
	tcase_add_test(tcase, a_zone_has_its_pops_addresses);
	tcase_add_test(tcase, pops_are_their_scripts);
	tcase_add_test(tcase, regions_change);
	return conf_check_main(tcase);
}
