/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_order.h"

#include "base/strbuf.h"
#include "tests/unit/base/check_main.h"

#include <string.h>

/* A DNS of a few answers; what is asked beyond them is written down. */
struct question {
	uint8_t name[DNAME_MAX];
	uint16_t type;
	struct fetch_answer answer;
};

static struct question dns[24];
static uint32_t n_dns;
static struct strbuf missing, remarks;
static struct fetch_places places;
static struct rng rng;

static void name_of(const char *text, uint8_t ret[DNAME_MAX])
{
	const char *wrong;

	ck_assert_int_eq(
	    dname_from_text(text, strlen(text), NULL, ret, &wrong), 0);
}

static struct fetch_answer *answer_to(const char *name, uint16_t type)
{
	struct question *question = &dns[n_dns++];

	ck_assert_uint_le(n_dns, 24);
	memset(question, 0, sizeof *question);
	name_of(name, question->name);
	question->type = type;
	return &question->answer;
}

static struct fetch_record *record(
    struct fetch_answer *answer, const char *owner, uint16_t type)
{
	struct fetch_record *ret = &answer->records[answer->n++];

	memset(ret, 0, sizeof *ret);
	name_of(owner, ret->owner);
	ret->type = type;
	return ret;
}

static void address(
    struct fetch_answer *answer, const char *owner, const char *text)
{
	struct addr addr;

	ck_assert_int_eq(addr_parse_ip(&addr, text), 0);
	record(answer, owner, addr.sa.sa_family == AF_INET ? RR_A : RR_AAAA)
	    ->addr = addr;
}

static void alias(
    struct fetch_answer *answer, const char *owner, const char *target)
{
	name_of(target, record(answer, owner, RR_CNAME)->target);
}

static struct fetch_service *service(struct fetch_answer *answer,
    const char *owner, uint16_t priority, const char *target)
{
	struct fetch_record *ret = record(answer, owner, RR_HTTPS);

	name_of(target, ret->target);
	ret->service.priority = priority;
	ret->service.http1 = ret->service.http2 = true;
	return &ret->service;
}

static const struct fetch_answer *look(
    void *context, const uint8_t *name, uint16_t type)
{
	char text[DNAME_TEXT_MAX], type_text[RR_TEXT_MAX];

	(void)context;
	for (uint32_t i = 0; i < n_dns; i++)
		if (dns[i].type == type && dname_equal(dns[i].name, name))
			return &dns[i].answer;
	(void)dname_to_text(name, text);
	(void)rr_type_to_text(type, type_text);
	strbuf_addf(&missing, "%s %s\n", text, type_text);
	return NULL;
}

static void remark(void *context, const uint8_t *name, const char *text)
{
	char name_text[DNAME_TEXT_MAX];

	(void)context;
	(void)dname_to_text(name, name_text);
	strbuf_addf(&remarks, "%s: %s\n", name_text, text);
}

static void find(const char *host, uint16_t port, bool https)
{
	uint8_t name[DNAME_MAX];
	struct fetch_wanted wanted = {.host = name,
	    .port = port,
	    .https = https,
	    .ipv4 = true,
	    .ipv6 = true,
	    .look = look,
	    .remark = remark,
	    .rng = &rng};

	name_of(host, name);
	strbuf_clear(&missing);
	strbuf_clear(&remarks);
	fetch_places_find(&wanted, &places);
}

static void expect_order(const struct addr *first, const char *want)
{
	struct fetch_candidate order[FETCH_RACE_MAX];
	uint32_t n = fetch_order_make(&places, first, order);
	char name[DNAME_TEXT_MAX], addr[ADDR_TEXT_MAX];
	struct strbuf got;

	strbuf_init(&got);
	for (uint32_t i = 0; i < n; i++) {
		(void)dname_to_text(order[i].place->name, name);
		(void)addr_format(&order[i].addr, addr);
		strbuf_addf(&got, "%s%s %s", i ? ", " : "", name, addr);
	}
	ck_assert_str_eq(strbuf_text(&got), want);
	strbuf_fini(&got);
}

static void begin(void)
{
	n_dns = 0;
	rng_seed(&rng, 1);
}

START_TEST(test_pick)
{
	struct fetch_answer *a;

	begin();
	find("www.test", 80, false);
	ck_assert_str_eq(
	    strbuf_text(&missing), "www.test. AAAA\nwww.test. A\n");
	(void)answer_to("www.test", RR_AAAA);
	a = answer_to("www.test", RR_A);
	alias(a, "www.test", "pop1.test");
	find("www.test", 80, false);
	/* The alias came alone: its end is asked for. */
	ck_assert_str_eq(strbuf_text(&missing), "pop1.test. A\n");
	a = answer_to("pop1.test", RR_A);
	address(a, "pop1.test", "192.0.2.1");
	find("www.test", 80, false);
	ck_assert_str_eq(strbuf_text(&missing), "");
	expect_order(NULL, "pop1.test. 192.0.2.1:80");
}
END_TEST

START_TEST(test_families_take_turns)
{
	struct fetch_answer *a;

	begin();
	a = answer_to("www.test", RR_AAAA);
	address(a, "www.test", "2001:db8::1");
	address(a, "www.test", "2001:db8::2");
	a = answer_to("www.test", RR_A);
	address(a, "www.test", "192.0.2.1");
	address(a, "www.test", "192.0.2.1"); /* twice */
	address(a, "other.test", "192.0.2.9"); /* not ours */
	find("www.test", 80, false);
	expect_order(NULL, "www.test. [2001:db8::1]:80, www.test. 192.0.2.1:80,"
			   " www.test. [2001:db8::2]:80");
}
END_TEST

static void make_literal(void)
{
	struct fetch_answer *a;

	begin();
	for (int i = 0; i < 2; i++) {
		a = answer_to("www.test", i ? RR_A : RR_AAAA);
		alias(a, "www.test", "pop3.test");
		alias(a, "www.test", "pop1.test");
		alias(a, "www.test", "pop2.test");
	}
	address(a, "pop1.test", "192.0.2.1");
	address(a, "pop2.test", "192.0.2.2");
	address(a, "pop3.test", "192.0.2.3");
	for (int i = 1; i <= 3; i++) {
		char name[] = "popN.test";

		name[3] = (char)('0' + i);
		(void)answer_to(name, RR_AAAA);
	}
	find("www.test", 80, false);
}

START_TEST(test_literal)
{
	struct addr first;

	make_literal();
	ck_assert_str_eq(strbuf_text(&missing), "");
	expect_order(NULL, "pop3.test. 192.0.2.3:80, pop1.test. 192.0.2.1:80, "
			   "pop2.test. 192.0.2.2:80");
	ck_assert_int_eq(addr_parse(&first, "192.0.2.2:80"), 0);
	expect_order(&first, "pop2.test. 192.0.2.2:80, "
			     "pop3.test. 192.0.2.3:80, pop1.test. "
			     "192.0.2.1:80");
	/* What is not offered any more does not go first. */
	ck_assert_int_eq(addr_parse(&first, "192.0.2.9:80"), 0);
	expect_order(&first, "pop3.test. 192.0.2.3:80, "
			     "pop1.test. 192.0.2.1:80, pop2.test. "
			     "192.0.2.2:80");
}
END_TEST

START_TEST(test_turns)
{
	struct fetch_turn turns[FETCH_PLACES_MAX];
	int64_t current[3] = {0};
	char got[13] = "";
	uint32_t n, taken;

	make_literal();
	for (int round = 0; round < 12; round++) {
		n = fetch_order_turns(&places, turns);
		ck_assert_uint_eq(n, 3);
		for (uint32_t i = 0; i < n; i++)
			turns[i].current = current[i];
		taken = fetch_order_take_turn(turns, n);
		for (uint32_t i = 0; i < n; i++)
			current[i] = turns[i].current;
		got[round] = (char)('a' + taken);
	}
	ck_assert_str_eq(got, "abacbaabacba");
	/* What a broken file says cannot overflow. */
	turns[0].current = INT64_MAX;
	turns[1].current = INT64_MIN;
	(void)fetch_order_take_turn(turns, n);
}
END_TEST

START_TEST(test_turns_of_addresses)
{
	struct fetch_turn turns[FETCH_PLACES_MAX];
	struct fetch_answer *a;

	begin();
	(void)answer_to("www.test", RR_AAAA);
	a = answer_to("www.test", RR_A);
	address(a, "www.test", "192.0.2.1");
	address(a, "www.test", "192.0.2.2");
	find("www.test", 80, false);
	ck_assert_uint_eq(fetch_order_turns(&places, turns), 2);
	ck_assert_uint_eq(fetch_order_take_turn(turns, 2), 0);
	ck_assert_uint_eq(fetch_order_take_turn(turns, 2), 1);
	ck_assert_uint_eq(fetch_order_take_turn(turns, 2), 0);
}
END_TEST

/* A POP with both families is one, beside one that has IPv4 alone. */
START_TEST(test_turns_of_both_families)
{
	struct fetch_turn turns[FETCH_PLACES_MAX];
	struct fetch_answer *a;

	begin();
	a = answer_to("www.test", RR_AAAA);
	address(a, "www.test", "2001:db8::1");
	a = answer_to("www.test", RR_A);
	address(a, "www.test", "192.0.2.1");
	find("www.test", 80, false);
	ck_assert_uint_eq(fetch_order_turns(&places, turns), 1);
	ck_assert_int_eq(turns[0].addr.sa.sa_family, AF_INET6);
	begin();
	a = answer_to("www.test", RR_AAAA);
	address(a, "www.test", "2001:db8::1");
	a = answer_to("www.test", RR_A);
	address(a, "www.test", "192.0.2.1");
	address(a, "www.test", "192.0.2.2");
	find("www.test", 80, false);
	ck_assert_uint_eq(fetch_order_turns(&places, turns), 2);
	ck_assert_int_eq(turns[0].addr.sa.sa_family, AF_INET);
	ck_assert_int_eq(turns[1].addr.sa.sa_family, AF_INET);
}
END_TEST

/* Priorities in any order of the records, with the name itself at the end. */
static void make_rank(void)
{
	struct fetch_answer *a;
	struct addr hint;

	begin();
	a = answer_to("www.test", RR_HTTPS);
	service(a, "www.test", 4, ".");
	service(a, "www.test", 2, "pop1.test")->port = 8443;
	service(a, "www.test", 1, "pop2.test")->http2 = false;
	service(a, "www.test", 3, "pop3.test")->unusable = "no reason";
	ck_assert_int_eq(addr_parse_ip(&hint, "192.0.2.22"), 0);
	a->records[2].service.hints[0] = hint;
	a->records[2].service.n_hints = 1;
	(void)answer_to("www.test", RR_AAAA);
	a = answer_to("www.test", RR_A);
	address(a, "www.test", "192.0.2.9");
	a = answer_to("pop1.test", RR_A);
	address(a, "pop1.test", "192.0.2.1");
	(void)answer_to("pop1.test", RR_AAAA);
	(void)answer_to("pop2.test", RR_AAAA);
}

START_TEST(test_rank)
{
	struct fetch_answer *a;

	make_rank();
	find("www.test", 443, true);
	ck_assert_str_eq(strbuf_text(&missing), "pop2.test. A\n");
	a = answer_to("pop2.test", RR_A);
	find("www.test", 443, true);
	ck_assert_str_eq(strbuf_text(&remarks),
	    "pop3.test.: no reason\n"
	    "pop2.test.: no addresses: the record's hints are taken\n");
	expect_order(NULL, "pop2.test. 192.0.2.22:443, "
			   "pop1.test. 192.0.2.1:8443, www.test. "
			   "192.0.2.9:443");
	ck_assert(places.at[0].http1_only && !places.at[1].http1_only);
	address(a, "pop2.test", "192.0.2.2");
	find("www.test", 443, true);
	expect_order(NULL, "pop2.test. 192.0.2.2:443, "
			   "pop1.test. 192.0.2.1:8443, www.test. "
			   "192.0.2.9:443");
}
END_TEST

START_TEST(test_equal_priorities_are_shuffled)
{
	int first = 0;

	begin();
	for (int i = 0; i < 2; i++) {
		struct fetch_answer *a =
		    answer_to(i ? "pop2.test" : "pop1.test", RR_A);

		address(a, i ? "pop2.test" : "pop1.test",
		    i ? "192.0.2.2" : "192.0.2.1");
	}
	struct fetch_answer *a = answer_to("www.test", RR_HTTPS);

	service(a, "www.test", 1, "pop1.test");
	service(a, "www.test", 1, "pop2.test");
	for (int i = 0; i < 1000; i++) {
		find("www.test", 443, true);
		ck_assert_uint_eq(places.at[0].rank, places.at[1].rank);
		first += places.at[0].addrs[0].in.sin_addr.s_addr ==
			 htonl(0xc0000201);
	}
	/* Of 1000 fair draws, 8 standard deviations around the half. */
	ck_assert_int_gt(first, 370);
	ck_assert_int_lt(first, 630);
}
END_TEST

START_TEST(test_https_aliases)
{
	struct fetch_answer *a;

	begin();
	a = answer_to("_8443._https.www.test", RR_HTTPS);
	service(a, "_8443._https.www.test", 0, "svc.test");
	a = answer_to("svc.test", RR_HTTPS);
	service(a, "svc.test", 1, ".");
	a = answer_to("svc.test", RR_A);
	address(a, "svc.test", "192.0.2.1");
	(void)answer_to("svc.test", RR_AAAA);
	find("www.test", 8443, true);
	ck_assert_str_eq(strbuf_text(&missing), "");
	expect_order(NULL, "svc.test. 192.0.2.1:8443");
	/* An alias of "." says that there is no such service. */
	begin();
	a = answer_to("www.test", RR_HTTPS);
	service(a, "www.test", 0, ".");
	a = answer_to("www.test", RR_A);
	address(a, "www.test", "192.0.2.1");
	find("www.test", 443, true);
	ck_assert_uint_eq(places.n, 0);
	/* One that turns in a ring ends. */
	begin();
	a = answer_to("www.test", RR_HTTPS);
	service(a, "www.test", 0, "www.test");
	find("www.test", 443, true);
	ck_assert_str_eq(
	    strbuf_text(&missing), "www.test. AAAA\nwww.test. A\n");
}
END_TEST

/* Aliases of aliases, all to one another: the work has a bound. */
START_TEST(test_a_bush)
{
	struct fetch_answer *a;

	begin();
	a = answer_to("www.test", RR_A);
	for (uint32_t i = 0; i < FETCH_RECORDS_MAX / 2; i++) {
		alias(a, "www.test", "www.test");
		alias(a, "x.test", "www.test");
	}
	find("www.test", 80, false);
	ck_assert_uint_eq(places.n, 0);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("places");
	int code;

	strbuf_init(&missing);
	strbuf_init(&remarks);
	tcase_add_test(tcase, test_pick);
	tcase_add_test(tcase, test_families_take_turns);
	tcase_add_test(tcase, test_literal);
	tcase_add_test(tcase, test_turns);
	tcase_add_test(tcase, test_turns_of_addresses);
	tcase_add_test(tcase, test_turns_of_both_families);
	tcase_add_test(tcase, test_rank);
	tcase_add_test(tcase, test_equal_priorities_are_shuffled);
	tcase_add_test(tcase, test_https_aliases);
	tcase_add_test(tcase, test_a_bush);
	code = check_main(tcase);
	strbuf_fini(&missing);
	strbuf_fini(&remarks);
	return code;
}
