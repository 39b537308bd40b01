/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the table of states calls: the steps of a flow, one function each, and
 * what the flow's own files share.
 *
 *      flow.c          accepted, completions, the end
 *      flow_connect.c  choosing, queued, connecting, retry_wait
 *      flow_data.c     established
 *
 * Included by those, flow_state.c, tls_end.c and the shard engine only.
 *
 * Thread:  the flow's worker.
 * Rule:    a step may change the state again; it is then the last thing it
 *          does. The flow's memory stays valid until the end of the turn.
 */
#include "lb/flow.h"
#include "lb/worker.h"

/* On entering a state. */
void flow_choose(struct flow *flow);
void flow_queue(struct flow *flow);
void flow_connect(struct flow *flow);
void flow_wait_to_retry(struct flow *flow);
void flow_establish(struct flow *flow);
void flow_close(struct flow *flow);

/* When the state's timer fires; see also front.h and tls_end.h. */
void flow_queue_timed_out(struct flow *flow);
void flow_connect_timed_out(struct flow *flow);
void flow_retry(struct flow *flow);
void flow_review(struct flow *flow);

/* -- between the files -- */

void flow_on_watch(struct flow *flow, int32_t res);
void flow_on_connected(struct flow *flow, int32_t res);
/* Asks the socket for the client's address. */
void flow_note_client(struct flow *flow);
/* Gives the server's slot back. */
void flow_release_server(struct flow *flow);
/* A socket towards the server, from where the pool says; or -errno. */
int flow_open_server(
    const struct flow *flow, const struct server *server) BR_MUST_CHECK;
/* Something that we lack, not the server's fault. */
bool flow_is_local_error(int error);
/* The server failed this flow, which outlier detection wants to know. */
void flow_blame_server(const struct flow *flow, int error);

/* A closing flow is freed at the end of the turn if nothing is in flight. */
void flow_when_quiet(struct flow *flow);

static inline struct server_metrics *flow_server_metrics(
    const struct flow *flow)
{
	return &flow->server->row->metrics[flow->worker->index];
}

static inline void flow_arm_ms(struct flow *flow, uint64_t ms)
{
	struct worker *worker = flow->worker;

	timer_arm(&worker->wheel, &flow->timer,
	    mono_add_ms(worker_now(worker), (int64_t)ms));
}
