/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What range shards count, a row each: field, exposition and help.
 *
 * Thread:  the worker writes, any may read.
 */
#include "base/metric.h"

#define SHARD_METRIC_LIST(X)                                                   \
	X(flows, "Answers that were given to the engine of range shards")      \
	X(flows_failed,                                                        \
	    "Of them, those that no server could go on with: the client got "  \
	    "a reset")                                                         \
	X(continued,                                                           \
	    "Of them, those that had one server until it failed, and went on " \
	    "from another")                                                    \
	X(injections,                                                          \
	    "Requests asked as a range, since their answer was large before")  \
	X(injections_vain,                                                     \
	    "Of them, those asked again as the client did: the answer was "    \
	    "of no use")                                                       \
	X(lanes, "Connections to servers that brought pieces")                 \
	X(pieces, "Ranges that servers were asked for, and first answers")     \
	X(stalls, "Times that a client waited for bytes which a server owed")  \
	X(bytes_moved, "Bytes of pieces that went to clients")

/* Why a part of a download went to another lane. */
#define SHARD_CAUSE_LIST(X)                                                    \
	X(dead, "the connection was refused, reset or ended early")            \
	X(silent, "nothing came for too long")                                 \
	X(slow, "the others would have waited for it")                         \
	X(drained, "the server was drained or went down")                      \
	X(entity, "the answer was of another representation")                  \
	X(refused, "the server answered with an error")

enum shard_cause {
#define X(name, text) SHARD_CAUSE_##name,
	SHARD_CAUSE_LIST(X)
#undef X
	    SHARD_N_CAUSES
};

/* Which limit was reached (lb/shard_room.h counts them). */
#define SHARD_LIMIT_LIST(X)                                                    \
	X(flows, "limits.sharded_flows: the answer came from one server")      \
	X(connections, "limits.shard_connections: it got fewer shards")        \
	X(kernel_bytes, "limits.shard_kernel_bytes: likewise")

enum shard_limit {
#define X(name, text) SHARD_LIMIT_##name,
	SHARD_LIMIT_LIST(X)
#undef X
	    SHARD_N_LIMITS
};

struct shard_metrics {
#define X(name, help) struct counter name;
	SHARD_METRIC_LIST(X)
#undef X
	struct counter migrations[SHARD_N_CAUSES];
	struct counter refused[SHARD_N_LIMITS];
	/* Gauges of lb/shard_room.h. */
	struct counter open_flows, open_connections, kernel_bytes;
};

const char *shard_cause_name(unsigned cause);
const char *shard_cause_text(unsigned cause);
const char *shard_limit_name(unsigned limit);
const char *shard_limit_text(unsigned limit);
