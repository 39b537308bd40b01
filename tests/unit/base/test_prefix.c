/* SPDX-License-Identifier: Apache-2.0 */
#include "base/prefix.h"

#include "tests/unit/base/check_main.h"

#include <errno.h>
#include <string.h>

struct row {
	const char *text;
	int rc;
	const char *printed; /* NULL: as it was */
};

static const struct row rows[] = {
    {"10.0.0.0/8", 0, NULL},
    {"0.0.0.0/0", 0, NULL},
    {"192.0.2.1", 0, NULL},
    {"192.0.2.1/32", 0, "192.0.2.1"},
    {"192.0.2.128/25", 0, NULL},
    {"2001:db8::/32", 0, NULL},
    {"[2001:db8::]/33", 0, "2001:db8::/33"},
    {"::/0", 0, NULL},
    {"::1", 0, NULL},
    {"::1/128", 0, "::1"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127", 0, NULL},
    {"::ffff:192.0.2.1", 0, "192.0.2.1"},
    {"::ffff:10.0.0.0/104", 0, "10.0.0.0/8"},
    {"::ffff:0.0.0.0/96", 0, "0.0.0.0/0"},
    {"::ffff:0.0.0.0/95", -EDOM, NULL},
    {"10.0.0.1/8", -EDOM, NULL},
    {"10.0.0.0/7", 0, NULL},
    {"11.0.0.0/7", -EDOM, NULL},
    {"2001:db8::1/64", -EDOM, NULL},
    {"10.0.0.0/33", -ERANGE, NULL},
    {"::/129", -ERANGE, NULL},
    {"::/4294967296", -ERANGE, NULL},
    {"10.0.0.0/", -EINVAL, NULL},
    {"10.0.0.0/08", -EINVAL, NULL},
    {"10.0.0.0/-1", -EINVAL, NULL},
    {"10.0.0.0/8/8", -EINVAL, NULL},
    {"10.0.0.0/8 ", -EINVAL, NULL},
    {"/8", -EINVAL, NULL},
    {"", -EINVAL, NULL},
    {"10.0.0/8", -EINVAL, NULL},
    {"example.com", -EINVAL, NULL},
    {"fe80::%1/10", -EINVAL, NULL},
    {"fe80::1%1", -EINVAL, NULL},
    {"unix:/x", -EINVAL, NULL},
    {"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/1", -EINVAL, NULL},
};

START_TEST(test_parse)
{
	const struct row *row = &rows[_i];
	struct prefix p = {.family = 77}, again;
	char text[PREFIX_TEXT_MAX];

	ck_assert_int_eq(prefix_parse(&p, row->text), row->rc);
	if (row->rc) {
		ck_assert_uint_eq(p.family, 77);
		return;
	}
	ck_assert_uint_eq(prefix_format(&p, text), strlen(text));
	ck_assert_str_eq(text, row->printed ? row->printed : row->text);
	ck_assert_int_eq(prefix_parse(&again, text), 0);
	ck_assert_int_eq(memcmp(&p, &again, sizeof(p)), 0);
}
END_TEST

static struct prefix prefix_of(const char *text)
{
	struct prefix p;

	ck_assert_int_eq(prefix_parse(&p, text), 0);
	return p;
}

static bool covers(const char *outer, const char *inner)
{
	struct prefix o = prefix_of(outer), i = prefix_of(inner);

	return prefix_covers(&o, &i);
}

START_TEST(test_covers)
{
	ck_assert(covers("10.0.0.0/8", "10.255.0.0/16"));
	ck_assert(covers("10.0.0.0/8", "10.0.0.0/8"));
	ck_assert(!covers("10.0.0.0/8", "11.0.0.0"));
	ck_assert(!covers("10.1.0.0/16", "10.0.0.0/8"));
	ck_assert(covers("0.0.0.0/0", "192.0.2.1"));
	ck_assert(!covers("::/0", "192.0.2.1"));
	ck_assert(!covers("0.0.0.0/0", "::1"));
	ck_assert(covers("2001:db8::/33", "2001:db8:7fff::"));
	ck_assert(!covers("2001:db8::/33", "2001:db8:8000::"));
}
END_TEST

START_TEST(test_cut)
{
	for (unsigned bits = 0; bits <= 128; bits++) {
		struct prefix p =
		    prefix_of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
		unsigned ones = 0;

		prefix_cut(&p, (uint8_t)bits);
		ck_assert_uint_eq(p.bits, bits);
		for (unsigned i = 0; i < 16; i++)
			ones += (unsigned)__builtin_popcount(p.bytes[i]);
		ck_assert_uint_eq(ones, bits);
	}
}
END_TEST

START_TEST(test_of_addr)
{
	struct prefix p;
	struct addr a = {0};

	ck_assert(!prefix_of_addr(&p, &a));
	ck_assert_int_eq(addr_parse(&a, "unix:/x"), 0);
	ck_assert(!prefix_of_addr(&p, &a));
	ck_assert_int_eq(addr_parse(&a, "[::ffff:192.0.2.1]:80"), 0);
	ck_assert(prefix_of_addr(&p, &a));
	ck_assert_uint_eq(p.family, AF_INET);
	ck_assert_uint_eq(p.bits, 32);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("prefix");

	tcase_add_loop_test(
	    tcase, test_parse, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, test_covers);
	tcase_add_test(tcase, test_cut);
	tcase_add_test(tcase, test_of_addr);
	return check_main(tcase);
}
