/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the listeners: where clients come in. */
#include "conf/schema_table.h"

#define AT(member) .offset = offsetof(struct conf_listener, member)
#define POS(member) .pos_offset = offsetof(struct conf_listener, member)

#define HOUR_MS (UINT64_C(3600) * 1000)
#define TIMEOUT_BOUNDS .min = 10, .max = 720 * HOUR_MS

static const struct schema_choice proxy_choices[] = {
    {"off", 0, SCHEMA_LATER},
    {"accept", 1, SCHEMA_LATER},
    {0},
};

static const struct schema_choice tls_versions[] = {
    {"1.2", 0, SCHEMA_LATER},
    {"1.3", 1, SCHEMA_LATER},
    {0},
};

/* Keys of a later version: known, refused, documented as such. */
#define LATER(key, kind, ...)                                                  \
	{                                                                      \
		.path = "listeners.*." key, .type = kind,                      \
		.when = SCHEMA_LATER, __VA_ARGS__                              \
	}

const struct schema_row schema_listeners[] = {
    {
	.path = "listeners",
	.type = SCHEMA_MAP,
	.offset = offsetof(struct conf, listeners),
	.count_offset = offsetof(struct conf, n_listeners),
	.map = MAP_LISTENERS,
	.min = 1,
	.max = CONF_LISTENERS_MAX,
	.noun = "listener",
	.required = true,
	.example = "{web: {bind: \"0.0.0.0:80\", pool: origins}}",
	.help = "Where clients connect, by name.",
    },
    {
	.path = "listeners.*",
	.type = SCHEMA_ENTRY,
	AT(name),
	POS(pos),
	.map = MAP_LISTENERS,
	.element_bytes = sizeof(struct conf_listener),
	.noun = "listener",
	.help = "One listener. Its name is yours; logs and metrics carry it.",
    },
    {
	.path = "listeners.*.bind",
	.type = SCHEMA_ADDRESSES,
	AT(binds),
	.count_offset = offsetof(struct conf_listener, n_binds),
	.max = CONF_BINDS_MAX,
	.required = true,
	.example = "[\"0.0.0.0:80\", \"[::]:80\"]",
	.help = "One address or a list of them: IPv4, IPv6 in brackets, or "
		"unix: with a path. \"0.0.0.0:80\" is port 80 on all IPv4 "
		"addresses of this machine, \"[::]:80\" on all IPv6 ones; "
		"for both give both. Names are not resolved. A port below "
		"1024 needs root at the start, or CAP_NET_BIND_SERVICE.",
    },
    {
	.path = "listeners.*.pool",
	.type = SCHEMA_POOL,
	AT(pool),
	POS(pool_pos),
	.required = true,
	.example = "origins",
	.help = "Name of the pool that serves this listener's clients.",
    },
    {
	.path = "listeners.*.backlog",
	.type = SCHEMA_INTEGER,
	AT(backlog),
	.min = 1,
	.max = 65535,
	.fallback = "4096",
	.example = "1024",
	.help = "Connections that the kernel keeps waiting to be accepted, "
		"per worker. net.core.somaxconn limits it.",
    },
    {
	.path = "listeners.*.max_connections",
	.type = SCHEMA_INTEGER,
	AT(max_connections),
	.max = 10000000,
	.fallback = "0",
	.example = "5000",
	.help = "Most connections of this listener at a time; further ones "
		"wait in the backlog. 0: only global.max_connections limits.",
    },
    {
	.path = "listeners.*.timeout",
	.type = SCHEMA_OBJECT,
	.help = "When a connection is given up.",
    },
    {
	.path = "listeners.*.timeout.idle",
	.type = SCHEMA_DURATION,
	AT(idle_ms),
	TIMEOUT_BOUNDS,
	.fallback = "5m",
	.example = "1h",
	.help = "Closes a connection on which no byte has passed either way "
		"for this long, be it that nobody sends or that a side does "
		"not read. One byte in either direction starts it anew.",
    },
    {
	.path = "listeners.*.timeout.half_closed",
	.type = SCHEMA_DURATION,
	AT(half_closed_ms),
	TIMEOUT_BOUNDS,
	.fallback = "30s",
	.example = "2m",
	.help = "The same once one side has finished sending (half of the "
		"connection is closed) and the other has not; the shorter of "
		"this and timeout.idle counts then.",
    },
    LATER("timeout.first_bytes", SCHEMA_DURATION, TIMEOUT_BOUNDS,
	.fallback = "5s", .example = "10s",
	.help = "How long a client may take to send what routing needs."),
    LATER("timeout.handshake", SCHEMA_DURATION, TIMEOUT_BOUNDS,
	.fallback = "10s", .example = "5s",
	.help = "How long a TLS handshake may take."),
    {
	.path = "listeners.*.tcp",
	.type = SCHEMA_OBJECT,
	.help = "Options of the client's TCP connection; unix sockets ignore "
		"them.",
    },
    {
	.path = "listeners.*.tcp.keepalive",
	.type = SCHEMA_DURATION,
	AT(keepalive_ms),
	.word = "off",
	.min = 1000,
	.max = 9 * HOUR_MS,
	.zero_allowed = true,
	.fallback = "60s",
	.example = "5m",
	.help = "Idle time before the kernel probes whether the client is "
		"still there (TCP_KEEPIDLE, in whole seconds), or off.",
    },
    {
	.path = "listeners.*.tcp.user_timeout",
	.type = SCHEMA_DURATION,
	AT(user_timeout_ms),
	.word = "off",
	.max = HOUR_MS,
	.fallback = "off",
	.example = "30s",
	.help = "How long sent bytes may stay unacknowledged before the "
		"kernel gives the client up (TCP_USER_TIMEOUT), or off: then "
		"timeout.idle ends a client that has vanished or does not "
		"read. With a time here a dead client is found sooner, but "
		"Linux counts the time in which a live one does not read, "
		"too: 30s also ends who pauses a download for 30 s.",
    },
    LATER("wait", SCHEMA_DURATION, .max = 60 * 1000, .fallback = "50ms",
	.example = "100ms",
	.help = "How long to wait for a client's first bytes where a route, "
		"pool or pin needs them; servers that speak first are "
		"connected after it."),
    LATER("routes", SCHEMA_LIST,
	.example = "[{sni: \"*.example.com\", pool: x}]",
	.help = "Pools chosen by SNI, ALPN, protocol or source address; the "
		"first that matches wins, else pool."),
    LATER("proxy_protocol", SCHEMA_ENUM, .choices = proxy_choices,
	.fallback = "off", .example = "accept",
	.help = "Whether clients send a PROXY header (v1 or v2)."),
    LATER(
	"per_source", SCHEMA_OBJECT, .help = "Limits for each client address."),
    LATER("per_source.connections", SCHEMA_INTEGER, .max = 1000000,
	.example = "100", .help = "Most connections from one address."),
    LATER("per_source.rate", SCHEMA_RATE, .max = 1000000, .example = "50/s",
	.help = "Most new connections a second from one address."),
    LATER("tls", SCHEMA_OBJECT, .help = "Terminates TLS here."),
    LATER("tls.certificates", SCHEMA_LIST,
	.example = "[{cert: /etc/braid/site.pem, key: /etc/braid/site.key}]",
	.help = "Certificates and their keys, chosen by SNI."),
    LATER("tls.client_ca", SCHEMA_PATH, .max = 4000,
	.example = "/etc/braid/clients.pem",
	.help = "Clients must show a certificate of this authority."),
    LATER("tls.min", SCHEMA_ENUM, .choices = tls_versions, .fallback = "1.2",
	.example = "\"1.3\"", .help = "Oldest TLS version accepted."),
    LATER("tls.alpn", SCHEMA_LIST, .example = "[http/1.1]",
	.help = "Protocols offered to clients, best first."),
    {0},
};
