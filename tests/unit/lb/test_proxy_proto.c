/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/proxy_proto.h"

#include "tests/unit/lb/lb_check.h"
#include "tests/unit/base/seed_files.h"

#include <errno.h>

#define ROW(text) text, sizeof(text) - 1
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define INET_BLOCK "\xc0\0\2\1\xc0\0\2\2\x12\x67\1\xbb"

struct outcome {
	enum proxy_result result;
	enum proxy_cause cause;
	uint32_t need;
	struct proxy_header header;
};

/* In a block of its own, so that reading beyond it is seen. */
static struct outcome parse(const uint8_t *bytes, size_t length)
{
	uint8_t *own = malloc(length + !length);
	struct outcome o = {0};

	ck_assert_ptr_nonnull(own);
	if (length)
		memcpy(own, bytes, length);
	o.result = proxy_parse(own, length, &o.header, &o.need, &o.cause);
	free(own);
	return o;
}

/* Every prefix asks for more, within what the whole needs; from the whole on
 * the result stays. */
static void check_splits(
    const uint8_t *bytes, size_t length, uint32_t header_bytes)
{
	for (size_t n = 0; n < header_bytes; n++) {
		struct outcome o = parse(bytes, n);

		ck_assert_msg(o.result == PROXY_MORE, "at %zu", n);
		ck_assert_uint_gt(o.need, n);
		ck_assert_uint_le(o.need, header_bytes);
	}
	for (size_t n = header_bytes; n <= length; n++) {
		struct outcome o = parse(bytes, n);

		ck_assert_int_eq(o.result, PROXY_DONE);
		ck_assert_uint_eq(o.header.bytes, header_bytes);
	}
}

static void check_addr(const struct addr *a, const char *text)
{
	char is[ADDR_TEXT_MAX];

	(void)addr_format(a, is);
	ck_assert_str_eq(is, text);
}

static void check_slice(struct proxy_slice slice, const char *text)
{
	ck_assert_uint_eq(slice.length, strlen(text));
	ck_assert_int_eq(memcmp(slice.at, text, slice.length), 0);
}

struct good {
	const char *bytes;
	size_t length;
	const char *source, *destination;
};

static const struct good v1_good[] = {
    {ROW("PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\r\n"), "192.0.2.1:4711",
	"192.0.2.2:443"},
    {ROW("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
	"255.255.255.255:65535", "255.255.255.255:65535"},
    {ROW("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), "0.0.0.0", "0.0.0.0"},
    {ROW("PROXY TCP6 2001:db8::1 2001:DB8::2 1 2\r\n"), "[2001:db8::1]:1",
	"[2001:db8::2]:2"},
    {ROW("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
	"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
    {ROW("PROXY UNKNOWN\r\n"), "-", "-"},
    {ROW("PROXY UNKNOWN anything \xff\x01 here\r\n"), "-", "-"},
    {ROW("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	"-", "-"},
};

START_TEST(test_v1_good)
{
	const struct good *row = &v1_good[_i];
	const uint8_t *bytes = (const uint8_t *)row->bytes;
	struct outcome o = parse(bytes, row->length);
	uint8_t longer[200];

	ck_assert_int_eq(o.result, PROXY_DONE);
	ck_assert_uint_eq(o.header.version, 1);
	check_addr(&o.header.source, row->source);
	check_addr(&o.header.destination, row->destination);
	memset(longer, '\n', sizeof(longer));
	memcpy(longer, bytes, row->length);
	check_splits(longer, sizeof(longer), (uint32_t)row->length);
}
END_TEST

struct bad {
	const char *bytes;
	size_t length;
	enum proxy_cause cause;
};

static const struct bad bad[] = {
    {ROW("G"), PROXY_CAUSE_SIGNATURE},
    {ROW("PROXZ"), PROXY_CAUSE_SIGNATURE},
    {ROW("proxy "), PROXY_CAUSE_SIGNATURE},
    {ROW("PROXY  "), PROXY_CAUSE_V1_LINE},
    {ROW("PROXY TCP5"), PROXY_CAUSE_V1_LINE},
    {ROW("PROXY UDP4 1.1.1.1 1.1.1.1 1 1\r\n"), PROXY_CAUSE_V1_LINE},
    {ROW("PROXY UNKNOWNX\r\n"), PROXY_CAUSE_V1_LINE},
    {ROW("PROXY UNKNOWN\n"), PROXY_CAUSE_V1_LINE},
    {ROW("PROXY UNKNOWN\rx"), PROXY_CAUSE_V1_LINE},
    {ROW("PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n"), PROXY_CAUSE_V1_LINE},
    {ROW("PROXY TCP4 1.1.1.1\0 2.2.2.2 1 2\r\n"), PROXY_CAUSE_V1_LINE},
    {ROW("PROXY TCP4 \r\n"), PROXY_CAUSE_V1_ADDRESS},
    {ROW("PROXY TCP4 1.1.1.1 2.2.2.2\r\n"), PROXY_CAUSE_V1_ADDRESS},
    {ROW("PROXY TCP4 01.1.1.1 2.2.2.2 1 2\r\n"), PROXY_CAUSE_V1_ADDRESS},
    {ROW("PROXY TCP4 1.1.1 2.2.2.2 1 2\r\n"), PROXY_CAUSE_V1_ADDRESS},
    {ROW("PROXY TCP4 1.1.1.256 2.2.2.2 1 2\r\n"), PROXY_CAUSE_V1_ADDRESS},
    {ROW("PROXY TCP4 ::1 ::1 1 2\r\n"), PROXY_CAUSE_V1_ADDRESS},
    {ROW("PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n"), PROXY_CAUSE_V1_ADDRESS},
    {ROW("PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n"), PROXY_CAUSE_V1_ADDRESS},
    {ROW("PROXY TCP6 ::1::2 ::1 1 2\r\n"), PROXY_CAUSE_V1_ADDRESS},
    {ROW("PROXY TCP4 1.1.1.1  2.2.2.2 1 2\r\n"), PROXY_CAUSE_V1_ADDRESS},
    {ROW("PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n"), PROXY_CAUSE_V1_PORT},
    {ROW("PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n"), PROXY_CAUSE_V1_PORT},
    {ROW("PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n"), PROXY_CAUSE_V1_PORT},
    {ROW("PROXY TCP4 1.1.1.1 2.2.2.2 1 -2\r\n"), PROXY_CAUSE_V1_PORT},
    {ROW("PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n"), PROXY_CAUSE_V1_PORT},
    {ROW("PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n"), PROXY_CAUSE_V1_PORT},
    {ROW("\r\n\r\n\0\r\nQUIT\r"), PROXY_CAUSE_SIGNATURE},
    {ROW(SIGNATURE "\x11"), PROXY_CAUSE_V2_COMMAND},
    {ROW(SIGNATURE "\x22"), PROXY_CAUSE_V2_COMMAND},
    {ROW(SIGNATURE "\x21\x41"), PROXY_CAUSE_V2_FAMILY},
    {ROW(SIGNATURE "\x21\x13"), PROXY_CAUSE_V2_FAMILY},
    {ROW(SIGNATURE "\x21\x11\x0f\xf1"), PROXY_CAUSE_V2_LENGTH},
    {ROW(SIGNATURE "\x20\x00\xff\xff"), PROXY_CAUSE_V2_LENGTH},
    {ROW(SIGNATURE "\x21\x11\0\x0b" INET_BLOCK), PROXY_CAUSE_V2_ADDRESS},
    {ROW(SIGNATURE "\x21\x21\0\x0c" INET_BLOCK), PROXY_CAUSE_V2_ADDRESS},
    {ROW(SIGNATURE "\x21\x31\0\x0c" INET_BLOCK), PROXY_CAUSE_V2_ADDRESS},
    /* TLVs: cut in the head, cut in the value, a sum of three bytes. */
    {ROW(SIGNATURE "\x21\x11\0\x0e" INET_BLOCK "\1\0"), PROXY_CAUSE_V2_TLV},
    {ROW(SIGNATURE "\x21\x11\0\x0f" INET_BLOCK "\1\0\1"), PROXY_CAUSE_V2_TLV},
    {ROW(SIGNATURE "\x21\x11\0\x12" INET_BLOCK "\3\0\3\1\2\3"),
	PROXY_CAUSE_V2_TLV},
    /* A sum, wrong; SSL cut in its head, then in a TLV of its own. */
    {ROW(SIGNATURE "\x21\x11\0\x13" INET_BLOCK "\3\0\4\1\2\3\4"),
	PROXY_CAUSE_V2_CRC32C},
    {ROW(SIGNATURE "\x21\x11\0\x12" INET_BLOCK "\x20\0\3\1\2\3"),
	PROXY_CAUSE_V2_TLV},
    {ROW(SIGNATURE "\x21\x11\0\x16" INET_BLOCK "\x20\0\7\1\0\0\0\0\x21\0"),
	PROXY_CAUSE_V2_TLV},
};

START_TEST(test_bad)
{
	const struct bad *row = &bad[_i];
	const uint8_t *bytes = (const uint8_t *)row->bytes;
	struct outcome o = parse(bytes, row->length);

	ck_assert_int_eq(o.result, PROXY_MALFORMED);
	ck_assert_str_eq(
	    proxy_cause_text(o.cause), proxy_cause_text(row->cause));
	/* It is judged by its last byte at the latest, and one prefix that is
	 * bad makes all longer ones bad. */
	for (size_t n = 0, seen = 0; n < row->length; n++) {
		enum proxy_result result = parse(bytes, n).result;

		ck_assert_int_ne(result, PROXY_DONE);
		ck_assert(!seen || result == PROXY_MALFORMED);
		seen |= result == PROXY_MALFORMED;
	}
}
END_TEST

/* PP 2.1: without a line end in 107 bytes it is none, and not before. */
START_TEST(test_v1_bound)
{
	uint8_t line[200];

	memset(line, 'x', sizeof(line));
	memcpy(line, "PROXY UNKNOWN ", 14);
	memcpy(line + 105, "\r\n", 2);
	check_splits(line, sizeof(line), 107);
	line[105] = 'x';
	memcpy(line + 106, "\r\n", 2);
	ck_assert_int_eq(parse(line, 105).result, PROXY_MORE);
	ck_assert_int_eq(parse(line, 106).result, PROXY_MALFORMED);
	ck_assert_int_eq(
	    parse(line, sizeof(line)).cause, PROXY_CAUSE_V1_LENGTH);
}
END_TEST

START_TEST(test_v2_local)
{
	/* Whatever the family and the block are. */
	static const uint8_t bytes[] = SIGNATURE "\x20\xff\0\4\3\0\4\1GET";
	struct proxy_slice value;
	uint8_t type;
	struct outcome o = parse(bytes, sizeof(bytes) - 1);

	ck_assert_int_eq(o.result, PROXY_DONE);
	ck_assert(o.header.local);
	ck_assert_uint_eq(o.header.bytes, 20);
	ck_assert_uint_eq(o.header.source.length, 0);
	ck_assert(!proxy_tlv_next(&o.header.tlvs, &type, &value));
	check_splits(bytes, sizeof(bytes) - 1, 20);
}
END_TEST

START_TEST(test_v2_unspec)
{
	/* TLVs and nothing else. */
	static const uint8_t tlvs[] = SIGNATURE "\x21\0\0\5\2\0\2hi";
	static const uint8_t junk[] = SIGNATURE "\x21\0\0\5\2\0\3hi";
	uint32_t need;
	enum proxy_cause cause;
	struct proxy_header h;

	ck_assert_int_eq(
	    proxy_parse(tlvs, sizeof(tlvs) - 1, &h, &need, &cause), PROXY_DONE);
	check_slice(h.authority, "hi");
	ck_assert_uint_eq(h.source.length, 0);
	ck_assert_int_eq(proxy_parse(junk, sizeof(junk) - 1, &h, &need, &cause),
	    PROXY_MALFORMED);
	ck_assert_int_eq(cause, PROXY_CAUSE_V2_TLV);
}
END_TEST

START_TEST(test_v2_datagram_and_unspec_transport)
{
	static const uint8_t udp[] = SIGNATURE "\x21\x12\0\x0c" INET_BLOCK;
	static const uint8_t none[] = SIGNATURE "\x21\x10\0\x0c" INET_BLOCK;
	struct outcome o = parse(udp, sizeof(udp) - 1);

	ck_assert_int_eq(o.result, PROXY_DONE);
	ck_assert(o.header.datagram);
	check_addr(&o.header.source, "192.0.2.1:4711");
	o = parse(none, sizeof(none) - 1);
	ck_assert_int_eq(o.result, PROXY_DONE);
	ck_assert(!o.header.datagram);
	ck_assert_uint_eq(o.header.source.length, 0);
}
END_TEST

START_TEST(test_v2_unknown_tlvs_are_skipped_and_kept)
{
	static const uint8_t bytes[] = SIGNATURE
	    "\x21\x11\0\x1f" INET_BLOCK "\xea\0\3abc\4\0\0\x30\0\2ns\2\0\2hi";
	struct proxy_slice value, tlvs;
	struct proxy_header h;
	enum proxy_cause cause;
	uint32_t need;
	uint8_t type;

	ck_assert_int_eq(
	    proxy_parse(bytes, sizeof(bytes) - 1, &h, &need, &cause),
	    PROXY_DONE);
	check_slice(h.authority, "hi");
	tlvs = h.tlvs;
	ck_assert(proxy_tlv_next(&tlvs, &type, &value));
	ck_assert_uint_eq(type, 0xea);
	check_slice(value, "abc");
	ck_assert(proxy_tlv_next(&tlvs, &type, &value));
	ck_assert_uint_eq(type, PROXY_TLV_NOOP);
	ck_assert(proxy_tlv_next(&tlvs, &type, &value));
	ck_assert_uint_eq(type, PROXY_TLV_NETNS);
	ck_assert(proxy_tlv_next(&tlvs, &type, &value));
	ck_assert_uint_eq(type, PROXY_TLV_AUTHORITY);
	ck_assert(!proxy_tlv_next(&tlvs, &type, &value));
}
END_TEST

static struct addr addr_of(const char *text)
{
	struct addr a = {0};

	if (text)
		ck_assert_int_eq(addr_parse(&a, text), 0);
	return a;
}

static struct proxy_slice slice_of(const char *text)
{
	return (struct proxy_slice){
	    (const uint8_t *)text, text ? (uint32_t)strlen(text) : 0};
}

struct built {
	const char *source, *destination, *line, *back;
};

static const struct built built[] = {
    {"192.0.2.1:4711", "192.0.2.2:443",
	"PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\r\n", "192.0.2.1:4711"},
    {"[2001:db8::1]:1", "[::1]:2", "PROXY TCP6 2001:db8::1 ::1 1 2\r\n",
	"[2001:db8::1]:1"},
    {"[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.2]:2",
	"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "192.0.2.1:1"},
    {"192.0.2.1:1", "[::1]:2", "PROXY TCP6 ::ffff:c000:201 ::1 1 2\r\n",
	"[::ffff:192.0.2.1]:1"},
    {"unix:/run/a", "unix:/run/b", "PROXY UNKNOWN\r\n", "unix:/run/a"},
    {"unix:@a", "unix:@b", "PROXY UNKNOWN\r\n", "unix:@a"},
    {"unix:/run/a", "192.0.2.1:1", "PROXY UNKNOWN\r\n", "-"},
    {NULL, NULL, "PROXY UNKNOWN\r\n", "-"},
};

START_TEST(test_build)
{
	const struct built *row = &built[_i];
	struct proxy_out out = {.source = addr_of(row->source),
	    .destination = addr_of(row->destination),
	    .unix_addresses = true};
	uint8_t bytes[PROXY_V2_BYTES_MAX];
	struct outcome o;
	int length = proxy_build_v1(bytes, sizeof(bytes), &out);

	ck_assert_int_eq(length, (int)strlen(row->line));
	ck_assert_int_eq(memcmp(bytes, row->line, (size_t)length), 0);
	for (int room = 0; room < length; room++)
		ck_assert_int_eq(
		    proxy_build_v1(bytes, (size_t)room, &out), -ENOBUFS);
	for (int sum = 0; sum < 2; sum++) {
		out.crc32c = sum;
		length = proxy_build_v2(bytes, sizeof(bytes), &out);
		ck_assert_int_gt(length, 0);
		o = parse(bytes, (size_t)length);
		ck_assert_int_eq(o.result, PROXY_DONE);
		ck_assert_uint_eq(o.header.bytes, (uint32_t)length);
		check_addr(&o.header.source, row->back);
		/* What has no addresses is what all must accept. */
		ck_assert_int_eq(o.header.local, row->back[0] == '-');
		for (int room = 0; room < length; room++)
			ck_assert_int_eq(
			    proxy_build_v2(bytes, (size_t)room, &out),
			    -ENOBUFS);
	}
}
END_TEST

static struct proxy_out full_out(void)
{
	return (struct proxy_out){.source = addr_of("192.0.2.1:4711"),
	    .destination = addr_of("192.0.2.2:443"),
	    .alpn = slice_of("h2"),
	    .authority = slice_of("www.example.com"),
	    .unique_id = slice_of("id-1"),
	    .ssl = {.present = true,
		.client = PROXY_SSL_USED | PROXY_SSL_CERT_CONN,
		.verify = 7,
		.version = slice_of("TLSv1.3"),
		.cn = slice_of("client.example"),
		.cipher = slice_of("TLS_AES_128_GCM_SHA256"),
		.sig_alg = slice_of("RSA-SHA256"),
		.key_alg = slice_of("RSA2048")},
	    .crc32c = true};
}

START_TEST(test_build_v2_tlvs)
{
	struct proxy_out out = full_out();
	uint8_t bytes[PROXY_V2_BYTES_MAX];
	int length = proxy_build_v2(bytes, sizeof(bytes), &out);
	enum proxy_cause cause;
	struct proxy_header h;
	uint32_t need;

	ck_assert_int_gt(length, 0);
	ck_assert_int_eq(
	    proxy_parse(bytes, (size_t)length, &h, &need, &cause), PROXY_DONE);
	check_slice(h.alpn, "h2");
	check_slice(h.authority, "www.example.com");
	check_slice(h.unique_id, "id-1");
	ck_assert(h.ssl.present);
	ck_assert_uint_eq(h.ssl.client, PROXY_SSL_USED | PROXY_SSL_CERT_CONN);
	ck_assert_uint_eq(h.ssl.verify, 7);
	check_slice(h.ssl.version, "TLSv1.3");
	check_slice(h.ssl.cn, "client.example");
	check_slice(h.ssl.cipher, "TLS_AES_128_GCM_SHA256");
	check_slice(h.ssl.sig_alg, "RSA-SHA256");
	check_slice(h.ssl.key_alg, "RSA2048");
	check_splits(bytes, (size_t)length, (uint32_t)length);
	/* The sum sees each bit of the header but those that make it LOCAL,
	 * which is not read, or the sum another TLV. */
	for (int bit = 0; bit < length * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_msg(
		    parse(bytes, (size_t)length).result != PROXY_DONE ||
			bit / 8 == 12 || bit / 8 >= length - 7,
		    "bit %d", bit);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}
END_TEST

START_TEST(test_build_v2_limits)
{
	struct proxy_out out = full_out();
	uint8_t bytes[2 * PROXY_V2_BYTES_MAX];
	static char text[PROXY_V2_BYTES_MAX + 1];

	memset(text, 'x', sizeof(text) - 1);
	out.unique_id = (struct proxy_slice){(uint8_t *)text, 128};
	ck_assert_int_gt(proxy_build_v2(bytes, sizeof(bytes), &out), 0);
	out.unique_id.length = 129;
	ck_assert_int_eq(proxy_build_v2(bytes, sizeof(bytes), &out), -EINVAL);
	out.unique_id.length = 0;
	out.authority = slice_of(text);
	ck_assert_int_eq(proxy_build_v2(bytes, sizeof(bytes), &out), -ENOBUFS);
	out.authority.length = UINT32_MAX;
	ck_assert_int_eq(proxy_build_v2(bytes, sizeof(bytes), &out), -ENOBUFS);
}
END_TEST

/* HAProxy refuses AF_UNIX, so it is said only on request. */
START_TEST(test_build_v2_unix)
{
	struct proxy_out out = full_out();
	uint8_t bytes[PROXY_V2_BYTES_MAX];
	struct outcome o;
	int length;

	out.source = addr_of("unix:/run/a");
	out.destination = addr_of("unix:/run/b");
	length = proxy_build_v2(bytes, sizeof(bytes), &out);
	ck_assert_int_gt(length, 16);
	ck_assert_int_eq(memcmp(bytes + 12, "\x20\0", 2), 0);
	o = parse(bytes, (size_t)length);
	ck_assert_int_eq(o.result, PROXY_DONE);
	ck_assert(o.header.local);
	ck_assert_uint_eq(o.header.bytes, (uint32_t)length);
}
END_TEST

START_TEST(test_build_v2_local)
{
	struct proxy_out out = full_out();
	uint8_t bytes[16];

	out.local = true;
	ck_assert_int_eq(proxy_build_v2(bytes, sizeof(bytes), &out), 16);
	ck_assert_int_eq(memcmp(bytes, SIGNATURE "\x20\0\0\0", 16), 0);
	ck_assert_int_eq(proxy_build_v2(bytes, 15, &out), -ENOBUFS);
}
END_TEST

/* What HAProxy 2.6 sent, with "hello" or TLS behind it. */
static void check_real(const char *name, const uint8_t *bytes, size_t length)
{
	struct outcome o = parse(bytes, length);

	ck_assert_msg(
	    o.result == PROXY_DONE, "%s: %s", name, proxy_cause_text(o.cause));
	ck_assert_msg(o.header.bytes + 5 == length, "%s", name);
	ck_assert_msg(
	    memcmp(bytes + o.header.bytes, "hello", 5) == 0, "%s", name);
	check_splits(bytes, length, o.header.bytes);
}

START_TEST(test_real)
{
	ck_assert_int_ge(seed_files_each("proxy_proto", check_real), 12);
}
END_TEST

START_TEST(test_real_tls)
{
	static uint8_t bytes[SEED_BYTES_MAX];
	size_t length =
	    seed_file_read("proxy_proto", "real_haproxy_v2_tls", bytes);
	enum proxy_cause cause;
	struct proxy_header h;
	uint32_t need;

	ck_assert_int_eq(
	    proxy_parse(bytes, length, &h, &need, &cause), PROXY_DONE);
	check_slice(h.alpn, "h2");
	check_slice(h.authority, "www.example.com");
	check_slice(h.ssl.version, "TLSv1.3");
	check_slice(h.ssl.cn, "client.example");
	ck_assert_uint_eq(h.ssl.client,
	    PROXY_SSL_USED | PROXY_SSL_CERT_CONN | PROXY_SSL_CERT_SESS);
	ck_assert_uint_eq(h.ssl.verify, 0);
	ck_assert_uint_gt(h.unique_id.length, 0);
	/* The sum that HAProxy made is checked, not passed over. */
	bytes[20] ^= 1;
	ck_assert_int_eq(
	    proxy_parse(bytes, length, &h, &need, &cause), PROXY_MALFORMED);
	ck_assert_int_eq(cause, PROXY_CAUSE_V2_CRC32C);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("proxy_proto");

	tcase_add_loop_test(
	    tcase, test_v1_good, 0, sizeof(v1_good) / sizeof(v1_good[0]));
	tcase_add_loop_test(tcase, test_bad, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tcase, test_v1_bound);
	tcase_add_test(tcase, test_v2_local);
	tcase_add_test(tcase, test_v2_unspec);
	tcase_add_test(tcase, test_v2_datagram_and_unspec_transport);
	tcase_add_test(tcase, test_v2_unknown_tlvs_are_skipped_and_kept);
	tcase_add_loop_test(
	    tcase, test_build, 0, sizeof(built) / sizeof(built[0]));
	tcase_add_test(tcase, test_build_v2_tlvs);
	tcase_add_test(tcase, test_build_v2_limits);
	tcase_add_test(tcase, test_build_v2_unix);
	tcase_add_test(tcase, test_build_v2_local);
	tcase_add_test(tcase, test_real);
	tcase_add_test(tcase, test_real_tls);
	return lb_check_main(tcase);
}
