/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl_command.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "daemon/ctl_list.h"
#include "daemon/flow_rows.h"
#include "lb/flow_line.h"
#include "lb/flow_state.h"

/* " unknown request ..." */
#define CLASS_WORD(id, name, help) " " name
#define CLASS_WORDS FLOW_CLASS_LIST(CLASS_WORD)

struct flows {
	struct ctl_list list;
	/* Arguments; NULL: any. */
	const char *pool, *server, *listener, *class;
	struct flow_listing listing;
};

/* By name, which may stand for several instances, or by instance. */
static bool is_server(const char *wanted, const char *instance)
{
	size_t name = strcspn(instance, "/");

	return !strcmp(wanted, instance) ||
	       (strlen(wanted) == name && !strncmp(wanted, instance, name));
}

static bool matches(const struct ctl_list *list, uint32_t n)
{
	const struct flows *flows = (const struct flows *)list;
	const struct flow_row *row = &flows->listing.rows[n];

	return (!flows->pool || !strcmp(flows->pool, row->pool)) &&
	       (!flows->server || is_server(flows->server, row->server)) &&
	       (!flows->listener ||
		   !strcmp(flows->listener, row->listener_name)) &&
	       (!flows->class ||
		   (row->class && !strcmp(flows->class, row->class)));
}

static void put_row(const struct ctl_list *list, uint32_t n, struct json *j)
{
	const struct flows *flows = (const struct flows *)list;
	const struct flow_row *row = &flows->listing.rows[n];
	char client[FLOW_CLIENT_TEXT_MAX];

	(void)flow_client_format(&row->client, client);
	json_object_begin(j, NULL);
	json_uint(j, "id", row->id);
	json_uint(j, "worker", list->listing->worker);
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

static bool parse_class(const char *text, const char **ret)
{
	enum flow_class class;

	*ret = text;
	return flow_class_find(text, &class);
}

static bool read_filter(struct flows *flows, const char *argument)
{
	const char *value;

	if ((value = ctl_list_value(argument, "pool")))
		flows->pool = value;
	else if ((value = ctl_list_value(argument, "server")))
		flows->server = value;
	else if ((value = ctl_list_value(argument, "listener")))
		flows->listener = value;
	else if ((value = ctl_list_value(argument, "class")))
		return parse_class(value, &flows->class);
	else if ((value = ctl_list_value(argument, "limit")))
		return ctl_list_limit(value, &flows->list.limit);
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
	flows->list = (struct ctl_list){.limit = CTL_LIST_DEFAULT,
	    .listing = &flows->listing.base,
	    .matches = matches,
	    .put = put_row};
	flows->listing.base.fill = flow_rows_fill;
	for (uint32_t i = 0; i < call->request.n_arguments; i++) {
		if (read_filter(flows, ctl_argument(call, i)))
			continue;
		free(flows);
		ctl_fail(call, CTL_USAGE,
		    "flows: \"%s\" is none of pool=NAME, server=NAME, "
		    "listener=NAME, limit=N (at most %u), class=CLASS of" CLASS_WORDS,
		    ctl_argument(call, i), CTL_LIST_MAX);
		return;
	}
	ctl_list_start(&flows->list, call, "flows");
}
