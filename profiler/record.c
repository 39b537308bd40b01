/* SPDX-License-Identifier: Apache-2.0 */
#include "profiler/record.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/assert.h"

/* The numbers of a vector are the bulk of it: 12 characters each at most. */
_Static_assert(N_FEATURES * 12 + 512 <= RECORD_LINE_MAX, "a line has room");

int record_format_header(char ret[RECORD_LINE_MAX])
{
	int n = snprintf(ret, RECORD_LINE_MAX,
	    "_time,_flow,_listener,_pool,_network,_checkpoint,_verdict,"
	    "_confidence,_up_bytes,_down_bytes,_duration_ms,group,class");

	for (unsigned i = 0; i < N_FEATURES; i++)
		n += snprintf(ret + n, (size_t)(RECORD_LINE_MAX - n), ",%s",
		    feature_name((enum feature)i));
	ret[n++] = '\n';
	br_assert(n < RECORD_LINE_MAX);
	return n;
}

int record_format(const struct record_row *row, char ret[RECORD_LINE_MAX])
{
	char time[25];
	int n;

	wall_format(row->ended_at, time);
	/* The group is what may not be in training and test both. */
	n = snprintf(ret, RECORD_LINE_MAX,
	    "%s,%" PRIu64 ",%s,%s,%s,%s,%s,%u,%" PRIu64 ",%" PRIu64 ",%u,%s,%s",
	    time, row->flow, row->listener, row->pool, row->network,
	    profile_checkpoint_name((enum profile_checkpoint)row->checkpoint),
	    flow_class_name((enum flow_class)row->class), row->confidence,
	    row->up_bytes, row->down_bytes, row->duration_ms, row->listener,
	    flow_class_name((enum flow_class)row->observed));
	for (unsigned i = 0; i < N_FEATURES; i++)
		n += snprintf(ret + n, (size_t)(RECORD_LINE_MAX - n), ",%d",
		    row->vector[i]);
	ret[n++] = '\n';
	br_assert(n < RECORD_LINE_MAX);
	return n;
}

void record_network(int family, const uint8_t ip[16], bool whole, char ret[48])
{
	char text[INET6_ADDRSTRLEN];
	uint8_t network[16] = {0};
	size_t all = family == AF_INET ? 4 : 16;
	size_t kept = whole ? all : family == AF_INET ? 3 : 6;

	ret[0] = '\0';
	if (family != AF_INET && family != AF_INET6)
		return;
	memcpy(network, ip, kept);
	if (inet_ntop(family, network, text, sizeof text))
		(void)snprintf(ret, 48, "%.39s/%u", text, (unsigned)kept * 8);
}
