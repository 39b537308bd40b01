/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl_list.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/shard_rows.h"
#include "lb/flow_line.h"

struct shards {
	struct ctl_list list;
	const char *pool; /* NULL: any */
	struct shard_listing listing;
};

static bool matches(const struct ctl_list *list, uint32_t n)
{
	const struct shards *shards = (const struct shards *)list;

	return !shards->pool ||
	       !strcmp(shards->pool, shards->listing.rows[n].pool);
}

static void put_lane(
    struct json *j, const struct shard_lane_view *lane, const char *server)
{
	json_object_begin(j, NULL);
	json_string(j, "server", server);
	json_string(j, "step", shard_step_name(lane->step));
	json_bool(j, "turn", lane->turn);
	if (lane->to) {
		json_uint(j, "from", lane->from);
		json_uint(j, "to", lane->to);
		json_uint(j, "next", lane->next);
		json_uint(j, "arrived", lane->arrived);
	} else {
		json_null(j, "from");
		json_null(j, "to");
		json_null(j, "next");
		json_null(j, "arrived");
	}
	json_uint(j, "bytes_per_second", lane->rate);
	json_object_end(j);
}

static void put_row(const struct ctl_list *list, uint32_t n, struct json *j)
{
	const struct shards *shards = (const struct shards *)list;
	const struct shard_row *row = &shards->listing.rows[n];
	const struct shard_view *view = &row->view;
	char client[FLOW_CLIENT_TEXT_MAX];

	(void)flow_client_format(&row->client, client);
	json_object_begin(j, NULL);
	json_uint(j, "id", row->id);
	json_uint(j, "worker", list->listing->worker);
	json_string(j, "listener", row->listener_name);
	json_string(j, "client", client);
	json_string(j, "pool", row->pool);
	json_double(j, "age_seconds", (double)row->age_ns / 1e9);
	json_uint(j, "first", view->first);
	json_uint(j, "next_out", view->next_out);
	json_uint(j, "frontier", view->frontier);
	json_uint(j, "end", view->end);
	json_uint(j, "total", view->total);
	json_uint(j, "lanes_wanted", view->wanted);
	json_uint(j, "pieces", view->pieces);
	json_uint(j, "migrations", view->migrations);
	json_uint(j, "stalls", view->stalls);
	json_uint(j, "kernel_bytes", view->kernel_bytes);
	json_array_begin(j, "lanes");
	for (uint32_t i = 0; i < view->n_lanes; i++)
		put_lane(j, &view->lanes[i], row->servers[i]);
	json_array_end(j);
	json_object_end(j);
}

static bool read_filter(struct shards *shards, const char *argument)
{
	const char *value;

	if ((value = ctl_list_value(argument, "pool"))) {
		shards->pool = value;
		return true;
	}
	value = ctl_list_value(argument, "limit");
	return value && ctl_list_limit(value, &shards->list.limit);
}

void ctl_shards(struct ctl_call *call)
{
	struct shards *shards = calloc(1, sizeof(*shards));

	if (!shards) {
		ctl_fail(call, CTL_TEMPORARY, "shards: out of memory");
		return;
	}
	shards->list = (struct ctl_list){.limit = CTL_LIST_DEFAULT,
	    .listing = &shards->listing.base,
	    .matches = matches,
	    .put = put_row};
	shards->listing.base.fill = shard_rows_fill;
	for (uint32_t i = 0; i < call->request.n_arguments; i++) {
		if (read_filter(shards, ctl_argument(call, i)))
			continue;
		ctl_fail(call, CTL_USAGE,
		    "shards: \"%s\" is none of pool=NAME, limit=N (at most "
		    "%u)",
		    ctl_argument(call, i), CTL_LIST_MAX);
		free(shards);
		return;
	}
	ctl_list_start(&shards->list, call, "shards");
}
