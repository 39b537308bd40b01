/* SPDX-License-Identifier: Apache-2.0 */
/* Names that are sharded: what of a choice goes into the answer. */
#include "tests/unit/dnsd/responder_fixture.h"

#include "dnsd/resource.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SUBNET_24 "\0\1\x18\0\xcb\0\x71"
#define SUBNET_0 "\0\1\0\0"

static void ask_from(
    const char *name, unsigned type, const char *subnet, size_t length)
{
	packet_query_edns(&query, name, type, 1232, false);
	packet_option(&query, 8, subnet, length);
	ck_assert_uint_ne(fixture_ask_packet(), 0);
}

/* The scope that was answered, or -1. */
static int scope(void)
{
	size_t length;
	const uint8_t *found = packet_find_option(&answer, 8, &length);

	ck_assert(!found || found[3] == facts.ecs_scope);
	return found ? found[3] : -1;
}

static bool is(uint32_t i, const char *owner, unsigned type)
{
	return fixture_is(fixture_record(1, i), owner, type, NULL);
}

START_TEST(test_pick)
{
	fixture_ask("Pick.cdn.", 1);
	ck_assert_uint_eq(answer.counts[1], 2);
	ck_assert(is(0, "pick.cdn.", 5));
	ck_assert_uint_eq(fixture_record(1, 1)->type, 1);
	ck_assert_ptr_nonnull(facts.resource);
	ck_assert_str_eq(resource_name(facts.resource), "pick");
	ck_assert_uint_lt(facts.pop, 3);
	/* Its address is that POP's. */
	ck_assert_uint_eq(fixture_record(1, 1)->rdata[3], 100 + facts.pop);
	uint32_t pop = facts.pop;

	/* Any type: an alias first of all (RFC 1034 section 3.6.2). */
	fixture_ask("pick.cdn.", 28);
	ck_assert_uint_eq(facts.pop, pop);
	ck_assert_uint_eq(answer.counts[1], 2);
	fixture_ask("pick.cdn.", 15);
	ck_assert_uint_eq(facts.pop, pop);
	ck_assert_int_eq(facts.kind, DNS_KIND_nodata);
	ck_assert_uint_eq(answer.counts[1], 1);
	ck_assert_uint_eq(answer.counts[2], 1);
	fixture_ask("pick.cdn.", 5);
	ck_assert_uint_eq(answer.counts[1], 1);
	fixture_ask("pick.cdn.", 255);
	ck_assert_uint_eq(answer.counts[1], 1);
	/* By an alias of the zone. */
	fixture_ask("to.cdn.", 1);
	ck_assert_uint_eq(answer.counts[1], 3);
	ck_assert_uint_eq(facts.pop, pop);
	/* Nothing is signed. */
	fixture_ask("pick.cdn.", 46);
	ck_assert_int_eq(facts.kind, DNS_KIND_nodata);
	fixture_ask_edns("pick.cdn.", 1, 1232, true);
	ck_assert_uint_eq(answer.counts[1], 2);
}
END_TEST

/* With a scope the CNAME goes alone; RFC 7871 section 7.2.1. */
START_TEST(test_scope)
{
	ask_from("pick.cdn.", 1, SUBNET_24, 7);
	ck_assert_int_gt(scope(), 0);
	ck_assert_int_le(scope(), 24);
	ck_assert_uint_eq(answer.counts[1], 1);
	ask_from("to.cdn.", 1, SUBNET_24, 7);
	ck_assert_int_gt(scope(), 0);
	ck_assert_uint_eq(answer.counts[1], 2);
	ask_from("pick.cdn.", 1, SUBNET_0, 4);
	ck_assert_int_eq(scope(), 0);
	ck_assert_uint_eq(answer.counts[1], 2);
	ask_from("pick.cdn.", 1, "\0\0\0\0", 4);
	ck_assert_int_eq(scope(), 0);
	/* The target is the same for all. */
	ask_from("pop1--pick.cdn.", 1, SUBNET_24, 7);
	ck_assert_int_eq(scope(), 0);
	ask_from("no.cdn.", 1, SUBNET_24, 7);
	ck_assert_int_eq(scope(), 0);
	/* Of a resource for which it is off, and of a server. */
	ask_from("blind.cdn.", 1, SUBNET_24, 7);
	ck_assert_int_eq(scope(), 0);
	ck_assert_uint_eq(answer.counts[1], 2);
	view.ecs = false;
	ask_from("pick.cdn.", 1, SUBNET_24, 7);
	ck_assert_int_eq(scope(), -1);
	ck_assert_uint_eq(answer.counts[1], 2);
	view.ecs = true;
	ask_from("pick.cdn.", 1, "\0\2\x30\0\x20\1\xd\xb8\0\1", 10);
	ck_assert_int_gt(scope(), 0);
	ck_assert_int_le(scope(), 48);
}
END_TEST

START_TEST(test_rank)
{
	fixture_ask("rank.cdn.", 65);
	ck_assert_uint_eq(answer.counts[1], 3); /* two, and itself */
	ck_assert(is(0, "rank.cdn.", 65));
	uint32_t pop = facts.pop;

	fixture_ask("rank.cdn.", 1);
	ck_assert_uint_eq(answer.counts[1], 1);
	ck_assert_uint_eq(fixture_record(1, 0)->rdata[3], 100 + pop);
	ck_assert_uint_eq(facts.pop, pop);
	fixture_ask("rank.cdn.", 255);
	ck_assert_uint_ge(answer.counts[1], 1);
	/* What the zone has beside it, and what nobody has. */
	fixture_ask("rank.cdn.", 16);
	ck_assert_uint_eq(answer.counts[1], 1);
	ck_assert_ptr_null(facts.resource);
	ask_from("rank.cdn.", 15, SUBNET_24, 7);
	ck_assert_int_eq(facts.kind, DNS_KIND_nodata);
	ck_assert_int_eq(scope(), 0);
	ask_from("rank.cdn.", 65, SUBNET_24, 7);
	ck_assert_int_gt(scope(), 0);
}
END_TEST

START_TEST(test_addrs_srv)
{
	fixture_ask("addrs.cdn.", 1);
	ck_assert_uint_ge(answer.counts[1], 1);
	ck_assert(is(0, "addrs.cdn.", 1));
	fixture_ask("addrs.cdn.", 28);
	ck_assert_uint_ge(answer.counts[1], 1);
	fixture_ask("_s._tcp.cdn.", 33);
	ck_assert_uint_eq(answer.counts[1], 2);
	ck_assert(is(1, "_s._tcp.cdn.", 33));
	/* With the addresses of both, and not twice. */
	ck_assert_uint_eq(fixture_count(3, 1), 2);
	ck_assert_uint_eq(fixture_count(3, 28), 2);
	ck_assert_uint_ne(
	    fixture_record(3, 0)->rdata[3], fixture_record(3, 2)->rdata[3]);
	fixture_ask("_s._tcp.cdn.", 255);
	ck_assert_uint_eq(fixture_count(3, 1), 0);
	fixture_ask("_s._tcp.cdn.", 1);
	ck_assert_int_eq(facts.kind, DNS_KIND_nodata);
}
END_TEST

/* Several aliases: as they are, to those who may, and nobody's are followed. */
START_TEST(test_literal)
{
	fixture_ask("literal.cdn.", 1);
	ck_assert_uint_eq(fixture_count(1, 5), 1);
	ck_assert_uint_eq(answer.counts[1], 2);
	ck_assert_int_eq(addr_parse_ip(&client.source, "203.0.113.9"), 0);
	fixture_ask("literal.cdn.", 1);
	ck_assert_uint_eq(fixture_count(1, 5), 2);
	ck_assert_uint_eq(answer.counts[1], 2);
}
END_TEST

/* The signature that was made for this very answer, or none of both. */
START_TEST(test_variants)
{
	const struct packet_record *signature;

	for (unsigned i = 0; i < 200; i++) {
		client.source.in.sin_addr.s_addr = htonl(i << 8);
		fixture_ask_edns("pick.signedcdn.", 5, 1232, true);
		ck_assert_uint_eq(answer.counts[1], 2);
		ck_assert(is(1, "pick.signedcdn.", 46));
		signature = fixture_record(1, 1);
		ck_assert_uint_eq(signature->ttl, fixture_record(1, 0)->ttl);
		ck_assert_uint_eq(signature->rdata[20], facts.pop);
	}
	fixture_ask("pick.signedcdn.", 5);
	ck_assert_uint_eq(answer.counts[1], 1);
	/* With a scope: the alias alone, and signed. */
	packet_query_edns(&query, "pick.signedcdn.", 1, 1232, true);
	packet_option(&query, 8, SUBNET_24, 7);
	ck_assert_uint_ne(fixture_ask_packet(), 0);
	ck_assert_uint_eq(answer.counts[1], 2);
	fixture_ask("pick.signedcdn.", 46);
	ck_assert_uint_eq(answer.counts[1], 1);
	ck_assert(is(0, "pick.signedcdn.", 46));
	fixture_ask_edns("rank.signedcdn.", 65, 1232, true);
	ck_assert_uint_eq(fixture_count(1, 65), 3);
	ck_assert_uint_eq(fixture_count(1, 46), 1);
	fixture_ask_edns("addrs.signedcdn.", 1, 1232, true);
	ck_assert_uint_eq(fixture_count(1, 46), 1);
}
END_TEST

START_TEST(test_room)
{
	static uint8_t to[1232];
	size_t whole = 0;

	for (size_t room = 100; room < 600; room++) {
		size_t length;

		packet_query_edns(&query, "rank.signedcdn.", 65, 1232, true);
		length = responder_answer(&view, &client, query.bytes,
		    query.length, to, room, &facts);
		ck_assert_uint_le(length, room);
		memcpy(out, to, length);
		fixture_check(length);
		ck_assert_uint_eq(answer.counts[1], facts.truncated ? 0 : 4);
		whole += !facts.truncated;
	}
	ck_assert_uint_gt(whole, 100);
	ck_assert_uint_lt(whole, 490);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("responder_resource");
	TCase *tcase = tcase_create("responder_resource");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, fixture_open, fixture_close);
	tcase_add_test(tcase, test_pick);
	tcase_add_test(tcase, test_scope);
	tcase_add_test(tcase, test_rank);
	tcase_add_test(tcase, test_addrs_srv);
	tcase_add_test(tcase, test_literal);
	tcase_add_test(tcase, test_variants);
	tcase_add_test(tcase, test_room);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
