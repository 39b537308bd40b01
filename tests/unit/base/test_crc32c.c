/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crc32c.h"

#include "tests/unit/base/check_main.h"

#include <string.h>

/* RFC 3720 appendix B.4, and the check value of the CRC catalogue. */
START_TEST(test_known)
{
	uint8_t bytes[32];

	ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xe3069283);
	memset(bytes, 0, sizeof(bytes));
	ck_assert_uint_eq(crc32c(0, bytes, sizeof(bytes)), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	ck_assert_uint_eq(crc32c(0, bytes, sizeof(bytes)), 0x62a8ab43);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	ck_assert_uint_eq(crc32c(0, bytes, sizeof(bytes)), 0x46dd794e);
}
END_TEST

START_TEST(test_in_pieces)
{
	for (size_t n = 0; n <= 9; n++)
		ck_assert_uint_eq(
		    crc32c(crc32c(0, "123456789", n), "123456789" + n, 9 - n),
		    0xe3069283);
}
END_TEST

/* Bit by bit, as the definition has it. */
static uint32_t slowly(const uint8_t *bytes, size_t length)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < length; i++) {
		crc ^= bytes[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

START_TEST(test_any_length_and_alignment)
{
	uint8_t bytes[80];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 89 + 7);
	for (size_t at = 0; at < 9; at++)
		for (size_t n = 0; at + n <= sizeof(bytes); n++)
			ck_assert_uint_eq(
			    crc32c(0, bytes + at, n), slowly(bytes + at, n));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("crc32c");

	tcase_add_test(tcase, test_known);
	tcase_add_test(tcase, test_in_pieces);
	tcase_add_test(tcase, test_any_length_and_alignment);
	return check_main(tcase);
}
