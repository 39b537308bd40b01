/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A dns_server on a real ring, with clients in the same thread: turns of the
 * ring alternate with looks at the clients' sockets. Time passes when the test
 * says so.
 *
 * The answerer does what the query's header says, so that each test can ask
 * for what it needs:
 *
 *      bytes 0-1  ID, echoed       2  QR is set in the answer
 *            4-5  size of the answer; 0: as the query
 *            6    DNS_KIND_*       7  DNS_COOKIE_*
 *
 * Thread:  the main thread of a test program.
 * Memory:  dns_check_start() to dns_check_stop().
 */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/source_table.h"
#include "dnsd/dns_tcp.h"
#include "dnsd/dns_udp.h"
#include "dnsd/rrl.h"
#include "io/datagram.h"
#include "io/sock.h"

#define DNS_CHECK_HEADER 12u
#define DNS_CHECK_IDLE_MS 10000
/* A turn in which nothing happens waits so long; a test gives up after
 * DNS_CHECK_TURNS of them. */
#define DNS_CHECK_WAIT_NS (5 * NS_PER_MS)
#define DNS_CHECK_TURNS 2000

static struct {
	struct ring ring;
	struct ring_metrics ring_metrics;
	struct timer_wheel wheel;
	struct dns_server *server;
	struct dns_server_metrics metrics;
	struct dns_server_options options;
	uint32_t tcp_connections;
	uint16_t idle_100ms; /* what the last query was told */
	struct addr source; /* of the last query */
} dns_check;

static size_t dns_check_answer(void *context, const struct dns_client *client,
    const uint8_t *query, size_t length, uint8_t *out, size_t room,
    struct query_facts *ret)
{
	size_t size;

	ck_assert_ptr_eq(context, &dns_check);
	*ret = (struct query_facts){0};
	dns_check.idle_100ms = client->tcp_idle_100ms;
	dns_check.source = client->source;
	if (length < DNS_CHECK_HEADER)
		return 0;
	ret->kind = query[6];
	ret->cookie = query[7];
	if (ret->kind == DNS_KIND_transfer)
		return 0;
	size = (size_t)(query[4] << 8 | query[5]);
	if (!size)
		size = length;
	if (size > room)
		size = room;
	memset(out, 0, size);
	memcpy(out, query, size < length ? size : length);
	out[2] |= 0x80;
	/* A message without questions and records. */
	memset(out + 4, 0, 8);
	return size;
}

static inline void dns_check_start(const struct dns_server_limits *limits)
{
	memset(&dns_check, 0, sizeof dns_check);
	ck_assert_int_eq(
	    ring_init(&dns_check.ring,
		&(struct ring_options){.buffers = 16, .buffer_bytes = 4096},
		&dns_check.ring_metrics),
	    0);
	timer_wheel_init(&dns_check.wheel, mono_now());
	dns_check.options = (struct dns_server_options){
	    .ring = &dns_check.ring,
	    .wheel = &dns_check.wheel,
	    .hooks = {.answer = dns_check_answer, .context = &dns_check},
	    .rrl = rrl_new(1024, 1),
	    .sources = source_table_new(100, SOURCE_IPV6_BITS, 1),
	    .tcp_connections = &dns_check.tcp_connections,
	    .tcp_max = 64,
	    .metrics = &dns_check.metrics,
	    .limits = *limits,
	};
	ck_assert_ptr_nonnull(dns_check.options.rrl);
	ck_assert_ptr_nonnull(dns_check.options.sources);
	dns_check.server = dns_server_new(&dns_check.options);
	ck_assert_ptr_nonnull(dns_check.server);
}

static inline void dns_check_turn(void)
{
	ring_turn(&dns_check.ring, DNS_CHECK_WAIT_NS);
}

/* Turns until `condition` holds; fails when it never does. */
#define dns_check_until(condition)                                             \
	do {                                                                   \
		int turns_ = 0;                                                \
		while (!(condition) && turns_++ < DNS_CHECK_TURNS)             \
			dns_check_turn();                                      \
		ck_assert(condition);                                          \
	} while (0)

/* Enough turns for whatever would happen to have happened. */
static inline void dns_check_settle(void)
{
	for (int i = 0; i < 10; i++)
		dns_check_turn();
}

/* Time goes on, as timers see it, from the last turn on: what this process had
 * to wait for the processor since counts for nothing. */
static inline void dns_check_pass(int64_t ms)
{
	(void)timer_wheel_advance(
	    &dns_check.wheel, mono_add_ms(dns_check.ring.now, ms));
}

static inline void dns_check_stop(void)
{
	dns_tcp_kill(dns_check.server);
	dns_check_until(!dns_tcp_open(dns_check.server));
	ck_assert_uint_eq(dns_check.tcp_connections, 0);
	ck_assert_uint_eq(counter_read(&dns_check.metrics.tcp_open), 0);
	dns_server_free(dns_check.server);
	rrl_free(dns_check.options.rrl);
	source_table_free(dns_check.options.sources);
	ring_fini(&dns_check.ring);
}

static inline uint64_t dns_check_count(const struct counter *counter)
{
	return counter_read(counter);
}

/* A query of `size` bytes into `ret`. */
static inline void dns_check_query(uint8_t *ret, size_t size, uint16_t id,
    uint16_t answer_size, uint8_t kind, uint8_t cookie)
{
	memset(ret, 'q', size);
	memset(ret, 0, DNS_CHECK_HEADER);
	ret[0] = (uint8_t)(id >> 8);
	ret[1] = (uint8_t)id;
	ret[4] = (uint8_t)(answer_size >> 8);
	ret[5] = (uint8_t)answer_size;
	ret[6] = kind;
	ret[7] = cookie;
}

static inline struct addr dns_check_ip(const char *text)
{
	struct addr a = {0};

	ck_assert_int_eq(addr_parse_ip(&a, text), 0);
	return a;
}
