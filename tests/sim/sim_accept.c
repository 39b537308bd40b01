/* SPDX-License-Identifier: Apache-2.0 */
/* Accepting near the limits: nobody is closed because another came first. */
#include "tests/sim/sim.h"
#include "tests/sim/sim_check.h"

#include <errno.h>

static struct sim sim;

static void start(struct sim_options options)
{
	fake_init(1);
	sim_start(&sim, &options);
}

static void stop(void)
{
	sim_stop(&sim);
	fake_fini();
}

static uint64_t count(const struct counter *c)
{
	return counter_read(c);
}

static void end_both(struct sim_peer *client)
{
	sim_fin(client);
	sim_fin(client->other);
	sim_run_ms(&sim, 5);
}

START_TEST(test_accepting_pauses_and_resumes)
{
	struct sim_options options = sim_defaults();
	struct sim_peer *clients[10];

	options.connections = 4;
	start(options);
	for (int i = 0; i < 10; i++)
		clients[i] = sim_client(&sim, 0);
	sim_run_ms(&sim, 50);
	ck_assert_uint_eq(sim.shared.connections, 4);
	ck_assert_uint_gt(count(&sim.row->metrics->accept_pauses), 0);
	for (int i = 0; i < 10; i++) {
		sim_run_ms(&sim, 50);
		ck_assert_ptr_nonnull(clients[i]->other);
		end_both(clients[i]);
	}
	ck_assert_uint_eq(count(&sim.row->metrics->refused), 0);
	ck_assert_uint_eq(count(&sim.row->metrics->accepted), 10);
	stop();
}
END_TEST

static void end_all(struct sim_peer **clients, int n)
{
	for (int i = 0; i < n; i++) {
		for (int k = 0; k < 20 && !clients[i]->other; k++)
			sim_run_ms(&sim, 5);
		ck_assert_ptr_nonnull(clients[i]->other);
		end_both(clients[i]);
	}
}

/* Other listeners fill the limit while the multishot accept of this one is
 * armed: its promise is not theirs to take, and it is enough for a burst. */
START_TEST(test_others_fill_the_limit)
{
	struct lb_shared *shared = &sim.shared;
	struct sim_peer *clients[80];
	uint32_t others = 0;

	start(sim_defaults());
	sim_run_ms(&sim, 5);
	ck_assert(!sim.acceptor->by_poll);
	ck_assert_uint_eq(shared->promised, sim.acceptor->promised);
	while (shared_take_beside(&shared->connections, &shared->promised,
	    shared->limits.max_connections))
		others++;
	ck_assert_uint_eq(others + sim.acceptor->promised, 256);
	for (int i = 0; i < 80; i++)
		clients[i] = sim_client(&sim, 0);
	sim.elsewhere = others;
	sim_turn(&sim, 0);
	ck_assert_uint_eq(shared->connections, 256);
	sim_run_ms(&sim, 50);
	ck_assert_uint_eq(shared->promised, 0);
	/* 64 came in under the promise. */
	ck_assert_uint_eq(sim.acceptor->n_held, 16);
	end_all(clients, 80);
	ck_assert_uint_eq(count(&sim.row->metrics->refused), 0);
	for (; others; others--)
		shared_give(&shared->connections);
	sim.elsewhere = 0;
	stop();
}
END_TEST

/* Another worker finds no room beside the promise and asks it back. */
START_TEST(test_promise_is_given_back)
{
	struct message narrow = {.kind = WORKER_NARROW};
	struct sim_peer *clients[80];

	start(sim_defaults());
	sim_run_ms(&sim, 5);
	sim.shared.connections += sim.elsewhere = 250;
	ck_assert_uint_gt(sim.shared.promised, 0);
	worker_on_message(sim.worker, &narrow);
	sim_run_ms(&sim, 5);
	ck_assert_uint_eq(sim.shared.promised, 0);
	ck_assert(sim.acceptor->armed && sim.acceptor->by_poll);
	for (int i = 0; i < 80; i++)
		clients[i] = sim_client(&sim, 0);
	sim_run_ms(&sim, 50);
	/* The rest waits in the kernel. */
	ck_assert_uint_eq(sim.shared.connections, 256);
	ck_assert_uint_eq(sim.acceptor->n_held, 0);
	end_all(clients, 80);
	sim.shared.connections -= sim.elsewhere;
	sim.elsewhere = 0;
	/* There is room again: it takes all at once again. */
	end_all((struct sim_peer *[]){sim_client(&sim, 0)}, 1);
	ck_assert(!sim.acceptor->by_poll);
	stop();
}
END_TEST

/* A reload lowers the listener's limit. */
START_TEST(test_limit_lowered)
{
	struct conf_listener conf = {.name = "web",
	    .max_connections = 10,
	    .idle_ms = 300000,
	    .half_closed_ms = 30000};
	struct listener *lower;

	start(sim_defaults());
	sim_run_ms(&sim, 5);
	ck_assert(!sim.acceptor->by_poll);
	lower = listener_new(&conf, &sim.upstream, sim.row, 1);
	acceptor_start(sim.acceptor, sim.worker, lower);
	sim_run_ms(&sim, 5);
	ck_assert(sim.acceptor->armed && sim.acceptor->by_poll);
	ck_assert_uint_eq(sim.row->promised, 0);
	listener_free(sim.listener);
	sim.listener = lower;
	stop();
}
END_TEST

static void before_cancel(const struct fake_op *op)
{
	fake_poke(op->fd);
}

/* ... and a burst is under way, which began under the limit of before. */
START_TEST(test_limit_lowered_during_a_burst)
{
	struct conf_listener conf = {.name = "web",
	    .max_connections = 10,
	    .idle_ms = 300000,
	    .half_closed_ms = 30000};
	struct sim_peer *clients[60];
	struct listener *lower;

	start(sim_defaults());
	sim_run_ms(&sim, 5);
	ck_assert(!sim.acceptor->by_poll);
	for (int i = 0; i < 60; i++)
		clients[i] = sim_client(&sim, 0);
	fake.on_cancel = before_cancel;
	lower = listener_new(&conf, &sim.upstream, sim.row, 1);
	acceptor_start(sim.acceptor, sim.worker, lower);
	sim_run_ms(&sim, 50);
	ck_assert(
	    sim.acceptor->by_poll || sim.acceptor->state != ACCEPTOR_OPEN);
	ck_assert_uint_eq(sim.row->promised, 0);
	ck_assert_uint_eq(sim.row->connections, 60);
	end_all(clients, 60);
	ck_assert_uint_eq(count(&sim.row->metrics->refused), 0);
	for (int i = 0; i < 30; i++)
		clients[i] = sim_client(&sim, 0);
	sim_run_ms(&sim, 50);
	ck_assert_uint_eq(sim.row->connections, 10);
	end_all(clients, 30);
	listener_free(sim.listener);
	sim.listener = lower;
	stop();
}
END_TEST

/* An error that nobody expects and that stays: accepting looks again now and
 * then, and does not spin. */
START_TEST(test_accept_error_that_stays)
{
	static const int errors[] = {-EINVAL, -EPERM, -EMFILE};

	for (uint32_t i = 0; i < BR_COUNT(errors); i++)
		for (int by_poll = 0; by_poll < 2; by_poll++) {
			struct sim_options options = sim_defaults();
			struct sim_peer *client;
			uint64_t turns;

			options.connections = by_poll ? 10 : 256;
			start(options);
			sim_run_ms(&sim, 1);
			ck_assert_int_eq(sim.acceptor->by_poll, by_poll);
			fake.accept_error = errors[i];
			client = sim_client(&sim, 0);
			turns = sim.turns;
			sim_run_ms(&sim, 1000);
			ck_assert_uint_lt(sim.turns - turns, 300);
			ck_assert_uint_gt(
			    count(&sim.row->metrics->accept_pauses), 10);
			fake.accept_error = 0;
			sim_connected(&sim, client);
			end_both(client);
			stop();
		}
}
END_TEST

START_TEST(test_accepting_without_descriptors)
{
	struct sim_peer *first, *second;

	start(sim_defaults());
	fake.fd_limit = 3;
	first = sim_client(&sim, 0);
	sim_connected(&sim, first);
	second = sim_client(&sim, 0);
	sim_run_ms(&sim, 100);
	ck_assert_ptr_null(second->other);
	end_both(first);
	sim_run_ms(&sim, 100);
	ck_assert_ptr_nonnull(second->other);
	end_both(second);
	stop();
}
END_TEST

static uint32_t in(struct sim_peer **clients, int n)
{
	uint32_t found = 0;

	for (int i = 0; i < n; i++)
		found += clients[i]->other != NULL;
	return found;
}

/* Refused ones take no place, and one that ends makes room for another. */
START_TEST(test_source_connections)
{
	struct sim_options options = sim_defaults();
	struct sim_peer *clients[20], *late;
	const struct listener_metrics *metrics;

	options.source_connections = 3;
	start(options);
	metrics = sim.row->metrics;
	for (int i = 0; i < 20; i++)
		clients[i] = sim_client(&sim, 0);
	sim_run_ms(&sim, 50);
	ck_assert_uint_eq(in(clients, 20), 3);
	ck_assert_uint_eq(sim.shared.connections, 3);
	ck_assert_uint_eq(sim_source_connections(&sim), 3);
	ck_assert_uint_eq(count(&metrics->source_full), 17);
	ck_assert_uint_eq(count(&metrics->accepted), 20);
	ck_assert_uint_eq(count(&metrics->source_untracked), 0);
	for (int i = 0; i < 20; i++)
		if (clients[i]->other)
			end_both(clients[i]);
		else
			ck_assert(fake_peer_sees_reset(clients[i]->conn));
	ck_assert_uint_eq(sim_source_connections(&sim), 0);
	late = sim_client(&sim, 0);
	sim_connected(&sim, late);
	end_both(late);
	ck_assert_uint_eq(count(&metrics->closed), 4);
	stop();
}
END_TEST

/* A burst of a second's worth, then one an interval. */
START_TEST(test_source_rate)
{
	struct sim_options options = sim_defaults();
	struct sim_peer *clients[20], *late;

	options.source_rate = 5;
	start(options);
	for (int i = 0; i < 20; i++)
		clients[i] = sim_client(&sim, 0);
	sim_turn(&sim, 0);
	sim_turn(&sim, 0);
	sim_run_ms(&sim, 10);
	ck_assert_uint_eq(in(clients, 20), 5);
	ck_assert_uint_eq(count(&sim.row->metrics->source_fast), 15);
	sim_run_ms(&sim, 200);
	late = sim_client(&sim, 0);
	sim_connected(&sim, late);
	end_both(late);
	for (int i = 0; i < 20; i++)
		if (clients[i]->other)
			end_both(clients[i]);
	stop();
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("accept");

	tcase_add_test(tcase, test_accepting_pauses_and_resumes);
	tcase_add_test(tcase, test_others_fill_the_limit);
	tcase_add_test(tcase, test_promise_is_given_back);
	tcase_add_test(tcase, test_limit_lowered);
	tcase_add_test(tcase, test_limit_lowered_during_a_burst);
	tcase_add_test(tcase, test_accept_error_that_stays);
	tcase_add_test(tcase, test_accepting_without_descriptors);
	tcase_add_test(tcase, test_source_connections);
	tcase_add_test(tcase, test_source_rate);
	return sim_check_main(tcase);
}
