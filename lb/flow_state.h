/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The table of flow states and the one function that changes a state.
 *
 * Thread:  the flow's worker; the table is constant.
 */
#include "base/strbuf.h"
#include "lb/flow.h"

enum flow_timeout {
	FLOW_TIMEOUT_NONE,
	FLOW_TIMEOUT_QUEUE,
	FLOW_TIMEOUT_CONNECT,
	FLOW_TIMEOUT_RETRY,
	FLOW_TIMEOUT_IDLE,
	FLOW_TIMEOUT_FIRST_BYTES,
	FLOW_TIMEOUT_WAIT,
	FLOW_TIMEOUT_HANDSHAKE,
};

struct flow_state_row {
	const char *name;
	uint32_t next; /* bits 1 << enum flow_state that may follow */
	uint32_t in_flight; /* bits 1 << enum flow_tag */
	enum flow_timeout timeout;
	char phase; /* of the termination code, see FLOW_PHASE_LIST */
	void (*on_enter)(struct flow *flow);
	void (*on_timer)(struct flow *flow);
	const char *what; /* one sentence */
};

extern const struct flow_state_row flow_states[FLOW_N_STATES];

void flow_enter(struct flow *flow, enum flow_state state);
/* The table as Markdown: docs/generated/states.md. */
void flow_state_print(struct strbuf *ret);
