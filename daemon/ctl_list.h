/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A command that lists something of all workers' flows: one worker after the
 * other is asked, a page at a time.
 *
 *      ctl_list_start ──> worker 0 ──> back: rows into the answer ──> worker 0
 *                                      complete: worker 1 ... last: answered
 *
 * Thread:  control.
 * Memory:  a struct ctl_list is the first member of what the command allocated
 *          with malloc; from ctl_list_start() on it frees itself, also when the
 *          call is abandoned while a worker has the listing.
 * Limits:  CTL_LIST_MAX rows.
 */
#include "daemon/ctl_command.h"
#include "daemon/daemon.h"

#define CTL_LIST_DEFAULT 1000u
#define CTL_LIST_MAX 100000u

struct ctl_list {
	struct ctl_call *call; /* NULL: abandoned while a worker has it */
	uint32_t limit, listed;
	struct listing *listing; /* of the same allocation; `fill` is set */
	bool (*matches)(const struct ctl_list *list, uint32_t row);
	void (*put)(
	    const struct ctl_list *list, uint32_t row, struct json *json);
};

/* Answers with an array of that name, and "complete". */
void ctl_list_start(
    struct ctl_list *list, struct ctl_call *call, const char *name);
/* The value of "key=value"; NULL when the argument is another. */
const char *ctl_list_value(const char *argument, const char *key);
/* Of limit=N. */
bool ctl_list_limit(const char *text, uint32_t *ret) BR_MUST_CHECK;
