/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl_command.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "lb/flow_line.h"
#include "lb/flow_state.h"

/*
 * Asks one worker after the other for its flows, a page a time:
 *
 *      listing ──> worker 0 ──> back: rows into the answer ──> worker 0 ...
 *                                complete: worker 1 ... last: answered
 */
#define FLOWS_DEFAULT 1000u
#define FLOWS_MAX 100000u

/* " unknown request ..." */
#define CLASS_WORD(id, name, help) " " name
#define CLASS_WORDS FLOW_CLASS_LIST(CLASS_WORD)

struct flows {
	struct ctl_call *call; /* NULL: abandoned while a worker has it */
	/* Arguments; NULL: any. */
	const char *pool, *server, *listener, *class;
	uint32_t limit, listed;
	struct flow_listing listing;
};

/* By name, which may stand for several instances, or by instance. */
static bool is_server(const char *wanted, const char *instance)
{
	size_t name = strcspn(instance, "/");

	return !strcmp(wanted, instance) ||
	       (strlen(wanted) == name && !strncmp(wanted, instance, name));
}

static bool matches(const struct flows *flows, const struct flow_row *row)
{
	return (!flows->pool || !strcmp(flows->pool, row->pool)) &&
	       (!flows->server || is_server(flows->server, row->server)) &&
	       (!flows->listener ||
		   !strcmp(flows->listener, row->listener_name)) &&
	       (!flows->class ||
		   (row->class && !strcmp(flows->class, row->class)));
}

static void put_row(struct json *j, uint32_t worker, const struct flow_row *row)
{
	char client[FLOW_CLIENT_TEXT_MAX];

	(void)flow_client_format(&row->client, client);
	json_object_begin(j, NULL);
	json_uint(j, "id", row->id);
	json_uint(j, "worker", worker);
	json_string(j, "listener", row->listener_name);
	json_string(j, "client", client);
	json_string(j, "pool", row->pool);
	if (row->server[0])
		json_string(j, "server", row->server);
	else
		json_null(j, "server");
	if (row->tls)
		json_string(j, "tls", row->tls);
	if (row->sni[0])
		json_string(j, "sni", row->sni);
	if (row->class) {
		json_string(j, "class", row->class);
		json_string(j, "class_at", row->class_at);
		json_uint(j, "sure", row->sure);
	}
	json_string(j, "state", flow_states[row->state].name);
	json_string(j, "mode_up", direction_mode_name(row->mode_up));
	json_string(j, "mode_down", direction_mode_name(row->mode_down));
	json_double(j, "age_seconds", (double)row->age_ns / 1e9);
	json_double(j, "idle_seconds", (double)row->idle_ns / 1e9);
	json_uint(j, "bytes_up", row->bytes_up);
	json_uint(j, "bytes_down", row->bytes_down);
	json_uint(j, "parked_bytes", row->parked_bytes);
	json_uint(j, "retries", row->retries);
	json_object_end(j);
}

static void finish(struct flows *flows, bool complete)
{
	struct ctl_call *call = flows->call;

	json_array_end(&call->json);
	json_bool(&call->json, "complete", complete);
	call->state = NULL;
	free(flows);
	ctl_end(call);
}

static void on_listed(struct flow_listing *listing)
{
	struct flows *flows = listing->context;
	struct ctl_call *call = flows->call;

	if (!call) {
		free(flows);
		return;
	}
	for (uint32_t i = 0; i < listing->n; i++) {
		const struct flow_row *row = &listing->rows[i];

		if (!matches(flows, row))
			continue;
		if (flows->listed == flows->limit) {
			finish(flows, false);
			return;
		}
		flows->listed++;
		put_row(&call->json, listing->worker, row);
	}
	if (listing->n)
		listing->after = listing->rows[listing->n - 1].id;
	if (listing->complete) {
		listing->after = 0;
		listing->worker++;
	}
	if (listing->worker == control_daemon(call->control)->n_workers)
		finish(flows, true);
	else
		control_list_flows(call->control, listing);
}

/* A worker has the listing; it is freed when it comes back. */
static void on_abandoned(struct ctl_call *call)
{
	struct flows *flows = call->state;

	flows->call = NULL;
	call->state = NULL;
}

/* "key=value" of key; NULL when the argument is another. */
static const char *value_of(const char *argument, const char *key)
{
	size_t n = strlen(key);

	return !strncmp(argument, key, n) && argument[n] == '='
		   ? argument + n + 1
		   : NULL;
}

static bool parse_limit(const char *text, uint32_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long value;

	if (!digits || digits > 7 || text[digits])
		return false;
	value = strtoul(text, NULL, 10);
	if (value > FLOWS_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static bool parse_class(const char *text, const char **ret)
{
	enum flow_class class;

	*ret = text;
	return flow_class_find(text, &class);
}

static bool read_filter(struct flows *flows, const char *argument)
{
	const char *value;

	if ((value = value_of(argument, "pool")))
		flows->pool = value;
	else if ((value = value_of(argument, "server")))
		flows->server = value;
	else if ((value = value_of(argument, "listener")))
		flows->listener = value;
	else if ((value = value_of(argument, "class")))
		return parse_class(value, &flows->class);
	else if ((value = value_of(argument, "limit")))
		return parse_limit(value, &flows->limit);
	else
		return false;
	return true;
}

void ctl_flows(struct ctl_call *call)
{
	struct flows *flows = calloc(1, sizeof(*flows));

	if (!flows) {
		ctl_fail(call, CTL_TEMPORARY, "flows: out of memory");
		return;
	}
	*flows = (struct flows){.call = call, .limit = FLOWS_DEFAULT};
	for (uint32_t i = 0; i < call->request.n_arguments; i++) {
		if (read_filter(flows, ctl_argument(call, i)))
			continue;
		free(flows);
		ctl_fail(call, CTL_USAGE,
		    "flows: \"%s\" is none of pool=NAME, server=NAME, "
		    "listener=NAME, limit=N (at most %u), class=CLASS of" CLASS_WORDS,
		    ctl_argument(call, i), FLOWS_MAX);
		return;
	}
	flows->listing.on_listed = on_listed;
	flows->listing.context = flows;
	call->state = flows;
	call->on_abandon = on_abandoned;
	ctl_begin(call);
	json_array_begin(&call->json, "flows");
	control_list_flows(call->control, &flows->listing);
}
