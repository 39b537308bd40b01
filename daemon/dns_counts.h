/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What one worker counts of DNS.
 *
 * Thread:  the worker writes, any may read.
 * Memory:  one a worker, made at boot, alive to the end.
 */
#include "dnsd/dns_metrics.h"
#include "dnsd/dns_server.h"

struct dns_counts {
	struct dns_server_metrics sockets;
	struct dns_metrics answers;
};
