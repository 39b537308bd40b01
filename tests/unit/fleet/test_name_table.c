/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/name_table.h"
#include "tests/unit/base/check_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct name_table *table;
static struct mono now;
static struct name_answer *answer;
static uint32_t events[4];

static void on_event(
    void *context, const struct name_query *query, enum name_event event)
{
	(void)context, (void)query;
	events[event]++;
}

static void setup(void)
{
	struct name_hooks hooks = {.on_event = on_event};

	now = (struct mono){1000 * NS_PER_S};
	memset(events, 0, sizeof events);
	table = name_table_new(&hooks, now);
	answer = calloc(1, sizeof *answer);
	ck_assert_ptr_nonnull(answer);
}

static void teardown(void)
{
	name_table_free(table);
	free(answer);
}

static void want(const char *host, bool srv, bool ipv6, bool only)
{
	struct name_want item = {
	    .host = host, .srv = srv, .ipv4 = true, .ipv6 = ipv6};

	name_table_want(table, &item, host ? 1 : 0, only);
}

static void pass_ms(int64_t ms)
{
	now = mono_add_ms(now, ms);
	name_table_advance(table, now);
}

static struct name_query *take(const char *host, enum name_type type)
{
	struct name_query *query = name_table_take(table);

	ck_assert_ptr_nonnull(query);
	ck_assert_str_eq(query->host, host);
	ck_assert_int_eq(query->type, type);
	return query;
}

static void clear(enum name_result result, uint32_t ttl_s)
{
	memset(answer, 0, sizeof *answer);
	answer->result = result;
	answer->ttl_s = ttl_s;
}

static void add_ip(const char *text)
{
	struct name_record *record = &answer->records[answer->n++];

	ck_assert_int_eq(addr_parse_ip(&record->addr, text), 0);
}

static void add_srv(const char *target, uint16_t priority)
{
	struct name_record *record = &answer->records[answer->n++];

	record->priority = priority;
	record->port = 80;
	(void)snprintf(record->target, sizeof record->target, "%s", target);
}

static void reply(struct name_query *query)
{
	name_table_answer(table, query, answer, now);
	name_table_advance(table, now);
}

static void answers(const char *host, const char *ip, uint32_t ttl_s)
{
	struct name_query *query = take(host, NAME_A);

	clear(NAME_ANSWER, ttl_s);
	add_ip(ip);
	reply(query);
}

static void fails(const char *host, enum name_result result, uint32_t ttl_s)
{
	struct name_query *query = take(host, NAME_A);

	clear(result, ttl_s);
	reply(query);
}

static uint32_t known(const char *host, enum name_type type)
{
	struct name_view *view = name_table_view(table);
	const struct name_view_row *row = name_view_find(view, host, type);
	uint32_t n = row ? row->n : UINT32_MAX;

	name_view_unref(view);
	return n;
}

START_TEST(test_asks_again_when_the_ttl_is_over)
{
	want("a.test", false, false, true);
	ck_assert(!name_table_settled(table));
	answers("a.test", "192.0.2.1", 30);
	ck_assert(name_table_settled(table));
	ck_assert_uint_eq(known("A.TEST", NAME_A), 1);
	pass_ms(29990);
	ck_assert_ptr_null(name_table_take(table));
	pass_ms(20);
	answers("a.test", "192.0.2.1", 30);
	ck_assert_uint_eq(events[NAME_EVENT_CHANGED], 1);
}
END_TEST

START_TEST(test_ttl_is_kept_within_bounds)
{
	struct name_rules rules = {
	    .min_ttl_ms = 5000, .max_ttl_ms = 60000, .hold_ms = 0};

	name_table_set_rules(table, &rules);
	want("a.test", false, false, true);
	answers("a.test", "192.0.2.1", 0);
	pass_ms(4990);
	ck_assert_ptr_null(name_table_take(table));
	pass_ms(20);
	answers("a.test", "192.0.2.1", 86400);
	pass_ms(59990);
	ck_assert_ptr_null(name_table_take(table));
	pass_ms(20);
	answers("a.test", "192.0.2.1", 86400);
}
END_TEST

START_TEST(test_order_of_records_is_no_change)
{
	struct name_query *query;
	uint64_t version;

	want("a.test", false, false, true);
	query = take("a.test", NAME_A);
	clear(NAME_ANSWER, 1);
	add_ip("192.0.2.2");
	add_ip("192.0.2.1");
	add_ip("192.0.2.2");
	reply(query);
	ck_assert_uint_eq(known("a.test", NAME_A), 2);
	version = name_table_version(table);
	pass_ms(1001);
	query = take("a.test", NAME_A);
	clear(NAME_ANSWER, 1);
	add_ip("192.0.2.1");
	add_ip("192.0.2.2");
	reply(query);
	ck_assert_uint_eq(name_table_version(table), version);
	pass_ms(1001);
	answers("a.test", "192.0.2.1", 1);
	ck_assert_uint_ne(name_table_version(table), version);
}
END_TEST

START_TEST(test_failures_keep_what_is_known_and_back_off)
{
	static const int64_t waits_ms[] = {
	    1000, 2000, 4000, 8000, 16000, 30000, 30000};

	want("a.test", false, false, true);
	answers("a.test", "192.0.2.1", 1);
	pass_ms(1001);
	for (size_t i = 0; i < sizeof waits_ms / sizeof *waits_ms; i++) {
		fails("a.test", i % 2 ? NAME_TIMEOUT : NAME_SERVFAIL, 0);
		ck_assert_uint_eq(known("a.test", NAME_A), 1);
		pass_ms(waits_ms[i] - 10);
		ck_assert_ptr_null(name_table_take(table));
		pass_ms(11);
	}
	ck_assert_uint_eq(events[NAME_EVENT_FAILING], 1);
	answers("a.test", "192.0.2.1", 1);
	ck_assert_uint_eq(events[NAME_EVENT_RECOVERED], 1);
	ck_assert_uint_eq(events[NAME_EVENT_CHANGED], 1);
	pass_ms(1001);
	fails("a.test", NAME_TIMEOUT, 0);
	pass_ms(1001);
	(void)take("a.test", NAME_A);
}
END_TEST

/* What does not exist any more is kept for 5 s. */
static void hold_absence(void)
{
	const struct name_rules rules = {
	    .min_ttl_ms = 1000, .max_ttl_ms = 60000, .hold_ms = 5000};

	name_table_set_rules(table, &rules);
}

START_TEST(test_absence_is_held_and_then_believed)
{
	hold_absence();
	want("a.test", false, false, true);
	answers("a.test", "192.0.2.1", 1);
	pass_ms(1001);
	fails("a.test", NAME_NXDOMAIN, 600);
	ck_assert_uint_eq(known("a.test", NAME_A), 1);
	/* Asked again at the end of the hold, not after the long TTL. */
	pass_ms(4990);
	ck_assert_ptr_null(name_table_take(table));
	pass_ms(20);
	fails("a.test", NAME_NXDOMAIN, 600);
	ck_assert_uint_eq(known("a.test", NAME_A), 0);
	ck_assert_uint_eq(events[NAME_EVENT_GIVEN_UP], 1);
	/* Now its TTL counts, up to max_ttl. */
	pass_ms(59990);
	ck_assert_ptr_null(name_table_take(table));
	pass_ms(20);
	answers("a.test", "192.0.2.2", 1);
	ck_assert_uint_eq(known("a.test", NAME_A), 1);
}
END_TEST

START_TEST(test_absence_that_was_not_confirmed_begins_anew)
{
	hold_absence();
	want("a.test", false, false, true);
	answers("a.test", "192.0.2.1", 1);
	pass_ms(1001);
	fails("a.test", NAME_NODATA, 4);
	pass_ms(4001);
	fails("a.test", NAME_TIMEOUT, 0);
	pass_ms(4001);
	fails("a.test", NAME_NODATA, 4);
	ck_assert_uint_eq(known("a.test", NAME_A), 1);
}
END_TEST

START_TEST(test_one_family_only_is_no_failure)
{
	struct name_query *a, *aaaa;

	want("a.test", false, true, true);
	a = take("a.test", NAME_A);
	aaaa = take("a.test", NAME_AAAA);
	clear(NAME_ANSWER, 1);
	add_ip("192.0.2.1");
	reply(a);
	ck_assert(!name_table_settled(table));
	clear(NAME_NODATA, 1);
	reply(aaaa);
	ck_assert(name_table_settled(table));
	ck_assert_uint_eq(events[NAME_EVENT_FAILING], 0);
}
END_TEST

START_TEST(test_targets_of_a_service_come_and_go)
{
	struct name_query *query;

	want("_s._tcp.test", true, false, true);
	query = take("_s._tcp.test", NAME_SRV);
	clear(NAME_ANSWER, 1);
	add_srv("b.test", 2);
	add_srv("A.test", 1);
	reply(query);
	/* Its targets are not known yet, so it is not settled. */
	ck_assert(!name_table_settled(table));
	answers("A.test", "192.0.2.1", 100);
	answers("b.test", "192.0.2.2", 100);
	ck_assert(name_table_settled(table));
	pass_ms(1001);
	query = take("_s._tcp.test", NAME_SRV);
	clear(NAME_ANSWER, 1);
	add_srv("b.test", 2);
	reply(query);
	ck_assert_uint_eq(known("a.test", NAME_A), UINT32_MAX);
	ck_assert_uint_eq(known("b.test", NAME_A), 1);
}
END_TEST

START_TEST(test_what_nobody_wants_is_forgotten_when_it_is_back)
{
	struct name_query *query;

	want("a.test", false, false, true);
	query = take("a.test", NAME_A);
	want("b.test", false, false, false);
	answers("b.test", "192.0.2.2", 1);
	ck_assert(!name_table_settled(table));
	want("b.test", false, false, true);
	ck_assert(name_table_settled(table));
	ck_assert_uint_eq(known("a.test", NAME_A), UINT32_MAX);
	clear(NAME_ANSWER, 1);
	add_ip("192.0.2.1");
	reply(query);
	ck_assert_uint_eq(known("a.test", NAME_A), UINT32_MAX);
	want(NULL, false, false, true);
	ck_assert_uint_eq(known("b.test", NAME_A), UINT32_MAX);
}
END_TEST

START_TEST(test_not_all_at_once)
{
	struct name_query *asking[NAME_ASKING_MAX];
	char host[32];

	for (uint32_t i = 0; i < NAME_ASKING_MAX + 1; i++) {
		(void)snprintf(host, sizeof host, "h%u.test", i);
		want(host, false, false, false);
	}
	for (uint32_t i = 0; i < NAME_ASKING_MAX; i++) {
		asking[i] = name_table_take(table);
		ck_assert_ptr_nonnull(asking[i]);
	}
	ck_assert_ptr_null(name_table_take(table));
	name_table_put_back(table, asking[0]);
	ck_assert_ptr_nonnull(name_table_take(table));
	ck_assert_ptr_null(name_table_take(table));
	clear(NAME_TIMEOUT, 0);
	name_table_answer(table, asking[1], answer, now);
	ck_assert_ptr_eq(name_table_take(table), asking[0]);
}
END_TEST

/* As after an upgrade: another table, for which nobody answers. */
static void restore(const struct name_view *before)
{
	teardown();
	setup();
	want("a.test", false, false, true);
	want("_s.test", true, false, false);
	name_table_restore(table, before);
}

START_TEST(test_what_another_has_known)
{
	struct name_view *before;
	struct name_query *query;

	want("a.test", false, false, true);
	answers("a.test", "192.0.2.1", 300);
	want("_s.test", true, false, false);
	query = take("_s.test", NAME_SRV);
	clear(NAME_ANSWER, 300);
	add_srv("t.test", 1);
	reply(query);
	answers("t.test", "192.0.2.2", 300);
	want("gone.test", false, false, false);
	answers("gone.test", "192.0.2.3", 300);
	before = name_table_view(table);
	restore(before);
	name_view_unref(before);
	ck_assert(name_table_settled(table));
	ck_assert_uint_eq(known("a.test", NAME_A), 1);
	ck_assert_uint_eq(known("_s.test", NAME_SRV), 1);
	ck_assert_uint_eq(known("t.test", NAME_A), 1);
	ck_assert_uint_eq(known("gone.test", NAME_A), UINT32_MAX);
	/* All are asked at once, and keep what they have. */
	fails("a.test", NAME_TIMEOUT, 0);
	ck_assert_uint_eq(known("a.test", NAME_A), 1);
	query = take("_s.test", NAME_SRV);
	clear(NAME_SERVFAIL, 0);
	reply(query);
	fails("t.test", NAME_TIMEOUT, 0);
	ck_assert_uint_eq(known("t.test", NAME_A), 1);
	ck_assert_uint_eq(events[NAME_EVENT_FAILING], 3);
	ck_assert_uint_eq(events[NAME_EVENT_CHANGED], 0);
}
END_TEST

START_TEST(test_an_absence_goes_on)
{
	struct name_view *before;

	want("a.test", false, false, true);
	answers("a.test", "192.0.2.1", 1);
	pass_ms(1010);
	fails("a.test", NAME_NXDOMAIN, 1);
	before = name_table_view(table);
	teardown();
	setup();
	pass_ms(40000);
	want("a.test", false, false, true);
	name_table_restore(table, before);
	name_view_unref(before);
	/* Longer than hold since the first time. */
	fails("a.test", NAME_NXDOMAIN, 1);
	ck_assert_uint_eq(events[NAME_EVENT_GIVEN_UP], 1);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("name_table");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_asks_again_when_the_ttl_is_over);
	tcase_add_test(tcase, test_ttl_is_kept_within_bounds);
	tcase_add_test(tcase, test_order_of_records_is_no_change);
	tcase_add_test(tcase, test_failures_keep_what_is_known_and_back_off);
	tcase_add_test(tcase, test_absence_is_held_and_then_believed);
	tcase_add_test(tcase, test_absence_that_was_not_confirmed_begins_anew);
	tcase_add_test(tcase, test_one_family_only_is_no_failure);
	tcase_add_test(tcase, test_targets_of_a_service_come_and_go);
	tcase_add_test(
	    tcase, test_what_nobody_wants_is_forgotten_when_it_is_back);
	tcase_add_test(tcase, test_not_all_at_once);
	tcase_add_test(tcase, test_what_another_has_known);
	tcase_add_test(tcase, test_an_absence_goes_on);
	return check_main(tcase);
}
