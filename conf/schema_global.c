/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the process as a whole: global, api, limits, upgrade. */
#include "base/assert.h"
#include "conf/schema_table.h"

#define AT(member) .offset = offsetof(struct conf, member)
#define POS(member) .pos_offset = offsetof(struct conf, member)

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

static const struct schema_choice log_formats[] = {
    {"logfmt", LOG_LOGFMT, SCHEMA_NOW},
    {"json", LOG_JSON, SCHEMA_NOW},
    {0},
};

static const struct schema_choice log_levels[] = {
    {"error", LOG_ERROR, SCHEMA_NOW},
    {"warn", LOG_WARN, SCHEMA_NOW},
    {"info", LOG_INFO, SCHEMA_NOW},
    {"debug", LOG_DEBUG, SCHEMA_NOW},
    {0},
};

static const struct schema_choice ktls_choices[] = {
    {"off", CONF_KTLS_OFF, SCHEMA_NOW},
    {"auto", CONF_KTLS_AUTO, SCHEMA_NOW},
    {0},
};

static const struct schema_row rows[] = {
    {
	.path = "global",
	.type = SCHEMA_OBJECT,
	.help = "The process itself: threads, user, sockets, log.",
    },
    {
	.path = "global.workers",
	.type = SCHEMA_INTEGER,
	AT(global.workers),
	.word = "auto",
	.min = 1,
	.max = CONF_WORKERS_MAX,
	.fallback = "auto",
	.example = "4",
	.restart = true,
	.help = "Number of worker threads. Each has its own ring, listening "
		"sockets and memory. auto starts one for each CPU that the "
		"process may run on.",
    },
    {
	.path = "global.max_connections",
	.type = SCHEMA_INTEGER,
	AT(global.max_connections),
	.word = "auto",
	.min = 1,
	.max = 10000000,
	.fallback = "auto",
	.example = "20000",
	.restart = true,
	.help = "Most client connections at a time, over all listeners. auto "
		"computes it from the limit of open files (RLIMIT_NOFILE) "
		"after raising that to its hard limit; a larger number than "
		"that allows is lowered, with a warning.",
    },
    {
	.path = "global.user",
	.type = SCHEMA_STRING,
	AT(global.user),
	POS(global.user_pos),
	.min = 1,
	.max = 64,
	.fallback = "braid",
	.example = "www-data",
	.restart = true,
	.help = "The user that braidd becomes when it was started by root, "
		"after the sockets are bound. If braid does not exist, nobody "
		"is taken. root is allowed, with a warning. Not used when "
		"started by another user.",
    },
    {
	.path = "global.state_dir",
	.type = SCHEMA_PATH,
	AT(global.state_dir),
	.max = 4000,
	.fallback = "/var/lib/braid",
	.example = "/srv/braid",
	.restart = true,
	.help = "Folder for what must outlive the process. This version makes "
		"it when started by root, but keeps nothing there yet.",
    },
    {
	.path = "global.control",
	.type = SCHEMA_PATH,
	AT(global.control),
	.max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1,
	.fallback = "/run/braid/control.sock",
	.example = "/tmp/braid.sock",
	.restart = true,
	.help = "Path of the unix socket that braidctl speaks to.",
    },
    {
	.path = "global.zone",
	.type = SCHEMA_STRING,
	AT(global.zone),
	.min = 1,
	.max = 63,
	.example = "rack-1",
	.help = "Where this Braid stands: servers of the same zone are "
		"preferred, as pools.*.servers.*.zone says.",
    },
    {
	.path = "global.drain",
	.type = SCHEMA_DURATION,
	AT(global.drain_ms),
	.max = 7 * DAY_MS,
	.fallback = "30s",
	.example = "5m",
	.help = "How long live connections may go on after the signal TERM "
		"(systemctl stop) before they are closed. New ones are not "
		"accepted meanwhile. A second TERM ends at once.",
    },
    {
	.path = "global.resolvers",
	.type = SCHEMA_RESOLVERS,
	AT(global.resolvers),
	.max = CONF_RESOLVERS_MAX,
	.example = "[192.0.2.53, \"[2001:db8::53]:5353\"]",
	.help = "DNS servers to ask for the names of servers, in this order. "
		"Without this key those of /etc/resolv.conf are asked, with "
		"its search list, after /etc/hosts; a change of these files "
		"is noticed.",
    },
    {
	.path = "global.resolve",
	.type = SCHEMA_OBJECT,
	.help = "How the names of servers are resolved.",
    },
    {
	.path = "global.resolve.timeout",
	.type = SCHEMA_DURATION,
	AT(global.resolve_timeout_ms),
	.min = 50,
	.max = 60000,
	.fallback = "1s",
	.example = "500ms",
	.help = "How long one DNS server may take to answer before the next "
		"one is asked. It doubles with each round.",
    },
    {
	.path = "global.resolve.retries",
	.type = SCHEMA_INTEGER,
	AT(global.resolve_retries),
	.max = 10,
	.fallback = "1",
	.example = "3",
	.help = "Further rounds over all DNS servers before a question has "
		"failed. It is then asked again after 1, 2, 4 ... 30 seconds.",
    },
    {
	.path = "global.resolve.min_ttl",
	.type = SCHEMA_DURATION,
	AT(global.resolve_min_ttl_ms),
	.min = 1000,
	.max = 3600 * 1000,
	.fallback = "1s",
	.example = "10s",
	.help = "An answer is used at least this long before the name is "
		"asked for again, also when its TTL is shorter.",
    },
    {
	.path = "global.resolve.max_ttl",
	.type = SCHEMA_DURATION,
	AT(global.resolve_max_ttl_ms),
	.min = 1000,
	.max = 3600 * 1000,
	.fallback = "1h",
	.example = "5m",
	.help = "A name is asked for again after this time at the latest, "
		"also when the TTL of the answer is longer.",
    },
    {
	.path = "global.resolve.hold",
	.type = SCHEMA_DURATION,
	AT(global.resolve_hold_ms),
	.max = 7 * DAY_MS,
	.fallback = "30s",
	.example = "5m",
	.help = "How long the addresses of a name are used on after the DNS "
		"has said that the name is gone, or has none any more. While "
		"no resolver answers they are used without limit.",
    },
    {
	.path = "global.ktls",
	.type = SCHEMA_ENUM,
	AT(global.ktls),
	.choices = ktls_choices,
	.fallback = "off",
	.example = "auto",
	.restart = true,
	.help = "Kernel TLS (kTLS). auto: directions of TLS connections that "
		"carry bulk are encrypted by the kernel, and spliced where "
		"the other side is plain, if a trial at the start shows that "
		"it can (load its module tls before). What it refuses "
		"is encrypted by OpenSSL as without. A peer that asks for new "
		"keys on such a connection is disconnected. Written for "
		"kernels that the authors do not have: tested against a "
		"model of the kernel's interface, not yet measured.",
    },
    {
	.path = "global.log",
	.type = SCHEMA_OBJECT,
	.help = "Logs go to standard error.",
    },
    {
	.path = "global.log.format",
	.type = SCHEMA_ENUM,
	AT(global.log_format),
	.choices = log_formats,
	.fallback = "logfmt",
	.example = "json",
	.help = "logfmt prints key=value pairs, json one JSON object a line.",
    },
    {
	.path = "global.log.level",
	.type = SCHEMA_ENUM,
	AT(global.log_level),
	.choices = log_levels,
	.fallback = "info",
	.example = "warn",
	.help = "The least important events that are logged. The access log "
		"does not depend on it.",
    },
    {
	.path = "global.log.access",
	.type = SCHEMA_BOOL,
	AT(global.log_access),
	.fallback = "true",
	.example = "false",
	.help = "Whether each connection gets a line in the log when it ends.",
    },
    {
	.path = "api",
	.type = SCHEMA_OBJECT,
	.help = "The HTTP interface for people and monitoring.",
    },
    {
	.path = "api.listen",
	.type = SCHEMA_ADDRESS,
	AT(api.listen),
	POS(api.listen_pos),
	.word = "off",
	.fallback = "127.0.0.1:9900",
	.example = "\"[::1]:9900\"",
	.restart = true,
	.help = "Address and port of /metrics, or off. It has no "
		"authentication, so keep it on loopback or on a network that "
		"you trust.",
    },
    {
	.path = "agent",
	.type = SCHEMA_OBJECT,
	.help = "Answers other Braids (pops.*.agent, pools.*.agent) and "
		"HAProxy (agent-check) that ask how this one does.",
    },
    {
	.path = "agent.listen",
	.type = SCHEMA_ADDRESS,
	AT(agent.listen),
	POS(agent.listen_pos),
	.word = "off",
	.fallback = "off",
	.example = "\"10.0.0.20:9999\"",
	.restart = true,
	.help = "Address and port where a line of words says how this process "
		"does: up, ready and a percentage; drain while it drains or "
		"operators have drained what it could use; down when no pool "
		"has a server that is usable. The percentage is 100 while at "
		"most 70% of global.max_connections and of the processor "
		"time of its workers are used, and falls evenly to 30 at all "
		"of it. It has no authentication and changes nothing here.",
    },
    {
	.path = "agent.allow",
	.type = SCHEMA_PREFIXES,
	AT(agent.allow),
	.example = "[10.0.0.0/8, \"2001:db8::/32\"]",
	.help = "Who may ask; with it, all others are closed at once.",
    },
    {
	.path = "agent.smooth",
	.type = SCHEMA_DURATION,
	AT(agent.smooth_ms),
	.max = UINT64_C(3600) * 1000,
	.fallback = "60s",
	.example = "30s",
	.help = "Time constant of the exponential mean of what is used. What "
		"is reported moves clients only when answers run out, so a "
		"short one makes shares swing. 0s: as measured in the last "
		"second.",
    },
    {
	.path = "limits",
	.type = SCHEMA_OBJECT,
	.help = "What connections share: memory, and places for shards.",
    },
    {
	.path = "limits.parked_total",
	.type = SCHEMA_SIZE,
	AT(limits.parked_total_bytes),
	.min = 1u << 20,
	.max = UINT64_C(1) << 40,
	.fallback = "256MiB",
	.example = "1GiB",
	.restart = true,
	.help = "Most memory, over all workers, for bytes that were received "
		"but that the other side does not take yet. A connection "
		"whose bytes cannot be kept is ended (code RD in the access "
		"log, braid_worker_parked_full_total in the metrics).",
    },
    {
	.path = "limits.tls_memory",
	.type = SCHEMA_SIZE,
	AT(limits.tls_memory_bytes),
	.min = 8u << 20,
	.max = UINT64_C(64) << 30,
	.fallback = "1GiB",
	.example = "4GiB",
	.help = "Most memory, over all workers, for TLS connections. When "
		"seven eighths of it are used no new TLS connection begins "
		"(cause memory in braid_tls_client_failures_total); those "
		"that are open go on in the rest. An idle connection takes "
		"about 18 KiB.",
    },
    {
	.path = "limits.shard_kernel_bytes",
	.type = SCHEMA_PERCENT,
	AT(limits.shard_kernel_percent),
	.max = 100,
	.fallback = "10%",
	.example = "20%",
	.restart = true,
	.help = "Most kernel memory for pieces of sharded transfers that "
		"wait in sockets, over all workers, as a share of what TCP "
		"may use before the kernel takes memory back from all its "
		"connections: the second number of net.ipv4.tcp_mem, read at "
		"the start. When it is used up transfers get fewer shards, "
		"or none. 0%: nothing is split.",
    },
    {
	.path = "limits.sharded_flows",
	.type = SCHEMA_INTEGER,
	AT(limits.sharded_flows),
	.max = 1000000,
	.fallback = "4096",
	.example = "500",
	.restart = true,
	.help = "Most transfers that are split at a time, over all workers. "
		"Those past it come from one server. 0: none is split.",
    },
    {
	.path = "limits.shard_connections",
	.type = SCHEMA_INTEGER,
	AT(limits.shard_connections),
	.word = "auto",
	.min = 1,
	.max = 1000000,
	.fallback = "auto",
	.example = "2000",
	.restart = true,
	.help = "Most connections to servers for shards at a time, over all "
		"workers. Past it transfers get fewer shards. auto: an eighth "
		"of the limit of open files (RLIMIT_NOFILE), 16384 at most; a "
		"larger number than that eighth is lowered, with a warning. "
		"Where a pool of the file has shard.range when braidd starts, "
		"so many descriptors are kept free of other connections.",
    },
    {
	.path = "limits.window_total",
	.type = SCHEMA_SIZE,
	.when = SCHEMA_LATER,
	.max = UINT64_C(1) << 40,
	.fallback = "256MiB",
	.example = "1GiB",
	.help = "Most memory for the windows of stream shards.",
    },
    {
	.path = "upgrade",
	.type = SCHEMA_OBJECT,
	.help = "Handing over to a new braidd (braidctl upgrade).",
    },
    {
	.path = "upgrade.drain",
	.type = SCHEMA_DURATION,
	AT(upgrade.drain_ms),
	.word = "unlimited",
	.min = 1,
	.max = 365 * DAY_MS,
	.fallback = "unlimited",
	.example = "1h",
	.help = "How long the old process may keep its connections after it "
		"has handed over. What is left then is reset.",
    },
    {
	.path = "upgrade.generations",
	.type = SCHEMA_INTEGER,
	AT(upgrade.generations),
	.min = 1,
	.max = CONF_GENERATIONS_MAX,
	.fallback = "4",
	.example = "2",
	.help = "Most old processes at a time. An upgrade is refused while so "
		"many still have connections.",
    },
    {
	.path = "upgrade.timeout",
	.type = SCHEMA_DURATION,
	AT(upgrade.timeout_ms),
	.min = 100,
	.max = 600000,
	.fallback = "30s",
	.example = "1m",
	.help = "How long a new process may take until it is ready; after "
		"that it is ended and the old one goes on.",
    },
    {0},
};

const struct schema_block schema_global = {rows, BR_COUNT(rows) - 1};
