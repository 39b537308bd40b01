/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dns_counts.h"
#include "daemon/ctl_command.h"

#include <stdio.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/source_table.h"
#include "io/tls_memory.h"
#include "daemon/generations.h"
#include "daemon/profiling_open.h"

#define FAIL_OPEN_NAMES_MAX 100

static const char *state_name(int state)
{
	switch ((enum daemon_state)state) {
	case DAEMON_STARTING:
		return "starting";
	case DAEMON_SERVING:
		return "serving";
	case DAEMON_DRAINING:
		return "draining";
	}
	return "?";
}

static void put_time(struct json *j, const char *key, struct wall t)
{
	char text[25];

	(void)wall_format(t, text);
	json_string(j, key, text);
}

static double seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void put_process(struct json *j, struct daemon *daemon, struct mono now)
{
	struct rusage usage;

	json_string(j, "version", BRAID_VERSION);
	json_int(j, "pid", daemon->pid);
	json_string(j, "state", state_name(atomic_load(&daemon->state)));
	put_time(j, "started", daemon->started_at);
	json_double(j, "uptime_seconds",
	    (double)mono_diff_ns(now, daemon->started_mono) / 1e9);
	if (!getrusage(RUSAGE_SELF, &usage))
		json_double(j, "cpu_seconds",
		    seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
	json_uint(j, "workers", daemon->n_workers);
	json_uint(j, "log_lines_dropped", log_dropped());
}

static void put_generation(struct json *j, const struct manifest_process *who,
    const char *state, uint64_t flows)
{
	struct wall started = {who->started_ns};

	json_object_begin(j, NULL);
	json_uint(j, "generation", who->number);
	json_uint(j, "pid", who->pid);
	json_string(j, "version", who->version);
	json_string(j, "state", state);
	put_time(j, "started", started);
	json_double(
	    j, "age_seconds", (double)(wall_now().ns - who->started_ns) / 1e9);
	json_uint(j, "flows", flows);
	json_object_end(j);
}

/* The newest first: that is this process. */
static void put_generations(struct json *j, const struct daemon *daemon)
{
	const struct generations *generations = daemon->generations;

	if (!generations)
		return;
	json_uint(j, "generation", generations->self.number);
	json_array_begin(j, "generations");
	put_generation(j, &generations->self,
	    state_name(atomic_load(&daemon->state)),
	    __atomic_load_n(&daemon->shared.connections, __ATOMIC_RELAXED));
	for (uint32_t i = generations->n; i-- > 0;)
		put_generation(j, &generations->items[i].who, "draining",
		    count_block_connections(&generations->items[i].counters));
	json_array_end(j);
}

static void put_config(
    struct json *j, struct daemon *daemon, const struct plan *plan)
{
	char digest[17];

	(void)snprintf(digest, sizeof(digest), "%016llx",
	    (unsigned long long)plan->conf->digest);
	json_object_begin(j, "config");
	json_string(j, "file", plan->conf->file);
	json_uint(j, "number", plan->number);
	json_string(j, "digest", digest);
	put_time(j, "loaded", plan->loaded_at);
	json_uint(j, "reloads", atomic_load(&daemon->reloads));
	json_uint(j, "refused", atomic_load(&daemon->reloads_refused));
	json_uint(j, "name_changes", atomic_load(&daemon->name_changes));
	json_uint(j, "listeners", plan->n_listeners);
	json_uint(j, "pools", plan->n_upstreams);
	json_object_end(j);
}

/* What all workers have together. */
struct sums {
	struct worker_metrics workers;
	uint64_t buffers_empty;
	uint64_t tls_client_failures, tls_server_failures;
	uint64_t classes[N_FLOW_CLASSES];
	struct shard_metrics shards;
	uint64_t shard_migrations, shard_refused;
};

static void add_up_shards(struct sums *sums, const struct shard_metrics *m)
{
#define X(name, help) counter_add(&sums->shards.name, counter_read(&m->name));
	SHARD_METRIC_LIST(X)
#undef X
	for (unsigned cause = 0; cause < SHARD_N_CAUSES; cause++)
		sums->shard_migrations += counter_read(&m->migrations[cause]);
	for (unsigned limit = 0; limit < SHARD_N_LIMITS; limit++)
		sums->shard_refused += counter_read(&m->refused[limit]);
}

static void add_up(struct sums *sums, const struct daemon *daemon)
{
	for (uint32_t i = 0; i < daemon->n_workers; i++) {
		const struct worker_metrics *m = &daemon->shared.metrics[i];

#define X(name, help) counter_add(&sums->workers.name, counter_read(&m->name));
		WORKER_METRIC_LIST(X)
		X(flows_open, "")
		X(flows_splicing, "")
		X(pipes, "")
#undef X
		sums->buffers_empty += counter_read(&m->ring.buffers_empty);
		add_up_shards(sums, &m->shard);
		for (unsigned class = 0; class < N_FLOW_CLASSES; class ++)
			sums->classes[class] +=
			    counter_read(&m->classes[class]);
		for (unsigned cause = 0; cause < TLS_N_CAUSES; cause++) {
			sums->tls_client_failures +=
			    counter_read(&m->tls_client_failures[cause]);
			sums->tls_server_failures +=
			    counter_read(&m->tls_server_failures[cause]);
		}
	}
}

static void put_flows(struct json *j, const struct sums *sums)
{
	const struct worker_metrics *m = &sums->workers;

	json_object_begin(j, "flows");
	json_uint(j, "open", counter_read(&m->flows_open));
	json_uint(j, "directions_splicing", counter_read(&m->flows_splicing));
	json_uint(j, "promotions", counter_read(&m->promotions));
	json_uint(j, "demotions", counter_read(&m->demotions));
	json_uint(j, "started", counter_read(&m->flows_started));
	json_uint(j, "ended", counter_read(&m->flows_ended));
	json_uint(j, "connects", counter_read(&m->connects));
	json_uint(j, "connect_errors", counter_read(&m->connect_errors));
	json_uint(j, "connect_shortages", counter_read(&m->connect_shortages));
	json_uint(j, "retries", counter_read(&m->retries));
	json_uint(j, "no_server", counter_read(&m->no_server));
	json_uint(j, "queue_timeouts", counter_read(&m->queue_timeouts));
	json_uint(j, "queue_refused", counter_read(&m->queue_refused));
	json_uint(j, "log_dropped", counter_read(&m->log_dropped));
	json_uint(j, "bytes_relayed", counter_read(&m->bytes_relayed));
	json_uint(j, "bytes_spliced", counter_read(&m->bytes_spliced));
	json_object_end(j);
}

/* What came before a server could be chosen. */
static void put_first_bytes(struct json *j, const struct sums *sums)
{
	const struct worker_metrics *m = &sums->workers;

	json_object_begin(j, "first_bytes");
	json_uint(j, "proxy_untrusted", counter_read(&m->proxy_untrusted));
	json_uint(j, "proxy_malformed", counter_read(&m->proxy_malformed));
	json_uint(j, "hello_malformed", counter_read(&m->hello_malformed));
	json_uint(j, "timeouts", counter_read(&m->first_bytes_timeouts));
	json_object_end(j);
}

static void put_shards(
    struct json *j, const struct lb_shared *shared, const struct sums *sums)
{
	const struct shard_metrics *m = &sums->shards;

	json_object_begin(j, "shards");
	json_uint(j, "flows", shared_read(&shared->sharded_flows));
	json_uint(j, "flows_limit", shared->limits.sharded_flows);
	json_uint(j, "connections", shared_read(&shared->shard_connections));
	json_uint(j, "connections_limit", shared->limits.shard_connections);
	json_uint(j, "kernel_bytes",
	    __atomic_load_n(&shared->shard_kernel, __ATOMIC_RELAXED));
	json_uint(j, "kernel_limit", shared->limits.shard_kernel_bytes);
	json_uint(j, "started", counter_read(&m->flows));
	json_uint(j, "failed", counter_read(&m->flows_failed));
	json_uint(j, "continued", counter_read(&m->continued));
	json_uint(j, "pieces", counter_read(&m->pieces));
	json_uint(j, "migrations", sums->shard_migrations);
	json_uint(j, "stalls", counter_read(&m->stalls));
	json_uint(j, "refused", sums->shard_refused);
	json_uint(j, "bytes", counter_read(&m->bytes_moved));
	json_object_end(j);
}

static void put_resources(
    struct json *j, struct daemon *daemon, const struct sums *sums)
{
	struct lb_shared *shared = &daemon->shared;
	const struct lb_limits *limits = &shared->limits;

	json_object_begin(j, "connections");
	json_uint(
	    j, "now", __atomic_load_n(&shared->connections, __ATOMIC_RELAXED));
	json_uint(j, "max", limits->max_connections);
	json_object_end(j);
	json_object_begin(j, "parked");
	json_uint(
	    j, "bytes", __atomic_load_n(&shared->parked, __ATOMIC_RELAXED));
	json_uint(j, "limit", limits->parked_bytes);
	json_object_end(j);
	json_object_begin(j, "tls");
	json_uint(j, "memory_bytes", tls_memory_used_bytes());
	json_uint(j, "memory_limit", tls_memory_cap_bytes());
	json_uint(j, "client_handshakes",
	    counter_read(&sums->workers.tls_client_handshakes));
	json_uint(j, "client_resumed",
	    counter_read(&sums->workers.tls_client_resumed));
	json_uint(j, "client_failures", sums->tls_client_failures);
	json_uint(j, "server_handshakes",
	    counter_read(&sums->workers.tls_server_handshakes));
	json_uint(j, "server_resumed",
	    counter_read(&sums->workers.tls_server_resumed));
	json_uint(j, "server_failures", sums->tls_server_failures);
	json_string(j, "ktls", daemon->ktls);
	json_uint(
	    j, "ktls_directions", counter_read(&sums->workers.ktls_directions));
	json_uint(j, "ktls_refused", counter_read(&sums->workers.ktls_refused));
	json_object_end(j);
	json_object_begin(j, "pipes");
	json_uint(j, "now", counter_read(&sums->workers.pipes));
	json_uint(j, "max", (uint64_t)limits->pipes * daemon->n_workers);
	json_uint(j, "bytes_each", limits->pipe_bytes);
	json_object_end(j);
	json_object_begin(j, "ring_buffers");
	json_uint(j, "each_worker", limits->buffers);
	json_uint(j, "bytes_each", limits->buffer_bytes);
	json_uint(j, "found_empty", sums->buffers_empty);
	json_object_end(j);
}

/* Of the listeners in force. */
static void put_refused(
    struct json *j, const struct daemon *daemon, const struct plan *plan)
{
	struct listener_metrics sums = {.denied = {0}};

	for (uint32_t i = 0; i < plan->n_listeners; i++)
		for (uint32_t w = 0; w < plan->n_workers; w++) {
			const struct listener_metrics *m =
			    &plan->listeners[i]->row->metrics[w];

#define X(name, help) counter_add(&sums.name, counter_read(&m->name));
			LISTENER_METRIC_LIST(X)
#undef X
		}
	json_object_begin(j, "refused");
	json_uint(j, "denied", counter_read(&sums.denied));
	json_uint(j, "source_full", counter_read(&sums.source_full));
	json_uint(j, "source_fast", counter_read(&sums.source_fast));
	json_uint(j, "source_evicted", counter_read(&sums.source_evicted));
	json_uint(j, "source_untracked", counter_read(&sums.source_untracked));
	json_uint(
	    j, "source_slots", source_table_slots(daemon->shared.sources));
	json_object_end(j);
}

static const char *profiler_mode(enum conf_profiler_mode mode)
{
	switch (mode) {
	case CONF_PROFILER_OFF:
		return "off";
	case CONF_PROFILER_OBSERVE:
		return "observe";
	case CONF_PROFILER_ACT:
		return "act";
	}
	return "?";
}

/* The model as it is in memory: what its file is by now may be another. */
static void put_model(
    struct json *j, const char *file, const struct profiling_open *open)
{
	char hash[17];

	json_string(j, "model", file);
	if (!profiling_model_name(open))
		return;
	(void)snprintf(hash, sizeof hash, "%016llx",
	    (unsigned long long)profiling_model_hash(open));
	json_string(j, "model_name", profiling_model_name(open));
	if (profiling_model_hash(open) != MODEL_HASH_BUILTIN)
		json_string(j, "model_hash", hash);
}

/* Rows and flows that were before stay counted when it is switched off. */
static void put_profiler(struct json *j, const struct sums *sums,
    struct daemon *daemon, const struct plan *plan)
{
	const struct conf_profiler *profiler = &plan->conf->profiler;

	json_object_begin(j, "profiler");
	json_string(j, "mode", profiler_mode(profiler->mode));
	put_model(j, profiler->model, plan->profiling);
	if (profiler->record)
		json_string(j, "record", profiler->record);
	json_uint(j, "rows_recorded", atomic_load(&daemon->rows_recorded));
	json_uint(j, "rows_lost",
	    atomic_load(&daemon->rows_lost) +
		counter_read(&sums->workers.record_dropped));
	json_object_begin(j, "flows_ended");
	for (unsigned i = 0; i < N_FLOW_CLASSES; i++)
		json_uint(
		    j, flow_class_name((enum flow_class)i), sums->classes[i]);
	json_object_end(j);
	json_object_end(j);
}

/* Also where there is none (any more): what was counted stays. */
static void put_dns(
    struct json *j, const struct daemon *daemon, const struct plan *plan)
{
	uint64_t connections = 0;

	for (uint32_t i = 0; daemon->dns_counts && i < daemon->n_workers; i++)
		connections +=
		    counter_read(&daemon->dns_counts[i].sockets.tcp_open);
	json_object_begin(j, "dns");
	json_uint(j, "zones", plan->conf->dns.n_zones);
	json_uint(j, "addresses", plan->n_dns_binds);
	json_uint(j, "queries",
	    dns_counts_queries(daemon->dns_counts, daemon->n_workers));
	json_uint(j, "tcp_connections", connections);
	json_object_end(j);
}

static void put_workers(struct json *j, const struct daemon *daemon)
{
	json_array_begin(j, "worker");
	for (uint32_t i = 0; i < daemon->n_workers; i++) {
		const struct worker_metrics *m = &daemon->shared.metrics[i];

		json_object_begin(j, NULL);
		json_uint(j, "worker", i);
		json_uint(j, "flows", counter_read(&m->flows_open));
		json_uint(j, "flows_started", counter_read(&m->flows_started));
		json_uint(j, "turns", counter_read(&m->ring.turns));
		json_uint(j, "completions", counter_read(&m->ring.completions));
		json_uint(j, "parked_bytes", counter_read(&m->parked_bytes));
		json_object_end(j);
	}
	json_array_end(j);
}

/* Servers are counted here too, so that a status says how many there are
 * without a list of them. */
static void put_health(struct json *j, const struct plan *plan)
{
	uint32_t servers = 0, down = 0, drained = 0, names = 0;
	struct board_facts facts;

	json_array_begin(j, "pools_failing_open");
	for (uint32_t i = 0; i < plan->n_upstreams; i++) {
		const struct pool *pool = plan->upstreams[i]->pool;

		servers += pool->n_servers;
		for (uint32_t k = 0; k < pool->n_servers; k++) {
			server_read(&pool->servers[k], &facts);
			down += board_health_now(&facts) == BOARD_DOWN;
			drained += board_admin_now(&facts) != BOARD_READY;
		}
		if (names < FAIL_OPEN_NAMES_MAX && pool_fails_open(pool)) {
			json_string(j, NULL, pool->name);
			names++;
		}
	}
	json_array_end(j);
	json_object_begin(j, "servers");
	json_uint(j, "configured", servers);
	json_uint(j, "down", down);
	json_uint(j, "drained", drained);
	json_object_end(j);
}

void ctl_status(struct ctl_call *call)
{
	struct daemon *daemon = control_daemon(call->control);
	const struct plan *plan = control_plan(call->control);
	struct sums sums = {.buffers_empty = 0};
	struct json *j = &call->json;

	add_up(&sums, daemon);
	ctl_begin(call);
	put_process(j, daemon, control_now(call->control));
	put_generations(j, daemon);
	put_config(j, daemon, plan);
	put_resources(j, daemon, &sums);
	put_flows(j, &sums);
	put_shards(j, &daemon->shared, &sums);
	put_first_bytes(j, &sums);
	put_refused(j, daemon, plan);
	put_health(j, plan);
	put_profiler(j, &sums, daemon, plan);
	put_dns(j, daemon, plan);
	control_show_agent(call->control, j);
	put_workers(j, daemon);
	ctl_end(call);
}
