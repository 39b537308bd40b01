/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/name_answer.h"

#include "base/cursor.h"
#include "tests/unit/base/check_main.h"

#include <stdlib.h>
#include <string.h>

enum { A = 1, CNAME = 5, SOA = 6, AAAA = 28, SRV = 33 };
enum { ANSWER = 6, AUTHORITY = 8 }; /* offsets of the counts */

static uint8_t bytes[4096];
static struct cursor_out out;
static struct name_answer *got;

static void put_name(const char *name)
{
	while (*name) {
		size_t length = strcspn(name, ".");

		cursor_put_u8(&out, (uint8_t)length);
		cursor_put(&out, name, length);
		name += length + (name[length] == '.');
	}
	cursor_put_u8(&out, 0);
}

static void begin(const char *name, uint16_t type, uint16_t rcode)
{
	out = cursor_out_of(bytes, sizeof bytes);
	cursor_put_be16(&out, 7);
	cursor_put_be16(&out, (uint16_t)(0x8180 | rcode));
	cursor_put_be16(&out, 1);
	cursor_put_be16(&out, 0);
	cursor_put_be16(&out, 0);
	cursor_put_be16(&out, 0);
	put_name(name);
	cursor_put_be16(&out, type);
	cursor_put_be16(&out, 1);
}

static void put_head(size_t section, const char *name, uint16_t type,
    uint32_t ttl_s, uint16_t length)
{
	bytes[section + 1]++;
	put_name(name);
	cursor_put_be16(&out, type);
	cursor_put_be16(&out, 1);
	cursor_put_be32(&out, ttl_s);
	cursor_put_be16(&out, length);
}

static void put_a(const char *name, uint32_t ttl_s, uint8_t last)
{
	put_head(ANSWER, name, A, ttl_s, 4);
	cursor_put(&out, (uint8_t[]){192, 0, 2, last}, 4);
}

static void put_alias(const char *name, uint32_t ttl_s, const char *target)
{
	put_head(ANSWER, name, CNAME, ttl_s, (uint16_t)(strlen(target) + 2));
	put_name(target);
}

static void put_srv(uint16_t weight, uint16_t port, const char *target)
{
	put_head(ANSWER, "_s.test", SRV, 60,
	    (uint16_t)(6 + (*target ? strlen(target) + 2 : 1)));
	cursor_put_be16(&out, 10);
	cursor_put_be16(&out, weight);
	cursor_put_be16(&out, port);
	put_name(target);
}

static void put_soa(uint32_t ttl_s, uint32_t minimum)
{
	put_head(AUTHORITY, "test", SOA, ttl_s, 22);
	put_name("");
	put_name("");
	for (int i = 0; i < 4; i++)
		cursor_put_be32(&out, 1);
	cursor_put_be32(&out, minimum);
}

static void expect(
    enum name_type type, enum name_result result, uint32_t n, uint32_t ttl_s)
{
	name_answer_read(bytes, cursor_out_length(&out), type, got);
	ck_assert_int_eq(got->result, result);
	ck_assert_uint_eq(got->n, n);
	ck_assert_uint_eq(got->ttl_s, ttl_s);
}

static void setup(void)
{
	got = calloc(1, sizeof *got);
	ck_assert_ptr_nonnull(got);
}

static void teardown(void)
{
	free(got);
}

START_TEST(test_addresses)
{
	char text[ADDR_TEXT_MAX];

	begin("O.test", A, 0);
	put_a("o.TEST", 60, 1);
	put_a("o.test", 30, 2);
	put_a("other.test", 5, 3);
	expect(NAME_A, NAME_ANSWER, 2, 30);
	addr_format(&got->records[1].addr, text);
	ck_assert_str_eq(text, "192.0.2.2");
	begin("o.test", AAAA, 0);
	put_head(ANSWER, "o.test", AAAA, 9, 16);
	cursor_put(&out, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	expect(NAME_AAAA, NAME_ANSWER, 1, 9);
	addr_format(&got->records[0].addr, text);
	ck_assert_str_eq(text, "2001:db8::1");
}
END_TEST

START_TEST(test_aliases_in_any_order)
{
	begin("www.test", A, 0);
	put_a("edge.test", 60, 1);
	put_alias("mid.test", 20, "edge.test");
	put_alias("www.test", 300, "mid.test");
	put_a("www.test", 1, 9);
	/* What stands beside an alias is not at its end. */
	expect(NAME_A, NAME_ANSWER, 1, 20);
}
END_TEST

START_TEST(test_alias_that_goes_round_ends)
{
	begin("a.test", A, 0);
	put_alias("a.test", 20, "b.test");
	put_alias("b.test", 20, "a.test");
	expect(NAME_A, NAME_NODATA, 0, 0);
}
END_TEST

START_TEST(test_absence)
{
	begin("o.test", A, 3);
	put_soa(300, 60);
	expect(NAME_A, NAME_NXDOMAIN, 0, 60);
	begin("o.test", A, 0);
	put_soa(30, 60);
	expect(NAME_A, NAME_NODATA, 0, 30);
	begin("o.test", A, 0);
	expect(NAME_A, NAME_NODATA, 0, 0);
	begin("o.test", A, 2);
	expect(NAME_A, NAME_SERVFAIL, 0, 0);
	begin("o.test", A, 5);
	put_a("o.test", 60, 1);
	expect(NAME_A, NAME_REFUSED, 0, 0);
}
END_TEST

START_TEST(test_services)
{
	begin("_s.test", SRV, 0);
	put_srv(5, 80, "a.test");
	put_srv(0, 0, "b.test"); /* no port */
	put_srv(1, 80, ""); /* not offered */
	put_srv(1, 80, "odd\1name.test"); /* no host has that */
	expect(NAME_SRV, NAME_ANSWER, 1, 60);
	ck_assert_str_eq(got->records[0].target, "a.test");
	ck_assert_uint_eq(got->records[0].port, 80);
	ck_assert_uint_eq(got->records[0].priority, 10);
	ck_assert_uint_eq(got->records[0].weight, 5);
	begin("_s.test", SRV, 0);
	put_srv(0, 0, "");
	expect(NAME_SRV, NAME_NODATA, 0, 0);
}
END_TEST

START_TEST(test_ttl_with_the_top_bit_is_none)
{
	begin("o.test", A, 0);
	put_a("o.test", UINT32_C(0x80000000), 1);
	expect(NAME_A, NAME_ANSWER, 1, 0);
}
END_TEST

START_TEST(test_what_makes_no_sense)
{
	begin("o.test", A, 0);
	put_a("o.test", 60, 1);
	/* Every beginning of a message lacks something. */
	for (size_t n = 0; n < cursor_out_length(&out); n++) {
		name_answer_read(bytes, n, NAME_A, got);
		ck_assert_int_eq(got->result, NAME_MALFORMED);
		ck_assert_uint_eq(got->n, 0);
	}
	expect(NAME_AAAA, NAME_MALFORMED, 0, 0); /* another question */
	bytes[2] &= 0x7f; /* a question */
	expect(NAME_A, NAME_MALFORMED, 0, 0);
	begin("o.test", A, 0);
	put_head(ANSWER, "o.test", A, 60, 3);
	cursor_put(&out, "\xc0\0\2", 3);
	expect(NAME_A, NAME_NODATA, 0, 0);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("name_answer");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_addresses);
	tcase_add_test(tcase, test_aliases_in_any_order);
	tcase_add_test(tcase, test_alias_that_goes_round_ends);
	tcase_add_test(tcase, test_absence);
	tcase_add_test(tcase, test_services);
	tcase_add_test(tcase, test_ttl_with_the_top_bit_is_none);
	tcase_add_test(tcase, test_what_makes_no_sense);
	return check_main(tcase);
}
