/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/flow_state.h"

#include "base/assert.h"
#include "lb/flow_steps.h"
#include "lb/front.h"
#include "lb/tls_end.h"

#define BIT(n) (1u << (n))
#define DATA_TAGS                                                              \
	(BIT(FLOW_TAG_RECV_UP) | BIT(FLOW_TAG_RECV_DOWN) |                     \
	    BIT(FLOW_TAG_SEND_UP) | BIT(FLOW_TAG_SEND_DOWN) |                  \
	    BIT(FLOW_TAG_POLL_IN_UP) | BIT(FLOW_TAG_POLL_IN_DOWN) |            \
	    BIT(FLOW_TAG_POLL_OUT_UP) | BIT(FLOW_TAG_POLL_OUT_DOWN))

/* What the front has begun may end while a server is sought: a receive, and a
 * send of the TLS handshake. */
#define FRONT_TAGS (BIT(FLOW_TAG_RECV_UP) | BIT(FLOW_TAG_SEND_DOWN))

const struct flow_state_row flow_states[FLOW_N_STATES] = {
    [FLOW_ACCEPTED] =
	{
	    .name = "accepted",
	    .next = BIT(FLOW_PROXY_HEADER) | BIT(FLOW_TLS_ACCEPT) |
		    BIT(FLOW_FIRST_BYTES) | BIT(FLOW_CHOOSING) |
		    BIT(FLOW_CLOSING),
	    .phase = 'P',
	    .what = "The connection has a flow; nothing is known of it yet.",
	},
    [FLOW_PROXY_HEADER] =
	{
	    .name = "proxy_header",
	    .next = BIT(FLOW_TLS_ACCEPT) | BIT(FLOW_FIRST_BYTES) |
		    BIT(FLOW_CHOOSING) | BIT(FLOW_CLOSING),
	    .in_flight = BIT(FLOW_TAG_RECV_UP),
	    .timeout = FLOW_TIMEOUT_FIRST_BYTES,
	    .phase = 'P',
	    .on_enter = front_read_proxy,
	    .on_timer = front_timed_out,
	    .what = "The PROXY header of a trusted proxy is read.",
	},
    [FLOW_TLS_ACCEPT] =
	{
	    .name = "tls_accept",
	    .next =
		BIT(FLOW_FIRST_BYTES) | BIT(FLOW_CHOOSING) | BIT(FLOW_CLOSING),
	    .in_flight = FRONT_TAGS,
	    .timeout = FLOW_TIMEOUT_HANDSHAKE,
	    .phase = 'T',
	    .on_enter = tls_accept,
	    .on_timer = tls_accept_timed_out,
	    .what = "The TLS handshake with the client.",
	},
    [FLOW_FIRST_BYTES] =
	{
	    .name = "first_bytes",
	    .next = BIT(FLOW_CHOOSING) | BIT(FLOW_CLOSING),
	    .in_flight = FRONT_TAGS,
	    .timeout = FLOW_TIMEOUT_WAIT,
	    .phase = 'F',
	    .on_enter = front_read_first,
	    .on_timer = front_waited,
	    .what = "A route asks for the name or protocol in the client's "
		    "TLS ClientHello, which is read and held.",
	},
    [FLOW_CHOOSING] =
	{
	    .name = "choosing",
	    .phase = 'Q',
	    .next = BIT(FLOW_CONNECTING) | BIT(FLOW_QUEUED) |
		    BIT(FLOW_RETRY_WAIT) | BIT(FLOW_CLOSING),
	    .in_flight = BIT(FLOW_TAG_WATCH) | FRONT_TAGS,
	    .on_enter = flow_choose,
	    .what = "A server with a free slot is picked, at once.",
	},
    [FLOW_QUEUED] =
	{
	    .name = "queued",
	    .phase = 'Q',
	    .next = BIT(FLOW_CONNECTING) | BIT(FLOW_CLOSING),
	    .in_flight = BIT(FLOW_TAG_WATCH) | FRONT_TAGS,
	    .timeout = FLOW_TIMEOUT_QUEUE,
	    .on_enter = flow_queue,
	    .on_timer = flow_queue_timed_out,
	    .what = "All usable servers are full; waits for a slot.",
	},
    [FLOW_CONNECTING] =
	{
	    .name = "connecting",
	    .phase = 'C',
	    .next = BIT(FLOW_ESTABLISHED) | BIT(FLOW_TLS_CONNECT) |
		    BIT(FLOW_CHOOSING) | BIT(FLOW_RETRY_WAIT) |
		    BIT(FLOW_CLOSING),
	    .in_flight =
		BIT(FLOW_TAG_CONNECT) | BIT(FLOW_TAG_WATCH) | FRONT_TAGS,
	    .timeout = FLOW_TIMEOUT_CONNECT,
	    .on_enter = flow_connect,
	    .on_timer = flow_connect_timed_out,
	    .what = "Connecting to the server; no client byte has gone to "
		    "one yet, so another may be tried.",
	},
    [FLOW_TLS_CONNECT] =
	{
	    .name = "tls_connect",
	    .next = BIT(FLOW_ESTABLISHED) | BIT(FLOW_CHOOSING) |
		    BIT(FLOW_RETRY_WAIT) | BIT(FLOW_CLOSING),
	    .in_flight = FRONT_TAGS | BIT(FLOW_TAG_WATCH) |
			 BIT(FLOW_TAG_RECV_DOWN) | BIT(FLOW_TAG_SEND_UP),
	    .timeout = FLOW_TIMEOUT_CONNECT,
	    .phase = 'C',
	    .on_enter = tls_connect,
	    .on_timer = tls_connect_timed_out,
	    .what = "The TLS handshake with the server; another may still be "
		    "tried.",
	},
    [FLOW_RETRY_WAIT] =
	{
	    .name = "retry_wait",
	    .phase = 'C',
	    .next = BIT(FLOW_CHOOSING) | BIT(FLOW_CLOSING),
	    .in_flight = BIT(FLOW_TAG_WATCH) | FRONT_TAGS,
	    .timeout = FLOW_TIMEOUT_RETRY,
	    .on_enter = flow_wait_to_retry,
	    .on_timer = flow_retry,
	    .what = "No untried server is left; a short pause before one is "
		    "tried again.",
	},
    [FLOW_ESTABLISHED] =
	{
	    .name = "established",
	    .phase = 'D',
	    .next = BIT(FLOW_CHOOSING) | BIT(FLOW_CLOSING),
	    .in_flight = DATA_TAGS | BIT(FLOW_TAG_WATCH),
	    .timeout = FLOW_TIMEOUT_IDLE,
	    .on_enter = flow_establish,
	    .on_timer = flow_review,
	    .what = "Both directions run; in http mode another server may "
		    "be sought between two requests.",
	},
    [FLOW_CLOSING] =
	{
	    .name = "closing",
	    .phase = '-',
	    .next = 0,
	    .in_flight =
		DATA_TAGS | BIT(FLOW_TAG_WATCH) | BIT(FLOW_TAG_CONNECT),
	    .on_enter = flow_close,
	    .what = "Operations are cancelled; freed when the last has "
		    "completed.",
	},
};

void flow_enter(struct flow *flow, enum flow_state state)
{
	br_assert(flow_states[flow->state].next & BIT(state));
	flow->state = (uint8_t)state;
	if (flow_states[state].on_enter)
		flow_states[state].on_enter(flow);
}

static const char *flow_timeout_text(enum flow_timeout timeout)
{
	static const char *const texts[] = {
	    [FLOW_TIMEOUT_NONE] = "none",
	    [FLOW_TIMEOUT_QUEUE] = "pool queue.timeout",
	    [FLOW_TIMEOUT_CONNECT] = "pool connect.timeout",
	    [FLOW_TIMEOUT_RETRY] = "a fixed pause",
	    [FLOW_TIMEOUT_IDLE] = "listener timeout.idle, half_closed",
	    [FLOW_TIMEOUT_FIRST_BYTES] = "listener timeout.first_bytes",
	    [FLOW_TIMEOUT_WAIT] = "listener wait, then timeout.first_bytes",
	    [FLOW_TIMEOUT_HANDSHAKE] = "listener timeout.handshake",
	};

	return texts[timeout];
}

static void flow_state_print_bits(
    struct strbuf *ret, uint32_t bits, const char *(*name)(unsigned))
{
	bool first = true;

	for (unsigned i = 0; i < 32; i++) {
		if (!(bits & BIT(i)))
			continue;
		strbuf_addf(ret, "%s%s", first ? "" : ", ", name(i));
		first = false;
	}
	if (first)
		strbuf_adds(ret, "-");
}

static const char *flow_state_name(unsigned state)
{
	return flow_states[state].name;
}

static const char *flow_tag_name(unsigned tag)
{
	static const char *const names[] = {
	    [FLOW_TAG_CONNECT] = "connect",
	    [FLOW_TAG_WATCH] = "watch",
	    [FLOW_TAG_RECV_UP] = "receive up",
	    [FLOW_TAG_RECV_DOWN] = "receive down",
	    [FLOW_TAG_SEND_UP] = "send up",
	    [FLOW_TAG_SEND_DOWN] = "send down",
	    [FLOW_TAG_POLL_IN_UP] = "poll source up",
	    [FLOW_TAG_POLL_IN_DOWN] = "poll source down",
	    [FLOW_TAG_POLL_OUT_UP] = "poll sink up",
	    [FLOW_TAG_POLL_OUT_DOWN] = "poll sink down",
	};

	return tag < BR_COUNT(names) ? names[tag] : "?";
}

void flow_state_print(struct strbuf *ret)
{
	strbuf_adds(ret, "# States of a flow\n\n"
			 "Printed from the table in lb/flow_state.c.\n\n"
			 "| state | next | in flight | timeout | meaning |\n"
			 "|---|---|---|---|---|\n");
	for (unsigned i = 0; i < FLOW_N_STATES; i++) {
		const struct flow_state_row *row = &flow_states[i];

		strbuf_addf(ret, "| %s | ", row->name);
		flow_state_print_bits(ret, row->next, flow_state_name);
		strbuf_adds(ret, " | ");
		flow_state_print_bits(ret, row->in_flight, flow_tag_name);
		strbuf_addf(ret, " | %s | %s |\n",
		    flow_timeout_text(row->timeout), row->what);
	}
}
