/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/board.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READERS 2
#define TAKERS 4

static struct addr addr_of(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(&a, text), 0);
	return a;
}

START_TEST(test_row_is_found_again)
{
	struct board *board = board_new(2);
	struct addr a = addr_of("127.0.0.1:80"), b = addr_of("127.0.0.1:81");
	struct board_row *row = board_row_get(board, "p", "s", &a);

	ck_assert_uint_eq(row->references, 1);
	ck_assert_str_eq(row->pool, "p");
	ck_assert_str_eq(row->server, "s");
	ck_assert_ptr_eq(board_row_get(board, "p", "s", &a), row);
	ck_assert_uint_eq(row->references, 2);
	ck_assert_ptr_ne(board_row_get(board, "p", "s", &b), row);
	ck_assert_ptr_ne(board_row_get(board, "p", "t", &a), row);
	ck_assert_ptr_ne(board_row_get(board, "q", "s", &a), row);
	/* Names that only differ in where they are cut. */
	ck_assert_ptr_ne(board_row_get(board, "ps", "", &a), row);
	board_free(board);
}
END_TEST

START_TEST(test_facts_start_unknown_and_ready)
{
	struct board *board = board_new(1);
	struct addr a = addr_of("[::1]:80");
	struct board_row *row = board_row_get(board, "p", "s", &a);
	struct board_facts facts;

	memset(&facts, 0xff, sizeof(facts));
	board_read(row, &facts);
	ck_assert_int_eq(facts.health, BOARD_UNKNOWN);
	ck_assert_int_eq(facts.admin, BOARD_READY);
	ck_assert_uint_eq(facts.weight_override, BOARD_WEIGHT_NONE);
	ck_assert_uint_eq(facts.changes, 0);
	ck_assert_str_eq(facts.cause, "");
	board_free(board);
}
END_TEST

START_TEST(test_row_survives_without_reference)
{
	struct board *board = board_new(2);
	struct addr a = addr_of("unix:/tmp/x");
	struct board_row *row = board_row_get(board, "p", "s", &a);
	struct board_facts facts;

	board_read(row, &facts);
	facts.admin = BOARD_DRAIN;
	board_write(row, &facts);
	counter_add(&row->metrics[1].flows, 7);
	board_row_unref(board, row);
	ck_assert_ptr_eq(board_row_get(board, "p", "s", &a), row);
	ck_assert_uint_eq(row->references, 1);
	board_read(row, &facts);
	ck_assert_int_eq(facts.admin, BOARD_DRAIN);
	ck_assert_uint_eq(counter_read(&row->metrics[1].flows), 7);
	ck_assert_uint_eq(counter_read(&row->metrics[0].flows), 0);
	board_free(board);
}
END_TEST

static void count_row(void *context, struct board_row *row)
{
	(void)row;
	(*(uint32_t *)context)++;
}

START_TEST(test_idle_rows_are_bounded)
{
	struct board *board = board_new(1);
	struct addr a = addr_of("127.0.0.1:80");
	struct board_row *kept = board_row_get(board, "p", "kept", &a);
	uint32_t rows = 0;

	for (uint32_t i = 0; i < BOARD_IDLE_ROWS_MAX + 100; i++) {
		char name[32];
		struct board_row *row;

		snprintf(name, sizeof(name), "s%u", i);
		row = board_row_get(board, "p", name, &a);
		counter_inc(&row->metrics[0].flows);
		board_row_unref(board, row);
	}
	board_each(board, count_row, &rows);
	ck_assert_uint_eq(rows, BOARD_IDLE_ROWS_MAX + 1);
	/* The oldest without a reference went; the referred one and the young
	 * ones stayed. */
	ck_assert_ptr_eq(board_row_get(board, "p", "kept", &a), kept);
	ck_assert_uint_eq(
	    counter_read(
		&board_row_get(board, "p", "s0", &a)->metrics[0].flows),
	    0);
	ck_assert_uint_eq(
	    counter_read(
		&board_row_get(board, "p", "s200", &a)->metrics[0].flows),
	    1);
	board_free(board);
}
END_TEST

struct order {
	uint32_t n;
	char names[8];
};

static void note_row(void *context, struct board_row *row)
{
	struct order *order = context;

	order->names[order->n++] = row->server[0];
}

static void note_listener(void *context, struct board_listener *row)
{
	struct order *order = context;

	order->names[order->n++] = row->name[0];
}

START_TEST(test_walk_is_in_order_of_creation)
{
	struct board *board = board_new(1);
	struct addr a = addr_of("127.0.0.1:80");
	struct order order = {0};

	board_row_get(board, "p", "c", &a);
	board_row_unref(board, board_row_get(board, "p", "a", &a));
	board_row_get(board, "p", "b", &a);
	board_row_get(board, "p", "c", &a);
	board_each(board, note_row, &order);
	ck_assert_str_eq(order.names, "cab");
	board_free(board);
}
END_TEST

START_TEST(test_listeners)
{
	struct board *board = board_new(2);
	struct board_listener *web = board_listener_get(board, "web");
	struct order order = {0};

	counter_inc(&web->metrics[1].accepted);
	ck_assert_ptr_eq(board_listener_get(board, "web"), web);
	ck_assert_ptr_ne(board_listener_get(board, "api"), web);
	ck_assert_uint_eq(web->references, 2);
	board_listener_unref(board, web);
	board_listener_unref(board, web);
	ck_assert_ptr_eq(board_listener_get(board, "web"), web);
	ck_assert_uint_eq(counter_read(&web->metrics[1].accepted), 1);
	board_each_listener(board, note_listener, &order);
	ck_assert_str_eq(order.names, "wa");
	for (uint32_t i = 0; i < BOARD_IDLE_LISTENERS_MAX + 10; i++) {
		char name[32];

		snprintf(name, sizeof(name), "l%u", i);
		board_listener_unref(board, board_listener_get(board, name));
	}
	order.n = 0;
	ck_assert_ptr_eq(board_listener_get(board, "web"), web);
	board_free(board);
}
END_TEST

/* -- facts under concurrent readers -- */

struct facts_race {
	struct board_row *row;
	bool stop;
	uint64_t torn[READERS], reads[READERS];
};

struct facts_reader {
	struct facts_race *race;
	uint32_t index;
};

/* Facts all of whose fields follow from one number. */
static void facts_fill(struct board_facts *facts, uint32_t n)
{
	memset(facts, 0, sizeof(*facts));
	facts->health = n % 3;
	facts->admin = n % 2 ? BOARD_DRAIN : BOARD_READY;
	facts->weight_override = n;
	facts->changes = n;
	facts->health_since_ns = (int64_t)n << 20;
	facts->checked_ns = -(int64_t)n;
	facts->check_us = ~n;
	facts->checks = n * 3;
	facts->checks_failed = n * 7;
	memset(facts->cause, 'a' + (int)(n % 26), sizeof(facts->cause) - 1);
}

static void *facts_read_loop(void *argument)
{
	struct facts_reader *reader = argument;
	struct facts_race *race = reader->race;

	while (!__atomic_load_n(&race->stop, __ATOMIC_RELAXED)) {
		struct board_facts got, want;

		board_read(race->row, &got);
		facts_fill(&want, got.changes);
		race->reads[reader->index]++;
		if (memcmp(&got, &want, offsetof(struct board_facts, cause)) ||
		    memcmp(got.cause, want.cause, sizeof(want.cause)))
			race->torn[reader->index]++;
	}
	return NULL;
}

START_TEST(test_facts_are_never_torn)
{
	struct board *board = board_new(1);
	struct addr a = addr_of("127.0.0.1:80");
	struct facts_race race = {.row = board_row_get(board, "p", "s", &a)};
	struct facts_reader readers[READERS];
	pthread_t threads[READERS];
	struct board_facts facts;

	facts_fill(&facts, 0);
	board_write(race.row, &facts);
	for (uint32_t i = 0; i < READERS; i++) {
		readers[i] = (struct facts_reader){&race, i};
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
				     facts_read_loop, &readers[i]),
		    0);
	}
	for (uint32_t n = 1; n <= 100000; n++) {
		facts_fill(&facts, n);
		board_write(race.row, &facts);
	}
	__atomic_store_n(&race.stop, true, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < READERS; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_uint_eq(race.torn[i], 0);
	}
	board_read(race.row, &facts);
	ck_assert_uint_eq(facts.changes, 100000);
	board_free(board);
}
END_TEST

/* -- slots -- */

#define SLOTS_MAX 3

struct slot_race {
	struct board_row *row;
	int32_t holding;
	uint64_t above, below, taken;
};

static void *slot_loop(void *argument)
{
	struct slot_race *race = argument;

	for (uint32_t i = 0; i < 20000; i++) {
		int32_t holding;

		if (board_slots_used(race->row) > SLOTS_MAX)
			__atomic_fetch_add(&race->above, 1, __ATOMIC_RELAXED);
		if (!board_slot_take(race->row, SLOTS_MAX))
			continue;
		__atomic_fetch_add(&race->taken, 1, __ATOMIC_RELAXED);
		holding =
		    __atomic_add_fetch(&race->holding, 1, __ATOMIC_SEQ_CST);
		if (holding > SLOTS_MAX)
			__atomic_fetch_add(&race->above, 1, __ATOMIC_RELAXED);
		if (board_slots_used(race->row) == 0)
			__atomic_fetch_add(&race->below, 1, __ATOMIC_RELAXED);
		__atomic_sub_fetch(&race->holding, 1, __ATOMIC_SEQ_CST);
		board_slot_release(race->row);
	}
	return NULL;
}

START_TEST(test_slots_keep_their_limit)
{
	struct board *board = board_new(1);
	struct addr a = addr_of("127.0.0.1:80");
	struct slot_race race = {.row = board_row_get(board, "p", "s", &a)};
	pthread_t threads[TAKERS];

	for (uint32_t i = 0; i < TAKERS; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, slot_loop, &race), 0);
	for (uint32_t i = 0; i < TAKERS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(race.above, 0);
	ck_assert_uint_eq(race.below, 0);
	ck_assert_uint_gt(race.taken, 0);
	ck_assert_uint_eq(board_slots_used(race.row), 0);
	board_free(board);
}
END_TEST

/* With as many takers as slots nobody may ever be turned away. */
static void *slot_always_loop(void *argument)
{
	struct slot_race *race = argument;

	for (uint32_t i = 0; i < 20000; i++) {
		if (!board_slot_take(race->row, TAKERS)) {
			__atomic_fetch_add(&race->above, 1, __ATOMIC_RELAXED);
			continue;
		}
		board_slot_release(race->row);
	}
	return NULL;
}

START_TEST(test_free_slot_is_never_refused)
{
	struct board *board = board_new(1);
	struct addr a = addr_of("127.0.0.1:80");
	struct slot_race race = {.row = board_row_get(board, "p", "s", &a)};
	pthread_t threads[TAKERS];

	for (uint32_t i = 0; i < TAKERS; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, slot_always_loop, &race),
		    0);
	for (uint32_t i = 0; i < TAKERS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(race.above, 0);
	ck_assert_uint_eq(board_slots_used(race.row), 0);
	board_free(board);
}
END_TEST

struct walk_race {
	struct board *board;
	int stop;
	uint64_t walks, seen;
	bool bad;
};

static void walk_row(void *context, struct board_listener *row)
{
	struct walk_race *race = context;

	if (row->name[0] != 'l' || strlen(row->name) > 8)
		race->bad = true;
	race->seen += 1 + counter_read(&row->metrics[0].accepted);
}

static void *walk_loop(void *argument)
{
	struct walk_race *race = argument;

	while (!__atomic_load_n(&race->stop, __ATOMIC_ACQUIRE)) {
		board_enter(race->board);
		board_each_listener(race->board, walk_row, race);
		board_leave(race->board);
		__atomic_fetch_add(&race->walks, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Rows come and go beyond the bound while another thread walks them: what it
 * stands on must not be freed (seen by the sanitizers). */
START_TEST(test_walk_on_another_thread)
{
	struct walk_race race = {.board = board_new(1)};
	uint32_t made = 0;
	pthread_t thread;
	char name[16];

	ck_assert_int_eq(pthread_create(&thread, NULL, walk_loop, &race), 0);
	while (made < 2 * BOARD_IDLE_LISTENERS_MAX ||
	       __atomic_load_n(&race.walks, __ATOMIC_RELAXED) < 3) {
		snprintf(name, sizeof(name), "l%u", made++ % 1000000);
		board_listener_unref(
		    race.board, board_listener_get(race.board, name));
	}
	__atomic_store_n(&race.stop, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	ck_assert(!race.bad);
	ck_assert_uint_gt(race.seen, 0);
	/* With nobody inside, all that waited is freed: the leak check. */
	board_free(race.board);
}
END_TEST

START_TEST(test_slots_one_by_one)
{
	struct board *board = board_new(1);
	struct addr a = addr_of("127.0.0.1:80");
	struct board_row *row = board_row_get(board, "p", "s", &a);

	ck_assert(board_slot_take(row, 2));
	ck_assert(board_slot_take(row, 2));
	ck_assert(!board_slot_take(row, 2));
	ck_assert(!board_slot_take(row, 1)); /* lowered by a reload */
	ck_assert(board_slot_take(row, 0));
	ck_assert_uint_eq(board_slots_used(row), 3);
	board_slot_release(row);
	board_slot_release(row);
	ck_assert(board_slot_take(row, 2));
	board_slot_release(row);
	board_slot_release(row);
	ck_assert_uint_eq(board_slots_used(row), 0);
	board_free(board);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("board");
	TCase *tcase = tcase_create("board");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 100);
	tcase_add_test(tcase, test_row_is_found_again);
	tcase_add_test(tcase, test_facts_start_unknown_and_ready);
	tcase_add_test(tcase, test_row_survives_without_reference);
	tcase_add_test(tcase, test_idle_rows_are_bounded);
	tcase_add_test(tcase, test_walk_is_in_order_of_creation);
	tcase_add_test(tcase, test_listeners);
	tcase_add_test(tcase, test_facts_are_never_torn);
	tcase_add_test(tcase, test_slots_keep_their_limit);
	tcase_add_test(tcase, test_free_slot_is_never_refused);
	tcase_add_test(tcase, test_slots_one_by_one);
	tcase_add_test(tcase, test_walk_on_another_thread);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
