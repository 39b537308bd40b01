/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dnsd/responder_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void ask(const char *name, unsigned type)
{
	fixture_ask(name, type);
}

static void is(unsigned section, uint32_t i, const char *owner, unsigned type,
    const char *target)
{
	ck_assert_msg(
	    fixture_is(fixture_record(section, i), owner, type, target),
	    "record %u of section %u is not %s TYPE%u", i, section, owner,
	    type);
}

static void counts(unsigned an, unsigned ns, unsigned ar)
{
	ck_assert_uint_eq(answer.counts[1], an);
	ck_assert_uint_eq(answer.counts[2], ns);
	ck_assert_uint_eq(answer.counts[3], ar);
}

static bool authoritative(void)
{
	return answer.flags & WIRE_AA;
}

/* -- what exists ------------------------------------------------------- */

START_TEST(test_static)
{
	ask("wWw.eXample.", 1);
	counts(2, 0, 0);
	ck_assert(authoritative());
	ck_assert_uint_eq(answer.rcode, 0);
	is(1, 0, "www.example.", 1, NULL);
	ck_assert_mem_eq(fixture_record(1, 0)->rdata, "\xc0\0\2\x0a", 4);
	ck_assert_uint_eq(fixture_record(1, 0)->ttl, 60);
	ck_assert_uint_eq(fixture_record(1, 0)->class, 1);
	ck_assert_int_eq(facts.kind, DNS_KIND_data);
	ck_assert_ptr_eq(facts.zone, zone_set_at(view.zones, 0));
	ck_assert_uint_eq(facts.pop, QUERY_NO_POP);
	ask("www.example.", 28);
	counts(1, 0, 0);
	ask("x.example.", 65280); /* RFC 3597 */
	counts(1, 0, 0);
	ck_assert_mem_eq(fixture_record(1, 0)->rdata, "\1\2\xff", 3);
	ask("other.", 6);
	counts(1, 0, 0);
}
END_TEST

START_TEST(test_alias)
{
	ask("alias.example.", 1);
	counts(3, 0, 0);
	is(1, 0, "alias.example.", 5, "www.example.");
	is(1, 1, "www.example.", 1, NULL);
	ask("alias2.example.", 28);
	counts(3, 0, 0);
	is(1, 0, "alias2.example.", 5, "alias.example.");
	is(1, 1, "alias.example.", 5, "www.example.");
	is(1, 2, "www.example.", 28, NULL);
	/* The alias itself. */
	ask("alias2.example.", 5);
	counts(1, 0, 0);
	/* RFC 8482, and an alias is one rrset already. */
	ask("alias2.example.", 255);
	counts(1, 0, 0);
	/* To a zone of ours, and to none. */
	ask("cross.example.", 1);
	counts(2, 0, 0);
	is(1, 1, "www.other.", 1, NULL);
	ask("away.example.", 1);
	counts(1, 0, 0);
	ck_assert_uint_eq(answer.rcode, 0);
}
END_TEST

START_TEST(test_alias_circle)
{
	ask("loop1.example.", 1);
	counts(2, 0, 0);
	ask("self.example.", 1);
	counts(1, 0, 0);
	ask("a.wloop.example.", 1);
	counts(1, 0, 0);
	/* Each DNAME and each alias made by it once. */
	ask("a.dloop1.example.", 1);
	counts(4, 0, 0);
	is(1, 3, "a.dloop2.example.", 5, "a.dloop1.example.");
	/* Twelve aliases: the first ten. */
	ask("c0.example.", 1);
	counts(RESPONDER_CHAIN_MAX, 0, 0);
	is(1, 9, "c9.example.", 5, "c10.example.");
	ask("c3.example.", 1);
	counts(9 + 2, 0, 0);
}
END_TEST

/* RFC 2308 section 2, RFC 8020. */
START_TEST(test_absent)
{
	ask("nothing.example.", 1);
	ck_assert_uint_eq(answer.rcode, WIRE_NXDOMAIN);
	counts(0, 1, 0);
	ck_assert(authoritative());
	is(2, 0, "example.", 6, "ns1.example.");
	/* The lesser of the SOA's TTL and its last field. */
	ck_assert_uint_eq(fixture_record(2, 0)->ttl, 300);
	ask("nothing.other.", 1);
	ck_assert_uint_eq(fixture_record(2, 0)->ttl, 3600);
	/* Below a name that exists, too. */
	ask("a.b.www.example.", 1);
	ck_assert_uint_eq(answer.rcode, WIRE_NXDOMAIN);
	ask("www.example.", 15);
	ck_assert_uint_eq(answer.rcode, 0);
	counts(0, 1, 0);
	ck_assert_int_eq(facts.kind, DNS_KIND_nodata);
	/* A type that nobody knows is no error (RFC 8906 section 3.1.2). */
	ask("www.example.", 666);
	ck_assert_int_eq(facts.kind, DNS_KIND_nodata);
	/* At the end of an alias: its name's fate (RFC 6604 section 3). */
	ask("gone.example.", 1);
	ck_assert_uint_eq(answer.rcode, WIRE_NXDOMAIN);
	counts(1, 1, 0);
	ask("alias.example.", 15);
	ck_assert_int_eq(facts.kind, DNS_KIND_nodata);
	counts(1, 1, 0);
}
END_TEST

/* RFC 4592 section 2.2.2, RFC 9156: every name on the way to one exists. */
START_TEST(test_empty_non_terminal)
{
	static const char *const names[] = {"ent.example.", "y.ent.example.",
	    "_tcp.example.", "woods.example."};

	for (int i = 0; i < 4; i++) {
		ask(names[i], 1);
		ck_assert_int_eq(facts.kind, DNS_KIND_nodata);
		ask(names[i], 255);
		ck_assert_int_eq(facts.kind, DNS_KIND_nodata);
	}
	ask("z.ent.example.", 1);
	ck_assert_int_eq(facts.kind, DNS_KIND_nxdomain);
}
END_TEST

/* RFC 4592. */
START_TEST(test_wildcard)
{
	ask("AnyThing.wild.example.", 1);
	counts(1, 0, 0);
	is(1, 0, "anything.wild.example.", 1, NULL);
	ck_assert(facts.wildcard);
	ask("a.b.c.wild.example.", 1);
	counts(1, 0, 0);
	ask("*.wild.example.", 1);
	counts(1, 0, 0);
	ask("a.wild.example.", 15);
	counts(1, 0, 1);
	ask("a.wild.example.", 28);
	ck_assert_int_eq(facts.kind, DNS_KIND_nodata);
	/* A name that exists, and all below it. */
	ask("host.wild.example.", 1);
	ck_assert_int_eq(facts.kind, DNS_KIND_nodata);
	ck_assert(!facts.wildcard);
	ask("a.host.wild.example.", 1);
	ck_assert_int_eq(facts.kind, DNS_KIND_nxdomain);
	ask("wild.example.", 1);
	ck_assert_int_eq(facts.kind, DNS_KIND_nodata);
	ask("a.wcname.example.", 1);
	counts(3, 0, 0);
	is(1, 0, "a.wcname.example.", 5, "www.example.");
}
END_TEST

/* -- delegations ------------------------------------------------------- */

START_TEST(test_referral)
{
	ask("host.Sub.example.", 1);
	counts(0, 3, 3);
	ck_assert(!authoritative());
	ck_assert_uint_eq(answer.rcode, 0);
	ck_assert_int_eq(facts.kind, DNS_KIND_referral);
	is(2, 0, "sub.example.", 2, NULL);
	/* Its own first, then that of the sibling. */
	is(3, 0, "ns1.sub.example.", 1, NULL);
	is(3, 1, "ns1.sub.example.", 28, NULL);
	is(3, 2, "ns.sub2.example.", 1, NULL);
	/* The delegated name itself, glue, and what is below. */
	ask("sub.example.", 2);
	ck_assert_int_eq(facts.kind, DNS_KIND_referral);
	ask("ns1.sub.example.", 1);
	ck_assert_int_eq(facts.kind, DNS_KIND_referral);
	ask("sub.example.", 255);
	ck_assert_int_eq(facts.kind, DNS_KIND_referral);
	/* By an alias of ours: the answer is ours. */
	ask("tosub.example.", 1);
	counts(1, 3, 3);
	ck_assert(authoritative());
}
END_TEST

/* RFC 4035 section 3.1.4.1: on the parent's side of the cut. */
START_TEST(test_ds)
{
	ask("sub.example.", 43);
	counts(1, 0, 0);
	ck_assert(authoritative());
	ask("sub2.example.", 43);
	ck_assert_int_eq(facts.kind, DNS_KIND_nodata);
	is(2, 0, "example.", 6, NULL);
	ck_assert(authoritative());
	ask("x.sub2.example.", 43);
	ck_assert_int_eq(facts.kind, DNS_KIND_referral);
	/* Parent and child are both ours. */
	ask("child.example.", 43);
	counts(1, 0, 0);
	ask("child.example.", 6);
	counts(1, 0, 0);
	ask("www.child.example.", 43);
	is(2, 0, "child.example.", 6, NULL);
	/* Nobody above is ours. */
	ask("example.", 43);
	ck_assert_int_eq(facts.kind, DNS_KIND_nodata);
	is(2, 0, "example.", 6, NULL);
	/* With DO it goes along with a referral. */
	fixture_ask_edns("a.sub.example.", 1, 1232, true);
	counts(0, 4, 4);
	is(2, 3, "sub.example.", 43, NULL);
	fixture_ask_edns("a.sub2.example.", 1, 1232, true);
	counts(0, 1, 2);
}
END_TEST

/* RFC 9471: what a resolver cannot go on without is there, or TC. */
START_TEST(test_glue_room)
{
	fixture_ask_edns("a.bigsub.example.", 1, 512, false);
	ck_assert(facts.truncated);
	ck_assert_int_eq(facts.kind, DNS_KIND_referral);
	ck_assert_uint_eq(fixture_count(2, 2), 12);
	ck_assert_uint_lt(fixture_count(3, 0), 25);
	fixture_ask_edns("a.bigsub.example.", 1, 1232, false);
	ck_assert(!facts.truncated);
	ck_assert_uint_eq(fixture_count(3, 0), 25);
}
END_TEST

/* -- DNAME ------------------------------------------------------------- */

START_TEST(test_dname)
{
	ask("Oak.tree.example.", 1);
	counts(3, 0, 0);
	is(1, 0, "tree.example.", 39, "woods.example.");
	is(1, 1, "oak.tree.example.", 5, "oak.woods.example.");
	is(1, 2, "oak.woods.example.", 1, NULL);
	ck_assert_uint_eq(fixture_record(1, 1)->ttl, 90);
	/* RFC 6672 section 2.3: the owner is not renamed. */
	ask("tree.example.", 39);
	counts(1, 0, 0);
	ask("tree.example.", 1);
	ck_assert_int_eq(facts.kind, DNS_KIND_nodata);
	ask("x.tree.example.", 5);
	counts(2, 0, 0);
	ask("x.tree.example.", 255);
	counts(2, 0, 0);
	ask("x.tree.example.", 1);
	counts(2, 1, 0);
	ck_assert_uint_eq(answer.rcode, WIRE_NXDOMAIN);
	/* Through it twice: it is there once. */
	ask("elm.tree.example.", 1);
	counts(5, 0, 0);
	ck_assert_uint_eq(fixture_count(1, 39), 1);
	is(1, 3, "ash.tree.example.", 5, "ash.woods.example.");
}
END_TEST

/* RFC 6672 section 2.2: longer than a name can be. */
START_TEST(test_dname_too_long)
{
	char name[300] = "a";

	for (int i = 0; i < 120; i++)
		memcpy(name + 1 + 2 * i, "a.", 3);
	memcpy(name + 241, "tree.example.", 14);
	ask(name, 1);
	ck_assert_uint_eq(answer.rcode, WIRE_YXDOMAIN);
	counts(1, 0, 0);
	is(1, 0, "tree.example.", 39, NULL);
	ck_assert(authoritative());
	/* One byte less. */
	fixture_ask_edns(name + 1, 1, 1232, false);
	ck_assert_uint_eq(answer.rcode, WIRE_NXDOMAIN);
	counts(2, 1, 1);
}
END_TEST

/* -- what goes along --------------------------------------------------- */

START_TEST(test_additional)
{
	ask("mx.example.", 15);
	counts(4, 0, 4);
	is(3, 0, "mail1.example.", 1, NULL);
	is(3, 1, "www.example.", 1, NULL);
	ask("_s._tcp.example.", 33);
	counts(2, 0, 3); /* once, though two lead there */
	ask("svc.example.", 65);
	counts(1, 0, 1);
	is(3, 0, "svc.example.", 1, NULL);
	/* RFC 9460 section 4.1: AliasMode takes the next HTTPS along. */
	ask("svcalias.example.", 65);
	counts(1, 0, 2);
	is(3, 1, "svc.example.", 65, NULL);
	/* An alias to "." says that there is nothing; and what a wildcard made
	 * has no addresses of the wildcard's own name. */
	ask("nosvc.example.", 65);
	counts(1, 0, 0);
	ask("x.wsvc.example.", 65);
	counts(1, 0, 0);
	/* Glue is no answer of ours. */
	ask("deepmx.example.", 15);
	counts(1, 0, 0);
	ask("example.", 2);
	counts(3, 0, 3);
	/* What does not fit is left out, whole sets, and no TC. */
	packet_query_edns(&query, "bigmx.example.", 15, 1232, false);
	ck_assert_uint_ne(fixture_ask_packet(), 0);
	ck_assert(facts.truncated);
	client.transport = DNS_TCP;
	ask("bigmx.example.", 15);
	ck_assert(!facts.truncated);
	counts(60, 0, 16);
}
END_TEST

/* -- size -------------------------------------------------------------- */

START_TEST(test_truncated)
{
	static const unsigned sizes[] = {0, 512, 1232, 4096, 65535};

	ask("big.example.", 16);
	ck_assert(facts.truncated);
	counts(0, 0, 0);
	for (int i = 0; i < 5; i++) {
		fixture_ask_edns("big.example.", 16, sizes[i], false);
		ck_assert(facts.truncated);
		counts(0, 0, 1);
		ck_assert_uint_eq(answer.rcode, 0);
	}
	client.transport = DNS_TCP;
	ask("big.example.", 16);
	ck_assert(!facts.truncated);
	counts(60, 0, 0);
	ck_assert_uint_gt(answer.length, 1232);
}
END_TEST

/* Any room at all: nothing is written beyond it. */
START_TEST(test_room)
{
	static const char *const names[] = {"mx.example.", "a.sub.example.",
	    "alias2.example.", "no.example.", "elm.tree.example.",
	    "tosub.example.", "gone.example.", "version.bind."};
	size_t answered = 0;

	view.chaos_version = "a text of some length";
	for (int name = 0; name < 8; name++)
		for (int edns = 0; edns < 3; edns++)
			for (size_t room = 0; room <= 600; room++) {
				uint8_t *to = malloc(room ? room : 1);
				size_t length;

				packet_query(&query, names[name],
				    name ? name < 7 ? 1 : 16 : 15);
				if (name == 7)
					query.bytes[query.length - 1] = 3;
				if (edns)
					packet_opt(&query, 1232,
					    edns > 1 ? 0x8000 : 0);
				length = responder_answer(&view, &client,
				    query.bytes, query.length, to, room,
				    &facts);
				ck_assert_uint_le(length, room);
				memcpy(out, to, length);
				free(to);
				ck_assert((length == 0) ==
					  (facts.drop == DNS_DROP_room));
				if (length)
					fixture_check(length);
				answered += length > 0;
			}
	ck_assert_uint_gt(answered, 8 * 3 * 500);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("responder");
	TCase *tcase = tcase_create("responder");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, fixture_open, fixture_close);
	tcase_add_test(tcase, test_static);
	tcase_add_test(tcase, test_alias);
	tcase_add_test(tcase, test_alias_circle);
	tcase_add_test(tcase, test_absent);
	tcase_add_test(tcase, test_empty_non_terminal);
	tcase_add_test(tcase, test_wildcard);
	tcase_add_test(tcase, test_referral);
	tcase_add_test(tcase, test_ds);
	tcase_add_test(tcase, test_glue_room);
	tcase_add_test(tcase, test_dname);
	tcase_add_test(tcase, test_dname_too_long);
	tcase_add_test(tcase, test_additional);
	tcase_add_test(tcase, test_truncated);
	tcase_add_test(tcase, test_room);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
