/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/outbox.h"

#include <check.h>
#include <stdlib.h>

/* Three members; the rings hold three messages each. */
static struct post_office *office;
static struct outbox *outbox;

static void setup(void)
{
	office = post_office_new(3, 4);
	outbox = malloc(sizeof *outbox);
	outbox_init(outbox, office, 0);
}

static void teardown(void)
{
	free(outbox);
	post_office_free(office);
}

static void expect(uint32_t to, uint64_t number)
{
	struct message message;

	ck_assert_int_eq(mailbox_receive(office, to, &message), 1);
	ck_assert_uint_eq(message.number, number);
}

START_TEST(test_order_is_kept_through_a_full_mailbox)
{
	struct message none;
	uint64_t next = 0;

	for (uint64_t i = 0; i < 20; i++)
		outbox_post(outbox, 1, (struct message){.number = i});
	ck_assert_uint_eq(outbox->n, 17);
	ck_assert(!outbox_flush(outbox));
	for (; next < 2; next++)
		expect(1, next);
	/* Room again, but what waits goes first. */
	outbox_post(outbox, 1, (struct message){.number = 20});
	while (!outbox_flush(outbox)) {
		expect(1, next++);
	}
	while (next <= 20)
		expect(1, next++);
	ck_assert_int_eq(mailbox_receive(office, 1, &none), 0);
}
END_TEST

START_TEST(test_one_full_receiver_does_not_hold_up_another)
{
	for (uint64_t i = 0; i < 5; i++)
		outbox_post(outbox, 1, (struct message){.number = i});
	outbox_post(outbox, 2, (struct message){.number = 100});
	expect(2, 100);
	ck_assert(!outbox_flush(outbox));
	outbox_post(outbox, 2, (struct message){.number = 101});
	expect(2, 101);
	for (uint64_t i = 0; i < 3; i++)
		expect(1, i);
	ck_assert(outbox_flush(outbox));
	expect(1, 3);
	expect(1, 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("outbox");
	TCase *tcase = tcase_create("outbox");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_order_is_kept_through_a_full_mailbox);
	tcase_add_test(tcase, test_one_full_receiver_does_not_hold_up_another);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
