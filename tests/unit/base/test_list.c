/* SPDX-License-Identifier: Apache-2.0 */
#include "base/list.h"

#include "tests/unit/base/check_main.h"

struct item {
	struct list_node link;
	int number;
};

static int numbers(const struct list *list)
{
	int digits = 0;

	LIST_FOREACH (node, list)
		digits = digits * 10 +
			 br_container_of(node, struct item, link)->number;
	return digits;
}

START_TEST(test_push_and_pop)
{
	struct item a = {.number = 1}, b = {.number = 2}, c = {.number = 3};
	struct list list;

	list_init(&list);
	ck_assert(list_empty(&list));
	ck_assert_ptr_null(list_pop_front(&list));
	list_push_back(&list, &b.link);
	list_push_back(&list, &c.link);
	list_push_front(&list, &a.link);
	ck_assert_int_eq(numbers(&list), 123);
	ck_assert_ptr_eq(list_first(&list), &a.link);
	ck_assert_ptr_eq(list_pop_front(&list), &a.link);
	ck_assert(!list_linked(&a.link));
	ck_assert_int_eq(numbers(&list), 23);
}
END_TEST

START_TEST(test_removing_twice_is_harmless)
{
	struct item a = {.number = 1}, b = {.number = 2};
	struct list list;

	list_init(&list);
	list_push_back(&list, &a.link);
	list_push_back(&list, &b.link);
	list_remove(&a.link);
	list_remove(&a.link);
	ck_assert_int_eq(numbers(&list), 2);
}
END_TEST

START_TEST(test_splice)
{
	struct item a = {.number = 1}, b = {.number = 2}, c = {.number = 3};
	struct list to, from;

	list_init(&to);
	list_init(&from);
	list_push_back(&to, &a.link);
	list_splice_back(&to, &from);
	ck_assert_int_eq(numbers(&to), 1);
	list_push_back(&from, &b.link);
	list_push_back(&from, &c.link);
	list_splice_back(&to, &from);
	ck_assert_int_eq(numbers(&to), 123);
	ck_assert(list_empty(&from));
	list_splice_back(&from, &to);
	ck_assert_int_eq(numbers(&from), 123);
	ck_assert(list_empty(&to));
}
END_TEST

START_TEST(test_remove_within_the_loop)
{
	struct item items[9];
	struct list list;

	list_init(&list);
	for (int i = 0; i < 9; i++) {
		items[i].number = i + 1;
		list_push_back(&list, &items[i].link);
	}
	LIST_FOREACH_SAFE (node, following, &list) {
		if (br_container_of(node, struct item, link)->number % 2)
			list_remove(node);
	}
	ck_assert_int_eq(numbers(&list), 2468);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("list");

	tcase_add_test(tcase, test_push_and_pop);
	tcase_add_test(tcase, test_removing_twice_is_harmless);
	tcase_add_test(tcase, test_splice);
	tcase_add_test(tcase, test_remove_within_the_loop);
	return check_main(tcase);
}
