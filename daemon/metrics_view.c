/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/metrics_view.h"

#include "daemon/dns_pops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/assert.h"
#include "daemon/resolver.h"
#include "fleet/shares.h"
#include "daemon/generations.h"
#include "io/tls_memory.h"

/* Room for one more element in an array that doubles. */
static void *grow(void *array, uint32_t n, uint32_t *room, size_t bytes)
{
	if (n < *room)
		return array;
	*room = *room ? *room * 2 : 64;
	array = realloc(array, *room * bytes);
	if (!array)
		br_out_of_memory("metrics", *room * bytes);
	return array;
}

static void add_field(struct counter *sum, const struct counter *more)
{
	counter_add(sum, counter_read(more));
}

static void add_server(struct server_metrics *sum,
    const struct server_metrics *metrics, uint32_t n_workers)
{
	for (uint32_t i = 0; i < n_workers; i++) {
#define X(name, help) add_field(&sum->name, &metrics[i].name);
		SERVER_METRIC_LIST(X)
#undef X
	}
}

static void add_listener(struct listener_metrics *sum,
    const struct listener_metrics *metrics, uint32_t n_workers)
{
	for (uint32_t i = 0; i < n_workers; i++) {
#define X(name, help) add_field(&sum->name, &metrics[i].name);
		LISTENER_METRIC_LIST(X)
#undef X
	}
}

/* -- rows of the board -- */
static void on_row(void *context, struct board_row *row)
{
	struct metrics_view *view = context;
	struct view_server *server;
	struct board_facts facts;

	/* The addresses of POPs get no flows of ours. */
	if (dns_pops_is(row->pool))
		return;
	view->servers = grow(view->servers, view->n_servers,
	    &view->room_servers, sizeof(*view->servers));
	server = &view->servers[view->n_servers++];
	board_read(row, &facts);
	*server = (struct view_server){.pool = row->pool,
	    .server = row->server,
	    .checks = facts.checks,
	    .checks_failed = facts.checks_failed,
	    .changes = facts.changes,
	    .ejections = facts.ejections,
	    .agent_checks = facts.agent.asked,
	    .agent_failed = facts.agent.failed};
	add_server(&server->sum, row->metrics, view->n_workers);
}

static int compare_servers(const void *a, const void *b)
{
	const struct view_server *x = a, *y = b;
	int order = strcmp(x->pool, y->pool);

	return order ? order : strcmp(x->server, y->server);
}

static void merge_server(struct view_server *to, const struct view_server *from)
{
	to->checks += from->checks;
	to->checks_failed += from->checks_failed;
	to->changes += from->changes;
	to->ejections += from->ejections;
	to->agent_checks += from->agent_checks;
	to->agent_failed += from->agent_failed;
	add_server(&to->sum, &from->sum, 1);
}

/* The address is no label, so rows that differ only in it are one series. */
static void sort_servers(struct metrics_view *view)
{
	uint32_t n = 0;

	if (!view->n_servers)
		return;
	qsort(view->servers, view->n_servers, sizeof(*view->servers),
	    compare_servers);
	for (uint32_t i = 1; i < view->n_servers; i++) {
		if (!compare_servers(&view->servers[n], &view->servers[i]))
			merge_server(&view->servers[n], &view->servers[i]);
		else
			view->servers[++n] = view->servers[i];
	}
	view->n_servers = n + 1;
}

static void on_listener(void *context, struct board_listener *row)
{
	struct metrics_view *view = context;
	struct view_listener *listener;

	view->listeners = grow(view->listeners, view->n_listeners,
	    &view->room_listeners, sizeof(*view->listeners));
	listener = &view->listeners[view->n_listeners++];
	*listener =
	    (struct view_listener){.connections = __atomic_load_n(
				       &row->connections, __ATOMIC_RELAXED)};
	(void)snprintf(listener->name, sizeof(listener->name), "%s", row->name);
	add_listener(&listener->sum, row->metrics, view->n_workers);
}

static int compare_listeners(const void *a, const void *b)
{
	const struct view_listener *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* -- what is in the configuration in force -- */
/* The addresses of one server are one series: sums, and of states the best. */
static void mark_server(struct metrics_view *view, const struct pool *pool,
    const struct server *server, const struct board_facts *facts)
{
	struct view_server key = {.pool = pool->name, .server = server->name};
	struct view_server *found = bsearch(
	    &key, view->servers, view->n_servers, sizeof(key), compare_servers);
	uint32_t percent;

	if (!found)
		return;
	if (!found->configured)
		found->slow_start_percent = 100;
	percent = shares_slow_start_percent(pool, facts, mono_now().ns);
	found->configured = true;
	found->up |= board_health_now(facts) != BOARD_DOWN;
	found->ready |= board_admin_now(facts) == BOARD_READY;
	found->ejected |= facts->ejected_until_ns != 0;
	if (percent < found->slow_start_percent)
		found->slow_start_percent = percent;
	found->addresses += server->addr.length != 0;
	found->weight += server_weight_now(server, facts);
	found->connections += board_slots_used(server->row);
	found->limit += server_limit_now(server, facts);
	if (facts->check_us > found->check_us)
		found->check_us = facts->check_us;
}

static void add_pool(
    struct metrics_view *view, struct view_pool *ret, struct upstream *upstream)
{
	const struct pool *pool = upstream->pool;
	struct shares_summary summary;
	struct board_facts facts;

	shares_summarize(pool, mono_now().ns, &summary);
	*ret = (struct view_pool){.servers = pool->n_servers,
	    .queued = __atomic_load_n(&upstream->queued, __ATOMIC_RELAXED),
	    .queue_limit = pool->queue_length,
	    .local_percent = summary.local_percent,
	    .fails_open = summary.fails_open,
	    .backups = summary.backups};
	(void)snprintf(ret->name, sizeof(ret->name), "%s", pool->name);
	for (uint32_t i = 0; i < pool->n_servers; i++) {
		const struct server *server = &pool->servers[i];

		server_read(server, &facts);
		mark_server(view, pool, server, &facts);
		ret->usable += server_weight_now(server, &facts) > 0;
	}
}

static void add_report(struct view_pop *ret, const struct pool *pool)
{
	struct mono now = mono_now();
	struct dns_pops_state state = dns_pops_state(pool, now);
	struct board_facts facts;
	int64_t heard_ns = 0;

	ret->reports = state.report.n;
	ret->report_up = !state.report.n || state.report.n_up;
	ret->report_percent = 100;
	if (state.report.n_up)
		ret->report_percent = pop_report_percent(&state.report);
	for (uint32_t i = 0; i < pool->n_servers; i++) {
		board_read(pool->servers[i].row, &facts);
		if (facts.agent.heard_ns > heard_ns)
			heard_ns = facts.agent.heard_ns;
	}
	ret->report_age_seconds = heard_ns && pool->agent.port
				      ? (double)(now.ns - heard_ns) / 1e9
				      : -1;
}

static void add_pop(struct view_pop *ret, const struct pool *pool)
{
	struct board_facts facts;
	struct pop_facts pop;

	dns_pops_read(pool, &pop);
	*ret = (struct view_pop){
	    .addresses = pool->n_servers,
	    .up = pop.up,
	    .ready = !pop.draining,
	    .leaves_seconds = (double)pop.leaves.ns / 1e9,
	    .weight_percent = pop.weight_override == POP_WEIGHT_CONFIGURED
				  ? DNS_POPS_WEIGHT
				  : pop.weight_override,
	};
	add_report(ret, pool);
	(void)snprintf(ret->name, sizeof(ret->name), "%s", dns_pops_name(pool));
	for (uint32_t i = 0; i < pool->n_servers; i++) {
		board_read(pool->servers[i].row, &facts);
		ret->addresses_up += board_health_now(&facts) != BOARD_DOWN;
	}
}

static void add_pops(struct metrics_view *view, const struct plan *plan)
{
	view->pops = calloc(plan->n_pops + 1, sizeof(*view->pops));
	if (!view->pops)
		br_out_of_memory("metrics", plan->n_pops);
	for (uint32_t i = 0; i < plan->n_pops; i++)
		add_pop(&view->pops[view->n_pops++], plan->pops[i]);
}

static void add_plan(struct metrics_view *view, const struct plan *plan)
{
	view->loaded_seconds = (double)plan->loaded_at.ns / 1e9;
	add_pops(view, plan);
	view->pools = calloc(plan->n_upstreams + 1, sizeof(*view->pools));
	if (!view->pools)
		br_out_of_memory("metrics", plan->n_upstreams);
	for (uint32_t i = 0; i < plan->n_upstreams; i++)
		add_pool(
		    view, &view->pools[view->n_pools++], plan->upstreams[i]);
	for (uint32_t i = 0; i < plan->n_listeners; i++) {
		struct view_listener key = {0}, *found;

		(void)snprintf(
		    key.name, sizeof(key.name), "%s", plan->listeners[i]->name);
		found = bsearch(&key, view->listeners, view->n_listeners,
		    sizeof(key), compare_listeners);
		if (!found)
			continue;
		found->configured = true;
		found->limit = plan->listeners[i]->max_connections;
		if (plan->tls)
			found->expiry_s = tls_store_expiry_s(plan->tls, i);
	}
}

/* -- the process -- */
static uint64_t resident_bytes(void)
{
	unsigned long long size = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file)
		return 0;
	if (fscanf(file, "%llu %llu", &size, &resident) != 2)
		resident = 0;
	(void)fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static double seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void add_tls_memory(struct metrics_view *view)
{
	uint64_t *singles = view->singles;
	struct tls_memory_stats stats;

	singles[METRIC_ID_TLS_MEMORY] = tls_memory_used_bytes();
	singles[METRIC_ID_TLS_MEMORY_LIMIT] = tls_memory_cap_bytes();
	for (uint32_t i = 0; i < view->n_workers; i++) {
		tls_memory_read(i, &stats);
		singles[METRIC_ID_TLS_MEMORY_REFUSED] += stats.refusals;
	}
}

static void add_shards(
    struct metrics_view *view, const struct lb_shared *shared)
{
	const struct lb_limits *limits = &shared->limits;
	uint64_t *singles = view->singles;

	singles[METRIC_ID_SHARDED] = shared_read(&shared->sharded_flows);
	singles[METRIC_ID_SHARDED_LIMIT] = limits->sharded_flows;
	singles[METRIC_ID_SHARD_CONNECTIONS] =
	    shared_read(&shared->shard_connections);
	singles[METRIC_ID_SHARD_CONNECTIONS_LIMIT] = limits->shard_connections;
	singles[METRIC_ID_SHARD_KERNEL] =
	    __atomic_load_n(&shared->shard_kernel, __ATOMIC_RELAXED);
	singles[METRIC_ID_SHARD_KERNEL_LIMIT] = limits->shard_kernel_bytes;
}

static void add_process(struct metrics_view *view, struct daemon *daemon)
{
	uint64_t *singles = view->singles;
	struct lb_shared *shared = &daemon->shared;
	struct rusage usage;
	struct rlimit files;

	if (!getrusage(RUSAGE_SELF, &usage))
		view->cpu_seconds =
		    seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
	if (!getrlimit(RLIMIT_NOFILE, &files))
		singles[METRIC_ID_MAX_FDS] = files.rlim_cur;
	view->start_seconds = (double)daemon->started_at.ns / 1e9;
	singles[METRIC_ID_RESIDENT] = resident_bytes();
	singles[METRIC_ID_WORKERS] = daemon->n_workers;
	singles[METRIC_ID_GENERATIONS] =
	    1 +
	    (daemon->generations ? generations_count(daemon->generations) : 0);
	singles[METRIC_ID_DRAINING] =
	    atomic_load(&daemon->state) == DAEMON_DRAINING;
	singles[METRIC_ID_CONNECTIONS] =
	    __atomic_load_n(&shared->connections, __ATOMIC_RELAXED);
	singles[METRIC_ID_CONNECTIONS_LIMIT] = shared->limits.max_connections;
	singles[METRIC_ID_PARKED] =
	    __atomic_load_n(&shared->parked, __ATOMIC_RELAXED);
	singles[METRIC_ID_PARKED_LIMIT] = shared->limits.parked_bytes;
	add_shards(view, shared);
	add_tls_memory(view);
	singles[METRIC_ID_PLAN] = atomic_load(&daemon->plan_number);
	singles[METRIC_ID_RELOADS] = atomic_load(&daemon->reloads);
	singles[METRIC_ID_REFUSED] = atomic_load(&daemon->reloads_refused);
	singles[METRIC_ID_NAME_CHANGES] = atomic_load(&daemon->name_changes);
	singles[METRIC_ID_LOG_DROPPED] = log_dropped();
	singles[METRIC_ID_RECORDED] = atomic_load(&daemon->rows_recorded);
	singles[METRIC_ID_RECORD_LOST] = atomic_load(&daemon->rows_lost);
	view->agent_percent = atomic_load(&daemon->agent_percent);
	singles[METRIC_ID_AGENT_ANSWERS] = atomic_load(&daemon->agent_answers);
	singles[METRIC_ID_AGENT_REFUSED] = atomic_load(&daemon->agent_refused);
}

static void add_names(struct metrics_view *view, struct daemon *daemon)
{
	struct name_view *names;

	if (!daemon->resolver)
		return;
	names = resolver_view(daemon->resolver);
	for (uint32_t i = 0; i < names->n; i++) {
		const struct name_view_row *row = &names->rows[i];

		view->singles[METRIC_ID_NAMES] += row->wanted;
		view->singles[METRIC_ID_NAMES_FAILING] +=
		    name_view_failing(row);
	}
	memcpy(view->answers, names->counts, sizeof(view->answers));
	name_view_unref(names);
}

static void add_histograms(struct metrics_view *view)
{
	for (uint32_t i = 0; i < view->n_workers; i++) {
		const struct worker_metrics *worker = &view->workers[i];

		histogram_read(&worker->connect_time, view->connect_time.bucket,
		    &view->connect_time.sum_us);
		histogram_read(&worker->queue_time, view->queue_time.bucket,
		    &view->queue_time.sum_us);
		histogram_read(&worker->flow_time, view->flow_time.bucket,
		    &view->flow_time.sum_us);
	}
}

/* The plan comes first and the board's rows second, so that every server of
 * the plan has its row in the view. */
void metrics_view_init(struct metrics_view *view, struct daemon *daemon,
    struct snapshot_reader *reader)
{
	const struct plan *plan;

	*view = (struct metrics_view){.board = daemon->board,
	    .n_workers = daemon->n_workers,
	    .workers = daemon->shared.metrics,
	    .checks = &daemon->checks};
	add_process(view, daemon);
	add_names(view, daemon);
	add_histograms(view);
	board_enter(view->board);
	plan = snapshot_enter(reader);
	board_each(view->board, on_row, view);
	sort_servers(view);
	board_each_listener(view->board, on_listener, view);
	if (view->n_listeners)
		qsort(view->listeners, view->n_listeners,
		    sizeof(*view->listeners), compare_listeners);
	if (plan)
		add_plan(view, plan);
	metrics_dns_read(&view->dns, daemon, plan);
	snapshot_leave(reader);
}

void metrics_view_fini(struct metrics_view *view)
{
	board_leave(view->board);
	free(view->listeners);
	free(view->pools);
	free(view->pops);
	free(view->servers);
	metrics_dns_fini(&view->dns);
}
