/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Rows of health checks that pools and POPs have in common, each a piece of a
 * table of rows. `parent` is the path of the health block, `owner` the struct
 * whose member `health` it fills, `one` what is checked ("a server").
 *
 * Thread:  any (constant).
 */
#include "base/assert.h"
#include "conf/schema_table.h"

#define SCHEMA_HEALTH_HOUR_MS (UINT64_C(3600) * 1000)

extern const struct schema_choice schema_health_types[];

#define SCHEMA_HEALTH_TIMES(parent, owner, one)                                \
	{                                                                      \
	    .path = parent ".interval",                                        \
	    .type = SCHEMA_DURATION,                                           \
	    .offset = offsetof(struct owner, health.interval_ms),              \
	    .min = 10,                                                         \
	    .max = 24 * SCHEMA_HEALTH_HOUR_MS,                                 \
	    .fallback = "2s",                                                  \
	    .example = "10s",                                                  \
	    .help = "Time from one check of " one " to the next. Checks of "   \
		    "several are spread over it.",                             \
	},                                                                     \
	    {                                                                  \
		.path = parent ".timeout",                                     \
		.type = SCHEMA_DURATION,                                       \
		.offset = offsetof(struct owner, health.timeout_ms),           \
		.min = 1,                                                      \
		.max = SCHEMA_HEALTH_HOUR_MS,                                  \
		.fallback = "1s",                                              \
		.example = "500ms",                                            \
		.help =                                                        \
		    "How long one check may take in all before it counts as "  \
		    "failed. Keep it within interval: there is one check of "  \
		    "" one " at a time, so the next one waits for one that "   \
		    "takes longer.",                                           \
	    },                                                                 \
	    {                                                                  \
		.path = parent ".rise",                                        \
		.type = SCHEMA_INTEGER,                                        \
		.offset = offsetof(struct owner, health.rise),                 \
		.min = 1,                                                      \
		.max = 1000,                                                   \
		.fallback = "2",                                               \
		.example = "3",                                                \
		.help = "Checks that must succeed in a row until " one         \
			" that is down counts as up.",                         \
	    },                                                                 \
	{                                                                      \
		.path = parent ".fall", .type = SCHEMA_INTEGER,                \
		.offset = offsetof(struct owner, health.fall), .min = 1,       \
		.max = 1000, .fallback = "3", .example = "2",                  \
		.help = "Checks that must fail in a row until " one            \
			" that is up counts as down.",                         \
	}

/* One key of a step. */
#define SCHEMA_HEALTH_STEP(parent, key, kind, member, sample, text)            \
	{                                                                      \
		.path = parent ".script.*." key, .type = kind,                 \
		.offset = offsetof(struct conf_step, member),                  \
		.max = CONF_SCRIPT_BYTES_MAX, .script_only = true,             \
		.example = sample, .help = text,                               \
	}

#define SCHEMA_HEALTH_SCRIPT(parent, owner, steps_map)                         \
	{                                                                      \
	    .path = parent ".script",                                          \
	    .type = SCHEMA_MAP,                                                \
	    .offset = offsetof(struct owner, health.steps),                    \
	    .count_offset = offsetof(struct owner, health.n_steps),            \
	    .map = steps_map,                                                  \
	    .listed = true,                                                    \
	    .script_only = true,                                               \
	    .min = 1,                                                          \
	    .max = CONF_STEPS_MAX,                                             \
	    .noun = "step",                                                    \
	    .example = "[{send: 'PING\\r\\n'}, {expect: +PONG}]",              \
	    .help = "What a send_expect check sends and expects, in order; "   \
		    "at most 32 steps with 2,048 bytes in all. The whole "     \
		    "script has health.timeout.",                              \
	},                                                                     \
	    {                                                                  \
		.path = parent ".script.*",                                    \
		.type = SCHEMA_ENTRY,                                          \
		.offset = offsetof(struct conf_step, name),                    \
		.pos_offset = offsetof(struct conf_step, pos),                 \
		.map = steps_map,                                              \
		.element_bytes = sizeof(struct conf_step),                     \
		.noun = "step",                                                \
		.help = "One step, with one of the four keys.",                \
	    },                                                                 \
	    SCHEMA_HEALTH_STEP(parent, "send", SCHEMA_BYTES, send,             \
		"'PING\\r\\n'",                                                \
		"Text to send. \\r \\n \\t \\0 \\\\ and \\xHH stand for "      \
		"bytes."),                                                     \
	    SCHEMA_HEALTH_STEP(parent, "send_hex", SCHEMA_HEX, send,           \
		"\"50494e470d0a\"", "The same in hexadecimal digits."),        \
	    SCHEMA_HEALTH_STEP(parent, "expect", SCHEMA_BYTES, expect,         \
		"+PONG",                                                       \
		"Text that must stand somewhere in what the server has sent "  \
		"since the last send, within 16 KiB; escapes as in send. The " \
		"check waits for it until its timeout or the end of the "      \
		"connection."),                                                \
	    SCHEMA_HEALTH_STEP(parent, "expect_hex", SCHEMA_HEX, expect,       \
		"\"2b504f4e47\"", "The same in hexadecimal digits.")

/* `no_host` is what the Host header is without the key. */
#define SCHEMA_HEALTH_HTTP(parent, owner, no_host)                             \
	{                                                                      \
	    .path = parent ".path",                                            \
	    .type = SCHEMA_URL_PATH,                                           \
	    .offset = offsetof(struct owner, health.path),                     \
	    .max = 1024,                                                       \
	    .http_only = true,                                                 \
	    .fallback = "/",                                                   \
	    .example = "/healthz",                                             \
	    .help = "The path that an http check asks for with GET.",          \
	},                                                                     \
	    {                                                                  \
		.path = parent ".host",                                        \
		.type = SCHEMA_HOST,                                           \
		.offset = offsetof(struct owner, health.host),                 \
		.max = 255,                                                    \
		.http_only = true,                                             \
		.example = "www.example.com",                                  \
		.help =                                                        \
		    "The Host header of an http check. Without it, " no_host   \
		    " and the port.",                                          \
	    },                                                                 \
	{                                                                      \
		.path = parent ".status", .type = SCHEMA_STATUS,               \
		.offset = offsetof(struct owner, health),                      \
		.max = CONF_STATUS_RANGES_MAX, .http_only = true,              \
		.fallback = "200-399", .example = "[200, 204, 301-302]",       \
		.help = "The statuses with which an http check succeeds: "     \
			"one, a range, or a list of both.",                    \
	}
