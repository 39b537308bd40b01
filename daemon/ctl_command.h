/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The commands of the control socket: a table, and what a command uses to
 * answer. Exactly one answer leaves per call:
 *
 *     {"exit":0,"error":null,"data":{...}}      ctl_begin ... ctl_end
 *     {"exit":64,"error":"...","data":{}}       ctl_fail
 *
 * A command may answer within run(), or go on later: by ctl_continue() in the
 * next turn (long lists are composed CTL_STEP_ROWS rows a turn, so that control
 * stays responsive), or when something it asked for has come.
 *
 * Thread:  control.
 * Memory:  a struct ctl_call belongs to its connection and lives until
 *          on_answered; `state` is the command's own: it frees it before it
 *          answers and in on_abandon.
 * Errors:  exit codes of sysexits(3), see docs/control.md.
 */
#include <stdarg.h>
#include <stdbool.h>

#include "base/json.h"
#include "base/strbuf.h"
#include "base/timer.h"
#include "daemon/control.h"
#include "daemon/ctl_request.h"

enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 64,
	CTL_NO_ENTRY = 66, /* no such pool or server */
	CTL_UNAVAILABLE = 69,
	CTL_TEMPORARY = 75,
	CTL_PERMISSION = 77,
	CTL_CONFIG = 78,
};

#define CTL_STEP_ROWS 256

struct ctl_call {
	struct control *control;
	struct ctl_request request;
	struct strbuf text; /* the answer */
	struct json json;
	struct timer timer; /* of ctl_continue() */
	void (*step)(struct ctl_call *call);
	void *state;
	/* Set by the command: the client is gone or the process ends. */
	void (*on_abandon)(struct ctl_call *call);
	/* Set by the connection: the answer is complete. */
	void (*on_answered)(struct ctl_call *call);
	/* Where a long list stands. */
	uint64_t plan_number;
	uint32_t pool, server, restarts;
};

struct zone;

struct ctl_command {
	const char *name, *usage, *help; /* usage: of the arguments */
	uint32_t min_arguments, max_arguments;
	void (*run)(struct ctl_call *call); /* NULL: not in this version */
};

extern const struct ctl_command ctl_commands[];
extern const uint32_t ctl_n_commands;

void ctl_call_init(struct ctl_call *call, struct control *control,
    void (*on_answered)(struct ctl_call *call));
void ctl_call_fini(struct ctl_call *call);
/* Finds the command, checks the number of arguments, runs it. */
void ctl_run(struct ctl_call *call);
/* Gives up a call that has not answered. */
void ctl_abandon(struct ctl_call *call);

/* Opens "data"; members by call->json. */
void ctl_begin(struct ctl_call *call);
void ctl_end(struct ctl_call *call);
/* Discards what was begun. */
void ctl_fail(struct ctl_call *call, enum ctl_exit status, const char *format,
    ...) __attribute__((format(printf, 3, 4)));
/* Opens "data" of an answer that is an error and has data all the same. */
void ctl_begin_error(
    struct ctl_call *call, enum ctl_exit status, const char *text);
/* Says how the command is used. */
void ctl_usage(struct ctl_call *call);
void ctl_continue(struct ctl_call *call, void (*step)(struct ctl_call *call));

/* Whether the plan is still the one that a list of several turns began with;
 * if not, the list has begun anew or the call has failed, as *ret_failed
 * says. */
bool ctl_same_plan(struct ctl_call *call, const char *list, bool *ret_failed);

/* The n-th argument, or NULL. */
const char *ctl_argument(const struct ctl_call *call, uint32_t n);

/* A pool or server of the plan in force by name; NULL after ctl_fail(). */
struct upstream *ctl_find_pool(struct ctl_call *call, const char *name);
struct server *ctl_find_server(
    struct ctl_call *call, struct pool *pool, const char *name);
/* The POP of the first argument, likewise. */
struct pool *ctl_find_pop(struct ctl_call *call);
/* A weight, or "reset": BOARD_WEIGHT_NONE. False after ctl_fail(). */
bool ctl_parse_weight(
    struct ctl_call *call, const char *text, uint32_t *ret) BR_MUST_CHECK;
/* Seconds since a monotonic moment. */
double ctl_seconds_since(const struct ctl_call *call, int64_t ns);
const char *ctl_health_name(enum board_health health);
const char *ctl_admin_name(enum board_admin admin);

/* -- the commands -- */
void ctl_status(struct ctl_call *call); /* ctl_status.c */
void ctl_flows(struct ctl_call *call); /* ctl_flows.c */
void ctl_shards(struct ctl_call *call); /* ctl_shards.c */
void ctl_kill(struct ctl_call *call); /* ctl_kill.c */
void ctl_listeners(struct ctl_call *call); /* ctl_show.c */
void ctl_pools(struct ctl_call *call);
void ctl_servers(struct ctl_call *call);
void ctl_names(struct ctl_call *call); /* ctl_names.c */
void ctl_pops(struct ctl_call *call); /* ctl_pops.c */
/* Where the first argument is a POP. */
void ctl_pop_admin(struct ctl_call *call, enum board_admin admin);
void ctl_pop_drain(struct ctl_call *call);
void ctl_pop_weight(struct ctl_call *call);
void ctl_dns(struct ctl_call *call); /* ctl_dns.c */
void ctl_dns_dump(struct ctl_call *call); /* ctl_dns_dump.c */
void ctl_dns_explain(struct ctl_call *call); /* ctl_dns_explain.c */
/* The zone that the second argument names, and its number; NULL after
 * ctl_fail(). */
const struct zone *ctl_find_zone(struct ctl_call *call, uint32_t *ret_number);
void ctl_reload(struct ctl_call *call); /* ctl_set.c */
void ctl_drain(struct ctl_call *call);
void ctl_ready(struct ctl_call *call);
void ctl_maint(struct ctl_call *call);
void ctl_weight(struct ctl_call *call);
void ctl_log_level(struct ctl_call *call);
void ctl_upgrade(struct ctl_call *call); /* ctl_upgrade.c */
