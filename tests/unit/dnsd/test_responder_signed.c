/* SPDX-License-Identifier: Apache-2.0 */
/* What DNSSEC adds to answers, from a zone whose signatures are made up: which
 * of them go where is all that counts here. */
#include "tests/unit/dnsd/responder_fixture.h"

#include "tests/unit/dnsd/dns_zone.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_SOA 6
#define TYPE_RRSIG 46
#define TYPE_NSEC 47
#define DIGEST                                                                 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *owner, *type, *data;
	bool is_signed;
} rows[] = {
    {"@", "SOA", "ns hostmaster 7 3600 600 86400 300", true},
    {"@", "NS", "ns", true},
    {"@", "DNSKEY", "257 3 13 AAAA", true},
    {"@", "NSEC", "alias NS SOA RRSIG NSEC DNSKEY", true},
    {"alias", "CNAME", "www", true},
    {"alias", "NSEC", "insecure CNAME RRSIG NSEC", true},
    {"insecure", "NS", "ns.insecure", false},
    {"insecure", "NSEC", "ns NS RRSIG NSEC", true},
    {"ns.insecure", "A", "192.0.2.4", false},
    {"ns", "A", "192.0.2.5", true},
    {"ns", "NSEC", "secure A RRSIG NSEC", true},
    {"secure", "NS", "ns", false},
    {"secure", "DS", "1 13 2 " DIGEST, true},
    {"secure", "NSEC", "tree NS DS RRSIG NSEC", true},
    {"tree", "DNAME", "woods", true},
    {"tree", "NSEC", "*.wild DNAME RRSIG NSEC", true},
    {"*.wild", "A", "192.0.2.6", true},
    {"*.wild", "NSEC", "*.wname A RRSIG NSEC", true},
    {"*.wname", "CNAME", "www", true},
    {"*.wname", "NSEC", "oak.woods CNAME RRSIG NSEC", true},
    {"oak.woods", "A", "192.0.2.9", true},
    {"oak.woods", "NSEC", "www A RRSIG NSEC", true},
    {"www", "A", "192.0.2.7", true},
    {"www", "MX", "10 ns", true},
    {"www", "NSEC", "x.y.z A MX RRSIG NSEC", true},
    {"x.y.z", "A", "192.0.2.8", true},
    {"x.y.z", "NSEC", "@ A RRSIG NSEC", true},
};

static struct zone_set *zones;

static unsigned labels_of(const char *owner)
{
	unsigned n = 1;

	if (strcmp(owner, "@") == 0)
		return 1;
	for (n = 2; (owner = strchr(owner, '.')); owner++)
		n++;
	return n;
}

static void open_signed(void)
{
	static char text[32768];
	size_t n = 0;

	fixture_open();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		n += (size_t)snprintf(text + n, sizeof text - n,
		    "%s 300 %s %s\n", rows[i].owner, rows[i].type,
		    rows[i].data);
		if (!rows[i].is_signed)
			continue;
		/* 64 bytes of signature, as of ECDSA P-256. */
		n += (size_t)snprintf(text + n, sizeof text - n,
		    "%s 300 RRSIG %s 13 %u 300 20400101000000 20200101000000 "
		    "1 signed. %.86s==\n",
		    rows[i].owner, rows[i].type,
		    labels_of(rows[i].owner) -
			(rows[i].owner[0] == '*' ? 1 : 0),
		    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		    "AAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	}
	zones = zone_set_new(DNS_ZONE_SEED);
	dns_zone_add(zones, "signed.", text);
	ck_assert(zone_is_signed(zone_set_at(zones, 0)));
	view.zones = zones;
}

static void close_signed(void)
{
	zone_set_free(zones);
	fixture_close();
}

static void ask(const char *name, unsigned type)
{
	fixture_ask_edns(name, type, 1232, true);
}

/* An RRSIG for each rrset but the NS of a cut and what goes along. */
static void counts(unsigned answers, unsigned authority)
{
	ck_assert_uint_eq(answer.counts[1], answers);
	ck_assert_uint_eq(answer.counts[2], authority);
}

static bool is(unsigned section, uint32_t i, const char *owner, unsigned type)
{
	return fixture_is(fixture_record(section, i), owner, type, NULL);
}

/* Section 3.1.1 of RFC 4035 throughout this file. */
START_TEST(test_positive)
{
	ask("www.signed.", 1);
	counts(2, 0);
	ck_assert(is(1, 0, "www.signed.", 1));
	ck_assert(is(1, 1, "www.signed.", TYPE_RRSIG));
	fixture_ask_edns("www.signed.", 1, 1232, false);
	counts(1, 0);
	fixture_ask("www.signed.", 1);
	counts(1, 0);
	ask("alias.signed.", 1);
	counts(4, 0);
	/* What goes along has its signatures, too. */
	ask("www.signed.", 15);
	counts(2, 0);
	ck_assert_uint_eq(fixture_count(3, TYPE_RRSIG), 1);
	/* A CNAME that a DNAME made has none (RFC 6672 section 5.3.1). */
	ask("oak.tree.signed.", 1);
	counts(2 + 1 + 2, 0);
	ck_assert(is(1, 1, "tree.signed.", TYPE_RRSIG));
	ck_assert(is(1, 2, "oak.tree.signed.", 5));
}
END_TEST

/* 3.1.3.2: one NSEC for the name, one for the wildcard, or one for both. */
START_TEST(test_no_name)
{
	ask("x.secur.signed.", 1);
	counts(0, 6);
	ck_assert_uint_eq(answer.rcode, WIRE_NXDOMAIN);
	ck_assert(is(2, 0, "signed.", TYPE_SOA));
	ck_assert(is(2, 1, "signed.", TYPE_RRSIG));
	ck_assert(is(2, 2, "ns.signed.", TYPE_NSEC));
	ck_assert(is(2, 4, "signed.", TYPE_NSEC));
	ck_assert_uint_eq(fixture_record(2, 1)->ttl, 300);
	ask("a.signed.", 1);
	counts(0, 4);
	ck_assert(is(2, 2, "signed.", TYPE_NSEC));
	ask("a.www.signed.", 1);
	counts(0, 4);
	ck_assert(is(2, 2, "www.signed.", TYPE_NSEC));
	fixture_ask_edns("a.signed.", 1, 1232, false);
	counts(0, 1);
}
END_TEST

/* 3.1.3.1, and names that exist without data. */
START_TEST(test_no_data)
{
	ask("www.signed.", 28);
	counts(0, 4);
	ck_assert(is(2, 2, "www.signed.", TYPE_NSEC));
	ask("y.z.signed.", 1);
	counts(0, 4);
	ck_assert(is(2, 2, "www.signed.", TYPE_NSEC));
	ck_assert_uint_eq(answer.rcode, 0);
	/* After an alias. */
	ask("alias.signed.", 28);
	counts(2, 4);
	/* The parent says that there is no DS. */
	ask("insecure.signed.", 43);
	counts(0, 4);
	ck_assert(is(2, 2, "insecure.signed.", TYPE_NSEC));
}
END_TEST

/* 3.1.3.3 and 3.1.3.4. */
START_TEST(test_wildcard)
{
	ask("a.wild.signed.", 1);
	counts(2, 2);
	ck_assert(is(1, 1, "a.wild.signed.", TYPE_RRSIG));
	ck_assert(is(2, 0, "*.wild.signed.", TYPE_NSEC));
	fixture_ask_edns("a.wild.signed.", 1, 1232, false);
	counts(1, 0);
	ask("a.wild.signed.", 28);
	counts(0, 4); /* one says both */
	ck_assert(is(2, 2, "*.wild.signed.", TYPE_NSEC));
	ask("a.wname.signed.", 1);
	counts(4, 2);
	/* The wildcard itself is a name as others. */
	/* What an alias leads to stands before the proof for the alias. */
	ask("a.wname.signed.", 1);
	counts(4, 2);
	ck_assert(is(1, 0, "a.wname.signed.", 5));
	ck_assert(is(1, 2, "www.signed.", 1));
	ck_assert(is(2, 0, "*.wname.signed.", TYPE_NSEC));
	ask("*.wild.signed.", 1);
	counts(2, 0);
	ask("\002.wild.signed.", 28);
	counts(0, 6);
	ck_assert(is(2, 2, "tree.signed.", TYPE_NSEC));
	ck_assert(is(2, 4, "*.wild.signed.", TYPE_NSEC));
}
END_TEST

/* 3.1.4. */
START_TEST(test_referral)
{
	ask("a.secure.signed.", 1);
	counts(0, 3);
	ck_assert(is(2, 0, "secure.signed.", 2));
	ck_assert(is(2, 1, "secure.signed.", 43));
	ck_assert(is(2, 2, "secure.signed.", TYPE_RRSIG));
	ask("a.insecure.signed.", 1);
	counts(0, 3);
	ck_assert(is(2, 1, "insecure.signed.", TYPE_NSEC));
	ask("secure.signed.", 43);
	counts(2, 0);
	fixture_ask_edns("a.secure.signed.", 1, 1232, false);
	counts(0, 1);
}
END_TEST

START_TEST(test_special_types)
{
	ask("www.signed.", TYPE_NSEC);
	counts(2, 0);
	ask("alias.signed.", TYPE_NSEC);
	counts(2, 0);
	/* An NSEC says that RRSIGs are there, so some must be. */
	ask("www.signed.", TYPE_RRSIG);
	counts(1, 0);
	fixture_ask("alias.signed.", TYPE_RRSIG);
	counts(1, 0);
	/* RFC 8482 section 4.1: one rrset, signed. */
	ask("www.signed.", 255);
	counts(2, 0);
	ask("signed.", 48);
	counts(2, 0);
}
END_TEST

/* Whatever fits: sets without their signatures are none. */
START_TEST(test_room)
{
	static const struct {
		const char *name;
		unsigned type;
	} asked[] = {{"www.signed.", 1}, {"x.secur.signed.", 1},
	    {"a.wild.signed.", 1}, {"\002.wild.signed.", 28},
	    {"a.secure.signed.", 1}, {"a.insecure.signed.", 1},
	    {"www.signed.", 15}, {"oak.tree.signed.", 1},
	    {"a.wname.signed.", 1}};
	static uint8_t to[1232];
	size_t truncated = 0;

	for (int i = 0; i < 9; i++)
		for (size_t room = 100; room <= 1232; room++) {
			size_t length;

			packet_query_edns(
			    &query, asked[i].name, asked[i].type, 1232, true);
			length = responder_answer(&view, &client, query.bytes,
			    query.length, to, room, &facts);
			ck_assert_uint_le(length, room);
			memcpy(out, to, length);
			fixture_check(length);
			truncated += facts.truncated;
			/* A record and its signature come in pairs. */
			if (asked[i].type == 15)
				ck_assert_uint_eq(fixture_count(3, 1),
				    fixture_count(3, TYPE_RRSIG));
		}
	ck_assert_uint_gt(truncated, 500);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("responder_signed");
	TCase *tcase = tcase_create("responder_signed");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, open_signed, close_signed);
	tcase_add_test(tcase, test_positive);
	tcase_add_test(tcase, test_no_name);
	tcase_add_test(tcase, test_no_data);
	tcase_add_test(tcase, test_wildcard);
	tcase_add_test(tcase, test_referral);
	tcase_add_test(tcase, test_special_types);
	tcase_add_test(tcase, test_room);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
