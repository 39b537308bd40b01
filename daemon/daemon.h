/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the threads of one braidd share, and who they are.
 *
 *      member 0..n-1  workers   data path
 *      member n       control   signals, health, control socket, reload
 *      member n+1     clerk     what may block: files, logs, freeing
 *      member n+2     resolver  asks the DNS for the names of servers
 *      (api)                    libmicrohttpd's own thread, no mailbox
 *
 * Thread:  as said at each field.
 * Memory:  boot makes it, and frees it when all threads have ended.
 */
#include <stdatomic.h>

#include "base/mailbox.h"
#include "base/snapshot.h"
#include "daemon/dns_rate.h"
#include "daemon/plan.h"
#include "lb/flow_log.h"
#include "probe/probe_set.h"

struct api;
struct control;
struct dns_counts;
struct generations;
struct inherit;
struct resolver;
struct rrl;

/* Access log records of one worker that the clerk has not taken yet. */
#define FLOW_LOG_RECORDS 8192u

enum daemon_state { DAEMON_STARTING, DAEMON_SERVING, DAEMON_DRAINING };

/* Messages beyond enum worker_message. */
enum daemon_message {
	/* control -> worker */
	DAEMON_ADOPT = WORKER_DAEMON, /* pointer: new plan, pointer2: old */
	DAEMON_LIST, /* pointer: struct listing */
	DAEMON_KILL_FLOWS, /* pointer: struct flow_killing */
	DAEMON_TICKET_KEYS, /* others are in force: tls_process_keys() */
	DAEMON_FENCE, /* pointer: sent back */
	DAEMON_DRAIN, /* stop accepting, empty queues */
	DAEMON_KILL, /* reset all flows */
	DAEMON_STOP, /* leave the loop */
	/* worker -> control */
	DAEMON_ADOPTED, /* pointer: the new plan: acceptors point to it */
	DAEMON_LEFT, /* pointer: the old plan: what it alone had is closed */
	DAEMON_LISTED, /* pointer: struct listing */
	DAEMON_KILLED, /* pointer: struct flow_killing */
	DAEMON_FENCED, /* all messages from before the fence are handled */
	DAEMON_DRAINED, /* no acceptor is open any more */
	DAEMON_ARMED, /* the first accepts are in the kernel */
	/* control <-> clerk */
	DAEMON_LOAD, /* -> pointer: struct reload_job */
	DAEMON_LOADED, /* <- the same */
	DAEMON_RETIRE, /* -> pointer: struct plan that all workers have left */
	DAEMON_UNUSED, /* <- no flow needs that plan: fence it */
	DAEMON_FREE, /* -> and all workers have passed the fence */
	DAEMON_DNS_DO, /* -> pointer: struct dns_job */
	DAEMON_DNS_DONE, /* <- the same */
	DAEMON_DNS_DROP, /* -> the same, done with */
	DAEMON_DNS_FREE, /* -> pointer: struct dns_published, not in force */
	/* resolver -> clerk: pointer: struct load_job, its names are asked */
	DAEMON_RESOLVED,
	DAEMON_NAMES, /* resolver -> control: names stand for others now */
};

/* One row of `braidctl flows`, copied by the worker. */
struct flow_row {
	uint64_t id;
	char listener_name[CONF_NAME_MAX + 1], pool[CONF_NAME_MAX + 1];
	/* The instance; "" when there is none (yet). */
	char server[CONF_INSTANCE_MAX + 1];
	char sni[CONF_NAME_MAX + 1]; /* "": none is known; cut */
	const char *tls; /* version with the client, static; NULL: none */
	const char *class; /* the verdict, static; NULL: no profile (yet) */
	const char *class_at; /* profile_origin_name() */
	uint8_t sure; /* in percent */
	struct flow_client client;
	uint8_t state, mode_up, mode_down, retries;
	int64_t age_ns, idle_ns;
	uint64_t bytes_up, bytes_down;
	uint32_t parked_bytes;
};

/* What control asks one worker after the other for, a page at a time: of flows
 * with an id above `after`, oldest first. Travels control -> worker -> control.
 * Ask again with after = last until `complete`. */
struct listing {
	uint32_t worker; /* 0..n_workers-1 */
	uint64_t after;
	uint64_t last; /* the id of the last flow that was looked at */
	bool complete;
	uint32_t n; /* rows that hold */
	/* Called on the worker: fills the rows, which lie behind this. */
	void (*fill)(const struct worker *worker, struct listing *listing);
	/* Called on control when it is back. */
	void (*on_listed)(struct listing *listing);
	void *context; /* of the command that asked */
};

#define FLOW_LISTING_ROWS 256

struct flow_listing {
	struct listing base;
	struct flow_row rows[FLOW_LISTING_ROWS];
};

#define FLOW_KILLING_STEP 256

/* Travels as the listing does; the worker kills at most FLOW_KILLING_STEP
 * flows: that with this id, else those that have a connection to this server,
 * by name, since flows live on with servers that a reload removed. Ask again
 * until `complete`. */
struct flow_killing {
	uint32_t worker;
	uint64_t id; /* 0: by server */
	char pool[CONF_NAME_MAX + 1];
	char server[CONF_INSTANCE_MAX + 1]; /* or all instances */
	bool complete;
	uint64_t killed; /* in all */
	/* Called on control when it is back. */
	void (*on_killed)(struct flow_killing *killing);
	void *context; /* of the command that asked */
};

struct daemon {
	/* -- constant after boot -- */
	const char *config_file;
	char control_path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	uint32_t n_workers;
	uint32_t member_control, member_clerk, member_resolver;
	struct post_office *office;
	struct lb_shared shared; /* limits, and words of the workers */
	struct worker *workers; /* [n_workers] */
	struct record_queue **flow_logs; /* [n_workers] */
	struct record_queue **row_queues; /* [n_workers], of recorded flows */
	struct dns_counts *dns_counts; /* [n_workers], the worker's */
	struct dns_rate dns_rate; /* control's */
	struct rrl *dns_rrl;
	uint32_t dns_tcp_connections; /* of all workers, atomic */
	/* Rows are taken and given back by the clerk; other threads, control
	 * too, walk them between board_enter() and board_leave(). */
	struct board *board;
	struct tls_process tls;
	const char *ktls; /* "off", "on" or "unavailable": global.ktls */
	struct control *control;
	struct generations *generations;
	struct inherit *inherit; /* NULL: started by nobody's upgrade */
	struct api *api; /* NULL: none, or not yet */
	const char *binary; /* as started, absolute */
	int control_fd, api_fd; /* listening; -1: none */
	struct addr api_addr;
	int agent_fd; /* listening; -1: none (any more) */
	struct addr agent_addr;
	struct resolver *resolver;
	struct wall started_at;
	struct mono started_mono;
	int pid;
	/* -- published: struct plan; for threads other than control, which
	 *    reads control_plan() -- */
	struct snapshot *plan;
	/* -- published: struct dns_published; for workers and api -- */
	struct snapshot *dns;
	/* -- words, written by control -- */
	_Atomic int state; /* enum daemon_state */
	_Atomic uint64_t reloads, reloads_refused;
	_Atomic uint64_t name_changes; /* plans made for new addresses */
	/* Of recorded flows; the clerk's. */
	_Atomic uint64_t rows_recorded, rows_lost;
	_Atomic uint64_t plan_number;
	/* No older process answers beside this one. */
	_Atomic bool alone;
	struct probe_metrics checks;
	/* Of agent.listen, for /metrics; the percentage is 0 without it. */
	_Atomic uint32_t agent_percent;
	_Atomic uint64_t agent_answers, agent_refused;
	/* The path of the control socket is another generation's: a younger
	 * one's, or still that of the one before. */
	_Atomic bool control_given;
};
