/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/pop.h"

#include "base/arena.h"
#include "base/assert.h"
#include "tests/unit/base/check_main.h"

#define S NS_PER_S

static struct addr address(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse_ip(&a, text), 0);
	return a;
}

START_TEST(test_identities_and_addresses)
{
	struct addr of_a[] = {address("192.0.2.1"), address("2001:db8::1"),
	    address("::ffff:192.0.2.2")};
	struct conf_pop conf[] = {
	    {.name = "a", .addresses = of_a, .n_addresses = 3, .domain = "x"},
	    {.name = "b", .slow_start_ms = 5, .domain = "x"},
	    {.name = "x"},
	    {.name = "c"},
	};
	struct arena *arena = arena_new();
	struct pops *pops = pops_new(arena, conf, BR_COUNT(conf));
	const struct pop *pop = pops->pop;

	ck_assert_uint_eq(pops->n, 4);
	ck_assert_uint_eq(pop[0].n_ipv4, 2);
	ck_assert_uint_eq(pop[0].ipv4[1][3], 2);
	ck_assert_uint_eq(pop[0].n_ipv6, 1);
	ck_assert_uint_eq(pop[0].ipv6[0][15], 1);
	ck_assert_uint_eq(pop[1].n_ipv4 + pop[1].n_ipv6, 0);
	ck_assert_uint_eq(pop[1].slow_start_ms, 5);
	ck_assert_uint_eq(pop[3].index, 3);
	/* Of the name alone, the same on every node and in each version. */
	ck_assert_uint_eq(pop[0].id, pop_id("a"));
	ck_assert_uint_eq(pop_id("a"), UINT64_C(0x750a1092a6495d96));
	ck_assert_uint_ne(pop[0].id, pop[1].id);
	/* A domain is no POP of the same name. */
	ck_assert_uint_eq(pop[0].domain, pop[1].domain);
	ck_assert_uint_ne(pop[0].domain, pop[2].domain);
	ck_assert_uint_ne(pop[2].domain, pop[3].domain);
	arena_free(arena);
}
END_TEST

START_TEST(test_facts)
{
	struct pop_facts facts = pop_facts_default();
	struct wall now = {100 * S};

	ck_assert(pop_is_up(&facts));
	ck_assert(!pop_is_out(&facts, now));
	facts.up = false;
	ck_assert(pop_is_up(&facts)); /* nobody said so yet */
	facts.known = true;
	ck_assert(!pop_is_up(&facts));
	ck_assert(!pop_is_out(&facts, now));
	facts.leaves.ns = 100 * S + 1;
	ck_assert(!pop_is_out(&facts, now));
	facts.leaves.ns = 100 * S;
	ck_assert(pop_is_out(&facts, now));
	facts.leaves.ns = 0;
	facts.draining = true;
	ck_assert(pop_is_out(&facts, now));
	facts.draining = false;
	ck_assert_uint_eq(pop_weight_percent(&facts), 100);
	facts.weight_override = 40;
	ck_assert_uint_eq(pop_weight_percent(&facts), 40);
	facts.weight_override = UINT32_MAX - 1;
	ck_assert_uint_eq(pop_weight_percent(&facts), POP_WEIGHT_PERCENT_MAX);
	facts.weight_override = 0;
	ck_assert(pop_is_out(&facts, now));
}
END_TEST

START_TEST(test_slow_start)
{
	struct pop pop = {.slow_start_ms = 64000};
	struct pop_facts facts = pop_facts_default();
	struct wall now = {1000 * S};

	ck_assert_uint_eq(pop_slow_start_permille(&pop, &facts, now), 1000);
	ck_assert_int_eq(pop_slow_start_next(&pop, &facts, now).ns, INT64_MAX);
	facts.returned = now;
	ck_assert_uint_eq(pop_slow_start_permille(&pop, &facts, now), 100);
	ck_assert_int_eq(
	    pop_slow_start_next(&pop, &facts, now).ns, now.ns + S + 1);
	now.ns += 32 * S + 32;
	ck_assert_uint_eq(pop_slow_start_permille(&pop, &facts, now), 550);
	now.ns += 32 * S + 32;
	ck_assert_uint_eq(pop_slow_start_permille(&pop, &facts, now), 1000);
	ck_assert_int_eq(pop_slow_start_next(&pop, &facts, now).ns, INT64_MAX);
	pop.slow_start_ms = 0;
	facts.returned = now;
	ck_assert_uint_eq(pop_slow_start_permille(&pop, &facts, now), 1000);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("pop");

	tcase_add_test(tcase, test_identities_and_addresses);
	tcase_add_test(tcase, test_facts);
	tcase_add_test(tcase, test_slow_start);
	return check_main(tcase);
}
