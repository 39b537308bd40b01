/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/front.h"

#include "base/assert.h"
#include "base/prefix_map.h"
#include "lb/flow_state.h"
#include "lb/listener.h"
#include "lb/route.h"
#include "lb/tls_end.h"
#include "lb/worker.h"

#include <errno.h>
#include <string.h>

/* The first byte of a record with a ClientHello. */
#define FRONT_TLS_HANDSHAKE 22

static void front_arm_timer(
    struct flow *flow, struct mono from, uint64_t timeout_ms)
{
	timer_arm(&flow->worker->wheel, &flow->timer,
	    mono_add_ms(from, (int64_t)timeout_ms));
}

static void front_disarm_timer(struct flow *flow)
{
	timer_disarm(&flow->worker->wheel, &flow->timer);
}

static void front_settle(struct flow *flow);

/* -- routing ----------------------------------------------------------- */

static void front_take_route(struct flow *flow, uint32_t route)
{
	struct listener *listener = flow->listener;

	front_disarm_timer(flow);
	flow->side->route = route;
	flow_route(flow, route < listener->n_routes
			     ? listener->route_upstreams[route]
			     : listener->upstream);
	flow_enter(flow, FLOW_CHOOSING);
}

/* Names from a TLS handshake that ended here, as a ClientHello shows them. */
static void front_hello_of_side(
    const struct side *side, struct client_hello *ret)
{
	memset(ret, 0, sizeof *ret);
	memcpy(ret->name, side->name, side->name_length);
	ret->name_length = side->name_length;
	if (side->alpn_length) {
		ret->alpn[0] = side->alpn_length;
		memcpy(ret->alpn + 1, side->alpn, side->alpn_length);
		ret->alpn_length = (uint16_t)(side->alpn_length + 1);
	}
}

static void front_route_by_hello(
    struct flow *flow, protocol_set protocol, const struct client_hello *hello)
{
	struct addr source;

	flow_client_addr(&flow->client, &source);
	front_take_route(flow,
	    route_by_hello(flow->listener->routes, &source, protocol, hello));
}

/* Decides, or goes on to read what decides. */
static void front_route(struct flow *flow)
{
	const struct listener *listener = flow->listener;
	struct addr source;
	uint32_t route = ROUTE_DEFAULT;

	if (listener->routes) {
		flow_client_addr(&flow->client, &source);
		route = route_by_source(listener->routes, &source);
	}
	if (route != ROUTE_NEEDS_BYTES) {
		front_take_route(flow, route);
	} else if (flow->side->client_tls) {
		struct client_hello hello;

		front_hello_of_side(flow->side, &hello);
		front_route_by_hello(flow, PROTOCOL_BIT(PROTOCOL_TLS), &hello);
	} else {
		flow_enter(flow, FLOW_FIRST_BYTES);
	}
}

/* -- the order of steps ------------------------------------------------ */

static bool front_trusts(const struct flow *flow)
{
	const struct listener *listener = flow->listener;
	struct addr source;

	if (!listener->proxy_from || flow->client.family == AF_UNIX)
		return true;
	flow_client_addr(&flow->client, &source);
	return prefix_map_find(listener->proxy_from, &source) != PREFIX_NONE;
}

static void front_distrust(struct flow *flow)
{
	/* Reset before it was accepted, it has no address any more: nobody
	 * can say whom it was from, and it is no sign of an attack. */
	if (!flow->client.family) {
		flow_fail_now(flow, 'C', -ECONNRESET);
		return;
	}
	counter_inc(&flow->worker->metrics->proxy_untrusted);
	flow_fail_now(flow, 'P', BR_E_UNTRUSTED);
}

void front_next(struct flow *flow)
{
	const struct listener *listener = flow->listener;
	const struct side *side = flow->side;

	if (listener->reads_proxy && !side->proxied) {
		if (front_trusts(flow))
			flow_enter(flow, FLOW_PROXY_HEADER);
		else
			front_distrust(flow);
		return;
	}
	if (listener->tls && !side->client_shaken)
		flow_enter(flow, FLOW_TLS_ACCEPT);
	else
		front_route(flow);
}

void front_begin(struct flow *flow)
{
	front_next(flow);
}

/* -- receiving --------------------------------------------------------- */

void front_receive(struct flow *flow)
{
	struct direction *d = &flow->up;

	if (d->reading || list_linked(&d->wait_link))
		return;
	d->reading = true;
	ring_recv(&flow->worker->ring, &flow->op, FLOW_TAG_RECV_UP,
	    flow->client_fd, false);
}

/* Moves a ring buffer's bytes behind those that are there. */
static bool front_gather(struct flow *flow, struct op_result result)
{
	struct ring *ring = &flow->worker->ring;
	uint32_t n = (uint32_t)result.res;
	struct first *first = side_new(flow) ? side_first(flow) : NULL;
	bool fits = first && side_charge_first(flow, first->end + n);

	if (fits) {
		memcpy(first->bytes + first->end,
		    ring_buffer(ring, result.buffer), n);
		first->end += n;
		flow->active_at = worker_now(flow->worker);
	}
	ring_buffer_return(ring, result.buffer);
	if (!fits) {
		counter_inc(&flow->worker->metrics->parked_full);
		flow_fail_now(flow, 'R', -ENOMEM);
	}
	return fits;
}

/* The client has ended its side before what we waited for was whole. */
static void front_ended(struct flow *flow)
{
	switch (flow->state) {
	case FLOW_PROXY_HEADER:
		flow_fail_now(flow, 'C', BR_E_EARLY_END);
		break;
	case FLOW_TLS_ACCEPT:
		tls_accept_lost(flow, BR_E_EARLY_END);
		break;
	case FLOW_FIRST_BYTES:
		/* No bytes come any more. The server gets what there is and
		 * the end, which is received again. */
		front_settle(flow);
		break;
	default:
		break;
	}
}

static void front_go_on(struct flow *flow)
{
	switch (flow->state) {
	case FLOW_PROXY_HEADER:
		front_read_proxy(flow);
		break;
	case FLOW_TLS_ACCEPT:
		tls_accept_go_on(flow);
		break;
	case FLOW_FIRST_BYTES:
		front_read_first(flow);
		break;
	default:
		/* Held until there is a server. */
		break;
	}
}

void front_on_receive(struct flow *flow, struct op_result result)
{
	struct worker *worker = flow->worker;
	struct direction *d = &flow->up;

	br_assert(d->reading);
	d->reading = false;
	if (result.res > 0) {
		if (front_gather(flow, result))
			front_go_on(flow);
		return;
	}
	if (result.flags & OP_BUFFER)
		ring_buffer_return(&worker->ring, result.buffer);
	if (result.res == 0) {
		front_ended(flow);
	} else if (result.res == -ENOBUFS) {
		counter_inc(&worker->metrics->starved);
		list_push_back(&worker->starved, &d->wait_link);
	} else if (result.res == -EINTR || result.res == -EAGAIN) {
		front_receive(flow);
	} else if (flow->state == FLOW_TLS_ACCEPT) {
		tls_accept_lost(flow, result.res);
	} else {
		flow_fail_now(flow, 'C', result.res);
	}
}

/* Closes what cannot be read, counted by cause. */
static void front_malformed(struct flow *flow, struct counter *causes,
    unsigned cause, struct counter *sum, int error)
{
	flow->side->cause = (uint8_t)cause;
	counter_inc(&causes[cause]);
	counter_inc(sum);
	flow_fail_now(flow, 'P', error);
}

/* -- PROXY header ------------------------------------------------------ */

static void front_note_address(struct flow_client *ret, const struct addr *addr)
{
	if (addr->length)
		flow_client_set(ret, addr);
}

static void front_take_header(
    struct flow *flow, const struct proxy_header *header)
{
	struct side *side = flow->side;

	side->proxied = true;
	counter_inc(&flow->worker->metrics->proxy_headers);
	if (header->local)
		return;
	if (header->source.length)
		side->proxy = flow->client;
	front_note_address(&flow->client, &header->source);
	front_note_address(&side->destination, &header->destination);
	if (header->authority.length)
		side_set_name(
		    side, header->authority.at, header->authority.length);
	if (header->alpn.length)
		side_set_alpn(side, header->alpn.at, header->alpn.length);
	if (header->unique_id.length <= PROXY_UNIQUE_ID_MAX &&
	    header->unique_id.length) {
		memcpy(side->unique_id, header->unique_id.at,
		    header->unique_id.length);
		side->unique_id_length = (uint8_t)header->unique_id.length;
	}
}

/* The listener's lists and limits are about whom the proxy speaks for; a
 * header that names nobody is the trusted proxy's own business. */
static bool front_admits(struct flow *flow, const struct proxy_header *header)
{
	const struct guard *guard = &flow->listener->guard;
	int err = 0;

	if (guard_is_on(guard) && !header->local && header->source.length)
		err = guard_flow(flow);
	if (!err)
		return true;
	flow_fail_now(flow, 'P', err);
	flow->reset_client = guard->refusal != GUARD_CLOSE;
	return false;
}

void front_read_proxy(struct flow *flow)
{
	struct worker_metrics *metrics = flow->worker->metrics;
	struct first *first = flow->side->first;
	struct proxy_header header;
	enum proxy_cause cause;
	uint32_t need;

	if (!first) {
		front_arm_timer(
		    flow, flow->accepted_at, flow->listener->first_bytes_ms);
		front_receive(flow);
		return;
	}
	switch (proxy_parse(first->bytes + first->start,
	    first->end - first->start, &header, &need, &cause)) {
	case PROXY_MORE:
		front_receive(flow);
		break;
	case PROXY_MALFORMED:
		front_malformed(flow, metrics->proxy_causes, cause,
		    &metrics->proxy_malformed, BR_E_PROXY_HEADER);
		break;
	case PROXY_DONE:
		front_disarm_timer(flow);
		front_take_header(flow, &header);
		if (!front_admits(flow, &header))
			return;
		first->start += header.bytes;
		if (first->start == first->end)
			side_drop_first(flow);
		front_next(flow);
		break;
	}
}

/* -- first bytes of a connection that is passed through ---------------- */

static void front_take_hello(struct flow *flow)
{
	struct side *side = flow->side;
	const struct client_hello *hello = &side->first->hello;
	const uint8_t *alpn;
	uint16_t at = 0;
	uint8_t length;

	side->hello_read = true;
	if (hello->name_length)
		side_set_name(side, hello->name, hello->name_length);
	if (client_hello_alpn_next(hello, &at, &alpn, &length))
		side_set_alpn(side, alpn, length);
	front_route_by_hello(flow, PROTOCOL_BIT(PROTOCOL_TLS), hello);
}

static enum dpi_result front_look(struct flow *flow, struct dpi_verdict *ret)
{
	struct first *first = flow->side->first;

	return dpi_read(&first->dpi, first->bytes + first->start,
	    first->end - first->start, NULL, 0, &first->hello, ret);
}

/* By what is certain now: nothing more is waited for. */
static void front_settle(struct flow *flow)
{
	struct dpi_verdict verdict;

	if (!flow->side || !flow->side->first) {
		front_route_by_hello(flow, PROTOCOL_SILENT, NULL);
		return;
	}
	(void)!front_look(flow, &verdict);
	front_route_by_hello(flow, PROTOCOL_BIT(verdict.protocol), NULL);
}

/* Whether it has begun as TLS and may still be, so that what a rule with a
 * name needs will come. */
static bool front_is_hello(
    const struct flow *flow, const struct dpi_verdict *verdict)
{
	const struct first *first = flow->side->first;

	return first->bytes[first->start] == FRONT_TLS_HANDSHAKE &&
	       (verdict->possible & PROTOCOL_BIT(PROTOCOL_TLS));
}

/* A ClientHello is waited for as long as a client may take. What the first
 * bytes of anything else are may stay open for ever, when their sender in turn
 * waits for an answer: `wait` behind the last of them is enough. */
static void front_await_bytes(struct flow *flow, bool hello)
{
	const struct listener *listener = flow->listener;
	struct mono end =
	    mono_add_ms(flow->accepted_at, (int64_t)listener->first_bytes_ms);
	struct mono soon =
	    mono_add_ms(worker_now(flow->worker), (int64_t)listener->wait_ms);

	if (!hello && mono_diff_ns(end, soon) > 0)
		end = soon;
	timer_arm(&flow->worker->wheel, &flow->timer, end);
	front_receive(flow);
}

static void front_hello_malformed(struct flow *flow)
{
	struct worker_metrics *metrics = flow->worker->metrics;

	front_malformed(flow, metrics->hello_causes,
	    flow->side->first->dpi.tls_cause, &metrics->hello_malformed,
	    BR_E_CLIENT_HELLO);
}

void front_read_first(struct flow *flow)
{
	const struct route_table *routes = flow->listener->routes;
	struct dpi_verdict verdict;
	enum dpi_result result;
	struct addr source;
	uint32_t route;
	bool hello;

	if (!flow->side->first) {
		front_await_bytes(flow, false);
		return;
	}
	result = front_look(flow, &verdict);
	if (verdict.hello) {
		front_take_hello(flow);
		return;
	}
	/* It has begun as TLS: a rule with a name waits in vain. */
	if (verdict.tls_cause && route_table_names(routes))
		verdict.possible |= PROTOCOL_BIT(PROTOCOL_TLS);
	flow_client_addr(&flow->client, &source);
	hello = front_is_hello(flow, &verdict);
	route = route_by_protocol(routes, &source, verdict.possible, hello);
	if (route != ROUTE_NEEDS_BYTES)
		front_take_route(flow, route);
	else if (verdict.tls_cause && route_table_names(routes))
		front_hello_malformed(flow);
	else if (result == DPI_MORE && verdict.client_need)
		front_await_bytes(flow, hello);
	else
		front_settle(flow);
}

/* -- too slow ---------------------------------------------------------- */

void front_timed_out(struct flow *flow)
{
	counter_inc(&flow->worker->metrics->first_bytes_timeouts);
	flow_fail_now(flow, 'c', -ETIMEDOUT);
}

void front_waited(struct flow *flow)
{
	struct dpi_verdict verdict;

	if (flow->side->first) {
		(void)!front_look(flow, &verdict);
		if (front_is_hello(flow, &verdict)) {
			front_timed_out(flow);
			return;
		}
	}
	front_settle(flow);
}
