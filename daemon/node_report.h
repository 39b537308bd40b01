/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What this process says of itself to those who ask at agent.listen: a line in
 * the words of HAProxy's agent-check (probe/agent_text.h reads it).
 *
 *      up ready 73%          takes clients, with so much of its weight
 *      up drain 73%          takes no new ones: draining, or operators have
 *                            drained all servers that are well
 *      down ready #reason    no pool has a server that is usable
 *
 * Both kinds of words stand in each line, since agents' words hold until they
 * are taken back. Without pools (DNS alone) there is nothing that could be
 * down.
 *
 * Thread:  any (pure).
 * Memory:  the caller's.
 * Limits:  NODE_REPORT_MAX bytes with the terminator.
 */
#include <stddef.h>
#include <stdint.h>

#include "fleet/pool.h"

#define NODE_REPORT_MAX 64

/* From the best to the worst. */
enum node_state { NODE_UP, NODE_DRAINED, NODE_DOWN };

/* By the servers of one pool, as the board has them now. */
enum node_state node_report_pool(const struct pool *pool);
/* Returns the length, a line feed at the end. */
size_t node_report_print(
    enum node_state state, uint32_t percent, char ret[NODE_REPORT_MAX]);
