/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/manifest.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct manifest out, in;
static struct strbuf text;

static struct addr addr_of(const char *from)
{
	struct addr addr;

	ck_assert_int_eq(addr_parse(&addr, from), 0);
	return addr;
}

static void setup(void)
{
	manifest_init(&out);
	strbuf_init(&text);
	out.process = (struct manifest_process){
	    .pid = 17, .number = 3, .started_ns = 12345, .version = "1.2"};
}

static void teardown(void)
{
	manifest_fini(&out);
	strbuf_fini(&text);
}

static void round_trip(void)
{
	manifest_encode(&out, &text);
	ck_assert_int_eq(manifest_decode(&in, text.text, text.length), 0);
}

START_TEST(test_least)
{
	round_trip();
	ck_assert_uint_eq(in.process.pid, 17);
	ck_assert_uint_eq(in.process.number, 3);
	ck_assert_int_eq(in.process.started_ns, 12345);
	ck_assert_str_eq(in.process.version, "1.2");
	ck_assert_uint_eq(in.control.length, 0);
	ck_assert_uint_eq(in.api.length, 0);
	ck_assert(!in.log.known);
	ck_assert_ptr_null(in.names);
	/* Its own counters. */
	ck_assert_uint_eq(manifest_fds(&in), 1);
	manifest_fini(&in);
}
END_TEST

START_TEST(test_sockets)
{
	struct manifest_sockets tcp = {
	    .addr = addr_of("[fe80::1]:443"), .n_fds = 4};
	struct manifest_sockets udp = {.addr = addr_of("[fe80::1]:443"),
	    .use = MANIFEST_DNS_UDP,
	    .n_fds = 3};
	struct manifest_sockets path = {.addr = addr_of("unix:/run/x.sock"),
	    .device = 77,
	    .inode = UINT64_MAX,
	    .n_fds = 1};

	out.control = addr_of("unix:/run/braid/control.sock");
	out.api = addr_of("127.0.0.1:9900");
	out.older[out.n_older++] =
	    (struct manifest_process){.pid = 5, .number = 2, .version = "1.1"};
	manifest_add_sockets(&out, &tcp);
	manifest_add_sockets(&out, &path);
	manifest_add_sockets(&out, &udp);
	round_trip();
	ck_assert_uint_eq(in.n_sockets, 3);
	ck_assert_int_eq(in.sockets[0].use, MANIFEST_LISTENER);
	ck_assert_int_eq(in.sockets[2].use, MANIFEST_DNS_UDP);
	ck_assert(addr_equal(&in.sockets[0].addr, &tcp.addr));
	ck_assert_uint_eq(in.sockets[0].n_fds, 4);
	ck_assert(addr_equal(&in.sockets[1].addr, &path.addr));
	ck_assert_uint_eq(in.sockets[1].device, 77);
	ck_assert_uint_eq(in.sockets[1].inode, UINT64_MAX);
	ck_assert(addr_equal(&in.control, &out.control));
	ck_assert(addr_equal(&in.api, &out.api));
	ck_assert_uint_eq(in.n_older, 1);
	ck_assert_uint_eq(in.older[0].pid, 5);
	ck_assert_uint_eq(manifest_fds(&in), 1 + 1 + 4 + 1 + 3 + 2 + 1);
	manifest_fini(&in);
}
END_TEST

START_TEST(test_servers)
{
	struct manifest_server server = {.pool = "origins",
	    .server = "a",
	    .addr = addr_of("10.0.0.1:80"),
	    .weight = 5,
	    .facts = {.health = BOARD_DOWN,
		.admin = BOARD_MAINT,
		.weight_override = BOARD_WEIGHT_NONE,
		.health_since_ns = 1,
		.admin_since_ns = 2,
		.checked_ns = 3,
		.returned_ns = 4,
		.check_us = 6,
		.leaves_ns = 12,
		.ejected_ns = 10,
		.ejected_until_ns = 11,
		.eject_steps = 3,
		.eject_error = -104,
		.cause = "connection refused",
		.agent = {.admin = BOARD_DRAIN,
		    .down = true,
		    .has_percent = true,
		    .percent = 40,
		    .maxconn = 9,
		    .heard_ns = 7,
		    .since_ns = 8,
		    .said = "40% drain"}}};

	for (uint32_t i = 0; i < 1000; i++) {
		server.weight = i;
		manifest_add_server(&out, &server);
	}
	out.log = (struct manifest_log){true, LOG_INFO, LOG_DEBUG};
	round_trip();
	ck_assert_uint_eq(in.n_servers, 1000);
	for (uint32_t i = 0; i < 1000; i++)
		ck_assert_uint_eq(in.servers[i].weight, i);
	ck_assert_str_eq(in.servers[9].pool, "origins");
	ck_assert_str_eq(in.servers[9].server, "a");
	ck_assert(addr_equal(&in.servers[9].addr, &server.addr));
	ck_assert_int_eq(in.servers[9].facts.health, BOARD_DOWN);
	ck_assert_int_eq(in.servers[9].facts.admin, BOARD_MAINT);
	ck_assert_uint_eq(
	    in.servers[9].facts.weight_override, BOARD_WEIGHT_NONE);
	ck_assert_int_eq(in.servers[9].facts.health_since_ns, 1);
	ck_assert_int_eq(in.servers[9].facts.admin_since_ns, 2);
	ck_assert_int_eq(in.servers[9].facts.checked_ns, 3);
	ck_assert_int_eq(in.servers[9].facts.returned_ns, 4);
	ck_assert_uint_eq(in.servers[9].facts.check_us, 6);
	ck_assert_str_eq(in.servers[9].facts.cause, "connection refused");
	ck_assert_mem_eq(&in.servers[9].facts.agent, &server.facts.agent,
	    sizeof server.facts.agent);
	ck_assert_int_eq(in.servers[9].facts.ejected_ns, 10);
	ck_assert_int_eq(in.servers[9].facts.ejected_until_ns, 11);
	ck_assert_uint_eq(in.servers[9].facts.eject_steps, 3);
	ck_assert_int_eq(in.servers[9].facts.eject_error, -104);
	ck_assert_int_eq(in.servers[9].facts.leaves_ns, 12);
	ck_assert(in.log.known && in.log.now == LOG_DEBUG);
	manifest_fini(&in);
}
END_TEST

/* The record at `at` is the last, and says that it is so many bytes less. */
static int decode_shorter(size_t at, size_t bytes)
{
	size_t length = text.length - at - 5 - bytes;

	text.text[at + 3] = (char)(length >> 8);
	text.text[at + 4] = (char)length;
	return manifest_decode(&in, text.text, text.length - bytes);
}

/* As versions write it that know no planned drains, and no ejections. */
START_TEST(test_older_server)
{
	static const size_t less[] = {8, 32}, odd[] = {4, 24};
	struct manifest_server server = {.pool = "o",
	    .server = "a",
	    .addr = addr_of("10.0.0.1:80"),
	    .facts = {
		.leaves_ns = 12, .ejected_ns = 10, .ejected_until_ns = 11}};
	size_t at;

	manifest_encode(&out, &text);
	at = text.length;
	strbuf_clear(&text);
	manifest_add_server(&out, &server);
	manifest_encode(&out, &text);
	for (uint32_t i = 0; i < 2; i++) {
		ck_assert_int_eq(decode_shorter(at, less[i]), 0);
		ck_assert_uint_eq(in.n_servers, 1);
		ck_assert_int_eq(in.servers[0].facts.leaves_ns, 0);
		ck_assert_int_eq(
		    in.servers[0].facts.ejected_until_ns, i ? 0 : 11);
		manifest_fini(&in);
		/* Half a number, and one of four. */
		ck_assert_int_eq(decode_shorter(at, odd[i]), BR_E_PROTOCOL);
	}
}
END_TEST

START_TEST(test_tls_bytes)
{
	out.tls = (const uint8_t *)"ticket\0keys";
	out.n_tls = 11;
	round_trip();
	ck_assert_uint_eq(in.n_tls, 11);
	ck_assert_mem_eq(in.tls, "ticket\0keys", 11);
	manifest_fini(&in);
}
END_TEST

static void add_name(struct name_view_row *row, const char *host,
    enum name_type type, const struct name_record *records, uint32_t n)
{
	*row = (struct name_view_row){.host = host,
	    .type = type,
	    .records = records,
	    .n = n,
	    .asked = true,
	    .last = NAME_TIMEOUT,
	    .ttl_s = 300,
	    .answered = {5},
	    .absent_since = {6}};
}

static struct addr ip_of(const char *from)
{
	struct addr addr;

	ck_assert_int_eq(addr_parse_ip(&addr, from), 0);
	return addr;
}

START_TEST(test_names)
{
	struct name_record ipv4 = {.addr = ip_of("192.0.2.1")};
	struct name_record ipv6[2] = {
	    {.addr = ip_of("2001:db8::1")}, {.addr = ip_of("2001:db8::2")}};
	struct name_record service = {
	    .priority = 10, .weight = 3, .port = 8080, .target = "b.test"};
	struct name_view_row rows[4] = {{.n = 0}};
	const struct name_view_row *row;

	add_name(&rows[0], "a.test", NAME_A, &ipv4, 1);
	add_name(&rows[1], "a.test", NAME_AAAA, ipv6, 2);
	add_name(&rows[2], "_web._tcp.test", NAME_SRV, &service, 1);
	/* Nothing is known about it. */
	add_name(&rows[3], "b.test", NAME_A, NULL, 0);
	rows[3].asked = false;
	out.names = name_view_new();
	out.names->rows = rows;
	out.names->n = 4;
	round_trip();
	ck_assert_ptr_nonnull(in.names);
	ck_assert_uint_eq(in.names->n, 3);
	row = &in.names->rows[0];
	ck_assert_str_eq(row->host, "a.test");
	ck_assert_int_eq(row->type, NAME_A);
	ck_assert_uint_eq(row->n, 1);
	ck_assert(addr_equal(&row->records[0].addr, &ipv4.addr));
	ck_assert(row->asked && row->last == NAME_TIMEOUT);
	ck_assert_uint_eq(row->ttl_s, 300);
	ck_assert_int_eq(row->answered.ns, 5);
	ck_assert_int_eq(row->absent_since.ns, 6);
	row = &in.names->rows[1];
	ck_assert_uint_eq(row->n, 2);
	ck_assert(addr_equal(&row->records[1].addr, &ipv6[1].addr));
	row = &in.names->rows[2];
	ck_assert_int_eq(row->type, NAME_SRV);
	ck_assert_uint_eq(row->records[0].priority, 10);
	ck_assert_uint_eq(row->records[0].weight, 3);
	ck_assert_uint_eq(row->records[0].port, 8080);
	ck_assert_str_eq(row->records[0].target, "b.test");
	manifest_fini(&in);
}
END_TEST

START_TEST(test_many_names)
{
	struct name_record records[NAME_RECORDS_MAX];
	struct name_view_row rows[200] = {{.n = 0}};

	for (uint32_t i = 0; i < NAME_RECORDS_MAX; i++)
		records[i] = (struct name_record){.addr = ip_of("192.0.2.1")};
	for (uint32_t i = 0; i < 200; i++)
		add_name(&rows[i], "a.test", NAME_A, records,
		    i ? i : NAME_RECORDS_MAX);
	out.names = name_view_new();
	out.names->rows = rows;
	out.names->n = 200;
	round_trip();
	ck_assert_uint_eq(in.names->n, 200);
	ck_assert_uint_eq(in.names->rows[0].n, NAME_RECORDS_MAX);
	for (uint32_t i = 1; i < 200; i++)
		ck_assert_uint_eq(in.names->rows[i].n, i);
	manifest_fini(&in);
}
END_TEST

/* Every place where it could be cut but the ends of records is an error. */
START_TEST(test_cut)
{
	struct manifest_sockets tcp = {
	    .addr = addr_of("127.0.0.1:80"), .n_fds = 2};
	uint32_t good = 0;

	manifest_add_sockets(&out, &tcp);
	manifest_encode(&out, &text);
	for (size_t n = 0; n < text.length; n++) {
		char *copy = malloc(n + 1);

		memcpy(copy, text.text, n);
		if (!manifest_decode(&in, copy, n)) {
			good++;
			manifest_fini(&in);
		} else {
			ck_assert_ptr_null(in.sockets);
		}
		free(copy);
	}
	/* Behind the first record. */
	ck_assert_uint_eq(good, 1);
}
END_TEST

static int decode(const char *bytes, size_t length)
{
	int err;

	manifest_encode(&out, &text);
	strbuf_add(&text, bytes, length);
	err = manifest_decode(&in, text.text, text.length);
	manifest_fini(&in);
	return err;
}

START_TEST(test_unknown_records)
{
	ck_assert_int_eq(decode("\xf0\0\0\0\2ab", 7), 0);
	ck_assert_int_eq(decode("\x70\0\0\0\2ab", 7), BR_E_PROTOCOL);
}
END_TEST

START_TEST(test_bad_records)
{
	/* Sockets without an address, without descriptors, too many. */
	ck_assert_int_eq(decode("\x04\0\0\0\0", 5), BR_E_PROTOCOL);
	ck_assert_int_eq(decode("\x04\0\0\0\x1f\x0c"
				"127.0.0.1:80"
				"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
			     36),
	    BR_E_PROTOCOL);
	strbuf_clear(&text);
	ck_assert_int_eq(decode("\x04\0\0\0\x1f\x0c"
				"127.0.0.1:80"
				"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x41",
			     36),
	    BR_E_PROTOCOL);
	strbuf_clear(&text);
	/* A second process. */
	ck_assert_int_eq(decode("\x01\0\0\0\x12\0\0\0\1\0\0\0\1"
				"\0\0\0\0\0\0\0\0\1x",
			     23),
	    BR_E_PROTOCOL);
	strbuf_clear(&text);
	/* A length beyond the end. */
	ck_assert_int_eq(decode("\xf0\xff\xff\xff\xff", 5), BR_E_PROTOCOL);
}
END_TEST

#define NAME_TIMES                                                             \
	"\0\0\1\x2c"                                                           \
	"\0\0\0\0\0\0\0\5"                                                     \
	"\0\0\0\0\0\0\0\0"

static int decode_name(const char *bytes, size_t length)
{
	char record[256] = "\x82\0\0\0";

	record[4] = (char)length;
	memcpy(record + 5, bytes, length);
	strbuf_clear(&text);
	return decode(record, 5 + length);
}

START_TEST(test_bad_names)
{
	/* a.test A: one address. */
	ck_assert_int_eq(
	    decode_name("\0\6a.test\0" NAME_TIMES "\0\1\x7f\0\0\2", 35), 0);
	/* What is behind the fields that are known, a result that is not, and
	 * a kind of question that is not. */
	ck_assert_int_eq(
	    decode_name("\0\6a.test\0" NAME_TIMES "\0\1\x7f\0\0\2xx", 37), 0);
	ck_assert_int_eq(
	    decode_name("\0\6a.test\x63" NAME_TIMES "\0\1\x7f\0\0\2", 35), 0);
	ck_assert_int_eq(decode_name("\x63zzz", 4), 0);
	/* No host, an address too few, more than there can be. */
	ck_assert_int_eq(
	    decode_name("\0\0\0" NAME_TIMES "\0\0", 25), BR_E_PROTOCOL);
	ck_assert_int_eq(
	    decode_name("\0\6a.test\0" NAME_TIMES "\0\2\x7f\0\0\2", 35),
	    BR_E_PROTOCOL);
	ck_assert_int_eq(
	    decode_name("\0\6a.test\0" NAME_TIMES "\4\1", 31), BR_E_PROTOCOL);
}
END_TEST

START_TEST(test_nothing)
{
	ck_assert_int_eq(manifest_decode(&in, "", 0), BR_E_PROTOCOL);
	ck_assert_uint_eq(in.n_servers, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("manifest");
	TCase *tc = tcase_create("manifest");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_least);
	tcase_add_test(tc, test_sockets);
	tcase_add_test(tc, test_servers);
	tcase_add_test(tc, test_older_server);
	tcase_add_test(tc, test_tls_bytes);
	tcase_add_test(tc, test_cut);
	tcase_add_test(tc, test_unknown_records);
	tcase_add_test(tc, test_bad_records);
	tcase_add_test(tc, test_nothing);
	tcase_add_test(tc, test_names);
	tcase_add_test(tc, test_many_names);
	tcase_add_test(tc, test_bad_names);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
