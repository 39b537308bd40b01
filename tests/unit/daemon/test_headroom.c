/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/headroom.h"

#include "base/assert.h"
#include "tests/unit/base/check_main.h"

START_TEST(test_formula)
{
	uint32_t before = 100;

	ck_assert_uint_eq(headroom_percent(0), 100);
	ck_assert_uint_eq(headroom_percent(0.7), 100);
	ck_assert_uint_eq(headroom_percent(0.85), 65);
	ck_assert_uint_eq(headroom_percent(1), HEADROOM_FLOOR_PERCENT);
	ck_assert_uint_eq(headroom_percent(77), HEADROOM_FLOOR_PERCENT);
	for (int used = 0; used <= 1100; used++) {
		uint32_t percent = headroom_percent(used / 1e3);

		ck_assert_uint_le(percent, before);
		/* No jump: a thousandth more takes one point at most. */
		ck_assert_uint_le(before - percent, 1);
		before = percent;
	}
}
END_TEST

static struct mono at(int64_t seconds)
{
	return (struct mono){(500 + seconds) * NS_PER_S};
}

START_TEST(test_processor_time)
{
	struct headroom h = {.cpus = 2};
	int64_t cpu_ns = 77 * NS_PER_S;

	headroom_add(&h, at(0), cpu_ns, 0, 60000);
	ck_assert(h.cpu == 0);
	/* One of two processors; the mean begins with the first measure. */
	for (int64_t s = 1; s <= 30; s++) {
		cpu_ns += NS_PER_S;
		headroom_add(&h, at(s), cpu_ns, 0, 60000);
		ck_assert_double_eq_tol(h.cpu, 0.5, 1e-9);
	}
	/* Idle: after the time constant 1/e is left, about. */
	for (int64_t s = 1; s <= 60; s++)
		headroom_add(&h, at(30 + s), cpu_ns, 0, 60000);
	ck_assert_double_eq_tol(h.cpu, 0.5 * 0.368, 0.005);
	/* Without a mean it is what the last second had, within bounds. */
	headroom_add(&h, at(91), cpu_ns + 100 * NS_PER_S, 0, 0);
	ck_assert_double_eq_tol(h.cpu, 1, 1e-9);
	ck_assert_uint_eq(headroom_percent_now(&h), HEADROOM_FLOOR_PERCENT);
	headroom_add(&h, at(92), 0, 0, 0);
	ck_assert_double_eq_tol(h.cpu, 0, 1e-9);
	/* Two samples of one moment say nothing. */
	headroom_add(&h, at(92), 5, 0, 0);
	ck_assert_double_eq_tol(h.cpu, 0, 1e-9);
}
END_TEST

START_TEST(test_the_larger_counts)
{
	struct headroom h = {.cpus = 1, .connections_max = 1000};

	headroom_add(&h, at(0), 0, 850, 0);
	ck_assert_uint_eq(headroom_percent_now(&h), 65);
	headroom_add(&h, at(1), 940 * NS_PER_MS, 850, 0);
	ck_assert_uint_eq(headroom_percent_now(&h), headroom_percent(0.94));
	/* The limit was lowered below what is open. */
	headroom_add(&h, at(2), 940 * NS_PER_MS, 2000, 0);
	ck_assert_uint_eq(headroom_percent_now(&h), HEADROOM_FLOOR_PERCENT);
	h.connections_max = 0;
	headroom_add(&h, at(3), 940 * NS_PER_MS, 2000, 0);
	ck_assert_uint_eq(headroom_percent_now(&h), 100);
}
END_TEST

/* -- the loop ---------------------------------------------------------- */

#define POPS 3
#define TTL_MAX 60

/* Weights of POPs follow what their nodes report, clients follow the weights
 * when their answers run out, and load follows clients as sessions end. */
struct model {
	double load; /* of all there is */
	int ttl_s, session_s;
	const double *capacity; /* parts of the whole */
	double open[POPS]; /* load by open sessions */
	double shares[TTL_MAX][POPS]; /* of the last seconds */
	struct headroom headroom[POPS];
	int64_t cpu_ns[POPS];
};

static const double weights[POPS] = {0.5, 0.3, 0.2};

static void decide(struct model *m, int second)
{
	double raw[POPS], sum = 0;

	for (int i = 0; i < POPS; i++) {
		raw[i] = weights[i] * headroom_percent_now(&m->headroom[i]);
		sum += raw[i];
	}
	for (int i = 0; i < POPS; i++)
		m->shares[second % m->ttl_s][i] = raw[i] / sum;
}

/* What is used of that POP afterwards. */
static double serve(struct model *m, int second, int i)
{
	double share = 0, used;

	for (int k = 0; k < m->ttl_s; k++)
		share += m->shares[k][i] / m->ttl_s;
	/* 2 % of the clients ignore TTLs. */
	share = 0.98 * share + 0.02 * weights[i];
	m->open[i] += (m->load * share - m->open[i]) / m->session_s;
	used = m->open[i] / m->capacity[i];
	m->cpu_ns[i] += (int64_t)((used > 1 ? 1 : used) * NS_PER_S);
	headroom_add(&m->headroom[i], at(second), m->cpu_ns[i], 0, 60000);
	return used;
}

/* From a state that is out of balance; the range of what is used of one POP in
 * the last third of 90 minutes, at its widest, and the most. */
static double swing(struct model *m, double *ret_most)
{
	double low[POPS] = {9, 9, 9}, high[POPS] = {0}, widest = 0;

	for (int i = 0; i < POPS; i++) {
		m->headroom[i].cpus = 1;
		m->open[i] = m->load * weights[i] * (i ? 1 : 1.1);
		for (int k = 0; k < m->ttl_s; k++)
			m->shares[k][i] = weights[i];
	}
	for (int second = 0; second < 5400; second++) {
		decide(m, second);
		for (int i = 0; i < POPS; i++) {
			double used = serve(m, second, i);

			if (second < 3600)
				continue;
			low[i] = used < low[i] ? used : low[i];
			high[i] = used > high[i] ? used : high[i];
		}
	}
	*ret_most = 0;
	for (int i = 0; i < POPS; i++) {
		widest = high[i] - low[i] > widest ? high[i] - low[i] : widest;
		*ret_most = high[i] > *ret_most ? high[i] : *ret_most;
	}
	return widest;
}

START_TEST(test_no_swings)
{
	static const double as_weights[POPS] = {0.5, 0.3, 0.2},
			    otherwise[POPS] = {0.42, 0.34, 0.24};
	static const double loads[] = {0.5, 0.75, 0.9};
	static const int ttls[] = {10, 30, 60}, sessions[] = {2, 10, 60, 300};
	double most;

	for (size_t l = 0; l < BR_COUNT(loads); l++)
		for (size_t t = 0; t < BR_COUNT(ttls); t++)
			for (size_t s = 0; s < BR_COUNT(sessions); s++) {
				struct model m = {.load = loads[l],
						 .ttl_s = ttls[t],
						 .session_s = sessions[s],
						 .capacity = as_weights},
					     n = m;

				ck_assert_msg(swing(&m, &most) <= 0.05,
				    "load %g ttl %d session %d", loads[l],
				    ttls[t], sessions[s]);
				/* Weights that do not fit what there is are
				 * made to fit: at 0.9 and without reports the
				 * first POP would have 1.07 of what it can. */
				n.capacity = otherwise;
				ck_assert_msg(swing(&n, &most) <= 0.05,
				    "load %g ttl %d session %d", loads[l],
				    ttls[t], sessions[s]);
				ck_assert_double_le(most, 1);
			}
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("headroom");

	tcase_add_test(tcase, test_formula);
	tcase_add_test(tcase, test_processor_time);
	tcase_add_test(tcase, test_the_larger_counts);
	tcase_add_test(tcase, test_no_swings);
	return check_main(tcase);
}
