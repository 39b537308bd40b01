/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/rrl.h"

#include "tests/unit/base/check_main.h"

#include "base/rng.h"

#include <stdio.h>

#define SEED UINT64_C(0x5eed)
#define RATE 10u

static struct rrl *rrl;

static void start(void)
{
	rrl = rrl_new(RRL_WORDS_DEFAULT, SEED);
	ck_assert_ptr_nonnull(rrl);
}

static void stop(void)
{
	rrl_free(rrl);
}

static struct addr ip(const char *text)
{
	struct addr a = {0};

	ck_assert_int_eq(addr_parse_ip(&a, text), 0);
	return a;
}

/* The n-th address of the network. */
static struct addr nth(const char *network, uint32_t n)
{
	struct addr a = ip(network);

	if (a.sa.sa_family == AF_INET)
		a.in.sin_addr.s_addr = htonl(ntohl(a.in.sin_addr.s_addr) + n);
	else
		for (int i = 15; n; n >>= 8)
			a.in6.sin6_addr.s6_addr[i--] += (uint8_t)n;
	return a;
}

static struct mono at_ms(int64_t ms)
{
	return (struct mono){ms * NS_PER_MS};
}

/* How many of n answers to one address. */
static uint32_t admitted(const char *text, uint32_t n, int64_t ms)
{
	struct addr a = ip(text);
	uint32_t got = 0;

	for (uint32_t i = 0; i < n; i++)
		got += rrl_admit(rrl, &a, RATE, at_ms(ms));
	return got;
}

/* How many of n answers to n hosts of a network. */
static uint32_t admitted_to_many(const char *network, uint32_t n, int64_t ms)
{
	uint32_t got = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct addr a = nth(network, i);

		got += rrl_admit(rrl, &a, RATE, at_ms(ms));
	}
	return got;
}

START_TEST(test_one_address)
{
	/* A second's worth at once, and then the rate. */
	ck_assert_uint_eq(admitted("192.0.2.1", 100, 0), RATE);
	ck_assert_uint_eq(admitted("192.0.2.1", 100, 99), 0);
	ck_assert_uint_eq(admitted("192.0.2.1", 100, 100), 1);
	ck_assert_uint_eq(admitted("192.0.2.1", 100, 600), 5);
	/* What is not used is not saved up beyond a second. */
	ck_assert_uint_eq(admitted("192.0.2.1", 100, 60000), RATE);
	/* Another address is not met, nor one of the other family. */
	ck_assert_uint_eq(admitted("192.0.3.1", 100, 60000), RATE);
	ck_assert_uint_eq(admitted("2001:db8::1", 100, 60000), RATE);
	/* As a dual-stack socket would say it. */
	ck_assert_uint_eq(admitted("::ffff:192.0.3.1", 100, 60000), 0);
}
END_TEST

/* Each level's own factor decides: hosts enough to fill it, none of them at its
 * own limit. */
/* Each worker has the time at which its turn began: what another one has just
 * filled is not empty for it. */
START_TEST(test_clock_behind)
{
	ck_assert_uint_eq(admitted("192.0.2.1", 100, 5000), RATE);
	ck_assert_uint_eq(admitted("192.0.2.1", 100, 4999), 0);
	ck_assert_uint_eq(admitted("192.0.2.1", 100, 4001), 0);
	ck_assert_uint_eq(admitted("192.0.2.1", 100, 5100), 1);
}
END_TEST

START_TEST(test_levels)
{
	uint32_t got = 0;

	/* One each is below anybody's limit. */
	ck_assert_uint_eq(admitted_to_many("192.0.2.0", 256, 0), 256);
	stop();
	start();
	for (uint32_t i = 0; i < 10; i++)
		got += admitted_to_many("192.0.2.0", 200, 0);
	ck_assert_uint_eq(got, 32 * RATE);
	stop();
	start();
	/* 16 networks /24 in a /20: 32 times each is twice its 256. */
	got = 0;
	for (uint32_t i = 0; i < 3; i++)
		got += admitted_to_many("198.51.96.0", 4096, 0);
	ck_assert_uint_eq(got, 256 * RATE);
	stop();
	start();
	/* Four of those in a /18. */
	got = admitted_to_many("198.51.64.0", 16384, 0);
	ck_assert_uint_eq(got, 768 * RATE);
}
END_TEST

static uint32_t admitted_v6(uint32_t n, const char *format)
{
	uint32_t got = 0;

	for (uint32_t i = 0; i < n; i++) {
		char text[64];

		(void)snprintf(text, sizeof text, format, i);
		got += admitted(text, 2 * RATE, 0);
	}
	return got;
}

START_TEST(test_levels_v6)
{
	ck_assert_uint_eq(admitted_v6(9, "2001:db8:1:1::%x"), 2 * RATE);
	ck_assert_uint_eq(admitted_v6(9, "2001:db8:2:1%x::1"), 3 * RATE);
	ck_assert_uint_eq(admitted_v6(9, "2001:db8:3:%x00::1"), 4 * RATE);
	stop();
	start();
	ck_assert_uint_eq(admitted_v6(99, "2001:db8:%x::1"), 64 * RATE);
}
END_TEST

/* What a host is refused does not use up its network's room. */
START_TEST(test_refused_is_not_counted)
{
	ck_assert_uint_eq(admitted("192.0.2.1", 100000, 0), RATE);
	for (uint32_t i = 2; i < 33; i++) {
		char text[32];

		(void)snprintf(text, sizeof text, "192.0.2.%u", i);
		ck_assert_uint_eq(admitted(text, 100, 0), RATE);
	}
	ck_assert_uint_eq(admitted("192.0.2.40", 100, 0), 0);
}
END_TEST

/* The steady rate is exact over time, also where an interval is only a few
 * ticks long. */
START_TEST(test_steady)
{
	struct addr a = ip("192.0.2.1");
	const uint32_t rates[] = {1, 7, 1000, 99991};

	for (uint32_t r = 0; r < sizeof rates / sizeof rates[0]; r++) {
		uint32_t got = 0;

		stop();
		start();
		for (int64_t ns = 0; ns < 3 * NS_PER_S; ns += 3001)
			got += rrl_admit(rrl, &a, rates[r], (struct mono){ns});
		/* Its burst, then three seconds; an interval is rounded down
		 * to a tick. */
		ck_assert_uint_ge(got, 4 * rates[r] - 1);
		ck_assert_uint_le(got, 4 * rates[r] + rates[r] / 100 + 1);
	}
}
END_TEST

/* After hours a word's time has gone round: an old debt is none. */
START_TEST(test_wrap)
{
	const int64_t wrap_ms = (INT64_C(1) << 44) / NS_PER_MS;

	for (int64_t ms = 0; ms < 3 * wrap_ms; ms += wrap_ms / 7) {
		ck_assert_uint_eq(admitted("192.0.2.1", 100, ms), RATE);
		ck_assert_uint_eq(admitted("192.0.2.1", 100, ms + 500), 5);
	}
}
END_TEST

/* A flood from more sources than there are words: who owes most is kept. */
START_TEST(test_flood)
{
	struct rng rng;

	rrl_free(rrl);
	rrl = rrl_new(64, SEED);
	ck_assert_ptr_nonnull(rrl);
	rng_seed(&rng, 1);
	ck_assert_uint_eq(admitted("192.0.2.1", 100, 0), RATE);
	for (uint32_t i = 0; i < 100000; i++) {
		struct addr a = ip("10.0.0.0");

		a.in.sin_addr.s_addr = (uint32_t)rng_u64(&rng);
		(void)rrl_admit(rrl, &a, RATE, at_ms(1));
	}
	ck_assert_uint_eq(admitted("192.0.2.1", 100, 1), 0);
}
END_TEST

START_TEST(test_no_address)
{
	struct addr a = {0};

	ck_assert_int_eq(addr_parse(&a, "unix:/tmp/x"), 0);
	for (int i = 0; i < 100; i++)
		ck_assert(rrl_admit(rrl, &a, 1, at_ms(0)));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("rrl");

	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, test_one_address);
	tcase_add_test(tcase, test_clock_behind);
	tcase_add_test(tcase, test_levels);
	tcase_add_test(tcase, test_levels_v6);
	tcase_add_test(tcase, test_refused_is_not_counted);
	tcase_add_test(tcase, test_steady);
	tcase_add_test(tcase, test_wrap);
	tcase_add_test(tcase, test_flood);
	tcase_add_test(tcase, test_no_address);
	return check_main(tcase);
}
