/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers that admit at the same time: runs under the thread sanitizer too.
 */
#include "dnsd/rrl.h"

#include "tests/unit/base/check_main.h"

#include "base/rng.h"

#include <pthread.h>

#define THREADS 4u
#define RATE 5000u
#define TRIES 50000u

struct job {
	pthread_t thread;
	struct rrl *rrl;
	uint32_t index, admitted;
};

/* Every second try is to an address of its own, so that lines are taken over
 * beneath the others' feet. */
static void *run(void *argument)
{
	struct job *job = argument;
	struct addr victim = {0}, other;
	struct rng rng;

	rng_seed(&rng, job->index);
	ck_assert_int_eq(addr_parse_ip(&victim, "192.0.2.1"), 0);
	other = victim;
	for (uint32_t i = 0; i < TRIES; i++) {
		job->admitted +=
		    rrl_admit(job->rrl, &victim, RATE, (struct mono){1});
		other.in.sin_addr.s_addr = (uint32_t)rng_u64(&rng);
		(void)rrl_admit(job->rrl, &other, RATE, (struct mono){1});
	}
	return NULL;
}

START_TEST(test_threads)
{
	struct job jobs[THREADS];
	struct rrl *rrl = rrl_new(1024, 7);
	uint32_t admitted = 0;

	ck_assert_ptr_nonnull(rrl);
	for (uint32_t i = 0; i < THREADS; i++) {
		jobs[i] = (struct job){.rrl = rrl, .index = i};
		ck_assert_int_eq(
		    pthread_create(&jobs[i].thread, NULL, run, &jobs[i]), 0);
	}
	for (uint32_t i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(jobs[i].thread, NULL), 0);
		admitted += jobs[i].admitted;
	}
	/* No answer of the second's worth is lost, and few are too many: those
	 * that were admitted at the very moment when the last one was, and a
	 * word that was taken over before it owed anything. */
	ck_assert_uint_ge(admitted, RATE);
	ck_assert_uint_le(admitted, RATE + RATE / 100);
	rrl_free(rrl);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("rrl_threads");

	tcase_add_test(tcase, test_threads);
	return check_main(tcase);
}
