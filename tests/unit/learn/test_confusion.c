/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/confusion.h"

#include "tests/unit/base/check_main.h"

/*            said 0  said 1  said 2
 * actual 0:     5       1       0       precision 5/7, recall 5/6
 * actual 1:     2       2       0       precision 2/3, recall 2/4
 * actual 2: does not occur, nor 3 */
START_TEST(test_figures)
{
	struct confusion c;
	struct confusion_score score;

	confusion_init(&c, 4);
	confusion_add(&c, 0, 0, 4);
	confusion_add(&c, 0, 0, 1);
	confusion_add(&c, 0, 1, 1);
	confusion_add(&c, 1, 0, 2);
	confusion_add(&c, 1, 1, 2);
	score = confusion_score(&c, 0);
	ck_assert_double_eq_tol(score.precision, 5.0 / 7, 1e-12);
	ck_assert_double_eq_tol(score.recall, 5.0 / 6, 1e-12);
	ck_assert_double_eq_tol(score.f1, 10.0 / 13, 1e-12);
	ck_assert_double_eq(score.actual, 6);
	ck_assert(score.occurs);
	score = confusion_score(&c, 2);
	ck_assert(!score.occurs);
	ck_assert_double_eq(score.precision + score.recall + score.f1, 0);
	ck_assert_double_eq_tol(confusion_accuracy(&c), 0.7, 1e-12);
	ck_assert_double_eq_tol(
	    confusion_macro_f1(&c), (10.0 / 13 + 4.0 / 7) / 2, 1e-12);
	/* A class that is only said pulls the mean down. */
	confusion_add(&c, 1, 3, 1);
	ck_assert(confusion_score(&c, 3).occurs);
	ck_assert_double_eq_tol(
	    confusion_macro_f1(&c), (10.0 / 13 + 4.0 / 8 + 0) / 3, 1e-12);
	confusion_fini(&c);
}
END_TEST

START_TEST(test_nothing_said)
{
	struct confusion c;

	confusion_init(&c, 2);
	ck_assert_double_eq(confusion_accuracy(&c), 0);
	ck_assert_double_eq(confusion_macro_f1(&c), 0);
	confusion_fini(&c);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("confusion");

	tcase_add_test(tcase, test_figures);
	tcase_add_test(tcase, test_nothing_said);
	return check_main(tcase);
}
