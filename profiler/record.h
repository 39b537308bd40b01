/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Recorded flows as lines of comma-separated values: one line for each verdict
 * of a flow, with what was known then and what became of it. braid-train reads
 * them; columns that begin with "_" are for people.
 *
 * Thread:  any.
 * Memory:  the caller's.
 * Units:   as the columns' names and profiler/features.h say.
 * Limits:  RECORD_LINE_MAX bytes a line, the final line feed included.
 */
#include "profiler/profile.h"

#define RECORD_LINE_MAX 2048
#define RECORD_NAME_MAX 63

struct record_row {
	struct wall ended_at;
	uint64_t flow;
	char listener[RECORD_NAME_MAX + 1], pool[RECORD_NAME_MAX + 1];
	/* The client's network, as record_network() says it. */
	char network[48];
	uint8_t checkpoint, class, observed; /* class: the verdict */
	uint16_t confidence;
	uint64_t up_bytes, down_bytes; /* of the whole flow */
	uint32_t duration_ms;
	int32_t vector[N_FEATURES];
};

/* The names of the columns, with a line feed; the length. */
int record_format_header(char ret[RECORD_LINE_MAX]);
int record_format(const struct record_row *row, char ret[RECORD_LINE_MAX]);
/* "192.0.2.0/24", "2001:db8::/48", or "" of other families; `whole`:
 * "192.0.2.7/32", "2001:db8::7/128". */
void record_network(int family, const uint8_t ip[16], bool whole, char ret[48]);
