/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/wire.h"

#include "base/assert.h"
#include "tests/unit/dnsd/dns_packet.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct packet p;
static struct wire_query query;

static void reads(enum wire_result expected)
{
	/* A block of its own, so that reading beyond it is seen. */
	uint8_t *bytes = malloc(p.length ? p.length : 1);

	memcpy(bytes, p.bytes, p.length);
	ck_assert_int_eq(wire_query_read(&query, bytes, p.length), expected);
	free(bytes);
	/* What points into the bytes must do so while they are there. */
	ck_assert_int_eq(wire_query_read(&query, p.bytes, p.length), expected);
}

START_TEST(test_read)
{
	packet_query(&p, "WwW.example.", 28);
	p.bytes[2] = 1; /* RD */
	reads(WIRE_OK);
	ck_assert_uint_eq(query.id, 0x1234);
	ck_assert_uint_eq(query.flags, WIRE_RD);
	ck_assert_uint_eq(query.opcode, 0);
	ck_assert_uint_eq(query.type, 28);
	ck_assert_uint_eq(query.class, 1);
	ck_assert_uint_eq(query.name_size, 13);
	ck_assert_mem_eq(query.name, "\3WwW\7example", 13);
	ck_assert_uint_eq(query.question_end, 12 + 13 + 4);
	ck_assert(!query.has_opt && !query.tsig_at);
	packet_query_edns(&p, ".", 2, 4096, true);
	packet_option(&p, 3, "", 0);
	reads(WIRE_OK);
	ck_assert_uint_eq(query.name_size, 1);
	ck_assert(query.has_opt);
	ck_assert_uint_eq(query.opt_class, 4096);
	ck_assert_uint_eq(query.opt_ttl, 0x8000);
	ck_assert_uint_eq(cursor_left(&query.opt), 4);
}
END_TEST

/* "Shorter than a header, or QR=1: drop silently." */
START_TEST(test_drop)
{
	packet_query(&p, "a.", 1);
	for (size_t length = 0; length < 12; length++) {
		p.length = length;
		reads(WIRE_SHORT);
	}
	packet_query(&p, "a.", 1);
	p.bytes[2] = 0x80;
	reads(WIRE_RESPONSE);
	/* Also when the rest makes no sense. */
	p.length = 12;
	reads(WIRE_RESPONSE);
}
END_TEST

START_TEST(test_question_malformed)
{
	packet_query(&p, "abc.de.", 1);
	size_t whole = p.length;

	for (size_t length = 12; length < whole; length++) {
		p.length = length;
		reads(WIRE_MALFORMED);
		ck_assert_ptr_null(query.name);
		ck_assert_uint_eq(query.question_end, 12);
	}
	/* A pointer, to itself and ahead; the two label types there are not. */
	for (int i = 0; i < 4; i++) {
		packet_query(&p, "abc.de.", 1);
		p.bytes[12] = (uint8_t[]){0xc0, 0xc1, 0x40, 0x80}[i];
		p.bytes[13] = 12;
		reads(WIRE_MALFORMED);
		ck_assert_ptr_null(query.name);
	}
	/* 256 bytes of name. */
	packet_header(&p, 1, 0, 1, 0, 0, 0);
	for (int i = 0; i < 4; i++) {
		packet_u8(&p, i < 3 ? 63 : 62);
		for (int j = 0; j < (i < 3 ? 63 : 62); j++)
			packet_u8(&p, 'a');
	}
	packet_u8(&p, 0);
	packet_u32(&p, 0x00010001);
	reads(WIRE_MALFORMED);
}
END_TEST

/* RFC 9619 and RFC 7873 section 5.4. */
START_TEST(test_question_count)
{
	packet_header(&p, 1, 0, 0, 0, 0, 0);
	reads(WIRE_OK);
	ck_assert_ptr_null(query.name);
	packet_query(&p, "a.", 1);
	p.bytes[5] = 2;
	packet_name(&p, "a.");
	packet_u32(&p, 0x00010001);
	reads(WIRE_MALFORMED);
	p.bytes[4] = 0xff;
	reads(WIRE_MALFORMED);
}
END_TEST

static void put_extra(const char *owner, unsigned type, unsigned rdlength)
{
	packet_name(&p, owner);
	packet_u16(&p, type);
	packet_u16(&p, 1);
	packet_u32(&p, 0);
	packet_u16(&p, rdlength);
	for (unsigned i = 0; i < rdlength; i++)
		packet_u8(&p, 0);
}

START_TEST(test_extra_cut)
{
	packet_query(&p, "a.", 1);
	size_t question = p.length;

	p.bytes[11] = 2;
	put_extra("b.", 1, 4);
	put_extra(".", 41, 5);
	size_t whole = p.length;

	reads(WIRE_OK);
	ck_assert(query.has_opt);
	for (size_t length = question; length < whole; length++) {
		p.length = length;
		reads(WIRE_MALFORMED);
		/* The answer can still hold the question. */
		ck_assert_ptr_nonnull(query.name);
		ck_assert_uint_eq(query.question_end, question);
	}
	p.length = whole;
	packet_u8(&p, 0);
	reads(WIRE_MALFORMED); /* bytes behind the message */
}
END_TEST

/* RFC 6891 section 6.1.1. */
START_TEST(test_opt)
{
	packet_query_edns(&p, "a.", 1, 512, false);
	packet_opt(&p, 512, 0);
	reads(WIRE_MALFORMED); /* two */
	packet_query(&p, "a.", 1);
	p.bytes[11] = 1;
	put_extra("b.", 41, 0);
	reads(WIRE_MALFORMED); /* not the root's */
	packet_query(&p, "a.", 1);
	p.bytes[9] = 1;
	put_extra(".", 41, 0);
	reads(WIRE_MALFORMED); /* in authority */
	packet_query(&p, "a.", 1);
	p.bytes[7] = 1;
	put_extra(".", 41, 0);
	reads(WIRE_MALFORMED); /* in answer */
}
END_TEST

/* RFC 8945 section 5.1: the last, and only there. */
START_TEST(test_tsig)
{
	packet_query(&p, "a.", 252);
	size_t at = p.length;

	p.bytes[11] = 1;
	put_extra("key.", 250, 9);
	reads(WIRE_OK);
	ck_assert_uint_eq(query.tsig_at, at);
	p.bytes[11] = 2;
	put_extra("b.", 1, 4);
	reads(WIRE_MALFORMED);
	packet_query(&p, "a.", 252);
	p.bytes[9] = 1;
	put_extra("key.", 250, 9);
	reads(WIRE_MALFORMED);
}
END_TEST

START_TEST(test_extra_owner)
{
	/* A pointer backwards is good, to the question or behind it. */
	packet_query(&p, "abc.de.", 251);
	size_t at = p.length;

	p.bytes[9] = 2;
	packet_u16(&p, 0xc00c);
	packet_put(&p, "\0\1\0\1\0\0\0\0\0\0", 10);
	packet_put(&p, "\1x\xc0\x10", 4);
	packet_put(&p, "\0\1\0\1\0\0\0\0\0\0", 10);
	reads(WIRE_OK);
	/* Into the header, to itself, ahead, and half of one. */
	for (int i = 0; i < 3; i++) {
		p.bytes[at + 1] = (uint8_t)(unsigned[]){11, at, at + 2}[i];
		reads(WIRE_MALFORMED);
	}
	p.length = at + 1;
	reads(WIRE_MALFORMED);
	/* A label type that there is not, and a name of 256 bytes. */
	packet_query(&p, "a.", 1);
	p.bytes[11] = 1;
	packet_u8(&p, 0x40);
	reads(WIRE_MALFORMED);
	packet_query(&p, "a.", 1);
	p.bytes[11] = 1;
	for (int i = 0; i < 128; i++)
		packet_put(&p, "\1a", 2);
	packet_u8(&p, 0);
	packet_put(&p, "\0\1\0\1\0\0\0\0\0\0", 10);
	reads(WIRE_MALFORMED);
	/* A label that says more than there is. */
	packet_query(&p, "a.", 1);
	p.bytes[11] = 1;
	packet_put(&p, "\5ab", 3);
	reads(WIRE_MALFORMED);
}
END_TEST

START_TEST(test_extra_count)
{
	for (unsigned n = WIRE_EXTRA_MAX; n <= WIRE_EXTRA_MAX + 1; n++) {
		packet_header(&p, 1, 0, 1, 0, 0, n);
		packet_name(&p, "a.");
		packet_u32(&p, 0x00010001);
		for (unsigned i = 0; i < n; i++)
			put_extra("b.", 1, 4);
		reads(n > WIRE_EXTRA_MAX ? WIRE_MALFORMED : WIRE_OK);
	}
	packet_header(&p, 1, 0, 0, 0xffff, 0xffff, 0xffff);
	reads(WIRE_MALFORMED);
}
END_TEST

/* RFC 8906 section 3.1.4: an unknown opcode is answered, whatever follows. */
START_TEST(test_opcode)
{
	for (unsigned opcode = 1; opcode < 16; opcode++) {
		packet_query(&p, "a.", 1);
		p.bytes[2] = (uint8_t)(opcode << 3);
		p.bytes[9] = 9;
		reads(WIRE_OK);
		ck_assert_uint_eq(query.opcode, opcode);
		ck_assert_ptr_nonnull(query.name);
		p.length -= 2;
		reads(WIRE_OK);
		ck_assert_ptr_null(query.name);
		p.bytes[5] = 7;
		reads(WIRE_OK);
		ck_assert_ptr_null(query.name);
	}
}
END_TEST

/* -- writing ----------------------------------------------------------- */

#define SEED 42

static struct wire_writer w;
static struct dname_key key;
static uint8_t out[65535];
static struct packet_answer answer;

static void begin(const char *name, size_t room)
{
	packet_query(&p, name, 1);
	reads(WIRE_OK);
	dname_key_of(&key, query.name, query.name_size, SEED);
	ck_assert(wire_begin(&w, out, room, &query));
	wire_set_key(&w, &key, SEED);
}

static void ends(size_t expected)
{
	size_t length = wire_end(&w, query.id, WIRE_AA, 0);

	ck_assert_uint_eq(length, expected);
	ck_assert_ptr_null(packet_read(&answer, out, length));
	ck_assert_uint_eq(answer.flags, WIRE_QR | WIRE_AA);
	ck_assert_uint_eq(answer.id, 0x1234);
}

static const uint8_t *name_of(const char *text)
{
	static uint8_t names[8][DNAME_MAX];
	static unsigned turn;
	uint8_t *name = names[turn++ % 8];
	const char *wrong;

	ck_assert_int_eq(
	    dname_from_text(text, strlen(text), NULL, name, &wrong), 0);
	return name;
}

static void put_names(unsigned type, size_t before, const char *first,
    const char *second, size_t behind)
{
	struct wire_owner owner = wire_owner_question(&w);
	uint8_t rdata[600] = {0};
	size_t n = before;

	n += dname_copy(rdata + n, name_of(first));
	if (second)
		n += dname_copy(rdata + n, name_of(second));
	ck_assert(wire_put_record(&w, WIRE_ANSWER, &owner, (uint16_t)type, 60,
	    rdata, (uint16_t)(n + behind)));
}

/* The name in the rdata of the i-th record, wherever it points. */
static void holds(uint32_t i, size_t before, const char *name)
{
	uint8_t found[256];

	ck_assert_uint_ne(packet_read_name(out, answer.length,
			      answer.records[i].rdata_at + before, found),
	    0);
	ck_assert(dname_equal(found, name_of(name)));
}

START_TEST(test_write_plain)
{
	struct wire_owner owner;

	begin("WwW.Example.", 512);
	owner = wire_owner_question(&w);
	ck_assert(wire_put_record(&w, WIRE_ANSWER, &owner, 1, 0x01020304,
	    (const uint8_t *)"\xc0\0\2\1", 4));
	ends(29 + 16);
	ck_assert_mem_eq(out + 12, "\3WwW\7Example\0\0\1\0\1", 17);
	ck_assert_mem_eq(
	    out + 29, "\xc0\x0c\0\1\0\1\1\2\3\4\0\4\xc0\0\2\1", 16);
}
END_TEST

/* RFC 3597 section 4: which types' names are compressed. */
START_TEST(test_compressed_types)
{
	static const struct {
		unsigned type;
		size_t before;
		bool two;
		size_t behind, size;
	} rows[] = {/* mail.example. = 5 + pointer */
	    {2, 0, false, 0, 7}, {3, 0, false, 0, 7}, {4, 0, false, 0, 7},
	    {5, 0, false, 0, 7}, {7, 0, false, 0, 7}, {8, 0, false, 0, 7},
	    {9, 0, false, 0, 7}, {12, 0, false, 0, 7}, {15, 2, false, 0, 9},
	    {6, 0, true, 20, 29}, {14, 0, true, 0, 9},
	    /* RP, AFSDB, SRV, NAPTR's, DNAME, HTTPS, an unknown one */
	    {17, 0, true, 0, 28}, {18, 2, false, 0, 16}, {33, 6, false, 0, 20},
	    {35, 7, false, 0, 21}, {39, 0, false, 0, 14}, {65, 2, false, 0, 16},
	    {65280, 0, false, 0, 14}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		begin("www.example.", 512);
		put_names(rows[i].type, rows[i].before, "mail.example.",
		    rows[i].two ? "mail.EXAMPLE." : NULL, rows[i].behind);
		ends(29 + 12 + rows[i].size);
		ck_assert_uint_eq(answer.records[0].length, rows[i].size);
		holds(0, rows[i].before, "mail.example.");
	}
}
END_TEST

START_TEST(test_compress_against_earlier)
{
	struct wire_owner owner;

	begin("a.b.example.", 512);
	put_names(2, 0, "ns1.Other.net.", NULL, 0); /* 15, whole */
	put_names(2, 0, "NS2.other.NET.", NULL, 0); /* 4 + 2 */
	put_names(2, 0, "b.EXAMPLE.", NULL, 0); /* 2 */
	put_names(2, 0, "a.b.example.", NULL, 0); /* 2 */
	put_names(2, 0, ".", NULL, 0); /* 1, never a pointer */
	put_names(2, 0, "net.", NULL, 0); /* 2 */
	owner = (struct wire_owner){name_of("ns2.other.net."), 0};
	ck_assert(wire_put_record(
	    &w, WIRE_ADDITIONAL, &owner, 1, 1, (const uint8_t *)"\1\2\3\4", 4));
	ck_assert_uint_ne(owner.at, 0);
	ck_assert(wire_put_record(
	    &w, WIRE_ADDITIONAL, &owner, 1, 1, (const uint8_t *)"\1\2\3\5", 4));
	ends(29 + 6 * 12 + 15 + 6 + 2 + 2 + 1 + 2 + 2 * 16);
	holds(0, 0, "ns1.other.net.");
	holds(1, 0, "ns2.other.net.");
	holds(2, 0, "b.example.");
	holds(3, 0, "a.b.example.");
	holds(4, 0, ".");
	holds(5, 0, "net.");
	for (int i = 6; i < 8; i++)
		ck_assert(dname_equal(
		    answer.records[i].owner, name_of("ns2.other.net.")));
	ck_assert_uint_eq(answer.counts[1], 6);
	ck_assert_uint_eq(answer.counts[3], 2);
}
END_TEST

/* Names that end alike but are others: no false pointer. */
START_TEST(test_compress_not)
{
	begin("www.example.", 512);
	put_names(5, 0, "ww.example.net.", NULL, 0);
	put_names(5, 0, "xww.examplf.", NULL, 0);
	put_names(5, 0, "a.example.net.", NULL, 0);
	ends(29 + 12 + 16 + 12 + 13 + 12 + 4);
	holds(0, 0, "ww.example.net.");
	holds(1, 0, "xww.examplf.");
	holds(2, 0, "a.example.net.");
}
END_TEST

/* A hash that is the same by chance must not decide: all hashes are made
 * equal. */
START_TEST(test_collision)
{
	begin("www.example.", 512);
	for (int i = 0; i <= 2; i++)
		key.hash[i] = dname_hash(name_of("abc.examplf."), SEED);
	put_names(5, 0, "abc.examplf.", NULL, 0);
	for (uint32_t i = 0; i < w.n_names; i++)
		w.names[i].hash = dname_hash(name_of("abd.examplf."), SEED);
	put_names(5, 0, "abd.examplf.", NULL, 0);
	for (uint32_t i = 0; i < w.n_names; i++)
		w.names[i].hash = dname_hash(name_of("abcd.examplf."), SEED);
	put_names(5, 0, "abcd.examplf.", NULL, 0);
	key.hash[2] = dname_hash(name_of("toolong.examplf."), SEED);
	put_names(5, 0, "toolong.examplf.", NULL, 0);
	ends(cursor_out_length(&w.out));
	holds(0, 0, "abc.examplf.");
	holds(1, 0, "abd.examplf.");
	holds(2, 0, "abcd.examplf.");
	holds(3, 0, "toolong.examplf.");
}
END_TEST

/* Pointers reach 0x3fff only (RFC 1035 section 4.1.4). */
START_TEST(test_far)
{
	static const uint8_t filler[8000];
	struct wire_owner owner;

	begin("www.example.", sizeof out);
	for (int i = 0; i < 2; i++) {
		owner = wire_owner_question(&w);
		ck_assert(wire_put_record(
		    &w, WIRE_ANSWER, &owner, 16, 1, filler, sizeof filler));
	}
	/* The last whose first label is below the bound. */
	owner = wire_owner_question(&w);
	ck_assert(wire_put_record(&w, WIRE_ANSWER, &owner, 16, 1, filler,
	    (uint16_t)(0x4000 - 12 - 12 - 4 - cursor_out_length(&w.out))));
	put_names(5, 0, "aaa.bbb.", NULL, 0);
	uint32_t known = w.n_names;

	put_names(5, 0, "aaa.ccc.", NULL, 0);
	ck_assert_uint_eq(w.n_names, known);
	put_names(5, 0, "aaa.ccc.", NULL, 0);
	owner = (struct wire_owner){name_of("ddd."), 0};
	for (int i = 0; i < 2; i++)
		ck_assert(wire_put_record(&w, WIRE_ANSWER, &owner, 1, 1,
		    (const uint8_t *)"\1\2\3\4", 4));
	ck_assert_uint_eq(owner.at, 0);
	ends(cursor_out_length(&w.out));
	holds(3, 0, "aaa.bbb.");
	holds(4, 0, "aaa.ccc.");
	holds(5, 0, "aaa.ccc.");
	ck_assert_uint_eq(answer.records[5].length, 9);
}
END_TEST

START_TEST(test_names_max)
{
	begin("www.example.", sizeof out);
	for (unsigned i = 0; i < 2 * WIRE_NAMES_MAX; i++) {
		char text[32];

		(void)snprintf(text, sizeof text, "n%u.example.", i);
		put_names(2, 0, text, NULL, 0);
	}
	ck_assert_uint_eq(w.n_names, WIRE_NAMES_MAX);
	ends(cursor_out_length(&w.out));
	for (unsigned i = 0; i < 2 * WIRE_NAMES_MAX; i++) {
		char text[32];

		(void)snprintf(text, sizeof text, "n%u.example.", i);
		holds(i, 0, text);
	}
}
END_TEST

/* Whatever the room is: a set is there whole or not at all, and what follows
 * can still be written. */
START_TEST(test_room)
{
	static const uint8_t two[] = "\0\x14\0\1\4mail\7example\3net\0"
				     "\0\x14\0\2\4nail\7example\3net\0";
	const uint8_t *mail = two + 4;
	struct answer_set set = {.type = 2, .n = 2, .ttl = 5};
	bool fitted[3] = {false};

	set.records[0] = (struct answer_record){mail, 18};
	set.records[1] = (struct answer_record){mail, 18};
	for (size_t room = 29; room < 160; room++) {
		struct wire_owner owner, other;
		bool fits[3];
		unsigned n = 0;

		begin("www.example.", room);
		ck_assert_uint_eq(cursor_out_length(&w.out), 29);
		owner = wire_owner_question(&w);
		other = (struct wire_owner){name_of("x.example.org."), 0};
		fits[0] =
		    wire_put_records(&w, WIRE_ANSWER, &other, 15, 7, 2, two);
		ck_assert(fits[0] || !other.at);
		fits[1] = wire_put_set(&w, WIRE_AUTHORITY, &owner, &set);
		fits[2] = wire_put_record(&w, WIRE_ADDITIONAL, &owner, 28, 1,
		    (const uint8_t *)"0123456789abcdef", 16);
		for (int i = 0; i < 3; i++) {
			ck_assert(fits[i] || !fitted[i] || i);
			fitted[i] = fitted[i] || fits[i];
			n += fits[i] ? (i < 2 ? 2 : 1) : 0;
		}
		ends(cursor_out_length(&w.out));
		ck_assert_uint_le(answer.length, room);
		ck_assert_uint_eq(answer.n, n);
	}
	ck_assert(fitted[0] && fitted[1] && fitted[2]);
}
END_TEST

/* Byte for byte what the general way writes; whole or not at all. */
START_TEST(test_alias)
{
	static const struct {
		const char *target;
		uint8_t shared;
	} cases[] = {{"pop.example.net.", 0}, {".", 0},
	    {"www--pop.Example.org.", 2}, {"a.b.example.org.", 2},
	    {"pop.org.", 1}, {"pop.www.example.org.", 3}, {"org.", 1}};

	for (size_t i = 0; i < BR_COUNT(cases); i++) {
		uint8_t target[DNAME_MAX];
		struct answer_set set = {.type = 5, .n = 1, .ttl = 30};
		struct wire_owner owner;
		size_t length;
		uint8_t expected[256];

		(void)dname_copy(target, name_of(cases[i].target));
		set.records[0] = (struct answer_record){
		    target, (uint16_t)dname_size(target)};
		begin("WWW.example.ORG.", sizeof out);
		owner = wire_owner_question(&w);
		ck_assert(wire_put_set(&w, WIRE_ANSWER, &owner, &set));
		length = cursor_out_length(&w.out);
		memcpy(expected, out, length);
		set.is_alias = true;
		set.shared = cases[i].shared;
		for (size_t room = length; room >= length - 3; room--) {
			begin("WWW.example.ORG.", room);
			ck_assert(wire_put_alias(&w, WIRE_ANSWER, &set) ==
				  (room == length));
			ck_assert_uint_eq(
			    w.counts[WIRE_ANSWER], room == length);
			if (room < length)
				continue;
			ck_assert_uint_eq(cursor_out_length(&w.out), length);
			ck_assert_mem_eq(out, expected, length);
		}
	}
}
END_TEST

START_TEST(test_begin)
{
	packet_query(&p, "www.example.", 1);
	reads(WIRE_OK);
	for (size_t room = 0; room < 29; room++)
		ck_assert(!wire_begin(&w, out, room, &query));
	ck_assert(wire_begin(&w, out, 29, &query));
	packet_header(&p, 0x1234, 0, 0, 0, 0, 0);
	reads(WIRE_OK);
	ck_assert(wire_begin(&w, out, 12, &query));
	ck_assert(!wire_reserve(&w, 1));
	ends(12);
	ck_assert(wire_begin(&w, out, 100, &query));
	ck_assert(wire_reserve(&w, 80));
	struct wire_owner owner = {name_of("a.example."), 0};

	ck_assert(!wire_put_record(&w, WIRE_ANSWER, &owner, 1, 1, out, 0));
	wire_release(&w, 80);
	ck_assert(wire_put_record(&w, WIRE_ANSWER, &owner, 1, 1, out, 0));
	ends(12 + 11 + 10);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire");
	TCase *tcase = tcase_create("wire");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, test_read);
	tcase_add_test(tcase, test_drop);
	tcase_add_test(tcase, test_question_malformed);
	tcase_add_test(tcase, test_question_count);
	tcase_add_test(tcase, test_extra_cut);
	tcase_add_test(tcase, test_opt);
	tcase_add_test(tcase, test_tsig);
	tcase_add_test(tcase, test_extra_owner);
	tcase_add_test(tcase, test_extra_count);
	tcase_add_test(tcase, test_opcode);
	tcase_add_test(tcase, test_write_plain);
	tcase_add_test(tcase, test_compressed_types);
	tcase_add_test(tcase, test_compress_against_earlier);
	tcase_add_test(tcase, test_compress_not);
	tcase_add_test(tcase, test_collision);
	tcase_add_test(tcase, test_far);
	tcase_add_test(tcase, test_names_max);
	tcase_add_test(tcase, test_room);
	tcase_add_test(tcase, test_alias);
	tcase_add_test(tcase, test_begin);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
