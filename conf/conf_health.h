/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Health checks and agents, as the servers of a pool and the addresses of a
 * POP have them.
 *
 * Thread:  any (plain data).
 * Memory:  in the arena of the struct conf.
 * Units:   times in ms.
 */
#include "conf/conf_value.h"

#define CONF_SCRIPT_STEPS_MAX 32 /* in one health.script */
#define CONF_SCRIPT_BYTES_MAX 2048 /* all its bytes */

enum conf_health_type {
	CONF_HEALTH_NONE,
	CONF_HEALTH_TCP,
	CONF_HEALTH_HTTP,
	CONF_HEALTH_TLS,
	CONF_HEALTH_SEND_EXPECT,
};
enum conf_health_tls {
	CONF_HEALTH_TLS_AUTO,
	CONF_HEALTH_TLS_ON,
	CONF_HEALTH_TLS_OFF,
};

#define CONF_STATUS_RANGES_MAX 16

/* One step of a health script: one of the two is not empty. */
struct conf_step {
	const char *name; /* "1", "2", ...: its place in the file */
	struct conf_pos pos;
	struct conf_bytes send, expect;
};

struct conf_health {
	enum conf_health_type type; /* NONE when the block is absent */
	uint64_t interval_ms, timeout_ms;
	uint32_t rise, fall;
	uint16_t port; /* 0: the server's */
	enum conf_health_tls tls;
	struct conf_step *steps; /* of send_expect */
	uint32_t n_steps;
	const char *path;
	const char *host; /* NULL: the server's address */
	uint32_t n_status;
	struct {
		uint16_t low, high;
	} status[CONF_STATUS_RANGES_MAX];
	/* When less than this share of the configured weight is healthy, all
	 * servers are used as if they were up (0: never). */
	uint32_t fail_open_percent;
};

/* Asks a program beside each server, or a node of a POP, how it does. */
struct conf_agent {
	uint16_t port; /* 0: the block is absent */
	uint64_t interval_ms, timeout_ms;
	struct conf_bytes send; /* n 0: nothing is sent */
	struct addr address; /* length 0: that of each server */
	struct conf_pos address_pos;
	/* What it says is weighed with the checks, not obeyed: of POPs. */
	bool reports;
};
