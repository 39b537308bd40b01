/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cursor.h"

#include "tests/unit/base/check_main.h"

static const uint8_t bytes[] = {
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

START_TEST(test_numbers_are_big_endian)
{
	struct cursor c = cursor_of(bytes, sizeof(bytes));
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	ck_assert(cursor_u8(&c, &u8) && cursor_be16(&c, &u16));
	ck_assert(cursor_be32(&c, &u32) && cursor_be64(&c, &u64));
	ck_assert_uint_eq(u8, 1);
	ck_assert_uint_eq(u16, 0x0203);
	ck_assert_uint_eq(u32, 0x04050607);
	ck_assert_uint_eq(u64, UINT64_C(0x08090a0b0c0d0e0f));
	ck_assert_uint_eq(cursor_left(&c), 0);
	ck_assert(!c.failed);
}
END_TEST

START_TEST(test_the_end_fails_and_changes_nothing)
{
	struct cursor c = cursor_of(bytes, 3), sub = cursor_of(bytes, 1);
	uint32_t u32 = 77;
	uint8_t u8 = 77;
	char out[8] = "before";

	ck_assert(!cursor_be32(&c, &u32));
	ck_assert_uint_eq(u32, 77);
	ck_assert_uint_eq(cursor_left(&c), 3);
	ck_assert(c.failed);
	/* It stays failed, also for what would fit. */
	ck_assert(!cursor_u8(&c, &u8));
	ck_assert_uint_eq(u8, 77);

	c = cursor_of(bytes, 3);
	ck_assert(!cursor_copy(&c, out, 4));
	ck_assert_str_eq(out, "before");
	c = cursor_of(bytes, 3);
	ck_assert(!cursor_take(&c, SIZE_MAX, &sub));
	ck_assert_uint_eq(cursor_left(&sub), 1);
	c = cursor_of(bytes, 3);
	ck_assert(!cursor_skip(&c, SIZE_MAX));
	ck_assert_ptr_eq(c.at, bytes);
}
END_TEST

START_TEST(test_take_skip_copy)
{
	struct cursor c = cursor_of(bytes, sizeof(bytes)), sub;
	uint8_t out[3], u8;

	ck_assert(cursor_skip(&c, 2));
	ck_assert(cursor_take(&c, 2, &sub));
	ck_assert_uint_eq(cursor_left(&sub), 2);
	ck_assert(cursor_u8(&sub, &u8));
	ck_assert_uint_eq(u8, 3);
	ck_assert(cursor_copy(&c, out, 3));
	ck_assert_uint_eq(out[0], 5);
	ck_assert(cursor_copy(&c, NULL, 0));
	ck_assert_uint_eq(cursor_left(&c), sizeof(bytes) - 7);
}
END_TEST

START_TEST(test_match)
{
	struct cursor c = cursor_of("GET /", 5);

	ck_assert(!cursor_match(&c, "POST"));
	ck_assert(!cursor_match(&c, "GET / HTTP"));
	ck_assert(!c.failed);
	ck_assert(cursor_match(&c, "GET "));
	ck_assert_uint_eq(cursor_left(&c), 1);
	ck_assert(cursor_match(&c, ""));
	c = cursor_of(NULL, 0);
	ck_assert(cursor_match(&c, ""));
	ck_assert(!cursor_match(&c, "x"));
}
END_TEST

START_TEST(test_put)
{
	uint8_t room[8] = {0};
	static const uint8_t expected[] = {9, 1, 2, 3, 4, 5, 6, 0};
	struct cursor_out c = cursor_out_of(room, 7);

	ck_assert(cursor_put_u8(&c, 9));
	ck_assert(cursor_put_be16(&c, 0x0102));
	ck_assert(!cursor_put(&c, "12345", 5));
	ck_assert(c.failed);
	ck_assert_uint_eq(cursor_out_length(&c), 3);
	ck_assert(!cursor_put_u8(&c, 9));
	c.failed = false;
	ck_assert(cursor_put_be32(&c, 0x03040506));
	ck_assert(!cursor_put_u8(&c, 9));
	ck_assert_mem_eq(room, expected, 8);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("cursor");

	tcase_add_test(tcase, test_numbers_are_big_endian);
	tcase_add_test(tcase, test_the_end_fails_and_changes_nothing);
	tcase_add_test(tcase, test_take_skip_copy);
	tcase_add_test(tcase, test_match);
	tcase_add_test(tcase, test_put);
	return check_main(tcase);
}
