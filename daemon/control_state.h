/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the parts of the control thread keep: control.c has the loop, and
 * reload.c, retire.c, drain.c and admin.c have one concern each. Commands and
 * others use control.h.
 *
 * Thread:  control; boot makes it and waits for its end.
 * Memory:  one, embedded in struct boot; plans as said in plan.h.
 */
#include "daemon/control.h"
#include "daemon/dns_refresh.h"
#include "daemon/ejections.h"
#include "daemon/gate.h"
#include "daemon/outbox.h"
#include "daemon/reload.h"
#include "daemon/trouble.h"
#include "daemon/upgrade.h"
#include "probe/probe_set.h"

#include <sys/signalfd.h>

#define CONTROL_MAGIC 0xb1a1dd02

struct ctl;
struct load_job;
struct node_agent;

/* Operations of struct control itself. */
enum control_tag {
	CONTROL_TAG_MAIL,
	CONTROL_TAG_SIGNAL,
	CONTROL_TAG_UPGRADE, /* the job's event */
	CONTROL_TAG_CHANNEL, /* to the next generation */
	CONTROL_TAG_HEIR, /* to the one before, until it has committed */
};

enum reload_state { RELOAD_IDLE, RELOAD_LOADING, RELOAD_ADOPTING };

struct reload_waiter {
	reload_on_done *on_done; /* NULL: nobody asks for the answer */
	void *context;
};

struct reload_waiters {
	uint32_t n;
	struct reload_waiter items[RELOAD_WAITERS_MAX];
};

struct reload {
	enum reload_state state;
	struct load_job *job;
	uint32_t n_adopted;
	struct reload_waiters now; /* answered by the run under way */
	struct reload_waiters next;
	bool again; /* somebody asked while it ran */
	bool names; /* stand for other addresses than in the plan in force */
};

enum drain_state { DRAIN_NONE, DRAIN_WAITING, DRAIN_KILLING };

struct drain {
	enum drain_state state;
	struct timer timer;
	bool handed_over; /* nobody has told it to end */
	uint32_t n_drained; /* workers without open acceptors */
	struct mono deadline, next_line;
};

struct control {
	struct op_owner op; /* tags: enum control_tag */
	struct daemon *daemon;
	struct ring ring;
	struct ring_metrics ring_metrics;
	struct timer_wheel wheel;
	struct rng rng;
	struct outbox outbox;
	struct plan *plan; /* in force */
	/* Plans that some worker has not left yet, by their link `retired`;
	 * what is left at the end is freed by boot. */
	struct list superseded;
	struct probe_set *probes;
	struct reload reload;
	struct drain drain;
	struct trouble trouble;
	struct ejections ejections;
	struct upgrade upgrade;
	struct dns_refresh dns;
	struct timer pop_timer; /* the next planned drain is due */
	struct timer watchdog;
	struct timer ticket_timer;
	struct timer rate_timer; /* queries are noted */
	uint64_t mail_count;
	bool mail, done, shrunk;
	int signal_fd;
	struct signalfd_siginfo signal;
	int listen_fd;
	struct ctl *ctl; /* the control socket's commands */
	struct node_agent *agent; /* NULL: without agent.listen */
	struct gate *gate;
	pthread_t thread;
} __attribute__((aligned(64)));

/* -- boot -- */
/* The control socket's descriptor is taken over once the gate says go. */
int control_start(struct control *control, struct daemon *daemon,
    struct plan *plan, int signal_fd, int listen_fd,
    struct gate *gate) BR_MUST_CHECK;
void control_join(struct control *control);

/* -- messages and signals, routed by control.c -- */
void reload_on_names(struct control *control);
/* What had to wait: for an upgrade that failed or brought this process, or for
 * a zone that was loaded anew. */
void reload_go_on(struct control *control);
void reload_on_loaded(struct control *control, struct load_job *job);
void reload_on_adopted(struct control *control, const struct plan *plan);
void retire_on_left(struct control *control, struct plan *plan);
void retire_on_unused(struct control *control, struct plan *plan);
void retire_on_fenced(struct control *control, struct plan *plan);
void drain_init(struct control *control);
void drain_on_drained(struct control *control);
void drain_on_signal(struct control *control, const char *name);
/* To a new process: no deadline but upgrade.drain. */
void drain_handed_over(struct control *control);
/* Looks at older generations from now on, while there are any. */
void upgrade_watch(struct control *control);
/* -- operator -- Whether it was another before: */
bool admin_put_state(struct control *control, struct pool *pool,
    struct server *server, enum board_admin admin,
    enum board_admin *ret_before);
bool admin_put_weight(struct control *control, struct pool *pool,
    struct server *server, uint32_t weight);
bool admin_put_leave(struct control *control, struct pool *pool,
    struct server *server, int64_t leaves_ns);
/* Drains of POPs that are planned: looks for the next one. After the plan, or
 * what its rows say of them, has changed by another hand. */
void admin_pops_init(struct control *control);
void admin_pops_watch(struct control *control);
const char *admin_state_name(enum board_admin admin);
/* -- health changes, for the log -- */
/* Each byte may need an escape of four. */
#define ADMIN_SAID_FIELD_MAX (4 * BOARD_SAID_MAX + 64)
/* What an agent has said, as a field: nothing that it says can look like
 * another one. */
void admin_said_field(const struct board_agent *agent, const char *key,
    char ret[ADMIN_SAID_FIELD_MAX]);
/* Of one address of a POP. */
void admin_pop_health(struct control *control, const struct pool *pool,
    const struct server *server, const struct board_facts *before,
    const struct board_facts *after);
/* What a node says of a POP has changed, or counts again. */
void admin_pop_report(struct control *control, const struct pool *pool,
    const struct server *server, const struct board_facts *before,
    const struct board_facts *after);
/* What the process before this one has said of POPs is no news. */
void admin_pops_begin(struct control *control);
/* Time has passed, so that a report may count no more; or a reload has made
 * rows anew. */
void admin_pops_look(struct control *control);
struct probe_hooks admin_probe_hooks(struct control *control);
/* The pools of the plan in force, for the health checks. */
void admin_sync_probes(struct control *control);
/* The configured weight of these servers changed: their overrides end. */
void admin_start_afresh(struct plan *next, const struct plan *old);
void admin_end_overrides(
    struct control *control, struct board_row **rows, uint32_t n);
