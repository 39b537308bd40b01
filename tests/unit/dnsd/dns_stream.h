/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A dns_tcp on a port of loopback, and clients of it, for the tests of DNS over
 * TCP.
 *
 * Thread:  the main thread of a test program.
 * Memory:  dns_stream_start() to dns_stream_stop().
 */
#include "tests/unit/dnsd/dns_check.h"

#include <fcntl.h>

#define COUNT(name) dns_check_count(&dns_check.metrics.name)
#define QUERY 20u /* bytes of one, without its length */
#define STREAM_BYTES (2u + DNS_MESSAGE_MAX)

static const struct dns_server_limits usual = {
    .tcp_idle_ms = DNS_CHECK_IDLE_MS, .tcp_connections = 64};

static struct dns_tcp *tcp;
static struct addr at;
/* What a client has received and not looked at yet. */
static uint8_t stream[STREAM_BYTES];
static size_t stream_length;

static inline void start_listening(void)
{
	struct addr bind_to = dns_check_ip("127.0.0.1");
	int fd = sock_listen(
	    &bind_to, &(struct sock_listen_options){.backlog = 100});

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(sock_local(fd, &at), 0);
	tcp = dns_tcp_new(fd);
	ck_assert_ptr_nonnull(tcp);
	ck_assert_int_eq(dns_tcp_fd(tcp), fd);
	ck_assert(dns_tcp_done(tcp));
	dns_tcp_start(tcp, dns_check.server);
}

/* Another in its place, with what the options say now. */
static inline void start_server(void)
{
	dns_check.server = dns_server_new(&dns_check.options);
	ck_assert_ptr_nonnull(dns_check.server);
	start_listening();
}

static inline void dns_stream_start(void)
{
	dns_check_start(&usual);
	stream_length = 0;
	start_listening();
}

static inline void stop_tcp(void)
{
	dns_tcp_stop(tcp);
	dns_check_until(dns_tcp_done(tcp));
}

static inline void dns_stream_stop(void)
{
	if (!dns_tcp_done(tcp))
		stop_tcp();
	dns_tcp_free(tcp);
	dns_check_stop();
}

/* `window`: bytes that its socket takes unread; 0: as usual. */
static inline int connect_with(int window)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert(!window || !setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window,
				 sizeof window));
	ck_assert_int_eq(connect(fd, &at.sa, at.length), 0);
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static inline int connect_one(void)
{
	return connect_with(0);
}

static inline int connect_accepted(void)
{
	uint64_t before = COUNT(tcp_accepted);
	int fd = connect_one();

	dns_check_until(COUNT(tcp_accepted) > before);
	return fd;
}

/* A frame into `ret`; returns its size. */
static inline size_t frame(uint8_t *ret, uint16_t id, uint16_t answer_size)
{
	ret[0] = 0;
	ret[1] = QUERY;
	dns_check_query(ret + 2, QUERY, id, answer_size, 0, 0);
	return 2 + QUERY;
}

static inline void push(int fd, const void *bytes, size_t size)
{
	ck_assert_int_eq(send(fd, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
}

static inline void ask(int fd, uint16_t id, uint16_t answer_size)
{
	uint8_t bytes[2 + QUERY];

	push(fd, bytes, frame(bytes, id, answer_size));
}

/* Takes what has come, up to `most` in all; false at the end of the stream, be
 * it a reset. */
static inline bool pull(int fd, size_t most)
{
	ssize_t n;

	if (stream_length == most)
		return true;
	n = recv(fd, stream + stream_length, most - stream_length, 0);
	if (n > 0)
		stream_length += (size_t)n;
	return n > 0 || (n < 0 && errno == EAGAIN);
}

/* The next answer in order. */
static inline void expect(int fd, uint16_t id, uint16_t size)
{
	size_t needed = 2u + size;

	dns_check_until(!pull(fd, needed) || stream_length == needed);
	ck_assert_uint_eq(stream_length, needed);
	ck_assert_uint_eq((stream[0] << 8 | stream[1]), size);
	ck_assert_uint_eq((stream[2] << 8 | stream[3]), id);
	ck_assert_uint_eq(stream[4] & 0x80, 0x80);
	stream_length = 0;
}

static inline void expect_end(int fd)
{
	dns_check_until(!pull(fd, sizeof stream));
	ck_assert_uint_eq(stream_length, 0);
	close(fd);
}

static inline void reset(int fd)
{
	ck_assert_int_eq(sock_set_reset_on_close(fd), 0);
	close(fd);
}
