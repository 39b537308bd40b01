/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The control socket: a unix stream socket on which each connection carries
 * one command and one answer (docs/control.md). Runs on control's ring, never
 * blocks it, and bounds what a slow, mute or greedy client can take.
 *
 *      boot: ctl_listen() ──fd──> control: ctl_start() ... ctl_stop()
 *
 *      accept ─> credentials ─> READING ─line─> command ─> SENDING ─> closed
 *                   │ not us       │ 5 s           │ waits for reload,
 *                   └─> closed     └─> closed      │ flow listings
 *
 * Thread:  ctl_listen: boot, before privileges are dropped. The rest: control.
 * Memory:  CTL_CONNECTIONS_MAX connections in a static array of struct ctl;
 *          request and answer of each in its own strbuf, freed when it ends.
 * Errors:  -errno. A command's errors go to its client.
 * Limits:  CTL_REQUEST_MAX bytes of request; CTL_IDLE_MS to send it, and again
 *          to read the answer. Beyond CTL_CONNECTIONS_MAX connections wait in
 *          the socket's queue.
 */
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct control;
struct ctl;

#define CTL_CONNECTIONS_MAX 32
#define CTL_REQUEST_MAX 65536u
#define CTL_IDLE_MS 5000

/* A descriptor, or -errno (-EADDRINUSE: another braidd answers there). A stale
 * socket is replaced; missing directories are not made. Mode 0660, owned by
 * uid and gid. */
int ctl_listen(const char *path, uid_t uid, gid_t gid) BR_MUST_CHECK;

/* Takes the descriptor over. -ENOMEM. */
int ctl_start(struct control *control, int fd, struct ctl **ret) BR_MUST_CHECK;
/* Stops accepting, or goes on: who waits in the queue is another generation's
 * to answer. Connections that are there get their answers. */
void ctl_hold(struct ctl *ctl, bool hold);
/* Closes the socket and all connections; turn the ring until ctl_done(). */
void ctl_stop(struct ctl *ctl);
bool ctl_done(const struct ctl *ctl);
void ctl_free(struct ctl *ctl);
