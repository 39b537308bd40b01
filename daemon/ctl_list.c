/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl_list.h"

#include <stdlib.h>
#include <string.h>

static void finish(struct ctl_list *list, bool complete)
{
	struct ctl_call *call = list->call;

	json_array_end(&call->json);
	json_bool(&call->json, "complete", complete);
	call->state = NULL;
	free(list);
	ctl_end(call);
}

/* False: there are more than the limit. */
static bool put_rows(struct ctl_list *list)
{
	for (uint32_t i = 0; i < list->listing->n; i++) {
		if (!list->matches(list, i))
			continue;
		if (list->listed == list->limit)
			return false;
		list->listed++;
		list->put(list, i, &list->call->json);
	}
	return true;
}

static void on_listed(struct listing *listing)
{
	struct ctl_list *list = listing->context;
	struct ctl_call *call = list->call;

	if (!call) {
		free(list);
		return;
	}
	if (!put_rows(list)) {
		finish(list, false);
		return;
	}
	listing->after = listing->last;
	if (listing->complete) {
		listing->after = 0;
		listing->worker++;
	}
	if (listing->worker == control_daemon(call->control)->n_workers)
		finish(list, true);
	else
		control_list(call->control, listing);
}

/* A worker has the listing; it is freed when it comes back. */
static void on_abandoned(struct ctl_call *call)
{
	struct ctl_list *list = call->state;

	list->call = NULL;
	call->state = NULL;
}

void ctl_list_start(
    struct ctl_list *list, struct ctl_call *call, const char *name)
{
	list->call = call;
	list->listing->on_listed = on_listed;
	list->listing->context = list;
	call->state = list;
	call->on_abandon = on_abandoned;
	ctl_begin(call);
	json_array_begin(&call->json, name);
	control_list(call->control, list->listing);
}

const char *ctl_list_value(const char *argument, const char *key)
{
	size_t n = strlen(key);

	return !strncmp(argument, key, n) && argument[n] == '='
		   ? argument + n + 1
		   : NULL;
}

bool ctl_list_limit(const char *text, uint32_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long value;

	if (!digits || digits > 7 || text[digits])
		return false;
	value = strtoul(text, NULL, 10);
	if (value > CTL_LIST_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}
