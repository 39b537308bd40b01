/* SPDX-License-Identifier: Apache-2.0 */
/* What has come while a process was stopped is heard by the turn in which it
 * goes on, before anybody acts on the time that has passed. */
#include "io/ring.h"

#include "tests/unit/io/io_check.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define TURN_NS (10 * NS_PER_MS)
/* What came so long before a turn's `now` was heard by it. */
#define HEARD_NS (100 * NS_PER_MS)
#define STOPPED_MS 300
#define ROUNDS 5

enum { CHILD_HEARD = 0, CHILD_DEAF = 1, CHILD_NO_RING = 77 };

struct recorder {
	struct op_owner op;
	uint32_t n;
} __attribute__((aligned(64)));

static struct ring ring;
static struct ring_metrics metrics;
static struct recorder reads;

static void on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result)
{
	struct recorder *r = (struct recorder *)(void *)owner;

	(void)tag;
	(void)result;
	r->n++;
}

static const struct op_class recorder_class = {
    .magic = 0x5eed, .name = "recorder", .on_complete = on_complete};

static void sleep_ms(int64_t ms)
{
	struct timespec ts = {
	    .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * NS_PER_MS};

	while (nanosleep(&ts, &ts)) {
	}
}

/* Waits for a byte; *sent_ns is when it was sent, 0 before. */
static int child_run(int fd, _Atomic int64_t *ready, _Atomic int64_t *sent_ns)
{
	struct ring_options options = {.buffer_bytes = 4096};
	char byte;

	if (ring_init(&ring, &options, &metrics))
		return CHILD_NO_RING;
	reads.op.magic = recorder_class.magic;
	reads.op.class = &recorder_class;
	ring_read(&ring, &reads.op, 0, fd, &byte, 1);
	ring_turn(&ring, 0);
	atomic_store(ready, 1);
	while (!reads.n) {
		int64_t sent;

		ring_turn(&ring, TURN_NS);
		sent = atomic_load(sent_ns);
		if (!reads.n && sent && ring.now.ns - sent > HEARD_NS)
			return CHILD_DEAF;
	}
	return CHILD_HEARD;
}

START_TEST(test_what_came_meanwhile_is_heard)
{
	_Atomic int64_t *shared = mmap(NULL, 2 * sizeof *shared,
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fds[2], status;
	pid_t child, ended;

	ck_assert(shared != MAP_FAILED);
	ck_assert_int_eq(pipe(fds), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (!child)
		_exit(child_run(fds[0], &shared[0], &shared[1]));
	ended = 0;
	while (!atomic_load(&shared[0]) && !ended) {
		ended = waitpid(child, &status, WNOHANG);
		sleep_ms(1);
	}
	if (!ended) {
		ck_assert_int_eq(kill(child, SIGSTOP), 0);
		ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
		ck_assert(WIFSTOPPED(status));
		ck_assert_int_eq(write(fds[1], "x", 1), 1);
		atomic_store(&shared[1], mono_now().ns);
		sleep_ms(STOPPED_MS);
		ck_assert_int_eq(kill(child, SIGCONT), 0);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
	}
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == CHILD_NO_RING)
		printf("test_ring_stopped: no io_uring here\n");
	else
		ck_assert_int_eq(WEXITSTATUS(status), CHILD_HEARD);
	close(fds[0]);
	close(fds[1]);
	munmap(shared, 2 * sizeof *shared);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("ring_stopped");

	tcase_add_loop_test(
	    tcase, test_what_came_meanwhile_is_heard, 0, ROUNDS);
	return io_check_main(tcase);
}
