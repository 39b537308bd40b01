/* SPDX-License-Identifier: Apache-2.0 */
#include "io/ring_off.h"

#include "tests/unit/io/io_check.h"

static uint32_t off;

START_TEST(test_names)
{
	ck_assert_int_eq(ring_off_parse("", &off), 0);
	ck_assert_uint_eq(off, 0);
	ck_assert_int_eq(ring_off_parse("silent_send,large_pages", &off), 0);
	ck_assert_uint_eq(off, RING_OFF_SILENT_SEND | RING_OFF_LARGE_PAGES);
	ck_assert_int_eq(ring_off_parse("all", &off), 0);
	for (uint32_t i = 0; i < RING_OFF_N; i++) {
		uint32_t one;

		ck_assert(off & (1u << i));
		ck_assert_int_eq(ring_off_parse(ring_off_name(i), &one), 0);
		ck_assert_uint_eq(one, 1u << i);
	}
}
END_TEST

START_TEST(test_unknown_names)
{
	ck_assert_int_eq(ring_off_parse("silent,recv_many,", &off), -EINVAL);
	ck_assert_uint_eq(off, RING_OFF_RECV_MANY);
}
END_TEST

START_TEST(test_environment)
{
	ck_assert_int_eq(unsetenv("BRAID_IO_OFF"), 0);
	ck_assert_uint_eq(ring_off_environment(), 0);
	ck_assert_int_eq(setenv("BRAID_IO_OFF", "accept_many", 1), 0);
	ck_assert_uint_eq(ring_off_environment(), RING_OFF_ACCEPT_MANY);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("ring_off");

	tcase_add_test(tcase, test_names);
	tcase_add_test(tcase, test_unknown_names);
	tcase_add_test(tcase, test_environment);
	return io_check_main(tcase);
}
