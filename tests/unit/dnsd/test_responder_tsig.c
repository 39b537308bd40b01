/* SPDX-License-Identifier: Apache-2.0 */
/* Queries that are signed, such as those of secondaries for the SOA. */
#include "tests/unit/dnsd/responder_fixture.h"

#include "dnsd/tsig.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_TSIG 250

static struct tsig_key *key, *other_key;
static struct dns_zone_key keys[1];
static struct tsig_session session; /* of the client */

static struct tsig_key *key_of(const char *name, const char *secret)
{
	struct tsig_key *made;
	const char *wrong;

	ck_assert_int_eq(tsig_key_of(name, (const uint8_t *)secret,
			     strlen(secret), &made, &wrong),
	    0);
	return made;
}

static void open_keys(void)
{
	fixture_open();
	key = key_of("key.example.", "a secret of thirty-two characters");
	other_key = key_of("key.example.", "not the secret that the other has");
	keys[0] = (struct dns_zone_key){zone_set_at(view.zones, 0), key};
	view.keys = keys;
	view.n_keys = 1;
}

static void close_keys(void)
{
	tsig_key_free(key);
	tsig_key_free(other_key);
	fixture_close();
}

static void ask_signed(const struct tsig_key *with, int64_t late_s)
{
	struct wall then = {client.now.ns - late_s * NS_PER_S};

	tsig_start(&session, with);
	query.length = tsig_sign(&session, query.bytes, query.length, then);
	ck_assert_uint_ne(fixture_ask_packet(), 0);
}

/* The last record, if it is a TSIG; its error, the size of its MAC. */
static const struct packet_record *signature(
    unsigned *ret_error, unsigned *ret_mac)
{
	const struct packet_record *last = &answer.records[answer.n - 1];
	const uint8_t *at = last->rdata + 13 + 6 + 2;

	ck_assert_uint_gt(answer.n, 0);
	ck_assert_uint_eq(last->type, TYPE_TSIG);
	ck_assert_uint_eq(last->class, 255);
	*ret_mac = (unsigned)(at[0] << 8 | at[1]);
	at += 2 + *ret_mac + 2;
	*ret_error = (unsigned)(at[0] << 8 | at[1]);
	return last;
}

/* The client signs what the answer should be, and gets the same bytes. */
static void check_mac(void)
{
	static uint8_t again[65536];
	unsigned error, mac;
	size_t at = signature(&error, &mac)->at;

	ck_assert_uint_eq(error, 0);
	ck_assert_uint_eq(mac, TSIG_MAC_BYTES);
	memcpy(again, out, at);
	again[11]--;
	session.is_later = false;
	session.has_prior = true;
	ck_assert_uint_eq(
	    tsig_sign(&session, again, at, client.now), answer.length);
	ck_assert_mem_eq(again, out, answer.length);
}

START_TEST(test_signed)
{
	packet_query(&query, "example.", 6);
	ask_signed(key, 0);
	ck_assert_uint_eq(answer.rcode, 0);
	ck_assert_uint_eq(answer.counts[1], 1);
	ck_assert_uint_eq(answer.counts[3], 1);
	check_mac();
	/* Behind the OPT record. */
	packet_query_edns(&query, "no.example.", 1, 1232, false);
	ask_signed(key, 10);
	ck_assert_uint_eq(answer.rcode, WIRE_NXDOMAIN);
	ck_assert_uint_eq(answer.counts[3], 2);
	check_mac();
	/* RFC 8945 section 5.3: TC, and signed. */
	packet_query(&query, "big.example.", 16);
	ask_signed(key, 0);
	ck_assert(facts.truncated);
	check_mac();
	client.transport = DNS_TCP;
	packet_query_edns(&query, "big.example.", 16, 1232, false);
	packet_option(&query, 12, "", 0);
	ask_signed(key, 0);
	ck_assert_uint_eq(answer.counts[1], 60);
	check_mac();
}
END_TEST

/* Section 5.2: NOTAUTH, and why. */
START_TEST(test_refused)
{
	unsigned error, mac;

	packet_query(&query, "example.", 6);
	ask_signed(other_key, 0);
	ck_assert_uint_eq(answer.rcode, WIRE_NOTAUTH);
	(void)signature(&error, &mac);
	ck_assert_uint_eq(error, TSIG_BADSIG);
	ck_assert_uint_eq(mac, 0);
	ck_assert_uint_eq(answer.counts[1], 0);
	packet_query(&query, "example.", 6);
	ask_signed(key, 3600);
	ck_assert_uint_eq(answer.rcode, WIRE_NOTAUTH);
	(void)signature(&error, &mac);
	ck_assert_uint_eq(error, TSIG_BADTIME);
	ck_assert_uint_eq(mac, TSIG_MAC_BYTES);
	/* Of a zone that has no key, of none of ours, without a question. */
	for (int i = 0; i < 3; i++) {
		if (i < 2)
			packet_query(&query, i ? "elsewhere." : "other.", 6);
		else
			packet_header(&query, 1, 0, 0, 0, 0, 0);
		ask_signed(key, 0);
		ck_assert_uint_eq(answer.rcode, WIRE_NOTAUTH);
		(void)signature(&error, &mac);
		ck_assert_uint_eq(error, TSIG_BADKEY);
		ck_assert_uint_eq(mac, 0);
	}
}
END_TEST

/* A transfer checks and signs for itself, as long as it is one. */
START_TEST(test_transfer)
{
	unsigned error, mac;

	for (int is_on = 0; is_on < 2; is_on++) {
		client.transport = DNS_TCP;
		view.transfers = is_on;
		packet_query(&query, "example.", 252);
		tsig_start(&session, other_key);
		query.length =
		    tsig_sign(&session, query.bytes, query.length, client.now);
		ck_assert((fixture_ask_packet() == 0) == is_on);
		ck_assert((facts.kind == DNS_KIND_transfer) == is_on);
		if (is_on)
			continue;
		ck_assert_uint_eq(answer.rcode, WIRE_NOTAUTH);
		(void)signature(&error, &mac);
		ck_assert_uint_eq(error, TSIG_BADSIG);
	}
}
END_TEST

START_TEST(test_malformed)
{
	packet_query(&query, "example.", 6);
	query.bytes[11] = 1;
	packet_name(&query, "key.example.");
	packet_put(&query, "\0\xfa\0\xff\0\0\0\0\0\3abc", 13);
	ck_assert_uint_ne(fixture_ask_packet(), 0);
	ck_assert_uint_eq(answer.rcode, WIRE_FORMERR);
	ck_assert_uint_eq(answer.counts[3], 0);
}
END_TEST

/* Owner, then type to length, then as much of the rdata as that says; counted
 * as what it is: an error in the form. */
static void check_malformed(
    const char *owner, size_t owner_size, const void *fixed, size_t n)
{
	static const uint8_t rdata[] = "\13hmac-sha256\0\0\0\0\0\0\0\0\0"
				       "\0\1x\0\0\0\0\0\0";

	packet_query(&query, "example.", 6);
	query.bytes[11] = 1;
	packet_put(&query, owner, owner_size);
	packet_put(&query, fixed, 8);
	packet_u16(&query, (unsigned)n);
	packet_put(&query, rdata, n);
	ck_assert_uint_ne(fixture_ask_packet(), 0);
	ck_assert_uint_eq(answer.rcode, WIRE_FORMERR);
	ck_assert_uint_eq(answer.counts[3], 0);
}

/* RFC 8945 section 4.2. */
START_TEST(test_cut)
{
	static const char owner[] = "\3key\7example";

	for (size_t n = 0; n < 30; n++)
		check_malformed(owner, sizeof owner, "\0\xfa\0\xff\0\0\0", n);
	/* Class IN, a TTL, a name that points. */
	check_malformed(owner, sizeof owner, "\0\xfa\0\1\0\0\0", 30);
	check_malformed(owner, sizeof owner, "\0\xfa\0\xff\0\0\1", 30);
	check_malformed("\xc0\14", 2, "\0\xfa\0\xff\0\0\0", 30);
	/* A MAC that is shorter than any may be (section 5.2.2.1). */
	check_malformed(owner, sizeof owner, "\0\xfa\0\xff\0\0\0", 30);
}
END_TEST

/* Names of key and algorithm so long that no answer holds them: over UDP
 * nothing is signed, over TCP it is said which error it is. */
START_TEST(test_long_names)
{
	char name[256] = "";
	unsigned count = 0;

	for (int i = 0; i < 120; i++)
		memcpy(name + 2 * i, "a.", 3);
	for (int tcp = 0; tcp < 2; tcp++) {
		packet_query(&query, name, 1);
		query.bytes[11] = 1;
		packet_name(&query, name);
		packet_put(&query, "\0\xfa\0\xff\0\0\0\0\1\1", 10);
		packet_name(&query, name);
		packet_put(&query, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
		client.transport = tcp ? DNS_TCP : DNS_UDP;
		ck_assert_uint_ne(fixture_ask_packet(), 0);
		ck_assert_uint_eq(
		    answer.rcode, tcp ? WIRE_NOTAUTH : WIRE_FORMERR);
		count += answer.counts[3];
	}
	ck_assert_uint_eq(count, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("responder_tsig");
	TCase *tcase = tcase_create("responder_tsig");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, open_keys, close_keys);
	tcase_add_test(tcase, test_signed);
	tcase_add_test(tcase, test_refused);
	tcase_add_test(tcase, test_transfer);
	tcase_add_test(tcase, test_malformed);
	tcase_add_test(tcase, test_cut);
	tcase_add_test(tcase, test_long_names);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
