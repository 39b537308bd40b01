/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"

#include "tests/unit/base/check_main.h"

#include <signal.h>
#include <string.h>

static void fail_assertion(void)
{
	int apples = 2;

	br_assert(apples == 3);
}

static void fail_memory(void)
{
	br_out_of_memory("a test", 77);
}

START_TEST(test_failure_names_the_place_and_aborts)
{
	char text[512];
	int status = run_in_child(fail_assertion, text, sizeof(text));

	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGABRT);
	ck_assert_ptr_nonnull(strstr(text, "assertion failed: apples == 3"));
	ck_assert_ptr_nonnull(strstr(text, "test_assert.c:"));
}
END_TEST

START_TEST(test_out_of_memory_says_what)
{
	char text[512];
	int status = run_in_child(fail_memory, text, sizeof(text));

	ck_assert(WIFSIGNALED(status));
	ck_assert_ptr_nonnull(strstr(text, "77 bytes for a test"));
}
END_TEST

START_TEST(test_true_is_evaluated_once)
{
	int calls = 0;

	br_assert(++calls == 1);
	ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(test_container_of)
{
	struct outer {
		int before;
		struct {
			char c;
		} inner;
	} object;

	ck_assert_ptr_eq(
	    br_container_of(&object.inner, struct outer, inner), &object);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("assert");

	tcase_add_test(tcase, test_failure_names_the_place_and_aborts);
	tcase_add_test(tcase, test_out_of_memory_says_what);
	tcase_add_test(tcase, test_true_is_evaluated_once);
	tcase_add_test(tcase, test_container_of);
	return check_main(tcase);
}
