/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_train_cc.h"

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/braid_train.h"

/* The source as a file without a name, at its beginning. */
static int open_source(const char *source, size_t length)
{
	int fd = memfd_create("model.c", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (size_t at = 0; at < length;) {
		ssize_t n = write(fd, source + at, length - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int err = -errno;

			close(fd);
			return err;
		}
		at += (size_t)n;
	}
	if (lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -EIO;
	}
	return fd;
}

static int start(int source, char *object, pid_t *ret)
{
	static char name[] = "cc";
	char *const arguments[] = {name, "-std=c17", "-O2", "-fPIC", "-shared",
	    "-x", "c", "-", "-o", object, NULL};
	posix_spawn_file_actions_t actions;
	int err = posix_spawn_file_actions_init(&actions);

	if (err)
		return err;
	err = posix_spawn_file_actions_adddup2(&actions, source, STDIN_FILENO);
	if (!err)
		err =
		    posix_spawnp(ret, name, &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	return err;
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int run(int source, char *object)
{
	pid_t pid;
	int err = start(source, object, &pid);

	if (err) {
		fprintf(stderr,
		    "braid-train: --so needs a C compiler: cc: %s%s\n",
		    strerror(err),
		    err == ENOENT ? " (Debian: apt install gcc libc6-dev)"
				  : "");
		return TRAIN_UNAVAILABLE;
	}
	if (wait_for(pid)) {
		fprintf(stderr, "braid-train: cc failed\n");
		return TRAIN_FAILED;
	}
	return TRAIN_OK;
}

int train_compile(const char *source, size_t length, const char *object)
{
	char made[PATH_MAX];
	int code, fd;

	if (snprintf(made, sizeof made, "%s.%ld.tmp", object, (long)getpid()) >=
	    (int)sizeof made) {
		fprintf(
		    stderr, "braid-train: %s: the path is too long\n", object);
		return TRAIN_USAGE;
	}
	fd = open_source(source, length);
	if (fd < 0) {
		fprintf(stderr, "braid-train: the source: %s\n", strerror(-fd));
		return TRAIN_FAILED;
	}
	code = run(fd, made);
	close(fd);
	if (!code && rename(made, object)) {
		fprintf(
		    stderr, "braid-train: %s: %s\n", object, strerror(errno));
		code = TRAIN_FAILED;
	}
	if (code)
		(void)unlink(made);
	return code;
}
