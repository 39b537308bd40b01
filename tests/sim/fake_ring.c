/* SPDX-License-Identifier: Apache-2.0 */
/* io/ring.h over fake_net.c. */
#include "io/ring.h"

#include "base/assert.h"
#include "tests/sim/fake_io.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define CQ_MAX 8192
#define BUFFERS_MAX 4096
#define TURN_NS (10 * NS_PER_US)

enum buffer_at { BUFFER_KERNEL, BUFFER_RETURNED, BUFFER_USER, BUFFER_TAKEN };

struct completion {
	struct ring *ring;
	struct op_owner *owner;
	unsigned tag;
	struct op_result result;
};

struct silent {
	struct ring *ring;
	struct op_owner *owner;
	unsigned tag;
	uint32_t length;
};

/* Prepared; then in the kernel; then completed. One list each for all rings,
 * so that a closed descriptor can be looked for everywhere. */
static struct fake_op prepared[FAKE_OPS], pending[FAKE_OPS];
static uint32_t n_prepared, n_pending;
static struct completion cq[CQ_MAX];
static uint32_t n_cq;
static struct silent silents[FAKE_OPS];
static uint32_t n_silents;

/* The ring's buffers; a pointer of its own would not fit struct ring. */
struct buffers {
	struct ring *ring;
	uint8_t at[BUFFERS_MAX];
};
static struct buffers buffer_sets[4];

static struct buffers *buffers_of(const struct ring *ring)
{
	for (uint32_t i = 0; i < BR_COUNT(buffer_sets); i++)
		if (buffer_sets[i].ring == ring)
			return &buffer_sets[i];
	br_assert(false); /* a ring that was not made */
	return NULL;
}

/* -- lifetime ---------------------------------------------------------- */

const char *ring_explain(int error)
{
	(void)error;
	return "a fake never fails";
}

int ring_init(struct ring *ring, const struct ring_options *options,
    struct ring_metrics *metrics)
{
	struct buffers *set = NULL;

	memset(ring, 0, sizeof *ring);
	for (uint32_t i = 0; i < BR_COUNT(buffer_sets) && !set; i++)
		if (!buffer_sets[i].ring)
			set = &buffer_sets[i];
	br_assert(set && options->buffers <= BUFFERS_MAX);
	memset(set, 0, sizeof *set);
	set->ring = ring;
	ring->metrics = metrics;
	ring->n_buffers = ring->buffers_free = options->buffers;
	ring->buffer_bytes = options->buffer_bytes;
	ring->buffers = malloc((size_t)options->buffers * ring->buffer_bytes);
	ring->silent_sends = !fake.loud_sends;
	ring->now = (struct mono){fake.now_ns};
	return ring->buffers ? 0 : -ENOMEM;
}

void ring_fini(struct ring *ring)
{
	for (uint32_t i = 0; i < n_pending; i++)
		br_assert(pending[i].ring != ring);
	for (uint32_t i = 0; i < n_prepared; i++)
		br_assert(prepared[i].ring != ring);
	for (uint32_t i = 0; i < n_cq; i++)
		br_assert(cq[i].ring != ring);
	free(ring->buffers);
	buffers_of(ring)->ring = NULL;
	memset(ring, 0, sizeof *ring);
}

/* -- preparing --------------------------------------------------------- */

static struct fake_op *prepare(struct ring *ring, enum fake_op_kind kind,
    struct op_owner *owner, unsigned tag, int fd)
{
	struct fake_op *op = &prepared[n_prepared++];

	br_assert(n_prepared < FAKE_OPS);
	*op = (struct fake_op){.kind = kind, .ring = ring, .fd = fd};
	op->owner = owner;
	op->tag = tag;
	counter_inc(&ring->metrics->submissions);
	if (!owner || kind == FAKE_CANCEL)
		return op;
	br_assert(tag <= OP_TAG_MASK);
	br_assert(((uintptr_t)owner & (OP_OWNER_ALIGN - 1)) == 0);
	owner->in_flight++;
	fake.ops++;
	op->fails = fake_op_fails();
	return op;
}

/* Two sends at once on one socket could change places. */
static void assert_no_send(int fd)
{
	br_assert(!fake_pending_kind(fd, FAKE_SEND_NOW));
	br_assert(!fake_pending_kind(fd, FAKE_SEND_WAIT));
	for (uint32_t i = 0; i < n_prepared; i++)
		br_assert(prepared[i].fd != fd ||
			  (prepared[i].kind != FAKE_SEND_NOW &&
			      prepared[i].kind != FAKE_SEND_WAIT));
}

void ring_recv(struct ring *ring, struct op_owner *owner, unsigned tag, int fd,
    bool poll_first)
{
	br_assert(!fake_pending_kind(fd, FAKE_RECV));
	br_assert(!fake_pending_kind(fd, FAKE_RECV_MANY));
	prepare(ring, FAKE_RECV, owner, tag, fd)->no_poll_first = !poll_first;
}

void ring_recv_many(
    struct ring *ring, struct op_owner *owner, unsigned tag, int fd)
{
	br_assert(!fake_pending_kind(fd, FAKE_RECV));
	br_assert(!fake_pending_kind(fd, FAKE_RECV_MANY));
	prepare(ring, FAKE_RECV_MANY, owner, tag, fd);
}

/* lb/ reads only into ring buffers. */
void ring_recv_into(struct ring *ring, struct op_owner *owner, unsigned tag,
    int fd, void *buffer, uint32_t room)
{
	(void)ring, (void)owner, (void)tag, (void)fd, (void)buffer, (void)room;
	br_assert(false); /* not used by lb/ */
}

void ring_read(struct ring *ring, struct op_owner *owner, unsigned tag, int fd,
    void *buffer, uint32_t room)
{
	(void)ring, (void)owner, (void)tag, (void)fd, (void)buffer, (void)room;
	br_assert(false); /* not used by lb/ */
}

void ring_send_now(struct ring *ring, struct op_owner *owner, unsigned tag,
    int fd, const void *bytes, uint32_t length)
{
	struct fake_op *op;

	assert_no_send(fd);
	op = prepare(ring, FAKE_SEND_NOW, owner, tag, fd);
	op->bytes = bytes;
	op->length = length;
}

void ring_send_wait(struct ring *ring, struct op_owner *owner, unsigned tag,
    int fd, const void *bytes, uint32_t length)
{
	struct fake_op *op;

	assert_no_send(fd);
	op = prepare(ring, FAKE_SEND_WAIT, owner, tag, fd);
	op->bytes = bytes;
	op->length = length;
}

void ring_send_some(struct ring *ring, struct op_owner *owner, unsigned tag,
    int fd, const void *bytes, uint32_t length)
{
	ring_send_wait(ring, owner, tag, fd, bytes, length);
	prepared[n_prepared - 1].some = true;
}

void ring_accept_many(
    struct ring *ring, struct op_owner *owner, unsigned tag, int fd)
{
	prepare(ring, FAKE_ACCEPT, owner, tag, fd);
}

void ring_connect(struct ring *ring, struct op_owner *owner, unsigned tag,
    int fd, const struct sockaddr *to, socklen_t length)
{
	struct fake_op *op = prepare(ring, FAKE_CONNECT, owner, tag, fd);

	br_assert(length <= sizeof op->to);
	memcpy(&op->to, to, length);
}

void ring_poll(struct ring *ring, struct op_owner *owner, unsigned tag, int fd,
    uint32_t events)
{
	prepare(ring, FAKE_POLL, owner, tag, fd)->events = events;
}

void ring_poll_many(struct ring *ring, struct op_owner *owner, unsigned tag,
    int fd, uint32_t events)
{
	prepare(ring, FAKE_POLL_MANY, owner, tag, fd)->events = events;
}

void ring_cancel_fd(struct ring *ring, int fd)
{
	prepare(ring, FAKE_CANCEL_FD, NULL, 0, fd);
}

void ring_cancel(struct ring *ring, struct op_owner *owner, unsigned tag)
{
	prepare(ring, FAKE_CANCEL, owner, tag, -1);
}

void ring_close(struct ring *ring, int fd)
{
	prepare(ring, FAKE_CLOSE, NULL, 0, fd);
}

/* -- buffers ----------------------------------------------------------- */

void ring_buffer_return(struct ring *ring, uint16_t buffer)
{
	struct buffers *set = buffers_of(ring);

	br_assert(buffer < ring->n_buffers);
	br_assert(set->at[buffer] == BUFFER_USER);
	set->at[buffer] = BUFFER_RETURNED;
	/* Whoever still reads it shall notice. */
	memset(ring_buffer(ring, buffer), 0xdd, ring->buffer_bytes);
	ring->buffers_free++;
	ring->buffers_returned++;
}

static uint32_t move_buffers(
    struct ring *ring, enum buffer_at from, enum buffer_at to, uint32_t most)
{
	struct buffers *set = buffers_of(ring);
	uint32_t moved = 0;

	for (uint32_t i = 0; i < ring->n_buffers && moved < most; i++) {
		if (set->at[i] != from)
			continue;
		set->at[i] = (uint8_t)to;
		moved++;
	}
	return moved;
}

static int kernel_buffer(const struct ring *ring)
{
	const struct buffers *set = buffers_of(ring);

	for (uint32_t i = 0; i < ring->n_buffers; i++)
		if (set->at[i] == BUFFER_KERNEL)
			return (int)i;
	return -ENOBUFS;
}

/* As if other directions held them. */
void fake_take_buffers(struct ring *ring, uint32_t leave)
{
	uint32_t in_kernel = 0, taken;

	move_buffers(ring, BUFFER_RETURNED, BUFFER_KERNEL, UINT32_MAX);
	for (uint32_t i = 0; i < ring->n_buffers; i++)
		in_kernel += buffers_of(ring)->at[i] == BUFFER_KERNEL;
	if (in_kernel <= leave)
		return;
	taken =
	    move_buffers(ring, BUFFER_KERNEL, BUFFER_TAKEN, in_kernel - leave);
	ring->buffers_free -= taken;
	fake.buffers_taken += taken;
}

void fake_give_buffers(struct ring *ring)
{
	uint32_t given =
	    move_buffers(ring, BUFFER_TAKEN, BUFFER_KERNEL, UINT32_MAX);

	ring->buffers_free += given;
	fake.buffers_taken -= given;
}

/* -- completing -------------------------------------------------------- */

/* Anywhere behind the last one of the same operation. */
static void post(const struct fake_op *op, struct op_result result)
{
	uint32_t first = 0, at = n_cq;

	br_assert(n_cq < CQ_MAX);
	for (uint32_t i = 0; i < n_cq; i++)
		if (cq[i].owner == op->owner && cq[i].tag == op->tag)
			first = i + 1;
	if (fake_chance(2))
		at = first + rng_below(&fake.rng, n_cq - first + 1);
	memmove(cq + at + 1, cq + at, (n_cq - at) * sizeof cq[0]);
	cq[at] = (struct completion){op->ring, op->owner, op->tag, result};
	n_cq++;
}

static bool finish(const struct fake_op *op, int32_t res)
{
	post(op, (struct op_result){.res = res});
	return true;
}

/* One buffer's worth: false when there is nothing (more) to say. */
static bool receive_once(struct fake_op *op, bool *ret_over)
{
	struct fake_conn *conn = fake_conn_of(op->fd);
	struct op_result result = {.flags = OP_BUFFER};
	int buffer = kernel_buffer(op->ring);

	if (!fake_poll_events(conn, POLLIN) &&
	    (buffer >= 0 || !op->no_poll_first))
		return false;
	if (buffer < 0) {
		fake.enobufs++;
		*ret_over = finish(op, -ENOBUFS);
		return true;
	}
	result.res = fake_recv(conn, ring_buffer(op->ring, (uint16_t)buffer),
	    op->ring->buffer_bytes);
	if (result.res <= 0) {
		*ret_over = finish(op, result.res);
		return true;
	}
	buffers_of(op->ring)->at[buffer] = BUFFER_USER;
	result.buffer = (uint16_t)buffer;
	/* The end counts as more to read, as with TCP. */
	if (conn->to_proxy.length || (conn->peer_fin && !fake_chance(4)))
		result.flags |= OP_NONEMPTY;
	*ret_over = op->kind == FAKE_RECV || fake_chance(16);
	if (!*ret_over)
		result.flags |= OP_MORE;
	post(op, result);
	return true;
}

static bool try_receive(struct fake_op *op)
{
	bool over = false;

	while (!over && receive_once(op, &over))
		;
	return over;
}

static void note_silent(const struct fake_op *op)
{
	br_assert(n_silents < FAKE_OPS);
	silents[n_silents++] =
	    (struct silent){op->ring, op->owner, op->tag, op->length};
}

/* Never waits: all, or at once how far it came. */
static bool send_now(struct fake_op *op)
{
	struct fake_conn *conn = fake_conn_of(op->fd);
	int32_t n;

	/* For MSG_WAITALL. */
	if (fake_ktls_on(conn))
		return finish(op, -EOPNOTSUPP);
	n = fake_send(conn, op->bytes, op->length);
	if (n == (int32_t)op->length && op->ring->silent_sends) {
		note_silent(op);
		return true;
	}
	if (n < (int32_t)op->length)
		fake.inline_short++;
	return finish(op, n);
}

static bool try_send(struct fake_op *op)
{
	struct fake_conn *conn = fake_conn_of(op->fd);
	int32_t n;

	if (fake_ktls_on(conn) && !op->some)
		return finish(op, -EOPNOTSUPP);
	n = fake_send(conn, op->bytes + op->done, op->length - op->done);
	if (n == -EAGAIN)
		return false;
	if (op->some)
		return finish(op, n);
	if (n < 0)
		return finish(op, op->done ? (int32_t)op->done : n);
	op->done += (uint32_t)n;
	if (op->done < op->length && !fake_chance(8))
		return false;
	return finish(op, (int32_t)op->done);
}

static bool try_accept(struct fake_op *op)
{
	for (;;) {
		int fd = fake_take_accepted(op->fd);

		if (fd == -EAGAIN)
			return false;
		if (fd < 0)
			return finish(op, fd);
		post(op, (struct op_result){.res = fd, .flags = OP_MORE});
	}
}

static void wake_up(void *context)
{
	(void)context;
}

static void start_connect(struct fake_op *op)
{
	int64_t delay_ns = 0;

	op->verdict = fake.on_connect(fake_conn_of(op->fd),
	    (const struct sockaddr *)&op->to, op->owner, &delay_ns);
	if (delay_ns == INT64_MAX) {
		op->ready_ns = INT64_MAX;
		return;
	}
	op->ready_ns = fake.now_ns + delay_ns;
	fake_at(delay_ns, wake_up, NULL);
}

/* Tells what is new, and stays. */
static bool try_poll_many(struct fake_op *op)
{
	uint32_t events = fake_poll_fd(op->fd, op->events | POLLRDHUP);
	uint32_t new = events & ~op->done;

	op->done = events;
	if (new)
		post(op, (struct op_result){
			     .res = (int32_t)events, .flags = OP_MORE});
	return false;
}

static bool try_op(struct fake_op *op)
{
	uint32_t events;

	switch (op->kind) {
	case FAKE_RECV:
	case FAKE_RECV_MANY:
		return try_receive(op);
	case FAKE_SEND_WAIT:
		return try_send(op);
	case FAKE_ACCEPT:
		return try_accept(op);
	case FAKE_CONNECT:
		return op->ready_ns <= fake.now_ns && finish(op, op->verdict);
	case FAKE_POLL:
		/* The kernel adds POLLRDHUP on its own. */
		events = fake_poll_fd(op->fd, op->events | POLLRDHUP);
		return events && finish(op, (int32_t)events);
	case FAKE_POLL_MANY:
		return try_poll_many(op);
	default:
		br_assert(false); /* does not wait */
		return false;
	}
}

static void remove_pending(uint32_t i)
{
	n_pending--;
	memmove(
	    pending + i, pending + i + 1, (n_pending - i) * sizeof pending[0]);
}

/* `lazy`: in random mode some operations take their time. */
static void poke_all(const struct ring *ring, int fd, bool lazy)
{
	for (uint32_t i = 0; i < n_pending;) {
		struct fake_op *op = &pending[i];

		if ((ring && op->ring != ring) || (fd >= 0 && op->fd != fd) ||
		    (lazy && fake_chance(4)) || !try_op(op))
			i++;
		else
			remove_pending(i);
	}
}

void fake_poke(int fd)
{
	poke_all(NULL, fd, false);
}

/* -- cancelling -------------------------------------------------------- */

static bool is_target(const struct fake_op *op, const struct fake_op *cancel)
{
	if (op->ring != cancel->ring)
		return false;
	if (cancel->kind == FAKE_CANCEL_FD)
		return op->fd == cancel->fd;
	return op->owner == cancel->owner && op->tag == cancel->tag;
}

static void cancel_one(const struct fake_op *cancel, uint32_t i)
{
	struct fake_op op = pending[i];

	fake.cancels++;
	if (fake.on_cancel)
		fake.on_cancel(&op);
	/* What came first has perhaps completed it. */
	for (i = 0; i < n_pending; i++)
		if (pending[i].owner == op.owner && pending[i].tag == op.tag &&
		    is_target(&pending[i], cancel)) {
			int32_t done = op.kind == FAKE_SEND_WAIT
					   ? (int32_t)pending[i].done
					   : 0;

			remove_pending(i);
			finish(&op, done ? done : -ECANCELED);
			return;
		}
}

static void cancel(const struct fake_op *cancel)
{
	for (uint32_t i = 0; i < n_pending;) {
		if (!is_target(&pending[i], cancel)) {
			i++;
			continue;
		}
		cancel_one(cancel, i);
		/* The list may have changed anywhere. */
		i = 0;
	}
}

/* -- a turn ------------------------------------------------------------ */

static void fail_op(const struct fake_op *op)
{
	static const int errors[] = {
	    [FAKE_RECV] = -ENOMEM,
	    [FAKE_RECV_MANY] = -ENOMEM,
	    [FAKE_SEND_NOW] = -ENOMEM,
	    [FAKE_SEND_WAIT] = -ENOMEM,
	    [FAKE_ACCEPT] = -EMFILE,
	    [FAKE_CONNECT] = -ENETUNREACH,
	    [FAKE_POLL] = -ENOMEM,
	    [FAKE_POLL_MANY] = -ENOMEM,
	};

	finish(op, errors[op->kind]);
}

static void submit_one(struct fake_op *op)
{
	if (op->kind == FAKE_CLOSE) {
		fake_close_fd(op->fd);
	} else if (op->kind == FAKE_CANCEL || op->kind == FAKE_CANCEL_FD) {
		cancel(op);
	} else if (op->fails) {
		fail_op(op);
	} else if (op->kind == FAKE_SEND_NOW) {
		send_now(op);
	} else {
		if (op->kind == FAKE_CONNECT)
			start_connect(op);
		br_assert(n_pending < FAKE_OPS);
		pending[n_pending++] = *op;
		if (fake_chance(4) || !try_op(&pending[n_pending - 1]))
			return;
		n_pending--;
	}
}

static void submit(struct ring *ring)
{
	uint32_t n = n_prepared, kept = 0;
	static struct fake_op queue[FAKE_OPS];

	memcpy(queue, prepared, n * sizeof queue[0]);
	for (uint32_t i = 0; i < n; i++)
		if (queue[i].ring != ring)
			prepared[kept++] = queue[i];
	n_prepared = kept;
	for (uint32_t i = 0; i < n; i++)
		if (queue[i].ring == ring)
			submit_one(&queue[i]);
}

void ring_submit(struct ring *ring)
{
	submit(ring);
}

static bool has_completions(const struct ring *ring)
{
	for (uint32_t i = 0; i < n_cq; i++)
		if (cq[i].ring == ring)
			return true;
	return false;
}

static void wait_for_completion(struct ring *ring, int64_t wait_ns)
{
	int64_t until_ns = fake.now_ns + wait_ns;

	fake_run_events();
	poke_all(ring, -1, true);
	while (!has_completions(ring)) {
		int64_t next_ns;

		poke_all(ring, -1, false);
		if (has_completions(ring) || fake.now_ns >= until_ns)
			return;
		next_ns = fake_next_event_ns();
		fake.now_ns = next_ns < until_ns ? next_ns : until_ns;
		fake_run_events();
	}
}

static void deliver(const struct completion *c)
{
	struct op_owner *owner = c->owner;

	br_assert(owner->class && owner->magic == owner->class->magic);
	if (!(c->result.flags & OP_MORE)) {
		br_assert(owner->in_flight > 0);
		owner->in_flight--;
	}
	if (c->result.flags & OP_BUFFER)
		c->ring->buffers_free--;
	if (c->result.res == -ENOBUFS)
		counter_inc(&c->ring->metrics->buffers_empty);
	owner->class->on_complete(owner, c->tag, c->result);
}

/* Handlers prepare more, but nothing completes before the next turn. */
static void drain(struct ring *ring)
{
	for (uint32_t i = 0; i < n_cq;) {
		struct completion c = cq[i];

		if (c.ring != ring) {
			i++;
			continue;
		}
		n_cq--;
		memmove(cq + i, cq + i + 1, (n_cq - i) * sizeof cq[0]);
		deliver(&c);
	}
}

static void deliver_silent(struct ring *ring)
{
	for (uint32_t i = 0; i < n_silents;) {
		struct silent s = silents[i];

		if (s.ring != ring) {
			i++;
			continue;
		}
		n_silents--;
		memmove(silents + i, silents + i + 1,
		    (n_silents - i) * sizeof silents[0]);
		deliver(&(struct completion){
		    s.ring, s.owner, s.tag, {.res = (int32_t)s.length}});
	}
}

void ring_turn(struct ring *ring, int64_t wait_ns)
{
	move_buffers(ring, BUFFER_RETURNED, BUFFER_KERNEL, UINT32_MAX);
	ring->buffers_returned = 0;
	submit(ring);
	/* Who spins gets older too. */
	fake.now_ns += TURN_NS;
	wait_for_completion(ring, ring->hurry ? 0 : wait_ns);
	ring->hurry = false;
	ring->now = (struct mono){fake.now_ns};
	drain(ring);
	deliver_silent(ring);
	counter_inc(&ring->metrics->turns);
}

/* -- looking inside ---------------------------------------------------- */

uint32_t fake_in_flight(const struct op_owner *owner)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < n_pending; i++)
		n += pending[i].owner == owner;
	for (uint32_t i = 0; i < n_prepared; i++)
		n += prepared[i].owner == owner &&
		     prepared[i].kind != FAKE_CANCEL;
	for (uint32_t i = 0; i < n_cq; i++)
		n += cq[i].owner == owner && !(cq[i].result.flags & OP_MORE);
	return n;
}

uint32_t fake_pending(int fd)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < n_pending; i++)
		n += pending[i].fd == fd;
	return n;
}

bool fake_pending_kind(int fd, enum fake_op_kind kind)
{
	for (uint32_t i = 0; i < n_pending; i++)
		if (pending[i].fd == fd && pending[i].kind == kind)
			return true;
	return false;
}
