/* SPDX-License-Identifier: Apache-2.0 */
/* Several threads admit and release the same sources: no limit is exceeded,
 * no connection is lost, whatever is taken over meanwhile. Also run under the
 * thread sanitizer. */
#include "base/source_table.h"

#include "base/assert.h"
#include "base/rng.h"
#include "tests/unit/base/check_main.h"

#include <pthread.h>

#define THREADS 4
#define ROUNDS 20000
#define KNOWN 8 /* sources all threads share */
#define LIMIT 3
#define HELD_MAX 8
#define RATE 1000

struct thread {
	pthread_t thread;
	struct rng rng;
	uint32_t admitted, refused;
};

static struct source_table *table;
static uint32_t holders[KNOWN];

static struct addr nth(uint32_t n)
{
	struct addr a = {0};

	br_assert(!addr_parse(&a, "10.0.0.0:1"));
	a.in.sin_addr.s_addr = htonl(0x0a000000 + n);
	return a;
}

struct held {
	uint32_t source, slot;
};

static void give_back(struct held *held)
{
	__atomic_sub_fetch(&holders[held->source], 1, __ATOMIC_SEQ_CST);
	source_release(table, held->slot);
}

/* Known sources hold connections; strangers come and go beside them. */
static void *run_connections(void *context)
{
	struct source_limit limit = {.connections = LIMIT};
	struct thread *t = context;
	struct held held[HELD_MAX];
	uint32_t n = 0;

	for (int i = 0; i < ROUNDS; i++) {
		uint32_t source = rng_below(&t->rng, KNOWN);
		struct addr known = nth(source);
		struct addr stranger = nth(KNOWN + rng_below(&t->rng, 100000));
		struct source_admission got;

		got =
		    source_admit(table, 1, &stranger, &limit, (struct mono){i});
		source_release(table, got.slot);
		if (n == HELD_MAX) {
			uint32_t pick = rng_below(&t->rng, n);

			give_back(&held[pick]);
			held[pick] = held[--n];
		}
		got = source_admit(table, 1, &known, &limit, (struct mono){i});
		if (got.verdict != SOURCE_ADMITTED) {
			t->refused++;
			if (n)
				give_back(&held[--n]);
			continue;
		}
		br_assert(got.slot != SOURCE_UNTRACKED);
		br_assert(__atomic_add_fetch(
			      &holders[source], 1, __ATOMIC_SEQ_CST) <= LIMIT);
		held[n++] = (struct held){source, got.slot};
		t->admitted++;
	}
	while (n)
		give_back(&held[--n]);
	return NULL;
}

/* Time stands still, so there is a second's worth and no more. */
static void *run_rate(void *context)
{
	struct source_limit limit = {.rate = RATE};
	struct thread *t = context;
	struct addr a = nth(0);

	for (int i = 0; i < ROUNDS; i++) {
		struct source_admission got =
		    source_admit(table, 1, &a, &limit, (struct mono){0});

		if (got.verdict != SOURCE_ADMITTED) {
			t->refused++;
			continue;
		}
		t->admitted++;
		source_release(table, got.slot);
	}
	return NULL;
}

/* All strangers, in a table far too small: it stays whole. */
static void *run_small(void *context)
{
	struct source_limit limit = {.connections = LIMIT, .rate = RATE};
	struct thread *t = context;

	for (int i = 0; i < ROUNDS; i++) {
		struct addr a = nth(rng_below(&t->rng, 200));
		struct source_admission got = source_admit(
		    table, 1, &a, &limit, (struct mono){i * NS_PER_MS / 10});

		if (got.verdict != SOURCE_ADMITTED)
			t->refused++;
		else
			t->admitted++;
		source_release(table, got.slot);
	}
	return NULL;
}

static uint32_t run_all(void *(*fn)(void *), uint32_t *ret_refused)
{
	struct thread threads[THREADS] = {0};
	uint32_t admitted = 0;

	for (uint32_t i = 0; i < THREADS; i++) {
		rng_seed(&threads[i].rng, i + 1);
		ck_assert_int_eq(
		    pthread_create(&threads[i].thread, NULL, fn, &threads[i]),
		    0);
	}
	*ret_refused = 0;
	for (uint32_t i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(threads[i].thread, NULL), 0);
		admitted += threads[i].admitted;
		*ret_refused += threads[i].refused;
	}
	return admitted;
}

static void start(uint32_t connections)
{
	table = source_table_new(connections, 64, 1);
	ck_assert_ptr_nonnull(table);
}

START_TEST(test_connections)
{
	struct source_limit none = {0};
	uint32_t slots[KNOWN], refused;

	start(100000);
	/* Known before the threads begin, and held for good: two who bring a
	 * source for the first time may make two of it. */
	for (uint32_t i = 0; i < KNOWN; i++) {
		struct addr a = nth(i);

		slots[i] =
		    source_admit(table, 1, &a, &none, (struct mono){0}).slot;
		holders[i] = 1;
	}
	ck_assert_uint_gt(run_all(run_connections, &refused), 0);
	ck_assert_uint_gt(refused, 0);
	for (uint32_t i = 0; i < KNOWN; i++) {
		struct addr a = nth(i);

		ck_assert_uint_eq(holders[i], 1);
		ck_assert_uint_eq(source_connections(table, 1, &a), 1);
		source_release(table, slots[i]);
		ck_assert_uint_eq(source_connections(table, 1, &a), 0);
	}
	source_table_free(table);
}
END_TEST

START_TEST(test_rate)
{
	struct source_limit none = {0};
	struct addr a = nth(0);
	uint32_t refused;

	start(1000);
	(void)source_admit(table, 1, &a, &none, (struct mono){0});
	ck_assert_uint_eq(run_all(run_rate, &refused), RATE);
	ck_assert_uint_eq(refused, THREADS * ROUNDS - RATE);
	ck_assert_uint_eq(source_connections(table, 1, &a), 1);
	source_table_free(table);
}
END_TEST

START_TEST(test_small)
{
	uint32_t refused, admitted;

	start(1);
	admitted = run_all(run_small, &refused);
	ck_assert_uint_eq(admitted + refused, THREADS * ROUNDS);
	for (uint32_t i = 0; i < 200; i++) {
		struct addr a = nth(i);

		ck_assert_uint_eq(source_connections(table, 1, &a), 0);
	}
	source_table_free(table);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("source_table_threads");

	tcase_add_test(tcase, test_connections);
	tcase_add_test(tcase, test_rate);
	tcase_add_test(tcase, test_small);
	return check_main(tcase);
}
