/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/value_bytes.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char got[64];
static size_t n_got;

static int escaped(const char *text)
{
	return value_escaped(text, strlen(text), got, &n_got);
}

static int hex(const char *text)
{
	return value_hex(text, strlen(text), got, &n_got);
}

#define ck_assert_got(bytes)                                                   \
	do {                                                                   \
		ck_assert_uint_eq(n_got, sizeof(bytes) - 1);                   \
		ck_assert_mem_eq(got, bytes, sizeof(bytes) - 1);               \
	} while (0)

START_TEST(escapes_stand_for_bytes)
{
	ck_assert_int_eq(escaped("PING\\r\\n"), 0);
	ck_assert_got("PING\r\n");
	ck_assert_int_eq(escaped("\\t\\\\\\0\\x41\\xfF."), 0);
	ck_assert_got("\t\\\0A\xff.");
	ck_assert_int_eq(escaped(""), 0);
	ck_assert_uint_eq(n_got, 0);
}
END_TEST

START_TEST(what_is_not_escaped_is_itself)
{
	static const char bytes[] = {'a', '\0', '\r', (char)0xc3, '"'};

	ck_assert_int_eq(value_escaped(bytes, sizeof(bytes), got, &n_got), 0);
	ck_assert_uint_eq(n_got, sizeof(bytes));
	ck_assert_mem_eq(got, bytes, sizeof(bytes));
}
END_TEST

START_TEST(other_escapes_are_refused)
{
	static const char *const bad[] = {
	    "\\", "a\\", "\\a", "\\x", "\\x4", "\\x4g", "\\xg4", "\\X41"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(escaped(bad[i]) == -EINVAL, "%s", bad[i]);
}
END_TEST

START_TEST(digits_come_in_pairs)
{
	ck_assert_int_eq(hex("50494e47 0D 0a"), 0);
	ck_assert_got("PING\r\n");
	ck_assert_int_eq(hex("5"), -EINVAL);
	ck_assert_int_eq(hex("5 0"), -EINVAL);
	ck_assert_int_eq(hex("zz"), -EINVAL);
	ck_assert_int_eq(hex("0x50"), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("value_bytes");
	TCase *tcase = tcase_create("value_bytes");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, escapes_stand_for_bytes);
	tcase_add_test(tcase, what_is_not_escaped_is_itself);
	tcase_add_test(tcase, other_escapes_are_refused);
	tcase_add_test(tcase, digits_come_in_pairs);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
