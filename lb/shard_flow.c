/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/shard_flow.h"

#include "base/assert.h"
#include "io/http1_edit.h"
#include "io/pipe.h"
#include "io/sock.h"
#include "lb/flow_steps.h"
#include "lb/http_flow.h"
#include "lb/shard_engine.h"
#include "lb/shard_room.h"
#include "lb/tls_end.h"
#include "lb/upstream.h"

#include <errno.h>
#include <string.h>

/* Pieces in a row that one event may finish. */
#define TURNS_MAX 16

static void shard_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result);

static const struct op_class shard_class = {
    .magic = SHARD_FLOW_MAGIC,
    .name = "sharded flow",
    .on_complete = shard_on_complete,
};

const char *shard_step_name(unsigned step)
{
	static const char *const names[] = {
#define X(name, text) [SHARD_##name] = text,
	    SHARD_STEP_LIST(X)
#undef X
	};

	return step < BR_COUNT(names) ? names[step] : "?";
}

/* -- before it begins -------------------------------------------------- */

static struct upstream_worker *shard_mine(const struct flow *flow)
{
	return &flow->upstream->workers[flow->worker->index];
}

static uint64_t shard_key(const struct flow *flow)
{
	const struct http_flow *http = http_of(flow);
	const char *bytes = (const char *)http->bytes;
	struct http1_span host = http->request.known[HTTP1_HOST];

	return shard_history_key(&flow->worker->shard_history,
	    flow->upstream->pool->name, bytes + host.at, host.length,
	    bytes + http->request.target.at, http->request.target.length);
}

/* Whether it can be asked of several, and they would be asked. */
static bool shard_may_inject(const struct flow *flow)
{
	const struct pool *pool = flow->upstream->pool;

	return pool->n_servers > 1 && pool->shard.max > 1 &&
	       (pool->shard.range == CONF_SHARD_ON ||
		   shard_mine(flow)->shard_lanes > 1);
}

bool shard_edit_request(struct flow *flow, struct cursor_out *out)
{
	const struct conf_shard *conf = &flow->upstream->pool->shard;
	const struct http_flow *http = http_of(flow);
	const struct http1_piece piece = {.last = conf->piece - 1};
	uint64_t expected;

	if (!shard_may_inject(flow) || !shard_room_has_flow(flow->worker))
		return false;
	expected =
	    shard_history_expect(&flow->worker->shard_history, shard_key(flow));
	if (expected < conf->min_size || expected <= conf->piece ||
	    http->request.known[HTTP1_RANGE].length ||
	    !shard_judge_request(&http->request, http->bytes) ||
	    !http1_edit_request(&http->request, http->bytes, &piece, out))
		return false;
	counter_inc(&flow->worker->metrics->shard.injections);
	return true;
}

/* The next request for it is asked by what this one's answer was. */
static void shard_learn(
    struct flow *flow, enum shard_worth worth, const struct shard_order *order)
{
	struct shard_history *history = &flow->worker->shard_history;

	if (worth == SHARD_SPLIT && shard_may_inject(flow))
		shard_history_learn(history, shard_key(flow), order->total);
	else if (http_of(flow)->edited && worth != SHARD_SPLIT)
		shard_history_forget(history, shard_key(flow));
	if (worth == SHARD_ASK_AGAIN)
		counter_inc(&flow->worker->metrics->shard.injections_vain);
}

enum shard_worth shard_judge_answer(struct flow *flow,
    const struct http1_head *answer, const void *bytes, struct shard_order *ret)
{
	const struct upstream *upstream = flow->upstream;
	const struct conf_shard *conf = &upstream->pool->shard;
	struct http_flow *http = http_of(flow);
	const struct shard_injection injection = {
	    .injected = http->edited, .last = conf->piece - 1};
	struct shard_verdict verdict;

	http->bar = SHARD_BAR_tls;
	if (upstream->tls)
		return http->edited ? SHARD_ASK_AGAIN : SHARD_NOT;
	verdict = shard_judge(
	    conf, &http->request, http->bytes, &injection, answer, bytes, ret);
	if (verdict.worth != SHARD_NOT && verdict.worth != SHARD_ASK_AGAIN &&
	    ret->digested && !(http->digest = digest_new())) {
		verdict.worth = http->edited ? SHARD_ASK_AGAIN : SHARD_NOT;
		verdict.bar = SHARD_BAR_limit;
	}
	http->bar = verdict.bar;
	shard_learn(flow, verdict.worth, ret);
	return verdict.worth;
}

bool shard_edit_answer(struct flow *flow, const struct shard_order *order,
    const struct http1_head *answer, const void *bytes, struct cursor_out *out)
{
	const struct http1_whole whole = {
	    .first = order->first,
	    .last = order->end - 1,
	    .total = order->total,
	    .partial = order->partial,
	    .close = http_of(flow)->request.shapes & HTTP1_CLOSE,
	};

	return http1_edit_answer(answer, bytes, &whole, out);
}

/* -- the begin --------------------------------------------------------- */

static void shard_on_timer(struct timer *timer, struct mono now)
{
	struct shard_flow *shard =
	    br_container_of(timer, struct shard_flow, timer);

	br_assert(shard->op.magic == SHARD_FLOW_MAGIC && !shard->over);
	shard_watch(shard, now);
	shard_run(shard);
}

static void shard_release(struct shard_flow *shard)
{
	struct flow *flow = shard->flow;
	struct worker *worker = flow->worker;

	br_assert(!shard->n_conns && !shard->op.in_flight);
	timer_disarm(&worker->wheel, &shard->timer);
	if (shard->pipe) {
		pipe_return(&worker->pipes, shard->pipe);
		counter_set(&worker->metrics->pipes, worker->pipes.made);
	}
	flow->side->shard = NULL;
	shard->op.magic = 0;
	slab_free(&worker->shard_slab, shard);
	shard_room_give_flow(worker);
}

static struct shard_flow *shard_new(struct flow *flow, bool injected)
{
	struct worker *worker = flow->worker;
	struct shard_flow *shard;

	if (injected)
		shard_room_force_flow(worker);
	else if (!shard_room_take_flow(worker))
		return NULL;
	shard = slab_new(&worker->shard_slab);
	if (!shard) {
		shard_room_give_flow(worker);
		return NULL;
	}
	memset(shard, 0, sizeof *shard);
	shard->op.magic = SHARD_FLOW_MAGIC;
	shard->op.class = &shard_class;
	shard->flow = flow;
	timer_init(&shard->timer, shard_on_timer);
	list_init(&shard->conns);
	flow->side->shard = shard;
	return shard;
}

static uint64_t shard_piece_max(const struct conf_shard *conf)
{
	return conf->piece > SHARD_PIECE_MIN ? conf->piece : SHARD_PIECE_MIN;
}

static void shard_plan_all(
    struct shard_flow *shard, const struct shard_order *order)
{
	struct flow *flow = shard->flow;
	struct upstream *upstream = flow->upstream;
	const struct conf_shard *conf = &upstream->pool->shard;
	uint32_t lanes = shard_mine(flow)->shard_lanes;
	struct mono now = worker_now(flow->worker);

	if (!lanes || lanes > conf->max)
		lanes = 1;
	shard->order = *order;
	shard_plan_start(
	    &shard->plan, order->first, order->end, shard_piece_max(conf));
	shard_demand_start(&shard->demand, lanes, conf->max, now);
	shard->generation = pool_generation(upstream->pool) - 1;
}

/* Home goes on with what it was asked for; where all of that has left already,
 * it is a lane as any other. */
static bool shard_take_home(struct shard_flow *shard)
{
	const struct shard_order *order = &shard->order;
	struct flow *flow = shard->flow;
	struct shard_conn *conn;
	int lane;

	if (flow->server_fd < 0)
		return true;
	conn = shard_conn_adopt(shard);
	if (!conn)
		return false;
	if (order->home_to > order->first)
		lane = shard_plan_home(&shard->plan, order->home_to, 0,
		    shard->plan.piece_max, worker_now(flow->worker));
	else
		lane = shard_plan_open(&shard->plan, 0, shard->plan.piece_max);
	conn->lane = (uint8_t)lane;
	shard->lanes[lane] = conn;
	conn->seen = shard->order.first;
	conn->seen_ns = worker_now(flow->worker).ns;
	shard->n_pieces = shard->lanes_peak = 1;
	return true;
}

int shard_begin(struct flow *flow, const struct shard_order *order)
{
	struct worker *worker = flow->worker;
	struct http_flow *http = http_of(flow);
	struct shard_flow *shard;

	br_assert(order->first < order->end && order->end <= order->total);
	br_assert(!flow->side->shard);
	shard = shard_new(flow, order->injected);
	if (!shard)
		return BR_E_LIMIT;
	shard_plan_all(shard, order);
	if (!shard_take_home(shard)) {
		shard_release(shard);
		return -ENOMEM;
	}
	counter_inc(&worker->metrics->shard.flows);
	/* Home's answer is the first piece. */
	counter_add(&worker->metrics->shard.pieces, shard->n_pieces);
	counter_add(&worker->metrics->shard.lanes, shard->n_conns);
	if (!shard->n_conns)
		counter_inc(&worker->metrics->shard.continued);
	http->n_shards = shard->lanes_peak;
	http->n_pieces = shard->n_pieces;
	if (!tls_sink(flow, &flow->down) && !shard->order.digested &&
	    !pipe_borrow(&worker->pipes, &shard->pipe))
		counter_set(&worker->metrics->pipes, worker->pipes.made);
	shard_run(shard);
	return 0;
}

/* -- turns ------------------------------------------------------------- */

static void shard_drop_all(struct shard_flow *shard, struct shard_conn *but)
{
	LIST_FOREACH_SAFE (node, following, &shard->conns) {
		struct shard_conn *conn =
		    br_container_of(node, struct shard_conn, link);

		if (conn != but)
			shard_conn_drop(conn);
	}
}

/* A connection that the flow may use for its next request. Bytes that nobody
 * asked for must not become the answer to that. */
static struct shard_conn *shard_clean_conn(const struct shard_flow *shard)
{
	LIST_FOREACH (node, &shard->conns) {
		struct shard_conn *conn =
		    br_container_of(node, struct shard_conn, link);

		if (conn->step == SHARD_IDLE && !conn->body_left &&
		    !conn->ended && !conn->server_closes && !conn->drained &&
		    !sock_waiting(conn->fd))
			return conn;
	}
	return NULL;
}

/* All has reached the client's socket. */
static void shard_finish(struct shard_flow *shard)
{
	struct flow *flow = shard->flow;
	struct shard_conn *keep = shard_clean_conn(shard);

	shard_drop_all(shard, keep);
	/* Its watch is cancelled first; its completion comes back here. */
	shard->ending = true;
	if (keep && !shard_conn_give_back(keep))
		return;
	if (flow->upstream->pool->shard.range == CONF_SHARD_AUTO)
		shard_mine(flow)->shard_lanes =
		    shard_demand_verdict(&shard->demand);
	shard_release(shard);
	http_shards_done(flow);
}

void shard_run(struct shard_flow *shard)
{
	unsigned turns = 0;

	if (shard->running || shard->over)
		return;
	shard->running = true;
	while (!shard->ending) {
		shard_serve(shard);
		if (shard->over || !shard_move(shard) || shard->over ||
		    ++turns == TURNS_MAX)
			break;
	}
	shard->running = false;
	if (shard->over)
		return;
	if (shard_plan_done(&shard->plan) && shard_moved_all(shard)) {
		shard_finish(shard);
		return;
	}
	if (turns == TURNS_MAX)
		timer_arm(&shard->flow->worker->wheel, &shard->timer,
		    worker_now(shard->flow->worker));
	else if (!timer_armed(&shard->timer))
		shard_arm(shard);
}

static void shard_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result)
{
	struct shard_flow *shard =
	    br_container_of(owner, struct shard_flow, op);

	br_assert(tag == SHARD_TAG_WRITABLE);
	if (shard->over) {
		flow_when_quiet(shard->flow);
		return;
	}
	shard_on_writable(shard, result.res);
	shard_run(shard);
}

void shard_sink_sent(struct flow *flow)
{
	if (shard_of(flow))
		shard_run(shard_of(flow));
}

/* -- the end ----------------------------------------------------------- */

void shard_give_up(struct shard_flow *shard, int error)
{
	counter_inc(&shard->flow->worker->metrics->shard.flows_failed);
	flow_fail(shard->flow, 'S', 'D', error);
}

void shard_abort(struct flow *flow)
{
	struct shard_flow *shard = shard_of(flow);
	struct worker *worker = flow->worker;

	if (!shard || shard->over)
		return;
	shard->over = true;
	timer_disarm(&worker->wheel, &shard->timer);
	shard_drop_all(shard, NULL);
	if (shard->op.in_flight)
		ring_cancel(&worker->ring, &shard->op, SHARD_TAG_WRITABLE);
}

bool shard_quiet(const struct flow *flow)
{
	const struct shard_flow *shard = shard_of(flow);

	return !shard || !shard->op.in_flight;
}

void shard_free(struct flow *flow)
{
	if (!shard_of(flow))
		return;
	br_assert(shard_of(flow)->over);
	shard_release(shard_of(flow));
}

/* -- for those who look ------------------------------------------------ */

static void shard_describe_lane(
    const struct shard_conn *conn, struct shard_lane_view *ret)
{
	const struct shard_plan *plan = &conn->shard->plan;

	*ret = (struct shard_lane_view){
	    .server = conn->server, .step = (enum shard_step)conn->step};
	if (conn->lane == SHARD_LANE_NOT)
		return;
	ret->rate = shard_plan_rate(plan, conn->lane);
	if (plan->lanes[conn->lane].state != SHARD_LANE_ASKED)
		return;
	ret->from = plan->lanes[conn->lane].asked_from;
	ret->to = plan->lanes[conn->lane].to;
	ret->next = plan->lanes[conn->lane].next;
	ret->arrived = plan->lanes[conn->lane].arrived;
	ret->turn = ret->next == plan->next_out;
}

bool shard_describe(const struct flow *flow, struct shard_view *ret)
{
	const struct shard_flow *shard = shard_of(flow);

	if (!shard)
		return false;
	*ret = (struct shard_view){
	    .first = shard->plan.first,
	    .next_out = shard->plan.next_out,
	    .frontier = shard->plan.frontier,
	    .end = shard->plan.end,
	    .total = shard->order.total,
	    .kernel_bytes = shard->kernel_bytes,
	    .wanted = shard_lanes_wanted(shard),
	    .pieces = shard->n_pieces,
	    .migrations = shard->n_migrations,
	    .stalls = shard->n_stalls,
	};
	LIST_FOREACH (node, &shard->conns) {
		if (ret->n_lanes < SHARD_LANES_MAX)
			shard_describe_lane(
			    br_container_of(node, struct shard_conn, link),
			    &ret->lanes[ret->n_lanes++]);
	}
	return true;
}
