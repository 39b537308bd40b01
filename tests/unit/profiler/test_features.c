/* SPDX-License-Identifier: Apache-2.0 */
#include "profiler/features.h"
#include "tests/unit/base/check_main.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static struct features f;
static int32_t v[N_FEATURES];

static struct mono at_us(int64_t us)
{
	return (struct mono){NS_PER_S + us * 1000};
}

static void read_at(int64_t us, bool up, uint32_t bytes)
{
	features_on_read(&f, up, bytes, at_us(us));
}

static void fill(int64_t us)
{
	features_fill(&f, NULL, NULL, NULL, at_us(us), v);
}

START_TEST(test_nothing_yet)
{
	features_start(&f, at_us(0));
	fill(5000);
	for (int i = 0; i < N_FEATURES; i++)
		if (i != FEATURE_age_ms && i != FEATURE_max_gap_ms &&
		    i != FEATURE_burst_permille &&
		    i != FEATURE_http_length_kib && i != FEATURE_history_kib &&
		    i != FEATURE_history_kbps && i != FEATURE_history_ms &&
		    i != FEATURE_turn_now_ms)
			ck_assert_msg(v[i] == 0, "%s is %d",
			    feature_name((enum feature)i), v[i]);
	ck_assert_int_eq(v[FEATURE_age_ms], 5);
	ck_assert_int_eq(v[FEATURE_max_gap_ms], 5);
	ck_assert_int_eq(v[FEATURE_burst_permille], 1000);
	ck_assert_int_eq(v[FEATURE_http_length_kib], -1);
}
END_TEST

START_TEST(test_request_and_answer)
{
	features_start(&f, at_us(0));
	read_at(100, true, 80);
	read_at(400, false, 3000);
	read_at(500, false, 9000);
	read_at(2500, true, 90);
	fill(4500);
	ck_assert_int_eq(v[FEATURE_server_first], 0);
	ck_assert_int_eq(v[FEATURE_first_wait_us], 100);
	ck_assert_int_eq(v[FEATURE_answer_us], 300);
	ck_assert_int_eq(v[FEATURE_first_up_bytes], 80);
	ck_assert_int_eq(v[FEATURE_first_down_bytes], 3000);
	ck_assert_int_eq(v[FEATURE_size_1], 80);
	ck_assert_int_eq(v[FEATURE_size_2], -3000);
	ck_assert_int_eq(v[FEATURE_size_3], -9000);
	ck_assert_int_eq(v[FEATURE_size_4], 90);
	ck_assert_int_eq(v[FEATURE_size_5], 0);
	ck_assert_int_eq(v[FEATURE_gap_2], 300);
	ck_assert_int_eq(v[FEATURE_gap_3], 100);
	ck_assert_int_eq(v[FEATURE_gap_4], 2000);
	ck_assert_int_eq(v[FEATURE_up_bytes], 170);
	ck_assert_int_eq(v[FEATURE_down_bytes], 12000);
	ck_assert_int_eq(v[FEATURE_down_permille], 986);
	ck_assert_int_eq(v[FEATURE_up_reads], 2);
	ck_assert_int_eq(v[FEATURE_down_reads], 2);
	ck_assert_int_eq(v[FEATURE_up_mean_bytes], 85);
	ck_assert_int_eq(v[FEATURE_down_mean_bytes], 6000);
	ck_assert_int_eq(v[FEATURE_turns], 2);
	ck_assert_int_eq(v[FEATURE_turn_bytes], 12170 / 3);
	ck_assert_int_eq(v[FEATURE_small_permille], 500);
	ck_assert_int_eq(v[FEATURE_large_permille], 250);
	ck_assert_int_eq(v[FEATURE_age_ms], 4);
	ck_assert_int_eq(v[FEATURE_max_gap_ms], 2);
	ck_assert_int_eq(v[FEATURE_burst_permille], 444);
	ck_assert_int_eq(v[FEATURE_rate_kbps], 12170 * 8 / 4);
}
END_TEST

START_TEST(test_server_first)
{
	features_start(&f, at_us(0));
	read_at(50, false, 21);
	read_at(60, false, 22);
	read_at(1060, true, 23);
	fill(2000);
	ck_assert_int_eq(v[FEATURE_server_first], 1);
	ck_assert_int_eq(v[FEATURE_answer_us], 1010);
	ck_assert_int_eq(v[FEATURE_first_up_bytes], 23);
	ck_assert_int_eq(v[FEATURE_first_down_bytes], 21);
}
END_TEST

/* Eight of each way: one side that talks does not push the other out. */
START_TEST(test_first_reads_of_each_way)
{
	features_start(&f, at_us(0));
	for (int i = 0; i < 20; i++)
		read_at(i, false, 1000);
	for (int i = 0; i < 20; i++)
		read_at(100 + i, true, (uint32_t)i + 1);
	fill(200);
	ck_assert_int_eq(v[FEATURE_size_8], -1000);
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(v[FEATURE_size_9 + i], i + 1);
	ck_assert_int_eq(v[FEATURE_down_reads], 20);
	ck_assert_int_eq(v[FEATURE_up_reads], 20);
}
END_TEST

START_TEST(test_gaps_keep_a_thousandth)
{
	for (uint64_t us = 1; us < UINT32_MAX; us += us / 3 + 1) {
		features_start(&f, at_us(0));
		read_at((int64_t)us, true, 1);
		fill((int64_t)us);
		if (us > INT32_MAX)
			ck_assert_int_gt(
			    v[FEATURE_first_wait_us], INT32_MAX / 1001 * 1000);
		else
			ck_assert_int_le(
			    labs((long)us - v[FEATURE_first_wait_us]),
			    (long)us / 1000 + 1);
	}
}
END_TEST

START_TEST(test_turns)
{
	features_start(&f, at_us(0));
	read_at(1000, true, 80);
	fill(2000);
	ck_assert_int_eq(v[FEATURE_turn_now_bytes], 80);
	ck_assert_int_eq(v[FEATURE_turn_now_ms], 2);
	read_at(4000, false, 3000);
	read_at(9000, false, 500);
	fill(9000);
	ck_assert_int_eq(v[FEATURE_turn_now_bytes], 3500);
	ck_assert_int_eq(v[FEATURE_turn_now_ms], 8);
	read_at(9500, true, 90);
	fill(9500);
	ck_assert_int_eq(v[FEATURE_turn_now_bytes], 90);
	ck_assert_int_eq(v[FEATURE_turn_max_bytes], 3500);
	ck_assert_int_eq(v[FEATURE_turns], 2);
}
END_TEST

/* Who ends a silence tells a person from a server that pushes. */
START_TEST(test_waits)
{
	features_start(&f, at_us(0));
	read_at(9999, true, 100);
	read_at(19998, false, 100);
	fill(19998);
	ck_assert_int_eq(v[FEATURE_waits_up], 0);
	ck_assert_int_eq(v[FEATURE_wait_permille], 0);
	ck_assert_int_eq(v[FEATURE_wait_bytes], 200);
	read_at(20000, true, 100);
	read_at(30000, false, 100);
	read_at(230000, false, 100);
	read_at(429000, true, 100);
	read_at(729000, true, 100);
	fill(1000000);
	ck_assert_int_eq(v[FEATURE_waits_up], 2);
	ck_assert_int_eq(v[FEATURE_waits_down], 2);
	ck_assert_int_eq(v[FEATURE_pauses_up], 1);
	ck_assert_int_eq(v[FEATURE_pauses_down], 1);
	ck_assert_int_eq(v[FEATURE_wait_permille], 10 + 200 + 199 + 300);
	ck_assert_int_eq(v[FEATURE_wait_bytes], 700 / 5);
}
END_TEST

START_TEST(test_recent)
{
	features_start(&f, at_us(0));
	read_at(1000, true, 100);
	read_at(2000, false, 300);
	fill(2000);
	ck_assert_int_eq(v[FEATURE_recent_kbps], 400 * 8 / 2);
	ck_assert_int_eq(v[FEATURE_recent_turn_bytes], 200);
	ck_assert_int_eq(v[FEATURE_recent_small_permille], 500);
	ck_assert_int_eq(v[FEATURE_recent_down_permille], 750);
	features_mark(&f, at_us(2000));
	fill(5000);
	ck_assert_int_eq(v[FEATURE_recent_kbps], 0);
	ck_assert_int_eq(v[FEATURE_recent_small_permille], 0);
	read_at(6000, false, 9000);
	read_at(10000, true, 1000);
	fill(10000);
	ck_assert_int_eq(v[FEATURE_recent_kbps], 10000 * 8 / 8);
	ck_assert_int_eq(v[FEATURE_recent_turn_bytes], 5000);
	ck_assert_int_eq(v[FEATURE_recent_small_permille], 0);
	ck_assert_int_eq(v[FEATURE_recent_down_permille], 900);
	ck_assert_int_eq(v[FEATURE_down_bytes], 9300);
}
END_TEST

START_TEST(test_nothing_overflows)
{
	features_start(&f, at_us(0));
	for (int i = 0; i < 64; i++)
		features_on_read(
		    &f, i & 1, UINT32_MAX, (struct mono){INT64_MAX / 64 * i});
	features_fill(&f, NULL, NULL, NULL, (struct mono){INT64_MAX}, v);
	ck_assert_int_eq(v[FEATURE_up_bytes], INT32_MAX);
	ck_assert_int_eq(v[FEATURE_size_1], -INT16_MAX);
	ck_assert_int_eq(v[FEATURE_turn_max_bytes], INT32_MAX);
	ck_assert_int_le(v[FEATURE_wait_permille], 1000);
	ck_assert_int_eq(v[FEATURE_recent_turn_bytes], INT32_MAX);
	/* More silences than are counted. */
	for (int64_t i = 0; i < 70000; i++)
		features_on_read(
		    &f, true, 1, (struct mono){i % 2 ? NS_PER_S : 0});
	fill(0);
	ck_assert_int_ge(v[FEATURE_waits_up], 0);
	/* A clock that stands or goes back is no gap. */
	features_start(&f, at_us(1000));
	read_at(0, true, 5);
	fill(0);
	ck_assert_int_eq(v[FEATURE_first_wait_us], 0);
	ck_assert_int_eq(v[FEATURE_age_ms], 0);
}
END_TEST

START_TEST(test_what_is_known_besides)
{
	const struct features_hints hints = {.protocol = 3,
	    .protocol_kind = 2,
	    .http_method = 1,
	    .http_path = 8,
	    .http_range = true,
	    .http_status = 2,
	    .http_length_known = true,
	    .http_length_kib = 1024,
	    .http_type = 7,
	    .tls_version = 4,
	    .tls_alpn = 2,
	    .tls_sni = true,
	    .tls_ech = true};
	const struct features_socket socket = {
	    .rtt_us = 250, .delivery_bps = 1000000};
	const struct features_history history = {.flows = 3,
	    .bytes = 5u << 20,
	    .rate_bps = 125000,
	    .duration_ms = 700};
	const uint8_t ip[16] = {192, 168, 1, 2};

	features_start(&f, at_us(0));
	features_set_ends(&f, AF_INET, ip, 40000, 22);
	features_fill(&f, &hints, &socket, &history, at_us(0), v);
	ck_assert_int_eq(v[FEATURE_client_port], 2);
	ck_assert_int_eq(v[FEATURE_listener_port], 2);
	ck_assert_int_eq(v[FEATURE_client_address], 1);
	ck_assert_int_eq(v[FEATURE_protocol], 3);
	ck_assert_int_eq(v[FEATURE_protocol_kind], 2);
	ck_assert_int_eq(v[FEATURE_http_method], 1);
	ck_assert_int_eq(v[FEATURE_http_path], 8);
	ck_assert_int_eq(v[FEATURE_http_range], 1);
	ck_assert_int_eq(v[FEATURE_http_upgrade], 0);
	ck_assert_int_eq(v[FEATURE_http_length_kib], 1024);
	ck_assert_int_eq(v[FEATURE_http_type], 7);
	ck_assert_int_eq(v[FEATURE_tls_version], 4);
	ck_assert_int_eq(v[FEATURE_tls_ech], 1);
	ck_assert_int_eq(v[FEATURE_rtt_us], 250);
	ck_assert_int_eq(v[FEATURE_delivery_kbps], 8000);
	ck_assert_int_eq(v[FEATURE_history_flows], 3);
	ck_assert_int_eq(v[FEATURE_history_kib], 5120);
	ck_assert_int_eq(v[FEATURE_history_kbps], 1000);
	ck_assert_int_eq(v[FEATURE_history_ms], 700);
	/* A page of 5 KB from a cache: 40 Mbit/s say nothing. */
	features_fill(&f, NULL, NULL,
	    &(struct features_history){.flows = 9,
		.bytes = 5000,
		.rate_bps = 5000000,
		.duration_ms = 1},
	    at_us(0), v);
	ck_assert_int_eq(v[FEATURE_history_kbps], -1);
	ck_assert_int_eq(v[FEATURE_history_ms], 1);
}
END_TEST

START_TEST(test_addresses)
{
	static const struct {
		int family;
		uint8_t ip[16];
		int32_t class;
	} rows[] = {
	    {AF_INET, {127, 0, 0, 1}, 0},
	    {AF_INET, {10, 1, 2, 3}, 1},
	    {AF_INET, {172, 31, 2, 3}, 1},
	    {AF_INET, {172, 32, 2, 3}, 2},
	    {AF_INET, {192, 169, 2, 3}, 2},
	    {AF_INET, {169, 254, 2, 3}, 1},
	    {AF_INET6, {[15] = 1}, 0},
	    {AF_INET6, {0xfd, 1}, 1},
	    {AF_INET6, {0xfe, 0x80}, 1},
	    {AF_INET6, {0x20, 1, 0x0d, 0xb8}, 2},
	    {AF_UNIX, {0}, 0},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		features_start(&f, at_us(0));
		features_set_ends(&f, rows[i].family, rows[i].ip, 1, 1);
		fill(0);
		ck_assert_int_eq(v[FEATURE_client_address], rows[i].class);
	}
}
END_TEST

static uint8_t path(const char *text)
{
	return path_class(text, (uint32_t)strlen(text));
}

static uint8_t type(const char *text)
{
	return type_class(text, (uint32_t)strlen(text));
}

START_TEST(test_words)
{
	ck_assert_uint_eq(port_class(443), 1);
	ck_assert_uint_eq(port_class(5432), 4);
	ck_assert_uint_eq(port_class(0), 0);
	ck_assert_uint_eq(path("/"), 0);
	ck_assert_uint_eq(path(""), 0);
	ck_assert_uint_eq(path("/a.b/c"), 0);
	ck_assert_uint_eq(path("/a."), 0);
	ck_assert_uint_eq(path("/index.HTML"), 1);
	ck_assert_uint_eq(path("/a/b.tar.gz?x=1.png#y"), 8);
	ck_assert_uint_eq(path("/a.qqq"), 10);
	ck_assert_uint_eq(path(".iso"), 8);
	ck_assert_uint_eq(type(""), 0);
	ck_assert_uint_eq(type("text/html; charset=utf-8"), 1);
	ck_assert_uint_eq(type("text/plain"), 2);
	ck_assert_uint_eq(type("Video/MP4"), 5);
	ck_assert_uint_eq(type("text/event-stream"), 8);
	ck_assert_uint_eq(type("application/x-nobody-knows"), 9);
}
END_TEST

START_TEST(test_rows_are_whole)
{
	for (int i = 0; i < N_FEATURES; i++) {
		ck_assert_uint_gt(strlen(feature_name((enum feature)i)), 0);
		ck_assert_uint_gt(strlen(feature_unit((enum feature)i)), 0);
		ck_assert_uint_gt(strlen(feature_help((enum feature)i)), 0);
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(feature_name((enum feature)i),
			    feature_name((enum feature)j));
	}
	ck_assert_uint_ne(features_hash(), 0);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("features");

	tcase_add_test(tcase, test_nothing_yet);
	tcase_add_test(tcase, test_request_and_answer);
	tcase_add_test(tcase, test_server_first);
	tcase_add_test(tcase, test_first_reads_of_each_way);
	tcase_add_test(tcase, test_gaps_keep_a_thousandth);
	tcase_add_test(tcase, test_turns);
	tcase_add_test(tcase, test_waits);
	tcase_add_test(tcase, test_recent);
	tcase_add_test(tcase, test_nothing_overflows);
	tcase_add_test(tcase, test_what_is_known_besides);
	tcase_add_test(tcase, test_addresses);
	tcase_add_test(tcase, test_words);
	tcase_add_test(tcase, test_rows_are_whole);
	return check_main(tcase);
}
