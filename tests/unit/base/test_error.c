/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include "tests/unit/base/check_main.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

START_TEST(test_own_codes)
{
	ck_assert_str_eq(br_strerror(BR_E_SYNTAX), "syntax error");
	ck_assert_str_eq(br_strerror(BR_E_VERSION), "not in this version");
	ck_assert_str_eq(br_strerror(BR_E_PROTOCOL), "unexpected bytes");
}
END_TEST

START_TEST(test_each_code_has_its_own_text)
{
	static const int codes[] = {
#define X(name, value, text) value,
	    BR_ERROR_LIST(X)
#undef X
	};
	size_t count = sizeof(codes) / sizeof(codes[0]);

	for (size_t i = 0; i < count; i++) {
		ck_assert_int_le(codes[i], -1000);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(
			    br_strerror(codes[i]), br_strerror(codes[j]));
	}
}
END_TEST

START_TEST(test_errno_codes)
{
	ck_assert_str_eq(br_strerror(0), "success");
	ck_assert_str_eq(br_strerror(-ENOENT), "No such file or directory");
	ck_assert_str_eq(br_strerror(-ECONNREFUSED), "Connection refused");
}
END_TEST

START_TEST(test_unknown_codes)
{
	ck_assert_str_eq(br_strerror(-999), "unknown error -999");
	ck_assert_str_eq(br_strerror(5), "unknown error 5");
	ck_assert_ptr_nonnull(strstr(br_strerror(INT_MIN), "unknown error"));
	ck_assert_ptr_nonnull(strstr(br_strerror(INT_MAX), "unknown error"));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("error");

	tcase_add_test(tcase, test_own_codes);
	tcase_add_test(tcase, test_each_code_has_its_own_text);
	tcase_add_test(tcase, test_errno_codes);
	tcase_add_test(tcase, test_unknown_codes);
	return check_main(tcase);
}
