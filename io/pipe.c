/* SPDX-License-Identifier: Apache-2.0 */
#include "io/pipe.h"

#include "base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Below this a pipe moves less per call than a plain receive would. */
#define PIPE_BYTES_MIN (64u << 10)

static struct pipe *pipe_of(struct list_node *node)
{
	return br_container_of(node, struct pipe, link);
}

int pipe_pool_init(struct pipe_pool *pool, uint32_t limit, uint32_t want_bytes)
{
	memset(pool, 0, sizeof *pool);
	list_init(&pool->idle);
	list_init(&pool->unused);
	pool->want_bytes = want_bytes;
	pool->limit = limit;
	pool->pipes = calloc(limit ? limit : 1, sizeof *pool->pipes);
	if (!pool->pipes)
		return -ENOMEM;
	for (uint32_t i = 0; i < limit; i++)
		list_push_back(&pool->unused, &pool->pipes[i].link);
	return 0;
}

static void pipe_shut(struct pipe_pool *pool, struct pipe *pipe)
{
	close(pipe->read_fd);
	close(pipe->write_fd);
	pool->made--;
	list_push_front(&pool->unused, &pipe->link);
}

void pipe_pool_fini(struct pipe_pool *pool)
{
	struct list_node *node;

	while ((node = list_pop_front(&pool->idle)) != NULL)
		pipe_shut(pool, pipe_of(node));
	br_assert(pool->made == 0);
	free(pool->pipes);
	memset(pool, 0, sizeof *pool);
}

/* Grants as much as the kernel allows this user: half as much at a time. */
static int pipe_size(const struct pipe_pool *pool, int fd)
{
	for (uint32_t want = pool->want_bytes; want >= PIPE_BYTES_MIN;
	     want /= 2) {
		int got = fcntl(fd, F_SETPIPE_SZ, (int)want);

		if (got > 0)
			return got;
	}
	return fcntl(fd, F_GETPIPE_SZ);
}

static int pipe_open(struct pipe_pool *pool, struct pipe *pipe)
{
	int fds[2], got;

	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC))
		return -errno;
	got = pipe_size(pool, fds[1]);
	if (got < (int)PIPE_BYTES_MIN) {
		close(fds[0]);
		close(fds[1]);
		return -EAGAIN;
	}
	pipe->read_fd = fds[0];
	pipe->write_fd = fds[1];
	pipe->capacity_bytes = (uint32_t)got;
	pipe->bytes = 0;
	pool->made++;
	return 0;
}

int pipe_borrow(struct pipe_pool *pool, struct pipe **ret)
{
	struct list_node *node = list_pop_front(&pool->idle);

	if (node) {
		pool->n_idle--;
		*ret = pipe_of(node);
		return 0;
	}
	node = list_pop_front(&pool->unused);
	if (!node)
		return -EAGAIN;
	if (pipe_open(pool, pipe_of(node))) {
		list_push_front(&pool->unused, node);
		return -EAGAIN;
	}
	*ret = pipe_of(node);
	return 0;
}

void pipe_return(struct pipe_pool *pool, struct pipe *pipe)
{
	if (pipe->bytes) {
		pipe_shut(pool, pipe);
		return;
	}
	/* The one used last is the one whose pages are still warm. */
	list_push_front(&pool->idle, &pipe->link);
	pool->n_idle++;
}

int64_t pipe_fill(struct pipe *pipe, int from_fd, uint32_t most)
{
	ssize_t n = splice(from_fd, NULL, pipe->write_fd, NULL, most,
	    SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

	if (n < 0)
		return -errno;
	pipe->bytes += (uint32_t)n;
	return n;
}

int64_t pipe_drain(struct pipe *pipe, int to_fd)
{
	ssize_t n;

	br_assert(pipe->bytes > 0);
	n = splice(pipe->read_fd, NULL, to_fd, NULL, pipe->bytes,
	    SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	if (n < 0)
		return -errno;
	br_assert((uint32_t)n <= pipe->bytes);
	pipe->bytes -= (uint32_t)n;
	return n;
}
