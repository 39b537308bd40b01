/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/synonym.h"

#include <ctype.h>
#include <string.h>

#define LISTENER "listeners.*"
#define POOL "pools.*"
#define SERVER "pools.*.servers.*"

/* The block of a synonym that fits in any. */
#define ANYWHERE "*"

/* Is called that here. */
#define KEY(where, word, meant)                                                \
	{                                                                      \
		where, word, meant, NULL                                       \
	}
/* Is something else here. */
#define HINT(where, word, hint)                                                \
	{                                                                      \
		where, word, NULL, hint                                        \
	}

const struct synonym synonyms[] = {
    /* The top of the file. */
    KEY("", "frontend", "listeners"),
    KEY("", "frontends", "listeners"),
    KEY("", "listen", "listeners"),
    KEY("", "bind", "listeners"),
    KEY("", "backend", "pools"),
    KEY("", "backends", "pools"),
    KEY("", "upstream", "pools"),
    KEY("", "upstreams", "pools"),
    KEY("", "cluster", "pools"),
    KEY("", "clusters", "pools"),
    HINT("", "server", "servers stand in a pool: pools.NAME.servers"),
    HINT("", "servers", "servers stand in a pool: pools.NAME.servers"),
    KEY("", "stats", "api"),
    KEY("", "metrics", "api"),
    KEY("", "admin", "api"),
    HINT("", "defaults",
	"each listener and pool has its own keys; there is no block of defaults"),
    HINT("", "default",
	"each listener and pool has its own keys; there is no block of defaults"),
    HINT("", "stream", "listeners and pools stand at the top of the file"),
    HINT("", "http", "listeners and pools stand at the top of the file"),
    HINT("", "events", "listeners and pools stand at the top of the file"),
    HINT("", "maxconn",
	"meant is global.max_connections, or that of a listener or server"),
    HINT("", "maxconnections",
	"meant is global.max_connections, or that of a listener or server"),
    HINT("", "workerconnections",
	"meant is global.max_connections, or that of a listener or server"),
    HINT("", "workers", "meant is global.workers"),
    HINT("", "workerprocesses", "meant is global.workers"),
    HINT("", "nbthread", "meant is global.workers"),
    HINT("", "log", "meant is global.log"),
    HINT("", "logging", "meant is global.log"),
    HINT("", "errorlog", "meant is global.log"),
    HINT("", "accesslog", "meant is global.log"),
    HINT("", "timeout", "meant is listeners.NAME.timeout"),
    HINT("", "timeouts", "meant is listeners.NAME.timeout"),
    /* global. */
    KEY("global", "maxconn", "max_connections"),
    KEY("global", "workerconnections", "max_connections"),
    KEY("global", "maxclients", "max_connections"),
    KEY("global", "nbthread", "workers"),
    KEY("global", "nbproc", "workers"),
    KEY("global", "threads", "workers"),
    KEY("global", "workerprocesses", "workers"),
    KEY("global", "concurrency", "workers"),
    KEY("global", "statssocket", "control"),
    KEY("global", "socket", "control"),
    KEY("global", "stats", "control"),
    KEY("global", "hardstopafter", "drain"),
    KEY("global", "grace", "drain"),
    KEY("global", "gracefultimeout", "drain"),
    KEY("global", "workershutdowntimeout", "drain"),
    KEY("global", "errorlog", "log"),
    KEY("global", "accesslog", "log"),
    KEY("global", "logging", "log"),
    HINT("global", "daemon",
	"braidd stays in the foreground; your service manager runs it"),
    HINT("global", "group", "the groups are those of global.user"),
    KEY("global.log.level", "notice", "info"),
    KEY("global.log.level", "err", "error"),
    KEY("global.log.level", "crit", "error"),
    KEY("global.log.level", "critical", "error"),
    KEY("global.log.level", "alert", "error"),
    KEY("global.log.level", "emerg", "error"),
    /* listeners. */
    KEY(LISTENER, "listen", "bind"),
    KEY(LISTENER, "address", "bind"),
    KEY(LISTENER, "addresses", "bind"),
    KEY(LISTENER, "port", "bind"),
    KEY(LISTENER, "backend", "pool"),
    KEY(LISTENER, "defaultbackend", "pool"),
    KEY(LISTENER, "usebackend", "pool"),
    KEY(LISTENER, "upstream", "pool"),
    KEY(LISTENER, "proxypass", "pool"),
    KEY(LISTENER, "pools", "pool"),
    KEY(LISTENER, "cluster", "pool"),
    KEY(LISTENER, "maxconn", "max_connections"),
    KEY(LISTENER, "limitconn", "max_connections"),
    KEY(LISTENER, "maxclients", "max_connections"),
    HINT(LISTENER, "server", "servers stand in a pool: pools.NAME.servers"),
    HINT(LISTENER, "servers", "servers stand in a pool: pools.NAME.servers"),
    HINT(LISTENER, "balance", "a key of the pool: pools.NAME.balance"),
    HINT(LISTENER, "check", "a key of the pool: pools.NAME.health"),
    HINT(LISTENER, "health", "a key of the pool: pools.NAME.health"),
    HINT(LISTENER, "healthcheck", "a key of the pool: pools.NAME.health"),
    HINT(LISTENER, "timeoutclient", "meant is timeout.idle"),
    HINT(LISTENER, "timeoutserver", "meant is timeout.idle"),
    HINT(LISTENER, "timeouttunnel", "meant is timeout.idle"),
    HINT(LISTENER, "proxytimeout", "meant is timeout.idle"),
    HINT(LISTENER, "idletimeout", "meant is timeout.idle"),
    HINT(LISTENER, "timeoutconnect",
	"a key of the pool: pools.NAME.connect.timeout"),
    HINT(LISTENER, "connecttimeout",
	"a key of the pool: pools.NAME.connect.timeout"),
    HINT(LISTENER, "proxyconnecttimeout",
	"a key of the pool: pools.NAME.connect.timeout"),
    KEY(LISTENER, "ssl", "tls"),
    KEY(LISTENER, "crt", "tls"),
    KEY(LISTENER, "certificate", "tls"),
    KEY(LISTENER, "acceptproxy", "proxy_protocol"),
    KEY(LISTENER, "tproxy", "transparent"),
    HINT(LISTENER, "source", "a key of the pool: pools.NAME.source"),
    KEY(LISTENER ".timeout", "client", "idle"),
    KEY(LISTENER ".timeout", "server", "idle"),
    KEY(LISTENER ".timeout", "tunnel", "idle"),
    KEY(LISTENER ".timeout", "clientfin", "half_closed"),
    KEY(LISTENER ".timeout", "serverfin", "half_closed"),
    HINT(LISTENER ".timeout", "connect",
	"a key of the pool: pools.NAME.connect.timeout"),
    HINT(LISTENER ".timeout", "queue",
	"a key of the pool: pools.NAME.queue.timeout"),
    HINT(LISTENER ".timeout", "check",
	"a key of the pool: pools.NAME.health.timeout"),
    /* pools. */
    KEY(POOL, "server", "servers"),
    KEY(POOL, "members", "servers"),
    KEY(POOL, "hosts", "servers"),
    KEY(POOL, "endpoints", "servers"),
    KEY(POOL, "backends", "servers"),
    KEY(POOL, "upstreams", "servers"),
    KEY(POOL, "check", "health"),
    KEY(POOL, "checks", "health"),
    KEY(POOL, "httpchk", "health"),
    KEY(POOL, "httpcheck", "health"),
    KEY(POOL, "tcpcheck", "health"),
    KEY(POOL, "optionhttpchk", "health"),
    KEY(POOL, "healthcheck", "health"),
    KEY(POOL, "agentcheck", "agent"),
    HINT(POOL, "agentport", "meant is agent.port"),
    HINT(POOL, "agentinter", "meant is agent.interval"),
    HINT(POOL, "agentsend", "meant is agent.send"),
    KEY(POOL, "healthchecks", "health"),
    KEY(POOL, "lb", "balance"),
    KEY(POOL, "algorithm", "balance"),
    KEY(POOL, "lbalgorithm", "balance"),
    KEY(POOL, "lbpolicy", "balance"),
    KEY(POOL, "method", "balance"),
    KEY(POOL, "policy", "balance"),
    KEY(POOL, "strategy", "balance"),
    KEY(POOL, "scheduler", "balance"),
    KEY(POOL, "proxybind", "source"),
    KEY(POOL, "bindaddress", "source"),
    KEY(POOL, "usesrc", "source"),
    KEY(POOL, "originalsrc", "source"),
    HINT(POOL, "transparent", "of servers' connections: source: client"),
    HINT(POOL, "bind", "a listener has it: listeners.NAME.bind"),
    HINT(POOL, "listen", "a listener has it: listeners.NAME.bind"),
    HINT(POOL, "maxconn", "a key of each server: servers.NAME.max_connections"),
    HINT(
	POOL, "maxconns", "a key of each server: servers.NAME.max_connections"),
    HINT(POOL, "maxconnections",
	"a key of each server: servers.NAME.max_connections"),
    HINT(
	POOL, "fullconn", "a key of each server: servers.NAME.max_connections"),
    HINT(POOL, "weight", "a key of each server: servers.NAME.weight"),
    HINT(POOL, "timeoutconnect", "meant is connect.timeout"),
    HINT(POOL, "connecttimeout", "meant is connect.timeout"),
    HINT(POOL, "proxyconnecttimeout", "meant is connect.timeout"),
    HINT(POOL, "timeoutserver", "meant is timeout.idle of the listener"),
    HINT(POOL, "timeoutclient", "meant is timeout.idle of the listener"),
    HINT(POOL, "timeouttunnel", "meant is timeout.idle of the listener"),
    HINT(POOL, "proxytimeout", "meant is timeout.idle of the listener"),
    HINT(POOL, "idletimeout", "meant is timeout.idle of the listener"),
    HINT(POOL, "timeoutqueue", "meant is queue.timeout"),
    HINT(POOL, "queuetimeout", "meant is queue.timeout"),
    HINT(POOL, "timeoutcheck", "meant is health.timeout"),
    HINT(POOL, "timeout",
	"meant is connect.timeout, queue.timeout or health.timeout"),
    HINT(POOL, "timeouts",
	"meant is connect.timeout, queue.timeout or health.timeout"),
    HINT(POOL, "retries", "meant is connect.retries"),
    HINT(POOL, "maxqueue", "meant is queue.length"),
    HINT(POOL, "inter", "meant is health.interval"),
    HINT(POOL, "interval", "meant is health.interval"),
    HINT(POOL, "rise", "meant is health.rise or health.fall"),
    HINT(POOL, "fall", "meant is health.rise or health.fall"),
    HINT(POOL, "leastconn", "meant is balance: least"),
    HINT(POOL, "hash", "meant is balance"),
    HINT(POOL, "iphash", "meant is balance"),
    HINT(POOL, "hashtype", "meant is balance"),
    HINT(POOL, "sticky", "meant is balance"),
    HINT(POOL, "stick", "meant is balance"),
    HINT(POOL, "stickon", "meant is balance"),
    HINT(POOL, "sticktable", "meant is balance"),
    KEY(POOL, "ssl", "tls"),
    KEY(POOL, "sendproxy", "proxy_protocol"),
    KEY(POOL, "sendproxyv2", "proxy_protocol"),
    KEY(SERVER, "maxconn", "max_connections"),
    KEY(SERVER, "maxconns", "max_connections"),
    KEY(SERVER, "host", "address"),
    KEY(SERVER, "ip", "address"),
    KEY(SERVER, "url", "address"),
    KEY(SERVER, "server", "address"),
    KEY(SERVER, "target", "address"),
    HINT(SERVER, "check", "checks stand beside servers: pools.NAME.health"),
    HINT(SERVER, "health", "checks stand beside servers: pools.NAME.health"),
    HINT(SERVER, "agentcheck", "agents stand beside servers: pools.NAME.agent"),
    HINT(SERVER, "agentport", "agents stand beside servers: pools.NAME.agent"),
    HINT(SERVER, "agent", "agents stand beside servers: pools.NAME.agent"),
    KEY(SERVER, "addr", "health_address"),
    HINT(SERVER, "inter", "checks stand beside servers: pools.NAME.health"),
    HINT(SERVER, "interval", "checks stand beside servers: pools.NAME.health"),
    HINT(SERVER, "rise", "checks stand beside servers: pools.NAME.health"),
    HINT(SERVER, "fall", "checks stand beside servers: pools.NAME.health"),
    HINT(SERVER, "port", "part of the address, as in 192.0.2.1:80"),
    HINT(SERVER, "disabled",
	"weight: 0 gives it no connections; braidctl maint takes it out at run time"),
    HINT(SERVER, "down",
	"weight: 0 gives it no connections; braidctl maint takes it out at run time"),
    HINT(SERVER, "slowstart", "a key of the pool: pools.NAME.slow_start"),
    KEY(POOL ".connect", "tries", "retries"),
    KEY(POOL ".connect", "attempts", "retries"),
    KEY(POOL ".connect", "retry", "retries"),
    KEY(POOL ".queue", "size", "length"),
    KEY(POOL ".queue", "max", "length"),
    KEY(POOL ".queue", "maxqueue", "length"),
    KEY(POOL ".queue", "limit", "length"),
    KEY(POOL ".health", "inter", "interval"),
    KEY(POOL ".health", "fastinter", "interval"),
    KEY(POOL ".health", "downinter", "interval"),
    KEY(POOL ".health", "every", "interval"),
    KEY(POOL ".health", "steps", "script"),
    KEY(POOL ".health", "tcpcheck", "script"),
    KEY(POOL ".health", "send", "script"),
    KEY(POOL ".health", "ssl", "tls"),
    KEY(POOL ".health", "checkssl", "tls"),
    KEY(POOL ".health", "uri", "path"),
    KEY(POOL ".health", "url", "path"),
    KEY(POOL ".health", "request", "path"),
    KEY(POOL ".health", "expect", "status"),
    KEY(POOL ".health", "code", "status"),
    KEY(POOL ".health", "codes", "status"),
    KEY(POOL ".health", "match", "status"),
    KEY(POOL ".health", "passes", "rise"),
    KEY(POOL ".health", "healthythreshold", "rise"),
    KEY(POOL ".health", "success", "rise"),
    KEY(POOL ".health", "fails", "fall"),
    KEY(POOL ".health", "maxfails", "fall"),
    KEY(POOL ".health", "unhealthythreshold", "fall"),
    KEY(POOL ".health", "failure", "fall"),
    KEY(POOL ".health", "failures", "fall"),
    HINT(POOL ".health", "method", "http checks always use GET"),
    /* Choices. */
    KEY(POOL ".balance", "roundrobin", "rr"),
    KEY(POOL ".balance", "staticrr", "rr"),
    KEY(POOL ".balance", "weighted", "rr"),
    KEY(POOL ".balance", "wrr", "rr"),
    KEY(POOL ".balance", "leastconn", "least"),
    KEY(POOL ".balance", "leastconnections", "least"),
    KEY(POOL ".balance", "leastrequest", "least"),
    KEY(POOL ".balance", "lc", "least"),
    KEY(POOL ".balance", "wlc", "least"),
    KEY(POOL ".balance", "random", "p2c"),
    KEY(POOL ".balance", "poweroftwo", "p2c"),
    KEY(POOL ".balance", "hash", "source"),
    KEY(POOL ".balance", "iphash", "source"),
    KEY(POOL ".balance", "sourcehash", "source"),
    KEY(POOL ".balance", "uri", "source"),
    KEY(POOL ".balance", "sh", "source"),
    KEY(POOL ".balance", "consistent", "maglev"),
    KEY(POOL ".balance", "ringhash", "maglev"),
    KEY(POOL ".balance", "consistenthash", "maglev"),
    KEY(POOL ".health.type", "httpchk", "http"),
    KEY(POOL ".health.type", "httpcheck", "http"),
    KEY(POOL ".health.type", "tcpcheck", "tcp"),
    KEY(POOL ".health.type", "connect", "tcp"),
    KEY(POOL ".health.type", "https", "tls"),
    KEY(POOL ".health.type", "ssl", "tls"),
    KEY(POOL ".health.type", "sslhellochk", "tls"),
    /* Any block. */
    HINT(ANYWHERE, "mode", "Braid is TCP only; leave it out"),
    HINT(ANYWHERE, "protocol", "Braid is TCP only; leave it out"),
    HINT(ANYWHERE, "ktls", "meant is global.ktls"),
    HINT(ANYWHERE, "kerneltls", "meant is global.ktls"),
    HINT(ANYWHERE, "sslconfcommand",
	"what \"Options KTLS\" switches on is global.ktls; the rest is OpenSSL's own choice"),
    HINT(ANYWHERE, "option",
	"what is set by option elsewhere has a key of its own here"),
    HINT(ANYWHERE, "options",
	"what is set by option elsewhere has a key of its own here"),
    {0},
};

/* Whether the text is the word of a synonym, written in any manner. */
static bool synonym_same(const char *text, const char *word)
{
	for (; *text; text++) {
		if (*text == ' ' || *text == '-' || *text == '_')
			continue;
		if (tolower((unsigned char)*text) != *word)
			return false;
		word++;
	}
	return !*word;
}

const struct synonym *synonym_find(
    const struct schema_row *where, const char *word)
{
	const char *path = where ? where->path : "";

	for (const struct synonym *at = synonyms; at->where; at++)
		if ((strcmp(at->where, path) == 0 ||
			strcmp(at->where, ANYWHERE) == 0) &&
		    synonym_same(word, at->word))
			return at;
	return NULL;
}

const struct schema_row *synonym_row(const char *word)
{
	for (const struct synonym *at = synonyms; at->where; at++) {
		const struct schema_row *parent = schema_find(at->where);

		if (!at->meant || !synonym_same(word, at->word))
			continue;
		if (parent && parent->choices)
			return parent;
		return schema_child(parent, at->meant);
	}
	return NULL;
}
