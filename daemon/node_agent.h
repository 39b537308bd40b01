/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The socket of agent.listen: who connects gets one line (daemon/node_report)
 * and the end of the stream. What it says is looked at once a second.
 *
 *      each second: processor time, connections ─> headroom ─┐
 *                   servers of all pools ────────────────────┴─> the line
 *      accept ─> allowed? ─> SENDING ─> ENDING ─> closed
 *                   │ no       │ 1 s in all │ until the client ends it
 *                   └─> closed └─> closed <─┘
 *
 * The end of a stream in which something is unread is a reset, which could
 * take the line with it: so what a client says first is read and thrown away.
 *
 * Thread:  control.
 * Memory:  NODE_AGENT_CONNECTIONS_MAX connections in one block.
 * Errors:  -ENOMEM.
 * Limits:  NODE_AGENT_A_SECOND_MAX connections a second, so that a flood at
 *          this port costs control little; the others wait in the queue.
 *          NODE_AGENT_MS for each, NODE_AGENT_READ_MAX bytes.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct control;
struct json;
struct node_agent;

#define NODE_AGENT_CONNECTIONS_MAX 32u
#define NODE_AGENT_A_SECOND_MAX 200u
#define NODE_AGENT_MS 1000
#define NODE_AGENT_READ_MAX 4096u

/* All but start take NULL for a process without agent.listen. */

/* Takes the descriptor over; answers nobody until it is not held any more. */
int node_agent_start(
    struct control *control, int fd, struct node_agent **ret) BR_MUST_CHECK;
/* Stops answering, or begins: who waits in the queue is another generation's
 * to answer. */
void node_agent_hold(struct node_agent *agent, bool hold);
/* Closes the socket and all connections; turn the ring until done. */
void node_agent_stop(struct node_agent *agent);
bool node_agent_done(const struct node_agent *agent);
void node_agent_free(struct node_agent *agent);
/* "agent" in `braidctl status`, null for NULL. */
void node_agent_show(const struct node_agent *agent, struct json *j);
