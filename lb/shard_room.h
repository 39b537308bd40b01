/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What range shards may take of the machine, over all workers: transfers that
 * are split, connections to servers for them, and kernel memory in which their
 * pieces wait. Who is refused goes on with fewer shards, or with none.
 *
 * Kernel memory is taken when a connection's receive buffer is granted, by its
 * full size, and given back when the connection is closed: what a buffer may
 * hold counts, not what it holds, since a server can fill it at any time.
 *
 * Thread:  the worker; the counts are shared words, the gauges its own.
 * Memory:  none.
 * Units:   bytes as getsockopt(SO_RCVBUF) says them.
 * Limits:  limits.sharded_flows, .shard_connections and .shard_kernel_bytes,
 *          resolved at boot (daemon/limits.h); 0 is none of it.
 */
#include "lb/worker.h"

bool shard_room_take_flow(struct worker *worker) BR_MUST_CHECK;
/* Beyond the limit if need be: of an answer that cannot do without, since only
 * a part of it was asked. What may become so asks for the room before. */
void shard_room_force_flow(struct worker *worker);
bool shard_room_has_flow(const struct worker *worker);
void shard_room_give_flow(struct worker *worker);
bool shard_room_take_connection(struct worker *worker) BR_MUST_CHECK;
void shard_room_give_connection(struct worker *worker);
bool shard_room_take_kernel(
    struct worker *worker, uint64_t bytes) BR_MUST_CHECK;
void shard_room_give_kernel(struct worker *worker, uint64_t bytes);
