/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl_command.h"
#include "daemon/resolver.h"

/* The names of servers and what the DNS has said about them. */

static void put_records(struct json *j, const struct name_view_row *row)
{
	char text[ADDR_TEXT_MAX];

	json_array_begin(j, "records");
	for (uint32_t i = 0; i < row->n; i++) {
		const struct name_record *record = &row->records[i];

		if (row->type != NAME_SRV) {
			addr_format(&record->addr, text);
			json_string(j, NULL, text);
			continue;
		}
		json_object_begin(j, NULL);
		json_string(j, "target", record->target);
		json_uint(j, "port", record->port);
		json_uint(j, "priority", record->priority);
		json_uint(j, "weight", record->weight);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_times(struct ctl_call *call, const struct name_view_row *row)
{
	struct json *j = &call->json;

	json_uint(j, "ttl_seconds", row->ttl_s);
	if (row->answered.ns)
		json_double(j, "answered_since_seconds",
		    ctl_seconds_since(call, row->answered.ns));
	else
		json_null(j, "answered_since_seconds");
	if (row->due.ns)
		json_double(j, "next_in_seconds",
		    -ctl_seconds_since(call, row->due.ns));
	else
		json_null(j, "next_in_seconds");
}

static void put_row(struct ctl_call *call, const struct name_view_row *row)
{
	struct json *j = &call->json;

	json_object_begin(j, NULL);
	json_string(j, "name", row->host);
	json_string(j, "type", name_type_text(row->type));
	json_bool(j, "configured", row->wanted);
	if (row->asked)
		json_string(j, "result", name_result_text(row->last));
	else
		json_null(j, "result");
	json_bool(j, "failing", name_view_failing(row));
	put_records(j, row);
	put_times(call, row);
	json_object_begin(j, "counts");
	for (enum name_result result = 0; result < NAME_RESULTS; result++)
		json_uint(j, name_result_text(result), row->counts[result]);
	json_object_end(j);
	json_object_end(j);
}

static void on_abandoned(struct ctl_call *call)
{
	name_view_unref(call->state);
	call->state = NULL;
}

static void names_step(struct ctl_call *call)
{
	struct name_view *view = call->state;

	for (uint32_t rows = 0; call->server < view->n; call->server++) {
		if (rows++ == CTL_STEP_ROWS / 4) {
			ctl_continue(call, names_step);
			return;
		}
		put_row(call, &view->rows[call->server]);
	}
	json_array_end(&call->json);
	name_view_unref(view);
	call->state = NULL;
	call->on_abandon = NULL;
	ctl_end(call);
}

void ctl_names(struct ctl_call *call)
{
	call->state = resolver_view(control_daemon(call->control)->resolver);
	call->on_abandon = on_abandoned;
	ctl_begin(call);
	json_array_begin(&call->json, "names");
	names_step(call);
}
