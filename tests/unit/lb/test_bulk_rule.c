/* SPDX-License-Identifier: Apache-2.0 */
/* When a direction is bulk: by what is known of it, else by large reads. */
#include "lb/bulk_rule.h"

#include "tests/unit/base/check_main.h"

#define KIB 1024u
#define READ_BYTES (16 * KIB)

static struct bulk_track track;
static struct bulk_rule rule;
static uint64_t position;
static struct mono now;

static void begin(void)
{
	track = (struct bulk_track){0};
	rule = (struct bulk_rule){.counter = {256 * KIB, 1000}};
	position = 0;
	now = (struct mono){0};
}

/* Reads so many bytes down, a millisecond each; whether it is bulk then. */
static bool read_bytes(uint64_t bytes, uint32_t each)
{
	for (uint64_t left = bytes; left;) {
		uint32_t n = left < each ? (uint32_t)left : each;

		now.ns += NS_PER_MS;
		position += n;
		if (bulk_window_is_over(&track, &rule, now))
			bulk_open_window(&track, now);
		bulk_count(&track, &rule, false, position, n);
		left -= n;
	}
	return bulk_is(&track, &rule, false, position);
}

START_TEST(test_counter)
{
	ck_assert(!read_bytes(240 * KIB, READ_BYTES));
	ck_assert(read_bytes(16 * KIB, READ_BYTES));
	/* A second later it has all to do again. */
	now.ns += 1001 * NS_PER_MS;
	ck_assert(!read_bytes(240 * KIB, READ_BYTES));
	/* Small reads are never bulk. */
	begin();
	ck_assert(!read_bytes(900 * KIB, BULK_LARGE_BYTES));
}
END_TEST

START_TEST(test_window)
{
	rule.counter = (struct profile_counter){1024 * KIB, 4000};
	for (int i = 0; i < 3; i++) {
		ck_assert(!read_bytes(256 * KIB, READ_BYTES));
		now.ns += 900 * NS_PER_MS;
	}
	ck_assert(read_bytes(256 * KIB, READ_BYTES));
}
END_TEST

START_TEST(test_known_large)
{
	rule.known[1] = (struct profile_known){2048 * KIB, true};
	ck_assert(read_bytes(100, READ_BYTES));
	ck_assert(read_bytes(100 * KIB, READ_BYTES));
	/* The other way is not known. */
	ck_assert(!bulk_is(&track, &rule, true, 100));
	/* Behind it the counter starts at nothing. */
	read_bytes(1948 * KIB, READ_BYTES);
	ck_assert(!read_bytes(200 * KIB, READ_BYTES));
	ck_assert(read_bytes(56 * KIB, READ_BYTES));
}
END_TEST

START_TEST(test_known_small)
{
	rule.known[1] = (struct profile_known){1000 * KIB, false};
	ck_assert(!read_bytes(1000 * KIB, READ_BYTES));
	ck_assert(!read_bytes(240 * KIB, READ_BYTES));
	ck_assert(read_bytes(16 * KIB, READ_BYTES));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("bulk_rule");

	tcase_add_checked_fixture(tcase, begin, NULL);
	tcase_add_test(tcase, test_counter);
	tcase_add_test(tcase, test_window);
	tcase_add_test(tcase, test_known_large);
	tcase_add_test(tcase, test_known_small);
	return check_main(tcase);
}
