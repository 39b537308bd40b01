/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/cookie.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- the vectors of RFC 9018 appendix A -------------------------------- */

#define SECRET_1 "e5e973e5a6b2a43f48e7dc849e37bfcf"
#define SECRET_2 "dd3bdf9344b678b185a6f5cb60fca715"
#define SECRET_3 "445536bcd2513298075a5d379663c962"

static struct cookie_secrets secrets_of(const char *text)
{
	struct cookie_secrets secrets;

	ck_assert_ptr_null(cookie_secrets_parse(text, strlen(text), &secrets));
	return secrets;
}

static struct addr source_of(const char *text)
{
	struct addr addr;

	ck_assert_int_eq(addr_parse_ip(&addr, text), 0);
	return addr;
}

static struct wall at(uint32_t s)
{
	return (struct wall){s * NS_PER_S};
}

static size_t bytes_of(const char *hex, uint8_t *ret)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(sscanf(hex + 2 * i, "%2hhx", &ret[i]), 1);
	return n;
}

static void makes(const char *secret, const char *source, uint32_t now,
    const char *client, const char *server)
{
	struct cookie_secrets secrets = secrets_of(secret);
	struct addr addr = source_of(source);
	uint8_t cookie[8], expected[24], made[24];
	bool fresh = false;

	ck_assert_uint_eq(bytes_of(client, cookie), 8);
	memcpy(expected, cookie, 8);
	ck_assert_uint_eq(bytes_of(server, expected + 8), 16);
	cookie_make(&secrets, cookie, &addr, at(now), made);
	ck_assert_mem_eq(made, expected, 24);
	ck_assert(cookie_check(&secrets, made, 24, &addr, at(now), &fresh));
	ck_assert(fresh);
}

START_TEST(test_vectors)
{
	struct cookie_secrets secrets;
	struct addr addr;
	uint8_t cookie[24];
	bool fresh = true;

	makes(SECRET_1, "198.51.100.100", 1559731985, "2464c4abcf10c957",
	    "010000005cf79f111f8130c3eee29480");
	makes(SECRET_1, "198.51.100.100", 1559734385, "2464c4abcf10c957",
	    "010000005cf7a871d4a564a1442aca77");
	makes(SECRET_1, "203.0.113.203", 1559734700, "fc93fc62807ddb86",
	    "010000005cf7a9acf73a7810aca2381e");
	makes(SECRET_3, "2001:db8:220:1:59de:d0f4:8769:82b8", 1559741961,
	    "22681ab97d52c298", "010000005cf7c609a6bb79d16625507a");
	/* A.3: what is reserved is not checked, but covered by the hash. */
	secrets = secrets_of(SECRET_1);
	addr = source_of("203.0.113.203");
	bytes_of("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", cookie);
	ck_assert(
	    cookie_check(&secrets, cookie, 24, &addr, at(1559730000), &fresh));
	ck_assert(!fresh);
	cookie[9] ^= 1;
	ck_assert(
	    !cookie_check(&secrets, cookie, 24, &addr, at(1559730000), &fresh));
	/* A.4: the secret was rotated. */
	addr = source_of("2001:db8:220:1:59de:d0f4:8769:82b8");
	bytes_of("22681ab97d52c298010000005cf7c57926556bd0934c72f8", cookie);
	secrets = secrets_of(SECRET_3 "\n" SECRET_2);
	fresh = true;
	ck_assert(
	    cookie_check(&secrets, cookie, 24, &addr, at(1559741961), &fresh));
	ck_assert(!fresh);
	secrets = secrets_of(SECRET_3);
	ck_assert(
	    !cookie_check(&secrets, cookie, 24, &addr, at(1559741961), &fresh));
}
END_TEST

/* RFC 9018 section 4.3. */
START_TEST(test_age)
{
	static const struct {
		int32_t age;
		bool valid, fresh;
	} rows[] = {{0, true, true}, {1800, true, true}, {1801, true, false},
	    {3600, true, false}, {3601, false, false}, {-300, true, true},
	    {-301, false, false}, {INT32_MAX, false, false},
	    {INT32_MIN, false, false}};
	struct cookie_secrets secrets = secrets_of(SECRET_1);
	struct addr addr = source_of("192.0.2.1");
	static const uint32_t made[] = {1559731985, 100, UINT32_MAX - 100};
	uint8_t cookie[24];

	for (size_t m = 0; m < 3; m++)
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
			/* The time of a cookie has 32 bits, ours has not. */
			int64_t now_s = (int64_t)made[m] + rows[i].age;
			struct wall now = {
			    (now_s < 0 ? now_s + (INT64_C(1) << 32) : now_s) *
			    NS_PER_S};
			bool fresh = false;

			cookie_make(&secrets, (const uint8_t *)"12345678",
			    &addr, at(made[m]), cookie);
			ck_assert(cookie_check(&secrets, cookie, 24, &addr, now,
				      &fresh) == rows[i].valid);
			ck_assert(fresh == rows[i].fresh);
		}
}
END_TEST

/* Every bit of it counts, and the address. */
START_TEST(test_forged)
{
	struct cookie_secrets secrets = secrets_of(SECRET_1);
	struct addr addr = source_of("192.0.2.1");
	struct addr other = source_of("192.0.2.2");
	struct addr mapped = source_of("::ffff:192.0.2.1");
	uint8_t cookie[41] = {0};
	bool fresh;

	cookie_make(
	    &secrets, (const uint8_t *)"12345678", &addr, at(1000), cookie);
	for (int bit = 0; bit < 24 * 8; bit++) {
		cookie[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert(!cookie_check(
		    &secrets, cookie, 24, &addr, at(1000), &fresh));
		cookie[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert(
	    !cookie_check(&secrets, cookie, 24, &other, at(1000), &fresh));
	for (size_t length = 0; length <= 40; length++)
		ck_assert(cookie_check(&secrets, cookie, length, &addr,
			      at(1000), &fresh) == (length == 24));
	/* IPv4 by a socket for both families. */
	ck_assert(
	    cookie_check(&secrets, cookie, 24, &mapped, at(1000), &fresh));
	/* The port is none of it. */
	addr_set_port(&addr, 77);
	ck_assert(cookie_check(&secrets, cookie, 24, &addr, at(1000), &fresh));
	/* A client without an address gets one that holds for its like. */
	other = (struct addr){0};
	cookie_make(
	    &secrets, (const uint8_t *)"12345678", &other, at(1000), cookie);
	ck_assert(cookie_check(&secrets, cookie, 24, &other, at(1000), &fresh));
	ck_assert(!cookie_check(&secrets, cookie, 24, &addr, at(1000), &fresh));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cookie");
	TCase *tcase = tcase_create("cookie");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, test_vectors);
	tcase_add_test(tcase, test_age);
	tcase_add_test(tcase, test_forged);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
