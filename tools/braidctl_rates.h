/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * From two answers of a braidd, a moment apart, to rates. The moment is
 * measured by the daemon's own uptime, so a slow terminal does not bend them.
 *
 * Thread:  the only one.
 * Memory:  rates_init() .. rates_fini(); keeps the last answers.
 * Errors:  exit codes, as braidctl_client.
 * Limits:  RATES_HISTORY samples of history.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define RATES_HISTORY 60

struct rates_series {
	double values[RATES_HISTORY]; /* newest last */
};

struct rates_server {
	const json_t *now; /* of the last answer */
	double flows, to_bytes, from_bytes, errors; /* a second */
	double share; /* 0..1 of its pool's bytes, else of its new flows */
};

struct rates {
	json_t *status, *servers, *servers_before; /* answers */
	const json_t *process; /* data of status */
	bool valid; /* there are two samples of one process */
	uint32_t n; /* samples so far */
	double seconds; /* between the last two */
	double cpu; /* 1.0: one processor */
	double flows, to_bytes, from_bytes, errors;
	double queries; /* of the DNS */
	double cpu_before, uptime_before, flows_before, queries_before;
	uint64_t pid_before;
	struct rates_series flows_history, to_history, from_history;
	struct rates_series queries_history;
	uint32_t n_servers;
	struct rates_server *table; /* in the order of the file */
};

void rates_init(struct rates *rates);
void rates_fini(struct rates *rates);
int rates_sample(struct rates *rates, const char *socket) BR_MUST_CHECK;
