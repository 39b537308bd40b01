/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the pools: where connections go. */
#include "base/assert.h"
#include "conf/schema_agent.h"
#include "conf/schema_health.h"
#include "conf/schema_table.h"

#define AT(member) .offset = offsetof(struct conf_pool, member)
#define SERVER_AT(member) .offset = offsetof(struct conf_server, member)

#define HOUR_MS (UINT64_C(3600) * 1000)

static const struct schema_choice balances[] = {
    {"rr", CONF_BALANCE_RR, SCHEMA_NOW},
    {"least", CONF_BALANCE_LEAST, SCHEMA_NOW},
    {"p2c", CONF_BALANCE_P2C, SCHEMA_NOW},
    {"maglev", CONF_BALANCE_MAGLEV, SCHEMA_NOW},
    {"source", CONF_BALANCE_SOURCE, SCHEMA_NOW},
    {"first", CONF_BALANCE_FIRST, SCHEMA_NOW},
    {"predict", 0, SCHEMA_LATER},
    {0},
};

static const struct schema_choice families[] = {
    {"any", CONF_FAMILY_ANY, SCHEMA_NOW},
    {"ipv4", CONF_FAMILY_IPV4, SCHEMA_NOW},
    {"ipv6", CONF_FAMILY_IPV6, SCHEMA_NOW},
    {0},
};

const struct schema_choice schema_health_types[] = {
    {"tcp", CONF_HEALTH_TCP, SCHEMA_NOW},
    {"http", CONF_HEALTH_HTTP, SCHEMA_NOW},
    {"tls", CONF_HEALTH_TLS, SCHEMA_NOW},
    {"send_expect", CONF_HEALTH_SEND_EXPECT, SCHEMA_NOW},
    {0},
};

static const struct schema_choice health_tls[] = {
    {"auto", CONF_HEALTH_TLS_AUTO, SCHEMA_NOW},
    {"on", CONF_HEALTH_TLS_ON, SCHEMA_NOW},
    {"off", CONF_HEALTH_TLS_OFF, SCHEMA_NOW},
    {0},
};

static const struct schema_choice proxy_versions[] = {
    {"off", CONF_PROXY_OFF, SCHEMA_NOW},
    {"v1", CONF_PROXY_V1, SCHEMA_NOW},
    {"v2", CONF_PROXY_V2, SCHEMA_NOW},
    {0},
};

static const struct schema_choice tls_verify[] = {
    {"full", CONF_TLS_VERIFY_FULL, SCHEMA_NOW},
    {"none", CONF_TLS_VERIFY_NONE, SCHEMA_NOW},
    {0},
};

static const struct schema_choice splices[] = {
    {"auto", CONF_SPLICE_AUTO, SCHEMA_NOW},
    {"always", CONF_SPLICE_ALWAYS, SCHEMA_NOW},
    {"never", CONF_SPLICE_NEVER, SCHEMA_NOW},
    {0},
};

static const struct schema_row rows[] = {
    {
	.path = "pools",
	.type = SCHEMA_MAP,
	.offset = offsetof(struct conf, pools),
	.count_offset = offsetof(struct conf, n_pools),
	.map = MAP_POOLS,
	.min = 1,
	.max = CONF_POOLS_MAX,
	.noun = "pool",
	.required = true,
	.unless = "dns",
	.example = "{origins: {servers: {a: {address: \"10.0.0.1:80\"}}}}",
	.help = "Groups of servers that do the same, by name.",
    },
    {
	.path = "pools.*",
	.type = SCHEMA_ENTRY,
	AT(name),
	.pos_offset = offsetof(struct conf_pool, pos),
	.map = MAP_POOLS,
	.element_bytes = sizeof(struct conf_pool),
	.noun = "pool",
	.help = "One pool. Its name is yours; logs, metrics and braidctl use "
		"it.",
    },
    {
	.path = "pools.*.balance",
	.type = SCHEMA_ENUM,
	AT(balance),
	.choices = balances,
	.fallback = "p2c",
	.example = "least",
	.help = "How a server is chosen for a new connection. rr (round "
		"robin) gives each its turn by weight; each worker takes "
		"turns of its own, so over several workers the order mixes "
		"and only the shares hold. least takes the server with the "
		"fewest open connections for its weight, over all workers. "
		"p2c (power of two choices) draws two servers at random by "
		"weight and takes the one with fewer: nearly as even as "
		"least, but a server that has just come back, with none yet, "
		"is not flooded with all that is new. source and maglev send "
		"a client's address to the same server each time, by weight, "
		"on every worker and every Braid with the same file; when a "
		"server is away or full only its clients move, and they "
		"come back. source looks at each server for each connection, "
		"so it is for up to some hundreds; maglev looks into a table "
		"and is for any number. first fills the servers in file "
		"order, each up to its max_connections. Keep p2c where you "
		"have no reason to change.",
    },
    {
	.path = "pools.*.servers",
	.type = SCHEMA_MAP,
	AT(servers),
	.count_offset = offsetof(struct conf_pool, n_servers),
	.map = MAP_SERVERS,
	.min = 1,
	.max = CONF_SERVERS_MAX,
	.noun = "server",
	.required = true,
	.example = "{a: {address: \"10.0.0.1:80\"}}",
	.help = "The servers of the pool, by name.",
    },
    {
	.path = "pools.*.servers.*",
	.type = SCHEMA_ENTRY,
	SERVER_AT(name),
	.pos_offset = offsetof(struct conf_server, pos),
	.map = MAP_SERVERS,
	.element_bytes = sizeof(struct conf_server),
	.noun = "server",
	.help = "One server. Its name is yours. As long as pool, name and "
		"address stay the same, a reload keeps its health, counters "
		"and what braidctl has set; otherwise it is a new server.",
    },
    {
	.path = "pools.*.servers.*.address",
	.type = SCHEMA_ORIGIN,
	SERVER_AT(addr),
	.required = true,
	.peer = true,
	.example = "10.0.0.1:8080",
	.help = "Address and port of the server, or unix: and a path. Or a "
		"name and a port: each of its addresses (A, AAAA) is a server "
		"of its own, called NAME/ADDRESS where one alone is meant, "
		"and comes and goes with the answers of the resolvers. Or "
		"srv: and a name such as _http._tcp.example.com, whose SRV "
		"records say hosts, ports and weights; the lowest priority is "
		"used, the others are backups. What is known stays in use "
		"while no resolver answers.",
    },
    {
	.path = "pools.*.servers.*.weight",
	.type = SCHEMA_INTEGER,
	SERVER_AT(weight),
	.max = 65535,
	.fallback = "1",
	.example = "10",
	.help = "Share of new connections against the other servers of the "
		"pool: with weights 1 and 3 the second gets three of four. 0: "
		"no new connections. braidctl weight changes it while "
		"running, until this key changes in the file.",
    },
    {
	.path = "pools.*.servers.*.max_connections",
	.type = SCHEMA_INTEGER,
	SERVER_AT(max_connections),
	.max = 10000000,
	.fallback = "0",
	.example = "200",
	.help = "Most connections to this server at a time, over all workers. "
		"When all servers are full, connections wait in the queue. "
		"0: no limit.",
    },
    {
	.path = "pools.*.servers.*.health_address",
	.type = SCHEMA_ADDRESS,
	SERVER_AT(health_address),
	.peer = true,
	.example = "10.0.0.1:8081",
	.help = "Address and port to check in place of the server's own and "
		"of health.port; what answers there speaks for the server.",
    },
    {
	.path = "pools.*.servers.*.zone",
	.type = SCHEMA_STRING,
	SERVER_AT(zone),
	.min = 1,
	.max = 63,
	.example = "rack-1",
	.help = "Where the server stands. Servers of Braid's own zone, "
		"global.zone, get all connections while at least 72% of the "
		"zone's weight is usable; below that their share falls in "
		"proportion and the rest goes to the other zones. Others also "
		"serve what finds all of the own zone full. Without "
		"global.zone it has no effect.",
    },
    {
	.path = "pools.*.servers.*.backup",
	.type = SCHEMA_BOOL,
	SERVER_AT(backup),
	.fallback = "false",
	.example = "true",
	.help = "Used only when no server that is no backup is usable, and "
		"then together with all other backups. Full servers are "
		"usable: connections then wait in the queue.",
    },
    {
	.path = "pools.*.resolve",
	.type = SCHEMA_OBJECT,
	.help = "Servers of this pool whose address is a name. Who is asked "
		"and how often is said in global.resolvers and "
		"global.resolve.",
    },
    {
	.path = "pools.*.resolve.family",
	.type = SCHEMA_ENUM,
	AT(resolve_family),
	.choices = families,
	.fallback = "any",
	.example = "ipv4",
	.help = "Which addresses are asked for and used. With source set, "
		"only those of its family are.",
    },
    {
	.path = "pools.*.resolve.max",
	.type = SCHEMA_INTEGER,
	AT(resolve_max),
	.min = 1,
	.max = 1024,
	.fallback = "16",
	.example = "64",
	.help = "Most addresses of one name that are used, those of the best "
		"priority and then the lowest first.",
    },
    {
	.path = "pools.*.connect",
	.type = SCHEMA_OBJECT,
	.help = "Connecting to a server.",
    },
    {
	.path = "pools.*.connect.timeout",
	.type = SCHEMA_DURATION,
	AT(connect_timeout_ms),
	.min = 1,
	.max = HOUR_MS,
	.fallback = "2s",
	.example = "500ms",
	.help = "How long one attempt to connect to a server may take before "
		"it counts as failed and the next one begins.",
    },
    {
	.path = "pools.*.connect.retries",
	.type = SCHEMA_INTEGER,
	AT(connect_retries),
	.max = 100,
	.fallback = "3",
	.example = "1",
	.help = "Further attempts after the first has failed, on another "
		"server where there is one. Never after a byte of the client "
		"has been handed to a server.",
    },
    {
	.path = "pools.*.queue",
	.type = SCHEMA_OBJECT,
	.help = "Where connections wait while all servers have reached their "
		"max_connections or none is usable.",
    },
    {
	.path = "pools.*.queue.length",
	.type = SCHEMA_INTEGER,
	AT(queue_length),
	.max = 1000000,
	.fallback = "0",
	.example = "1000",
	.help = "Most connections that wait, over all workers. 0: no queue; "
		"what finds no server is closed at once with a reset.",
    },
    {
	.path = "pools.*.queue.timeout",
	.type = SCHEMA_DURATION,
	AT(queue_timeout_ms),
	.min = 1,
	.max = HOUR_MS,
	.fallback = "5s",
	.example = "30s",
	.help = "How long a connection waits for a server before it is "
		"closed with a reset (code sQ in the access log).",
    },
    {
	.path = "pools.*.health",
	.type = SCHEMA_OBJECT,
	.defaults_when_present = true,
	.example = "{type: http, path: /healthz}",
	.help = "Checks the servers. Without this block there are no checks "
		"and every server counts as up; health: {} is enough for tcp "
		"checks. A new server counts as up until its first check, "
		"which decides at once; after it rise and fall count.",
    },
    {
	.path = "pools.*.health.type",
	.type = SCHEMA_ENUM,
	AT(health.type),
	.choices = schema_health_types,
	.fallback = "tcp",
	.example = "http",
	.help = "tcp: the server accepts a connection. tls: it also completes "
		"a TLS handshake, with a certificate as the pool's tls block "
		"wants it; without that block any will do. http: it answers "
		"a GET with one of the statuses. send_expect: it answers as "
		"health.script says.",
    },
    SCHEMA_HEALTH_TIMES("pools.*.health", conf_pool, "a server"),
    {
	.path = "pools.*.health.port",
	.type = SCHEMA_PORT,
	AT(health.port),
	.min = 1,
	.max = 65535,
	.example = "8081",
	.help = "Port to check in place of the server's own.",
    },
    {
	.path = "pools.*.health.tls",
	.type = SCHEMA_ENUM,
	AT(health.tls),
	.choices = health_tls,
	.fallback = "auto",
	.example = "off",
	.help = "Whether http and send_expect checks go through TLS, with the "
		"name and the verification of the pool's tls block. auto: "
		"when the pool has that block and the check goes to the "
		"server's own port; with health.port or a health_address it "
		"is plain. The same holds for a PROXY header, which every "
		"check of the server's own port begins with in a pool that "
		"sends them.",
    },
    SCHEMA_HEALTH_SCRIPT("pools.*.health", conf_pool, MAP_STEPS),
    SCHEMA_HEALTH_HTTP(
	"pools.*.health", conf_pool, "the server's address, or its name,"),
    {
	.path = "pools.*.health.fail_open",
	.type = SCHEMA_PERCENT,
	AT(health.fail_open_percent),
	.max = 100,
	.fallback = "20%",
	.example = "50%",
	.help = "When less than this share of the pool's weight is healthy, "
		"all its servers are used as if they were up: then the checks "
		"are more likely to be wrong, or the few that are left would "
		"be overrun. So with the default a pool whose servers are "
		"all down is still tried. Servers in drain or maintenance "
		"neither count nor are used. The log warns when it begins, "
		"and braid_pool_fail_open is 1 meanwhile. 0: never; then "
		"connections to a pool that is down wait in its queue or are "
		"closed.",
    },
    {
	.path = "pools.*.agent",
	.type = SCHEMA_OBJECT,
	.defaults_when_present = true,
	.example = "{port: 9999}",
	.help = "Asks a program beside each server how the server does, as "
		"HAProxy's agent-check: Braid connects to the port, sends the "
		"text if there is one, and reads a line of words. 75% is the "
		"share of the configured weight that the server is to have "
		"(rounded up, so give servers a weight such as 100), "
		"maxconn:30 its limit of connections; ready, drain and maint "
		"are what braidctl sets, up, down, fail and stopped its "
		"health, and #text says why. What a line does not mention "
		"stays as it was; an agent that cannot be reached or that "
		"makes no sense changes nothing. What the operator has set "
		"goes first, and a server is up only when its checks say so "
		"too: health checks go on beside it.",
    },
    SCHEMA_AGENT_KEYS("pools.*.agent", conf_pool, "the address of each server",
	24 * HOUR_MS, HOUR_MS),
    {
	.path = "pools.*.source",
	.type = SCHEMA_IP,
	AT(source),
	.word = "client",
	.example = "192.0.2.10",
	.help = "Local address from which the servers are connected, of the "
		"same family as theirs. Without it, the kernel chooses. "
		"client: each client's own address (with proxy_protocol, that "
		"of the header) and a port of the kernel's choice, so that "
		"servers see their clients without being told. What servers "
		"answer must be routed through this machine, braidd needs "
		"CAP_NET_RAW, and clients of another family than the server, "
		"or on unix sockets, are closed (code PC): see "
		"docs/transparent.md. Health checks keep the kernel's choice.",
    },
    {
	.path = "pools.*.maglev",
	.type = SCHEMA_OBJECT,
	.help = "Of balance: maglev.",
    },
    {
	.path = "pools.*.maglev.table",
	.type = SCHEMA_INTEGER,
	AT(maglev_table),
	.min = 251,
	.max = 5000011,
	.fallback = "65537",
	.example = "655373",
	.help = "Places in the table of balance: maglev, a prime, best 100 "
		"times the number of servers or more. A place takes 2 bytes. "
		"All Braids that shall send a client to the same server need "
		"the same number.",
    },
    {
	.path = "pools.*.slow_start",
	.type = SCHEMA_DURATION,
	AT(slow_start_ms),
	.max = HOUR_MS,
	.fallback = "0s",
	.example = "30s",
	.help = "Time over which a server that came back (health, braidctl "
		"ready, end of an ejection) gets its full share: weight and "
		"max_connections grow evenly from 10% to all. Not at start. "
		"0s: at once.",
    },
    {
	.path = "pools.*.outlier",
	.type = SCHEMA_OBJECT,
	.defaults_when_present = true,
	.example = "{errors: 10}",
	.help = "Takes out servers that fail real connections. Without this "
		"block there is no such thing; {} is enough for the "
		"defaults.",
    },
    {
	.path = "pools.*.outlier.errors",
	.type = SCHEMA_INTEGER,
	AT(outlier.errors),
	.min = 1,
	.max = 1000,
	.fallback = "5",
	.example = "10",
	.help = "Failures in a row, over all workers, until a server is taken "
		"out: a connect that fails or times out, a reset before the "
		"first byte of an answer, a timeout while the server's "
		"answer is due. An answer ends the row.",
    },
    {
	.path = "pools.*.outlier.eject",
	.type = SCHEMA_DURATION,
	AT(outlier.eject_ms),
	.min = 1,
	.max = HOUR_MS,
	.fallback = "30s",
	.example = "1m",
	.help = "For how long the first time; each further time as much "
		"longer, up to 10 times as long. As long a time without "
		"ejection takes one such step back.",
    },
    {
	.path = "pools.*.outlier.max_ejected",
	.type = SCHEMA_PERCENT,
	AT(outlier.max_ejected_percent),
	.max = 100,
	.fallback = "50%",
	.example = "30%",
	.help = "Largest share of the servers that are otherwise usable which "
		"may be out at a time, rounded down: of one server, none. "
		"When nobody else is usable, those that are out are used.",
    },
    {
	.path = "pools.*.proxy_protocol",
	.type = SCHEMA_ENUM,
	AT(proxy_out),
	.choices = proxy_versions,
	.fallback = "off",
	.example = "v2",
	.help = "Begins every connection to a server with a PROXY header, so "
		"that it knows the client's address; v2 also tells what is "
		"known of the client's TLS. The servers must expect it.",
    },
    {
	.path = "pools.*.splice",
	.type = SCHEMA_ENUM,
	AT(splice),
	.choices = splices,
	.fallback = "auto",
	.example = "never",
	.help = "Moves bytes in the kernel, without copies. auto: bulk only.",
    },
    {
	.path = "pools.*.tls",
	.type = SCHEMA_OBJECT,
	.unshown = true,
	.defaults_when_present = true,
	.example = "{ca: /etc/braid/origins.pem, sni: origin.example.com}",
	.help = "Speaks TLS to the servers; {} verifies their certificates "
		"against the system's authorities.",
    },
    {
	.path = "pools.*.tls.ca",
	.type = SCHEMA_PATH,
	AT(tls.ca),
	.pos_offset = offsetof(struct conf_pool, tls.ca_pos),
	.max = 4000,
	.example = "/etc/braid/origins.pem",
	.help = "PEM file with the authorities of the servers' certificates; "
		"without it, the system's.",
    },
    {
	.path = "pools.*.tls.crl",
	.type = SCHEMA_PATH,
	AT(tls.crl),
	.pos_offset = offsetof(struct conf_pool, tls.crl_pos),
	.max = 4000,
	.example = "/etc/braid/origins.crl",
	.help = "PEM file with their revocation lists.",
    },
    {
	.path = "pools.*.tls.verify",
	.type = SCHEMA_ENUM,
	AT(tls.verify),
	.choices = tls_verify,
	.fallback = "full",
	.example = "none",
	.help = "full: the certificate must come from a known authority and "
		"be for tls.sni or, without it, for the server's address. "
		"none: anybody may answer.",
    },
    {
	.path = "pools.*.tls.sni",
	.type = SCHEMA_HOST,
	AT(tls.sni),
	.max = 255,
	.example = "origin.example.com",
	.help = "Name asked for and expected in the certificate. Without it, "
		"the name that the server has as its address (of a service "
		"the host that the record names), if it has one.",
    },
    {
	.path = "pools.*.tls.cert",
	.type = SCHEMA_PATH,
	AT(tls.cert),
	.pos_offset = offsetof(struct conf_pool, tls.cert_pos),
	.max = 4000,
	.example = "/etc/braid/client.pem",
	.help = "PEM file with a certificate that Braid shows to servers.",
    },
    {
	.path = "pools.*.tls.key",
	.type = SCHEMA_PATH,
	AT(tls.key),
	.pos_offset = offsetof(struct conf_pool, tls.key_pos),
	.max = 4000,
	.example = "/etc/braid/client.key",
	.help = "PEM file with its private key; without it, the key is "
		"expected in tls.cert.",
    },
    {
	.path = "pools.*.tls.alpn",
	.type = SCHEMA_TEXTS,
	AT(tls.alpn),
	.example = "[http/1.1]",
	.help = "Protocols offered to servers.",
    },
    {0},
};

const struct schema_block schema_pools = {rows, BR_COUNT(rows) - 1};
