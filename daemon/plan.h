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
 * Thread:  plan_build on the clerk while control waits for its answer (so
 *          that control's rule "board rows are taken by control" holds: the
 *          two never run it at once), or at boot. Workers and api read.
 * Memory:  a plan holds references to its listeners and upstreams; it is freed
 *          when all workers have adopted the next one, the objects only it
 *          held when their pins are zero as well.
 */
#include "conf/diff.h"
#include "lb/listener.h"
#include "lb/upstream.h"

struct plan_bind {
	struct addr addr;
	char text[ADDR_TEXT_MAX];
	struct listener *listener;
	struct acceptor **acceptors; /* [n_workers]; shared with later plans */
};

struct plan {
	struct conf *conf; /* owned */
	uint64_t number; /* 1, 2, ...: of this process */
	struct wall loaded_at;
	uint32_t n_workers;
	uint32_t n_upstreams, n_listeners, n_binds;
	struct upstream **upstreams; /* in the order of conf->pools */
	struct listener **listeners; /* in the order of conf->listeners */
	struct plan_bind *binds;
};

struct plan_error {
	char text[512]; /* what failed and what to do, one line */
	int code;
};

/* `before` NULL at boot. Takes over conf on success only. */
int plan_build(struct conf *conf, const struct plan *before,
    const struct conf_diff *diff, struct board *board, uint32_t n_workers,
    struct plan **ret, struct plan_error *ret_error) BR_MUST_CHECK;
/* Frees the plan and what only it holds; nothing of that may be pinned. */
void plan_free(struct plan *plan, struct board *board);
/* Whether something that only this plan holds is still in use by flows. */
bool plan_pinned(const struct plan *plan);
struct upstream *plan_find_pool(const struct plan *plan, const char *name);
