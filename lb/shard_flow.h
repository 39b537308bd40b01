/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The engine of range shards: one answer's body for one client, fetched in
 * pieces over several connections to the pool's servers (lanes), and carried
 * on when one of them dies, is silent, slow or drained.
 *
 *      client <── socket <──pipe── lane 0 (home)  [====....]   next to leave
 *                                  lane 1         [====]       waits in the
 *                                  lane 2         [==  ]       kernel
 *
 * lb/http_flow.h delimits messages and hands a body over (shard_begin); what
 * is asked of whom is lb/shard_plan.h's decision, how many lanes are worth it
 * lb/shard_demand.h's; lb/shard_conn.h is one lane's connection.
 *
 * Rules: no byte leaves that is not proven to be of the same representation;
 * what cannot be completed ends with a reset, never short.
 *
 * Thread:  the flow's worker.
 * Memory:  from the worker's slabs, made at shard_begin() and freed when the
 *          body has left or the flow ends. Lanes that are given up outlive it
 *          until their operations have completed.
 * Errors:  shard_begin() says -errno and nothing has changed; later ones end
 *          the flow (flow_fail).
 * Limits:  SHARD_LANES_MAX lanes; limits.sharded_flows, shard_connections and
 *          shard_kernel_bytes over all workers.
 */
#include "base/cursor.h"
#include "lb/flow.h"
#include "lb/shard_judge.h"
#include "lb/shard_metrics.h"
#include "lb/shard_view.h"

struct http1_head;

/* -- from lb/http_flow ------------------------------------------------- */

/* The request's head is whole: whether it is asked as a piece instead. True:
 * *out holds the head to send. */
bool shard_edit_request(struct flow *flow, struct cursor_out *out);
/* The final answer's head is whole, `bytes` holds it: what may be done with
 * its body. SPLIT and SURVIVES fill *ret. */
enum shard_worth shard_judge_answer(struct flow *flow,
    const struct http1_head *answer, const void *bytes,
    struct shard_order *ret) BR_MUST_CHECK;
/* Where the order is of a request that was edited: the head for the client.
 * False: no room. */
bool shard_edit_answer(struct flow *flow, const struct shard_order *order,
    const struct http1_head *answer, const void *bytes,
    struct cursor_out *out) BR_MUST_CHECK;
/* Direction down is DIR_SHARD: nothing armed, all before order->first is sent.
 * Takes flow->server_fd and flow->server over (-1 and NULL afterwards), or
 * begins without where they are that already. 0; or -errno for want of room,
 * and all is as before. A flow may have ended when it comes back with 0. */
int shard_begin(
    struct flow *flow, const struct shard_order *order) BR_MUST_CHECK;
/* A send of direction down has completed, and all went well. */
void shard_sink_sent(struct flow *flow);
/* The flow is closing: gives all lanes up. */
void shard_abort(struct flow *flow);
/* Nothing of it is in flight on the flow's own descriptors. When the last such
 * operation completes on a closing flow, flow_when_quiet() hears of it. */
bool shard_quiet(const struct flow *flow);
/* The flow ends; it is quiet. Harmless where there is nothing. */
void shard_free(struct flow *flow);

/* -- for those who look ------------------------------------------------ */

/* False: the flow is not sharded now. */
bool shard_describe(const struct flow *flow, struct shard_view *ret);
