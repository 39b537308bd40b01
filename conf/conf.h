/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The configuration as an immutable tree of plain structs: what the YAML file
 * says, with defaults filled in and every reference resolved to an index.
 * It holds no runtime state and no kernel object.
 *
 *      file --libyaml events--> schema table --> struct conf --check--> ok
 *                                     |               |
 *                        explain, JSON Schema,   diff(old, new)
 *                        braid.yaml(5)
 *
 * Thread:  built by the clerk (or main at boot); readable by any afterwards.
 * Memory:  all of it in one arena owned by the struct conf; conf_free().
 * Units:   times in ms, sizes in bytes, as the field names say.
 * Errors:  conf_load() collects all of them; see struct conf_errors.
 * Limits:  CONF_*_MAX below; names are at most CONF_NAME_MAX bytes of
 *          [A-Za-z0-9._-], starting with a letter or digit.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/log.h"
#include "conf/conf_dns.h"
#include "conf/conf_health.h"
#include "conf/conf_value.h"
#include "conf/flow_class.h"
#include "conf/protocol.h"

#define CONF_NAME_MAX 63
#define CONF_INSTANCE_MAX (CONF_NAME_MAX + 1 + ADDR_TEXT_MAX)
#define CONF_LISTENERS_MAX 1024
#define CONF_POOLS_MAX 4096
#define CONF_SERVERS_MAX 65536 /* over all pools */
#define CONF_BINDS_MAX 64 /* per listener */
#define CONF_ROUTES_MAX 65536 /* over all listeners */
#define CONF_CERTIFICATES_MAX 65536 /* over all listeners */
#define CONF_STEPS_MAX 65536 /* over all pools */
#define CONF_AGENT_SEND_MAX 255
#define CONF_WORKERS_MAX 64
#define CONF_GENERATIONS_MAX 64
#define CONF_SHARDS_MAX 16 /* of one transfer */
#define CONF_RESOLVERS_MAX 8
#define CONF_HOST_MAX 253 /* of a host name */
#define CONF_ERRORS_SHOWN_MAX 1000
#define CONF_FILE_BYTES_MAX (64u << 20)

struct arena;

/* Whom to ask for names; n 0: as /etc/resolv.conf says. */
struct conf_resolvers {
	struct addr at[CONF_RESOLVERS_MAX];
	uint32_t n;
};

/* Who encrypts what TLS connections send. */
enum conf_ktls {
	CONF_KTLS_OFF,
	CONF_KTLS_AUTO, /* bulk: the kernel, where it can */
};

/* Log line choices are base/log.h's. */
struct conf_global {
	uint32_t workers; /* 0: auto, one per online CPU */
	uint32_t max_connections; /* 0: auto, from RLIMIT_NOFILE */
	const char *state_dir;
	const char *control; /* path of the control socket */
	const char *user;
	struct conf_pos user_pos;
	const char *zone; /* NULL: none */
	uint64_t drain_ms;
	struct conf_resolvers resolvers;
	uint64_t resolve_timeout_ms, resolve_min_ttl_ms, resolve_max_ttl_ms;
	uint64_t resolve_hold_ms;
	uint32_t resolve_retries;
	enum log_format log_format;
	enum log_level log_level;
	bool log_access;
	enum conf_ktls ktls;
};

struct conf_api {
	struct addr listen; /* length 0: off */
	struct conf_pos listen_pos;
};

/* What says to others how this process does. */
struct conf_node_agent {
	struct addr listen; /* length 0: off */
	struct conf_pos listen_pos;
	struct conf_prefixes allow; /* n 0: all */
	uint64_t smooth_ms; /* time constant; 0: as measured */
};

struct conf_limits {
	uint64_t parked_total_bytes; /* over all workers */
	uint64_t tls_memory_bytes; /* likewise */
	uint32_t sharded_flows; /* likewise, at a time */
	uint32_t shard_connections; /* likewise; 0: auto, by RLIMIT_NOFILE */
	uint32_t shard_kernel_percent; /* of tcp_mem */
};

enum conf_profiler_mode {
	CONF_PROFILER_OFF,
	CONF_PROFILER_OBSERVE,
	CONF_PROFILER_ACT,
};

/* How much of a client's address is recorded. */
enum conf_record_addresses {
	CONF_RECORD_NETWORK,
	CONF_RECORD_FULL,
};

/* The class of all flows of a protocol, by the operator's word: CONF_PIN of it,
 * or 0 where there is none. */
#define CONF_PIN(class) ((unsigned)(class) + 1)

struct conf_pins {
	unsigned by_protocol[PROTOCOL_COUNT]; /* UNKNOWN: of no known one */
	unsigned any; /* of flows whose protocol has no pin of its own */
};

struct conf_profiler {
	enum conf_profiler_mode mode;
	const char *model; /* "builtin", "none", or a path */
	struct conf_pos model_pos;
	const char *record; /* NULL: nothing is recorded */
	struct conf_pos record_pos;
	uint32_t record_share; /* one flow in so many */
	uint64_t record_bytes; /* of a file that is full */
	enum conf_record_addresses record_addresses;
	struct conf_pins pins;
};

struct conf_upgrade {
	uint64_t drain_ms; /* 0: unlimited */
	uint32_t generations;
	uint64_t timeout_ms;
};

/* One rule of a listener: a condition with n 0 holds always. */
struct conf_route {
	const char *name; /* "1", "2", ...: its place in the file */
	struct conf_pos pos;
	struct conf_texts sni, alpn;
	struct conf_prefixes source;
	protocol_set protocols; /* 0: any; PROTOCOL_SILENT may be in it */
	struct conf_pos protocols_pos;
	uint32_t pool; /* index into conf.pools */
	struct conf_pos pool_pos;
};

struct conf_certificate {
	const char *name; /* as of a route */
	struct conf_pos pos;
	const char *cert, *key, *ocsp; /* paths; key, ocsp may be NULL */
	struct conf_pos cert_pos, key_pos, ocsp_pos;
};

enum conf_tls_version { CONF_TLS_1_2, CONF_TLS_1_3 };
enum conf_tls_verify {
	CONF_TLS_OFF, /* of a pool: no TLS */
	CONF_TLS_VERIFY_NONE,
	CONF_TLS_VERIFY_OPTIONAL, /* of clients */
	CONF_TLS_VERIFY_FULL,
};

/* TLS is terminated when there is a certificate. */
struct conf_listener_tls {
	struct conf_certificate *certificates; /* the first is the default */
	uint32_t n_certificates;
	const char *client_ca, *client_crl; /* NULL: none */
	struct conf_pos client_ca_pos, client_crl_pos;
	enum conf_tls_verify client_verify; /* where there is a client_ca */
	enum conf_tls_version min;
	struct conf_texts alpn;
	bool strict_sni;
};

/* TLS towards servers unless `verify` is off. */
struct conf_pool_tls {
	struct conf_pos ca_pos, crl_pos, cert_pos, key_pos;
	const char *ca; /* NULL: the system's */
	const char *crl;
	enum conf_tls_verify verify;
	const char *sni; /* NULL: the server's host name, if it has one */
	const char *cert, *key; /* NULL: none is shown */
	struct conf_texts alpn;
};

enum conf_refuse { CONF_REFUSE_RESET, CONF_REFUSE_CLOSE, CONF_REFUSE_DROP };
enum conf_proxy_in { CONF_PROXY_IN_OFF, CONF_PROXY_IN_ACCEPT };
enum conf_proxy { CONF_PROXY_OFF, CONF_PROXY_V1, CONF_PROXY_V2 };
enum conf_splice { CONF_SPLICE_AUTO, CONF_SPLICE_ALWAYS, CONF_SPLICE_NEVER };

struct conf_listener {
	const char *name;
	struct conf_pos pos;
	struct conf_bind *binds;
	uint32_t n_binds;
	uint32_t pool; /* index into conf.pools */
	struct conf_pos pool_pos;
	uint32_t backlog;
	uint32_t max_connections; /* 0: no limit of its own */
	struct conf_route *routes; /* in file order */
	uint32_t n_routes;
	uint64_t wait_ms; /* for first bytes that a route needs */
	bool transparent; /* takes what is meant for other addresses */
	enum conf_proxy_in proxy_in;
	struct conf_prefixes proxy_from; /* n 0: any source may */
	struct conf_prefixes allow, deny; /* n 0: all, none */
	enum conf_refuse refuse;
	uint32_t source_connections, source_rate; /* per second; 0: no limit */
	struct conf_listener_tls tls;
	uint64_t first_bytes_ms, handshake_ms;
	uint64_t idle_ms;
	uint64_t half_closed_ms;
	uint64_t keepalive_ms; /* 0: off */
	uint64_t user_timeout_ms; /* 0: the kernel's */
};

enum conf_family { CONF_FAMILY_ANY, CONF_FAMILY_IPV4, CONF_FAMILY_IPV6 };

struct conf_server {
	const char *name;
	/* NULL: the name. Of one address of a name, "NAME/ADDRESS", made by
	 * fleet/name_expand; several then have the same name. */
	const char *instance;
	struct conf_pos pos;
	struct addr addr; /* length 0: none is known (yet) */
	const char *host; /* what addr stands for; NULL: itself */
	bool srv; /* the host is a service */
	uint16_t host_port;
	uint32_t weight; /* 0..65535; 0: no new flows */
	uint32_t max_connections; /* 0: no limit */
	const char *zone; /* NULL: none */
	bool local; /* its zone is global.zone; follows from the two */
	bool backup;
	struct addr health_address; /* length 0: checked at addr */
};

enum conf_balance {
	CONF_BALANCE_RR,
	CONF_BALANCE_LEAST,
	CONF_BALANCE_P2C,
	CONF_BALANCE_MAGLEV,
	CONF_BALANCE_SOURCE,
	CONF_BALANCE_FIRST,
};
struct conf_outlier {
	uint32_t errors; /* in a row; 0: the block is absent */
	uint64_t eject_ms;
	uint32_t max_ejected_percent;
};

enum conf_shard_range { CONF_SHARD_OFF, CONF_SHARD_AUTO, CONF_SHARD_ON };
enum conf_shard_validator { CONF_SHARD_STRONG, CONF_SHARD_SIZE_DATE };
enum conf_shard_verify { CONF_SHARD_UNVERIFIED, CONF_SHARD_REPR_DIGEST };

/* How answers are split over servers; range OFF: they are not even read. */
struct conf_shard {
	enum conf_shard_range range;
	uint32_t max; /* 1..CONF_SHARDS_MAX */
	uint64_t min_size, piece; /* bytes */
	enum conf_shard_validator validator;
	enum conf_shard_verify verify;
};

struct conf_pool {
	const char *name;
	struct conf_pos pos;
	enum conf_balance balance;
	struct conf_server *servers; /* in file order */
	uint32_t n_servers;
	uint64_t connect_timeout_ms;
	uint32_t connect_retries;
	uint32_t queue_length; /* 0: no queue */
	uint64_t queue_timeout_ms;
	struct conf_health health;
	struct conf_outlier outlier;
	uint64_t slow_start_ms;
	uint32_t maglev_table; /* places, a prime */
	bool zoned; /* global.zone is set; follows from it */
	struct conf_agent agent;
	enum conf_family resolve_family;
	uint32_t resolve_max;
	/* length 0: the kernel chooses; or conf_source_is_client(). */
	struct addr source;
	enum conf_proxy proxy_out;
	enum conf_splice splice;
	struct conf_pool_tls tls;
	struct conf_shard shard;
};

/* The address of each client in place of one of ours: it has no family. */
static inline bool conf_source_is_client(const struct addr *source)
{
	return source->length && source->sa.sa_family == AF_UNSPEC;
}

static inline const char *conf_server_instance(const struct conf_server *server)
{
	return server->instance ? server->instance : server->name;
}

struct conf {
	struct arena *arena;
	struct conf *origin; /* NULL, or what this was derived from */
	uint32_t references; /* plain: made and freed by one thread */
	const char *file; /* as given */
	uint64_t digest; /* of the file's bytes; shown by status */
	struct conf_global global;
	struct conf_api api;
	struct conf_node_agent agent;
	struct conf_limits limits;
	struct conf_upgrade upgrade;
	struct conf_profiler profiler;
	struct conf_listener *listeners; /* in file order */
	uint32_t n_listeners;
	struct conf_pool *pools;
	uint32_t n_pools;
	struct conf_dns dns;
	struct conf_pop *pops;
	uint32_t n_pops;
	struct conf_region *regions;
	uint32_t n_regions;
	struct conf_geo geo;
};

/* All that was wrong, in file order, as printable lines:
 * `braid.yaml:14:7: pools.origins.servers.a: unknown key "weigth", did you
 * mean "weight"?` */
struct conf_error {
	struct conf_pos pos;
	const char *text; /* the whole line */
};

struct conf_errors {
	struct arena *arena;
	struct conf_error *errors;
	uint32_t n_errors;
	uint32_t n_warnings; /* of them: printed, but not refused */
};

void conf_errors_init(struct conf_errors *errors);
void conf_errors_fini(struct conf_errors *errors);

/* Adds what was found wrong with the files that a configuration names, after
 * it was loaded. Past CONF_ERRORS_SHOWN_MAX lines it only counts. */
void conf_errors_add(struct conf_errors *errors, const char *file,
    struct conf_pos pos, bool warning, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Reads, parses and checks a file. 0 and *ret_conf (free with conf_free), or
 * BR_E_CONFIG and all errors, or -errno with one error line saying what could
 * not be read. Warnings are in `errors` in either case. */
int conf_load(const char *file, struct conf **ret_conf,
    struct conf_errors *errors) BR_MUST_CHECK;
/* The same from memory; `file` is the name shown in errors. */
int conf_parse(const char *file, const char *text, size_t length,
    struct conf **ret_conf, struct conf_errors *errors) BR_MUST_CHECK;
/* A copy that shares all but the array of pools; it holds a reference to what
 * it was made from, which must not change any more in what they share. */
struct conf *conf_derive(struct conf *origin);
/* Drops a reference and frees with the last. */
void conf_free(struct conf *conf);
