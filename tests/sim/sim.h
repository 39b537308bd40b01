/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One worker with one listener and one pool over the fake kernel, peers at
 * both ends that know which bytes they must see, and what must hold after
 * every turn and at the end.
 *
 *      client peers ─> listener ─> flows of one worker ─> server peers
 *         pattern(id, up) ──────────────────────────────────> checked
 *         checked <────────────────────────────── pattern(id, down)
 *
 * A peer that is told a clean end checks that it has got all the other has
 * sent, and that the other did end cleanly: a short answer must never look
 * complete.
 *
 * Thread:  the test's only one.
 * Memory:  everything lives from sim_start() to sim_stop().
 */
#include "base/source_table.h"
#include "fleet/pool.h"
#include "io/tls_context.h"
#include "lb/flow.h"
#include "lb/flow_log.h"
#include "lb/listener.h"
#include "lb/upstream.h"
#include "lb/worker.h"
#include "tests/sim/fake_io.h"

#define SIM_SERVERS_MAX 4
#define SIM_PEERS_MAX 2048
#define SIM_RECORDS_MAX 1024

enum sim_behaviour { SIM_ACCEPTS, SIM_REFUSES, SIM_HANGS };

/* Bytes in front of a peer's pattern, such as a header. */
struct sim_prefix {
	const void *at;
	uint32_t length;
};

struct sim_peer {
	struct fake_conn *conn;
	struct sim_tls_end *tls; /* NULL: speaks without */
	struct sim_peer *other; /* NULL: not (yet) connected */
	bool client;
	uint32_t server; /* its place in the pool, if it is one */
	/* Part of what is sent and received, to_send included. */
	struct sim_prefix says, hears;
	bool deaf; /* drops what it reads, whatever it is */
	bool cuts; /* ends without close_notify */
	uint32_t id; /* of the pair's bytes: the client's */
	uint64_t to_send, sent, received;
	uint64_t reset_at; /* bytes sent before it resets; UINT64_MAX never */
	uint32_t write_max, read_max; /* a step; 0: does not */
	bool keeps_open; /* sends no end after its last byte */
	bool waits_for_end; /* ends only after the other has */
	bool fin_sent, reset_sent, got_fin, got_reset;
};

/* Who speaks TLS with whom: the client's end needs `client` and `accept`, the
 * server's `connect` and `server`. */
struct sim_tls {
	const struct tls_client *client; /* the peers' */
	const struct tls_server *accept; /* Braid's */
	const struct tls_client *connect; /* Braid's */
	const struct tls_server *server; /* the peers' */
	const struct tls_ticket_keys *keys; /* theirs; NULL: no tickets */
};

struct sim_options {
	struct sim_tls tls;
	/* A route asks for this name: the first and only one. */
	const char *route_name;
	/* ... or for these protocols, when not 0. */
	protocol_set route_protocols;
	enum conf_shard_range shard_range; /* other than off: http mode */
	uint64_t shard_piece, shard_min_size;
	uint32_t shard_max;
	bool profiler; /* with verdicts that are mostly wrong */
	bool reads_proxy;
	const char *proxy_from; /* a prefix; NULL: any */
	enum conf_proxy proxy_out;
	enum conf_splice splice;
	uint64_t wait_ms, first_bytes_ms, handshake_ms;
	uint32_t n_servers;
	uint32_t server_connections; /* limit of each; 0 none */
	uint32_t retries, queue_length;
	uint64_t connect_ms, queue_ms, idle_ms, half_closed_ms;
	uint32_t buffers, buffer_bytes;
	uint64_t parked_bytes;
	uint32_t pipes;
	uint32_t connections; /* in all */
	/* of per_source: all clients have one address; 0: no limit */
	uint32_t source_connections, source_rate;
};

struct sim {
	struct sim_options options;
	struct board *board;
	struct pool *pool;
	struct upstream *upstream;
	struct board_listener *row;
	struct listener *listener;
	struct acceptor *acceptor;
	struct lb_shared shared;
	struct worker *worker;
	struct record_queue *log;
	struct tls_context *peer_client, *peer_server;
	int listen_fd;
	uint32_t elsewhere; /* connections of workers that are not here */
	enum sim_behaviour behaviour[SIM_SERVERS_MAX];
	int64_t connect_delay_ns;
	/* Sets up a server's peer when a flow connects to it. */
	void (*on_server)(struct sim *sim, struct sim_peer *server);
	struct sim_peer peers[SIM_PEERS_MAX];
	uint32_t n_peers, next_id;
	struct flow_record records[SIM_RECORDS_MAX];
	uint32_t n_records;
	uint64_t turns;
};

struct sim_options sim_defaults(void);
/* fake_init() comes first. */
void sim_start(struct sim *sim, const struct sim_options *options);
/* Everything has ended: stops listening, checks that nothing is left. */
void sim_stop(struct sim *sim);

/* One turn of the worker, at most max_wait_ms of virtual time, then all that
 * must hold. */
void sim_turn(struct sim *sim, int64_t max_wait_ms);
void sim_run_ms(struct sim *sim, int64_t ms);
/* Turns and steps of all peers until no flow is left; false after `most`
 * turns. */
bool sim_run_to_end(struct sim *sim, uint32_t most);
/* What per_source counts of the clients' address. */
uint32_t sim_source_connections(const struct sim *sim);
/* Turns until the flow's record is there; its two letters. */
const char *sim_end_of(struct sim *sim, uint32_t record);

struct sim_peer *sim_client(struct sim *sim, uint64_t to_send);
/* The only flow, NULL when there is none. */
struct flow *sim_flow(struct sim *sim);
/* Writes, reads and checks, ends or resets: as far as it can now. */
void sim_step(struct sim_peer *peer);
void sim_steps(struct sim *sim);
/* Exactly n more bytes, which must fit. */
void sim_write(struct sim_peer *peer, uint32_t n);
/* All that is there now. */
void sim_read(struct sim_peer *peer);
void sim_fin(struct sim_peer *peer);
void sim_reset(struct sim_peer *peer);
/* Read all, then: what its end says is true. */
void sim_check_peer(const struct sim_peer *peer);
/* Turns until both ends are connected; the server's peer. */
struct sim_peer *sim_connected(struct sim *sim, struct sim_peer *client);
