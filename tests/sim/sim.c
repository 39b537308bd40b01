/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/sim.h"

#include "base/assert.h"
#include "base/hash.h"
#include "lb/flow_profile.h"
#include "lb/flow_state.h"
#include "lb/side.h"
#include "profiler/model_abi.h"
#include "tests/sim/sim_tls_end.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct sim *running; /* for the fake's hooks */

struct sim_options sim_defaults(void)
{
	return (struct sim_options){.profiler = true,
	    .n_servers = 2,
	    .retries = 3,
	    .connect_ms = 2000,
	    .queue_ms = 5000,
	    .idle_ms = 300000,
	    .wait_ms = 50,
	    .first_bytes_ms = 5000,
	    .handshake_ms = 10000,
	    .half_closed_ms = 30000,
	    .buffers = 64,
	    .buffer_bytes = 8192,
	    .parked_bytes = 4u << 20,
	    .pipes = 8,
	    .connections = 256};
}

/* -- starting ---------------------------------------------------------- */

static void start_pool(struct sim *sim)
{
	static const char *const names[SIM_SERVERS_MAX] = {"a", "b", "c", "d"};
	struct conf_server servers[SIM_SERVERS_MAX] = {0};
	struct conf_pool conf = {.name = "origins",
	    .balance = CONF_BALANCE_RR,
	    .servers = servers,
	    .n_servers = sim->options.n_servers,
	    .connect_timeout_ms = sim->options.connect_ms,
	    .connect_retries = sim->options.retries,
	    .queue_length = sim->options.queue_length,
	    .queue_timeout_ms = sim->options.queue_ms,
	    .proxy_out = sim->options.proxy_out,
	    .splice = sim->options.splice,
	    .shard = {.range = sim->options.shard_range,
		.piece = sim->options.shard_piece,
		.min_size = sim->options.shard_min_size,
		.max = sim->options.shard_max}};

	for (uint32_t i = 0; i < conf.n_servers; i++) {
		servers[i].name = names[i];
		servers[i].weight = 1;
		servers[i].max_connections = sim->options.server_connections;
		br_assert(!addr_parse(&servers[i].addr, "192.0.2.1:9000"));
		addr_set_port(&servers[i].addr, (uint16_t)(9000 + i));
	}
	sim->board = board_new(1);
	sim->pool = pool_new(&conf, sim->board);
	sim->upstream = upstream_new(sim->pool, 1);
	br_assert(sim->upstream);
}

static int on_connect(struct fake_conn *conn, const struct sockaddr *to,
    struct op_owner *owner, int64_t *ret_delay_ns);

static struct tls_context **only(struct tls_context *context)
{
	struct tls_context **contexts = malloc(sizeof(struct tls_context *));

	br_assert(contexts);
	contexts[0] = context;
	return contexts;
}

static void start_tls(struct sim *sim)
{
	const struct sim_tls *tls = &sim->options.tls;
	struct tls_context *context;

	if (tls->accept) {
		br_assert(
		    !tls_context_new_server(tls->accept, NULL, NULL, &context));
		listener_set_tls(sim->listener, only(context));
		br_assert(
		    !tls_context_new_client(tls->client, &sim->peer_client));
	}
	if (tls->connect) {
		br_assert(!tls_context_new_client(tls->connect, &context));
		br_assert(!upstream_set_tls(
		    sim->upstream, only(context), "origin.test"));
		br_assert(!tls_context_new_server(
		    tls->server, NULL, tls->keys, &sim->peer_server));
	}
}

static void start_listener(struct sim *sim)
{
	struct conf_listener conf = {.name = "web",
	    .idle_ms = sim->options.idle_ms,
	    .wait_ms = sim->options.wait_ms,
	    .first_bytes_ms = sim->options.first_bytes_ms,
	    .handshake_ms = sim->options.handshake_ms,
	    .half_closed_ms = sim->options.half_closed_ms,
	    .source_connections = sim->options.source_connections,
	    .source_rate = sim->options.source_rate};
	struct conf_route route = {.name = "1"};
	struct prefix from;

	if (sim->options.route_name) {
		route.sni.at = &sim->options.route_name;
		route.sni.n = 1;
		conf.routes = &route;
		conf.n_routes = 1;
	}
	if (sim->options.route_protocols) {
		route.protocols = sim->options.route_protocols;
		conf.routes = &route;
		conf.n_routes = 1;
	}
	if (sim->options.reads_proxy)
		conf.proxy_in = CONF_PROXY_IN_ACCEPT;
	if (sim->options.proxy_from) {
		br_assert(!prefix_parse(&from, sim->options.proxy_from));
		conf.proxy_from.at = &from;
		conf.proxy_from.n = 1;
	}
	sim->row = board_listener_get(sim->board, "web");
	sim->listener = listener_new(&conf, &sim->upstream, sim->row, 1);
	sim->listen_fd = fake_listener();
	sim->acceptor = acceptor_new(sim->listen_fd, false);
	br_assert(sim->listener && sim->listen_fd >= 0 && sim->acceptor);
	start_tls(sim);
	acceptor_start(sim->acceptor, sim->worker, sim->listener);
}

/* -- a profiler that is mostly wrong ------------------------------------- */

static uint32_t any_class(const int32_t *features)
{
	uint64_t hash = hash_bytes(features, N_FEATURES * sizeof *features, 1);

	return (uint32_t)(hash % N_FLOW_CLASSES) << 16 |
	       (uint32_t)(hash >> 32) % (BRAID_MODEL_SURE + 1);
}

/* Verdicts say how bytes are moved, never whether: any must do. */
static void start_profiler(struct sim *sim)
{
	static const char *classes[N_FLOW_CLASSES];
	static struct braid_model abi = {.magic = BRAID_MODEL_MAGIC,
	    .abi = BRAID_MODEL_ABI,
	    .n_features = N_FEATURES,
	    .n_classes = N_FLOW_CLASSES,
	    .name = "any",
	    .classes = classes,
	    .classify = any_class};
	static struct model model;
	static const struct profiling profiling = {
	    .model = &model, .acts = true, .record_share = 3};
	char why[128];

	for (unsigned i = 0; i < N_FLOW_CLASSES; i++)
		classes[i] = flow_class_name((enum flow_class)i);
	abi.features_hash = features_hash();
	br_assert(!model_bind(&model, &abi, why, sizeof why));
	sim->worker->profiling = &profiling;
}

void sim_start(struct sim *sim, const struct sim_options *options)
{
	memset(sim, 0, sizeof *sim);
	running = sim;
	fake.on_connect = on_connect;
	fake.context = sim;
	sim->options = *options;
	sim->shared.limits = (struct lb_limits){
	    .max_connections = options->connections,
	    .n_workers = 1,
	    .parked_bytes = options->parked_bytes,
	    .pipes = options->pipes,
	    .pipe_bytes = 65536,
	    .buffers = options->buffers,
	    .buffer_bytes = options->buffer_bytes,
	    .sharded_flows = options->shard_max ? options->connections : 0,
	    .shard_connections = 4 * options->connections,
	    .shard_kernel_bytes = UINT64_C(1) << 30,
	};
	sim->shared.sources =
	    source_table_new(options->connections, SOURCE_IPV6_BITS, 1);
	br_assert(sim->shared.sources);
	atomic_store(&sim->shared.log_access, true);
	sim->shared.metrics = aligned_alloc(64, sizeof *sim->shared.metrics);
	sim->worker = aligned_alloc(64, (sizeof *sim->worker + 63) & ~63ul);
	sim->log = flow_log_new(1024);
	br_assert(sim->shared.metrics && sim->worker && sim->log);
	memset(sim->shared.metrics, 0, sizeof *sim->shared.metrics);
	br_assert(!worker_init(sim->worker, 0, &sim->shared, sim->log));
	rng_seed(&sim->worker->rng, rng_u64(&fake.rng));
	if (sim->options.profiler)
		start_profiler(sim);
	start_pool(sim);
	start_listener(sim);
}

/* -- what must always hold --------------------------------------------- */

static uint32_t check_direction(const struct direction *d)
{
	/* No ring buffer waits behind a send that waits. */
	br_assert(!d->sink_full || d->n_held == 0);
	br_assert(!d->sending || !d->parked_send || d->n_held == 0);
	br_assert(
	    (d->pipe != NULL) ==
	    (d->mode == DIR_SPLICE || (d->mode == DIR_STOPPING && d->pipe)));
	/* One way to read at a time; who waits for a turn has none armed. */
	br_assert(d->mode != DIR_SPLICE || !d->reading);
	br_assert(!list_linked(&d->wait_link) ||
		  (!d->reading && !d->poll_in && !d->poll_out));
	if (d->fin_passed)
		br_assert(direction_drained(d) && d->eof);
	return d->n_held;
}

/* What flows without a server hold of limits.parked_total. */
static uint64_t charged_first(const struct worker *worker)
{
	uint64_t bytes = 0;

	LIST_FOREACH (node, &worker->flows) {
		const struct flow *flow =
		    br_container_of(node, struct flow, link);

		if (flow->side && flow->side->first)
			bytes += flow->side->first->charged;
	}
	return bytes;
}

static void check_turn(const struct sim *sim)
{
	const struct worker *worker = sim->worker;
	uint32_t flows = 0, held = 0;

	LIST_FOREACH (node, &worker->flows) {
		struct flow *flow = br_container_of(node, struct flow, link);

		flows++;
		br_assert(flow->op.in_flight == fake_in_flight(&flow->op) ||
			  flow->up.sending || flow->down.sending);
		if (flow->state == FLOW_CLOSING) {
			held += flow->up.n_held + flow->down.n_held;
		} else {
			held += check_direction(&flow->up);
			held += check_direction(&flow->down);
		}
		/* Freed in the turn in which it becomes quiet. */
		br_assert(flow->state != FLOW_CLOSING || flow->op.in_flight);
		/* Whoever waits has a timer. */
		br_assert(flow->state == FLOW_CLOSING ||
			  flow->state == FLOW_CONNECTING ||
			  (flow->state == FLOW_TLS_CONNECT && flow->error) ||
			  timer_armed(&flow->timer));
	}
	br_assert(flows == worker->flow_slab.used);
	br_assert(
	    flows + sim->elsewhere == shared_read(&sim->shared.connections));
	br_assert(sim->shared.promised == sim->acceptor->promised);
	br_assert(sim->row->promised == sim->acceptor->promised);
	br_assert((uint64_t)sim->shared.connections + sim->shared.promised <=
		  sim->shared.limits.max_connections);
	br_assert(worker->ring.buffers_free + held + fake.buffers_taken ==
		  worker->ring.n_buffers);
	br_assert(sim->shared.parked ==
		  (uint64_t)worker->chunk_slab.used * CHUNK_BYTES +
		      charged_first(worker));
	br_assert(sim->shared.parked <= sim->options.parked_bytes);
	for (uint32_t i = 0; i < sim->pool->n_servers; i++)
		br_assert(!sim->options.server_connections ||
			  board_slots_used(sim->pool->servers[i].row) <=
			      sim->options.server_connections);
}

static void take_records(struct sim *sim)
{
	while (sim->n_records < SIM_RECORDS_MAX &&
	       flow_log_take(sim->log, &sim->records[sim->n_records])) {
		const struct flow_record *r = &sim->records[sim->n_records++];

		br_assert(r->end_by && r->end_phase);
	}
}

void sim_turn(struct sim *sim, int64_t max_wait_ms)
{
	sim->turns++;
	worker_turn(sim->worker, max_wait_ms * NS_PER_MS);
	take_records(sim);
	check_turn(sim);
}

void sim_run_ms(struct sim *sim, int64_t ms)
{
	int64_t until_ns = fake.now_ns + ms * NS_PER_MS;

	/* A worker that spins without doing anything is found out. */
	for (uint32_t i = 0; fake.now_ns < until_ns && i < 100000; i++)
		sim_turn(
		    sim, (until_ns - fake.now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

bool sim_run_to_end(struct sim *sim, uint32_t most)
{
	for (uint32_t i = 0; i < most; i++) {
		sim_turn(sim, 1);
		sim_steps(sim);
		fake.now_ns += NS_PER_MS / 5;
		if (sim->n_peers && list_empty(&sim->worker->flows) &&
		    !sim->acceptor->n_held && i > 2) {
			sim_turn(sim, 0);
			if (list_empty(&sim->worker->flows))
				return true;
		}
	}
	return false;
}

const char *sim_end_of(struct sim *sim, uint32_t record)
{
	static char letters[3];

	for (int i = 0; i < 1000 && sim->n_records <= record; i++)
		sim_turn(sim, 1000);
	br_assert(sim->n_records > record);
	letters[0] = sim->records[record].end_by;
	letters[1] = sim->records[record].end_phase;
	return letters;
}

/* -- the end ----------------------------------------------------------- */

uint32_t sim_source_connections(const struct sim *sim)
{
	struct addr source;

	br_assert(!addr_parse_ip(&source, FAKE_CLIENT));
	return source_connections(
	    sim->shared.sources, sim->row->number, &source);
}

static void check_clean(struct sim *sim)
{
	const struct worker *worker = sim->worker;

	br_assert(list_empty(&worker->flows) && list_empty(&worker->closing));
	br_assert(list_empty(&worker->starved) && list_empty(&worker->shaking));
	br_assert(list_empty(&worker->bulk_waiting));
	br_assert(!worker->side_slab.used && !worker->first_slab.used);
	br_assert(!worker->http_slab.used);
	br_assert(!worker->profile_slab.used && !worker->recorded_slab.used);
	br_assert(!worker->kept_slab.used);
	br_assert(list_empty(&worker->waiting) && list_empty(&worker->paused));
	br_assert(!worker->flow_slab.used && !worker->chunk_slab.used);
	br_assert(!sim->shared.connections && !sim->shared.parked);
	br_assert(!sim->row->connections && !sim->row->promised);
	br_assert(!sim->shared.promised && list_empty(&worker->eager));
	br_assert(worker->pipes.made == worker->pipes.n_idle);
	br_assert(worker->ring.buffers_free == worker->ring.n_buffers);
	br_assert(!counter_read(&worker->metrics->flows_open));
	br_assert(!counter_read(&worker->metrics->flows_splicing));
	br_assert(!counter_read(&worker->metrics->parked_bytes));
	br_assert(!sim->upstream->queued && !upstream_pinned(sim->upstream));
	br_assert(!listener_pinned(sim->listener));
	br_assert(!sim_source_connections(sim));
	for (uint32_t i = 0; i < sim->pool->n_servers; i++)
		br_assert(!board_slots_used(sim->pool->servers[i].row));
}

void sim_stop(struct sim *sim)
{
	fake.fail_op = fake.fail_call = 0;
	fake_forget_events();
	fake_give_buffers(&sim->worker->ring);
	acceptor_stop(sim->acceptor);
	for (int i = 0; i < 100 && !acceptor_done(sim->acceptor); i++)
		sim_turn(sim, 1000);
	br_assert(acceptor_done(sim->acceptor));
	for (int i = 0; i < 3; i++)
		sim_turn(sim, 0);
	check_clean(sim);
	for (uint32_t i = 0; i < sim->n_peers; i++) {
		sim_read(&sim->peers[i]);
		sim_check_peer(&sim->peers[i]);
	}
	for (uint32_t i = 0; i < sim->n_peers; i++)
		sim_tls_end_free(sim->peers[i].tls);
	tls_context_free(sim->peer_client);
	tls_context_free(sim->peer_server);
	acceptor_free(sim->acceptor);
	worker_fini(sim->worker);
	listener_free(sim->listener);
	board_listener_unref(sim->board, sim->row);
	upstream_free(sim->upstream);
	pool_free(sim->pool, sim->board);
	board_free(sim->board);
	record_queue_free(sim->log);
	free(sim->worker);
	source_table_free(sim->shared.sources);
	free(sim->shared.metrics);
	running = NULL;
}

/* -- servers ----------------------------------------------------------- */

static struct sim_peer *peer_of_conn(struct sim *sim, int fd)
{
	struct fake_conn *conn = fake_conn_of(fd);

	for (uint32_t i = 0; i < sim->n_peers; i++)
		if (sim->peers[i].conn == conn)
			return &sim->peers[i];
	return NULL;
}

static void pair(
    struct sim *sim, struct fake_conn *conn, struct flow *flow, uint32_t place)
{
	struct sim_peer *client = peer_of_conn(sim, flow->client_fd);
	struct sim_peer *server = &sim->peers[sim->n_peers++];

	br_assert(sim->n_peers <= SIM_PEERS_MAX && client);
	*server = (struct sim_peer){.conn = conn,
	    .other = client,
	    .server = place,
	    .id = client->id,
	    .reset_at = UINT64_MAX,
	    .write_max = UINT32_MAX,
	    .read_max = UINT32_MAX};
	client->other = server;
	if (sim->peer_server)
		server->tls = sim_tls_end_server(sim->peer_server);
	if (sim->on_server)
		sim->on_server(sim, server);
}

static int on_connect(struct fake_conn *conn, const struct sockaddr *to,
    struct op_owner *owner, int64_t *ret_delay_ns)
{
	struct sim *sim = running;
	const struct sockaddr_in *in = (const struct sockaddr_in *)to;
	uint32_t server = ntohs(in->sin_port) - 9000u;

	br_assert(owner->magic == FLOW_MAGIC && server < SIM_SERVERS_MAX);
	*ret_delay_ns = sim->connect_delay_ns;
	if (sim->behaviour[server] == SIM_REFUSES)
		return -ECONNREFUSED;
	if (sim->behaviour[server] == SIM_HANGS) {
		*ret_delay_ns = INT64_MAX;
		return 0;
	}
	pair(sim, conn, br_container_of(owner, struct flow, op), server);
	return 0;
}

struct flow *sim_flow(struct sim *sim)
{
	struct list_node *first = list_first(&sim->worker->flows);

	return first ? br_container_of(first, struct flow, link) : NULL;
}

static bool is_established(const struct sim *sim, const struct sim_peer *client)
{
	LIST_FOREACH (node, &sim->worker->flows) {
		struct flow *flow = br_container_of(node, struct flow, link);

		if (flow->client_fd == client->conn->fd)
			return flow->state == FLOW_ESTABLISHED;
	}
	return false;
}

struct sim_peer *sim_connected(struct sim *sim, struct sim_peer *client)
{
	for (int i = 0; i < 100; i++) {
		sim_turn(sim, 10);
		if (client->other && is_established(sim, client))
			return client->other;
	}
	br_assert(false); /* not connected */
	return NULL;
}
