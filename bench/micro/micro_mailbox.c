/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/micro/micro.h"

#include "base/assert.h"
#include "base/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define SLOTS 1024

struct bench {
	struct post_office *office;
	uint64_t n;
	bool answers; /* the receiver posts each message back */
};

static void *bench_open(uint32_t answers)
{
	struct bench *b = micro_alloc(1, sizeof *b);

	b->answers = answers != 0;
	b->office = post_office_new(2, SLOTS);
	br_assert(b->office);
	return b;
}

static void bench_close(void *state)
{
	struct bench *b = state;

	post_office_free(b->office);
	free(b);
}

static void post(struct bench *b, uint32_t from, uint64_t number)
{
	struct message message = {.kind = 1, .number = number};

	while (mailbox_post(b->office, from, 1 - from, message) == -EAGAIN)
		(void)sched_yield();
}

/* Sleeps on the eventfd while there is nothing, as a worker does. */
static void receive(struct bench *b, uint32_t to, uint64_t expected)
{
	struct message message;

	while (!mailbox_receive(b->office, to, &message)) {
		uint64_t woken;

		br_assert(read(mailbox_eventfd(b->office, to), &woken,
			      sizeof woken) == sizeof woken);
	}
	br_assert(message.number == expected);
}

static void run_alone(void *state, uint64_t n)
{
	struct bench *b = state;
	struct message message = {.kind = 1}, got;

	for (uint64_t i = 0; i < n; i++) {
		message.number = i;
		br_assert(!mailbox_post(b->office, 0, 1, message));
		br_assert(mailbox_receive(b->office, 1, &got));
		br_assert(got.number == i);
	}
}

static void *receiver(void *argument)
{
	struct bench *b = argument;

	for (uint64_t i = 0; i < b->n; i++) {
		receive(b, 1, i);
		if (b->answers)
			post(b, 1, i);
	}
	return NULL;
}

static void run_two(void *state, uint64_t n)
{
	struct bench *b = state;
	pthread_t thread;

	b->n = n;
	br_assert(!pthread_create(&thread, NULL, receiver, b));
	for (uint64_t i = 0; i < n; i++) {
		post(b, 0, i);
		if (b->answers)
			receive(b, 0, i);
	}
	br_assert(!pthread_join(thread, NULL));
}

static const struct micro_case cases[] = {
    {.name = "mailbox: post and receive, one thread",
	.open = bench_open,
	.run = run_alone,
	.close = bench_close},
    {.name = "mailbox: a message, two threads",
	.open = bench_open,
	.run = run_two,
	.close = bench_close,
	.clock = MICRO_WALL},
    {.name = "mailbox: there and back, both asleep",
	.open = bench_open,
	.run = run_two,
	.close = bench_close,
	.size = 1,
	.clock = MICRO_WALL},
};

int main(int argc, char **argv)
{
	return micro_main(argc, argv, cases, BR_COUNT(cases));
}
