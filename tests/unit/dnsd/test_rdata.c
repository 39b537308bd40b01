/* SPDX-License-Identifier: Apache-2.0 */
/* Each text against its wire form, written by hand from the RFCs, and back. */
#include "dnsd/rdata.h"

#include "base/assert.h"
#include "dnsd/dname.h"
#include "tests/unit/base/check_main.h"

#include <string.h>

static const uint8_t origin[] = "\7example\3org";
static uint8_t wire[RDATA_MAX];

static uint16_t read_text(uint16_t type, const char *text)
{
	uint16_t length = 0;
	const char *wrong = rdata_from_text(type, text, origin, wire, &length);

	ck_assert_msg(!wrong, "%s: %s", text, wrong);
	ck_assert_ptr_null(rdata_wrong(type, wire, length));
	return length;
}

static void prints(
    uint16_t type, const uint8_t *rdata, uint16_t length, const char *text)
{
	struct strbuf sb;

	strbuf_init(&sb);
	rdata_to_text(&sb, type, rdata, length);
	ck_assert_str_eq(strbuf_text(&sb), text);
	strbuf_fini(&sb);
}

/* `text` becomes `bytes`, and these are printed as `printed`. */
static void is(uint16_t type, const char *text, const void *bytes,
    size_t length, const char *printed)
{
	ck_assert_uint_eq(read_text(type, text), length);
	ck_assert_mem_eq(wire, bytes, length);
	prints(type, wire, (uint16_t)length, printed);
	/* What is printed means the same. */
	ck_assert_uint_eq(read_text(type, printed), length);
	ck_assert_mem_eq(wire, bytes, length);
}

#define IS(type, text, bytes, printed)                                         \
	is(type, text, bytes, sizeof(bytes) - 1, printed)

static void refused(uint16_t type, const char *text, const char *why)
{
	uint16_t length = 4711;
	const char *wrong = rdata_from_text(type, text, origin, wire, &length);

	ck_assert_msg(wrong, "%s was taken", text);
	ck_assert_str_eq(wrong, why);
	ck_assert_uint_eq(length, 4711);
}

START_TEST(test_addresses)
{
	IS(RR_A, "192.0.2.1", "\xc0\0\2\1", "192.0.2.1");
	IS(RR_A, " ( 0.0.0.0 ; comment\n )", "\0\0\0\0", "0.0.0.0");
	IS(RR_A, "255.255.255.255", "\xff\xff\xff\xff", "255.255.255.255");
	refused(RR_A, "192.0.2.300", "\"192.0.2.300\" is not an IPv4 address");
	refused(RR_A, "192.0.2", "\"192.0.2\" is not an IPv4 address");
	refused(RR_A, "192.0.2.", "\"192.0.2.\" is not an IPv4 address");
	refused(RR_A, "192.0.2.1.", "\"192.0.2.1.\" is not an IPv4 address");
	refused(RR_A, "192.0..1", "\"192.0..1\" is not an IPv4 address");
	/* Octal to some. */
	refused(RR_A, "192.0.2.01", "\"192.0.2.01\" is not an IPv4 address");
	refused(RR_A, "\"192.0.2.1\"", "\"192.0.2.1\" must not be quoted");
	refused(RR_A, "", "A has no data here");
	refused(RR_A, "192.0.2.1 x", "\"x\" is one field too many for A");
	refused(
	    RR_A, "192.0.2.1\n192.0.2.1", "\"192.0.2.1\" begins a second line");
	IS(RR_AAAA, "2001:DB8::1", " \1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\1",
	    "2001:db8::1");
	IS(RR_AAAA, "::ffff:192.0.2.1",
	    "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", "::ffff:192.0.2.1");
	refused(
	    RR_AAAA, "2001:db8::g", "\"2001:db8::g\" is not an IPv6 address");
	refused(
	    RR_AAAA, "fe80::1%eth0", "\"fe80::1%eth0\" is not an IPv6 address");
	refused(RR_AAAA, "192.0.2.1", "\"192.0.2.1\" is not an IPv6 address");
	IS(RR_EUI48, "00-00-5E-00-53-2a", "\0\0\x5e\0\x53\x2a",
	    "00-00-5e-00-53-2a");
	IS(RR_EUI64, "00-00-5e-ef-10-00-00-2a", "\0\0\x5e\xef\x10\0\0\x2a",
	    "00-00-5e-ef-10-00-00-2a");
	refused(RR_EUI48, "00:00:5e:00:53:2a",
	    "\"00:00:5e:00:53:2a\" is not like 00-00-5e-00-53-2a");
}
END_TEST

START_TEST(test_names)
{
	IS(RR_NS, "ns", "\2ns\7example\3org\0", "ns.example.org.");
	IS(RR_CNAME, "@", "\7example\3org\0", "example.org.");
	IS(RR_PTR, ".", "\0", ".");
	IS(RR_DNAME, "Other.", "\5Other\0", "Other.");
	IS(RR_MX, "10 mail", "\0\12\4mail\7example\3org\0",
	    "10 mail.example.org.");
	IS(RR_SRV, "1 2 65535 a.", "\0\1\0\2\xff\xff\1a\0", "1 2 65535 a.");
	IS(RR_SOA, "ns h 2026112101 2h 15m 1209600 1h30m",
	    "\2ns\7example\3org\0\1h\7example\3org\0"
	    "\x78\xc4\4\x65\0\0\x1c\x20\0\0\3\x84\0\x12\x75\0\0\0\x15\x18",
	    "ns.example.org. h.example.org. 2026112101 7200 900 1209600 5400");
	IS(RR_RP, "a. b.", "\1a\0\1b\0", "a. b.");
	refused(RR_NS, "a..b", "\"a..b\" has an empty label");
	refused(RR_NS, "\"ns\"", "\"ns\" must not be quoted");
	refused(RR_MX, "mail", "\"mail\" is not a number from 0 to 65535");
	refused(RR_MX, "65536 a", "\"65536\" is not a number from 0 to 65535");
	refused(RR_MX, "10", "MX ends after 1 of its 2 fields");
	refused(RR_MX, "10 a b", "\"b\" is one field too many for MX");
	refused(RR_SOA, "a b 4294967296 1 1 1 1",
	    "\"4294967296\" is not a number from 0 to 4294967295");
	refused(RR_SOA, "a b 1 2 1h30 4 5",
	    "\"1h30\" is not a time such as 3600 or 1h30m");
	refused(RR_SOA, "a b 1 2 3 4", "SOA ends after 6 of its 7 fields");
}
END_TEST

START_TEST(test_strings)
{
	char text[4 * 256 + 3], *at = text;

	IS(RR_TXT, "\"a b\" c", "\3a b\1c", "\"a b\" \"c\"");
	IS(RR_TXT, "\"\"", "\0", "\"\"");
	IS(RR_TXT, "a\\;b \\\"\\\\ \"\\000\\255;\"", "\3a;b\2\"\\\3\0\xff;",
	    "\"a;b\" \"\\\"\\\\\" \"\\000\\255;\"");
	/* What follows a quoted string closely is a string as well. */
	IS(RR_TXT, "\"a\"\"b\"c", "\1a\1b\1c", "\"a\" \"b\" \"c\"");
	IS(RR_SPF, "v=spf1", "\6v=spf1", "\"v=spf1\"");
	IS(RR_HINFO, "PC \"a b\"", "\2PC\3a b", "\"PC\" \"a b\"");
	IS(RR_CAA, "0 issue ca.example", "\0\5issueca.example",
	    "0 issue \"ca.example\"");
	IS(RR_CAA, "128 issue \"a;b\"", "\x80\5issuea;b", "128 issue \"a;b\"");
	IS(RR_CAA, "0 issue \"\"", "\0\5issue", "0 issue \"\"");
	IS(RR_URI, "10 1 \"ftp://x/\"", "\0\12\0\1ftp://x/",
	    "10 1 \"ftp://x/\"");
	refused(RR_TXT, "", "TXT has no data here");
	refused(RR_TXT, "\"a", "\"a\" has no closing quote");
	refused(RR_TXT, "a\\", "\"a\\\" ends in the middle of an escape");
	refused(RR_TXT, "\\256", "\"\\256\" has an escape above 255");
	refused(
	    RR_TXT, "\\25", "\"\\25\" has an escape of less than three digits");
	refused(RR_HINFO, "\"a b\"", "HINFO ends after 1 of its 2 fields");
	refused(RR_CAA, "0 is-sue x",
	    "the data of CAA has a tag that is not letters and digits");
	refused(RR_CAA, "0 issue a b", "\"b\" is one field too many for CAA");
	refused(RR_CAA, "256 issue a", "\"256\" is not a number from 0 to 255");
	refused(RR_URI, "1 1 \"\"", "the data of URI has an empty target");
	/* 255 bytes are a string, however they are written; 256 are none. */
	for (int i = 0; i < 255; i++, at += 4)
		memcpy(at, "\\001", 4);
	*at = '\0';
	ck_assert_uint_eq(read_text(RR_TXT, text), 256);
	*at++ = 'x';
	*at = '\0';
	ck_assert_ptr_nonnull(
	    strstr(rdata_from_text(RR_TXT, text, origin, wire, &(uint16_t){0}),
		"is longer than 255 bytes: split it into several strings"));
}
END_TEST

START_TEST(test_naptr)
{
	IS(RR_NAPTR, "100 10 \"S\" \"SIP+D2U\" \"!^.*$!sip:x@a!\" _sip._udp",
	    "\0\x64\0\12\1S\7SIP+D2U\16!^.*$!sip:x@a!"
	    "\4_sip\4_udp\7example\3org\0",
	    "100 10 \"S\" \"SIP+D2U\" \"!^.*$!sip:x@a!\" "
	    "_sip._udp.example.org.");
	IS(RR_NAPTR, "1 2 \"\" \"\" \"/a\\\\/b/c/i\" .",
	    "\0\1\0\2\0\0\11/a\\/b/c/i\0", "1 2 \"\" \"\" \"/a\\\\/b/c/i\" .");
	refused(RR_NAPTR, "1 2 \"S\" \"\" \"!a\" .",
	    "the data of NAPTR has a regexp that is not like !a!b!");
	refused(RR_NAPTR, "1 2 \"S\" \"\" \"!a!b!x\" .",
	    "the data of NAPTR has a regexp that is not like !a!b!");
	refused(RR_NAPTR, "1 2 \"S\" \"\" \"1a1b1\" .",
	    "the data of NAPTR has a regexp that is not like !a!b!");
}
END_TEST

START_TEST(test_digits)
{
	IS(RR_TLSA, "3 1 1 0a0B 0C", "\3\1\1\12\13\14", "3 1 1 0A0B0C");
	IS(RR_DS, "60485 5 1 ( 2BB183AF5F22588179A53B0A\n98631FAD1A292118 )",
	    "\xec\x45\5\1\x2b\xb1\x83\xaf\x5f\x22\x58\x81\x79\xa5\x3b\x0a"
	    "\x98\x63\x1f\xad\x1a\x29\x21\x18",
	    "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118");
	/* RFC 8078 section 4: no more DS. */
	IS(RR_CDS, "0 0 0 00", "\0\0\0\0\0", "0 0 0 00");
	IS(RR_CDNSKEY, "0 3 0 AA==", "\0\0\3\0\0", "0 3 0 AA==");
	IS(RR_DNSKEY, "257 3 ECDSAP256SHA256 AQ I D", "\1\1\3\15\1\2\3",
	    "257 3 13 AQID");
	IS(RR_NSEC3PARAM, "1 0 10 aabb", "\1\0\0\12\2\xaa\xbb", "1 0 10 AABB");
	IS(RR_NSEC3PARAM, "1 0 0 -", "\1\0\0\0\0", "1 0 0 -");
	IS(RR_CERT, "PKIX 1 rsasha256 AQID", "\0\1\0\1\10\1\2\3", "1 1 8 AQID");
	refused(RR_TLSA, "3 1 1", "TLSA ends after 3 of its 4 fields");
	refused(RR_TLSA, "3 1 1 abc",
	    "what begins here has an odd number of hexadecimal digits");
	refused(RR_TLSA, "3 1 1 xy", "\"xy\" is not hexadecimal");
	refused(RR_TLSA, "3 1 1 \"ab\"", "\"ab\" must not be quoted");
	refused(RR_DS, "1 5 1 AA",
	    "the data of DS has a digest of a wrong length for its type");
	refused(RR_SSHFP, "1 2 AA",
	    "the data of SSHFP has a digest of a wrong length for its type");
	refused(RR_DNSKEY, "257 3 13 AQI",
	    "what begins here is not padded with = to groups of four");
	refused(RR_DNSKEY, "257 3 FOO AQID",
	    "\"FOO\" is not a number from 0 to 255");
}
END_TEST

START_TEST(test_dnssec)
{
	/* RFC 4034 sections 3.3 and 4.3. */
	IS(RR_RRSIG,
	    "A 5 3 86400 20030322173103 20030220173103 2642 example. AQID",
	    "\0\1\5\3\0\1\x51\x80\x3e\x7c\x9d\xd7\x3e\x55\x10\xd7\12\x52"
	    "\7example\0\1\2\3",
	    "A 5 3 86400 20030322173103 20030220173103 2642 example. AQID");
	IS(RR_RRSIG, "TYPE65280 13 0 0 4294967295 0 0 . AA==",
	    "\xff\0\15\0\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0",
	    "TYPE65280 13 0 0 21060207062815 19700101000000 0 . AA==");
	IS(RR_NSEC, "host.example.com. (A MX RRSIG\nNSEC TYPE1234)",
	    "\4host\7example\3com\0\0\6\x40\1\0\0\0\3\4\x1b\0\0\0\0\0\0\0\0\0"
	    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x20",
	    "host.example.com. A MX RRSIG NSEC TYPE1234");
	/* RFC 5155: an empty non-terminal has no types. */
	IS(RR_NSEC3, "1 1 12 aabbccdd 2vptu5timamqttgl4luu9kg21e0aor3s",
	    "\1\1\0\14\4\xaa\xbb\xcc\xdd\24\x17\xf3\xdf\x17\xb2\xb2\xad\xae\xf6"
	    "\x15\x25\x7d\xe4\xd2\x02\x0b\x80\xac\x6c\x7c",
	    "1 1 12 AABBCCDD 2VPTU5TIMAMQTTGL4LUU9KG21E0AOR3S");
	IS(RR_CSYNC, "66 3 A NS AAAA", "\0\0\0\x42\0\3\0\4\x60\0\0\10",
	    "66 3 A NS AAAA");
	refused(RR_RRSIG,
	    "A 5 3 86400 20031322173103 20030220173103 2642 example. AQID",
	    "\"20031322173103\" is not a time as YYYYMMDDHHmmSS");
	refused(RR_RRSIG,
	    "A 5 3 86400 21070322173103 20030220173103 2642 example. AQID",
	    "\"21070322173103\" is not a time from 1970 to 2106");
	refused(RR_RRSIG, "FOO 5 3 1 1 1 1 a. AQID", "\"FOO\" is not a type");
	refused(RR_NSEC, "a. FOO", "\"FOO\" is not a type");
	refused(RR_NSEC, "a.", "the data of NSEC names no type");
}
END_TEST

START_TEST(test_loc)
{
	/* RFC 1876 section 4. */
	IS(RR_LOC, "42 21 54 N 71 06 18 W -24m 30m",
	    "\0\x33\x16\x13\x89\x17\x2d\xd0\x70\xbe\x15\xf0\0\x98\x8d\x20",
	    "42 21 54.000 N 71 6 18.000 W -24.00m 30m 10000m 10m");
	IS(RR_LOC, "0 N 0 E 0",
	    "\0\x12\x16\x13\x80\0\0\0\x80\0\0\0\0\x98\x96\x80",
	    "0 0 0.000 N 0 0 0.000 E 0.00m 1m 10000m 10m");
	IS(RR_LOC, "90 S 180 W 42849672.95m 0.05 9 90000000m",
	    "\0\x50\x92\x99\x6c\xb0\x27\0\x59\x60\x4e\0\xff\xff\xff\xff",
	    "90 0 0.000 S 180 0 0.000 W 42849672.95m 0.05m 9m 90000000m");
	refused(RR_LOC, "91 N 0 E 0",
	    "\"91\" is not in place in degrees, minutes, seconds and N or S");
	refused(RR_LOC, "90 1 N 0 E 0",
	    "\"N\" is not in place in degrees, minutes, seconds and N or S");
	refused(RR_LOC, "1 60 N 0 E 0",
	    "\"60\" is not in place in degrees, minutes, seconds and N or S");
	refused(RR_LOC, "1 N 0 X 0",
	    "\"X\" is not in place in degrees, minutes, seconds and E or W");
	refused(
	    RR_LOC, "1 N 0 E", "the end of the line is not a length in metres");
	refused(RR_LOC, "1 N 0 E 1 2 3 4 5", "\"5\" is not a length in metres");
}
END_TEST

START_TEST(test_generic)
{
	IS(4711, "\\# 4 C0 000201", "\xc0\0\2\1", "\\# 4 C0000201");
	IS(4711, "\\# 0", "", "\\# 0");
	/* RFC 3597 section 5: a known type is one all the same. */
	IS(RR_A, "\\# 4 c0000201", "\xc0\0\2\1", "192.0.2.1");
	IS(RR_APL, "\\# 1 00", "\0", "\\# 1 00");
	refused(RR_A, "\\# 3 c00002",
	    "the data of A ends in the middle of a field");
	refused(RR_MX, "\\# 4 000A C001",
	    "the data of MX has a name that is not well formed");
	refused(RR_A, "\\# 5 c000020100",
	    "the data of A goes on after its last field");
	refused(4711, "\\# 2 C0000201",
	    "the data is said to have 2 bytes and has 4");
	refused(4711, "\\# 2 C00",
	    "the data has an odd number of "
	    "hexadecimal digits");
	refused(
	    4711, "\\# 65536 00", "\"65536\" is not a length from 0 to 65535");
	refused(4711, "\\#", "TYPE4711 has no data here");
	refused(4711, "C0000201",
	    "TYPE4711 has no form of its own here; write its data as "
	    "\\# LENGTH HEX");
}
END_TEST

/* Wire data that is not right, which no text gives. */
START_TEST(test_wrong)
{
	static const struct {
		uint16_t type;
		const char *bytes;
		uint16_t length;
		const char *why;
	} cases[] = {
	    {RR_A, "", 0, "ends in the middle of a field"},
	    {RR_TXT, "", 0, "has no string"},
	    {RR_TXT, "\2a", 2, "ends in the middle of a string"},
	    {RR_NS, "\1a", 2, "has a name that is not well formed"},
	    {RR_NS, "\xc0\x0c", 2, "has a name that is not well formed"},
	    {RR_CAA, "\0\0", 2, "has an empty tag"},
	    {RR_CAA, "\0\5a", 3, "ends in the middle of a field"},
	    {RR_DNSKEY, "\1\1\3\15", 4, "ends before its last field"},
	    {RR_NSEC, "\0\1\1\x40\0\1\x40", 7,
		"has windows of types out of order"},
	    {RR_NSEC, "\0\0\1\x00", 4,
		"has a bitmap of types of a wrong length"},
	    {RR_NSEC, "\0\0\0", 3, "has a bitmap of types of a wrong length"},
	    {RR_NSEC, "\0\0\4\x40", 4,
		"ends in the middle of a bitmap of types"},
	    {RR_NSEC3, "\1\0\0\0\0\0", 6, "has an empty hash"},
	    {RR_LOC, "\1\0\0\0\x80\0\0\0\x80\0\0\0\0\0\0\0", 16,
		"has a version other than 0"},
	    {RR_LOC, "\0\xa0\0\0\x80\0\0\0\x80\0\0\0\0\0\0\0", 16,
		"has a precision that is no digit and power"},
	    {RR_LOC, "\0\0\0\0\0\0\0\0\x80\0\0\0\0\0\0\0", 16,
		"lies outside of the earth's angles"},
	    {RR_ZONEMD, "\0\0\0\1\1\1\0", 7,
		"has a digest of less than 12 bytes"},
	};

	for (size_t i = 0; i < BR_COUNT(cases); i++) {
		const uint8_t *bytes = (const uint8_t *)cases[i].bytes;
		const char *wrong =
		    rdata_wrong(cases[i].type, bytes, cases[i].length);
		struct strbuf sb;

		ck_assert_str_eq(wrong, cases[i].why);
		/* It is printed all the same. */
		strbuf_init(&sb);
		rdata_to_text(&sb, cases[i].type, bytes, cases[i].length);
		ck_assert_mem_eq(sb.text, "\\# ", 3);
		strbuf_fini(&sb);
	}
	/* Unknown to us is right. */
	ck_assert_ptr_null(rdata_wrong(4711, NULL, 0));
}
END_TEST

static void has_names(uint16_t type, const char *text, uint32_t n,
    struct rdata_name first, struct rdata_name second)
{
	struct rdata_name names[RDATA_NAMES_MAX];
	uint16_t length = read_text(type, text);

	ck_assert_uint_eq(rdata_names(type, wire, length, names), n);
	for (uint32_t i = 0; i < n; i++) {
		struct rdata_name expected = i ? second : first;

		ck_assert_uint_eq(names[i].at, expected.at);
		ck_assert_int_eq(names[i].packed, expected.packed);
		ck_assert_int_eq(names[i].lower, expected.lower);
	}
}

START_TEST(test_names_inside)
{
	struct rdata_name none = {0};

	has_names(RR_A, "192.0.2.1", 0, none, none);
	has_names(RR_MX, "1 a.", 1, (struct rdata_name){2, true, true}, none);
	has_names(RR_SOA, "a. b. 1 2 3 4 5", 2,
	    (struct rdata_name){0, true, true},
	    (struct rdata_name){3, true, true});
	/* RFC 3597 section 4: not compressed, but in lower case. */
	has_names(
	    RR_SRV, "1 2 3 a.", 1, (struct rdata_name){6, false, true}, none);
	has_names(RR_DNAME, "a.", 1, (struct rdata_name){0, false, true}, none);
	has_names(RR_NAPTR, "1 2 a bc \"\" x.", 1,
	    (struct rdata_name){10, false, true}, none);
	has_names(RR_RRSIG, "A 5 3 1 1 1 1 a. AQID", 1,
	    (struct rdata_name){18, false, true}, none);
	/* RFC 6840 section 5.1. */
	has_names(
	    RR_NSEC, "a. A", 1, (struct rdata_name){0, false, false}, none);
	has_names(RR_HTTPS, "1 a. port=1", 1,
	    (struct rdata_name){2, false, false}, none);
}
END_TEST

START_TEST(test_canonical)
{
	uint16_t length = read_text(RR_SOA, "NS.Example. H.eXample. 1 2 3 4 5");

	rdata_make_canonical(RR_SOA, wire, length);
	prints(RR_SOA, wire, length, "ns.example. h.example. 1 2 3 4 5");
	length = read_text(RR_NSEC, "A.B. A");
	rdata_make_canonical(RR_NSEC, wire, length);
	prints(RR_NSEC, wire, length, "A.B. A");
	length = read_text(RR_TXT, "ABC");
	rdata_make_canonical(RR_TXT, wire, length);
	prints(RR_TXT, wire, length, "\"ABC\"");
	length = read_text(RR_RRSIG, "A 5 3 1 1 1 1 A. AQID");
	rdata_make_canonical(RR_RRSIG, wire, length);
	ck_assert_mem_eq(wire + 18, "\1a", 3);
}
END_TEST

/* As much as a record can have, and one byte more. */
START_TEST(test_limits)
{
	struct strbuf text;

	strbuf_init(&text);
	strbuf_adds(&text, "\\# 65535 ");
	for (uint32_t i = 0; i < RDATA_MAX; i++)
		strbuf_adds(&text, "A5");
	ck_assert_uint_eq(read_text(4711, text.text), RDATA_MAX);
	prints(4711, wire, RDATA_MAX, text.text);
	strbuf_adds(&text, " 00");
	refused(4711, text.text, "TYPE4711 has more than 65535 bytes of data");
	strbuf_clear(&text);
	for (uint32_t i = 0; i < RDATA_MAX; i++)
		strbuf_adds(&text, "\"\" ");
	ck_assert_uint_eq(read_text(RR_TXT, text.text), RDATA_MAX);
	strbuf_adds(&text, "a");
	refused(RR_TXT, text.text, "TXT has more than 65535 bytes of data");
	strbuf_fini(&text);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("rdata");

	tcase_add_test(tcase, test_addresses);
	tcase_add_test(tcase, test_names);
	tcase_add_test(tcase, test_strings);
	tcase_add_test(tcase, test_naptr);
	tcase_add_test(tcase, test_digits);
	tcase_add_test(tcase, test_dnssec);
	tcase_add_test(tcase, test_loc);
	tcase_add_test(tcase, test_generic);
	tcase_add_test(tcase, test_wrong);
	tcase_add_test(tcase, test_names_inside);
	tcase_add_test(tcase, test_canonical);
	tcase_add_test(tcase, test_limits);
	return check_main(tcase);
}
