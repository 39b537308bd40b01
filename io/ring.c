/* SPDX-License-Identifier: Apache-2.0 */
#include "io/ring.h"

#include "base/assert.h"
#include "base/race.h"
#include "io/ring_off.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Room for the inline sends of several early submits within one turn; beyond
 * it a send asks for an ordinary completion. */
#define SENT_MAX 8192
/* A wait that ends so much too late says that the thread was held up; often,
 * that others have the processor. */
#define HELD_UP_NS (50 * NS_PER_MS)
#define CATCH_UPS_MAX 4u

/* liburing's private flag for a registered ring descriptor. */
#define INT_FLAG_REG_RING 1

/* -- setting up -------------------------------------------------------- */

const char *ring_explain(int error)
{
	switch (error) {
	case -ENOSYS:
		return "this kernel has no io_uring, or a seccomp profile "
		       "hides it; Braid needs Linux 6.1 or newer and the "
		       "io_uring_* system calls allowed";
	case -EPERM:
	case -EACCES:
		return "io_uring is not permitted: see sysctl "
		       "kernel.io_uring_disabled (0 allows it, 1 needs "
		       "kernel.io_uring_group, 2 forbids it) and the seccomp "
		       "profile of the container or unit";
	case -ENOMEM:
		return "not enough locked memory for the rings: raise "
		       "RLIMIT_MEMLOCK (LimitMEMLOCK= in systemd, "
		       "ulimit -l) to 64 MiB or unlimited";
	case -EINVAL:
		return "this kernel's io_uring lacks what Braid needs "
		       "(SINGLE_ISSUER, DEFER_TASKRUN): Linux 6.1 or newer";
	case -EMFILE:
	case -ENFILE:
		return "no file descriptor left for a ring: raise "
		       "RLIMIT_NOFILE (ulimit -n)";
	default:
		return "io_uring could not be set up";
	}
}

static int ring_map_buffers(struct ring *ring)
{
	size_t bytes = (size_t)ring->n_buffers * ring->buffer_bytes;
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return -errno;
	ring->buffers = at;
	/* Buffers come up in turn, so all of them stay in use: large pages
	 * spare the TLB. Only a wish. */
	if (!(ring->off & RING_OFF_LARGE_PAGES))
		(void)madvise(at, bytes, MADV_HUGEPAGE);
	/* Pre-faulted: a page fault in the data path costs more than the
	 * whole receive. */
	memset(at, 0, bytes);
	return 0;
}

int ring_provide_buffers(struct ring *ring)
{
	size_t bytes = ring->n_buffers * sizeof(struct io_uring_buf);
	struct io_uring_buf_reg reg = {
	    .ring_entries = ring->n_buffers, .bgid = ring->group};
	void *table = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	int err;

	if (table == MAP_FAILED)
		return -errno;
	reg.ring_addr = (uint64_t)(uintptr_t)table;
	err = io_uring_register_buf_ring(&ring->uring, &reg, 0);
	if (err) {
		munmap(table, bytes);
		return err;
	}
	ring->buf_ring = table;
	io_uring_buf_ring_init(ring->buf_ring);
	for (uint32_t i = 0; i < ring->n_buffers; i++)
		io_uring_buf_ring_add(ring->buf_ring,
		    ring_buffer(ring, (uint16_t)i), ring->buffer_bytes,
		    (uint16_t)i, io_uring_buf_ring_mask(ring->n_buffers),
		    (int)i);
	io_uring_buf_ring_advance(ring->buf_ring, (int)ring->n_buffers);
	ring->buffers_free = ring->n_buffers;
	ring->buffers_returned = 0;
	return 0;
}

static int ring_add_buffers(struct ring *ring)
{
	int err = ring_map_buffers(ring);

	return err ? err : ring_provide_buffers(ring);
}

/* Whether a full socket really answers an inline send at once and with a
 * completion, although success is silent. All of the data path rests on it,
 * so it is tried, not assumed (a kernel that fails gets ordinary
 * completions). */
static bool ring_probe_silent_sends(struct ring *ring)
{
	static char bytes[1 << 20];
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	int fds[2];
	bool good = false;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return false;
	for (int i = 0; i < 2; i++) {
		/* The first fits and is silent; the second does not fit. */
		sqe = io_uring_get_sqe(&ring->uring);
		io_uring_prep_send(sqe, fds[0], bytes, i ? sizeof bytes : 16,
		    MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL);
		sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
		sqe->user_data = (unsigned)i + 1;
	}
	if (io_uring_submit(&ring->uring) == 2 &&
	    io_uring_peek_cqe(&ring->uring, &cqe) == 0) {
		good = cqe->user_data == 2 && cqe->res > 0 &&
		       cqe->res < (int)sizeof bytes;
		io_uring_cqe_seen(&ring->uring, cqe);
		while (io_uring_peek_cqe(&ring->uring, &cqe) == 0) {
			good = false;
			io_uring_cqe_seen(&ring->uring, cqe);
		}
	}
	close(fds[0]);
	close(fds[1]);
	return good;
}

char ring_mappings;

int ring_init(struct ring *ring, const struct ring_options *options,
    struct ring_metrics *metrics)
{
	struct io_uring_params params = {
	    .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
		     IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP |
		     IORING_SETUP_SUBMIT_ALL,
	    .cq_entries =
		options->cq_entries ? options->cq_entries : RING_CQ_ENTRIES,
	};
	int err;

	memset(ring, 0, sizeof *ring);
	ring->metrics = metrics;
	ring->off = ring_off_environment();
	ring->now = mono_now();
	err = io_uring_queue_init_params(RING_ENTRIES, &ring->uring, &params);
	if (err)
		return err;
	br_race_acquire(&ring_mappings);
	ring->max_sent = SENT_MAX;
	ring->sent = calloc(SENT_MAX, sizeof *ring->sent);
	if (!ring->sent) {
		ring_fini(ring);
		return -ENOMEM;
	}
	/* Saves the descriptor look-up on every enter; harmless if refused. */
	if (!(ring->off & RING_OFF_REGISTERED_RING))
		(void)io_uring_register_ring_fd(&ring->uring);
	if (!(ring->off & RING_OFF_SILENT_SEND))
		ring->silent_sends = ring_probe_silent_sends(ring);
	ring->n_buffers = options->buffers;
	ring->buffer_bytes = options->buffer_bytes;
	if (ring->n_buffers)
		err = ring_add_buffers(ring);
	if (err)
		ring_fini(ring);
	return err;
}

void ring_fini(struct ring *ring)
{
	br_race_release(&ring_mappings);
	io_uring_queue_exit(&ring->uring);
	if (ring->buffers)
		munmap(ring->buffers,
		    (size_t)ring->n_buffers * ring->buffer_bytes);
	if (ring->buf_ring)
		munmap(ring->buf_ring,
		    ring->n_buffers * sizeof(struct io_uring_buf));
	free(ring->sent);
	memset(ring, 0, sizeof *ring);
}

/* -- preparing --------------------------------------------------------- */

static struct io_uring_sqe *ring_sqe(struct ring *ring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);

	while (!sqe) {
		counter_inc(&ring->metrics->early_submits);
		(void)io_uring_submit(&ring->uring);
		sqe = io_uring_get_sqe(&ring->uring);
	}
	counter_inc(&ring->metrics->submissions);
	return sqe;
}

static void ring_own(
    struct io_uring_sqe *sqe, struct op_owner *owner, unsigned tag)
{
	br_assert(tag <= OP_TAG_MASK);
	br_assert(((uintptr_t)owner & (OP_OWNER_ALIGN - 1)) == 0);
	owner->in_flight++;
	sqe->user_data = (uint64_t)(uintptr_t)owner | tag;
}

/* Nobody waits for it: no completion on success, none of interest else. */
static void ring_disown(struct io_uring_sqe *sqe)
{
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	sqe->user_data = 0;
}

void ring_recv(struct ring *ring, struct op_owner *owner, unsigned tag, int fd,
    bool poll_first)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	io_uring_prep_recv(sqe, fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = ring->group;
	if (poll_first)
		sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
	ring_own(sqe, owner, tag);
}

void ring_recv_many(
    struct ring *ring, struct op_owner *owner, unsigned tag, int fd)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	/* One-shot it is armed anew by its owner, as any multishot that ends. */
	if (ring->off & RING_OFF_RECV_MANY)
		io_uring_prep_recv(sqe, fd, NULL, 0, 0);
	else
		io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = ring->group;
	sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
	ring_own(sqe, owner, tag);
}

void ring_recv_into(struct ring *ring, struct op_owner *owner, unsigned tag,
    int fd, void *buffer, uint32_t room)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	io_uring_prep_recv(sqe, fd, buffer, room, 0);
	ring_own(sqe, owner, tag);
}

void ring_read(struct ring *ring, struct op_owner *owner, unsigned tag, int fd,
    void *buffer, uint32_t room)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	io_uring_prep_read(sqe, fd, buffer, room, 0);
	ring_own(sqe, owner, tag);
}

void ring_send_now(struct ring *ring, struct op_owner *owner, unsigned tag,
    int fd, const void *bytes, uint32_t length)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	io_uring_prep_send(
	    sqe, fd, bytes, length, MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL);
	ring_own(sqe, owner, tag);
	if (!ring->silent_sends || ring->n_sent == ring->max_sent)
		return;
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	sqe->user_data |= OP_INLINE_SEND;
	ring->sent[ring->n_sent++] = (struct ring_sent){
	    .user_data = sqe->user_data,
	    .length = length,
	    .sequence = ring->uring.sq.sqe_tail,
	};
}

/* Callers come here after a send found the socket full. */
static void ring_send_later(struct ring *ring, struct op_owner *owner,
    unsigned tag, int fd, const void *bytes, uint32_t length, int flags)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	io_uring_prep_send(sqe, fd, bytes, length, flags | MSG_NOSIGNAL);
	sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
	ring_own(sqe, owner, tag);
}

void ring_send_wait(struct ring *ring, struct op_owner *owner, unsigned tag,
    int fd, const void *bytes, uint32_t length)
{
	ring_send_later(ring, owner, tag, fd, bytes, length, MSG_WAITALL);
}

void ring_send_some(struct ring *ring, struct op_owner *owner, unsigned tag,
    int fd, const void *bytes, uint32_t length)
{
	ring_send_later(ring, owner, tag, fd, bytes, length, 0);
}

void ring_accept_many(
    struct ring *ring, struct op_owner *owner, unsigned tag, int fd)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	if (ring->off & RING_OFF_ACCEPT_MANY)
		io_uring_prep_accept(
		    sqe, fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	else
		io_uring_prep_multishot_accept(
		    sqe, fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	ring_own(sqe, owner, tag);
}

void ring_connect(struct ring *ring, struct op_owner *owner, unsigned tag,
    int fd, const struct sockaddr *to, socklen_t length)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	io_uring_prep_connect(sqe, fd, to, length);
	ring_own(sqe, owner, tag);
}

void ring_poll(struct ring *ring, struct op_owner *owner, unsigned tag, int fd,
    uint32_t events)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	io_uring_prep_poll_add(sqe, fd, events);
	ring_own(sqe, owner, tag);
}

void ring_poll_many(struct ring *ring, struct op_owner *owner, unsigned tag,
    int fd, uint32_t events)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	io_uring_prep_poll_multishot(sqe, fd, events);
	ring_own(sqe, owner, tag);
}

void ring_cancel_fd(struct ring *ring, int fd)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	io_uring_prep_cancel_fd(sqe, fd, IORING_ASYNC_CANCEL_ALL);
	ring_disown(sqe);
}

void ring_cancel(struct ring *ring, struct op_owner *owner, unsigned tag)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	io_uring_prep_cancel64(sqe, (uint64_t)(uintptr_t)owner | tag, 0);
	ring_disown(sqe);
}

void ring_close(struct ring *ring, int fd)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	io_uring_prep_close(sqe, fd);
	ring_disown(sqe);
}

/* -- buffers ----------------------------------------------------------- */

void ring_buffer_return(struct ring *ring, uint16_t buffer)
{
	br_assert(buffer < ring->n_buffers);
	io_uring_buf_ring_add(ring->buf_ring, ring_buffer(ring, buffer),
	    ring->buffer_bytes, buffer, io_uring_buf_ring_mask(ring->n_buffers),
	    (int)ring->buffers_returned);
	ring->buffers_returned++;
	ring->buffers_free++;
}

static void ring_publish_buffers(struct ring *ring)
{
	if (!ring->buffers_returned)
		return;
	io_uring_buf_ring_advance(ring->buf_ring, (int)ring->buffers_returned);
	ring->buffers_returned = 0;
}

/* -- a turn ------------------------------------------------------------ */

static void ring_deliver(uint64_t user_data, struct op_result result)
{
	struct op_owner *owner =
	    (struct op_owner *)(uintptr_t)(user_data &
					   ~(uint64_t)(OP_OWNER_ALIGN - 1));

	br_assert(owner->class && owner->magic == owner->class->magic);
	if (!(result.flags & OP_MORE)) {
		br_assert(owner->in_flight > 0);
		owner->in_flight--;
	}
	owner->class->on_complete(
	    owner, (unsigned)(user_data & OP_TAG_MASK), result);
}

/* A send that was to be silent has failed: it is no longer to be reported as
 * a success. Rare, so a search will do. */
static void ring_forget_sent(struct ring *ring, uint64_t user_data)
{
	for (uint32_t i = 0; i < ring->n_sent; i++)
		if (ring->sent[i].user_data == user_data) {
			ring->sent[i].user_data = 0;
			return;
		}
}

static void ring_complete(struct ring *ring, const struct io_uring_cqe *cqe)
{
	struct op_result result = {.res = cqe->res};
	uint64_t user_data = cqe->user_data;

	if (!user_data)
		return;
	if (cqe->flags & IORING_CQE_F_MORE)
		result.flags |= OP_MORE;
	if (cqe->flags & IORING_CQE_F_SOCK_NONEMPTY)
		result.flags |= OP_NONEMPTY;
	if (cqe->flags & IORING_CQE_F_BUFFER) {
		result.flags |= OP_BUFFER;
		result.buffer =
		    (uint16_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
		ring->buffers_free--;
	}
	if (result.res == -ENOBUFS)
		counter_inc(&ring->metrics->buffers_empty);
	if (user_data & OP_INLINE_SEND)
		ring_forget_sent(ring, user_data);
	ring_deliver(user_data, result);
}

/* Handles what is in the completion queue now; what handlers add by an early
 * submit waits for the next call, which keeps a turn bounded. */
static uint32_t ring_drain(struct ring *ring)
{
	struct io_uring_cq *cq = &ring->uring.cq;
	unsigned head = *cq->khead;
	unsigned tail = io_uring_smp_load_acquire(cq->ktail);
	unsigned mask = *cq->kring_mask;
	uint32_t n = tail - head;

	for (; head != tail; head++) {
		struct io_uring_cqe cqe = cq->cqes[head & mask];

		ring_complete(ring, &cqe);
	}
	io_uring_cq_advance(&ring->uring, n);
	return n;
}

/* Reports the successes of the sends that were submitted before the drain
 * and did not fail. `submitted` is the kernel's queue head at that time. */
static void ring_deliver_sent(struct ring *ring, uint32_t n, unsigned submitted)
{
	uint32_t i, rest;

	for (i = 0; i < n; i++) {
		struct ring_sent sent = ring->sent[i];

		if ((int)(submitted - sent.sequence) < 0)
			break;
		if (sent.user_data)
			ring_deliver(sent.user_data,
			    (struct op_result){.res = (int32_t)sent.length});
	}
	rest = ring->n_sent - i;
	if (rest)
		memmove(ring->sent, ring->sent + i, rest * sizeof *ring->sent);
	ring->n_sent = rest;
}

/* Makes the prepared operations visible to the kernel; returns how many it
 * has not taken yet. */
static unsigned ring_publish_submissions(struct ring *ring)
{
	struct io_uring_sq *sq = &ring->uring.sq;
	unsigned mask = *sq->kring_mask;
	unsigned tail = *sq->ktail;

	while (sq->sqe_head != sq->sqe_tail)
		sq->array[tail++ & mask] = sq->sqe_head++ & mask;
	io_uring_smp_store_release(sq->ktail, tail);
	return tail - IO_URING_READ_ONCE(*sq->khead);
}

static void ring_enter(struct ring *ring, int64_t wait_ns)
{
	struct __kernel_timespec ts = {
	    .tv_sec = wait_ns / NS_PER_S, .tv_nsec = wait_ns % NS_PER_S};
	unsigned submit = ring_publish_submissions(ring);
	struct io_uring_getevents_arg wait = {
	    .ts = (uint64_t)(uintptr_t)&ts,
	};
	unsigned flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;

	if (ring->uring.int_flags & INT_FLAG_REG_RING)
		flags |= IORING_ENTER_REGISTERED_RING;
	/* Errors (EINTR, ETIME, EBUSY on a full completion queue) need
	 * nothing: what was not submitted stays queued for the next turn. */
	(void)syscall(SYS_io_uring_enter, ring->uring.enter_ring_fd, submit,
	    wait_ns > 0 ? 1 : 0, flags, &wait, sizeof wait);
}

void ring_submit(struct ring *ring)
{
	unsigned submit = ring_publish_submissions(ring);
	unsigned flags = ring->uring.int_flags & INT_FLAG_REG_RING
			     ? IORING_ENTER_REGISTERED_RING
			     : 0;

	if (submit)
		(void)syscall(SYS_io_uring_enter, ring->uring.enter_ring_fd,
		    submit, 0, flags, NULL, 0);
}

static bool ring_overflowed(const struct ring *ring)
{
	return IO_URING_READ_ONCE(*ring->uring.sq.kflags) &
	       IORING_SQ_CQ_OVERFLOW;
}

/* A thread that was held up (the process stopped, its processor away) comes
 * back from the kernel without what has come meanwhile: only another call
 * brings it. Who acts on the time must not do so before. */
static void ring_catch_up(struct ring *ring, int64_t waited_ns)
{
	for (unsigned i = 0; i < CATCH_UPS_MAX; i++) {
		struct mono before = ring->now;

		ring->now = mono_now();
		if (mono_diff_ns(ring->now, before) < waited_ns + HELD_UP_NS)
			return;
		waited_ns = 0;
		ring_enter(ring, 0);
	}
}

void ring_turn(struct ring *ring, int64_t wait_ns)
{
	uint32_t n_sent = ring->n_sent, n;
	unsigned submitted;

	if (ring->hurry)
		wait_ns = 0;
	ring->hurry = false;
	ring_publish_buffers(ring);
	ring_enter(ring, wait_ns);
	ring_catch_up(ring, wait_ns);
	submitted = *ring->uring.sq.khead;
	n = ring_drain(ring);
	/* A failed send may hide in the overflow list: flush it before any
	 * success is reported. If it cannot be flushed now, nothing is: what
	 * was sent is reported by the next turn, which does not sleep. */
	while (ring_overflowed(ring)) {
		counter_inc(&ring->metrics->cq_overflows);
		if (io_uring_get_events(&ring->uring) < 0)
			break;
		n += ring_drain(ring);
	}
	if (ring_overflowed(ring))
		ring_hurry(ring);
	else
		ring_deliver_sent(ring, n_sent, submitted);
	counter_inc(&ring->metrics->turns);
	counter_add(&ring->metrics->completions, n);
}
