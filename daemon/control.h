/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The control thread: its own ring and timers, on which run the signals, the
 * health checks, the control socket, reload and drain. It never blocks: what
 * may block is the clerk's.
 *
 *      signalfd ──┐            ┌─> reload, drain
 *      mailbox  ──┼─> ring ────┼─> flow listings, acknowledgements
 *      socket   ──┘  + wheel   ├─> ctl: commands of braidctl
 *                              └─> probe set ──> board, log
 *
 * Thread:  control only, except control_of(). Callbacks run on control too,
 *          within a turn of its loop.
 * Memory:  control_plan() and what it leads to is valid until the caller
 *          returns to the loop; a reload may replace it afterwards. Keep
 *          names, not pointers, over turns.
 * Errors:  posting never fails: a full mailbox is tried again each turn.
 */
#include "base/rng.h"
#include "base/timer.h"
#include "daemon/daemon.h"
#include "io/ring.h"

struct json;
struct probe_set;

static inline struct control *control_of(struct daemon *daemon)
{
	return daemon->control;
}

/* -- for owners of operations and timers (struct op_owner, struct timer) --
 * Both are embedded in the caller's object; see io/op.h and base/timer.h. The
 * ring has no buffer ring: ring_recv_into() and ring_read() only. */
struct daemon *control_daemon(struct control *control);
struct ring *control_ring(struct control *control);
struct timer_wheel *control_wheel(struct control *control);
struct mono control_now(const struct control *control);

/* The plan in force. */
struct plan *control_plan(const struct control *control);
const struct probe_set *control_probes(const struct control *control);

/* What agent.listen says, as the member "agent"; null without it. */
void control_show_agent(const struct control *control, struct json *j);

/* -- workers -- */
void control_post(
    struct control *control, uint32_t member, struct message message);
void control_post_workers(struct control *control, struct message message);
/* Fills in worker, after, fill and on_listed before; the listing is the caller's
 * again when on_listed is called. Not called any more once the process ends:
 * then the memory is given up with it. */
void control_list(struct control *control, struct listing *listing);
/* The same for worker, id or names, on_killed. */
void control_kill_flows(struct control *control, struct flow_killing *killing);
/* Open client connections over all workers. */
uint32_t control_connections(const struct control *control);

/* -- run-time settings of a server; they outlive reloads -- log a line, wake
 * the workers and tell the health checks. Same value again: no change. */
void control_set_admin(struct control *control, struct pool *pool,
    struct server *server, enum board_admin admin);
/* BOARD_WEIGHT_NONE: back to the configured weight. */
void control_set_weight(struct control *control, struct pool *pool,
    struct server *server, uint32_t weight);

/* The same of a POP, all its addresses; the weight is in percent of what the
 * resources give it. */
void control_set_pop_admin(
    struct control *control, struct pool *pool, enum board_admin admin);
void control_set_pop_weight(
    struct control *control, struct pool *pool, uint32_t percent);
/* Drains it later; what control_set_pop_admin() sets before then ends the
 * plan. -EALREADY: it takes no new clients as it is. */
int control_plan_pop_drain(
    struct control *control, struct pool *pool, uint64_t in_ms) BR_MUST_CHECK;

/* -- ending the process -- */
/* As TERM: stops accepting, waits for flows up to global.drain, then ends. */
void control_drain(struct control *control, const char *cause);
/* As a second TERM: resets all flows and ends. */
void control_stop(struct control *control, const char *cause);
