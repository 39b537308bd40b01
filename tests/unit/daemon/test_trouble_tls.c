/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trouble_tls.h"
#include "tests/unit/base/check_main.h"

#define QUIET_NS (TROUBLE_QUIET_MS * NS_PER_MS)

static struct trouble_tls_end end;
static uint64_t counts[TLS_N_CAUSES];
static uint64_t more, most;
static unsigned cause;

static void setup(void)
{
	end = (struct trouble_tls_end){0};
	for (unsigned i = 0; i < TLS_N_CAUSES; i++)
		counts[i] = 0;
	cause = TLS_N_CAUSES;
}

static bool due(int64_t now_ns)
{
	return trouble_tls_due(&end, counts, now_ns, &more, &cause, &most);
}

START_TEST(test_the_most_frequent_cause_is_said)
{
	ck_assert(!due(1));
	counts[TLS_CAUSE_version] = 2;
	counts[TLS_CAUSE_unknown_ca] = 5;
	counts[TLS_CAUSE_internal] = 4;
	ck_assert(due(1));
	ck_assert_uint_eq(more, 11);
	ck_assert_uint_eq(cause, TLS_CAUSE_unknown_ca);
	ck_assert_uint_eq(most, 5);
}
END_TEST

/* Of those that are new, not of all that there ever were. */
START_TEST(test_what_was_said_is_not_counted_again)
{
	counts[TLS_CAUSE_unknown_ca] = 100;
	ck_assert(due(1));
	counts[TLS_CAUSE_unknown_ca] = 101;
	counts[TLS_CAUSE_version] = 3;
	ck_assert(!due(2));
	ck_assert(due(1 + QUIET_NS));
	ck_assert_uint_eq(more, 4);
	ck_assert_uint_eq(cause, TLS_CAUSE_version);
	ck_assert_uint_eq(most, 3);
}
END_TEST

START_TEST(test_ends_without_close_notify_are_no_trouble)
{
	counts[TLS_CAUSE_truncated] = 1000;
	ck_assert(!due(1));
	counts[TLS_CAUSE_malformed] = 1;
	ck_assert(due(1));
	ck_assert_uint_eq(more, 1);
	ck_assert_uint_eq(cause, TLS_CAUSE_malformed);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("due");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, test_the_most_frequent_cause_is_said);
	tcase_add_test(tcase, test_what_was_said_is_not_counted_again);
	tcase_add_test(tcase, test_ends_without_close_notify_are_no_trouble);
	return check_main(tcase);
}
