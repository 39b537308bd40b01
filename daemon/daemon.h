/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the threads of one braidd share, and who they are.
 *
 *      member 0..n-1  workers   data path
 *      member n       control   signals, health, control socket, reload
 *      member n+1     clerk     what may block: files, logs, freeing
 *      (api)                    libmicrohttpd's own thread, no mailbox
 *
 * Thread:  as said at each field.
 */
#include <stdatomic.h>

#include "base/mailbox.h"
#include "base/snapshot.h"
#include "daemon/plan.h"
#include "lb/flow_log.h"

enum daemon_state { DAEMON_STARTING, DAEMON_SERVING, DAEMON_DRAINING };

/* Messages beyond enum worker_message. */
enum daemon_message {
	/* control -> worker */
	DAEMON_ADOPT = WORKER_DAEMON, /* pointer: new plan, pointer2: old */
	DAEMON_LIST_FLOWS, /* pointer: struct flow_listing */
	DAEMON_DRAIN, /* stop accepting, empty queues */
	DAEMON_KILL, /* reset all flows */
	DAEMON_STOP, /* leave the loop */
	/* worker -> control */
	DAEMON_ADOPTED, /* number: plan->number */
	DAEMON_LISTED, /* pointer: struct flow_listing */
	/* control -> clerk, and back */
	DAEMON_LOAD, /* pointer: struct load_job */
	DAEMON_LOADED, /* pointer: struct load_job */
	DAEMON_RETIRE, /* pointer: struct plan, workers have left it */
};

/* One row of `braidctl flows`, copied by the worker. */
struct flow_row {
	uint64_t id;
	const struct listener *listener; /* names copied below */
	char listener_name[CONF_NAME_MAX + 1], pool[CONF_NAME_MAX + 1];
	char server[CONF_NAME_MAX + 1];
	struct flow_client client;
	uint8_t state, mode_up, mode_down, retries;
	int64_t age_ns, idle_ns;
	uint64_t bytes_up, bytes_down;
	uint32_t parked_bytes;
};

#define FLOW_LISTING_ROWS 256

/* Travels control -> worker -> control until `complete`; the worker fills at
 * most FLOW_LISTING_ROWS rows a turn, continuing after flow id `after`. */
struct flow_listing {
	uint32_t worker;
	uint64_t after;
	bool complete;
	uint32_t n;
	struct flow_row rows[FLOW_LISTING_ROWS];
	void *context; /* of the command that asked */
};

struct daemon {
	/* -- constant after boot -- */
	const char *config_file;
	uint32_t n_workers;
	uint32_t member_control, member_clerk;
	struct post_office *office;
	struct lb_shared shared;
	struct worker *workers; /* [n_workers] */
	struct flow_log **flow_logs; /* [n_workers] */
	struct board *board;
	struct wall started_at;
	int pid;
	/* -- published: struct plan -- */
	struct snapshot *plan;
	/* -- words, written by control -- */
	_Atomic int state; /* enum daemon_state */
	_Atomic uint64_t reloads, reloads_refused;
	_Atomic uint64_t plan_number;
};
