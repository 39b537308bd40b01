/* SPDX-License-Identifier: Apache-2.0 */
#include "io/sock.h"

#include "io/ktls.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tls.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Not in every C library's headers. */
#ifndef SOL_TLS
#define SOL_TLS 282
#endif

#define SOCK_MODE (SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)

static int sock_set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value) ? -errno : 0;
}

/* What accepted sockets inherit is set once, here, instead of per flow. */
static int sock_set_inherited(int fd, const struct sock_listen_options *options)
{
	int err = sock_set_nodelay(fd);
	int seconds = (int)((options->keepalive_ms + 999) / 1000);

	if (!err && seconds) {
		err = sock_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
		if (!err)
			err = sock_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
		if (!err)
			err = sock_set(fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds);
	}
	if (!err && options->user_timeout_ms)
		err = sock_set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
		    (int)options->user_timeout_ms);
	return err;
}

/* A path is stale when nobody accepts behind it any more. */
static bool sock_unix_is_stale(const struct addr *at)
{
	struct stat st;
	int fd, err = 0;

	if (at->un.sun_path[0] == '\0' || lstat(at->un.sun_path, &st) ||
	    !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_MODE, 0);
	if (fd < 0)
		return false;
	if (connect(fd, &at->sa, at->length))
		err = errno;
	close(fd);
	return err == ECONNREFUSED;
}

int sock_set_transparent(int fd, int family, bool on)
{
	if (family == AF_INET6)
		return sock_set(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, on);
	return sock_set(fd, IPPROTO_IP, IP_TRANSPARENT, on);
}

/* Tried, not looked up: a capability may be one over another user namespace
 * than that of the network, and would then not help. */
int sock_may_be_transparent(void)
{
	int fd = socket(AF_INET, SOCK_MODE, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = sock_set_transparent(fd, AF_INET, true);
	close(fd);
	return err;
}

static int sock_bind(int fd, const struct addr *at)
{
	if (!bind(fd, &at->sa, at->length))
		return 0;
	if (errno != EADDRINUSE || !addr_is_unix(at) || !sock_unix_is_stale(at))
		return -errno;
	if (unlink(at->un.sun_path) || bind(fd, &at->sa, at->length))
		return -errno;
	return 0;
}

static int sock_prepare_listener(
    int fd, const struct addr *at, const struct sock_listen_options *options)
{
	int err = 0;

	if (!addr_is_unix(at)) {
		err = sock_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
		if (!err && options->reuse_port)
			err = sock_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
		/* "[::]:80" and "0.0.0.0:80" may be two listeners. */
		if (!err && at->sa.sa_family == AF_INET6)
			err = sock_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		/* Of either family: it is one flag of the socket (ip(7)). */
		if (!err && options->free_bind)
			err = sock_set(fd, IPPROTO_IP, IP_FREEBIND, 1);
		if (!err && options->transparent)
			err = sock_set_transparent(fd, at->sa.sa_family, true);
		if (!err)
			err = sock_set_inherited(fd, options);
	}
	if (!err)
		err = sock_bind(fd, at);
	if (!err && listen(fd, (int)options->backlog))
		err = -errno;
	return err;
}

int sock_listen(
    const struct addr *at, const struct sock_listen_options *options)
{
	int fd = socket(at->sa.sa_family, SOCK_MODE, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = sock_prepare_listener(fd, at, options);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* The port is chosen at connect, per destination, so that a source address is
 * not limited to one port range for all servers. */
static int sock_bind_address(int fd, const struct addr *source)
{
	int err = sock_set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);

	if (!err && bind(fd, &source->sa, source->length))
		err = -errno;
	return err;
}

int sock_stream(const struct addr *to, const struct addr *source)
{
	int fd = socket(to->sa.sa_family, SOCK_MODE, 0);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (source->length)
		err = sock_bind_address(fd, source);
	if (!err)
		return fd;
	close(fd);
	return err;
}

int sock_stream_as(const struct addr *to, const struct addr *source)
{
	int fd = socket(to->sa.sa_family, SOCK_MODE, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = sock_set_transparent(fd, to->sa.sa_family, true);
	if (!err)
		err = sock_bind_address(fd, source);
	if (!err)
		return fd;
	close(fd);
	return err;
}

int sock_set_unsent(int fd, uint32_t bytes)
{
	return sock_set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, (int)bytes);
}

int sock_set_pacing(int fd, uint64_t rate_bps)
{
	/* All ones is the kernel's "none". */
	uint64_t rate = rate_bps ? rate_bps : UINT64_MAX;

	return setsockopt(
		   fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof rate)
		   ? -errno
		   : 0;
}

/* <netinet/tcp.h> of the C library ends before the delivery rate. */
struct sock_tcp_info {
	struct tcp_info info;
	uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
	uint32_t segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in,
	    data_segs_out;
	uint64_t delivery_rate;
};

int sock_measured(int fd, uint32_t *ret_rtt_us, uint64_t *ret_delivery_bps)
{
	struct sock_tcp_info all = {0};
	socklen_t length = sizeof all;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &all, &length))
		return -errno;
	*ret_rtt_us = all.info.tcpi_rtt;
	*ret_delivery_bps = all.delivery_rate;
	return 0;
}

int sock_set_nodelay(int fd)
{
	return sock_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

int sock_delay_ack(int fd)
{
	return sock_set(fd, IPPROTO_TCP, TCP_QUICKACK, 0);
}

int sock_ack_now(int fd)
{
	return sock_set(fd, IPPROTO_TCP, TCP_QUICKACK, 1);
}

int sock_set_reset_on_close(int fd)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger))
		return -errno;
	return 0;
}

int sock_set_silent_close(int fd)
{
	/* A socket under repair is closed without a packet (tcp_close()). */
	if (!sock_set(fd, IPPROTO_TCP, TCP_REPAIR, 1))
		return 0;
	(void)sock_set(fd, IPPROTO_IP, IP_TTL, 1);
	(void)sock_set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 1);
	return sock_set_reset_on_close(fd);
}

int sock_shutdown_write(int fd)
{
	return shutdown(fd, SHUT_WR) ? -errno : 0;
}

int64_t sock_send_vector(
    int fd, const struct iovec *parts, uint32_t n, bool last)
{
	struct msghdr message = {
	    .msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = n};
	ssize_t sent = sendmsg(
	    fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL | (last ? MSG_MORE : 0));

	return sent < 0 ? -errno : sent;
}

int sock_ktls_start(int fd)
{
	return setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof "tls")
		   ? -errno
		   : 0;
}

int sock_ktls_keys(int fd, const struct ktls_info *info)
{
	return setsockopt(fd, SOL_TLS, TLS_TX, info->bytes, info->length)
		   ? -errno
		   : 0;
}

int sock_ktls_record(int fd, uint8_t type, const void *bytes, size_t length)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof type)];
	} control = {0};
	struct iovec part = {(void *)(uintptr_t)bytes, length};
	struct msghdr message = {.msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof control.bytes};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_TLS;
	head->cmsg_type = TLS_SET_RECORD_TYPE;
	head->cmsg_len = CMSG_LEN(sizeof type);
	*CMSG_DATA(head) = type;
	return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno
								      : 0;
}

int64_t sock_receive(int fd, void *ret, size_t room)
{
	ssize_t n = recv(fd, ret, room, MSG_DONTWAIT);

	return n < 0 ? -errno : n;
}

int sock_peek(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n < 0 ? -errno : (int)n;
}

int64_t sock_look(int fd, void *ret, size_t room)
{
	ssize_t n = recv(fd, ret, room, MSG_PEEK | MSG_DONTWAIT);

	return n < 0 ? -errno : n;
}

uint32_t sock_waiting(int fd)
{
	int n = 0;

	return ioctl(fd, FIONREAD, &n) || n < 0 ? 0 : (uint32_t)n;
}

int sock_set_receive_room(int fd, uint32_t bytes)
{
	if (!sock_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, (int)bytes))
		return 0;
	return sock_set(fd, SOL_SOCKET, SO_RCVBUF, (int)bytes);
}

uint32_t sock_receive_room(int fd)
{
	int bytes = 0;
	socklen_t length = sizeof bytes;

	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &length) || bytes < 0)
		return 0;
	return (uint32_t)bytes;
}

uint32_t sock_unsent(int fd)
{
	int n = 0;

	return ioctl(fd, SIOCOUTQ, &n) || n < 0 ? 0 : (uint32_t)n;
}

bool sock_has_error(int fd)
{
	struct pollfd look = {.fd = fd};

	return poll(&look, 1, 0) == 1 && look.revents & POLLERR;
}

int sock_accept(int fd)
{
	int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	return client < 0 ? -errno : client;
}

int sock_peer(int fd, struct addr *ret)
{
	ret->length = sizeof ret->un;
	if (getpeername(fd, &ret->sa, &ret->length)) {
		ret->length = 0;
		return -errno;
	}
	return 0;
}

int sock_local(int fd, struct addr *ret)
{
	ret->length = sizeof ret->un;
	if (getsockname(fd, &ret->sa, &ret->length)) {
		ret->length = 0;
		return -errno;
	}
	return 0;
}

int sock_error(int fd)
{
	int err = 0;
	socklen_t length = sizeof err;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &length))
		return -errno;
	return -err;
}

void sock_close(int fd)
{
	close(fd);
}
