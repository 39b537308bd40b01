/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The runtime side of one configuration: listeners, upstreams and accepting
 * sockets. A reload builds the next plan from the new struct conf and the
 * plan in force; what did not change is the same object in both.
 *
 *      conf (new) ─┐
 *      plan (old) ─┼─> plan_build ──> plan (new) ──publish──> workers adopt
 *      board ──────┘       │ sockets of new addresses are opened here, so a
 *                          │ port in use refuses the reload as a whole
 *                          └─ error: nothing has changed
 *
 * An address keeps its sockets when it moves from one listener to another;
 * only new addresses are bound. A kept address with another backlog or
 * keepalive gets them on its existing sockets.
 *
 * Thread:  plan_build and plan_free: the clerk, or main at boot and at the
 *          end. Workers, control and api read.
 * Memory:  a plan holds references to its listeners, upstreams and sockets; it
 *          is freed when all workers have left it and nothing that it alone
 *          holds is pinned by a flow. References are counted by the clerk.
 */
#include "conf/diff.h"
#include "daemon/tls_store.h"
#include "daemon/plan_sockets.h"
#include "lb/listener.h"
#include "lb/upstream.h"

struct dns_sockets;
struct dns_store;
struct profiling_open;

struct plan_bind {
	struct addr addr;
	char text[ADDR_TEXT_MAX];
	struct listener *listener;
	struct plan_sockets *sockets;
};

/* An address where the responder answers. */
struct plan_dns_bind {
	struct addr addr;
	struct dns_sockets *sockets;
};

/* A worker that still empties queues of this plan. */
struct plan_leaving {
	struct list_node link;
	struct plan *plan;
};

struct plan {
	struct conf *conf; /* owned */
	struct tls_store *tls; /* owned; of the contexts in the objects below */
	/* A reference; NULL: no DNS. Control puts another here when one zone
	 * is loaded anew; the clerk may be looking, and gives back what was
	 * here only behind that. */
	struct dns_store *_Atomic dns;
	/* A reference, given back when all workers have left the plan; NULL:
	 * the profiler is off. */
	struct profiling_open *profiling;
	uint64_t number; /* 1, 2, ...: of this process */
	struct wall loaded_at;
	uint32_t n_workers;
	uint32_t n_upstreams, n_listeners, n_binds, n_pops;
	struct upstream **upstreams; /* in the order of conf->pools */
	struct pool **pops; /* in the order of conf->pops: daemon/dns_pops.h */
	struct listener **listeners; /* in the order of conf->listeners */
	struct plan_bind *binds;
	uint32_t n_dns_binds;
	struct plan_dns_bind *dns_binds;
	/* Sockets of the plan before that this one has no more; handed to it
	 * by plan_supersede(). */
	uint32_t n_gone, n_dns_gone;
	struct plan_sockets **gone;
	struct dns_sockets **dns_gone;
	/* -- of the workers and control while the next plan is adopted -- */
	struct plan_leaving *leaving; /* [n_workers], the worker's */
	uint32_t n_left; /* workers that have left it; control's */
	struct list_node retired; /* the clerk's */
	bool unused; /* the clerk's */
};

/* What a plan is made of besides the plan in force. */
struct plan_source {
	struct conf *conf;
	struct tls_store *tls;
	const struct tls_process *tls_process;
	struct dns_store *dns; /* may be NULL */
	const struct conf_diff *diff; /* NULL at boot */
	/* Only addresses of names differ: files are not read anew. */
	bool keeps_files;
};

/* `before` NULL at boot. Takes over conf, tls and dns on success only. */
int plan_build(const struct plan_source *source, const struct plan *before,
    struct board *board, uint32_t n_workers, struct plan **ret,
    struct plan_error *ret_error) BR_MUST_CHECK;
/* Of a plan that goes on with the sockets of the generation before, when all
 * threads are ready to serve: what comes to a socket that ends with a process
 * that cannot start would be lost. */
void plan_open_beside(const struct plan *plan);
/* Frees the plan and what only it holds; nothing of that may be pinned or
 * accepting. */
void plan_free(struct plan *plan, struct board *board);
/* Whether something that only this plan holds is still in use by flows. */
bool plan_pinned(const struct plan *plan);
struct upstream *plan_find_pool(const struct plan *plan, const char *name);
/* The pool of a server or of a POP ("pop:NAME"); NULL: there is none. */
struct pool *plan_any_pool(const struct plan *plan, const char *name);
/* The i-th of all: of n_upstreams those, then of n_pops these. */
struct pool *plan_pool_at(const struct plan *plan, uint32_t i);
/* Control, just before workers hear of `next`: from then on old->gone holds
 * the sockets that they must stop. */
void plan_supersede(struct plan *old, struct plan *next);

/* Rows of servers whose configured weight differs between the plans: their
 * weight overrides end. *ret is malloc'ed; returns how many. */
uint32_t plan_reweighted(const struct plan *before, const struct plan *after,
    const struct conf_diff *diff, struct board_row ***ret);
