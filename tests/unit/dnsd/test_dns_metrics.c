/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/dns_metrics.h"

#include <check.h>
#include <stdlib.h>

static struct dns_metrics m;
static struct counter pops[3];

static void count(const struct query_facts *facts, enum dns_transport transport,
    size_t query, size_t answer)
{
	dns_metrics_count(&m, facts, transport, query, answer);
}

static const struct query_facts plain = {.name = (const uint8_t *)"",
    .type = 1,
    .class = 1,
    .pop = QUERY_NO_POP,
    .kind = DNS_KIND_data};

START_TEST(test_plain)
{
	struct query_facts facts = plain;

	m = (struct dns_metrics){.pops = pops, .n_pops = 3};
	count(&facts, DNS_UDP, 30, 46);
	ck_assert_uint_eq(counter_read(&m.queries_udp), 1);
	ck_assert_uint_eq(counter_read(&m.queries_tcp), 0);
	ck_assert_uint_eq(counter_read(&m.bytes_in), 30);
	ck_assert_uint_eq(counter_read(&m.bytes_out), 46);
	ck_assert_uint_eq(counter_read(&m.types[DNS_TYPE_a]), 1);
	ck_assert_uint_eq(counter_read(&m.rcodes[DNS_RCODE_noerror]), 1);
	ck_assert_uint_eq(counter_read(&m.kinds[DNS_KIND_data]), 1);
	ck_assert_uint_eq(counter_read(&m.edns), 0);
	ck_assert_uint_eq(counter_read(&m.cookies[DNS_COOKIE_none]), 0);
	/* Nothing was sent, and it was no drop: a transfer. */
	facts.type = 252;
	facts.kind = DNS_KIND_transfer;
	count(&facts, DNS_TCP, 20, 0);
	ck_assert_uint_eq(counter_read(&m.queries_tcp), 1);
	ck_assert_uint_eq(counter_read(&m.types[DNS_TYPE_axfr]), 1);
	ck_assert_uint_eq(counter_read(&m.rcodes[DNS_RCODE_noerror]), 1);
}
END_TEST

START_TEST(test_all)
{
	struct query_facts facts = plain;

	m = (struct dns_metrics){.pops = pops, .n_pops = 3};
	facts.edns = facts.dnssec_ok = facts.ecs = true;
	facts.ecs_scope = 20;
	facts.truncated = facts.wildcard = true;
	facts.cookie = DNS_COOKIE_valid;
	facts.pop = 2;
	facts.type = 9999;
	count(&facts, DNS_UDP, 1, 1);
	facts.pop = 3; /* of a newer configuration */
	facts.ecs_scope = 0;
	count(&facts, DNS_UDP, 1, 1);
	m.pops = NULL;
	count(&facts, DNS_UDP, 1, 1);
	ck_assert_uint_eq(counter_read(&pops[2]), 1);
	ck_assert_uint_eq(counter_read(&m.edns), 3);
	ck_assert_uint_eq(counter_read(&m.dnssec_ok), 3);
	ck_assert_uint_eq(counter_read(&m.subnet), 3);
	ck_assert_uint_eq(counter_read(&m.subnet_scoped), 1);
	ck_assert_uint_eq(counter_read(&m.truncated), 3);
	ck_assert_uint_eq(counter_read(&m.wildcard), 3);
	ck_assert_uint_eq(counter_read(&m.cookies[DNS_COOKIE_valid]), 3);
	ck_assert_uint_eq(counter_read(&m.types[DNS_TYPE_other]), 3);
}
END_TEST

START_TEST(test_dropped)
{
	struct query_facts facts = {.drop = DNS_DROP_short};

	m = (struct dns_metrics){0};
	count(&facts, DNS_UDP, 3, 0);
	ck_assert_uint_eq(counter_read(&m.queries_udp), 1);
	ck_assert_uint_eq(counter_read(&m.drops[DNS_DROP_short]), 1);
	ck_assert_uint_eq(counter_read(&m.kinds[DNS_KIND_none]), 1);
	for (int i = 0; i < DNS_N_TYPES; i++)
		ck_assert_uint_eq(counter_read(&m.types[i]), 0);
	for (int i = 0; i < DNS_N_RCODES; i++)
		ck_assert_uint_eq(counter_read(&m.rcodes[i]), 0);
}
END_TEST

/* Each row counts in its own place, and has its name. */
START_TEST(test_rows)
{
	static const struct {
		unsigned row;
		uint16_t number;
	} types[] =
	    {
#define X(name, number) {DNS_TYPE_##name, number},
		DNS_TYPE_LIST(X)
#undef X
	    },
	  rcodes[] = {
#define X(name, number) {DNS_RCODE_##name, number},
	      DNS_RCODE_LIST(X)
#undef X
	  };

	m = (struct dns_metrics){0};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		struct query_facts facts = plain;

		facts.type = types[i].number;
		count(&facts, DNS_UDP, 1, 1);
		ck_assert_uint_eq(counter_read(&m.types[types[i].row]), 1);
	}
	for (size_t i = 1; i < sizeof rcodes / sizeof *rcodes; i++) {
		struct query_facts facts = plain;

		facts.rcode = rcodes[i].number;
		count(&facts, DNS_UDP, 1, 1);
		ck_assert_uint_eq(counter_read(&m.rcodes[rcodes[i].row]), 1);
	}
	ck_assert_str_eq(dns_type_name(DNS_TYPE_https), "https");
	ck_assert_str_eq(dns_type_name(DNS_TYPE_other), "other");
	ck_assert_str_eq(dns_rcode_name(DNS_RCODE_badcookie), "badcookie");
	ck_assert_str_eq(dns_kind_name(DNS_KIND_transfer), "transfer");
	ck_assert_str_eq(dns_cookie_name(DNS_COOKIE_invalid), "invalid");
	ck_assert_str_eq(dns_drop_name(DNS_DROP_room), "room");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dns_metrics");
	TCase *tcase = tcase_create("dns_metrics");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, test_plain);
	tcase_add_test(tcase, test_all);
	tcase_add_test(tcase, test_dropped);
	tcase_add_test(tcase, test_rows);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
