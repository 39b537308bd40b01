/* SPDX-License-Identifier: Apache-2.0 */
#include "io/digest.h"

#include "base/assert.h"
#include "tests/unit/base/check_main.h"

#include <string.h>

/* FIPS 180-2 B.1: of "abc". */
static const uint8_t abc[DIGEST_BYTES] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01,
    0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03,
    0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00,
    0x15, 0xad};
#define ABC "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:"

START_TEST(test_digest)
{
	struct digest *digest = digest_new();

	ck_assert(digest);
	digest_add(digest, "a", 1);
	digest_add(digest, "bc", 2);
	ck_assert(digest_matches(digest, abc));
	digest_free(digest);
	digest = digest_new();
	digest_add(digest, "abd", 3);
	ck_assert(!digest_matches(digest, abc));
	digest_free(digest);
	digest_free(NULL);
}
END_TEST

static const struct field_row {
	const char *value;
	bool good;
} field_rows[] = {
    {ABC, true},
    {"sha-512=:AAAA:, " ABC, true},
    {"sha-512=:AAAA:," ABC ";p=1, md5=:x:", true},
    {"", false},
    {"sha-512=:AAAA:", false},
    {"x" ABC, false},
    {ABC "x", false},
    {"sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0:", false},
    {"sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa1=:", false},
    {"sha-256=:ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0=:", false},
    {"sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", false},
    {"sha-256=ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", false},
    {"sha-256=:ungW", false},
};

START_TEST(test_field)
{
	const struct field_row *row = &field_rows[_i];
	uint8_t found[DIGEST_BYTES] = {0};

	ck_assert_msg(digest_read_field(
			  row->value, strlen(row->value), found) == row->good,
	    "%s", row->value);
	if (row->good)
		ck_assert(!memcmp(found, abc, DIGEST_BYTES));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("digest");

	tcase_add_test(tcase, test_digest);
	tcase_add_loop_test(tcase, test_field, 0, BR_COUNT(field_rows));
	return check_main(tcase);
}
