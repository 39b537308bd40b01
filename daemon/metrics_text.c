/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/metrics_text.h"

#include <stddef.h>
#include <stdio.h>

#include "base/assert.h"

static void family(struct metrics_writer *w, enum metric_id id)
{
	metrics_family(w, &metrics_families[id]);
}

/* -- the process -- */
static double single_fraction(
    const struct metrics_view *view, enum metric_id id, bool *ret_is_fraction)
{
	*ret_is_fraction = true;
	if (id == METRIC_ID_START)
		return view->start_seconds;
	if (id == METRIC_ID_CPU)
		return view->cpu_seconds;
	if (id == METRIC_ID_LOADED)
		return view->loaded_seconds;
	if (id == METRIC_ID_AGENT_RATIO)
		return view->agent_percent / 1e2;
	*ret_is_fraction = false;
	return 0;
}

static void print_singles(
    struct metrics_writer *w, const struct metrics_view *view)
{
	struct metric_label version = {"version", BRAID_VERSION};

	family(w, METRIC_ID_BUILD);
	metrics_uint(w, &version, 1, 1);
	for (enum metric_id id = METRIC_ID_START; id < METRIC_ID_CONNECT_TIME;
	     id++) {
		bool is_fraction;
		double value = single_fraction(view, id, &is_fraction);

		family(w, id);
		if (is_fraction)
			metrics_double(w, NULL, 0, value);
		else
			metrics_uint(w, NULL, 0, view->singles[id]);
	}
	family(w, METRIC_ID_CONNECT_TIME);
	metrics_histogram(
	    w, view->connect_time.bucket, view->connect_time.sum_us);
	family(w, METRIC_ID_QUEUE_TIME);
	metrics_histogram(w, view->queue_time.bucket, view->queue_time.sum_us);
	family(w, METRIC_ID_FLOW_TIME);
	metrics_histogram(w, view->flow_time.bucket, view->flow_time.sum_us);
}

/* -- health checks, all together -- */
static void print_checks(
    struct metrics_writer *w, const struct metrics_view *view)
{
	struct metric_family f;

	for (uint32_t field = 0; field < metrics_checks.n_fields; field++) {
		metric_group_family(&metrics_checks, field, &f);
		metrics_family(w, &f);
		metrics_uint(w, NULL, 0,
		    metric_field_read(&metrics_checks, field, view->checks));
	}
}

/* -- names -- */
static void print_names(
    struct metrics_writer *w, const struct metrics_view *view)
{
	struct metric_label label = {.name = "result"};

	family(w, METRIC_ID_N_ANSWERS);
	for (enum name_result result = 0; result < NAME_RESULTS; result++) {
		label.value = name_result_text(result);
		metrics_uint(w, &label, 1, view->answers[result]);
	}
}

/* -- workers -- */
static uint64_t worker_gauge(const struct worker_metrics *m, enum metric_id id)
{
	switch (id) {
	case METRIC_ID_W_FLOWS:
		return counter_read(&m->flows_open);
	case METRIC_ID_W_SPLICING:
		return counter_read(&m->flows_splicing);
	case METRIC_ID_W_PARKED:
		return counter_read(&m->parked_bytes);
	default:
		br_assert(id == METRIC_ID_W_PIPES);
		return counter_read(&m->pipes);
	}
}

static struct metric_label worker_label(uint32_t worker, char ret_text[12])
{
	(void)snprintf(ret_text, 12, "%u", worker);
	return (struct metric_label){"worker", ret_text};
}

static void print_worker_group(struct metrics_writer *w,
    const struct metrics_view *view, const struct metric_group *group)
{
	struct metric_family f;
	char text[12];

	for (uint32_t field = 0; field < group->n_fields; field++) {
		metric_group_family(group, field, &f);
		metrics_family(w, &f);
		for (uint32_t i = 0; i < view->n_workers; i++) {
			struct metric_label label = worker_label(i, text);

			metrics_uint(w, &label, 1,
			    metric_field_read(group, field, &view->workers[i]));
		}
	}
}

/* Counters of a worker by cause, or by class. */
struct causes {
	enum metric_id id;
	size_t counters; /* in struct worker_metrics */
	unsigned first, n; /* those before the first are no failures */
	const char *(*name)(unsigned cause);
	const char *label;
};

#define CAUSES(id, field, first, n, name, label)                               \
	{                                                                      \
		METRIC_ID_##id, offsetof(struct worker_metrics, field), first, \
		    n, name, label                                             \
	}

static const char *class_name(unsigned class)
{
	return flow_class_name((enum flow_class) class);
}

static const struct causes causes[] = {
    CAUSES(T_CLIENT, tls_client_failures, 1, TLS_N_CAUSES, tls_cause_name,
	"cause"),
    CAUSES(T_SERVER, tls_server_failures, 1, TLS_N_CAUSES, tls_cause_name,
	"cause"),
    CAUSES(F_PROXY, proxy_causes, 1, PROXY_N_CAUSES, proxy_cause_name, "cause"),
    CAUSES(F_HELLO, hello_causes, CLIENT_HELLO_CAUSES_COUNTED,
	CLIENT_HELLO_N_CAUSES, client_hello_cause_name, "cause"),
    CAUSES(R_MIGRATIONS, shard.migrations, 0, SHARD_N_CAUSES, shard_cause_name,
	"cause"),
    CAUSES(
	R_REFUSED, shard.refused, 0, SHARD_N_LIMITS, shard_limit_name, "cause"),
    CAUSES(C_FLOWS, classes, 0, N_FLOW_CLASSES, class_name, "class"),
};

static void print_causes(struct metrics_writer *w,
    const struct metrics_view *view, const struct causes *of)
{
	char text[12];

	family(w, of->id);
	for (uint32_t i = 0; i < view->n_workers; i++) {
		const char *metrics = (const char *)&view->workers[i];
		const struct counter *counters =
		    (const void *)(metrics + of->counters);

		for (unsigned cause = of->first; cause < of->n; cause++) {
			struct metric_label labels[2] = {worker_label(i, text),
			    {of->label, of->name(cause)}};

			metrics_uint(
			    w, labels, 2, counter_read(&counters[cause]));
		}
	}
}

static void print_workers(
    struct metrics_writer *w, const struct metrics_view *view)
{
	char text[12];

	for (enum metric_id id = METRIC_ID_W_FLOWS; id <= METRIC_ID_W_PIPES;
	     id++) {
		family(w, id);
		for (uint32_t i = 0; i < view->n_workers; i++) {
			struct metric_label label = worker_label(i, text);

			metrics_uint(
			    w, &label, 1, worker_gauge(&view->workers[i], id));
		}
	}
	for (size_t i = 0; i < BR_COUNT(causes); i++)
		print_causes(w, view, &causes[i]);
	print_worker_group(w, view, &metrics_worker);
	print_worker_group(w, view, &metrics_shard);
	print_worker_group(w, view, &metrics_ring);
}

/* -- listeners -- */
static void print_listeners(
    struct metrics_writer *w, const struct metrics_view *view)
{
	struct metric_label label = {.name = "listener"};
	struct metric_family f;

	for (enum metric_id id = METRIC_ID_L_CONNECTIONS;
	     id <= METRIC_ID_L_LIMIT; id++) {
		family(w, id);
		for (uint32_t i = 0; i < view->n_listeners; i++) {
			const struct view_listener *l = &view->listeners[i];

			/* One that is gone may still have flows. */
			label.value = l->name;
			if (id == METRIC_ID_L_CONNECTIONS)
				metrics_uint(w, &label, 1, l->connections);
			else if (id == METRIC_ID_L_EXPIRY && l->expiry_s)
				metrics_double(
				    w, &label, 1, (double)l->expiry_s);
			else if (id == METRIC_ID_L_LIMIT && l->configured &&
				 l->limit)
				metrics_uint(w, &label, 1, l->limit);
		}
	}
	for (uint32_t field = 0; field < metrics_listener.n_fields; field++) {
		metric_group_family(&metrics_listener, field, &f);
		metrics_family(w, &f);
		for (uint32_t i = 0; i < view->n_listeners; i++) {
			label.value = view->listeners[i].name;
			metrics_uint(w, &label, 1,
			    metric_field_read(&metrics_listener, field,
				&view->listeners[i].sum));
		}
	}
}

/* -- pools -- */
static uint64_t pool_gauge(const struct view_pool *pool, enum metric_id id)
{
	switch (id) {
	case METRIC_ID_P_SERVERS:
		return pool->servers;
	case METRIC_ID_P_USABLE:
		return pool->usable;
	case METRIC_ID_P_QUEUED:
		return pool->queued;
	case METRIC_ID_P_QUEUE_LIMIT:
		return pool->queue_limit;
	case METRIC_ID_P_FAIL_OPEN:
		return pool->fails_open;
	default:
		br_assert(id == METRIC_ID_P_BACKUPS);
		return pool->backups;
	}
}

static void print_pools(
    struct metrics_writer *w, const struct metrics_view *view)
{
	struct metric_label label = {.name = "pool"};

	for (enum metric_id id = METRIC_ID_P_SERVERS; id <= METRIC_ID_P_BACKUPS;
	     id++) {
		family(w, id);
		for (uint32_t i = 0; i < view->n_pools; i++) {
			label.value = view->pools[i].name;
			metrics_uint(
			    w, &label, 1, pool_gauge(&view->pools[i], id));
		}
	}
	family(w, METRIC_ID_P_LOCAL);
	for (uint32_t i = 0; i < view->n_pools; i++) {
		label.value = view->pools[i].name;
		metrics_double(
		    w, &label, 1, view->pools[i].local_percent / 1e2);
	}
}

/* -- POPs -- */
static uint64_t pop_gauge(const struct view_pop *pop, enum metric_id id)
{
	switch (id) {
	case METRIC_ID_O_UP:
		return pop->up;
	case METRIC_ID_O_READY:
		return pop->ready;
	case METRIC_ID_O_ADDRESSES:
		return pop->addresses;
	case METRIC_ID_O_REPORTS:
		return pop->reports;
	case METRIC_ID_O_REPORT_UP:
		return pop->report_up;
	default:
		br_assert(id == METRIC_ID_O_ADDRESSES_UP);
		return pop->addresses_up;
	}
}

/* Those that are no whole numbers; false: it is another. */
static bool pop_fraction(
    const struct view_pop *pop, enum metric_id id, double *ret)
{
	switch (id) {
	case METRIC_ID_O_WEIGHT:
		*ret = pop->weight_percent / 1e2;
		return true;
	case METRIC_ID_O_LEAVES:
		*ret = pop->leaves_seconds;
		return true;
	case METRIC_ID_O_REPORT_WEIGHT:
		*ret = pop->report_percent / 1e2;
		return true;
	case METRIC_ID_O_REPORT_AGE:
		*ret = pop->report_age_seconds;
		return true;
	default:
		return false;
	}
}

static void print_pops(
    struct metrics_writer *w, const struct metrics_view *view)
{
	struct metric_label label = {.name = "pop"};
	double fraction;

	for (enum metric_id id = METRIC_ID_O_UP; id <= METRIC_ID_O_REPORT_AGE;
	     id++) {
		family(w, id);
		for (uint32_t i = 0; i < view->n_pops; i++) {
			const struct view_pop *pop = &view->pops[i];

			label.value = pop->name;
			if (!pop_fraction(pop, id, &fraction))
				metrics_uint(w, &label, 1, pop_gauge(pop, id));
			else if (fraction >= 0)
				metrics_double(w, &label, 1, fraction);
		}
	}
}

/* -- servers -- */
static void print_server_gauge(struct metrics_writer *w,
    const struct metric_label labels[2], const struct view_server *s,
    enum metric_id id)
{
	switch (id) {
	case METRIC_ID_S_UP:
		metrics_uint(w, labels, 2, s->up);
		break;
	case METRIC_ID_S_ADDRESSES:
		metrics_uint(w, labels, 2, s->addresses);
		break;
	case METRIC_ID_S_READY:
		metrics_uint(w, labels, 2, s->ready);
		break;
	case METRIC_ID_S_WEIGHT:
		metrics_uint(w, labels, 2, s->weight);
		break;
	case METRIC_ID_S_EJECTED:
		metrics_uint(w, labels, 2, s->ejected);
		break;
	case METRIC_ID_S_SLOW_START:
		metrics_double(w, labels, 2, s->slow_start_percent / 1e2);
		break;
	case METRIC_ID_S_CONNECTIONS:
		metrics_uint(w, labels, 2, s->connections);
		break;
	case METRIC_ID_S_LIMIT:
		if (s->limit)
			metrics_uint(w, labels, 2, s->limit);
		break;
	default:
		br_assert(id == METRIC_ID_S_CHECK_TIME);
		if (s->checks)
			metrics_double(w, labels, 2, s->check_us / 1e6);
		break;
	}
}

static uint64_t server_count(const struct view_server *s, enum metric_id id)
{
	switch (id) {
	case METRIC_ID_S_CHECKS:
		return s->checks;
	case METRIC_ID_S_CHECKS_FAILED:
		return s->checks_failed;
	case METRIC_ID_S_CHANGES:
		return s->changes;
	case METRIC_ID_S_EJECTIONS:
		return s->ejections;
	case METRIC_ID_S_AGENT_CHECKS:
		return s->agent_checks;
	default:
		br_assert(id == METRIC_ID_S_AGENT_FAILED);
		return s->agent_failed;
	}
}

static void print_server_family(struct metrics_writer *w,
    const struct metrics_view *view, enum metric_id id)
{
	family(w, id);
	for (uint32_t i = 0; i < view->n_servers; i++) {
		const struct view_server *s = &view->servers[i];
		struct metric_label labels[2] = {
		    {"pool", s->pool}, {"server", s->server}};

		if (id >= METRIC_ID_S_CHECKS)
			metrics_uint(w, labels, 2, server_count(s, id));
		else if (s->configured)
			print_server_gauge(w, labels, s, id);
	}
}

static void print_servers(
    struct metrics_writer *w, const struct metrics_view *view)
{
	struct metric_family f;

	for (enum metric_id id = METRIC_ID_S_UP; id <= METRIC_ID_S_AGENT_FAILED;
	     id++)
		print_server_family(w, view, id);
	for (uint32_t field = 0; field < metrics_server.n_fields; field++) {
		metric_group_family(&metrics_server, field, &f);
		metrics_family(w, &f);
		for (uint32_t i = 0; i < view->n_servers; i++) {
			const struct view_server *s = &view->servers[i];
			struct metric_label labels[2] = {
			    {"pool", s->pool}, {"server", s->server}};

			metrics_uint(w, labels, 2,
			    metric_field_read(&metrics_server, field, &s->sum));
		}
	}
}

void metrics_text_print(const struct metrics_view *view,
    enum metrics_format format, struct tally *more, struct strbuf *ret)
{
	struct metrics_writer w;

	metrics_begin(&w, ret, format, more);
	print_singles(&w, view);
	print_checks(&w, view);
	print_names(&w, view);
	print_workers(&w, view);
	print_listeners(&w, view);
	print_pools(&w, view);
	print_pops(&w, view);
	metrics_dns_print(&w, &view->dns);
	print_servers(&w, view);
	metrics_end(&w);
}
