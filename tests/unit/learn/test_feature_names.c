/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/feature_names.h"

#include "tests/unit/base/check_main.h"

/* Values of the authors' test suite for FNV-1a, 64 bits. */
START_TEST(test_reference_values)
{
	const char *a[] = {"a"}, *foobar[] = {"foobar"};

	ck_assert_uint_eq(
	    feature_names_hash(NULL, 0), UINT64_C(0xcbf29ce484222325));
	ck_assert_uint_eq(
	    feature_names_hash(a, 1), UINT64_C(0xaf63dc4c8601ec8c));
	ck_assert_uint_eq(
	    feature_names_hash(foobar, 1), UINT64_C(0x85944171f73967e8));
}
END_TEST

START_TEST(test_order_and_borders_count)
{
	const char *ab[] = {"a", "b"}, *ba[] = {"b", "a"}, *joined[] = {"ab"},
		   *line[] = {"a\nb"};

	ck_assert_uint_ne(feature_names_hash(ab, 2), feature_names_hash(ba, 2));
	ck_assert_uint_ne(
	    feature_names_hash(ab, 2), feature_names_hash(joined, 1));
	/* The joint is a '\n': no name may contain one. */
	ck_assert_uint_eq(
	    feature_names_hash(ab, 2), feature_names_hash(line, 1));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("feature_names");

	tcase_add_test(tcase, test_reference_values);
	tcase_add_test(tcase, test_order_and_borders_count);
	return check_main(tcase);
}
