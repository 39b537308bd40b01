/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Reloading: one at a time, in steps that never block the control thread.
 *
 *   request ─> LOADING ──────> ADOPTING ─────────> IDLE
 *              clerk: parse,    all workers point   old plan retires when
 *              check, diff,     acceptors to the    its last flow has ended
 *              open sockets     new plan
 *                 │ refused: all errors logged, the old plan stays
 *                 └──────────────────────────────> IDLE
 *
 * When names stand for other addresses, the same is done without reading the
 * file (daemon/resolver.h); a reload comes first.
 *
 * A request while one runs is answered by the next run, which starts when this
 * one ends: the file may have changed after it was read. One that comes to a
 * new process before it has taken over waits for that.
 *
 * Thread:  control.
 * Memory:  struct reload_result and its texts are valid during on_done only.
 * Limits:  RELOAD_WAITERS_MAX requests waiting for an answer.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct conf_error;
struct control;

#define RELOAD_WAITERS_MAX 64

struct reload_result {
	bool accepted;
	uint64_t number; /* of the plan now in force */
	const char *summary; /* one line: the counts, or why it was refused */
	/* Errors and warnings, printable, "file:line:col: ...". */
	const char *const *lines;
	uint32_t n_lines;
};

typedef void reload_on_done(void *context, const struct reload_result *result);

/* on_done may be NULL (HUP). BR_E_LIMIT: too many are waiting; -EBUSY: the
 * process is draining or hands over. on_done is not called in these cases, else exactly
 * once, later, unless the request is forgotten or the process ends. */
int reload_request(struct control *control, reload_on_done *on_done,
    void *context) BR_MUST_CHECK;
/* The context is about to die: on_done is not called for it any more. */
void reload_forget(struct control *control, void *context);
bool reload_running(const struct control *control);
/* A line of errors into the log, its place as fields. `accepted`: what it is
 * about is in force, so it only warns. */
void reload_log_line(
    const struct conf_error *error, const char *file, bool accepted);
