/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What this process may use: connections, pipes and buffers, worked out from
 * the descriptor limit, the pipe limit and the configuration. Pure but for
 * limits_gather().
 *
 *      RLIMIT_NOFILE = 256 for ourselves + listening sockets beyond 128
 *                    + 2 a pipe + 2 a connection
 *                    + 1 a shard, where pools shard at boot
 *
 * Pipes give way first: they make bulk transfers cheaper, but without a
 * connection's two descriptors nothing works at all.
 *
 * Thread:  main, at boot.
 * Errors:  -EMFILE: not even LIMITS_CONNECTIONS_MIN connections fit.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "lb/worker.h"

#define LIMITS_RESERVED_FDS 256u
#define LIMITS_SOCKETS_FREE 128u /* listening sockets within the reserve */
#define LIMITS_CONNECTIONS_MIN 16u
/* What `auto` stops at: descriptor limits of 2^30 are common in containers,
 * and each worker reserves address space for the limit. */
#define LIMITS_CONNECTIONS_AUTO_MAX 1000000u
#define LIMITS_PIPE_BYTES (1u << 20)
#define LIMITS_PIPE_BYTES_MIN (64u << 10)
#define LIMITS_PIPES_MAX 64u /* a worker */
#define LIMITS_PIPES_FULL 16u /* so many before they become smaller */
/* Connections for shards: this part of the descriptors, at most so many. */
#define LIMITS_SHARDS_PART 8u
#define LIMITS_SHARDS_MAX 16384u
#define LIMITS_BUFFERS 1024u /* a worker */
#define LIMITS_BUFFER_BYTES 16384u

struct limits_input {
	uint64_t descriptors; /* RLIMIT_NOFILE, soft, after raising it */
	uint32_t n_workers;
	uint32_t sockets; /* listening, over all workers */
	uint32_t max_connections; /* configured; 0: auto */
	uint64_t parked_bytes;
	/* Bytes that one user's pipes may hold in all; UINT64_MAX: any. */
	uint64_t pipe_user_bytes;
	bool shards; /* a pool shards: descriptors are kept for it */
	uint32_t sharded_flows; /* configured */
	uint32_t shard_connections; /* configured; 0: auto */
	uint32_t shard_kernel_percent;
	uint64_t tcp_pressure_bytes;
};

/* Configured, but too large. */
struct limits_clamped {
	bool connections, shard_connections;
};

int limits_compute(const struct limits_input *in, struct lb_limits *ret,
    struct limits_clamped *ret_clamped) BR_MUST_CHECK;
/* The least RLIMIT_NOFILE for which limits_compute() succeeds. */
uint64_t limits_descriptors_min(const struct limits_input *in);

/* Raises the soft limit of descriptors to the hard one; returns it. */
uint64_t limits_raise_descriptors(void);
/* From pipe-user-pages-soft; `privileged` users are not limited. */
uint64_t limits_pipe_user_bytes(bool privileged);
/* Of tcp_mem: what TCP may use before the kernel moderates all of it. */
uint64_t limits_tcp_pressure_bytes(void);
/* What a receive buffer may be asked for; UINT64_MAX: not known here. */
uint64_t limits_receive_bytes(void);
/* Online CPUs that this process may run on, at most CONF_WORKERS_MAX. */
uint32_t limits_cpus(void);
