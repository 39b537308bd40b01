/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Pipes for splice(2), pooled: made on demand, borrowed while non-empty,
 * given back empty, closed after a failed transfer.
 *
 *      socket ──splice──> pipe ──splice──> socket     no copy in user space
 *
 * A pipe has slots, not bytes: 1 MiB is 256 slots, and small segments fill
 * it early. EAGAIN on the way in means "no data" only while `bytes` is 0.
 *
 * Unprivileged users get 16384 pages of pipe in all (pipe-user-pages-soft):
 * beyond it a pipe is 1 page, so the pool makes its pipes smaller before it
 * makes fewer, and says -EAGAIN when there are none: then the flow relays.
 *
 * Thread:  the worker that owns the pool.
 * Memory:  struct pipe belongs to the pool.
 * Limits:  pool->limit pipes.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"

struct pipe {
	struct list_node link;
	int read_fd, write_fd;
	uint32_t capacity_bytes;
	uint32_t bytes; /* in the pipe now */
};

struct pipe_pool {
	struct list idle;
	uint32_t limit, made, n_idle;
	uint32_t want_bytes;
	struct pipe *pipes;
	struct list unused; /* struct pipe without descriptors */
};

int pipe_pool_init(
    struct pipe_pool *pool, uint32_t limit, uint32_t want_bytes) BR_MUST_CHECK;
void pipe_pool_fini(struct pipe_pool *pool);
/* -EAGAIN when none can be had; never blocks. */
int pipe_borrow(struct pipe_pool *pool, struct pipe **ret) BR_MUST_CHECK;
/* An empty pipe goes back; one with bytes in it is closed. */
void pipe_return(struct pipe_pool *pool, struct pipe *pipe);

/* Bytes moved (> 0), 0 at end of stream (fill only), -EAGAIN, -errno. Both
 * keep pipe->bytes. */
int64_t pipe_fill(struct pipe *pipe, int from_fd, uint32_t most);
int64_t pipe_drain(struct pipe *pipe, int to_fd);
