/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Rows of an agent block that pools and POPs have in common, a piece of a
 * table of rows. `parent` is the path of the block, `owner` the struct whose
 * member `agent` it fills, `where` what the port is on ("the address of each server"), and
 * the longest interval and timeout are in milliseconds.
 *
 * Thread:  any (constant).
 */
#include "conf/schema_table.h"

#define SCHEMA_AGENT_KEYS(                                                     \
    parent, owner, where, interval_max_ms, timeout_max_ms)                     \
	{                                                                      \
	    .path = parent ".port",                                            \
	    .type = SCHEMA_PORT,                                               \
	    .offset = offsetof(struct owner, agent.port),                      \
	    .min = 1,                                                          \
	    .max = 65535,                                                      \
	    .required = true,                                                  \
	    .example = "9999",                                                 \
	    .help = "Port of the agents, on " where ".",                       \
	},                                                                     \
	    {                                                                  \
		.path = parent ".interval",                                    \
		.type = SCHEMA_DURATION,                                       \
		.offset = offsetof(struct owner, agent.interval_ms),           \
		.min = 10,                                                     \
		.max = interval_max_ms,                                        \
		.fallback = "2s",                                              \
		.example = "5s",                                               \
		.help = "Time from one question to the next.",                 \
	    },                                                                 \
	    {                                                                  \
		.path = parent ".timeout",                                     \
		.type = SCHEMA_DURATION,                                       \
		.offset = offsetof(struct owner, agent.timeout_ms),            \
		.min = 1,                                                      \
		.max = timeout_max_ms,                                         \
		.fallback = "1s",                                              \
		.example = "500ms",                                            \
		.help = "How long an agent may take in all to connect and "    \
			"answer.",                                             \
	    },                                                                 \
	{                                                                      \
		.path = parent ".send", .type = SCHEMA_BYTES,                  \
		.offset = offsetof(struct owner, agent.send),                  \
		.max = CONF_AGENT_SEND_MAX, .example = "'web\\n'",             \
		.help = "Text sent to the agent before its line is read; "     \
			"escapes as in health.script.",                        \
	}
