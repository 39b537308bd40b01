/* SPDX-License-Identifier: Apache-2.0 */
/* The vectors of RFC 9460 appendix D, and what else can be wrong. */
#include "dnsd/svcb.h"

#include "base/assert.h"
#include "dnsd/rdata.h"
#include "tests/unit/base/check_main.h"

#include <string.h>

static uint8_t wire[RDATA_MAX];

static void is(
    const char *text, const void *bytes, size_t length, const char *printed)
{
	const char *texts[] = {text, printed};

	for (int i = 0; i < 2; i++) {
		uint16_t got = 0;
		const char *wrong =
		    rdata_from_text(RR_SVCB, texts[i], NULL, wire, &got);
		struct strbuf sb;

		ck_assert_msg(!wrong, "%s: %s", texts[i], wrong);
		ck_assert_uint_eq(got, length);
		ck_assert_mem_eq(wire, bytes, length);
		strbuf_init(&sb);
		rdata_to_text(&sb, RR_SVCB, wire, got);
		ck_assert_str_eq(strbuf_text(&sb), printed);
		strbuf_fini(&sb);
	}
}

#define IS(text, bytes, printed) is(text, bytes, sizeof(bytes) - 1, printed)

static void refused(const char *text, const char *why)
{
	uint16_t length;
	const char *wrong =
	    rdata_from_text(RR_HTTPS, text, NULL, wire, &length);

	ck_assert_msg(wrong, "%s was taken", text);
	ck_assert_str_eq(wrong, why);
}

#define FOO "\3foo\7example\3com\0"

/* RFC 9460 appendix D.1 and D.2. */
START_TEST(test_vectors)
{
	IS("0 foo.example.com.", "\0\0" FOO, "0 foo.example.com.");
	IS("1 .", "\0\1\0", "1 .");
	IS("16 foo.example.com. port=53", "\0\x10" FOO "\0\3\0\2\0\x35",
	    "16 foo.example.com. port=53");
	IS("1 foo.example.com. key667=hello", "\0\1" FOO "\2\x9b\0\5hello",
	    "1 foo.example.com. key667=\"hello\"");
	IS("1 foo.example.com. key667=\"hello\\210qoo\"",
	    "\0\1" FOO "\2\x9b\0\11hello\xd2qoo",
	    "1 foo.example.com. key667=\"hello\\210qoo\"");
	IS("1 foo.example.com. ipv6hint=\"2001:db8::1,2001:db8::53:1\"",
	    "\0\1" FOO "\0\6\0\x20"
	    " \1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\1 \1\r\xb8\0\0\0\0\0\0\0\0"
	    "\0\x53\0\1",
	    "1 foo.example.com. ipv6hint=2001:db8::1,2001:db8::53:1");
	IS("1 example.com. ipv6hint=\"2001:db8:122:344::192.0.2.33\"",
	    "\0\1\7example\3com\0\0\6\0\x10"
	    " \1\r\xb8\1\x22\3\x44\0\0\0\0\xc0\0\2\x21",
	    "1 example.com. ipv6hint=2001:db8:122:344::c000:221");
	IS("16 foo.example.org. (alpn=h2,h3-19 mandatory=ipv4hint,alpn "
	   "ipv4hint=192.0.2.1)",
	    "\0\x10\3foo\7example\3org\0\0\0\0\4\0\1\0\4"
	    "\0\1\0\11\2h2\5h3-19\0\4\0\4\xc0\0\2\1",
	    "16 foo.example.org. mandatory=alpn,ipv4hint alpn=\"h2,h3-19\" "
	    "ipv4hint=192.0.2.1");
	IS("16 foo.example.org. alpn=\"f\\\\\\\\oo\\\\,bar,h2\"",
	    "\0\x10\3foo\7example\3org\0\0\1\0\14\10f\\oo,bar\2h2",
	    "16 foo.example.org. alpn=\"f\\\\\\\\oo\\\\,bar,h2\"");
	IS("16 foo.example.org. alpn=f\\\\\\092oo\\092,bar,h2",
	    "\0\x10\3foo\7example\3org\0\0\1\0\14\10f\\oo,bar\2h2",
	    "16 foo.example.org. alpn=\"f\\\\\\\\oo\\\\,bar,h2\"");
}
END_TEST

/* RFC 9460 appendix D.3. */
START_TEST(test_failures)
{
	refused("1 foo.example.com. key123=abc key123=def",
	    "the data of HTTPS has a key twice or keys out of order");
	refused("1 foo.example.com. mandatory",
	    "the data of HTTPS has an empty mandatory");
	refused(
	    "1 foo.example.com. alpn", "the data of HTTPS has an empty alpn");
	refused("1 foo.example.com. port",
	    "the data of HTTPS has a port that is not two bytes");
	refused("1 foo.example.com. ipv4hint",
	    "the data of HTTPS has an ipv4hint that is not of IPv4 "
	    "addresses");
	refused("1 foo.example.com. ipv6hint",
	    "the data of HTTPS has an ipv6hint that is not of IPv6 "
	    "addresses");
	refused("1 foo.example.com. alpn=h2 no-default-alpn=abc",
	    "the data of HTTPS has a no-default-alpn with a value");
	refused("1 foo.example.com. mandatory=key123",
	    "the data of HTTPS lacks a key that mandatory names");
	refused("1 foo.example.com. mandatory=mandatory",
	    "the data of HTTPS has a mandatory that names mandatory, a key "
	    "twice or keys out of order");
	refused("1 foo.example.com. mandatory=key123,key123 key123=abc",
	    "the data of HTTPS has a mandatory that names mandatory, a key "
	    "twice or keys out of order");
}
END_TEST

START_TEST(test_more_failures)
{
	refused("1 . foo=bar",
	    "\"foo=bar\" is not a SvcParam of a key that is known; others "
	    "are written as key<number>=");
	refused("1 . ALPN=h2",
	    "\"ALPN=h2\" is not a SvcParam of a key that is known; others "
	    "are written as key<number>=");
	refused("1 . key01=a",
	    "\"key01=a\" is not a SvcParam of a key that is known; others "
	    "are written as key<number>=");
	refused("1 . \"alpn=h2\"", "\"alpn=h2\" must not be quoted as a whole");
	refused("1 . alpn=h2,", "\"alpn=h2,\" has an empty protocol");
	refused("1 . alpn=h2,,h3", "\"alpn=h2,,h3\" has an empty protocol");
	refused("1 . alpn=\"h2\"x", "\"alpn=\"h2\"x\" goes on after its value");
	refused("1 . alpn=h\"2\"", "\"alpn=h\"2\"\" has a quote in its value");
	refused("1 . alpn=\"h2", "\"alpn=\"h2\" has no closing quote");
	refused(
	    "1 . port=65536", "\"port=65536\" is not a port from 0 to 65535");
	refused("1 . port=a", "\"port=a\" is not a port from 0 to 65535");
	refused("1 . ipv4hint=2001:db8::1",
	    "\"ipv4hint=2001:db8::1\" is not a list of IPv4 addresses");
	refused("1 . ipv4hint=192.0.2.1\\000",
	    "\"ipv4hint=192.0.2.1\\000\" is not a list of IPv4 addresses");
	refused("1 . ipv6hint=192.0.2.1",
	    "\"ipv6hint=192.0.2.1\" is not a list of IPv6 addresses");
	refused("1 . ech=A", "\"ech=A\" ends in the middle of a byte");
	refused("1 . mandatory=foo",
	    "\"mandatory=foo\" names a key that is not known");
	refused("1 . no-default-alpn",
	    "the data of HTTPS has no-default-alpn without alpn");
	refused("1 . key65535=a",
	    "the data of HTTPS has the key 65535, which is reserved");
	refused("1 . dohpath=abc",
	    "the data of HTTPS has a dohpath that is not like "
	    "/dns-query{?dns}");
	refused("1 . ohttp=a", "the data of HTTPS has an ohttp with a value");
	/* The generic form of a known key is held to its rules. */
	refused("1 . key1=h2",
	    "the data of HTTPS has an alpn with an empty or broken protocol");
	refused("1 . key3=abc",
	    "the data of HTTPS has a port that is not two bytes");
	refused("1", "HTTPS ends after 1 of its 3 fields");
	refused("1 . alpn=\\", "\"alpn=\\\" ends in the middle of an escape");
	refused("1 . alpn=h2\\\\", "\"alpn=h2\\\\\" ends in the middle of an "
				   "escape");
}
END_TEST

START_TEST(test_forms)
{
	/* BIND takes parameters of an alias, and so do we: clients pass over
	 * them (RFC 9460 section 2.4.2). */
	IS("0 a. alpn=h2", "\0\0\1a\0\0\1\0\3\2h2", "0 a. alpn=\"h2\"");
	IS("1 . key1=\\002h2", "\0\1\0\0\1\0\3\2h2", "1 . alpn=\"h2\"");
	IS("1 . key99", "\0\1\0\0\x63\0\0", "1 . key99");
	IS("1 . key99=\"\"", "\0\1\0\0\x63\0\0", "1 . key99");
	IS("1 . key99=\"a b;(c\"",
	    "\0\1\0\0\x63\0\6"
	    "a b;(c",
	    "1 . key99=\"a b;(c\"");
	IS("1 . ohttp alpn=h2 no-default-alpn ech=AQID",
	    "\0\1\0\0\1\0\3\2h2\0\2\0\0\0\5\0\3\1\2\3\0\10\0\0",
	    "1 . alpn=\"h2\" no-default-alpn ech=AQID ohttp");
	IS("1 . dohpath=/dns-query{?dns}", "\0\1\0\0\7\0\20/dns-query{?dns}",
	    "1 . dohpath=\"/dns-query{?dns}\"");
}
END_TEST

static void wrong_is(const char *bytes, size_t length, const char *why)
{
	const char *wrong = svcb_params_wrong((const uint8_t *)bytes, length);

	if (why)
		ck_assert_str_eq(wrong, why);
	else
		ck_assert_ptr_null(wrong);
}

START_TEST(test_wire)
{
	wrong_is("", 0, NULL);
	wrong_is("\0\3\0\2\0\1", 6, NULL);
	wrong_is("\0\3\0\2\0", 5, "ends in the middle of a SvcParam");
	wrong_is("\0\3\0", 3, "ends in the middle of a SvcParam");
	wrong_is("\0", 1, "ends in the middle of a SvcParam");
	wrong_is("\0\3\0\2\0\1\0\3\0\2\0\1", 12,
	    "has a key twice or keys out of order");
	wrong_is(
	    "\0\x63\0\0\0\x62\0\0", 8, "has a key twice or keys out of order");
	wrong_is("\0\0\0\1\0", 5, "has a mandatory that ends within a key");
	wrong_is(
	    "\0\1\0\3\3h2", 7, "has an alpn with an empty or broken protocol");
	wrong_is(
	    "\0\1\0\1\0", 5, "has an alpn with an empty or broken protocol");
	wrong_is("\0\4\0\3\0\0\0", 7,
	    "has an ipv4hint that is not of IPv4 addresses");
	wrong_is("\0\5\0\0", 4, "has an empty ech");
}
END_TEST

START_TEST(test_write)
{
	static const uint8_t ipv4[][4] = {{192, 0, 2, 1}, {192, 0, 2, 2}};
	static const uint8_t ipv6[][16] = {{32, 1, 13, 184, [15] = 1}};
	static const char *const alpn[] = {"h2", "http/1.1"};
	struct svcb_fields fields = {.priority = 1,
	    .port = 8443,
	    .target = (const uint8_t *)"",
	    .alpn = alpn,
	    .n_alpn = 2,
	    .ipv4 = ipv4,
	    .n_ipv4 = 2,
	    .ipv6 = ipv6,
	    .n_ipv6 = 1};
	uint8_t bytes[128];
	uint16_t length;
	size_t n = svcb_write(&fields, bytes, sizeof bytes);

	ck_assert_ptr_null(rdata_from_text(RR_HTTPS,
	    "1 . alpn=h2,http/1.1 port=8443 ipv4hint=192.0.2.1,192.0.2.2 "
	    "ipv6hint=2001:db8::1",
	    NULL, wire, &length));
	ck_assert_uint_eq(n, length);
	ck_assert_mem_eq(bytes, wire, n);
	/* Not a byte less of room. */
	ck_assert_uint_eq(svcb_write(&fields, bytes, n), n);
	for (size_t room = 0; room < n; room++)
		ck_assert_uint_eq(svcb_write(&fields, bytes, room), 0);
	fields = (struct svcb_fields){
	    .priority = 1, .target = (const uint8_t *)"\1a"};
	ck_assert_uint_eq(svcb_write(&fields, bytes, sizeof bytes), 5);
	ck_assert_mem_eq(bytes, "\0\1\1a", 5);
	/* An alias is nothing but its target. */
	fields.priority = 0;
	fields.port = 443;
	ck_assert_uint_eq(svcb_write(&fields, bytes, sizeof bytes), 5);
	ck_assert_mem_eq(bytes, "\0\0\1a", 5);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("svcb");

	tcase_add_test(tcase, test_vectors);
	tcase_add_test(tcase, test_failures);
	tcase_add_test(tcase, test_more_failures);
	tcase_add_test(tcase, test_forms);
	tcase_add_test(tcase, test_wire);
	tcase_add_test(tcase, test_write);
	return check_main(tcase);
}
