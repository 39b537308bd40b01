/* SPDX-License-Identifier: Apache-2.0 */
/* What a packet may be, and what it gets: rules that do not depend on zones. */
#include "tests/unit/dnsd/responder_fixture.h"

#include "dnsd/edns.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static unsigned rcode(void)
{
	return packet_rcode(&answer);
}

static int said_error(void)
{
	size_t length;
	const uint8_t *error = packet_find_option(&answer, 15, &length);

	if (!error)
		return -1;
	ck_assert_uint_eq(length, 2);
	return error[0] << 8 | error[1];
}

/* -- what is no query -------------------------------------------------- */

/* "Shorter than a header, or QR=1: drop silently." */
START_TEST(test_drop)
{
	packet_query(&query, "www.example.", 1);
	query.bytes[2] = 0x80;
	ck_assert_uint_eq(fixture_ask_packet(), 0);
	ck_assert_int_eq(facts.drop, DNS_DROP_response);
	query.bytes[2] = 0xff;
	ck_assert_uint_eq(fixture_ask_packet(), 0);
	for (query.length = 0; query.length < 12; query.length++) {
		ck_assert_uint_eq(fixture_ask_packet(), 0);
		ck_assert_int_eq(facts.drop, DNS_DROP_short);
		ck_assert_ptr_null(facts.name);
	}
}
END_TEST

/* "Anything else malformed: FORMERR, header and question if parsed." */
START_TEST(test_malformed)
{
	packet_query_edns(&query, "www.example.", 1, 1232, false);
	packet_option(&query, 10, "12345678", 8);
	size_t whole = query.length, question = 12 + 13 + 4;

	for (query.length = 12; query.length < whole; query.length++) {
		ck_assert_uint_ne(fixture_ask_packet(), 0);
		ck_assert_uint_eq(rcode(), WIRE_FORMERR);
		ck_assert_uint_eq(
		    answer.length, query.length < question ? 12 : question);
		ck_assert_int_eq(facts.kind, DNS_KIND_error);
	}
	query.length = whole;
	packet_u8(&query, 0); /* behind the message */
	ck_assert_uint_ne(fixture_ask_packet(), 0);
	ck_assert_uint_eq(rcode(), WIRE_FORMERR);
	/* The OPT record was read, so it is answered with one. */
	ck_assert_uint_eq(answer.length, question + 11);
}
END_TEST

/* A name that points to itself, ahead, or into the header. */
START_TEST(test_pointer)
{
	for (unsigned at = 0; at < 64; at++) {
		packet_header(&query, 1, 0, 1, 0, 0, 0);
		packet_u16(&query, 0xc000 | at);
		packet_u32(&query, 0x00010001);
		ck_assert_uint_ne(fixture_ask_packet(), 0);
		ck_assert_uint_eq(rcode(), WIRE_FORMERR);
		packet_header(&query, 1, 0, 1, 0, 0, 0);
		packet_put(&query, "\3www", 4);
		packet_u16(&query, 0xc000 | at);
		packet_u32(&query, 0x00010001);
		ck_assert_uint_ne(fixture_ask_packet(), 0);
		ck_assert_uint_eq(rcode(), WIRE_FORMERR);
	}
}
END_TEST

/* RFC 9619; RFC 7873 section 5.4 for none. */
START_TEST(test_question_count)
{
	packet_header(&query, 1, 0, 0, 0, 0, 0);
	ck_assert_uint_eq(fixture_ask_packet(), 12);
	ck_assert_uint_eq(rcode(), WIRE_FORMERR);
	packet_opt(&query, 512, 0);
	ck_assert_uint_ne(fixture_ask_packet(), 0);
	ck_assert_uint_eq(rcode(), WIRE_FORMERR);
	packet_query(&query, "www.example.", 1);
	query.bytes[5] = 2;
	packet_name(&query, "www.example.");
	packet_u32(&query, 0x00010001);
	ck_assert_uint_eq(fixture_ask_packet(), 12);
	ck_assert_uint_eq(rcode(), WIRE_FORMERR);
}
END_TEST

/* RFC 8906 section 3.1.4: NOTIMP, and no flag that means something else. */
START_TEST(test_opcode)
{
	for (unsigned opcode = 1; opcode < 16; opcode++) {
		packet_query_edns(&query, "www.example.", 1, 1232, true);
		query.bytes[2] = (uint8_t)(opcode << 3 | 7);
		query.bytes[3] = 0xff;
		ck_assert_uint_ne(fixture_ask_packet(), 0);
		ck_assert_uint_eq(rcode(), WIRE_NOTIMP);
		ck_assert_uint_eq(answer.length, 12 + 13 + 4 + 11);
		ck_assert_uint_eq(facts.opcode, opcode);
		/* A header alone is enough to be answered. */
		packet_header(&query, 1, opcode << 11, 0, 0, 0, 0);
		ck_assert_uint_eq(fixture_ask_packet(), 12);
		ck_assert_uint_eq(rcode(), WIRE_NOTIMP);
		/* UPDATE may have any counts. */
		packet_query(&query, "example.", 6);
		query.bytes[2] = (uint8_t)(opcode << 3);
		query.bytes[7] = query.bytes[9] = 77;
		ck_assert_uint_ne(fixture_ask_packet(), 0);
		ck_assert_uint_eq(rcode(), WIRE_NOTIMP);
	}
}
END_TEST

/* Flags of a query that are an answer's, and those of no meaning. */
START_TEST(test_flags)
{
	for (unsigned flags = 0; flags < 0x800; flags++) {
		packet_query(&query, "www.example.", 1);
		query.bytes[2] = (uint8_t)(flags >> 8);
		query.bytes[3] = (uint8_t)flags;
		ck_assert_uint_ne(fixture_ask_packet(), 0);
		ck_assert_uint_eq(
		    answer.flags, WIRE_QR | WIRE_AA | (flags & WIRE_RD));
		ck_assert_uint_eq(answer.counts[1], 2);
	}
}
END_TEST

/* RFC 4343 and the case that resolvers hide entropy in: as it came. */
START_TEST(test_case)
{
	fixture_ask("wWw.ExAmPlE.", 1);
	ck_assert_mem_eq(out + 12, "\3wWw\7ExAmPlE", 13);
	ck_assert_uint_eq(answer.counts[1], 2);
	/* The owner points to it. */
	ck_assert_mem_eq(fixture_record(1, 0)->owner, "\3wWw\7ExAmPlE", 13);
	fixture_ask("nO.eXample.", 1);
	ck_assert_mem_eq(out + 12, "\2nO\7eXample", 12);
	ck_assert_mem_eq(fixture_record(2, 0)->owner, "\7eXample", 9);
}
END_TEST

/* -- what is asked ----------------------------------------------------- */

START_TEST(test_not_ours)
{
	static const char *const names[] = {".", "com.", "www.elsewhere.",
	    "xexample.", "example.com.", "version.bind."};

	for (int i = 0; i < 6; i++) {
		fixture_ask(names[i], 1);
		ck_assert_uint_eq(rcode(), WIRE_REFUSED);
		ck_assert(!(answer.flags & WIRE_AA));
		ck_assert_uint_eq(
		    answer.counts[1] + answer.counts[2] + answer.counts[3], 0);
		ck_assert_ptr_null(facts.zone);
		fixture_ask_edns(names[i], 1, 1232, false);
		ck_assert_int_eq(said_error(), 20); /* RFC 8914 section 4.21 */
	}
}
END_TEST

START_TEST(test_class)
{
	static const unsigned classes[] = {0, 2, 3, 4, 254, 255, 65535};

	for (int i = 0; i < 7; i++) {
		packet_query(&query, "www.example.", 1);
		query.bytes[query.length - 2] = (uint8_t)(classes[i] >> 8);
		query.bytes[query.length - 1] = (uint8_t)classes[i];
		ck_assert_uint_ne(fixture_ask_packet(), 0);
		ck_assert_uint_eq(rcode(), WIRE_REFUSED);
		ck_assert_uint_eq(facts.class, classes[i]);
	}
}
END_TEST

static void ask_chaos(const char *name, unsigned type, bool edns)
{
	packet_query(&query, name, type);
	query.bytes[query.length - 1] = 3;
	if (edns)
		packet_opt(&query, 1232, 0);
	ck_assert_uint_ne(fixture_ask_packet(), 0);
}

/* RFC 4892, and off unless it is configured. */
START_TEST(test_chaos)
{
	static const char *const names[] = {
	    "VERSION.bind.", "version.server.", "id.Server.", "hostname.bind."};
	char longest[301];

	for (int i = 0; i < 4; i++) {
		ask_chaos(names[i], 16, true);
		ck_assert_uint_eq(rcode(), WIRE_REFUSED);
		ck_assert_int_eq(said_error(), 18);
	}
	view.chaos_version = "braid";
	view.chaos_id = "pop7";
	for (int i = 0; i < 4; i++)
		for (int any = 0; any < 2; any++) {
			ask_chaos(names[i], any ? 255 : 16, false);
			ck_assert_uint_eq(rcode(), 0);
			ck_assert_uint_eq(answer.counts[1], 1);
			ck_assert_uint_eq(fixture_record(1, 0)->class, 3);
			ck_assert_uint_eq(fixture_record(1, 0)->ttl, 0);
			ck_assert_mem_eq(fixture_record(1, 0)->rdata,
			    i < 2 ? "\5braid" : "\4pop7", i < 2 ? 6 : 5);
			ck_assert_int_eq(facts.kind, DNS_KIND_special);
		}
	ask_chaos("version.bind.", 1, false);
	ck_assert_uint_eq(rcode(), 0);
	ck_assert_uint_eq(answer.counts[1], 0);
	ask_chaos("version.bind.example.", 16, false);
	ck_assert_uint_eq(rcode(), WIRE_REFUSED);
	/* A text beyond one string is cut. */
	memset(longest, 'x', 300);
	longest[300] = '\0';
	view.chaos_id = longest;
	ask_chaos("id.server.", 16, false);
	ck_assert_uint_eq(fixture_record(1, 0)->length, 256);
	view.nocookie_max = 512;
	ask_chaos("id.server.", 16, true);
	ck_assert_uint_eq(fixture_record(1, 0)->length, 256);
}
END_TEST

/* RFC 6895 section 3.1: types that are no records'. */
START_TEST(test_meta_types)
{
	static const struct {
		unsigned type, rcode;
		int error;
	} rows[] = {{41, WIRE_FORMERR, 30}, {250, WIRE_FORMERR, 30},
	    {128, WIRE_FORMERR, 30}, {249, WIRE_NOTIMP, 21},
	    {253, WIRE_NOTIMP, 21}, {254, WIRE_NOTIMP, 21},
	    {251, WIRE_REFUSED, 18}, {252, WIRE_REFUSED, 18}};

	for (int i = 0; i < 8; i++) {
		fixture_ask_edns("www.example.", rows[i].type, 1232, false);
		ck_assert_uint_eq(rcode(), rows[i].rcode);
		ck_assert_int_eq(said_error(), rows[i].error);
		fixture_ask("www.example.", rows[i].type);
		ck_assert_uint_eq(rcode(), rows[i].rcode);
	}
}
END_TEST

START_TEST(test_transfer)
{
	view.transfers = true;
	fixture_ask("example.", 252); /* not over UDP */
	ck_assert_uint_eq(rcode(), WIRE_REFUSED);
	client.transport = DNS_TCP;
	for (unsigned type = 251; type <= 252; type++) {
		packet_query(&query, "eXample.", type);
		ck_assert_uint_eq(fixture_ask_packet(), 0);
		ck_assert_int_eq(facts.kind, DNS_KIND_transfer);
		ck_assert_int_eq(facts.drop, DNS_DROP_none);
		ck_assert_ptr_eq(facts.zone, zone_set_at(view.zones, 0));
		/* Not the name of a zone (RFC 5936 section 2.2.1). */
		fixture_ask("www.example.", type);
		ck_assert_uint_eq(rcode(), WIRE_NOTAUTH);
		fixture_ask("elsewhere.", type);
		ck_assert_uint_eq(rcode(), WIRE_NOTAUTH);
	}
	view.transfers = false;
	fixture_ask("example.", 252);
	ck_assert_uint_eq(rcode(), WIRE_REFUSED);
}
END_TEST

/* RFC 8482: one rrset, the smallest. */
START_TEST(test_any)
{
	fixture_ask("multi.example.", 255);
	ck_assert_uint_eq(answer.counts[1], 1);
	ck_assert_uint_eq(fixture_record(1, 0)->type, 1);
	fixture_ask("www.example.", 255);
	ck_assert_uint_eq(fixture_count(1, 0), fixture_count(1, 1));
	fixture_ask("no.example.", 255);
	ck_assert_uint_eq(rcode(), WIRE_NXDOMAIN);
	/* RRSIG, where nothing is signed. */
	fixture_ask("www.example.", 46);
	ck_assert_int_eq(facts.kind, DNS_KIND_nodata);
}
END_TEST

/* -- EDNS -------------------------------------------------------------- */

START_TEST(test_badvers)
{
	for (unsigned version = 1; version < 256; version += 50) {
		packet_query(&query, "www.example.", 1);
		packet_opt(&query, 1232, version << 16 | (version & 1) << 15);
		packet_option(&query, 10, "?", 1); /* means who knows what */
		ck_assert_uint_ne(fixture_ask_packet(), 0);
		ck_assert_uint_eq(rcode(), WIRE_BADVERS);
		ck_assert_uint_eq(answer.counts[1], 0);
		ck_assert_uint_eq(packet_find_opt(&answer)->length, 0);
		/* DO comes back all the same: RFC 8906 section 8.2. */
		ck_assert_uint_eq(packet_find_opt(&answer)->ttl & 0xffffff,
		    (version & 1) << 15);
	}
}
END_TEST

/* RFC 6891 sections 6.1.2 and 6.1.4: unknown options and flags. */
START_TEST(test_unknown_option)
{
	packet_query(&query, "www.example.", 1);
	packet_opt(&query, 1232, 0x7fff);
	packet_option(&query, 65001, "whatever", 8);
	packet_option(&query, 12, "", 0); /* padding: not over UDP */
	packet_option(&query, 11, "\0\1", 2); /* nor keepalive */
	packet_option(&query, 3, "", 0); /* NSID, which is off */
	ck_assert_uint_ne(fixture_ask_packet(), 0);
	ck_assert_uint_eq(rcode(), 0);
	ck_assert_uint_eq(answer.counts[1], 2);
	ck_assert_uint_eq(packet_find_opt(&answer)->length, 0);
	ck_assert_uint_eq(packet_find_opt(&answer)->ttl, 0);
	ck_assert_uint_eq(packet_find_opt(&answer)->class, 1232);
	fixture_ask_edns("www.example.", 1, 1232, true);
	ck_assert_uint_eq(packet_find_opt(&answer)->ttl, 0x8000);
}
END_TEST

START_TEST(test_option_malformed)
{
	static const struct {
		unsigned code;
		const char *bytes;
		size_t length;
	} rows[] = {{10, "1234567", 7}, {10, "", 0}, {10, "1234567812345", 13},
	    {8, "\0\1\x18\0\1\1", 6}, {8, "\0\7\0\0", 4}};

	for (int i = 0; i < 5; i++) {
		packet_query_edns(&query, "www.example.", 1, 1232, true);
		packet_option(
		    &query, rows[i].code, rows[i].bytes, rows[i].length);
		ck_assert_uint_ne(fixture_ask_packet(), 0);
		ck_assert_uint_eq(rcode(), WIRE_FORMERR);
		ck_assert_uint_eq(packet_find_opt(&answer)->length, 0);
	}
}
END_TEST

/* RFC 5001. */
START_TEST(test_nsid)
{
	static char longest[400];
	size_t length;

	view.nsid = "pop7.node3";
	packet_query_edns(&query, "www.example.", 1, 1232, false);
	ck_assert_uint_ne(fixture_ask_packet(), 0);
	ck_assert_ptr_null(packet_find_option(&answer, 3, &length));
	packet_option(&query, 3, "", 0);
	ck_assert_uint_ne(fixture_ask_packet(), 0);
	ck_assert_mem_eq(
	    packet_find_option(&answer, 3, &length), "pop7.node3", 10);
	ck_assert_uint_eq(length, 10);
	/* Where it has no room, the answer goes before. */
	memset(longest, 'x', 399);
	for (size_t n = 300; n < 399; n += 98) {
		char name[250] = "";

		view.nsid = longest + 399 - n;
		for (int i = 0; i < 110; i++)
			memcpy(name + 2 * i, "a.", 3);
		memcpy(name + 220, "example.", 9);
		packet_query_edns(&query, name, 1, 512, false);
		packet_option(&query, 3, "", 0);
		ck_assert_uint_ne(fixture_ask_packet(), 0);
		ck_assert_ptr_null(packet_find_option(&answer, 3, &length));
		ck_assert_uint_eq(rcode(), WIRE_NXDOMAIN);
	}
}
END_TEST

/* RFC 7828. */
START_TEST(test_keepalive)
{
	const uint8_t *found;
	size_t length;

	client.transport = DNS_TCP;
	client.tcp_idle_100ms = 300;
	fixture_ask_edns("www.example.", 1, 1232, false);
	ck_assert_ptr_null(packet_find_option(&answer, 11, &length));
	packet_option(&query, 11, "", 0);
	ck_assert_uint_ne(fixture_ask_packet(), 0);
	found = packet_find_option(&answer, 11, &length);
	ck_assert_uint_eq(length, 2);
	ck_assert_mem_eq(found, "\1\x2c", 2);
}
END_TEST

/* RFC 7830 section 4, RFC 8467 section 4.1. */
START_TEST(test_padding)
{
	client.transport = DNS_TCP;
	fixture_ask_edns("www.example.", 1, 1232, false);
	ck_assert_uint_lt(answer.length, 468);
	packet_option(&query, 12, "\0\0\0", 3);
	ck_assert_uint_ne(fixture_ask_packet(), 0);
	ck_assert_uint_eq(answer.length, 468);
	packet_query_edns(&query, "big.example.", 16, 1232, false);
	packet_option(&query, 12, "", 0);
	ck_assert_uint_ne(fixture_ask_packet(), 0);
	ck_assert_uint_gt(answer.length, 1232);
	ck_assert_uint_eq(answer.length % 468, 0);
}
END_TEST

/* "Cap 1232, also at most the client's size." Every size there is. */
START_TEST(test_udp_size)
{
	for (unsigned size = 0; size < 65536; size += size < 1400 ? 7 : 4001) {
		packet_query_edns(&query, "big.example.", 16, size, false);
		ck_assert_uint_ne(fixture_ask_packet(), 0);
		ck_assert(facts.truncated);
	}
	/* fixture_check() compares with the limit; that it is used: */
	fixture_ask_edns("a.bigsub.example.", 1, 600, false);
	ck_assert_uint_gt(answer.length, 512);
	fixture_ask_edns("a.bigsub.example.", 1, 65535, false);
	ck_assert_uint_gt(answer.length, 600);
}
END_TEST

/* -- cookies ----------------------------------------------------------- */

static void ask_cookie(const char *name, unsigned type, const void *bytes,
    size_t length, enum dns_cookie expected)
{
	packet_query_edns(&query, name, type, 1232, false);
	packet_option(&query, 10, bytes, length);
	ck_assert_uint_ne(fixture_ask_packet(), 0);
	ck_assert_int_eq(facts.cookie, expected);
}

/* The whole cookie of the last answer. */
static void take_cookie(uint8_t ret[24])
{
	size_t length;
	const uint8_t *found = packet_find_option(&answer, 10, &length);

	ck_assert_ptr_nonnull(found);
	ck_assert_uint_eq(length, 24);
	memcpy(ret, found, 24);
}

/* RFC 7873 section 5.2. */
START_TEST(test_cookie)
{
	uint8_t cookie[24], again[24];
	size_t length;

	ask_cookie("www.example.", 1, "abcdefgh", 8, DNS_COOKIE_client);
	ck_assert_uint_eq(rcode(), 0);
	ck_assert_uint_eq(answer.counts[1], 2);
	take_cookie(cookie);
	ck_assert_mem_eq(cookie, "abcdefgh", 8);
	ask_cookie("www.example.", 1, cookie, 24, DNS_COOKIE_valid);
	take_cookie(again);
	ck_assert_mem_eq(cookie, again, 24);
	/* From another address, and with bits changed: section 5.2.4. */
	cookie[20] ^= 1;
	ask_cookie("www.example.", 1, cookie, 24, DNS_COOKIE_invalid);
	ck_assert_uint_eq(answer.counts[1], 2);
	take_cookie(again);
	ck_assert_mem_ne(cookie, again, 24);
	ask_cookie("www.example.", 1, again, 24, DNS_COOKIE_valid);
	ck_assert_int_eq(addr_parse_ip(&client.source, "198.51.100.8"), 0);
	ask_cookie("www.example.", 1, again, 24, DNS_COOKIE_invalid);
	/* With errors, too; cookies of other lengths are not ours. */
	ask_cookie("no.elsewhere.", 1, again, 23, DNS_COOKIE_invalid);
	ck_assert_uint_eq(rcode(), WIRE_REFUSED);
	take_cookie(cookie);
	/* Half an hour later it is made anew. */
	client.now.ns += 1801 * NS_PER_S;
	ask_cookie("www.example.", 1, cookie, 24, DNS_COOKIE_valid);
	take_cookie(again);
	ck_assert_mem_ne(cookie, again, 24);
	/* Off. */
	view.cookies = NULL;
	ask_cookie("www.example.", 1, again, 24, DNS_COOKIE_none);
	ck_assert_ptr_null(packet_find_option(&answer, 10, &length));
}
END_TEST

/* RFC 7873 section 5.4: without a question. */
START_TEST(test_cookie_alone)
{
	uint8_t cookie[24];

	packet_header(&query, 1, 0, 0, 0, 0, 0);
	packet_opt(&query, 1232, 0);
	packet_option(&query, 10, "abcdefgh", 8);
	ck_assert_uint_eq(fixture_ask_packet(), 12 + 11 + 28);
	ck_assert_uint_eq(rcode(), 0);
	ck_assert_int_eq(facts.kind, DNS_KIND_special);
	take_cookie(cookie);
	for (int bad = 0; bad < 2; bad++) {
		cookie[23] ^= (uint8_t)bad;
		packet_header(&query, 1, 0, 0, 0, 0, 0);
		packet_opt(&query, 1232, 0);
		packet_option(&query, 10, cookie, 24);
		ck_assert_uint_ne(fixture_ask_packet(), 0);
		ck_assert_uint_eq(rcode(), bad ? WIRE_BADCOOKIE : 0);
		take_cookie(cookie);
	}
	view.cookies = NULL;
	ck_assert_uint_ne(fixture_ask_packet(), 0);
	ck_assert_uint_eq(rcode(), WIRE_FORMERR);
}
END_TEST

/* "Without a valid one cap UDP answers, TC above." */
START_TEST(test_nocookie_max)
{
	uint8_t cookie[24];

	view.nocookie_max = 512;
	ask_cookie("a.bigsub.example.", 1, "abcdefgh", 8, DNS_COOKIE_client);
	ck_assert_uint_le(answer.length, 512);
	ck_assert(facts.truncated);
	take_cookie(cookie);
	ask_cookie("a.bigsub.example.", 1, cookie, 24, DNS_COOKIE_valid);
	ck_assert_uint_gt(answer.length, 512);
	ck_assert(!facts.truncated);
	/* Nor with one more than no path fragments (RFC 9715). */
	packet_query_edns(&query, "big.example.", 16, 4096, false);
	packet_option(&query, 10, cookie, 24);
	ck_assert_uint_ne(fixture_ask_packet(), 0);
	ck_assert(facts.truncated);
	fixture_ask_edns("a.bigsub.example.", 1, 1232, false);
	ck_assert_uint_le(answer.length, 512);
	client.transport = DNS_TCP;
	fixture_ask_edns("a.bigsub.example.", 1, 1232, false);
	ck_assert_uint_gt(answer.length, 512);
}
END_TEST

/* -- client subnet ----------------------------------------------------- */

/* RFC 7871 section 7.2.1: bit by bit, with scope 0 for what is the same for
 * all: static names, absences, errors. */
START_TEST(test_subnet)
{
	static const struct {
		const char *bytes;
		size_t length;
	} rows[] = {{"\0\1\x18\0\xc0\0\2", 7}, {"\0\1\0\0", 4},
	    {"\0\2\x34\0\x20\1\xd\xb8\0\0\x70", 11}, {"\0\0\0\0", 4}};
	static const char *const names[] = {
	    "www.example.", "no.example.", "elsewhere.", "a.sub.example."};

	for (int i = 0; i < 4; i++)
		for (int name = 0; name < 4; name++) {
			const uint8_t *found;
			size_t length;

			packet_query_edns(&query, names[name], 1, 1232, false);
			packet_option(&query, 8, rows[i].bytes, rows[i].length);
			view.ecs = true;
			ck_assert_uint_ne(fixture_ask_packet(), 0);
			found = packet_find_option(&answer, 8, &length);
			ck_assert_uint_eq(length, rows[i].length);
			ck_assert_mem_eq(found, rows[i].bytes, length);
			ck_assert(facts.ecs);
			ck_assert_uint_eq(
			    facts.ecs_source, (uint8_t)rows[i].bytes[2]);
			ck_assert_uint_eq(facts.ecs_scope, 0);
			view.ecs = false;
			ck_assert_uint_ne(fixture_ask_packet(), 0);
			ck_assert_ptr_null(
			    packet_find_option(&answer, 8, &length));
			ck_assert(!facts.ecs);
		}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("responder_packet");
	TCase *tcase = tcase_create("responder_packet");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, fixture_open, fixture_close);
	tcase_add_test(tcase, test_drop);
	tcase_add_test(tcase, test_malformed);
	tcase_add_test(tcase, test_pointer);
	tcase_add_test(tcase, test_question_count);
	tcase_add_test(tcase, test_opcode);
	tcase_add_test(tcase, test_flags);
	tcase_add_test(tcase, test_case);
	tcase_add_test(tcase, test_not_ours);
	tcase_add_test(tcase, test_class);
	tcase_add_test(tcase, test_chaos);
	tcase_add_test(tcase, test_meta_types);
	tcase_add_test(tcase, test_transfer);
	tcase_add_test(tcase, test_any);
	tcase_add_test(tcase, test_badvers);
	tcase_add_test(tcase, test_unknown_option);
	tcase_add_test(tcase, test_option_malformed);
	tcase_add_test(tcase, test_nsid);
	tcase_add_test(tcase, test_keepalive);
	tcase_add_test(tcase, test_padding);
	tcase_add_test(tcase, test_udp_size);
	tcase_add_test(tcase, test_cookie);
	tcase_add_test(tcase, test_cookie_alone);
	tcase_add_test(tcase, test_nocookie_max);
	tcase_add_test(tcase, test_subnet);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
