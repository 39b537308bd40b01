/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mailbox.h"

#include "base/assert.h"
#include "base/rng.h"
#include "tests/unit/base/check_main.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/resource.h>

static bool is_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

/* Blocks until somebody has written. Returns how often. */
static uint64_t eventfd_wait(int fd)
{
	uint64_t count = 0;

	br_assert(read(fd, &count, sizeof(count)) == sizeof(count));
	return count;
}

static struct message numbered(uint64_t number)
{
	return (struct message){.kind = 1, .from = 99, .number = number};
}

START_TEST(test_order_and_contents)
{
	struct post_office *office = post_office_new(2, 8);
	struct message m = {.kind = 5, .number = 6}, got;
	int a, b;

	m.pointer = &a;
	m.pointer2 = &b;
	ck_assert_uint_eq(post_office_members(office), 2);
	ck_assert_int_eq(mailbox_receive(office, 1, &got), 0);
	ck_assert_int_eq(mailbox_post(office, 0, 1, m), 0);
	ck_assert_int_eq(mailbox_post(office, 0, 1, numbered(7)), 0);
	ck_assert_int_eq(mailbox_receive(office, 0, &got), 0);
	ck_assert_int_eq(mailbox_receive(office, 1, &got), 1);
	ck_assert_uint_eq(got.kind, 5);
	ck_assert_uint_eq(got.from, 0);
	ck_assert_uint_eq(got.number, 6);
	ck_assert_ptr_eq(got.pointer, &a);
	ck_assert_ptr_eq(got.pointer2, &b);
	ck_assert_int_eq(mailbox_receive(office, 1, &got), 1);
	ck_assert_uint_eq(got.number, 7);
	ck_assert_int_eq(mailbox_receive(office, 1, &got), 0);
	post_office_free(office);
	post_office_free(NULL);
}
END_TEST

START_TEST(test_full_ring_refuses_and_keeps)
{
	struct post_office *office = post_office_new(1, 4);
	struct message got;

	for (uint64_t round = 0; round < 10; round++) {
		/* One of the four slots stays empty. */
		for (uint64_t i = 0; i < 3; i++)
			ck_assert_int_eq(
			    mailbox_post(office, 0, 0, numbered(i)), 0);
		ck_assert_int_eq(
		    mailbox_post(office, 0, 0, numbered(9)), -EAGAIN);
		for (uint64_t i = 0; i < 3; i++) {
			ck_assert_int_eq(mailbox_receive(office, 0, &got), 1);
			ck_assert_uint_eq(got.number, i);
		}
		ck_assert_int_eq(mailbox_receive(office, 0, &got), 0);
	}
	post_office_free(office);
}
END_TEST

START_TEST(test_senders_are_served_in_turn)
{
	struct post_office *office = post_office_new(3, 16);
	struct message got;
	uint32_t last = UINT32_MAX;

	for (uint64_t i = 0; i < 5; i++) {
		for (uint32_t from = 0; from < 3; from++)
			ck_assert_int_eq(
			    mailbox_post(office, from, 2, numbered(i)), 0);
	}
	for (int i = 0; i < 15; i++) {
		ck_assert_int_eq(mailbox_receive(office, 2, &got), 1);
		ck_assert_uint_ne(got.from, last);
		last = got.from;
	}
	post_office_free(office);
}
END_TEST

START_TEST(test_eventfd_is_written_only_for_who_may_sleep)
{
	struct post_office *office = post_office_new(2, 64);
	int fd = mailbox_eventfd(office, 1);
	struct message got;

	ck_assert(!is_readable(fd));
	for (uint64_t i = 0; i < 10; i++)
		ck_assert_int_eq(mailbox_post(office, 0, 1, numbered(i)), 0);
	ck_assert_uint_eq(eventfd_wait(fd), 1);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(mailbox_receive(office, 1, &got), 1);
	/* It has not been told yet that there is nothing. */
	ck_assert_int_eq(mailbox_post(office, 0, 1, numbered(1)), 0);
	ck_assert(!is_readable(fd));
	ck_assert_int_eq(mailbox_receive(office, 1, &got), 1);
	ck_assert_int_eq(mailbox_receive(office, 1, &got), 0);
	ck_assert_int_eq(mailbox_post(office, 0, 1, numbered(1)), 0);
	ck_assert_uint_eq(eventfd_wait(fd), 1);
	ck_assert(!is_readable(mailbox_eventfd(office, 0)));
	post_office_free(office);
}
END_TEST

START_TEST(test_out_of_descriptors)
{
	struct rlimit before, none;
	int next = dup(0);

	ck_assert_int_ge(next, 0);
	close(next);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)next + 2;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_ptr_null(post_office_new(50, 8));
	ck_assert_int_eq(errno, EMFILE);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	/* The ones it got were closed again. */
	ck_assert_int_eq(dup(0), next);
	close(next);
}
END_TEST

/* -- threads ------------------------------------------------------------- */

#define PING_ROUNDS 10000
#define SENDERS 3
#define SENDER_MESSAGES 20000
#define PAYLOADS 128

static struct post_office *shared;

/* As a loop does: receive until there is nothing, then sleep. A lost wake-up
 * leaves both sides asleep, which the time limit of the test ends. */
static struct message receive_or_sleep(uint32_t member)
{
	struct message got;

	while (!mailbox_receive(shared, member, &got))
		(void)eventfd_wait(mailbox_eventfd(shared, member));
	return got;
}

/* Plain memory that only the messages hand to and fro. */
static uint64_t ping_count;

static void *pong_thread(void *argument)
{
	(void)argument;
	for (uint64_t i = 0; i < PING_ROUNDS; i++) {
		struct message m = receive_or_sleep(1);

		br_assert(m.number == i);
		++*(uint64_t *)m.pointer;
		br_assert(mailbox_post(shared, 1, 0, m) == 0);
	}
	return NULL;
}

START_TEST(test_ping_pong_loses_no_wake_up)
{
	pthread_t thread;

	shared = post_office_new(2, 4);
	ping_count = 0;
	ck_assert_int_eq(pthread_create(&thread, NULL, pong_thread, NULL), 0);
	for (uint64_t i = 0; i < PING_ROUNDS; i++) {
		struct message m = numbered(i);

		m.pointer = &ping_count;
		ck_assert_int_eq(mailbox_post(shared, 0, 1, m), 0);
		m = receive_or_sleep(0);
		ck_assert_uint_eq(m.number, i);
		ck_assert_uint_eq(ping_count, i + 1);
	}
	pthread_join(thread, NULL);
	post_office_free(shared);
}
END_TEST

#define WIDE_MEMBERS 100
#define WIDE_ROUNDS 20000

static uint64_t wide_received;

static void *wide_thread(void *argument)
{
	(void)argument;
	for (uint64_t i = 1; i <= WIDE_ROUNDS; i++) {
		(void)receive_or_sleep(1);
		__atomic_store_n(&wide_received, i, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* With many members a look takes long, and the next message comes at a random
 * moment around it, from any member: also after that pair has been looked at
 * and before the receiver has said that it may sleep. One thread is all the
 * senders. */
START_TEST(test_post_while_the_receiver_falls_asleep)
{
	volatile uint32_t spins;
	pthread_t thread;
	struct rng rng;

	rng_seed(&rng, 5);
	shared = post_office_new(WIDE_MEMBERS, 2);
	ck_assert_ptr_nonnull(shared);
	wide_received = 0;
	ck_assert_int_eq(pthread_create(&thread, NULL, wide_thread, NULL), 0);
	for (uint64_t i = 1; i <= WIDE_ROUNDS; i++) {
		uint32_t from = rng_below(&rng, WIDE_MEMBERS);

		ck_assert_int_eq(mailbox_post(shared, from, 1, numbered(i)), 0);
		while (__atomic_load_n(&wide_received, __ATOMIC_RELAXED) < i)
			sched_yield();
		spins = rng_below(&rng, 1000);
		while (spins > 0)
			spins--;
	}
	pthread_join(thread, NULL);
	post_office_free(shared);
}
END_TEST

/* Each payload is written before its message is posted and read after it has
 * been received, without any other ordering. It is written again only when
 * the receiver has sent it back. */
static uint64_t payloads[SENDERS][PAYLOADS];

static void *sender_thread(void *argument)
{
	uint32_t from = (uint32_t)(uintptr_t)argument;

	for (uint64_t i = 0; i < SENDER_MESSAGES; i++) {
		struct message m = numbered(i);

		if (i >= PAYLOADS)
			(void)receive_or_sleep(from);
		m.pointer = &payloads[from][i % PAYLOADS];
		*(uint64_t *)m.pointer = i * 3 + from;
		while (mailbox_post(shared, from, SENDERS, m) == -EAGAIN)
			sched_yield();
	}
	return NULL;
}

START_TEST(test_many_senders_to_one)
{
	uint64_t expected[SENDERS] = {0};
	pthread_t threads[SENDERS];

	shared = post_office_new(SENDERS + 1, 2 * PAYLOADS);
	for (uint32_t i = 0; i < SENDERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
				     sender_thread, (void *)(uintptr_t)i),
		    0);
	for (int i = 0; i < SENDERS * SENDER_MESSAGES; i++) {
		struct message m = receive_or_sleep(SENDERS);

		ck_assert_uint_lt(m.from, SENDERS);
		ck_assert_uint_eq(m.number, expected[m.from]);
		ck_assert_uint_eq(
		    *(uint64_t *)m.pointer, m.number * 3 + m.from);
		expected[m.from]++;
		/* At most PAYLOADS are under way, so there is room. */
		ck_assert_int_eq(mailbox_post(shared, SENDERS, m.from, m), 0);
	}
	for (uint32_t i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
	post_office_free(shared);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("mailbox");

	tcase_add_test(tcase, test_order_and_contents);
	tcase_add_test(tcase, test_full_ring_refuses_and_keeps);
	tcase_add_test(tcase, test_senders_are_served_in_turn);
	tcase_add_test(tcase, test_eventfd_is_written_only_for_who_may_sleep);
	tcase_add_test(tcase, test_out_of_descriptors);
	tcase_add_test(tcase, test_ping_pong_loses_no_wake_up);
	tcase_add_test(tcase, test_post_while_the_receiver_falls_asleep);
	tcase_add_test(tcase, test_many_senders_to_one);
	return check_main(tcase);
}
