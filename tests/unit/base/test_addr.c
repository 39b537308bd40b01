/* SPDX-License-Identifier: Apache-2.0 */
#include "base/addr.h"

#include "base/assert.h"
#include "tests/unit/base/check_main.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

/* Text, and how it is printed if differently. */
static const struct {
	const char *text, *printed;
} good[] = {
    {"192.0.2.1:80", NULL},
    {"0.0.0.0:65535", NULL},
    {"255.255.255.255:1", NULL},
    {"10.0.0.1:00080", "10.0.0.1:80"},
    {"[2001:db8::1]:80", NULL},
    {"[::]:443", NULL},
    {"[2001:DB8:0:0:0:0:0:1]:80", "[2001:db8::1]:80"},
    {"[2001:db8:0:1:1:1:1:1]:80", NULL},
    {"[::ffff:192.0.2.1]:80", NULL},
    {"[fe80::1%7]:80", NULL},
    {"unix:/run/braid.sock", NULL},
    {"unix:@abstract name", "unix:@abstract?name"},
    {"unix:/a b", "unix:/a?b"},
    {"unix:@braid", NULL},
};

START_TEST(test_good)
{
	struct addr a, b;
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < BR_COUNT(good); i++) {
		const char *printed =
		    good[i].printed ? good[i].printed : good[i].text;

		ck_assert_msg(
		    addr_parse(&a, good[i].text) == 0, "%s", good[i].text);
		ck_assert_uint_eq(addr_format(&a, text), strlen(printed));
		ck_assert_str_eq(text, printed);
		if (strchr(text, '?'))
			continue;
		ck_assert_int_eq(addr_parse(&b, text), 0);
		ck_assert(addr_equal(&a, &b));
		ck_assert_uint_eq(addr_hash(&a, 3), addr_hash(&b, 3));
	}
}
END_TEST

static const struct {
	const char *text;
	int code;
} bad[] = {
    {"", -EINVAL},
    {":", -EINVAL},
    {":80", -EINVAL},
    {"80", -EINVAL},
    {"192.0.2.1", -EINVAL},
    {"192.0.2.1:", -EINVAL},
    {"192.0.2.1:http", -EINVAL},
    {"192.0.2.1:-1", -EINVAL},
    {"192.0.2.1:+80", -EINVAL},
    {"192.0.2.1:80 ", -EINVAL},
    {" 192.0.2.1:80", -EINVAL},
    {"192.0.2.1:8 0", -EINVAL},
    {"192.0.2.1:0", -ERANGE},
    {"192.0.2.1:65536", -ERANGE},
    {"192.0.2.1:99999999999999999999999", -ERANGE},
    {"192.0.2.1:99999999999999999999x", -EINVAL},
    {"[::1]:0", -ERANGE},
    {"192.0.2:80", -EINVAL},
    {"192.0.2.256:80", -EINVAL},
    {"0192.0.2.1:80", -EINVAL},
    {"192.0.2.1.5:80", -EINVAL},
    {"localhost:80", -EINVAL},
    {"example.com:80", -EINVAL},
    {"*:80", -EINVAL},
    {"::1:80", -EINVAL},
    {"[::1]", -EINVAL},
    {"[::1]80", -EINVAL},
    {"[::1:80", -EINVAL},
    {"::1]:80", -EINVAL},
    {"[]:80", -EINVAL},
    {"[192.0.2.1]:80", -EINVAL},
    {"[::1]x:80", -EINVAL},
    {"[[::1]]:80", -EINVAL},
    {"[fe80::1%]:80", -EINVAL},
    {"[fe80::1%0]:80", -EINVAL},
    {"[fe80::1%99999999999]:80", -EINVAL},
    {"[fe80::1%no-such-if0]:80", -ENODEV},
    {"[1111:2222:3333:4444:5555:6666:7777:8888:9999]:80", -EINVAL},
    {"[11111111111111111111111111111111111111111111111111111111111111111111]"
     ":80",
	-EINVAL},
    {"unix:", -EINVAL},
    {"unix:/", -EINVAL},
    {"unix:@", -EINVAL},
    {"unix:relative", -EINVAL},
    {"udp:127.0.0.1:53", BR_E_VERSION},
    {"udp:", BR_E_VERSION},
    {"tcp:127.0.0.1:53", -EINVAL},
};

START_TEST(test_bad)
{
	struct addr a = {.length = 77};

	for (size_t i = 0; i < BR_COUNT(bad); i++) {
		int rc = addr_parse(&a, bad[i].text);

		ck_assert_msg(rc == bad[i].code, "\"%s\": %d", bad[i].text, rc);
		ck_assert_uint_eq(a.length, 77);
	}
}
END_TEST

START_TEST(test_unix_path_lengths)
{
	char text[256], printed[ADDR_TEXT_MAX];
	struct addr a;

	for (int abstract = 0; abstract < 2; abstract++) {
		memset(text, 'x', sizeof(text));
		memcpy(text, abstract ? "unix:@" : "unix:/", 6);
		text[5 + 107] = '\0';
		ck_assert_int_eq(addr_parse(&a, text), 0);
		ck_assert_uint_le(a.length, sizeof(a.un));
		ck_assert_uint_eq(addr_format(&a, printed), 5 + 107);
		ck_assert_str_eq(printed, text);
		text[5 + 107] = 'x';
		text[5 + 108] = '\0';
		ck_assert_int_eq(addr_parse(&a, text), -ENAMETOOLONG);
	}
}
END_TEST

START_TEST(test_unix_as_the_kernel_wants_it)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(&a, "unix:@ab"), 0);
	ck_assert_uint_eq(a.length, sizeof(sa_family_t) + 3);
	ck_assert_mem_eq(a.un.sun_path, "\0ab", 3);
	ck_assert_int_eq(addr_parse(&a, "unix:/ab"), 0);
	ck_assert_uint_eq(a.length, sizeof(sa_family_t) + 4);
	ck_assert_str_eq(a.un.sun_path, "/ab");
	ck_assert(addr_is_unix(&a));
}
END_TEST

START_TEST(test_ip_without_port)
{
	char text[ADDR_TEXT_MAX];
	struct addr a;

	ck_assert_int_eq(addr_parse_ip(&a, "192.0.2.1"), 0);
	ck_assert_uint_eq(addr_port(&a), 0);
	addr_format(&a, text);
	ck_assert_str_eq(text, "192.0.2.1");
	ck_assert_int_eq(addr_parse_ip(&a, "[2001:db8::1]"), 0);
	addr_format(&a, text);
	ck_assert_str_eq(text, "2001:db8::1");
	ck_assert_int_eq(addr_parse_ip(&a, "2001:db8::1"), 0);
	addr_set_port(&a, 81);
	addr_format(&a, text);
	ck_assert_str_eq(text, "[2001:db8::1]:81");
	ck_assert_int_eq(addr_parse_ip(&a, "192.0.2.1:80"), -EINVAL);
	ck_assert_int_eq(addr_parse_ip(&a, "[192.0.2.1]"), -EINVAL);
	ck_assert_int_eq(addr_parse_ip(&a, "["), -EINVAL);
	ck_assert_int_eq(addr_parse_ip(&a, "[]"), -EINVAL);
	ck_assert_int_eq(addr_parse_ip(&a, ""), -EINVAL);
	ck_assert_int_eq(addr_parse_ip(&a, "unix:/x"), -EINVAL);
	ck_assert_int_eq(addr_parse_ip(&a, "localhost"), -EINVAL);
}
END_TEST

START_TEST(test_zone_by_name)
{
	struct if_nameindex *all = if_nameindex();
	struct addr a;
	char text[64];

	ck_assert_ptr_nonnull(all);
	for (int i = 0; all[i].if_index; i++) {
		(void)snprintf(
		    text, sizeof(text), "[fe80::1%%%s]:80", all[i].if_name);
		ck_assert_int_eq(addr_parse(&a, text), 0);
		ck_assert_uint_eq(a.in6.sin6_scope_id, all[i].if_index);
	}
	if_freenameindex(all);
}
END_TEST

START_TEST(test_equal_and_hash_see_all_parts)
{
	static const char *const texts[] = {"192.0.2.1:80", "192.0.2.2:80",
	    "192.0.2.1:81", "[::ffff:192.0.2.1]:80", "[fe80::1%1]:80",
	    "[fe80::1%2]:80", "[fe80::1]:80", "[fe80::1]:81", "[fe80::2]:80",
	    "unix:/a", "unix:@a", "unix:/ab"};
	struct addr a, b, none = {0};

	for (size_t i = 0; i < BR_COUNT(texts); i++) {
		ck_assert_int_eq(addr_parse(&a, texts[i]), 0);
		ck_assert(!addr_equal(&a, &none) && !addr_equal(&none, &a));
		for (size_t k = 0; k < BR_COUNT(texts); k++) {
			ck_assert_int_eq(addr_parse(&b, texts[k]), 0);
			ck_assert_int_eq(addr_equal(&a, &b), i == k);
			ck_assert_int_eq(
			    addr_hash(&a, 1) == addr_hash(&b, 1), i == k);
		}
	}
	ck_assert(addr_equal(&none, &none));
	ck_assert_uint_ne(addr_hash(&a, 1), addr_hash(&a, 2));
}
END_TEST

START_TEST(test_any)
{
	static const char *const texts[] = {"127.0.0.1:1", "0.0.0.1:1",
	    "[::1]:1", "[::ffff:0.0.0.0]:1", "unix:/x"};
	struct addr a = {0};

	ck_assert(!addr_is_any(&a));
	ck_assert_int_eq(addr_parse(&a, "0.0.0.0:80"), 0);
	ck_assert(addr_is_any(&a));
	ck_assert_int_eq(addr_parse(&a, "[::]:80"), 0);
	ck_assert(addr_is_any(&a));
	for (size_t i = 0; i < BR_COUNT(texts); i++) {
		ck_assert_int_eq(addr_parse(&a, texts[i]), 0);
		ck_assert_msg(!addr_is_any(&a), "%s", texts[i]);
	}
}
END_TEST

START_TEST(test_loopback)
{
	static const struct {
		const char *text;
		bool loopback;
	} cases[] = {{"127.0.0.1:1", true}, {"127.255.0.9:1", true},
	    {"128.0.0.1:1", false}, {"0.0.0.0:1", false}, {"[::1]:1", true},
	    {"[::2]:1", false}, {"[::]:1", false},
	    {"[::ffff:127.0.0.1]:1", true}, {"[::ffff:10.0.0.1]:1", false},
	    {"unix:/x", true}};
	struct addr a = {0};

	ck_assert(!addr_is_loopback(&a));
	for (size_t i = 0; i < BR_COUNT(cases); i++) {
		ck_assert_int_eq(addr_parse(&a, cases[i].text), 0);
		ck_assert_msg(addr_is_loopback(&a) == cases[i].loopback, "%s",
		    cases[i].text);
	}
}
END_TEST

/* What accept() may leave behind for a unix peer, and for none. */
START_TEST(test_format_of_odd_addresses)
{
	char text[ADDR_TEXT_MAX];
	struct addr a = {0};

	ck_assert_uint_eq(addr_format(&a, text), 1);
	ck_assert_str_eq(text, "-");
	a.un.sun_family = AF_UNIX;
	a.length = sizeof(sa_family_t);
	addr_format(&a, text);
	ck_assert_str_eq(text, "unix:");
	a.length = sizeof(sa_family_t) + 4;
	memcpy(a.un.sun_path, "\0a\0\x1b", 4);
	addr_format(&a, text);
	ck_assert_str_eq(text, "unix:@a??");
	a.length = sizeof(a);
	memset(a.un.sun_path, '/', sizeof(a.un.sun_path));
	ck_assert_uint_eq(addr_format(&a, text), 5 + 108);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("addr");

	tcase_add_test(tcase, test_good);
	tcase_add_test(tcase, test_bad);
	tcase_add_test(tcase, test_unix_path_lengths);
	tcase_add_test(tcase, test_unix_as_the_kernel_wants_it);
	tcase_add_test(tcase, test_ip_without_port);
	tcase_add_test(tcase, test_zone_by_name);
	tcase_add_test(tcase, test_equal_and_hash_see_all_parts);
	tcase_add_test(tcase, test_any);
	tcase_add_test(tcase, test_loopback);
	tcase_add_test(tcase, test_format_of_odd_addresses);
	return check_main(tcase);
}
