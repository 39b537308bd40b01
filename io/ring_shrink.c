/* SPDX-License-Identifier: Apache-2.0 */
#include "io/ring.h"

#include "base/assert.h"
#include "base/race.h"
#include "io/ring_off.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux 6.13; in the enum of newer headers. */
#define REGISTER_RESIZE_RINGS 33

static bool is_quiet(const struct ring *ring)
{
	unsigned flags = IO_URING_READ_ONCE(*ring->uring.sq.kflags);

	return !io_uring_cq_ready(&ring->uring) &&
	       !(flags & IORING_SQ_CQ_OVERFLOW);
}

/* -- buffers ----------------------------------------------------------- */

static void free_old(struct ring *ring, uint32_t n_before,
    struct io_uring_buf_ring *table, uint16_t group)
{
	size_t keep = (size_t)RING_SMALL_BUFFERS * ring->buffer_bytes;

	(void)io_uring_unregister_buf_ring(&ring->uring, group);
	munmap(table, n_before * sizeof(struct io_uring_buf));
	munmap(ring->buffers + keep,
	    (size_t)(n_before - RING_SMALL_BUFFERS) * ring->buffer_bytes);
}

/* The first of the buffers in a group of their own, so that nothing is lost
 * when the kernel refuses. Receives that wait in the old group find it gone,
 * which is -ENOBUFS to their owners. */
static int shrink_buffers(struct ring *ring)
{
	struct io_uring_buf_ring *table = ring->buf_ring;
	uint32_t n_before = ring->n_buffers;
	uint16_t group = ring->group;
	int err;

	if (n_before <= RING_SMALL_BUFFERS)
		return 0;
	if (ring->buffers_free != n_before || !is_quiet(ring))
		return -EAGAIN;
	ring->group = !group;
	ring->n_buffers = RING_SMALL_BUFFERS;
	err = ring_provide_buffers(ring);
	if (!err) {
		free_old(ring, n_before, table, group);
		return 0;
	}
	ring->buf_ring = table;
	ring->n_buffers = n_before;
	ring->group = group;
	return err;
}

/* -- queues ------------------------------------------------------------ */

static bool submit_all(struct ring *ring)
{
	const struct io_uring_sq *sq = &ring->uring.sq;

	if (io_uring_sq_ready(&ring->uring))
		(void)io_uring_submit(&ring->uring);
	return sq->sqe_head == sq->sqe_tail &&
	       io_uring_smp_load_acquire(sq->khead) == *sq->ktail;
}

static void unmap(const struct io_uring *uring)
{
	br_race_release(&ring_mappings);
	munmap(uring->sq.sqes, uring->sq.ring_entries * sizeof *uring->sq.sqes);
	if (uring->cq.ring_ptr != uring->sq.ring_ptr)
		munmap(uring->cq.ring_ptr, uring->cq.ring_sz);
	munmap(uring->sq.ring_ptr, uring->sq.ring_sz);
}

/* Kernels up to 6.18 at least do not say where the array of the submission
 * queue is after a change of size. It stays as far behind the completions. */
static uint32_t array_offset(
    const struct io_uring *uring, const struct io_uring_params *params)
{
	uint32_t before =
	    (uint32_t)((char *)uring->sq.array - (char *)uring->sq.ring_ptr);
	uint32_t fewer = uring->cq.ring_entries - params->cq_entries;

	return before - fewer * (uint32_t)sizeof(struct io_uring_cqe);
}

/* Other pages behind the same descriptor; heads and tails count on. */
static void map_again(struct io_uring *uring, struct io_uring_params *params)
{
	struct io_uring next;

	params->features = uring->features;
	if (!params->sq_off.array)
		params->sq_off.array = array_offset(uring, params);
	if (io_uring_queue_mmap(uring->ring_fd, params, &next))
		br_out_of_memory("a ring", params->cq_off.cqes);
	br_race_acquire(&ring_mappings);
	next.sq.sqe_head = uring->sq.sqe_head;
	next.sq.sqe_tail = uring->sq.sqe_tail;
	/* As liburing has it from the start. */
	for (uint32_t i = 0; i < next.sq.ring_entries; i++)
		next.sq.array[i] = i;
	unmap(uring);
	uring->sq = next.sq;
	uring->cq = next.cq;
}

static int resize(
    struct io_uring *uring, uint32_t sq_entries, uint32_t cq_entries)
{
	struct io_uring_params params = {
	    .flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
	    .sq_entries = sq_entries,
	    .cq_entries = cq_entries,
	};

	if (syscall(SYS_io_uring_register, uring->ring_fd,
		REGISTER_RESIZE_RINGS, &params, 1) < 0)
		return errno == EOVERFLOW || errno == EBUSY ? -EAGAIN : -errno;
	map_again(uring, &params);
	return 0;
}

/* One operation that does nothing, there and back. */
static bool goes_round(struct io_uring *uring, uint64_t number)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(uring);
	struct io_uring_cqe *cqe;
	bool good;

	if (!sqe)
		return false;
	io_uring_prep_nop(sqe);
	sqe->user_data = number;
	if (io_uring_submit(uring) != 1 || io_uring_peek_cqe(uring, &cqe))
		return false;
	good = cqe->user_data == number;
	io_uring_cqe_seen(uring, cqe);
	return good;
}

#define TRY_ENTRIES 16u
#define TRY_ROUNDS (5 * TRY_ENTRIES)

/* All flows of a ring hang on it, so it is tried with another one first. */
static int try_resize(void)
{
	struct io_uring_params params = {
	    .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
		     IORING_SETUP_CQSIZE,
	    .cq_entries = 16 * TRY_ENTRIES,
	};
	struct io_uring uring;
	int err = io_uring_queue_init_params(4 * TRY_ENTRIES, &uring, &params);
	bool good;

	if (err)
		return err;
	br_race_acquire(&ring_mappings);
	good = goes_round(&uring, 1);
	err = resize(&uring, TRY_ENTRIES, 2 * TRY_ENTRIES);
	for (uint32_t i = 0; !err && good && i < TRY_ROUNDS; i++)
		good = goes_round(&uring, i + 2);
	br_race_release(&ring_mappings);
	io_uring_queue_exit(&uring);
	return err || good ? err : -EOPNOTSUPP;
}

static int shrink_queues(struct ring *ring)
{
	int err;

	if (ring->uring.sq.ring_entries <= RING_SMALL_ENTRIES)
		return 0;
	if (!submit_all(ring))
		return -EAGAIN;
	err = try_resize();
	return err ? err
		   : resize(&ring->uring, RING_SMALL_ENTRIES,
			 RING_SMALL_CQ_ENTRIES);
}

int ring_shrink(struct ring *ring)
{
	int err;

	if (ring->off & RING_OFF_SHRINK)
		return -EOPNOTSUPP;
	err = shrink_buffers(ring);
	return err ? err : shrink_queues(ring);
}
