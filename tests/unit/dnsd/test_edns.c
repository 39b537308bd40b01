/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/edns.h"

#include "tests/unit/dnsd/dns_packet.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct packet options;
static struct edns edns;

static void add(unsigned code, const void *bytes, size_t length)
{
	packet_u16(&options, code);
	packet_u16(&options, (unsigned)length);
	packet_put(&options, bytes, length);
}

static bool reads(unsigned size, uint32_t ttl)
{
	/* A block of its own, so that reading beyond it is seen. */
	uint8_t *bytes = malloc(options.length ? options.length : 1);
	bool good;

	memcpy(bytes, options.bytes, options.length);
	good = edns_read(
	    &edns, (uint16_t)size, ttl, cursor_of(bytes, options.length));
	free(bytes);
	if (good)
		ck_assert(edns_read(&edns, (uint16_t)size, ttl,
		    cursor_of(options.bytes, options.length)));
	return good;
}

START_TEST(test_fixed)
{
	options.length = 0;
	ck_assert(reads(4096, 0));
	ck_assert(edns.present && !edns.dnssec_ok && !edns.version);
	ck_assert_uint_eq(edns.udp_size, 4096);
	ck_assert(reads(0, 0x8000));
	ck_assert(edns.dnssec_ok);
	ck_assert_uint_eq(edns.udp_size, 512);
	ck_assert(
	    reads(511, 0xff007fff)); /* flags and rcode that are unknown */
	ck_assert_uint_eq(edns.udp_size, 512);
	ck_assert(!edns.dnssec_ok);
	ck_assert(!edns.has_nsid && !edns.has_subnet && !edns.cookie_length);
	/* What another version means by its options is not known. */
	packet_u8(&options, 1);
	ck_assert(reads(512, 0x10000));
	ck_assert_uint_eq(edns.version, 1);
	ck_assert(!reads(512, 0));
}
END_TEST

START_TEST(test_options)
{
	options.length = 0;
	add(3, "x", 1);
	add(12, "\0\0", 2);
	add(11, "", 0);
	add(65001, "whatever", 8); /* unknown: RFC 6891 section 6.1.2 */
	add(10, "12345678", 8);
	add(10, "1", 1); /* RFC 7873 section 5.2: the first counts */
	add(8, "\0\1\x18\0\xc0\0\2", 7);
	add(8, "", 0);
	ck_assert(reads(1232, 0));
	ck_assert(edns.has_nsid && edns.has_padding && edns.has_keepalive);
	ck_assert_uint_eq(edns.cookie_length, 8);
	ck_assert_mem_eq(edns.cookie, "12345678", 8);
	ck_assert(edns.has_subnet);
	ck_assert_uint_eq(edns.subnet.source, 24);
	/* Cut anywhere but between two options: FORMERR. */
	size_t whole = options.length, good = 0;

	for (options.length = 0; options.length <= whole; options.length++)
		good += reads(1232, 0);
	ck_assert_uint_eq(good, 9);
}
END_TEST

/* RFC 7873 section 5.2.2. */
START_TEST(test_cookie_length)
{
	static const uint8_t bytes[64];

	for (size_t length = 0; length <= 64; length++) {
		options.length = 0;
		add(10, bytes, length);
		ck_assert(reads(512, 0) ==
			  (length == 8 || (length >= 16 && length <= 40)));
	}
}
END_TEST

/* RFC 7871 section 6. */
START_TEST(test_subnet)
{
	static const struct {
		const char *bytes;
		size_t length;
		bool good;
	} rows[] = {
	    {"\0\1\x18\0\xc0\0\2", 7, true},
	    {"\0\1\x20\0\xc0\0\2\1", 8, true},
	    {"\0\1\0\0", 4, true}, /* "do not pass my address on" */
	    {"\0\2\0\0", 4, true},
	    {"\0\0\0\0", 4, true}, /* no family, no address */
	    {"\0\2\x38\0\x20\1\xd\xb8\0\0\0", 11, true},
	    {"\0\2\x80\0\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 20, true},
	    {"\0\1\x15\0\xc0\0\xf8", 7, true},
	    {"\0\1\x15\0\xc0\0\xfc", 7, false}, /* bits behind the length */
	    {"\0\1\x01\0\x80", 5, true},
	    {"\0\1\x01\0\xc0", 5, false},
	    {"\0\1\x18\0\xc0\0\2\0", 8, false}, /* a byte too many */
	    {"\0\1\x18\0\xc0\0", 6, false}, /* too few */
	    {"\0\1\x21\0\xc0\0\2\1\0", 9, false}, /* longer than an address */
	    {"\0\2\x81\0\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0", 21, false},
	    {"\0\1\x18\x18\xc0\0\2", 7, false}, /* scope in a query */
	    {"\0\0\x08\0\x0a", 5, false}, /* an address of no family */
	    {"\0\3\0\0", 4, false},
	    {"\1\1\0\0", 4, false},
	    {"\0\1\0", 3, false},
	    {"\0\1", 2, false},
	    {"\0", 1, false},
	    {"", 0, false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		options.length = 0;
		add(8, rows[i].bytes, rows[i].length);
		ck_assert_msg(reads(512, 0) == rows[i].good, "row %zu", i);
	}
}
END_TEST

/* -- writing ----------------------------------------------------------- */

static uint8_t out[2000];

static size_t writes(const struct edns_reply *reply, size_t limit)
{
	/* As if a message of 100 bytes stood before it. */
	struct cursor_out c = cursor_out_of(out, sizeof out);

	ck_assert(cursor_put(&c, (uint8_t[100]){0}, 100));
	edns_reply_write(&edns, reply, limit, &c);
	return cursor_out_length(&c) - 100;
}

START_TEST(test_reply)
{
	struct edns_reply reply = {.error = EDNS_ERROR_NONE};

	options.length = 0;
	add(8, "\0\2\x34\0\x20\1\xd\xb8\0\0\x70", 11);
	ck_assert(reads(512, 0));
	ck_assert_uint_eq(edns_reply_size(&edns, &reply), 11);
	ck_assert_uint_eq(writes(&reply, 0), 11);
	ck_assert_mem_eq(out + 100, "\0\0\x29\4\xd0\0\0\0\0\0\0", 11);
	reply = (struct edns_reply){.rcode = 23,
	    .dnssec_ok = true,
	    .subnet = true,
	    .scope = 48,
	    .cookie = true,
	    .keepalive = true,
	    .keepalive_100ms = 300,
	    .error = EDNS_ERROR_NOT_AUTHORITATIVE,
	    .nsid = "pop1",
	    .cookie_bytes = "123456781234567812345678"};
	ck_assert_uint_eq(
	    edns_reply_size(&edns, &reply), 11 + 8 + 15 + 28 + 6 + 6);
	ck_assert_uint_eq(writes(&reply, 0), 11 + 8 + 15 + 28 + 6 + 6);
	ck_assert_mem_eq(out + 100, "\0\0\x29\4\xd0\1\0\x80\0\0\x3f", 11);
	ck_assert_mem_eq(out + 111,
	    "\0\3\0\4pop1"
	    "\0\x8\0\xb\0\2\x34\x30\x20\1\xd\xb8\0\0\x70"
	    "\0\xa\0\x18"
	    "123456781234567812345678"
	    "\0\xb\0\2\1\x2c"
	    "\0\xf\0\2\0\x14",
	    63);
}
END_TEST

/* RFC 8467 section 4.1: whole blocks of 468 bytes, within what is allowed. */
START_TEST(test_padding)
{
	struct edns_reply reply = {.error = EDNS_ERROR_NONE};

	options.length = 0;
	ck_assert(reads(512, 0));
	memset(out, 0xff, sizeof out);
	ck_assert_uint_eq(writes(&reply, 2000), 468 - 100);
	ck_assert_mem_eq(
	    out + 100, "\0\0\x29\4\xd0\0\0\0\0\1\x65\0\xc\1\x61\0", 16);
	for (int i = 115; i < 468; i++)
		ck_assert_uint_eq(out[i], 0);
	ck_assert_uint_eq(writes(&reply, 200), 100);
	ck_assert_uint_eq(writes(&reply, 115), 15);
	ck_assert_uint_eq(writes(&reply, 114), 11);
	ck_assert_uint_eq(writes(&reply, 111), 11);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("edns");
	TCase *tcase = tcase_create("edns");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, test_fixed);
	tcase_add_test(tcase, test_options);
	tcase_add_test(tcase, test_cookie_length);
	tcase_add_test(tcase, test_subnet);
	tcase_add_test(tcase, test_reply);
	tcase_add_test(tcase, test_padding);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
