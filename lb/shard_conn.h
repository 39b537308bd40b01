/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One connection of a sharded download to a server: opened, asked for a piece,
 * its answer's head read and judged; the body stays in its receive buffer until
 * shard_move.c takes it.
 *
 *      connecting ──> idle ──ask──> asking ──> asked ──head──> body ──┐
 *                      ^ └──────────────────────────────────────────<─┘
 *                      └ watched for its end, whenever it is there
 *
 * A head is looked at where it lies and then taken exactly, so that what
 * follows can be spliced. The end of a connection behind a whole piece is no
 * failure: it is told by count.
 *
 * Thread:  the flow's worker.
 * Memory:  a slab of the worker. Who is given up (shard_conn_drop) belongs to
 *          nobody and is freed with its last operation; it pins its upstream.
 * Errors:  what fails is told to the engine (shard_lane_failed), which may end
 *          the flow.
 * Limits:  SHARD_HEAD_MAX bytes for an answer's head.
 */
#include "base/list.h"
#include "io/op.h"
#include "lb/shard_view.h"

struct shard_flow;
struct upstream;
struct worker;

#define SHARD_CONN_MAGIC 0xb1a1dc00
#define SHARD_HEAD_MAX 16384u
#define SHARD_LANE_NOT UINT8_MAX

struct shard_conn {
	struct op_owner op;
	struct list_node link; /* shard_flow.conns */
	struct worker *worker;
	struct upstream *upstream; /* pinned */
	struct server *server; /* its slot is held */
	struct shard_flow *shard; /* NULL: given up */
	int fd;
	uint8_t step; /* enum shard_step */
	uint8_t lane; /* of the plan; SHARD_LANE_NOT: has none yet */
	bool own : 1; /* in the place that the flow has for its server */
	bool reading : 1, watching : 1, writing : 1; /* polls in flight */
	bool look_later : 1; /* a part of a head is there */
	bool ended : 1; /* the server says no more than what is here */
	bool server_closes : 1; /* behind this answer */
	bool drained : 1; /* its server is to get nothing new */
	bool held : 1; /* its completion is being handled: not to be freed */
	bool offered : 1; /* bytes were there before they are asked for again */
	uint32_t requests; /* asked so far */
	uint32_t request_sent; /* bytes of the last one */
	uint64_t asked_from, asked_to;
	uint64_t body_left; /* of the answer, not yet taken */
	uint64_t kernel_bytes; /* counted for it */
	int64_t connect_by_ns, opened_ns;
	/* What the engine has seen of its piece (shard_watch.c). */
	uint64_t seen; /* offset up to which something had arrived */
	int64_t seen_ns, gap_ns;
	uint64_t window_seen;
	int64_t window_ns; /* of the pace at its turn; 0: none */
} __attribute__((aligned(64)));

/* Home's connection, from the flow. NULL: no memory. */
struct shard_conn *shard_conn_adopt(struct shard_flow *shard);
/* Connects to a server whose slot has been taken, and takes that over, also
 * when it fails: 0 or -errno. */
int shard_conn_open(struct shard_flow *shard, struct server *server);
/* It has a lane and is idle: asks for its piece. */
void shard_conn_ask(struct shard_conn *conn, struct shard_range piece);
/* Something to read is to be told. */
void shard_conn_wait(struct shard_conn *conn);
/* Bytes of its piece that wait in the receive buffer. */
uint64_t shard_conn_waiting(const struct shard_conn *conn);
/* A part of a head was there a while ago. */
void shard_conn_look(struct shard_conn *conn);
/* Closes it as soon as nothing is in flight. */
void shard_conn_drop(struct shard_conn *conn);
/* Gives the descriptor and the slot to the flow; it must be idle. False:
 * something is still in flight and was cancelled; again when it has completed. */
bool shard_conn_give_back(struct shard_conn *conn);
