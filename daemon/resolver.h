/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The resolver: a thread of its own that asks the DNS for the names of
 * servers (c-ares), keeps what is known in a name table, and says when it has
 * changed. Nobody waits for it but the start, and that for a bounded time.
 *
 *   clerk ──resolver_add/keep──> ┌──────────┐ <──UDP, TCP──> DNS servers
 *         <──RESOLVED (a job)─── │ resolver │
 *   control <──NAMES (changed)── └──────────┘ ──view──> clerk, control, api
 *
 * Answers become addresses of servers by the same way as a changed file: NAMES
 * makes control start a load without reading the file (daemon/load.h). At most
 * one such message leaves in RESOLVER_PERIOD_MS, and it stands for all changes
 * until then.
 *
 * Thread:  start, stop: boot; resolver_add, resolver_keep: clerk, or boot
 *          before it; resolver_view: any. The lock is held for as long as it
 *          takes to copy a pointer or a list of names, never over IO.
 * Memory:  configurations are read during the call only.
 * Errors:  no failure of the DNS is one of ours: it is logged once per change
 *          and name, counted, and asked again.
 */
#include "daemon/daemon.h"
#include "fleet/name_view.h"

#define RESOLVER_PERIOD_MS 1000
/* How long a start or a reload waits for names that were never asked. */
#define RESOLVER_WAIT_MS 5000

int resolver_start(struct daemon *daemon, struct resolver **ret) BR_MUST_CHECK;
void resolver_stop(struct resolver *resolver);

/* Asks for the names of `conf`, beside those already known, by its settings.
 * When each has been asked once, or after RESOLVER_WAIT_MS, DAEMON_RESOLVED
 * with this pointer goes to the clerk; NULL: no message. */
void resolver_add(
    struct resolver *resolver, const struct conf *conf, void *pointer);
/* From now on only these names, by these settings. */
void resolver_keep(struct resolver *resolver, const struct conf *conf);
/* The same at the start, with what an older generation has known: nobody waits
 * for these names, and they are in use at once. NULL: there was none. */
void resolver_begin(struct resolver *resolver, const struct conf *conf,
    struct name_view *known);
/* Boot: blocks until the names are settled, at most that long. */
void resolver_await(struct resolver *resolver, int64_t timeout_ms);
/* What is known; the reference is the caller's. */
struct name_view *resolver_view(struct resolver *resolver);
