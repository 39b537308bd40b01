/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strbuf.h"

#include "tests/unit/base/check_main.h"

#include <string.h>

START_TEST(test_append)
{
	struct strbuf sb;

	strbuf_init(&sb);
	ck_assert_str_eq(strbuf_text(&sb), "");
	strbuf_adds(&sb, "one ");
	strbuf_addc(&sb, 't');
	strbuf_add(&sb, "wo-", 2);
	strbuf_addf(&sb, " %d%s", 3, "!");
	ck_assert_str_eq(strbuf_text(&sb), "one two 3!");
	ck_assert_uint_eq(sb.length, 10);
	strbuf_clear(&sb);
	ck_assert_str_eq(strbuf_text(&sb), "");
	strbuf_add(&sb, NULL, 0);
	ck_assert_uint_eq(sb.length, 0);
	strbuf_fini(&sb);
	ck_assert_str_eq(strbuf_text(&sb), "");
}
END_TEST

START_TEST(test_grows_and_stays_terminated)
{
	struct strbuf sb;

	strbuf_init(&sb);
	for (size_t i = 0; i < 5000; i++) {
		strbuf_addc(&sb, 'x');
		ck_assert_uint_eq(strlen(strbuf_text(&sb)), i + 1);
	}
	strbuf_addf(&sb, "%9000d", 7);
	ck_assert_uint_eq(sb.length, 14000);
	ck_assert_int_eq(strbuf_text(&sb)[13999], '7');
	strbuf_fini(&sb);
}
END_TEST

START_TEST(test_take)
{
	struct strbuf sb;
	char *text;

	strbuf_init(&sb);
	strbuf_adds(&sb, "taken");
	text = strbuf_take(&sb);
	ck_assert_str_eq(text, "taken");
	free(text);
	text = strbuf_take(&sb);
	ck_assert_str_eq(text, "");
	free(text);
	strbuf_adds(&sb, "again");
	ck_assert_str_eq(strbuf_text(&sb), "again");
	strbuf_fini(&sb);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("strbuf");

	tcase_add_test(tcase, test_append);
	tcase_add_test(tcase, test_grows_and_stays_terminated);
	tcase_add_test(tcase, test_take);
	return check_main(tcase);
}
