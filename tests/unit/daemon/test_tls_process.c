/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tls_process.h"
#include "tests/unit/base/check_main.h"

#include <string.h>

static struct conf_certificate certificate;
static struct conf_listener listeners[2];
static const struct conf plain = {.listeners = listeners, .n_listeners = 1};
static const struct conf tls = {.listeners = listeners, .n_listeners = 2};
static struct tls_process process;

static void setup(void)
{
	listeners[1].tls.certificates = &certificate;
	listeners[1].tls.n_certificates = 1;
}

static void teardown(void)
{
	tls_process_end(&process);
}

static bool same(const struct tls_ticket_key *a, const struct tls_ticket_key *b)
{
	return !memcmp(a, b, sizeof *a);
}

START_TEST(test_keys_are_made_when_tls_is_terminated)
{
	const struct tls_ticket_keys *keys;

	ck_assert_int_eq(tls_process_prepare(&process, &plain), 0);
	ck_assert_ptr_null(tls_process_keys(&process));
	ck_assert(!tls_process_rotate(&process, INT64_MAX));
	ck_assert_int_eq(tls_process_prepare(&process, &tls), 0);
	keys = tls_process_keys(&process);
	ck_assert(keys && tls_ticket_keys_valid(keys, sizeof *keys));
	/* A reload keeps them. */
	ck_assert_int_eq(tls_process_prepare(&process, &tls), 0);
	ck_assert_ptr_eq(tls_process_keys(&process), keys);
}
END_TEST

START_TEST(test_keys_change_by_the_hour)
{
	const struct tls_ticket_keys *first, *second;
	int64_t made_ns;

	ck_assert_int_eq(tls_process_prepare(&process, &tls), 0);
	first = tls_process_keys(&process);
	made_ns = first->rotated_wall_ns;
	ck_assert(!tls_process_rotate(&process, made_ns + TLS_ROTATE_NS - 1));
	ck_assert_ptr_eq(tls_process_keys(&process), first);
	ck_assert(tls_process_rotate(&process, made_ns + TLS_ROTATE_NS));
	second = tls_process_keys(&process);
	ck_assert_ptr_ne(second, first);
	/* Tickets of before are still read. */
	ck_assert(same(&second->previous, &first->current));
	ck_assert(same(&second->current, &first->next));
	ck_assert_uint_eq(second->generation, first->generation + 1);
	/* A clock that was set back does not keep keys for years. */
	ck_assert(tls_process_rotate(&process, made_ns - 1));
}
END_TEST

/* Contexts may point to a set for some rotations more. */
START_TEST(test_sets_in_use_are_not_touched)
{
	const struct tls_ticket_keys *first;
	struct tls_ticket_keys copy;
	int64_t now_ns;

	ck_assert_int_eq(tls_process_prepare(&process, &tls), 0);
	first = tls_process_keys(&process);
	copy = *first;
	now_ns = first->rotated_wall_ns;
	for (uint32_t i = 1; i < TLS_KEY_SETS; i++) {
		now_ns += TLS_ROTATE_NS;
		ck_assert(tls_process_rotate(&process, now_ns));
		ck_assert_ptr_ne(tls_process_keys(&process), first);
		ck_assert_mem_eq(first, &copy, sizeof copy);
	}
	/* Then it is written over, and is a good set at all times. */
	ck_assert(tls_process_rotate(&process, now_ns + TLS_ROTATE_NS));
	ck_assert_ptr_eq(tls_process_keys(&process), first);
	ck_assert(tls_ticket_keys_valid(first, sizeof *first));
	ck_assert_uint_eq(first->generation, copy.generation + TLS_KEY_SETS);
}
END_TEST

START_TEST(test_keys_of_the_process_before)
{
	struct tls_ticket_keys theirs;

	ck_assert_int_eq(tls_process_inherit(&process, "x", 1), BR_E_PROTOCOL);
	ck_assert_int_eq(tls_ticket_keys_make(&theirs, 1), 0);
	ck_assert_int_eq(
	    tls_process_inherit(&process, &theirs, sizeof theirs), 0);
	ck_assert_int_eq(tls_process_prepare(&process, &tls), 0);
	ck_assert_mem_eq(tls_process_keys(&process), &theirs, sizeof theirs);
	ck_assert_ptr_nonnull(process.cache);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("keys");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_keys_are_made_when_tls_is_terminated);
	tcase_add_test(tcase, test_keys_change_by_the_hour);
	tcase_add_test(tcase, test_sets_in_use_are_not_touched);
	tcase_add_test(tcase, test_keys_of_the_process_before);
	return check_main(tcase);
}
