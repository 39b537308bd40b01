/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the DNS sockets of one worker share: who answers, limits, counters,
 * and the memory for batches and connections.
 *
 *      dns_udp  dns_udp ...   dns_tcp ...       one of each a bind address
 *          └───────┴────┬────────┘
 *                  dns_server ──> hooks.answer()    ──> rrl (of all workers)
 *
 * Thread:  dns_server_new() and _free(): boot and exit, or the worker; the
 *          rest: the worker. Counters may be read by any.
 * Memory:  mapped for the limits at boot, touched on use; nothing is allocated
 *          per packet or connection.
 * Limits:  DNS_TCP_CONNECTIONS_MAX connections of a worker, whatever is asked
 *          for; a limit that a reload raises above options.tcp_max counts as
 *          that.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/metric.h"
#include "base/timer.h"
#include "dnsd/query_facts.h"
#include "dnsd/responder.h"
#include "io/ring.h"

struct dns_server;
struct rrl;
struct source_table;

#define DNS_TCP_CONNECTIONS_MAX 65536u
/* What dns_tcp counts connections under in the source table; scopes of
 * listeners are small numbers. */
#define DNS_TCP_SCOPE UINT32_MAX

/* An answer of more than one message (AXFR), made message by message as the
 * client takes them. Whoever makes one begins its struct with this. */
struct dns_transfer {
	/* The next message's size, without the length before it; 0: the last
	 * has been given. `room` is 65535. */
	size_t (*next)(
	    struct dns_transfer *transfer, uint8_t *out, size_t room);
	/* Always called once, also when the client has gone. */
	void (*end)(struct dns_transfer *transfer);
};

struct dns_server_hooks {
	/* As responder_answer(). */
	size_t (*answer)(void *context, const struct dns_client *client,
	    const uint8_t *query, size_t length, uint8_t *out, size_t room,
	    struct query_facts *ret);
	/* After an answer() over TCP whose kind is DNS_KIND_transfer: what is
	 * sent, be it one message that refuses. NULL: the connection ends.
	 * May be NULL itself where answer() gives no such kind. */
	struct dns_transfer *(*transfer)(void *context,
	    const struct dns_client *client, const uint8_t *query,
	    size_t length, const struct query_facts *facts);
	/* Whether a connection of that peer begins with a header that says
	 * whose it is. NULL: none does. */
	bool (*is_proxy)(void *context, const struct addr *peer);
	/* The bytes of that header; 0: more are needed; -errno: it is none.
	 * *source stays if it names no address. At most DNS_TCP_QUERY_MAX. */
	int (*read_proxy)(void *context, const uint8_t *bytes, size_t length,
	    struct addr *source);
	void *context;
};

/* What a reload may change. */
struct dns_server_limits {
	uint32_t rrl_rate; /* answers a second and address; 0: no limit */
	uint32_t rrl_slip; /* each so many-th goes out truncated; 0: none */
	uint64_t tcp_idle_ms;
	uint32_t tcp_connections; /* over all workers */
	uint32_t tcp_per_source; /* 0: no limit */
};

#define DNS_SERVER_METRIC_LIST(X)                                              \
	X(udp_queries, "Datagrams received")                                   \
	X(udp_answers, "Datagrams sent")                                       \
	X(udp_receive_errors, "Receives that failed")                          \
	X(udp_send_full, "Answers dropped: no room in the socket or device")   \
	X(udp_send_errors, "Answers that the kernel refused to send")          \
	X(udp_rate_dropped, "Answers dropped by dns.rrl")                      \
	X(udp_rate_slipped, "Answers truncated by dns.rrl")                    \
	X(tcp_accepted, "Connections accepted")                                \
	X(tcp_queries, "Queries over TCP")                                     \
	X(tcp_answers, "Messages sent over TCP")                               \
	X(tcp_full, "Connections refused: dns.tcp.connections, none idle")     \
	X(tcp_source_full, "Connections refused: dns.tcp.per_source")          \
	X(tcp_made_room, "Idle connections closed for new ones")               \
	X(tcp_idle_closed, "Connections closed after dns.tcp.idle")            \
	X(tcp_stalled, "Connections reset: the client did not read")           \
	X(tcp_resets, "Connections that ended with an error")                  \
	X(tcp_bad_frames, "Connections closed: no query in a frame")           \
	X(tcp_transfers, "Answers of several messages begun")

struct dns_server_metrics {
#define X(name, help) struct counter name;
	DNS_SERVER_METRIC_LIST(X)
#undef X
	struct counter tcp_open; /* gauge */
};

struct dns_server_options {
	struct ring *ring; /* with a buffer ring */
	struct timer_wheel *wheel;
	struct dns_server_hooks hooks;
	struct rrl *rrl; /* of all workers; NULL: no rates */
	struct source_table *sources; /* of all workers; NULL: no limit */
	uint32_t *tcp_connections; /* of all workers, atomic */
	uint32_t tcp_max; /* connections there is memory for */
	struct dns_server_metrics *metrics;
	struct dns_server_limits limits;
};

/* NULL on lack of memory. No socket may be using it any more when it is
 * freed. */
struct dns_server *dns_server_new(const struct dns_server_options *options);
void dns_server_free(struct dns_server *server);
/* Holds from the next query and connection on. */
void dns_server_set_limits(
    struct dns_server *server, const struct dns_server_limits *limits);
