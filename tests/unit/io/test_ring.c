/* SPDX-License-Identifier: Apache-2.0 */
/* The ring on the real kernel. Where io_uring is not to be had, the program
 * says so and the tests are left out. */
#include "io/ring.h"

#include "io/ring_off.h"
#include "tests/unit/io/io_check.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>

#define LOG_MAX 8192
#define BIG (4u << 20)

struct seen {
	unsigned tag;
	struct op_result result;
};

struct recorder {
	struct op_owner op;
	struct seen log[LOG_MAX];
	uint32_t n;
} __attribute__((aligned(64)));

static struct ring ring;
static struct ring_metrics metrics;
static struct recorder one, two;
static char big[BIG];

static void on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result)
{
	struct recorder *r = (struct recorder *)(void *)owner;

	ck_assert_uint_lt(r->n, LOG_MAX);
	r->log[r->n++] = (struct seen){tag, result};
}

static const struct op_class recorder_class = {
    .magic = 0x5eed, .name = "recorder", .on_complete = on_complete};

static void recorder_init(struct recorder *r)
{
	memset(r, 0, sizeof *r);
	r->op.magic = recorder_class.magic;
	r->op.class = &recorder_class;
}

static void start(uint32_t buffers, uint32_t cq_entries)
{
	struct ring_options options = {
	    .buffers = buffers, .buffer_bytes = 4096, .cq_entries = cq_entries};

	memset(&metrics, 0, sizeof metrics);
	ck_assert_int_eq(ring_init(&ring, &options, &metrics), 0);
	recorder_init(&one);
	recorder_init(&two);
	for (uint32_t i = 0; i < BIG; i++)
		big[i] = (char)(i * 7 + i / 251);
}

static void stop(int fds[2])
{
	ck_assert_uint_eq(one.op.in_flight, 0);
	ck_assert_uint_eq(two.op.in_flight, 0);
	if (fds) {
		close(fds[0]);
		close(fds[1]);
	}
	ring_fini(&ring);
}

/* Until r has n records; a test that waits in vain is ended by ctest. */
static void turns(const struct recorder *r, uint32_t n)
{
	while (r->n < n)
		ring_turn(&ring, NS_PER_S);
}

/* What BRAID_IO_OFF makes one-shot is armed anew, as its owners do. */
static void arm_anew(
    void (*arm)(struct ring *, struct op_owner *, unsigned, int), int fd)
{
	if (!one.op.in_flight)
		arm(&ring, &one.op, 1, fd);
}

static void turns_armed(uint32_t n,
    void (*arm)(struct ring *, struct op_owner *, unsigned, int), int fd)
{
	while (one.n < n) {
		arm_anew(arm, fd);
		ring_turn(&ring, NS_PER_S);
	}
}

static bool goes_on(const struct op_result *result)
{
	return result->flags & OP_MORE;
}

static const struct op_result *last(const struct recorder *r)
{
	ck_assert_uint_gt(r->n, 0);
	return &r->log[r->n - 1].result;
}

/* Reads what is there, checks it against `big` from *offset on. */
static uint32_t read_and_check(int fd, uint32_t *offset)
{
	static char got[65536];
	uint32_t total = 0;
	ssize_t n;

	while ((n = recv(fd, got, sizeof got, MSG_DONTWAIT)) > 0) {
		ck_assert_int_eq(memcmp(got, big + *offset, (size_t)n), 0);
		*offset += (uint32_t)n;
		total += (uint32_t)n;
	}
	return total;
}

/* -- texts ------------------------------------------------------------- */

START_TEST(test_explain)
{
	static const struct {
		int error;
		const char *word;
	} rows[] = {{-ENOSYS, "6.1"}, {-EPERM, "io_uring_disabled"},
	    {-EACCES, "io_uring_disabled"}, {-ENOMEM, "RLIMIT_MEMLOCK"},
	    {-EINVAL, "DEFER_TASKRUN"}, {-EMFILE, "RLIMIT_NOFILE"},
	    {-ENFILE, "RLIMIT_NOFILE"}, {-EIO, "could not"}};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_ptr_nonnull(
		    strstr(ring_explain(rows[i].error), rows[i].word));
}
END_TEST

/* -- receiving --------------------------------------------------------- */

START_TEST(test_receive_once)
{
	char rest[904];
	int fds[2];

	io_tcp_pair(fds);
	start(4, 0);
	for (int poll_first = 0; poll_first < 2; poll_first++) {
		ring_recv(&ring, &one.op, 5, fds[0], poll_first);
		ck_assert_uint_eq(one.op.in_flight, 1);
		ring_turn(&ring, 0);
		ck_assert_uint_eq(one.n, (unsigned)poll_first);
		io_write(fds[1], big, 5000);
		turns(&one, 1 + (unsigned)poll_first);
		ck_assert_uint_eq(one.log[0].tag, 5);
		ck_assert_int_eq(last(&one)->res, 4096);
		ck_assert_uint_eq(last(&one)->flags, OP_BUFFER | OP_NONEMPTY);
		ck_assert_int_eq(
		    memcmp(ring_buffer(&ring, last(&one)->buffer), big, 4096),
		    0);
		ck_assert_uint_eq(ring.buffers_free, 3);
		ring_buffer_return(&ring, last(&one)->buffer);
		ck_assert_uint_eq(ring.buffers_free, 4);
		ck_assert_int_eq(recv(fds[0], rest, 904, MSG_WAITALL), 904);
	}
	shutdown(fds[1], SHUT_WR);
	ring_recv(&ring, &one.op, 5, fds[0], false);
	turns(&one, 3);
	ck_assert_int_eq(last(&one)->res, 0);
	ck_assert_uint_eq(last(&one)->flags & OP_MORE, 0);
	stop(fds);
}
END_TEST

START_TEST(test_receive_many_runs_out_of_buffers)
{
	int fds[2];

	io_tcp_pair(fds);
	start(2, 0);
	ring_recv_many(&ring, &one.op, 1, fds[0]);
	ring_turn(&ring, 0);
	io_write(fds[1], big, 3 * 4096);
	turns_armed(3, ring_recv_many, fds[0]);
	ck_assert_int_eq(one.log[0].result.res, 4096);
	ck_assert_int_eq(one.log[1].result.res, 4096);
	ck_assert_int_eq(
	    goes_on(&one.log[0].result), !(ring.off & RING_OFF_RECV_MANY));
	ck_assert_int_eq(one.log[2].result.res, -ENOBUFS);
	ck_assert_uint_eq(one.log[2].result.flags, 0);
	ck_assert_uint_eq(one.op.in_flight, 0);
	ck_assert_uint_eq(ring.buffers_free, 0);
	ck_assert_uint_eq(counter_read(&metrics.buffers_empty), 1);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(
		    memcmp(ring_buffer(&ring, one.log[i].result.buffer),
			big + i * 4096, 4096),
		    0);
		ring_buffer_return(&ring, one.log[i].result.buffer);
	}
	/* What found no buffer was not lost. */
	ring_recv_many(&ring, &one.op, 1, fds[0]);
	turns(&one, 4);
	ck_assert_int_eq(last(&one)->res, 4096);
	ck_assert_int_eq(
	    memcmp(ring_buffer(&ring, last(&one)->buffer), big + 8192, 4096),
	    0);
	arm_anew(ring_recv_many, fds[0]);
	ring_cancel(&ring, &one.op, 1);
	turns(&one, 5);
	ck_assert_int_eq(last(&one)->res, -ECANCELED);
	stop(fds);
}
END_TEST

START_TEST(test_into_own_memory)
{
	char text[8] = "";
	uint64_t count = 7, got = 0;
	int fds[2], event = eventfd(0, EFD_CLOEXEC);

	io_unix_pair(fds);
	start(0, 0);
	ring_recv_into(&ring, &one.op, 1, fds[0], text, sizeof text);
	ring_read(&ring, &two.op, 2, event, &got, sizeof got);
	ring_turn(&ring, 0);
	io_write(fds[1], "hello", 5);
	io_write(event, &count, sizeof count);
	turns(&one, 1);
	turns(&two, 1);
	ck_assert_int_eq(last(&one)->res, 5);
	ck_assert_str_eq(text, "hello");
	ck_assert_int_eq(last(&two)->res, 8);
	ck_assert_uint_eq(got, 7);
	close(event);
	stop(fds);
}
END_TEST

/* -- sending ----------------------------------------------------------- */

/* `loud`: as on a kernel that failed the test at start. */
static void start_sending(int fds[2], bool loud)
{
	io_unix_pair(fds);
	start(0, 0);
	if (loud)
		ring.silent_sends = false;
}

START_TEST(test_inline_send_is_silent)
{
	uint32_t offset = 0;
	int fds[2];

	start_sending(fds, _i);
	ring_send_now(&ring, &one.op, 3, fds[0], big, 1000);
	ck_assert_uint_eq(one.op.in_flight, 1);
	ring_turn(&ring, 0);
	ck_assert_uint_eq(one.n, 1);
	ck_assert_uint_eq(one.log[0].tag, 3);
	ck_assert_int_eq(last(&one)->res, 1000);
	ck_assert_uint_eq(one.op.in_flight, 0);
	ck_assert_uint_eq(read_and_check(fds[1], &offset), 1000);
	/* It cost no completion entry. */
	if (ring.silent_sends)
		ck_assert_uint_eq(counter_read(&metrics.completions), 0);
	stop(fds);
}
END_TEST

/* What was submitted early has left, and is reported by the next turn: what
 * went in whole, what met a full socket, and what comes between. */
START_TEST(test_submit_sends_before_the_turn)
{
	uint32_t offset = 0;
	int fds[2];

	start_sending(fds, _i);
	ring_send_now(&ring, &one.op, 3, fds[0], big, 1000);
	ring_submit(&ring);
	ck_assert_uint_eq(read_and_check(fds[1], &offset), 1000);
	ck_assert_uint_eq(one.n, 0);
	ck_assert_uint_eq(one.op.in_flight, 1);
	ring_submit(&ring); /* nothing more */
	ring_turn(&ring, 0);
	ck_assert_uint_eq(one.n, 1);
	ck_assert_int_eq(last(&one)->res, 1000);
	ring_send_now(&ring, &one.op, 3, fds[0], big + 1000, BIG - 1000);
	ring_submit(&ring);
	ring_turn(&ring, 0);
	ck_assert_uint_eq(one.n, 2);
	ck_assert_int_lt(last(&one)->res, BIG - 1000);
	ck_assert_int_eq(read_and_check(fds[1], &offset), last(&one)->res);
	ck_assert_uint_eq(one.op.in_flight, 0);
	stop(fds);
}
END_TEST

/* The count must be exact each time: what goes on starts behind it. */
START_TEST(test_full_socket_says_how_far)
{
	uint32_t offset = 0, sent = 0, full = 0;
	int fds[2];

	if (_i)
		io_tcp_pair(fds);
	else
		io_unix_pair(fds);
	start(0, 0);
	while (sent < BIG) {
		int want = (int)(BIG - sent);

		ring_send_now(
		    &ring, &one.op, 1, fds[0], big + sent, (uint32_t)want);
		one.n = 0;
		ring_turn(&ring, 0);
		ck_assert_uint_eq(one.n, 1);
		if (last(&one)->res > 0)
			sent += (uint32_t)last(&one)->res;
		else
			ck_assert(
			    last(&one)->res == -EAGAIN || last(&one)->res == 0);
		full += last(&one)->res < want;
		(void)read_and_check(fds[1], &offset);
		ck_assert_uint_le(offset, sent);
	}
	ck_assert_uint_gt(full, 0);
	close(fds[0]);
	/* What is under way comes when the kernel gets to it. */
	while (offset < BIG)
		(void)read_and_check(fds[1], &offset);
	ck_assert_int_eq(recv(fds[1], big, 1, 0), 0);
	close(fds[1]);
	stop(NULL);
}
END_TEST

/* Failures among successes: each owner hears its own, once. */
START_TEST(test_successes_and_failures_mixed)
{
	static struct recorder owners[16];
	int fds[16][2];

	start(0, 0);
	for (int i = 0; i < 16; i++) {
		recorder_init(&owners[i]);
		io_unix_pair(fds[i]);
		if (i % 3 == 1)
			close(fds[i][1]);
		ring_send_now(&ring, &owners[i].op, 1, fds[i][0], big,
		    i % 3 == 2 ? BIG : 100u + (unsigned)i);
	}
	ring_turn(&ring, 0);
	for (int i = 0; i < 16; i++) {
		int res = owners[i].log[0].result.res;

		ck_assert_uint_eq(owners[i].n, 1);
		ck_assert_uint_eq(owners[i].op.in_flight, 0);
		if (i % 3 == 0)
			ck_assert_int_eq(res, 100 + i);
		else if (i % 3 == 1)
			ck_assert_int_eq(res, -EPIPE);
		else
			ck_assert(res > 0 && res < (int)BIG);
		close(fds[i][0]);
		if (i % 3 != 1)
			close(fds[i][1]);
	}
	stop(NULL);
}
END_TEST

START_TEST(test_send_that_waits)
{
	uint32_t offset = 0;
	int fds[2];

	io_unix_pair(fds);
	start(0, 0);
	ring_send_wait(&ring, &one.op, 1, fds[0], big, 1500000);
	while (!one.n) {
		ring_turn(&ring, NS_PER_MS);
		(void)read_and_check(fds[1], &offset);
	}
	ck_assert_int_eq(last(&one)->res, 1500000);
	(void)read_and_check(fds[1], &offset);
	ck_assert_uint_eq(offset, 1500000);
	/* Cancelled: what was sent so far, exactly. */
	ring_send_wait(&ring, &one.op, 1, fds[0], big + offset, 1500000);
	ring_turn(&ring, 0);
	ring_cancel(&ring, &one.op, 1);
	turns(&one, 2);
	ck_assert_int_gt(last(&one)->res, 0);
	ck_assert_int_lt(last(&one)->res, 1500000);
	ck_assert_int_eq((int)read_and_check(fds[1], &offset), last(&one)->res);
	stop(fds);
}
END_TEST

/* -- connections ------------------------------------------------------- */

START_TEST(test_accept_connect_close)
{
	struct sockaddr_in at;
	int listener = io_listen(&at), fds[3];
	char byte;

	start(0, 0);
	ring_accept_many(&ring, &one.op, 1, listener);
	for (int i = 0; i < 3; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		ring_connect(&ring, &two.op, (unsigned)i, fds[i],
		    (const struct sockaddr *)&at, sizeof at);
	}
	turns_armed(3, ring_accept_many, listener);
	turns(&two, 3);
	for (int i = 0; i < 3; i++) {
		int fd = one.log[i].result.res;

		ck_assert_int_eq(two.log[i].result.res, 0);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(goes_on(&one.log[i].result),
		    !(ring.off & RING_OFF_ACCEPT_MANY));
		ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
		ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
		ring_close(&ring, fd);
	}
	ring_turn(&ring, 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(fcntl(one.log[i].result.res, F_GETFD), -1);
		(void)fcntl(fds[i], F_SETFL, 0);
		ck_assert_int_eq(recv(fds[i], &byte, 1, 0), 0);
		close(fds[i]);
	}
	arm_anew(ring_accept_many, listener);
	ring_cancel(&ring, &one.op, 1);
	turns(&one, 4);
	ck_assert_int_eq(last(&one)->res, -ECANCELED);
	/* Nobody listens any more. */
	close(listener);
	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ring_connect(
	    &ring, &two.op, 9, fds[0], (const struct sockaddr *)&at, sizeof at);
	turns(&two, 4);
	ck_assert_int_eq(last(&two)->res, -ECONNREFUSED);
	close(fds[0]);
	stop(NULL);
}
END_TEST

START_TEST(test_poll_and_cancel)
{
	int fds[2];

	io_unix_pair(fds);
	start(4, 0);
	ring_poll(&ring, &one.op, 1, fds[0], POLLIN);
	ring_poll(&ring, &two.op, 1, fds[0], 0);
	ring_turn(&ring, 0);
	ck_assert_uint_eq(one.n, 0);
	io_write(fds[1], "x", 1);
	turns(&one, 1);
	ck_assert_int_eq(last(&one)->res, POLLIN);
	ck_assert_uint_eq(two.n, 0);
	ck_assert_int_eq(recv(fds[0], big, 1, 0), 1);
	/* One of two by its tag, then all of a descriptor. */
	ring_poll(&ring, &one.op, 2, fds[0], POLLIN);
	ring_recv(&ring, &one.op, 3, fds[0], true);
	ring_turn(&ring, 0);
	ring_cancel(&ring, &one.op, 2);
	turns(&one, 2);
	ck_assert_uint_eq(one.log[1].tag, 2);
	ck_assert_int_eq(last(&one)->res, -ECANCELED);
	ck_assert_uint_eq(one.op.in_flight, 1);
	ring_cancel_fd(&ring, fds[0]);
	turns(&one, 3);
	turns(&two, 1);
	ck_assert_int_eq(last(&one)->res, -ECANCELED);
	ck_assert_int_eq(last(&two)->res, -ECANCELED);
	/* Cancelling what is not there says nothing. */
	ring_cancel(&ring, &one.op, 2);
	ring_cancel_fd(&ring, fds[0]);
	ring_turn(&ring, NS_PER_MS);
	ck_assert_uint_eq(one.n, 3);
	/* A hang-up is told without being asked for. */
	ring_poll(&ring, &one.op, 4, fds[0], 0);
	close(fds[1]);
	turns(&one, 4);
	ck_assert_int_ne(last(&one)->res & POLLHUP, 0);
	close(fds[0]);
	stop(NULL);
}
END_TEST

/* -- turns ------------------------------------------------------------- */

/* Without it the turn would sleep for an hour. */
START_TEST(test_hurry_does_not_sleep)
{
	start(0, 0);
	ring_hurry(&ring);
	ring_turn(&ring, 3600 * NS_PER_S);
	ck_assert(!ring.hurry);
	ring_turn(&ring, NS_PER_MS);
	ck_assert_uint_eq(counter_read(&metrics.turns), 2);
	stop(NULL);
}
END_TEST

/* The completion queue is full of other things when an inline send fails: its
 * failure lies in the kernel's overflow list and must not be reported as the
 * success that no entry means. */
START_TEST(test_failed_send_hides_in_overflow)
{
	uint32_t offset = 0, n = RING_ENTRIES + 500;
	int fds[2], ready[2];

	io_unix_pair(fds);
	io_unix_pair(ready);
	io_write(ready[1], "x", 1);
	start(0, RING_ENTRIES);
	for (uint32_t i = 0; i < n; i++)
		ring_poll(&ring, &two.op, i % 32, ready[0], POLLIN);
	ring_send_now(&ring, &one.op, 1, fds[0], big, BIG);
	for (uint32_t i = 0; i < 100; i++)
		ring_poll(&ring, &two.op, 0, ready[0], POLLIN);
	turns(&one, 1);
	turns(&two, n + 100);
	ck_assert_uint_gt(counter_read(&metrics.early_submits), 0);
	ck_assert_uint_gt(counter_read(&metrics.cq_overflows), 0);
	ck_assert_uint_eq(one.n, 1);
	ck_assert_int_gt(last(&one)->res, 0);
	ck_assert_int_lt(last(&one)->res, (int)BIG);
	ck_assert_int_eq((int)read_and_check(fds[1], &offset), last(&one)->res);
	close(ready[0]);
	close(ready[1]);
	stop(fds);
}
END_TEST

/* In place of liburing's: says that the kernel did not take the call. */
static uint32_t refuse_events, refused;

int io_uring_get_events(struct io_uring *uring)
{
	if (refuse_events) {
		refuse_events--;
		refused++;
		return -EBUSY;
	}
	return io_uring_enter(
	    uring->ring_fd, 0, 0, IORING_ENTER_GETEVENTS, NULL);
}

/* ... and if the overflow list cannot be flushed in this turn, its successes
 * have to wait too. */
START_TEST(test_overflow_that_stays)
{
	uint32_t n = RING_ENTRIES + 500, offset = 0;
	int fds[2], ready[2];

	io_unix_pair(fds);
	io_unix_pair(ready);
	io_write(ready[1], "x", 1);
	start(0, RING_ENTRIES);
	for (uint32_t i = 0; i < n; i++)
		ring_poll(&ring, &two.op, i % 32, ready[0], POLLIN);
	ring_send_now(&ring, &one.op, 1, fds[0], big, BIG);
	for (uint32_t i = 0; i < 100; i++)
		ring_poll(&ring, &two.op, 0, ready[0], POLLIN);
	refuse_events = 1;
	/* It does not sleep in the turn after. */
	for (int i = 0; i < 3; i++)
		ring_turn(&ring, one.n ? 0 : 3600 * NS_PER_S);
	ck_assert_uint_eq(refused, 1);
	turns(&two, n + 100);
	ck_assert_uint_eq(one.n, 1);
	ck_assert_int_lt(last(&one)->res, (int)BIG);
	ck_assert_int_eq((int)read_and_check(fds[1], &offset), last(&one)->res);
	close(ready[0]);
	close(ready[1]);
	stop(fds);
}
END_TEST

/* What stays is said once; the next change is said again. */
START_TEST(test_poll_that_stays)
{
	struct linger reset = {.l_onoff = 1};
	int fds[2];

	io_tcp_pair(fds);
	start(0, 0);
	ring_poll_many(&ring, &one.op, 3, fds[0], 0);
	io_write(fds[1], "x", 1);
	ck_assert_int_eq(shutdown(fds[1], SHUT_WR), 0);
	turns(&one, 1);
	ck_assert_int_eq(last(&one)->res, POLLRDHUP);
	ck_assert(last(&one)->flags & OP_MORE);
	for (int i = 0; i < 10; i++)
		ring_turn(&ring, NS_PER_MS);
	ck_assert_uint_le(one.n, 2);
	ck_assert_int_eq(
	    setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
	close(fds[1]);
	while (!(last(&one)->res & POLLERR))
		ring_turn(&ring, NS_PER_S);
	if (one.op.in_flight) {
		ring_cancel(&ring, &one.op, 3);
		while (one.op.in_flight)
			ring_turn(&ring, NS_PER_S);
	}
	fds[1] = dup(fds[0]);
	stop(fds);
}
END_TEST

/* More than the submission queue holds: all go out, each is reported. */
START_TEST(test_more_sends_than_entries)
{
	int fds[2];

	io_unix_pair(fds);
	start(0, 0);
	for (uint32_t i = 0; i < 3 * RING_ENTRIES; i++) {
		ring_send_now(&ring, &one.op, i % 32, fds[0], big + i, 1);
		if (i % 100 == 99)
			while (
			    recv(fds[1], big + BIG / 2, 4096, MSG_DONTWAIT) > 0)
				;
	}
	turns(&one, 3 * RING_ENTRIES);
	ck_assert_uint_eq(one.n, 3 * RING_ENTRIES);
	for (uint32_t i = 0; i < one.n; i++) {
		int res = one.log[i].result.res;

		ck_assert(res == 1 || res == -EAGAIN);
	}
	stop(fds);
}
END_TEST

/* -- giving back ------------------------------------------------------- */

/* Not every kernel can; then nothing is different. */
static bool shrinks(void)
{
	int err;

	while ((err = ring_shrink(&ring)) == -EAGAIN)
		ring_turn(&ring, 0);
	if (err) {
		printf("ring_shrink: %s, left out\n", br_strerror(err));
		ck_assert_uint_eq(ring.n_buffers, 1024);
		return false;
	}
	return true;
}

static void receives_and_sends(int fds[2], uint32_t tag)
{
	uint32_t n = one.n;
	char sent[100];

	ring_recv(&ring, &one.op, tag, fds[0], true);
	io_write(fds[1], big, 3000);
	turns(&one, n + 1);
	ck_assert_uint_eq(last(&one)->flags & OP_BUFFER, OP_BUFFER);
	ck_assert_int_eq(last(&one)->res, 3000);
	ck_assert_int_eq(
	    memcmp(ring_buffer(&ring, last(&one)->buffer), big, 3000), 0);
	ring_buffer_return(&ring, last(&one)->buffer);
	n = two.n;
	ring_send_now(&ring, &two.op, tag, fds[1], big, 100);
	ring_hurry(&ring);
	turns(&two, n + 1);
	ck_assert_int_eq(last(&two)->res, 100);
	ck_assert_int_eq(recv(fds[0], sent, sizeof sent, MSG_WAITALL), 100);
	ck_assert_int_eq(memcmp(sent, big, sizeof sent), 0);
}

START_TEST(test_shrinks_and_works_on)
{
	int fds[2], waiting[2];

	io_tcp_pair(fds);
	io_tcp_pair(waiting);
	start(1024, 0);
	receives_and_sends(fds, 1);
	/* Some in the kernel, one prepared only. */
	ring_recv_many(&ring, &two.op, 2, waiting[0]);
	ring_poll(&ring, &one.op, 3, fds[0], POLLRDHUP);
	ring_turn(&ring, 0);
	ring_recv(&ring, &two.op, 4, waiting[1], true);
	if (shrinks()) {
		ck_assert_uint_eq(ring.n_buffers, RING_SMALL_BUFFERS);
		ck_assert_uint_eq(ring.buffers_free, RING_SMALL_BUFFERS);
		ck_assert_uint_eq(
		    ring.uring.sq.ring_entries, RING_SMALL_ENTRIES);
		ck_assert_uint_eq(
		    ring.uring.cq.ring_entries, RING_SMALL_CQ_ENTRIES);
		/* Once is enough. */
		ck_assert_int_eq(ring_shrink(&ring), 0);
	}
	/* Who waited for a buffer of before hears of it, once. */
	two.n = 0;
	io_write(waiting[1], big, 1000);
	turns(&two, 1);
	if (ring.n_buffers == RING_SMALL_BUFFERS) {
		ck_assert_int_eq(last(&two)->res, -ENOBUFS);
		ck_assert_uint_eq(last(&two)->flags & OP_MORE, 0);
		ring_recv_many(&ring, &two.op, 2, waiting[0]);
		turns(&two, 2);
	}
	ck_assert_int_eq(last(&two)->res, 1000);
	ck_assert_uint_eq(two.log[two.n - 1].tag, 2);
	ring_buffer_return(&ring, last(&two)->buffer);
	/* More than the queues have room for, so that they turn round. */
	for (uint32_t i = 0; i < 2 * RING_SMALL_CQ_ENTRIES; i++) {
		one.n = 0;
		two.n = 0;
		receives_and_sends(fds, 1);
	}
	shutdown(fds[1], SHUT_WR);
	one.n = 0;
	turns(&one, 1);
	ck_assert_uint_eq(last(&one)->res & POLLRDHUP, POLLRDHUP);
	ring_cancel_fd(&ring, waiting[0]);
	ring_cancel_fd(&ring, waiting[1]);
	while (two.op.in_flight)
		ring_turn(&ring, NS_PER_S);
	close(waiting[0]);
	close(waiting[1]);
	stop(fds);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("ring");
	struct ring_options options = {0};
	int err = ring_init(&ring, &options, &metrics);

	tcase_add_test(tcase, test_explain);
	if (err) {
		printf("test_ring: only its texts are tested: %s\n",
		    ring_explain(err));
		return io_check_main(tcase);
	}
	ring_fini(&ring);
	tcase_add_test(tcase, test_receive_once);
	tcase_add_test(tcase, test_receive_many_runs_out_of_buffers);
	tcase_add_test(tcase, test_into_own_memory);
	tcase_add_loop_test(tcase, test_inline_send_is_silent, 0, 2);
	tcase_add_loop_test(tcase, test_submit_sends_before_the_turn, 0, 2);
	tcase_add_loop_test(tcase, test_full_socket_says_how_far, 0, 2);
	tcase_add_test(tcase, test_successes_and_failures_mixed);
	tcase_add_test(tcase, test_send_that_waits);
	tcase_add_test(tcase, test_accept_connect_close);
	tcase_add_test(tcase, test_poll_and_cancel);
	tcase_add_test(tcase, test_hurry_does_not_sleep);
	tcase_add_test(tcase, test_failed_send_hides_in_overflow);
	tcase_add_test(tcase, test_overflow_that_stays);
	tcase_add_test(tcase, test_poll_that_stays);
	tcase_add_test(tcase, test_more_sends_than_entries);
	tcase_add_test(tcase, test_shrinks_and_works_on);
	return io_check_main(tcase);
}
