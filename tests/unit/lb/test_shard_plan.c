/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/shard_plan.h"

#include "base/assert.h"
#include "base/rng.h"
#include "tests/unit/base/check_main.h"

#include <stdio.h>

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

static const struct mono zero;

/* -- single rules ------------------------------------------------------ */

START_TEST(test_one_lane)
{
	struct shard_range piece;
	struct shard_plan plan;
	uint64_t next = 1000;

	shard_plan_start(&plan, 1000, 1000 + 300 * KIB, MIB);
	ck_assert_int_eq(shard_plan_open(&plan, 0, MIB), 0);
	while (!shard_plan_done(&plan)) {
		ck_assert(shard_plan_ask(&plan, 0, zero, &piece));
		ck_assert_uint_eq(piece.from, next);
		ck_assert_int_eq(shard_plan_turn(&plan), 0);
		ck_assert(!shard_plan_moved(&plan, 0, 1, zero));
		next = piece.to;
		ck_assert(shard_plan_moved(
		    &plan, 0, shard_plan_left(&plan, 0), zero));
	}
	ck_assert_uint_eq(next, 1000 + 300 * KIB);
	ck_assert(!shard_plan_ask(&plan, 0, zero, &piece));
	ck_assert(!shard_plan_starves(&plan));
}
END_TEST

/* By rate, within the least, the most, and the buffer but at its turn; a rest
 * that is not worth a request goes with it. */
START_TEST(test_sizes)
{
	struct shard_range piece;
	struct shard_plan plan;
	int unknown, fast, faster, small;

	shard_plan_start(&plan, 0, 100 * MIB, 4 * MIB);
	unknown = shard_plan_open(&plan, 0, 100 * MIB);
	fast = shard_plan_open(&plan, 20 * MIB, 100 * MIB);
	faster = shard_plan_open(&plan, 1000 * MIB, 100 * MIB);
	small = shard_plan_open(&plan, 1000 * MIB, 300 * KIB);
	ck_assert(shard_plan_ask(&plan, (unsigned)unknown, zero, &piece));
	ck_assert_uint_eq(piece.to, SHARD_PIECE_MIN);
	ck_assert(shard_plan_ask(&plan, (unsigned)fast, zero, &piece));
	/* In the shortest slice: the fastest has the largest in less. */
	ck_assert_uint_eq(piece.to - piece.from, 20 * MIB / 50);
	ck_assert(shard_plan_ask(&plan, (unsigned)faster, zero, &piece));
	ck_assert_uint_eq(piece.to - piece.from, 4 * MIB);
	ck_assert(shard_plan_ask(&plan, (unsigned)small, zero, &piece));
	ck_assert_uint_eq(piece.to - piece.from, 300 * KIB);

	shard_plan_start(&plan, 0, 100 * MIB, 4 * MIB);
	small = shard_plan_open(&plan, 1000 * MIB, 300 * KIB);
	ck_assert(shard_plan_ask(&plan, (unsigned)small, zero, &piece));
	ck_assert_uint_eq(piece.to, 4 * MIB);

	shard_plan_start(&plan, 0, 4 * MIB + 1, 4 * MIB);
	fast = shard_plan_open(&plan, 1000 * MIB, 100 * MIB);
	ck_assert(shard_plan_ask(&plan, (unsigned)fast, zero, &piece));
	ck_assert_uint_eq(piece.to, 4 * MIB + 1);

	/* Not much more than last time, whatever the rate of that was. */
	shard_plan_start(&plan, 0, 100 * MIB, 4 * MIB);
	unknown = shard_plan_open(&plan, 0, 100 * MIB);
	ck_assert(shard_plan_ask(&plan, (unsigned)unknown, zero, &piece));
	ck_assert(shard_plan_moved(&plan, (unsigned)unknown, SHARD_PIECE_MIN,
	    mono_add_ns(zero, 1000)));
	ck_assert(shard_plan_ask(&plan, (unsigned)unknown, zero, &piece));
	ck_assert_uint_eq(piece.to - piece.from, 4 * SHARD_PIECE_MIN);
}
END_TEST

/* What was lost is asked again first, the lowest first; neighbours are one. */
START_TEST(test_lost)
{
	struct shard_range piece;
	struct shard_plan plan;
	unsigned i;

	shard_plan_start(&plan, 0, 100 * MIB, MIB);
	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(shard_plan_open(&plan, 20 * MIB, MIB), (int)i);
		ck_assert(shard_plan_ask(&plan, i, zero, &piece));
	}
	ck_assert_uint_eq(plan.lanes[1].next, MIB);
	shard_plan_lost(&plan, 1);
	shard_plan_lost(&plan, 3);
	ck_assert_uint_eq(plan.n_gaps, 2);
	shard_plan_lost(&plan, 2);
	ck_assert_uint_eq(plan.n_gaps, 1);
	ck_assert(!shard_plan_moved(&plan, 0, MIB - 1, zero));
	shard_plan_lost(&plan, 0);
	ck_assert_uint_eq(plan.n_gaps, 1);
	ck_assert_uint_eq(plan.gaps[0].from, MIB - 1);
	ck_assert_uint_eq(plan.gaps[0].to, plan.frontier);
	ck_assert_int_eq(shard_plan_turn(&plan), -1);
	ck_assert(shard_plan_starves(&plan));
	ck_assert_int_eq(shard_plan_open(&plan, 20 * MIB, MIB), 0);
	ck_assert(!shard_plan_starves(&plan));
	ck_assert(shard_plan_ask(&plan, 0, zero, &piece));
	ck_assert_uint_eq(piece.from, MIB - 1);
	ck_assert_int_eq(shard_plan_turn(&plan), 0);
}
END_TEST

/* An answer that brings everything is read up to where others begin. */
START_TEST(test_home)
{
	struct mono now = {NS_PER_S};
	struct shard_range piece;
	struct shard_plan plan;
	int home, other;

	shard_plan_start(&plan, 0, 100 * MIB, 4 * MIB);
	home = shard_plan_home(&plan, plan.end, 0, MIB, zero);
	ck_assert(!shard_plan_moved(&plan, (unsigned)home, 10 * MIB, now));
	ck_assert_uint_eq(shard_plan_rate(&plan, (unsigned)home), 10 * MIB);
	other = shard_plan_open(&plan, 0, MIB);
	ck_assert(shard_plan_ask(&plan, (unsigned)other, now, &piece));
	ck_assert_uint_eq(piece.from, 10 * MIB + 10 * MIB / 20);
	ck_assert_uint_eq(
	    shard_plan_left(&plan, (unsigned)home), 10 * MIB / 20);
	ck_assert(plan.lanes[home].closes);
	ck_assert(shard_plan_moved(&plan, (unsigned)home, 10 * MIB / 20, now));
	/* Its connection brings on and on: it is of no use. */
	ck_assert_int_eq(plan.lanes[home].state, SHARD_LANE_NONE);
	ck_assert_int_eq(shard_plan_turn(&plan), other);
}
END_TEST

/* -- links with rates, and virtual time -------------------------------- */

#define SERVERS_MAX 8
#define STEP_NS (NS_PER_MS / 4)

struct link {
	uint64_t rate, latency_ns;
	bool dead;
};

struct conn {
	int server; /* -1: none */
	uint64_t at; /* offset of the first byte in the buffer */
	uint64_t waiting; /* bytes in the buffer */
	uint64_t send_from, send_to; /* what the server has to send still */
	int64_t starts_ns; /* the answer begins to arrive */
	uint64_t part; /* of a byte, in byte-nanoseconds */
};

struct world {
	struct link links[SERVERS_MAX];
	unsigned n_links;
	uint64_t client_rate, buffer_bytes;
	struct mono now;
	struct conn conns[SHARD_LANES_MAX];
	struct shard_plan plan;
	uint64_t requests, most_waiting;
};

static void world_connect(struct world *w, int server)
{
	int lane = shard_plan_open(&w->plan, 0, w->buffer_bytes);

	ck_assert_int_ge(lane, 0);
	w->conns[lane] = (struct conn){.server = server};
}

/* Every living link has a lane. */
static void world_fill(struct world *w)
{
	bool has[SERVERS_MAX] = {0};

	for (unsigned i = 0; i < SHARD_LANES_MAX; i++) {
		if (w->plan.lanes[i].state != SHARD_LANE_NONE)
			has[w->conns[i].server] = true;
	}
	for (unsigned i = 0; i < w->n_links; i++) {
		if (!has[i] && !w->links[i].dead)
			world_connect(w, (int)i);
	}
}

static void world_ask(struct world *w)
{
	struct shard_range piece;

	for (unsigned i = 0; i < SHARD_LANES_MAX; i++) {
		struct conn *c = &w->conns[i];

		if (w->plan.lanes[i].state != SHARD_LANE_IDLE ||
		    !shard_plan_ask(&w->plan, i, w->now, &piece))
			continue;
		w->requests++;
		c->at = c->send_from = piece.from;
		c->send_to = piece.to;
		c->waiting = 0;
		c->starts_ns =
		    w->now.ns + 2 * (int64_t)w->links[c->server].latency_ns;
	}
}

static void world_arrive(struct world *w)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < SHARD_LANES_MAX; i++) {
		struct conn *c = &w->conns[i];
		uint64_t n, room = w->buffer_bytes - c->waiting;

		if (w->plan.lanes[i].state != SHARD_LANE_ASKED)
			continue;
		if (w->now.ns >= c->starts_ns) {
			c->part += w->links[c->server].rate * STEP_NS;
			n = c->part / NS_PER_S;
			c->part %= NS_PER_S;
			n = n < room ? n : room;
			if (n > c->send_to - c->send_from)
				n = c->send_to - c->send_from;
			c->waiting += n;
			c->send_from += n;
		}
		shard_plan_arrived(&w->plan, i, c->waiting, w->now);
		all += c->waiting;
	}
	if (all > w->most_waiting)
		w->most_waiting = all;
}

static void world_leave(struct world *w)
{
	uint64_t room = w->client_rate * STEP_NS / NS_PER_S;
	int lane;

	while (room && (lane = shard_plan_turn(&w->plan)) >= 0) {
		uint64_t left = shard_plan_left(&w->plan, (unsigned)lane);
		struct conn *c = &w->conns[lane];
		uint64_t n = c->waiting < room ? c->waiting : room;

		/* What leaves is what the client waits for. */
		ck_assert_uint_eq(c->at, w->plan.next_out);
		n = n < left ? n : left;
		if (!n)
			return;
		c->at += n;
		c->waiting -= n;
		room -= n;
		shard_plan_moved(&w->plan, (unsigned)lane, n, w->now);
	}
}

static void world_step(struct world *w)
{
	world_fill(w);
	world_ask(w);
	world_arrive(w);
	world_leave(w);
	w->now.ns += STEP_NS;
}

static void world_kill(struct world *w, unsigned server)
{
	w->links[server].dead = true;
	for (unsigned i = 0; i < SHARD_LANES_MAX; i++) {
		if (w->plan.lanes[i].state != SHARD_LANE_NONE &&
		    w->conns[i].server == (int)server)
			shard_plan_lost(&w->plan, i);
	}
	/* What is missing at the front has to come from somebody at once. */
	for (unsigned i = 0; i < w->n_links && shard_plan_starves(&w->plan);
	     i++) {
		if (!w->links[i].dead)
			world_connect(w, (int)i);
	}
}

#define MBIT UINT64_C(125000) /* bytes a second */

static const struct speed_row {
	const char *name;
	uint64_t rates[SERVERS_MAX];
	uint64_t latency_us, client_rate, total, piece;
	unsigned permille; /* of what the links, or the client, carry */
} speed_rows[] = {
    {"four of 100 Mbit/s", {100, 100, 100, 100}, 100, 10000, 200 * MIB, 4 * MIB,
	975},
    {"one", {100}, 100, 10000, 50 * MIB, 4 * MIB, 980},
    {"100, 50, 20, 10", {100, 50, 20, 10}, 100, 10000, 200 * MIB, 4 * MIB, 950},
    {"the same, 1 MiB", {100, 50, 20, 10}, 100, 10000, 200 * MIB, MIB, 950},
    /* Between two pieces a lane idles for a round trip. */
    {"far apart", {100, 100, 100, 100}, 20000, 10000, 200 * MIB, 4 * MIB, 800},
    {"a slow client", {100, 100, 100, 100}, 100, 120, 100 * MIB, 4 * MIB, 980},
    {"eight", {10, 20, 30, 40, 50, 60, 70, 80}, 500, 10000, 200 * MIB, 4 * MIB,
	920},
    {"1,000 and 1", {1000, 1}, 100, 10000, 500 * MIB, 4 * MIB, 850},
};

START_TEST(test_speed)
{
	const struct speed_row *row = &speed_rows[_i];
	struct world w = {
	    .client_rate = row->client_rate * MBIT, .buffer_bytes = 6 * MIB};
	uint64_t sum = 0, ideal_ms, took_ms;

	for (unsigned i = 0; i < SERVERS_MAX && row->rates[i]; i++) {
		w.links[i] = (struct link){.rate = row->rates[i] * MBIT,
		    .latency_ns = row->latency_us * 1000};
		w.n_links++;
		sum += row->rates[i];
	}
	if (sum > row->client_rate)
		sum = row->client_rate;
	shard_plan_start(&w.plan, 0, row->total, row->piece);
	while (!shard_plan_done(&w.plan)) {
		world_step(&w);
		ck_assert_int_lt(w.now.ns, 1000 * NS_PER_S);
	}
	ideal_ms = row->total * 1000 / (sum * MBIT);
	took_ms = (uint64_t)(w.now.ns / NS_PER_MS);
	printf("%-20s %5u/1000 of the links, %u requests, at most %u KiB "
	       "waiting\n",
	    row->name, (unsigned)(ideal_ms * 1000 / took_ms),
	    (unsigned)w.requests, (unsigned)(w.most_waiting / KIB));
	ck_assert_uint_ge(ideal_ms * 1000, took_ms * row->permille);
}
END_TEST

/* Servers die and return at random; every byte leaves once and in order. */
START_TEST(test_deaths)
{
	struct rng rng;
	struct world w = {.client_rate = 500 * MBIT, .buffer_bytes = MIB};

	rng_seed(&rng, (uint64_t)_i + 1);
	w.n_links = 4;
	for (unsigned i = 0; i < w.n_links; i++)
		w.links[i] =
		    (struct link){.rate = (1 + rng_below(&rng, 200)) * MBIT,
			.latency_ns = rng_below(&rng, 5000) * 1000};
	shard_plan_start(&w.plan, 77, 77 + 10 * MIB, MIB);
	if (_i % 2) {
		int lane = shard_plan_home(
		    &w.plan, w.plan.end, 0, w.buffer_bytes, w.now);

		w.conns[lane] = (struct conn){
		    .at = 77, .send_from = 77, .send_to = 77 + 10 * MIB};
	}
	while (!shard_plan_done(&w.plan)) {
		unsigned server = rng_below(&rng, w.n_links);

		world_step(&w);
		ck_assert_int_lt(w.now.ns, 1000 * NS_PER_S);
		if (rng_below(&rng, 20))
			continue;
		if (w.links[server].dead)
			w.links[server].dead = false;
		else
			world_kill(&w, server);
	}
	ck_assert_uint_eq(w.plan.next_out, 77 + 10 * MIB);
	ck_assert_uint_eq(w.plan.n_gaps, 0);
}
END_TEST

/* An answer that is shorter than what was asked, or that ended early: the rest
 * is asked of the next who is free. */
START_TEST(test_shorten)
{
	struct shard_range piece;
	struct shard_plan plan;
	unsigned a, b;

	shard_plan_start(&plan, 0, 10 * MIB, MIB);
	a = (unsigned)shard_plan_home(&plan, 100 * KIB, 0, MIB, zero);
	b = (unsigned)shard_plan_open(&plan, 0, MIB);
	ck_assert(shard_plan_ask(&plan, b, zero, &piece));
	ck_assert_uint_eq(piece.from, 100 * KIB);
	ck_assert(!shard_plan_moved(&plan, a, KIB, zero));
	shard_plan_arrived(&plan, a, 50 * KIB, zero);
	shard_plan_shorten(&plan, a, 40 * KIB, true);
	ck_assert_uint_eq(shard_plan_left(&plan, a), 39 * KIB);
	ck_assert(shard_plan_moved(&plan, a, 39 * KIB, zero));
	ck_assert_int_eq(shard_plan_turn(&plan), -1);
	ck_assert(shard_plan_starves(&plan));
	ck_assert_int_eq(shard_plan_open(&plan, 0, MIB), (int)a);
	ck_assert(shard_plan_ask(&plan, a, zero, &piece));
	ck_assert_uint_eq(piece.from, 40 * KIB);
	ck_assert_uint_eq(piece.to, 100 * KIB);
	shard_plan_shorten(&plan, a, 60 * KIB, false);
	ck_assert(shard_plan_moved(&plan, a, 20 * KIB, zero));
	ck_assert(shard_plan_ask(&plan, a, zero, &piece));
	ck_assert_uint_eq(piece.from, 60 * KIB);
	ck_assert_uint_eq(piece.to, 100 * KIB);
}
END_TEST

/* Who took over fails: it goes back, as long as the other brings it. */
START_TEST(test_taken_back)
{
	struct shard_range piece, again;
	struct shard_plan plan;
	unsigned home, a;

	shard_plan_start(&plan, 0, 10 * MIB, MIB);
	home = (unsigned)shard_plan_home(&plan, 10 * MIB, 0, MIB, zero);
	a = (unsigned)shard_plan_open(&plan, 0, MIB);
	ck_assert(!shard_plan_is_cut(&plan, home));
	ck_assert(shard_plan_ask(&plan, a, zero, &piece));
	ck_assert(shard_plan_is_cut(&plan, home));
	ck_assert_uint_eq(shard_plan_left(&plan, home), piece.from);
	/* The rest of what was taken is a gap behind it. */
	ck_assert_uint_eq(plan.n_gaps, 1);
	shard_plan_lost(&plan, a);
	ck_assert(!shard_plan_is_cut(&plan, home));
	ck_assert_uint_eq(shard_plan_left(&plan, home), 10 * MIB);
	ck_assert_uint_eq(plan.n_gaps, 0);
	ck_assert(!plan.lanes[home].closes);
	/* Not where it brings nothing more. */
	a = (unsigned)shard_plan_open(&plan, 0, MIB);
	ck_assert(shard_plan_ask(&plan, a, zero, &again));
	shard_plan_shorten(&plan, home, again.from - KIB, true);
	shard_plan_lost(&plan, a);
	ck_assert_uint_eq(shard_plan_left(&plan, home), again.from - KIB);
	ck_assert_uint_eq(plan.n_gaps, 1);
	ck_assert_uint_eq(plan.gaps[0].from, again.from - KIB);
	ck_assert_uint_eq(plan.gaps[0].to, 10 * MIB);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("shard_plan");

	tcase_add_test(tcase, test_one_lane);
	tcase_add_test(tcase, test_sizes);
	tcase_add_test(tcase, test_lost);
	tcase_add_test(tcase, test_home);
	tcase_add_test(tcase, test_shorten);
	tcase_add_test(tcase, test_taken_back);
	tcase_add_loop_test(tcase, test_speed, 0, BR_COUNT(speed_rows));
	tcase_add_loop_test(tcase, test_deaths, 0, 60);
	return check_main(tcase);
}
