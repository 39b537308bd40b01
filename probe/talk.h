/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What one check says and wants to hear once its connection stands, without
 * any connection: bytes are handed in and out, so it is the same over TCP and
 * TLS.
 *
 *      talk_begin() ──> SEND ──talk_on_sent()──> RECEIVE ──> ENDED
 *                        ^                       │    ^ │
 *                        └── next step sends ────┘    └─┘ more is needed
 *                                   talk_on_received(), talk_on_end()
 *
 * A script's `expect` holds as soon as its bytes stand anywhere in what has
 * come since the last `send`; several in a row look at the same bytes. So a
 * script is read as HAProxy's tcp-check reads send and expect.
 *
 * Thread:  any (pure).
 * Memory:  one block, which keeps copies of all it needs; `out` lies in it.
 * Errors:  in `error` once ENDED: 0, BR_E_STATUS, BR_E_PROTOCOL, BR_E_CLOSED;
 *          `cause` is printable and quotes at most QUOTE_BYTES_MAX bytes of
 *          what was expected and of what came.
 * Limits:  TALK_BYTES_MAX received between two sends; TALK_OUT_MAX to send
 *          and to expect in all.
 */
#include "conf/conf.h"
#include "fleet/board.h"
#include "probe/agent_text.h"

#define TALK_BYTES_MAX 16384
#define TALK_OUT_MAX 4096

enum talk_kind {
	TALK_NOTHING, /* a connection is all that is wanted */
	TALK_HTTP,
	TALK_SCRIPT,
	TALK_AGENT,
};

enum talk_next { TALK_SEND, TALK_RECEIVE, TALK_ENDED };

struct talk_step {
	uint16_t at, n; /* in texts */
	bool expect;
};

struct talk {
	enum talk_kind kind;
	/* What is to be sent while it says SEND. */
	const char *out;
	uint32_t out_bytes;
	/* Once it says ENDED. */
	int error;
	char cause[BOARD_CAUSE_MAX];
	struct agent_report report; /* of an agent, without error */
	/* -- its own -- */
	uint32_t n_status;
	uint16_t status_low[CONF_STATUS_RANGES_MAX];
	uint16_t status_high[CONF_STATUS_RANGES_MAX];
	uint32_t step, n_steps, searched;
	struct talk_step steps[CONF_SCRIPT_STEPS_MAX];
	uint32_t texts_used, n_bytes;
	char texts[TALK_OUT_MAX];
	char bytes[TALK_BYTES_MAX];
};

/* For a check of that kind; `to` is what an http check names as its host
 * where none is configured, or `name` unless that is NULL. -EMSGSIZE: more than fits. */
int talk_init_check(struct talk *talk, const struct conf_health *health,
    const struct addr *to, const char *name) BR_MUST_CHECK;
void talk_init_agent(struct talk *talk, const struct conf_agent *agent);

/* The connection stands. */
enum talk_next talk_begin(struct talk *talk);
/* All of `out` was sent. */
enum talk_next talk_on_sent(struct talk *talk);
/* Where to put what comes next; there is room while it says RECEIVE. */
char *talk_room(struct talk *talk, uint32_t *ret_room);
enum talk_next talk_on_received(struct talk *talk, uint32_t n);
/* The other side has ended its direction. */
enum talk_next talk_on_end(struct talk *talk);
/* What it waits for, for a timeout: "waiting for the status line". */
void talk_explain_wait(
    const struct talk *talk, bool sending, char *ret, size_t room);
