/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The inside of a dns_server, for dns_udp, dns_tcp and dns_conn.
 *
 * Thread:  the worker.
 */
#include "base/list.h"
#include "base/slab.h"
#include "dnsd/dns_server.h"

struct datagram_batch;

struct dns_server {
	struct ring *ring;
	struct timer_wheel *wheel;
	struct dns_server_hooks hooks;
	struct dns_server_limits limits;
	struct dns_server_metrics *metrics;
	struct rrl *rrl;
	struct source_table *sources;
	uint32_t refused; /* by rrl; each limits.rrl_slip-th slips through */
	struct datagram_batch *batch; /* of all sockets, in turn */
	/* -- TCP -- */
	uint32_t *tcp_connections, tcp_max;
	bool draining;
	struct slab conns, inputs, outputs;
	uint8_t *scratch; /* DNS_CONN_OUT_BYTES, within one call */
	struct list idle; /* connections that wait for a query, oldest first */
	struct list busy; /* those whose client has to read first */
};
