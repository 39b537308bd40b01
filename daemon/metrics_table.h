/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The one list of all metric families: rows of the X-macros in the folders
 * that own the counters, and below the gauges that are computed when asked.
 * From it come the text of /metrics and docs/metrics.md.
 *
 *      WORKER_METRIC_LIST   field bytes_relayed, "Bytes moved by relay"
 *        -> braid_worker_relayed_bytes, counter, unit bytes, label worker
 *
 * A field whose name begins with bytes_ gets its unit at the end, where
 * OpenMetrics wants it.
 *
 * Thread:  any (constant).
 */
#include <stddef.h>

#include "daemon/metrics_format.h"

/* One counter of a struct of counters. */
struct metric_field {
	const char *name, *help;
	size_t offset;
};

struct metric_group {
	const char *prefix; /* "braid_worker_" */
	const char *labels;
	const struct metric_field *fields;
	uint32_t n_fields;
};

extern const struct metric_group metrics_worker, metrics_shard, metrics_ring,
    metrics_server, metrics_listener, metrics_checks, metrics_dns_answers,
    metrics_dns_sockets;

void metric_group_family(const struct metric_group *group, uint32_t field,
    struct metric_family *ret);
static inline uint64_t metric_field_read(
    const struct metric_group *group, uint32_t field, const void *counters)
{
	return counter_read((
	    const struct counter *)(const void *)((const char *)counters +
						  group->fields[field].offset));
}

/*    id, name, kind, unit, labels, help */
#define METRIC_SINGLE_LIST(X)                                                  \
	X(BUILD, "braid_build", INFO, "", "version", "The running version")    \
	X(START, "braid_start_time_seconds", GAUGE, "seconds", "",             \
	    "Wall time at which the process started, since the epoch")         \
	X(CPU, "process_cpu_seconds", COUNTER, "seconds", "",                  \
	    "User and system CPU time of the process")                         \
	X(RESIDENT, "process_resident_memory_bytes", GAUGE, "bytes", "",       \
	    "Resident memory of the process")                                  \
	X(MAX_FDS, "process_max_fds", GAUGE, "", "",                           \
	    "Descriptors that the process may have open")                      \
	X(WORKERS, "braid_workers", GAUGE, "", "", "Worker threads")           \
	X(GENERATIONS, "braid_generations", GAUGE, "", "",                     \
	    "Processes of this braidd: the one that accepts connections, and " \
	    "older ones whose last connections have not ended")                \
	X(DRAINING, "braid_draining", GAUGE, "", "",                           \
	    "1 while the process ends and accepts no new connections")         \
	X(CONNECTIONS, "braid_connections", GAUGE, "", "",                     \
	    "Client connections open now")                                     \
	X(CONNECTIONS_LIMIT, "braid_connections_limit", GAUGE, "", "",         \
	    "Client connections that may be open at once")                     \
	X(PARKED, "braid_parked_bytes", GAUGE, "bytes", "",                    \
	    "Bytes that wait in memory for full sockets")                      \
	X(PARKED_LIMIT, "braid_parked_limit_bytes", GAUGE, "bytes", "",        \
	    "limits.parked_total, as it was at start")                         \
	X(SHARDED, "braid_sharded_flows", GAUGE, "", "",                       \
	    "Answers that come in pieces from several servers now")            \
	X(SHARDED_LIMIT, "braid_sharded_flows_limit", GAUGE, "", "",           \
	    "limits.sharded_flows, as it was at start")                        \
	X(SHARD_CONNECTIONS, "braid_shard_connections", GAUGE, "", "",         \
	    "Connections to servers for pieces")                               \
	X(SHARD_CONNECTIONS_LIMIT, "braid_shard_connections_limit", GAUGE, "", \
	    "", "limits.shard_connections, as it was at start")                \
	X(SHARD_KERNEL, "braid_shard_kernel_bytes", GAUGE, "bytes", "",        \
	    "Room of the receive buffers in which pieces wait")                \
	X(SHARD_KERNEL_LIMIT, "braid_shard_kernel_limit_bytes", GAUGE,         \
	    "bytes", "", "limits.shard_kernel_bytes, as it was at start")      \
	X(TLS_MEMORY, "braid_tls_memory_bytes", GAUGE, "bytes", "",            \
	    "Memory that TLS connections hold")                                \
	X(TLS_MEMORY_LIMIT, "braid_tls_memory_limit_bytes", GAUGE, "bytes",    \
	    "", "limits.tls_memory")                                           \
	X(TLS_MEMORY_REFUSED, "braid_tls_memory_refusals", COUNTER, "", "",    \
	    "Requests for memory that limits.tls_memory refused")              \
	X(PLAN, "braid_config_number", GAUGE, "", "",                          \
	    "Number of the configuration in force, 1 being that of the start") \
	X(LOADED, "braid_config_loaded_time_seconds", GAUGE, "seconds", "",    \
	    "Wall time at which the configuration in force was loaded")        \
	X(RELOADS, "braid_config_reloads", COUNTER, "", "",                    \
	    "Reloads that put a new configuration in force")                   \
	X(REFUSED, "braid_config_reloads_refused", COUNTER, "", "",            \
	    "Reloads refused, so that the configuration before stayed")        \
	X(NAME_CHANGES, "braid_config_name_changes", COUNTER, "", "",          \
	    "Times that servers got other addresses because names changed")    \
	X(NAMES, "braid_names", GAUGE, "", "",                                 \
	    "Questions (name and type) that the configuration asks the DNS")   \
	X(NAMES_FAILING, "braid_names_failing", GAUGE, "", "",                 \
	    "Questions, also those of SRV targets, whose last answer was "     \
	    "none or a failure; what was known stays in use")                  \
	X(LOG_DROPPED, "braid_log_lines_dropped", COUNTER, "", "",             \
	    "Log lines lost to a full queue or a descriptor that was not "     \
	    "read")                                                            \
	X(RECORDED, "braid_recorded_rows", COUNTER, "", "",                    \
	    "Rows of flows written to profiler.record")                        \
	X(RECORD_LOST, "braid_recorded_rows_lost", COUNTER, "", "",            \
	    "Rows lost because profiler.record could not be written")          \
	X(AGENT_RATIO, "braid_agent_weight_ratio", GAUGE, "ratio", "",         \
	    "Part of its weight that this node takes, as agent.listen says; "  \
	    "0 without it")                                                    \
	X(AGENT_ANSWERS, "braid_agent_answers", COUNTER, "", "",               \
	    "Questions answered at agent.listen")                              \
	X(AGENT_REFUSED, "braid_agent_refusals", COUNTER, "", "",              \
	    "Connections to agent.listen that agent.allow refused")            \
	X(CONNECT_TIME, "braid_connect_time_seconds", HISTOGRAM, "seconds",    \
	    "", "Time to connect to a server, over all workers")               \
	X(QUEUE_TIME, "braid_queue_time_seconds", HISTOGRAM, "seconds", "",    \
	    "Time that flows waited in a pool's queue, over all workers")      \
	X(FLOW_TIME, "braid_flow_time_seconds", HISTOGRAM, "seconds", "",      \
	    "Time from accept to the end of a flow, over all workers")

#define METRIC_NAME_LIST(X)                                                    \
	X(N_ANSWERS, "braid_resolver_answers", COUNTER, "", "result",          \
	    "Ends of questions to the DNS, by how they ended")

#define METRIC_WORKER_GAUGE_LIST(X)                                            \
	X(W_FLOWS, "braid_worker_flows", GAUGE, "", "worker",                  \
	    "Flows that this worker has now")                                  \
	X(W_SPLICING, "braid_worker_directions_splicing", GAUGE, "", "worker", \
	    "Directions of flows that are moved by splice now")                \
	X(W_PARKED, "braid_worker_parked_bytes", GAUGE, "bytes", "worker",     \
	    "Bytes that wait in memory for full sockets")                      \
	X(W_PIPES, "braid_worker_pipes", GAUGE, "", "worker",                  \
	    "Pipes that exist for splice")

#define METRIC_TLS_LIST(X)                                                     \
	X(T_CLIENT, "braid_tls_client_failures", COUNTER, "", "worker, cause", \
	    "TLS connections with clients that failed")                        \
	X(T_SERVER, "braid_tls_server_failures", COUNTER, "", "worker, cause", \
	    "TLS connections with servers that failed")

#define METRIC_FRONT_LIST(X)                                                   \
	X(F_PROXY, "braid_proxy_header_failures", COUNTER, "",                 \
	    "worker, cause",                                                   \
	    "Connections closed for a malformed PROXY header")                 \
	X(F_HELLO, "braid_client_hello_failures", COUNTER, "",                 \
	    "worker, cause",                                                   \
	    "Connections closed for a malformed TLS ClientHello that a route " \
	    "needed")

#define METRIC_CLASS_LIST(X)                                                   \
	X(C_FLOWS, "braid_profiled_flows", COUNTER, "", "worker, class",       \
	    "Flows ended that the profiler looked at, by their last class")

#define METRIC_SHARD_LIST(X)                                                   \
	X(R_MIGRATIONS, "braid_shard_migrations", COUNTER, "",                 \
	    "worker, cause", "Ranges whose rest was asked of another server")  \
	X(R_REFUSED, "braid_shard_refused", COUNTER, "", "worker, cause",      \
	    "Shards, or flows that would have had some, refused for a limit")

#define METRIC_LISTENER_GAUGE_LIST(X)                                          \
	X(L_CONNECTIONS, "braid_listener_connections", GAUGE, "", "listener",  \
	    "Client connections open now")                                     \
	X(L_EXPIRY, "braid_certificate_expiry_seconds", GAUGE, "seconds",      \
	    "listener",                                                        \
	    "Wall time at which the first certificate of the listener ends, "  \
	    "since the epoch, if it has any")                                  \
	X(L_LIMIT, "braid_listener_connections_limit", GAUGE, "", "listener",  \
	    "max_connections of the listener, if it has one")

#define METRIC_POOL_LIST(X)                                                    \
	X(P_SERVERS, "braid_pool_servers", GAUGE, "", "pool",                  \
	    "Servers of the pool in the configuration")                        \
	X(P_USABLE, "braid_pool_servers_usable", GAUGE, "", "pool",            \
	    "Servers with a weight that are neither down, drained nor in "     \
	    "maintenance; while braid_pool_fail_open is 1 those that are "     \
	    "down get flows too")                                              \
	X(P_QUEUED, "braid_pool_queued", GAUGE, "", "pool",                    \
	    "Flows that wait in the pool's queue now")                         \
	X(P_QUEUE_LIMIT, "braid_pool_queue_limit", GAUGE, "", "pool",          \
	    "queue.length of the pool")                                        \
	X(P_FAIL_OPEN, "braid_pool_fail_open", GAUGE, "", "pool",              \
	    "1 while so much is down that all servers are used as if up")      \
	X(P_BACKUPS, "braid_pool_backups_serve", GAUGE, "", "pool",            \
	    "1 while backups serve because no other server is usable")         \
	X(P_LOCAL, "braid_pool_local_share_ratio", GAUGE, "ratio", "pool",     \
	    "Share of new flows that is meant for servers of Braid's own "     \
	    "zone; 1 without zones")

#define METRIC_POP_LIST(X)                                                     \
	X(O_UP, "braid_pop_up", GAUGE, "", "pop",                              \
	    "0 when health checks found all addresses of the POP down, and "   \
	    "its report, if there is one, does not say otherwise; 1 also "     \
	    "before the first verdict and without checks")                     \
	X(O_READY, "braid_pop_ready", GAUGE, "", "pop",                        \
	    "0 while the POP is drained or in maintenance, by an operator or " \
	    "its report")                                                      \
	X(O_ADDRESSES, "braid_pop_addresses", GAUGE, "", "pop",                \
	    "Addresses of the POP")                                            \
	X(O_ADDRESSES_UP, "braid_pop_addresses_up", GAUGE, "", "pop",          \
	    "Of them, those that are not down")                                \
	X(O_WEIGHT, "braid_pop_weight_ratio", GAUGE, "ratio", "pop",           \
	    "Part of its configured weights that braidctl weight has left to " \
	    "the POP; 1 without")                                              \
	X(O_LEAVES, "braid_pop_drain_time_seconds", GAUGE, "seconds", "pop",   \
	    "Wall time at which the POP will be drained as planned, since "    \
	    "the epoch; 0 when nothing is planned")                            \
	X(O_REPORTS, "braid_pop_reports", GAUGE, "", "pop",                    \
	    "Addresses of the POP whose agent was heard in the last 30 s")     \
	X(O_REPORT_UP, "braid_pop_report_up", GAUGE, "", "pop",                \
	    "0 when all of these say that they are down, 1 else")              \
	X(O_REPORT_WEIGHT, "braid_pop_report_weight_ratio", GAUGE, "ratio",    \
	    "pop",                                                             \
	    "Part of its weights that the POP's report leaves to it; "         \
	    "1 without")                                                       \
	X(O_REPORT_AGE, "braid_pop_report_age_seconds", GAUGE, "seconds",      \
	    "pop", "Time since an agent of the POP was heard, if it ever was")

/* Of the responder. */
#define METRIC_DNS_LIST(X)                                                     \
	X(D_ZONES, "braid_dns_zones", GAUGE, "", "", "Zones that are served")  \
	X(D_EPOCH, "braid_dns_policy_epoch", GAUGE, "", "",                    \
	    "Counts how often the weights in force were made anew; 0 without " \
	    "dns")                                                             \
	X(D_TCP, "braid_dns_tcp_connections", GAUGE, "", "",                   \
	    "TCP connections of resolvers open now")                           \
	X(D_SERIAL, "braid_dns_zone_serial", GAUGE, "", "zone",                \
	    "Serial of the zone's SOA")                                        \
	X(D_NAMES, "braid_dns_zone_names", GAUGE, "", "zone",                  \
	    "Names of the zone, those without data of their own included")     \
	X(D_BYTES, "braid_dns_zone_memory_bytes", GAUGE, "bytes", "zone",      \
	    "Memory of the zone")                                              \
	X(D_LOADED, "braid_dns_zone_loaded_time_seconds", GAUGE, "seconds",    \
	    "zone", "Wall time at which the zone was read, since the epoch")   \
	X(D_WEIGHT, "braid_dns_resource_weight_ratio", GAUGE, "ratio",         \
	    "zone, resource, pop, region",                                     \
	    "Part of the weight in force that the POP has, for clients of "    \
	    "the region; region \"\": of all others")                          \
	X(D_ANSWERS, "braid_dns_resource_answers", COUNTER, "",                \
	    "zone, resource, pop",                                             \
	    "Answers of the resource by the POP that they name first, of srv " \
	    "by one drawn by its weights")                                     \
	X(D_TYPES, "braid_dns_queries_by_type", COUNTER, "", "type",           \
	    "Queries by the type that they ask for")                           \
	X(D_RCODES, "braid_dns_answers_by_rcode", COUNTER, "", "rcode",        \
	    "Answers by RCODE")                                                \
	X(D_KINDS, "braid_dns_queries_by_kind", COUNTER, "", "kind",           \
	    "Queries by what they were answered with")                         \
	X(D_COOKIES, "braid_dns_queries_by_cookie", COUNTER, "", "cookie",     \
	    "Queries with EDNS by their cookie")                               \
	X(D_DROPS, "braid_dns_queries_dropped", COUNTER, "", "cause",          \
	    "Queries that got no answer")

/* Of servers in the configuration. */
#define METRIC_SERVER_GAUGE_LIST(X)                                            \
	X(S_UP, "braid_server_up", GAUGE, "", "pool, server",                  \
	    "0 when health checks found the server down or its agent says "    \
	    "so; 1 also before the first verdict and without checks")          \
	X(S_ADDRESSES, "braid_server_addresses", GAUGE, "", "pool, server",    \
	    "Addresses that the server has: 1, or as many as its name")        \
	X(S_READY, "braid_server_ready", GAUGE, "", "pool, server",            \
	    "0 while the server is drained or in maintenance")                 \
	X(S_WEIGHT, "braid_server_weight", GAUGE, "", "pool, server",          \
	    "Weight for new flows now: 0 when down, drained, in maintenance "  \
	    "or ejected; the full one also in slow start")                     \
	X(S_EJECTED, "braid_server_ejected", GAUGE, "", "pool, server",        \
	    "1 while the server is out because it failed connections")         \
	X(S_SLOW_START, "braid_server_slow_start_ratio", GAUGE, "ratio",       \
	    "pool, server",                                                    \
	    "Part of its weight and limit that a server has reached in slow "  \
	    "start; 1 at all other times")                                     \
	X(S_CONNECTIONS, "braid_server_connections", GAUGE, "",                \
	    "pool, server", "Connections open or being opened")                \
	X(S_LIMIT, "braid_server_connections_limit", GAUGE, "",                \
	    "pool, server",                                                    \
	    "max_connections of the server or of its agent, if it has one")    \
	X(S_CHECK_TIME, "braid_server_check_time_seconds", GAUGE, "seconds",   \
	    "pool, server", "Duration of the last health check")

/* Of every server that this process has known. */
#define METRIC_SERVER_CHECK_LIST(X)                                            \
	X(S_CHECKS, "braid_server_checks", COUNTER, "", "pool, server",        \
	    "Health checks that ended")                                        \
	X(S_CHECKS_FAILED, "braid_server_checks_failed", COUNTER, "",          \
	    "pool, server", "Health checks that failed")                       \
	X(S_CHANGES, "braid_server_health_changes", COUNTER, "",               \
	    "pool, server", "Changes of health")                               \
	X(S_EJECTIONS, "braid_server_ejections", COUNTER, "", "pool, server",  \
	    "Times the server was taken out for failures")                     \
	X(S_AGENT_CHECKS, "braid_server_agent_checks", COUNTER, "",            \
	    "pool, server", "Times that the server's agent was asked")         \
	X(S_AGENT_FAILED, "braid_server_agent_checks_failed", COUNTER, "",     \
	    "pool, server", "Of them, those without a line that makes sense")

#define METRIC_LIST(X)                                                         \
	METRIC_SINGLE_LIST(X)                                                  \
	METRIC_NAME_LIST(X)                                                    \
	METRIC_WORKER_GAUGE_LIST(X)                                            \
	METRIC_TLS_LIST(X)                                                     \
	METRIC_FRONT_LIST(X)                                                   \
	METRIC_CLASS_LIST(X)                                                   \
	METRIC_SHARD_LIST(X)                                                   \
	METRIC_LISTENER_GAUGE_LIST(X)                                          \
	METRIC_POOL_LIST(X)                                                    \
	METRIC_POP_LIST(X)                                                     \
	METRIC_DNS_LIST(X)                                                     \
	METRIC_SERVER_GAUGE_LIST(X)                                            \
	METRIC_SERVER_CHECK_LIST(X)

enum metric_id {
#define X(id, name, kind, unit, labels, help) METRIC_ID_##id,
	METRIC_LIST(X)
#undef X
	    METRIC_IDS
};

extern const struct metric_family metrics_families[METRIC_IDS];

/* docs/metrics.md. */
void metrics_print_docs(struct strbuf *ret);
