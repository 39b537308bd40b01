/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The line that an agent answers with about its server, in the text format of
 * HAProxy's agent-check (configuration manual, "agent-check"): words in any
 * order, separated by blanks, tabs or commas, ended by the first CR or LF or by
 * the end of the connection.
 *
 *     75%            share of the configured weight; 0% takes no new flows
 *     maxconn:30     limit of connections
 *     ready drain maint              administrative state
 *     up | down fail stopped         operational state
 *     #text                          reason, the rest of the line
 *
 * Words count in any case of letters. Of several words of one kind the last
 * holds. What is not said is not changed. Unknown words are ignored and
 * counted. Unlike HAProxy, which wants a blank before the sharp, "down#text"
 * is read as "down #text".
 *
 * Thread:  any (pure).
 * Memory:  the result is a copy.
 * Errors:  BR_E_PROTOCOL: a zero byte, or no end within AGENT_TEXT_BYTES_MAX.
 * Limits:  AGENT_TEXT_BYTES_MAX a line; the reason is cut at
 *          AGENT_TEXT_REASON_MAX - 1 bytes, its control bytes become "?".
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define AGENT_TEXT_BYTES_MAX 1024
#define AGENT_TEXT_REASON_MAX 96
/* Higher shares are ignored as unknown words. */
#define AGENT_TEXT_PERCENT_MAX 25600
#define AGENT_TEXT_MAXCONN_MAX 1000000000

enum agent_admin {
	AGENT_ADMIN_UNSAID,
	AGENT_ADMIN_READY,
	AGENT_ADMIN_DRAIN,
	AGENT_ADMIN_MAINT,
};

/* Which word it was says whether it was expected; all but UP are down. */
enum agent_health {
	AGENT_HEALTH_UNSAID,
	AGENT_HEALTH_UP,
	AGENT_HEALTH_DOWN,
	AGENT_HEALTH_FAIL,
	AGENT_HEALTH_STOPPED,
};

struct agent_report {
	enum agent_admin admin;
	enum agent_health health;
	bool has_percent, has_maxconn;
	uint32_t percent;
	uint32_t maxconn; /* 0: no limit, as in the configuration */
	uint32_t unknown; /* words */
	char reason[AGENT_TEXT_REASON_MAX];
};

/* 1 and *ret when the line is whole, 0 when more bytes are needed (call again
 * with all so far), or an error. `ended`: the connection has ended, so what is
 * there is the line. */
int agent_text_parse(const char *bytes, size_t length, bool ended,
    struct agent_report *ret) BR_MUST_CHECK;
