/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the table of states calls: the steps of a flow, one function each.
 * Included by flow_state.c and flow.c only.
 *
 * Thread:  the flow's worker.
 * Rule:    a step may change the state again; it is then the last thing it
 *          does. The flow's memory stays valid until the end of the turn.
 */
#include "lb/flow.h"

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
