/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One io_uring per thread, with its buffer ring: the only door to the kernel
 * for operations that may wait.
 *
 *      prepare ... prepare ──ring_turn()──> submit + wait (one syscall)
 *                                              │
 *                owner->class->on_complete <───┘ for every completion
 *
 * Inline sends. A send from ring_send_now() is issued with MSG_DONTWAIT and
 * MSG_WAITALL: the kernel finishes it during submission, never later. It asks
 * for a completion only on failure (IOSQE_CQE_SKIP_SUCCESS), and ring_turn()
 * gives the owner the success itself, after the failures are in. So a
 * successful send neither costs a completion entry nor ends the wait, and a
 * socket that is full says so at once: the result is then the number of
 * bytes sent (possibly 0), less than asked. At most one send per socket
 * direction may be outstanding (two could reorder).
 *
 * Thread:  the one that called ring_init() (SINGLE_ISSUER).
 * Memory:  the caller's buffers must stay until the completion.
 * Errors:  preparing never fails: a full submission queue is submitted first.
 *          ring_init() returns -errno; see ring_explain().
 * Limits:  RING_ENTRIES submissions a turn before an early submit; the
 *          completion queue is RING_CQ_ENTRIES.
 * Source:  io_uring_setup(2), io_uring_enter(2); the rules and what was
 *          measured are in docs/performance.md.
 */
#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/metric.h"
#include "io/op.h"

#define RING_ENTRIES 1024
#define RING_CQ_ENTRIES 16384
/* After ring_shrink(). */
#define RING_SMALL_ENTRIES 256
#define RING_SMALL_CQ_ENTRIES 2048
#define RING_SMALL_BUFFERS 256u

#define RING_METRIC_LIST(X)                                                    \
	X(turns, "Loop turns (one io_uring_enter each)")                       \
	X(completions, "Completions handled")                                  \
	X(submissions, "Operations submitted")                                 \
	X(early_submits, "Extra submits because the queue was full")           \
	X(cq_overflows, "Turns that found the completion queue overflowed")    \
	X(buffers_empty, "Receives that found no ring buffer")

struct ring_metrics {
#define X(name, help) struct counter name;
	RING_METRIC_LIST(X)
#undef X
};

struct ring_options {
	uint32_t buffers; /* power of two; 0: no buffer ring */
	uint32_t buffer_bytes; /* of one buffer */
	uint32_t cq_entries; /* 0: RING_CQ_ENTRIES */
};

/* An inline send under way. */
struct ring_sent {
	uint64_t user_data; /* 0: it failed and was reported */
	uint32_t length;
	uint32_t sequence; /* submission queue tail behind it */
};

struct ring {
	struct io_uring uring;
	struct io_uring_buf_ring *buf_ring;
	char *buffers;
	uint32_t n_buffers, buffer_bytes, buffers_free, buffers_returned;
	uint16_t group; /* of buffers */
	struct ring_metrics *metrics;
	/* Inline sends whose success is not reported yet, in order. */
	struct ring_sent *sent;
	uint32_t n_sent, max_sent;
	struct mono now; /* when the last wait ended; earlier was all heard */
	bool silent_sends; /* the kernel passed the test at start */
	uint32_t off; /* enum ring_off */
	bool hurry;
};

int ring_init(struct ring *ring, const struct ring_options *options,
    struct ring_metrics *metrics) BR_MUST_CHECK;
void ring_fini(struct ring *ring);
/* Between turns: gives back what only a load needs, entries and buffers, which
 * count against the memory that a user may lock (Linux 6.14 on) or are large.
 * -EAGAIN: not just now, try again after the next turn; any other error: this
 * kernel cannot. The ring works on in each case; receives may end with
 * -ENOBUFS. */
int ring_shrink(struct ring *ring) BR_MUST_CHECK;
/* For base/race.h: workers end and shrink their rings at the same time, and
 * what one unmaps another may get. The kernel orders that, but
 * ThreadSanitizer does not see liburing's calls. */
extern char ring_mappings;
/* ring_shrink.c's: n_buffers of ring->buffers become those of ring->group. */
int ring_provide_buffers(struct ring *ring) BR_MUST_CHECK;
/* What an operator can do about a failed ring_init(): one or two sentences. */
const char *ring_explain(int error);

/* Submits what was prepared, waits for at least one completion but not beyond
 * wait_ns (0: do not wait), and hands all completions to their owners; also of
 * what came while the process was stopped, so that timers which run by `now`
 * never give up somebody who has answered long ago. */
void ring_turn(struct ring *ring, int64_t wait_ns);

/* Submits what was prepared, without waiting and without completions: what is
 * next may take a while. */
void ring_submit(struct ring *ring);

/* Something waits behind an inline send: the next turn must not sleep, since
 * a successful send does not end a wait. */
static inline void ring_hurry(struct ring *ring)
{
	ring->hurry = true;
}

/* -- receive -- into a ring buffer: result.buffer, data by ring_buffer() */
void ring_recv(struct ring *ring, struct op_owner *owner, unsigned tag, int fd,
    bool poll_first);
void ring_recv_many(
    struct ring *ring, struct op_owner *owner, unsigned tag, int fd);
/* Into the caller's memory (control sockets, probes). */
void ring_recv_into(struct ring *ring, struct op_owner *owner, unsigned tag,
    int fd, void *buffer, uint32_t room);
void ring_read(struct ring *ring, struct op_owner *owner, unsigned tag, int fd,
    void *buffer, uint32_t room);

static inline char *ring_buffer(const struct ring *ring, uint16_t buffer)
{
	return ring->buffers + (size_t)buffer * ring->buffer_bytes;
}
/* Gives a buffer back to the kernel's ring (published at the next turn). */
void ring_buffer_return(struct ring *ring, uint16_t buffer);

/* -- send -- */
void ring_send_now(struct ring *ring, struct op_owner *owner, unsigned tag,
    int fd, const void *bytes, uint32_t length);
/* Waits for room: completes when all is sent, or with an error, or with the
 * bytes sent so far when cancelled. */
void ring_send_wait(struct ring *ring, struct op_owner *owner, unsigned tag,
    int fd, const void *bytes, uint32_t length);
/* Likewise, but completes when some is sent: sockets that encrypt refuse to
 * wait for all (MSG_WAITALL). */
void ring_send_some(struct ring *ring, struct op_owner *owner, unsigned tag,
    int fd, const void *bytes, uint32_t length);

/* -- connections -- */
void ring_accept_many(
    struct ring *ring, struct op_owner *owner, unsigned tag, int fd);
/* `to` must stay valid until the next ring_turn(). */
void ring_connect(struct ring *ring, struct op_owner *owner, unsigned tag,
    int fd, const struct sockaddr *to, socklen_t length);
/* One-shot readiness; events as poll(2), result the events that are there. */
void ring_poll(struct ring *ring, struct op_owner *owner, unsigned tag, int fd,
    uint32_t events);
/* Stays armed: reports what is there now, then at each change (not again and
 * again what stays). POLLERR, POLLHUP and POLLRDHUP come unasked with either. */
void ring_poll_many(struct ring *ring, struct op_owner *owner, unsigned tag,
    int fd, uint32_t events);
/* Cancels all operations on fd; no completion of its own. The cancelled
 * operations complete with -ECANCELED or with whatever came first. */
void ring_cancel_fd(struct ring *ring, int fd);
/* Cancels the one operation of (owner, tag), likewise. */
void ring_cancel(struct ring *ring, struct op_owner *owner, unsigned tag);
/* Closes without a completion. Nothing may be in flight on fd. */
void ring_close(struct ring *ring, int fd);
