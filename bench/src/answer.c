/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/src/answer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
static const char answer_keep[] = "HTTP/1.1 200 OK\r\n"
				  "Content-Length: 64\r\n"
				  "Content-Type: text/plain\r\n\r\n" BODY;
static const char answer_close[] = "HTTP/1.1 200 OK\r\n"
				   "Content-Length: 64\r\n"
				   "Content-Type: text/plain\r\n"
				   "Connection: close\r\n\r\n" BODY;

/* What has come of a head that is not complete yet; by descriptor. */
struct conn {
	size_t have;
	char head[ANSWER_HEAD_MAX];
};

static struct conn *conns[ANSWER_FDS_MAX];
static bool listeners[ANSWER_FDS_MAX];

static int listen_at(uint32_t address, uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	int one = 1;
	int fd;

	at.sin_port = htons(port);
	at.sin_addr.s_addr = address;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* Accepted sockets inherit this. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 4096)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static void conn_close(int fd)
{
	free(conns[fd]);
	conns[fd] = NULL;
	close(fd);
}

static void accept_all(int epoll, int listener)
{
	for (;;) {
		struct epoll_event ev = {.events = EPOLLIN};
		int fd =
		    accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		if (fd >= ANSWER_FDS_MAX) {
			close(fd);
			continue;
		}
		conns[fd] = calloc(1, sizeof(*conns[fd]));
		ev.data.u64 = (uint64_t)fd;
		if (!conns[fd] || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev))
			conn_close(fd);
	}
}

/*
 * Answers one head of `size` bytes. A peer that does not take an answer this
 * small at once is no bench client; it is closed.
 */
static bool answer(int fd, const char *head, size_t size)
{
	static const char token[] = "Connection: close";
	bool last = memmem(head, size, token, sizeof(token) - 1) != NULL;
	const char *text = last ? answer_close : answer_keep;
	size_t len = last ? sizeof(answer_close) - 1 : sizeof(answer_keep) - 1;
	ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

	return n == (ssize_t)len && !last;
}

/*
 * What may come before a head where the proxy passes TLS through or says who
 * the client is: a TLS record, the PROXY header of version 2. Its length, 0
 * for none, or more than there is yet.
 */
static size_t preface_bytes(const char *at, size_t size)
{
	const uint8_t *b = (const uint8_t *)at;

	if (size && b[0] == 0x16)
		return size < 5 ? 5 : 5u + (size_t)(b[3] << 8 | b[4]);
	if (size && b[0] == '\r')
		return size < 16 ? 16 : 16u + (size_t)(b[14] << 8 | b[15]);
	return 0;
}

static void on_readable(int fd)
{
	struct conn *c = conns[fd];
	ssize_t n = read(fd, c->head + c->have, ANSWER_HEAD_MAX - c->have);
	size_t start = 0;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		conn_close(fd);
		return;
	}
	c->have += (size_t)n;
	for (;;) {
		char *from = c->head + start, *end;
		size_t preface = preface_bytes(from, c->have - start);

		if (preface > c->have - start)
			break;
		start += preface;
		if (preface)
			continue;
		end = memmem(from, c->have - start, "\r\n\r\n", 4);
		if (!end)
			break;
		if (!answer(fd, from, (size_t)(end - from))) {
			conn_close(fd);
			return;
		}
		start += (size_t)(end - from) + 4;
	}
	c->have -= start;
	if (c->have == ANSWER_HEAD_MAX) {
		conn_close(fd);
		return;
	}
	if (c->have && start)
		memmove(c->head, c->head + start, c->have);
}

int answer_open(int epoll, uint32_t address, uint16_t port)
{
	struct epoll_event ev = {.events = EPOLLIN};
	int fd = listen_at(address, port);

	if (fd < 0)
		return fd;
	ev.data.u64 = (uint64_t)fd;
	if (fd >= ANSWER_FDS_MAX || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev)) {
		int err = fd >= ANSWER_FDS_MAX ? -EMFILE : -errno;

		close(fd);
		return err;
	}
	listeners[fd] = true;
	return 0;
}

void answer_on_event(int epoll, int fd)
{
	if (listeners[fd])
		accept_all(epoll, fd);
	else
		on_readable(fd);
}
