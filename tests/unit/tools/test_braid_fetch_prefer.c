/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_prefer.h"

#include "tests/unit/base/check_main.h"

#include <stdio.h>
#include <string.h>

/* From where each family is reached; "": not at all. */
static const char *from4, *from6;

static bool source_of(void *context, const struct addr *to, struct addr *ret)
{
	const char *text = to->sa.sa_family == AF_INET ? from4 : from6;

	ck_assert_ptr_eq(context, &from4);
	if (!*text)
		return false;
	ck_assert_int_eq(addr_parse_ip(ret, text), 0);
	return true;
}

/* The addresses in `text`, with blanks between them, as they are tried. */
static const char *sorted(const char *text)
{
	static struct fetch_place place;
	static char ret[256];
	size_t length = 0;
	char word[64];
	int n;

	place.n = 0;
	ret[0] = 0;
	for (; sscanf(text, "%63s%n", word, &n) == 1; text += n)
		ck_assert_int_eq(
		    addr_parse_ip(&place.addrs[place.n++], word), 0);
	fetch_prefer_sort(&place, source_of, &from4);
	for (uint32_t i = 0; i < place.n; i++) {
		char one[ADDR_TEXT_MAX];

		addr_format(&place.addrs[i], one);
		length += (size_t)snprintf(ret + length, sizeof ret - length,
		    "%s%s", i ? " " : "", one);
	}
	return ret;
}

/* RFC 6724 section 10.2, as far as the rules that are left out do not decide. */
START_TEST(examples)
{
	from4 = "169.254.13.78";
	from6 = "2001:db8::2";
	ck_assert_str_eq(sorted("198.51.100.121 2001:db8:1::1"),
	    "2001:db8:1::1 198.51.100.121");
	from4 = "198.51.100.117";
	from6 = "fe80::1";
	ck_assert_str_eq(sorted("2001:db8:1::1 198.51.100.121"),
	    "198.51.100.121 2001:db8:1::1");
	from4 = "10.1.2.4";
	from6 = "2001:db8::2";
	ck_assert_str_eq(
	    sorted("10.1.2.3 2001:db8:1::1"), "2001:db8:1::1 10.1.2.3");
	/* A better label, a higher precedence. */
	from6 = "2002:c633:6401::2";
	ck_assert_str_eq(sorted("2001:db8:1::1 2002:c633:6401::1"),
	    "2002:c633:6401::1 2001:db8:1::1");
	from6 = "2001:db8::2";
	ck_assert_str_eq(sorted("2002:c633:6401::1 2001:db8:1::1"),
	    "2001:db8:1::1 2002:c633:6401::1");
}
END_TEST

START_TEST(without_a_way)
{
	from4 = "10.1.2.4";
	from6 = "";
	ck_assert_str_eq(sorted("2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2"),
	    "192.0.2.1 192.0.2.2 2001:db8::1 2001:db8::2");
	from4 = "";
	ck_assert_str_eq(
	    sorted("192.0.2.1 2001:db8::1"), "2001:db8::1 192.0.2.1");
}
END_TEST

/* Only unique local addresses here: public IPv6 is not reached with them. */
START_TEST(of_a_private_network)
{
	from4 = "10.1.2.4";
	from6 = "fd00::2";
	ck_assert_str_eq(sorted("2001:db8::1 192.0.2.1 fd00::1"),
	    "192.0.2.1 fd00::1 2001:db8::1");
}
END_TEST

/* Whatever the DNS has made of the order, it stays. */
START_TEST(equal_ones)
{
	from4 = "127.0.0.1";
	from6 = "::1";
	ck_assert_str_eq(sorted("127.0.0.13 127.0.0.11 127.0.0.12"),
	    "127.0.0.13 127.0.0.11 127.0.0.12");
	ck_assert_str_eq(sorted("127.0.0.1 ::1"), "::1 127.0.0.1");
	from4 = "192.0.2.77";
	ck_assert_str_eq(
	    sorted("203.0.113.9 192.0.2.78"), "203.0.113.9 192.0.2.78");
	ck_assert_str_eq(sorted(""), "");
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("braid_fetch_prefer");

	tcase_add_test(tcase, examples);
	tcase_add_test(tcase, without_a_way);
	tcase_add_test(tcase, of_a_private_network);
	tcase_add_test(tcase, equal_ones);
	return check_main(tcase);
}
