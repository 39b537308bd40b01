/* SPDX-License-Identifier: Apache-2.0 */
#include "io/pipe.h"

#include "tests/unit/io/io_check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

#define WANT (256u << 10)

static struct pipe_pool pool;

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void nonblocking(int fd)
{
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

START_TEST(test_borrow_and_return)
{
	struct pipe *a, *b, *again;
	int read_fd;

	ck_assert_int_eq(pipe_pool_init(&pool, 2, WANT), 0);
	ck_assert_uint_eq(pool.made, 0);
	ck_assert_int_eq(pipe_borrow(&pool, &a), 0);
	ck_assert_int_eq(pipe_borrow(&pool, &b), 0);
	ck_assert_uint_eq(a->capacity_bytes, WANT);
	ck_assert_int_ne(fcntl(a->read_fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_ne(fcntl(a->write_fd, F_GETFD) & FD_CLOEXEC, 0);
	/* The limit. */
	ck_assert_int_eq(pipe_borrow(&pool, &again), -EAGAIN);
	pipe_return(&pool, a);
	ck_assert_uint_eq(pool.n_idle, 1);
	ck_assert_int_eq(pipe_borrow(&pool, &again), 0);
	ck_assert_ptr_eq(again, a);
	ck_assert_uint_eq(pool.made, 2);
	pipe_return(&pool, b);
	pipe_return(&pool, again);
	/* The one used last is warm. */
	ck_assert_int_eq(pipe_borrow(&pool, &b), 0);
	ck_assert_ptr_eq(b, again);
	pipe_return(&pool, b);
	read_fd = b->read_fd;
	pipe_pool_fini(&pool);
	ck_assert(!is_open(read_fd));
}
END_TEST

START_TEST(test_returned_with_bytes_it_is_closed)
{
	struct pipe *pipe;
	int fds[2], read_fd;

	io_unix_pair(fds);
	nonblocking(fds[0]);
	ck_assert_int_eq(pipe_pool_init(&pool, 1, WANT), 0);
	ck_assert_int_eq(pipe_borrow(&pool, &pipe), 0);
	read_fd = pipe->read_fd;
	io_write(fds[1], "secret", 6);
	ck_assert_int_eq(pipe_fill(pipe, fds[0], 100), 6);
	ck_assert_uint_eq(pipe->bytes, 6);
	pipe_return(&pool, pipe);
	ck_assert(!is_open(read_fd));
	ck_assert_uint_eq(pool.made, 0);
	/* The next one is empty. */
	ck_assert_int_eq(pipe_borrow(&pool, &pipe), 0);
	ck_assert_uint_eq(pipe->bytes, 0);
	ck_assert_int_eq(read(pipe->read_fd, fds, 1), -1);
	ck_assert_int_eq(errno, EAGAIN);
	pipe_return(&pool, pipe);
	pipe_pool_fini(&pool);
}
END_TEST

START_TEST(test_fill_and_drain)
{
	static char bytes[300000], got[300000];
	struct pipe *pipe;
	int64_t n, in = 0, out = 0;
	int from[2], to[2];

	io_tcp_pair(from);
	io_unix_pair(to);
	nonblocking(from[0]);
	nonblocking(from[1]);
	nonblocking(to[0]);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i * 31 + i / 255);
	ck_assert_int_eq(pipe_pool_init(&pool, 1, WANT), 0);
	ck_assert_int_eq(pipe_borrow(&pool, &pipe), 0);
	ck_assert_int_eq(pipe_fill(pipe, from[0], WANT), -EAGAIN);
	for (int64_t written = 0; out < (int64_t)sizeof bytes;) {
		n = send(from[1], bytes + written,
		    sizeof bytes - (size_t)written, 0);
		written += n > 0 ? n : 0;
		n = pipe_fill(
		    pipe, from[0], pipe->capacity_bytes - pipe->bytes);
		in += n > 0 ? n : 0;
		ck_assert_int_eq(in - out, pipe->bytes);
		if (!pipe->bytes)
			continue;
		n = pipe_drain(pipe, to[0]);
		ck_assert(n > 0 || n == -EAGAIN);
		while ((n = recv(to[1], got + out, sizeof got - (size_t)out,
			    MSG_DONTWAIT)) > 0)
			out += n;
		ck_assert_int_eq(in - out, pipe->bytes);
	}
	ck_assert_int_eq(memcmp(bytes, got, sizeof bytes), 0);
	close(from[1]);
	ck_assert_int_eq(pipe_fill(pipe, from[0], WANT), 0);
	pipe_return(&pool, pipe);
	pipe_pool_fini(&pool);
	close(from[0]);
	close(to[0]);
	close(to[1]);
}
END_TEST

START_TEST(test_sink_that_is_gone)
{
	struct pipe *pipe;
	int from[2], to[2];

	io_unix_pair(from);
	io_unix_pair(to);
	nonblocking(from[0]);
	nonblocking(to[0]);
	close(to[1]);
	ck_assert_int_eq(pipe_pool_init(&pool, 1, WANT), 0);
	ck_assert_int_eq(pipe_borrow(&pool, &pipe), 0);
	io_write(from[1], "abc", 3);
	ck_assert_int_eq(pipe_fill(pipe, from[0], WANT), 3);
	ck_assert_int_eq(pipe_drain(pipe, to[0]), -EPIPE);
	ck_assert_uint_eq(pipe->bytes, 3);
	pipe_return(&pool, pipe);
	ck_assert_uint_eq(pool.made, 0);
	pipe_pool_fini(&pool);
	close(from[0]);
	close(from[1]);
	close(to[0]);
}
END_TEST

static uint32_t number_in(const char *path)
{
	unsigned value = 0;
	FILE *f = fopen(path, "r");

	if (f) {
		if (fscanf(f, "%u", &value) != 1)
			value = 0;
		(void)fclose(f);
	}
	return value;
}

/* In a child without privileges: pages of pipes are then counted, by user, so
 * it is one that no other process is. Pipes get smaller, never below 64 KiB;
 * then there are none, and no descriptor is left behind. */
static int borrow_as_somebody(void)
{
	uint32_t limit = 4096, n = 0, smallest = 1u << 20, before;
	uid_t uid = 10000 + (uid_t)getpid() % 50000;
	struct pipe *borrowed;
	int odd[2];

	if (setgid(65534) || setuid(uid))
		return 2;
	/* So that whole megabytes do not use up the limit exactly. */
	if (pipe(odd))
		return 3;
	if (pipe_pool_init(&pool, limit, 1u << 20))
		return 3;
	while (n < limit && pipe_borrow(&pool, &borrowed) == 0) {
		if (borrowed->capacity_bytes > smallest)
			return 4;
		smallest = borrowed->capacity_bytes;
		n++;
	}
	before = pool.made;
	if (n == limit || smallest >= 1u << 20 || smallest < 65536)
		return 5;
	return pipe_borrow(&pool, &borrowed) == -EAGAIN && pool.made == before
		   ? 0
		   : 6;
}

START_TEST(test_smaller_before_fewer)
{
	int status;
	pid_t pid;

	if (geteuid() != 0 ||
	    number_in("/proc/sys/fs/pipe-user-pages-soft") != 16384) {
		printf("test_pipe: not root, or other limits than usual: "
		       "smaller pipes are not tested\n");
		return;
	}
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(borrow_as_somebody());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

START_TEST(test_pool_of_none)
{
	struct pipe *pipe;

	ck_assert_int_eq(pipe_pool_init(&pool, 0, WANT), 0);
	ck_assert_int_eq(pipe_borrow(&pool, &pipe), -EAGAIN);
	pipe_pool_fini(&pool);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("pipe");

	(void)signal(SIGPIPE, SIG_IGN);
	tcase_add_test(tcase, test_borrow_and_return);
	tcase_add_test(tcase, test_returned_with_bytes_it_is_closed);
	tcase_add_test(tcase, test_fill_and_drain);
	tcase_add_test(tcase, test_sink_that_is_gone);
	tcase_add_test(tcase, test_smaller_before_fewer);
	tcase_add_test(tcase, test_pool_of_none);
	return io_check_main(tcase);
}
