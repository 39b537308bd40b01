/* SPDX-License-Identifier: Apache-2.0 */
/* A flow with both ends: its directions run; idle timeouts, a server that
 * breaks, and what is left to do until both have ended. */
#include "base/assert.h"
#include "fleet/outlier.h"
#include "io/sock.h"
#include "lb/flow_state.h"
#include "lb/flow_steps.h"
#include "lb/http_flow.h"
#include "lb/listener.h"
#include "lb/path.h"
#include "lb/tls_end.h"
#include "lb/worker.h"

#include <errno.h>

/* How much later than it could a server may hear of a connection whose client
 * was expected to speak at once but does not. */
#define FLOW_ACK_WAIT_MS 10
/* How often is looked whether the rest of an answer has arrived. */
#define FLOW_UNSENT_LOOK_MS 10

/* -- established ------------------------------------------------------- */

/* What was read before there was a server is the first that it gets. */
static bool flow_hand_first(struct flow *flow)
{
	struct side *side = flow->side;
	struct direction *d = &flow->up;
	const struct first *first = side->first;
	const uint8_t *bytes;
	uint32_t n;
	bool good;

	if (!first)
		return true;
	bytes = first->bytes + first->start;
	n = first->end - first->start;
	if (n > first->header)
		direction_count(
		    flow, d, bytes + first->header, n - first->header);
	good = tls_sink(flow, d) ? tls_seal(flow, d, bytes, n)
				 : relay_hand(flow, d, bytes, n);
	/* Also of a sink that has failed: there is none to get it. */
	side_drop_first(flow);
	return good;
}

/* A direction that the kernel encrypts looks plain from here. */
static void flow_note_tls(struct flow *flow)
{
	const struct side *side = flow->side;
	bool tls = side->client_tls || side->server_tls;

	flow->up.tls = tls;
	flow->down.tls = flow->down.ktls ? side->server_tls : tls;
}

static void flow_start_directions(struct flow *flow)
{
	if (flow->side)
		flow_note_tls(flow);
	if (http_establish(flow) && (!flow->side || flow_hand_first(flow)))
		direction_start(flow, &flow->up);
	/* A server that takes no more may have answered before. */
	if (flow->state == FLOW_ESTABLISHED)
		direction_start(flow, &flow->down);
}

void flow_establish(struct flow *flow)
{
	struct worker *worker = flow->worker;
	struct mono now = worker_now(worker);
	bool first = !http_of(flow);

	flow->error = 0;
	flow->connected_at = flow->active_at = now;
	counter_inc(&flow_server_metrics(flow)->flows);
	if (first)
		histogram_add_ns(&worker->metrics->queue_time,
		    mono_diff_ns(flow->chosen_at, flow->accepted_at));
	histogram_add_ns(
	    &worker->metrics->connect_time, mono_diff_ns(now, flow->chosen_at));
	flow_arm_ms(flow, flow->listener->idle_ms);
	if (flow->ack_waits)
		flow_review_by(flow, mono_add_ms(now, FLOW_ACK_WAIT_MS));
	flow_start_directions(flow);
}

void flow_review_by(struct flow *flow, struct mono deadline)
{
	if (!timer_armed(&flow->timer) ||
	    deadline.ns / TIMER_TICK_NS < flow->timer.deadline_tick)
		timer_arm(&flow->worker->wheel, &flow->timer, deadline);
}

static uint64_t flow_idle_limit_ms(const struct flow *flow)
{
	const struct listener *listener = flow->listener;
	bool half = flow->up.fin_passed || flow->down.fin_passed;

	if (half && listener->half_closed_ms < listener->idle_ms)
		return listener->half_closed_ms;
	return listener->idle_ms;
}

/* Whose turn it was: a side that does not take what we hold for it, else the
 * server that owes its first answer, else the client. */
static char flow_idle_culprit(const struct flow *flow)
{
	if (!direction_drained(&flow->down))
		return 'c';
	if (!direction_drained(&flow->up))
		return 's';
	if (http_awaits(flow))
		return 's';
	return flow->up.bytes && !flow->down.bytes ? 's' : 'c';
}

/* The whole answer of a broken server went out: a reset would take back what
 * the client has not acknowledged, so it waits for that. */
static void flow_end_broken(struct flow *flow)
{
	struct worker *worker = flow->worker;

	if (sock_unsent(flow->client_fd) && !sock_has_error(flow->client_fd))
		flow_review_by(
		    flow, mono_add_ms(worker_now(worker), FLOW_UNSENT_LOOK_MS));
	/* Many servers spare themselves the close_notify towards a client that
	 * has ended: tls_ended(). */
	else if (flow->error == BR_E_TLS_TRUNCATED && flow->up.fin_passed)
		flow_fail(flow, '-', '-', flow->error);
	else
		flow_fail(flow, 'S', 'D', flow->error);
}

/* The timer is armed for the earliest possible deadline and looks again, so
 * that traffic costs one assignment and no timer work. */
void flow_review(struct flow *flow)
{
	struct mono now = worker_now(flow->worker);
	struct mono due =
	    mono_add_ms(flow->active_at, (int64_t)flow_idle_limit_ms(flow));
	int64_t up, down;

	if (flow->ack_waits)
		flow_send_ack(flow);
	if (flow->server_broken && flow->down.fin_passed) {
		flow_end_broken(flow);
		if (flow->state == FLOW_CLOSING || now.ns < due.ns)
			return;
	}
	if (now.ns >= due.ns) {
		counter_inc(&flow->worker->metrics->idle_timeouts);
		flow_fail(flow, flow_idle_culprit(flow), 'D', -ETIMEDOUT);
		return;
	}
	up = direction_review(flow, &flow->up);
	if (flow->state == FLOW_CLOSING)
		return; /* the timer must stay disarmed */
	down = direction_review(flow, &flow->down);
	if (flow->state == FLOW_CLOSING)
		return;
	if (up < due.ns)
		due.ns = up;
	if (down < due.ns)
		due.ns = down;
	timer_arm(&flow->worker->wheel, &flow->timer, due);
	http_turn(flow);
}

void flow_server_broke(struct flow *flow, int error)
{
	if (flow->server_broken || http_server_lost(flow, error))
		return;
	flow->server_broken = true;
	flow->error = error;
	direction_abandon(flow, &flow->up);
	if (flow->down.fin_passed)
		flow_end_broken(flow);
}

void flow_direction_done(struct flow *flow)
{
	struct worker *worker = flow->worker;

	if (flow->server_broken) {
		flow_end_broken(flow);
		return;
	}
	if (flow->up.fin_passed && flow->down.fin_passed) {
		if (flow->server)
			outlier_answered(flow->server->row);
		flow->end_by = flow->end_phase = '-';
		flow_enter(flow, FLOW_CLOSING);
		return;
	}
	flow_review_by(flow,
	    mono_add_ms(worker_now(worker), (int64_t)flow_idle_limit_ms(flow)));
}

void flow_count_bytes(struct flow *flow, bool up, uint32_t n)
{
	uint32_t worker = flow->worker->index;
	struct listener_metrics *listener =
	    &flow->listener->row->metrics[worker];
	struct server_metrics *server;

	counter_add(up ? &listener->bytes_in : &listener->bytes_out, n);
	/* What comes while http mode has none goes to the next. */
	if (!flow->server)
		return;
	server = &flow->server->row->metrics[worker];
	counter_add(up ? &server->bytes_to : &server->bytes_from, n);
}
