/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/plan_sockets.h"

#include "base/assert.h"
#include "daemon/passed.h"
#include "lb/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int plan_sockets_probe(const struct addr *addr, bool transparent)
{
	int one = 1, err = 0, fd;

	if (addr_is_unix(addr) || passed_has(MANIFEST_LISTENER, addr))
		return 0;
	fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (addr->sa.sa_family == AF_INET6)
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (transparent)
		err = sock_set_transparent(fd, addr->sa.sa_family, true);
	if (!err && bind(fd, &addr->sa, addr->length))
		err = -errno;
	close(fd);
	return err;
}

static void remember_file(struct plan_sockets *sockets)
{
	const char *path = sockets->addr.un.sun_path;
	struct stat st;

	if (!addr_is_unix(&sockets->addr) || path[0] == '\0' ||
	    lstat(path, &st))
		return;
	/* As with a port: who may connect is up to the folder, not to our
	 * umask. */
	(void)chmod(path, 0666);
	sockets->device = st.st_dev;
	sockets->inode = st.st_ino;
}

/* A later plan, or another process, may have put its own there. */
static void remove_file(const struct plan_sockets *sockets)
{
	struct stat st;

	if (sockets->inode && !sockets->borrowed &&
	    !lstat(sockets->addr.un.sun_path, &st) &&
	    st.st_dev == sockets->device && st.st_ino == sockets->inode)
		(void)unlink(sockets->addr.un.sun_path);
}

/* One of those that the generation before had, for another worker, too. */
static int copy_of(const struct passed *passed, uint32_t i)
{
	int fd = fcntl(passed->fds[i % passed->n], F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

static int open_one(
    struct plan_sockets *sockets, const struct passed *passed, uint32_t i)
{
	bool shared = addr_is_unix(&sockets->addr);
	int fd;

	if (i < passed->n)
		fd = passed->fds[i];
	else if (shared && i)
		fd = sockets->fds[0];
	else if (passed->n)
		fd = copy_of(passed, i);
	else
		fd = sock_listen(&sockets->addr, &sockets->options);
	if (fd < 0)
		return fd;
	sockets->fds[i] = fd;
	sockets->acceptors[i] = acceptor_new(fd, shared);
	return sockets->acceptors[i] ? 0 : -ENOMEM;
}

static struct plan_sockets *sockets_new(const struct addr *addr,
    const struct sock_listen_options *options, uint32_t n_fds)
{
	struct plan_sockets *sockets = calloc(1, sizeof *sockets);

	if (!sockets)
		br_out_of_memory("listening sockets", sizeof *sockets);
	sockets->addr = *addr;
	sockets->references = 1;
	sockets->n_fds = n_fds;
	sockets->options = *options;
	sockets->options.reuse_port = !addr_is_unix(addr);
	sockets->fds = malloc(n_fds * sizeof *sockets->fds);
	sockets->acceptors = calloc(n_fds, sizeof(struct acceptor *));
	if (!sockets->fds || !sockets->acceptors)
		br_out_of_memory("listening sockets", n_fds * 12);
	memset(sockets->fds, 0xff, n_fds * sizeof *sockets->fds);
	return sockets;
}

/* Its options are whatever the generation before wanted: the next
 * plan_sockets_adjust() sets them all. */
static void take_over(struct plan_sockets *sockets, const struct passed *passed)
{
	sockets->options.backlog = 0;
	sockets->options.keepalive_ms = UINT64_MAX;
	sockets->options.user_timeout_ms = UINT64_MAX;
	sockets->device = (dev_t)passed->device;
	sockets->inode = (ino_t)passed->inode;
	sockets->borrowed = true;
}

int plan_sockets_open(const struct addr *addr,
    const struct sock_listen_options *options, uint32_t n_workers,
    struct plan_sockets **ret)
{
	struct passed passed = {.n = 0};
	bool found = passed_take(MANIFEST_LISTENER, addr, &passed);
	uint32_t n = passed.n > n_workers ? passed.n : n_workers;
	struct plan_sockets *sockets = sockets_new(addr, options, n);
	int err = 0;

	for (uint32_t i = 0; i < n && !err; i++)
		err = open_one(sockets, &passed, i);
	if (err) {
		plan_sockets_unref(sockets);
		return err;
	}
	sockets->n_passed = passed.n;
	if (found)
		take_over(sockets, &passed);
	else
		remember_file(sockets);
	*ret = sockets;
	return 0;
}

/* The generation before was root when it bound them, perhaps, or had other
 * rights: then the copies serve. */
void plan_sockets_open_beside(struct plan_sockets *sockets)
{
	if (!sockets->n_passed || addr_is_unix(&sockets->addr))
		return;
	for (uint32_t i = sockets->n_passed; i < sockets->n_fds; i++) {
		int fd = sock_listen(&sockets->addr, &sockets->options);

		if (fd < 0)
			return;
		(void)dup3(fd, sockets->fds[i], O_CLOEXEC);
		close(fd);
	}
}

void plan_sockets_close(struct plan_sockets *sockets)
{
	/* Others are closed by their acceptors. */
	if (!addr_is_unix(&sockets->addr) || sockets->fds[0] < 0)
		return;
	remove_file(sockets);
	close(sockets->fds[0]);
	memset(sockets->fds, 0xff, sockets->n_fds * sizeof *sockets->fds);
	sockets->inode = 0;
}

void plan_sockets_unref(struct plan_sockets *sockets)
{
	bool is_unix = addr_is_unix(&sockets->addr);

	br_assert(sockets->references > 0);
	if (--sockets->references)
		return;
	for (uint32_t i = 0; i < sockets->n_fds; i++) {
		/* Closes the socket, too, if it was never started. */
		if (sockets->acceptors[i])
			acceptor_free(sockets->acceptors[i]);
		else if (sockets->fds[i] >= 0 && !is_unix)
			close(sockets->fds[i]);
	}
	plan_sockets_close(sockets);
	free(sockets->acceptors);
	free(sockets->fds);
	free(sockets);
}

static void set_option(int fd, int level, int name, uint64_t value)
{
	int v = (int)value;

	(void)setsockopt(fd, level, name, &v, sizeof v);
}

static void adjust_one(int fd, const struct sock_listen_options *options)
{
	uint64_t seconds = (options->keepalive_ms + 999) / 1000;

	/* Later connections inherit these; those that are open keep theirs,
	 * as with any other configuration of a flow. */
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, seconds != 0);
	if (seconds) {
		set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
		set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds);
	}
	set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, options->user_timeout_ms);
}

void plan_sockets_adjust(
    struct plan_sockets *sockets, const struct sock_listen_options *options)
{
	struct sock_listen_options *now = &sockets->options;
	bool is_unix = addr_is_unix(&sockets->addr);

	for (uint32_t i = 0; i < (is_unix ? 1 : sockets->n_fds); i++) {
		/* listen() again only changes the queue's length. */
		if (options->backlog != now->backlog)
			(void)listen(sockets->fds[i], (int)options->backlog);
		if (!is_unix &&
		    (options->keepalive_ms != now->keepalive_ms ||
			options->user_timeout_ms != now->user_timeout_ms))
			adjust_one(sockets->fds[i], options);
		if (!is_unix && options->transparent != now->transparent)
			(void)sock_set_transparent(sockets->fds[i],
			    sockets->addr.sa.sa_family, options->transparent);
	}
	now->backlog = options->backlog;
	now->keepalive_ms = options->keepalive_ms;
	now->user_timeout_ms = options->user_timeout_ms;
	now->transparent = options->transparent;
}

static const char *advice(const struct addr *addr, int error)
{
	switch (error) {
	case -EADDRINUSE:
		return addr_is_unix(addr)
			   ? "another process listens on that path, or it is "
			     "no socket; stop it or remove the file"
			   : "another process listens there; find it with "
			     "`ss -tulnp`, or choose another address";
	case -EACCES:
	case -EPERM:
		return addr_is_unix(addr)
			   ? "the folder must be writable for braidd"
			   : "ports below 1024 need root or "
			     "CAP_NET_BIND_SERVICE";
	case -EADDRNOTAVAIL:
		return "no interface of this host has that address; see "
		       "`ip address`";
	case -ENOENT:
		return "the folder does not exist";
	case -EMFILE:
	case -ENFILE:
		return "no file descriptor left; raise RLIMIT_NOFILE "
		       "(ulimit -n, LimitNOFILE=)";
	case -EAFNOSUPPORT:
		return "this kernel has no such address family (IPv6 off?)";
	default:
		return "the socket could not be opened";
	}
}

void plan_sockets_explain(struct plan_error *ret, const char *kind,
    const char *name, const struct addr *addr, int error)
{
	char text[ADDR_TEXT_MAX];

	addr_format(addr, text);
	ret->code = error;
	(void)snprintf(ret->text, sizeof ret->text, "%s%s: %s: %s: %s", kind,
	    name, text, br_strerror(error), advice(addr, error));
}
