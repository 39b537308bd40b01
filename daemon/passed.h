/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The listening sockets that the generation before has handed over, until
 * plan_sockets_open() asks for their address. A socket stays the same kernel
 * object through an upgrade, with its queue: it is only held by two processes
 * for a while, so no connection is lost and no port is bound again.
 *
 *      manifest + descriptors ──passed_put()──> here ──passed_take()──> plan
 *                                                 └─ passed_end(): the rest
 *
 * Thread:  main at boot. Without an upgrade it is empty, and all calls are.
 * Memory:  descriptors are owned here until taken; one table a process.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "daemon/manifest.h"

struct passed {
	uint32_t n;
	int fds[CONF_WORKERS_MAX];
	uint64_t device, inode; /* unix: the file that is ours from now on */
};

/* Takes over the descriptors of one address. */
void passed_put(const struct manifest_sockets *sockets, const int *fds);
bool passed_has(enum manifest_use use, const struct addr *addr);
/* Hands them out; false: there are none. */
bool passed_take(
    enum manifest_use use, const struct addr *addr, struct passed *ret);
/* A bit for each passed_put(), in order, the lowest of a byte first: whether
 * it was taken. Returns the length in bytes; room for MANIFEST_SOCKETS_MAX. */
uint32_t passed_taken(uint8_t *ret);
/* Closes what nobody took: the generation before empties those queues. */
void passed_end(void);
