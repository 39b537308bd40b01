/* SPDX-License-Identifier: Apache-2.0 */
/* How many lanes a download has, to which servers, and what becomes of those
 * that fail. */
#include "base/assert.h"
#include "io/sock.h"
#include "lb/flow_steps.h"
#include "lb/http_flow.h"
#include "lb/shard_engine.h"
#include "lb/upstream.h"

#include <errno.h>

/* With less to go another connection is not worth its handshake. */
#define LANE_WORTH_BYTES (256u << 10)
/* Before a server is looked for again: none is usable, or all are full. */
#define OPEN_PAUSE_NS (100 * NS_PER_MS)
/* So long a client waits at least before nobody can go on: servers that refuse
 * are asked in vain many times while the only one that lives tarries. */
#define GIVE_UP_NS (10 * NS_PER_S)
/* Who is wanted at once does not wait for a connect longer than this. */
#define CONNECT_PATIENCE_NS (300 * NS_PER_MS)
/* For so long others go before a server whose lane was given up. */
#define REST_NS (5 * NS_PER_S)
#define TRIED_MAX (SHARD_SERVERS_MAX + SHARD_LANES_MAX)

/* Beside what the kernel needs for itself, so that a piece always fits. */
#define ROOM_SPARE (32u << 10)

static int64_t lanes_now_ns(const struct shard_flow *shard)
{
	return worker_now(shard->flow->worker).ns;
}

static struct shard_lane *lane_of(const struct shard_conn *conn)
{
	return &conn->shard->plan.lanes[conn->lane];
}

/* -- what is remembered of servers ------------------------------------- */

struct shard_record *shard_record(
    struct shard_flow *shard, const struct server *server)
{
	struct shard_record *record;

	for (uint32_t i = 0; i < shard->n_records; i++) {
		if (shard->records[i].server == server->index)
			return &shard->records[i];
	}
	if (shard->n_records == SHARD_SERVERS_MAX)
		return NULL;
	record = &shard->records[shard->n_records++];
	*record = (struct shard_record){.server = server->index};
	return record;
}

static uint32_t attempts_max(const struct shard_flow *shard)
{
	uint32_t n = 2 * shard->flow->upstream->pool->n_servers;

	return n > SHARD_FAILURES_MAX ? n : SHARD_FAILURES_MAX;
}

/* -- failures ---------------------------------------------------------- */

static void lane_count_migration(
    struct shard_flow *shard, enum shard_cause cause)
{
	counter_inc(&shard->flow->worker->metrics->shard.migrations[cause]);
	shard->n_migrations++;
	http_of(shard->flow)->n_migrations++;
}

/* A server that has closed a connection which it had kept for us has done
 * nothing wrong. */
static bool lane_fault_counts(
    const struct shard_conn *conn, enum shard_cause cause)
{
	if (cause == SHARD_CAUSE_drained || cause == SHARD_CAUSE_slow)
		return false;
	return cause != SHARD_CAUSE_dead || conn->requests <= 1 ||
	       conn->step == SHARD_BODY;
}

/* The place of what its server brings, for all downloads of the worker. */
static struct upstream_rate *lane_rate(const struct shard_conn *conn)
{
	struct upstream *upstream = conn->upstream;
	uint32_t at = conn->server->index % UPSTREAM_RATES;

	return &upstream->workers[conn->worker->index].rates[at];
}

/* What it brought lately is where another lane of its server begins. */
static void lane_remember(const struct shard_conn *conn)
{
	struct shard_record *record = shard_record(conn->shard, conn->server);
	uint64_t rate = shard_plan_rate(&conn->shard->plan, conn->lane);

	if (!rate)
		return;
	if (record)
		record->rate = rate;
	*lane_rate(conn) = (struct upstream_rate){
	    .server = conn->server->index,
	    .kib_s =
		rate >> 10 < UINT32_MAX ? (uint32_t)(rate >> 10) : UINT32_MAX,
	};
}

/* 0: unknown. */
static uint64_t lane_remembered(const struct shard_conn *conn)
{
	const struct shard_record *record =
	    shard_record(conn->shard, conn->server);
	const struct upstream_rate *known = lane_rate(conn);

	if (record && record->rate)
		return record->rate;
	return known->server == conn->server->index
		   ? (uint64_t)known->kib_s << 10
		   : 0;
}

static void lane_blame(struct shard_conn *conn, enum shard_cause cause)
{
	struct shard_flow *shard = conn->shard;
	struct shard_record *record = shard_record(shard, conn->server);

	if (cause == SHARD_CAUSE_dead && conn->step == SHARD_BODY)
		counter_inc(
		    &conn->server->row->metrics[conn->worker->index].resets);
	if (record && cause == SHARD_CAUSE_entity)
		record->banned = true;
	if (record)
		record->rests_until_ns = lanes_now_ns(shard) + REST_NS;
	if (!lane_fault_counts(conn, cause))
		return;
	if (record && record->failures < SHARD_FAILURES_MAX)
		record->failures++;
	shard->attempts++;
	if (cause == SHARD_CAUSE_silent)
		shard->silences++;
}

static void lane_lose(struct shard_conn *conn, enum shard_cause cause)
{
	struct shard_flow *shard = conn->shard;

	lane_blame(conn, cause);
	if (conn->lane != SHARD_LANE_NOT) {
		if (lane_of(conn)->state == SHARD_LANE_ASKED)
			lane_count_migration(shard, cause);
		lane_remember(conn);
		shard_plan_lost(&shard->plan, conn->lane);
	}
	/* The next download tries it with a small piece. */
	lane_rate(conn)->kib_s = 0;
	shard_conn_drop(conn);
}

void shard_lane_stop(
    struct shard_conn *conn, uint64_t at, enum shard_cause cause)
{
	lane_blame(conn, cause);
	lane_count_migration(conn->shard, cause);
	shard_plan_shorten(&conn->shard->plan, conn->lane, at, true);
}

void shard_lane_failed(struct shard_conn *conn, enum shard_cause cause)
{
	const struct shard_lane *lane;
	uint64_t waiting;

	if (conn->lane == SHARD_LANE_NOT || conn->step != SHARD_BODY) {
		lane_lose(conn, cause);
		return;
	}
	lane = lane_of(conn);
	waiting = shard_conn_waiting(conn);
	if (!waiting)
		lane_lose(conn, cause);
	else if (lane->next + waiting < lane->to)
		shard_lane_stop(conn, lane->next + waiting, cause);
}

void shard_lane_done(struct shard_conn *conn)
{
	struct shard_flow *shard = conn->shard;

	conn->step = SHARD_IDLE;
	lane_remember(conn);
	if (shard->plan.lanes[conn->lane].state == SHARD_LANE_NONE)
		shard_conn_drop(conn);
}

/* -- opening ----------------------------------------------------------- */

void shard_lane_opened(struct shard_conn *conn)
{
	struct shard_flow *shard = conn->shard;
	uint64_t room = addr_is_unix(&conn->server->addr)
			    ? SHARD_UNIX_ROOM
			    : sock_receive_room(conn->fd) / 2;
	int lane;

	if (room > 2 * ROOM_SPARE)
		room -= ROOM_SPARE;
	lane = shard_plan_open(&shard->plan, lane_remembered(conn), room);
	if (lane < 0) {
		shard_conn_drop(conn);
		return;
	}
	conn->lane = (uint8_t)lane;
	shard->lanes[lane] = conn;
	counter_inc(&conn->worker->metrics->shard.lanes);
	if (shard->plan.n_lanes > shard->lanes_peak) {
		shard->lanes_peak = shard->plan.n_lanes;
		http_of(shard->flow)->n_shards = shard->lanes_peak;
	}
}

/* How far one goes for a server. */
enum reach {
	REACH_FRESH, /* without a lane, and without a fault lately */
	REACH_SECOND, /* also such with one lane */
	REACH_GOOD, /* with however many */
	REACH_ANY, /* all that have the same, but for a pause after a failure */
};

static bool record_is_out(
    const struct shard_record *record, enum reach reach, int64_t now_ns)
{
	int64_t rest_ns = record->rests_until_ns - now_ns;

	if (record->banned)
		return true;
	if (rest_ns <= 0 || reach < REACH_ANY)
		return rest_ns > 0;
	/* A refusal takes no time: all tries would be over in a millisecond.
	 * But nobody is left alone for good, since a long download sees servers
	 * go and come again. */
	return record->failures && rest_ns > REST_NS - OPEN_PAUSE_NS;
}

/* Connections to that server. */
static uint32_t lanes_to(
    const struct shard_flow *shard, const struct server *server)
{
	uint32_t n = 0;

	LIST_FOREACH (node, &shard->conns) {
		const struct shard_conn *conn =
		    br_container_of(node, struct shard_conn, link);

		n += conn->server == server;
	}
	return n;
}

/* One to each server; two where there are fewer of them than lanes wanted. */
static uint32_t lanes_each(const struct shard_flow *shard)
{
	const struct pool *pool = shard->flow->upstream->pool;

	return pool->n_servers < shard_lanes_wanted(shard) ? 2 : 1;
}

/* Servers that are not to be asked. */
static uint32_t lanes_tried(
    const struct shard_flow *shard, enum reach reach, uint32_t *ret)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < shard->n_records; i++) {
		const struct shard_record *record = &shard->records[i];

		if (record_is_out(record, reach, lanes_now_ns(shard)))
			ret[n++] = record->server;
	}
	if (reach > REACH_SECOND)
		return n;
	LIST_FOREACH (node, &shard->conns) {
		const struct shard_conn *conn =
		    br_container_of(node, struct shard_conn, link);

		if (n < TRIED_MAX &&
		    lanes_to(shard, conn->server) > (reach == REACH_SECOND))
			ret[n++] = conn->server->index;
	}
	return n;
}

static int lanes_open(struct shard_flow *shard, enum reach reach)
{
	struct flow *flow = shard->flow;
	uint32_t tried[TRIED_MAX];
	uint32_t n = lanes_tried(shard, reach, tried);
	struct server *server;
	int err = upstream_choose(
	    flow->upstream, flow->worker, &flow->client, tried, n, &server);

	return err ? err : shard_conn_open(shard, server);
}

/* As far as need be, up to `most`. */
static int lanes_open_within(struct shard_flow *shard, enum reach most)
{
	int err = BR_E_NO_SERVER;

	for (enum reach reach = REACH_FRESH; reach <= most; reach++) {
		err = lanes_open(shard, reach);
		if (err != BR_E_NO_SERVER && err != BR_E_LIMIT)
			break;
	}
	if (err)
		shard->open_again_ns = lanes_now_ns(shard) + OPEN_PAUSE_NS;
	return err;
}

/* Somebody may be asked soon that may not now. */
static bool lanes_pause(const struct shard_flow *shard)
{
	for (uint32_t i = 0; i < shard->n_records; i++) {
		const struct shard_record *record = &shard->records[i];

		if (!record->banned &&
		    record_is_out(record, REACH_ANY, lanes_now_ns(shard)))
			return true;
	}
	return false;
}

/* Nobody has room for one more, maybe because of what is asked ahead: the lane
 * that is farthest from its turn gives its place. */
static void lanes_make_room(struct shard_flow *shard)
{
	struct shard_conn *last = NULL;

	for (unsigned i = 0; i < SHARD_LANES_MAX; i++) {
		struct shard_conn *conn = shard->lanes[i];

		if (conn && lane_of(conn)->state == SHARD_LANE_ASKED &&
		    (!last || lane_of(conn)->next > lane_of(last)->next))
			last = conn;
	}
	if (!last)
		return;
	lane_remember(last);
	shard_plan_lost(&shard->plan, last->lane);
	shard_conn_drop(last);
}

/* Whether a server that has failed may do better, unlike one that holds
 * something else. */
static bool lanes_may_return(const struct shard_flow *shard)
{
	for (uint32_t i = 0; i < shard->n_records; i++)
		if (!shard->records[i].banned)
			return true;
	return false;
}

static bool lanes_hopeless(const struct shard_flow *shard)
{
	if (shard->attempts < attempts_max(shard) || shard->n_connecting)
		return false;
	if (!lanes_may_return(shard))
		return true;
	return shard->waits_ns &&
	       lanes_now_ns(shard) - shard->waits_ns >= GIVE_UP_NS;
}

/* The next byte is nobody's: it has to come from somewhere now. */
static void lanes_rescue(struct shard_flow *shard)
{
	int err;

	LIST_FOREACH (node, &shard->conns) {
		const struct shard_conn *conn =
		    br_container_of(node, struct shard_conn, link);

		if (conn->step == SHARD_CONNECTING &&
		    lanes_now_ns(shard) - conn->opened_ns < CONNECT_PATIENCE_NS)
			return;
	}
	if (lanes_hopeless(shard)) {
		shard_give_up(shard, BR_E_NO_SERVER);
		return;
	}
	if (lanes_now_ns(shard) < shard->open_again_ns ||
	    shard->n_conns >= SHARD_LANES_MAX)
		return;
	if (shard->attempts >= attempts_max(shard))
		shard->open_again_ns = lanes_now_ns(shard) + OPEN_PAUSE_NS;
	err = lanes_open_within(shard, REACH_ANY);
	if (err == BR_E_LIMIT)
		lanes_make_room(shard);
	/* To no purpose, as an answer without a byte. */
	if (err && err != BR_E_LIMIT && !lanes_pause(shard))
		shard->attempts++;
}

/* -- asking ------------------------------------------------------------ */

static bool conn_is_spent(const struct shard_conn *conn)
{
	return conn->ended || conn->server_closes || conn->body_left;
}

uint32_t shard_lanes_wanted(const struct shard_flow *shard)
{
	const struct conf_shard *conf = &shard->flow->upstream->pool->shard;
	uint64_t left = shard->plan.end - shard->plan.next_out;

	if (shard->order.end - shard->order.first < conf->min_size ||
	    left < LANE_WORTH_BYTES)
		return 1;
	return conf->range == CONF_SHARD_ON ? conf->max : shard->demand.lanes;
}

static uint32_t lanes_undrained(const struct shard_flow *shard)
{
	uint32_t n = 0;

	LIST_FOREACH (node, &shard->conns) {
		const struct shard_conn *conn =
		    br_container_of(node, struct shard_conn, link);

		n += !conn->drained && conn->lane != SHARD_LANE_NOT;
	}
	return n;
}

/* The fastest that has nothing to do: what is asked next leaves next. */
static struct shard_conn *lanes_idle(const struct shard_flow *shard,
    uint32_t asked /* by bit: these have been */)
{
	struct shard_conn *best = NULL;

	for (unsigned i = 0; i < SHARD_LANES_MAX; i++) {
		struct shard_conn *conn = shard->lanes[i];

		if (!conn || conn->step != SHARD_IDLE || asked & (1u << i))
			continue;
		if (!best || shard_plan_rate(&shard->plan, i) >
				 shard_plan_rate(&shard->plan, best->lane))
			best = conn;
	}
	return best;
}

/* One that had to help out stays only until the others can go on. */
static bool lane_is_over(const struct shard_conn *conn)
{
	return lanes_to(conn->shard, conn->server) > lanes_each(conn->shard);
}

/* Who replaces a drained one is no surplus beside it. One more than is wanted
 * is of use where nobody has the next byte. */
static bool lane_is_surplus(const struct shard_conn *conn, uint32_t wanted)
{
	struct shard_flow *shard = conn->shard;
	uint32_t undrained = lanes_undrained(shard);

	if (conn->drained && undrained)
		return true;
	return (undrained > wanted || lane_is_over(conn)) &&
	       shard_plan_turn(&shard->plan) >= 0;
}

/* An idle lane is asked, or dropped where it is of no more use. */
static void lane_serve(struct shard_conn *conn, uint32_t wanted)
{
	struct shard_flow *shard = conn->shard;
	struct shard_range piece;

	if (conn_is_spent(conn) || lane_is_surplus(conn, wanted)) {
		lane_remember(conn);
		shard_plan_lost(&shard->plan, conn->lane);
		shard_conn_drop(conn);
		return;
	}
	if (!shard_plan_ask(&shard->plan, conn->lane,
		worker_now(shard->flow->worker), &piece))
		return;
	shard->n_pieces++;
	counter_inc(&shard->flow->worker->metrics->shard.pieces);
	http_of(shard->flow)->n_pieces++;
	shard_conn_ask(conn, piece);
}

void shard_serve(struct shard_flow *shard)
{
	uint32_t wanted = shard_lanes_wanted(shard), asked = 0;
	struct shard_conn *conn;

	while (!shard->over && (conn = lanes_idle(shard, asked)) != NULL) {
		asked |= 1u << conn->lane;
		lane_serve(conn, wanted);
	}
	if (shard->over || shard_plan_done(&shard->plan))
		return;
	if (shard_plan_starves(&shard->plan)) {
		lanes_rescue(shard);
		return;
	}
	/* Whoever is drained is to be replaced before it goes. */
	if (lanes_undrained(shard) + shard->n_connecting < wanted &&
	    shard->n_conns < SHARD_LANES_MAX &&
	    lanes_now_ns(shard) >= shard->open_again_ns)
		(void)lanes_open_within(
		    shard, lanes_each(shard) > 1 ? REACH_SECOND : REACH_FRESH);
}
