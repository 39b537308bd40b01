/* SPDX-License-Identifier: Apache-2.0 */
/* Slots and queues of one pool over two workers, on a kernel in memory. */
#include "lb/upstream.h"

#include "base/assert.h"
#include "lb/flow.h"
#include "lb/listener.h"
#include "tests/sim/fake_io.h"
#include "tests/unit/lb/lb_check.h"

#define WORKERS 2
#define FLOWS_MAX 64

static struct lb_pool p;
static struct upstream *upstream;
static struct lb_shared shared;
static struct worker *workers[WORKERS];
static struct board_listener *row;
static struct listener *listener;
/* Flow ids in the order in which they were connected. */
static uint64_t served[FLOWS_MAX];
static uint32_t n_served;

static int on_connect(struct fake_conn *conn, const struct sockaddr *to,
    struct op_owner *owner, int64_t *ret_delay_ns)
{
	(void)conn;
	(void)to;
	*ret_delay_ns = 0;
	served[n_served++] = br_container_of(owner, struct flow, op)->id;
	return 0;
}

static void start_workers(void)
{
	shared.limits = (struct lb_limits){.max_connections = FLOWS_MAX,
	    .n_workers = WORKERS,
	    .parked_bytes = 1u << 20,
	    .buffers = 16,
	    .buffer_bytes = 1024};
	shared.office = post_office_new(WORKERS, 16);
	shared.metrics = aligned_alloc(64, WORKERS * sizeof *shared.metrics);
	ck_assert(shared.office && shared.metrics);
	memset(shared.metrics, 0, WORKERS * sizeof *shared.metrics);
	for (uint32_t i = 0; i < WORKERS; i++) {
		workers[i] = aligned_alloc(
		    64, (sizeof(struct worker) + 63) & ~(size_t)63);
		ck_assert_ptr_nonnull(workers[i]);
		ck_assert_int_eq(worker_init(workers[i], i, &shared, NULL), 0);
	}
}

static void start(uint32_t servers, uint32_t slots, uint32_t queue_length)
{
	struct conf_listener conf = {
	    .name = "web", .idle_ms = 60000, .half_closed_ms = 60000};

	fake_init(1);
	fake.on_connect = on_connect;
	n_served = 0;
	memset(&shared, 0, sizeof shared);
	start_workers();
	p = lb_pool_open(CONF_BALANCE_RR, servers, NULL, slots);
	p.pool->queue_length = queue_length;
	p.pool->queue_timeout_ms = p.pool->connect_timeout_ms = 5000;
	upstream = upstream_new(p.pool, WORKERS);
	row = board_listener_get(p.board, "web");
	listener = listener_new(&conf, &upstream, row, WORKERS);
	ck_assert(upstream && listener);
}

static void turn(uint32_t worker)
{
	struct message message;

	worker_turn(workers[worker], 0);
	while (mailbox_receive(shared.office, worker, &message))
		worker_on_message(workers[worker], &message);
}

static void stop(void)
{
	for (uint32_t i = 0; i < WORKERS; i++)
		worker_kill_flows(workers[i]);
	for (int i = 0; i < 4; i++)
		for (uint32_t w = 0; w < WORKERS; w++)
			turn(w);
	for (uint32_t i = 0; i < p.pool->n_servers; i++)
		ck_assert_uint_eq(board_slots_used(p.pool->servers[i].row), 0);
	ck_assert_uint_eq(upstream->queued, 0);
	ck_assert(!upstream_pinned(upstream) && !listener_pinned(listener));
	ck_assert_uint_eq(shared.connections, 0);
	for (uint32_t i = 0; i < WORKERS; i++) {
		worker_fini(workers[i]);
		free(workers[i]);
	}
	listener_free(listener);
	board_listener_unref(p.board, row);
	upstream_free(upstream);
	lb_pool_close(&p);
	post_office_free(shared.office);
	free(shared.metrics);
	fake_fini();
}

/* A connection arrives at this worker; its flow's id. */
static uint64_t arrive(uint32_t worker)
{
	uint64_t id = workers[worker]->next_flow_id;
	struct fake_conn *conn = fake_conn_new();

	ck_assert(shared_take(&shared.connections, 0));
	ck_assert(shared_take(&row->connections, 0));
	ck_assert_int_eq(
	    flow_accept(workers[worker], listener, fake_open(conn)), 0);
	turn(worker);
	fake.now_ns += NS_PER_MS;
	return id;
}

static struct flow *flow_by_id(uint64_t id)
{
	for (uint32_t i = 0; i < WORKERS; i++) {
		LIST_FOREACH (node, &workers[i]->flows) {
			struct flow *flow =
			    br_container_of(node, struct flow, link);

			if (flow->id == id)
				return flow;
		}
	}
	return NULL;
}

static void end(uint64_t id)
{
	struct flow *flow = flow_by_id(id);
	uint32_t worker;

	ck_assert_ptr_nonnull(flow);
	worker = flow->worker->index;
	flow_fail(flow, 'K', 'D', -1);
	for (int i = 0; i < 3; i++)
		turn(worker);
	ck_assert_ptr_null(flow_by_id(id));
}

/* -- slots ------------------------------------------------------------- */

START_TEST(test_slots_are_shared_by_workers)
{
	struct server *got[5];

	start(2, 2, 0);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert_int_eq(upstream_choose(upstream, workers[i % WORKERS],
				     NULL, NULL, 0, &got[i]),
		    0);
	ck_assert_int_eq(
	    upstream_choose(upstream, workers[0], NULL, NULL, 0, &got[4]),
	    BR_E_LIMIT);
	upstream_release(upstream, workers[1], got[2]);
	ck_assert_int_eq(
	    upstream_choose(upstream, workers[0], NULL, NULL, 0, &got[4]), 0);
	ck_assert_ptr_eq(got[4], got[2]);
	for (uint32_t i = 0; i < 4; i++)
		upstream_release(upstream, workers[0], got[i]);
	stop();
}
END_TEST

START_TEST(test_no_server)
{
	struct server *got;
	uint32_t tried[] = {0};

	start(1, 0, 0);
	ck_assert_int_eq(
	    upstream_choose(upstream, workers[0], NULL, tried, 1, &got),
	    BR_E_NO_SERVER);
	lb_set(&p, 0, BOARD_DOWN, BOARD_READY, BOARD_WEIGHT_NONE);
	ck_assert_int_eq(
	    upstream_choose(upstream, workers[1], NULL, NULL, 0, &got),
	    BR_E_NO_SERVER);
	stop();
}
END_TEST

/* -- the queue --------------------------------------------------------- */

START_TEST(test_first_in_first_out)
{
	uint64_t ids[6];

	start(1, 1, 10);
	for (int i = 0; i < 6; i++)
		ids[i] = arrive(0);
	ck_assert_uint_eq(n_served, 1);
	ck_assert_uint_eq(upstream->queued, 5);
	for (uint32_t i = 0; i < 5; i++) {
		end(ids[i]);
		ck_assert_uint_eq(n_served, i + 2);
		ck_assert_uint_eq(served[i + 1], ids[i + 1]);
	}
	stop();
}
END_TEST

/* Who arrives while others wait does not take the slot they wait for, though
 * it is free at that moment. */
START_TEST(test_no_overtaking)
{
	uint64_t first, waits, late;
	struct board_row *server_row;

	start(1, 1, 10);
	server_row = p.pool->servers[0].row;
	first = arrive(0);
	waits = arrive(0);
	/* A release elsewhere whose wake-up is still under way. */
	board_slot_release(server_row);
	late = arrive(0);
	ck_assert_uint_eq(n_served, 2);
	ck_assert_uint_eq(served[1], waits);
	ck_assert_int_eq(flow_by_id(late)->state, FLOW_QUEUED);
	/* Put back what was released out of turn. */
	ck_assert(board_slot_take(server_row, 0));
	end(first);
	stop();
}
END_TEST

/* A worker that looks by itself leaves the slot to another's flow that has
 * waited longer, and is served after it. */
START_TEST(test_no_overtaking_of_other_workers)
{
	uint64_t first, on_other, on_own;
	struct board_row *server_row;

	start(1, 1, 10);
	server_row = p.pool->servers[0].row;
	first = arrive(0);
	on_other = arrive(1);
	on_own = arrive(0);
	board_slot_release(server_row);
	upstream_wake(upstream, workers[0]);
	ck_assert_uint_eq(n_served, 1);
	ck_assert_int_eq(flow_by_id(on_own)->state, FLOW_QUEUED);
	upstream_wake(upstream, workers[1]);
	turn(1);
	ck_assert_uint_eq(n_served, 2);
	ck_assert_uint_eq(served[1], on_other);
	/* Put back what was released out of turn. */
	ck_assert(board_slot_take(server_row, 0));
	end(first);
	end(on_other);
	turn(0);
	turn(0);
	ck_assert_uint_eq(n_served, 3);
	ck_assert_uint_eq(served[2], on_own);
	stop();
}
END_TEST

START_TEST(test_bound_is_over_all_workers)
{
	uint64_t refused;

	start(1, 1, 2);
	(void)arrive(0);
	(void)arrive(0);
	(void)arrive(1);
	ck_assert_uint_eq(upstream->queued, 2);
	refused = arrive(1);
	ck_assert_ptr_null(flow_by_id(refused));
	ck_assert_uint_eq(counter_read(&shared.metrics[1].queue_refused), 1);
	ck_assert_uint_eq(upstream->queued, 2);
	stop();
}
END_TEST

/* The slot goes to who has waited longest, also on another worker: by mail,
 * at once, without the timer that looks now and then. */
START_TEST(test_oldest_worker_is_woken)
{
	uint64_t first, on_other, on_own;

	start(1, 1, 10);
	first = arrive(0);
	on_other = arrive(1);
	on_own = arrive(0);
	end(first);
	ck_assert_uint_eq(n_served, 1);
	turn(1);
	turn(1);
	ck_assert_uint_eq(n_served, 2);
	ck_assert_uint_eq(served[1], on_other);
	end(on_other);
	turn(0);
	turn(0);
	ck_assert_uint_eq(n_served, 3);
	ck_assert_uint_eq(served[2], on_own);
	stop();
}
END_TEST

/* A lost message costs milliseconds, not the flow. */
START_TEST(test_full_mailbox_only_delays)
{
	struct message filler = {.kind = WORKER_DAEMON}, dropped;
	uint64_t first, waits;

	start(1, 1, 10);
	first = arrive(0);
	waits = arrive(1);
	while (!mailbox_post(shared.office, 0, 1, filler))
		;
	end(first);
	while (mailbox_receive(shared.office, 1, &dropped))
		ck_assert_uint_eq(dropped.kind, WORKER_DAEMON);
	ck_assert_uint_eq(n_served, 1);
	worker_turn(workers[1], NS_PER_S);
	turn(1);
	ck_assert_uint_eq(n_served, 2);
	ck_assert_uint_eq(served[1], waits);
	stop();
}
END_TEST

START_TEST(test_one_release_serves_all_that_fit)
{
	start(1, 1, 10);
	(void)arrive(0);
	for (int i = 0; i < 4; i++)
		(void)arrive(0);
	/* The limit is lifted by a server that comes back. */
	p.pool->servers[0].max_connections = 4;
	pool_changed(p.pool);
	upstream_wake(upstream, workers[0]);
	turn(0);
	ck_assert_uint_eq(n_served, 4);
	ck_assert_uint_eq(upstream->queued, 1);
	stop();
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("upstream");

	tcase_add_test(tcase, test_slots_are_shared_by_workers);
	tcase_add_test(tcase, test_no_server);
	tcase_add_test(tcase, test_first_in_first_out);
	tcase_add_test(tcase, test_no_overtaking);
	tcase_add_test(tcase, test_no_overtaking_of_other_workers);
	tcase_add_test(tcase, test_bound_is_over_all_workers);
	tcase_add_test(tcase, test_oldest_worker_is_woken);
	tcase_add_test(tcase, test_full_mailbox_only_delays);
	tcase_add_test(tcase, test_one_release_serves_all_that_fit);
	return lb_check_main(tcase);
}
