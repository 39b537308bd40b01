/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The responder's part of a worker's thread: its sockets, on the worker's own
 * ring, and what they answer from.
 *
 *      plan ──adopt──> sockets ──> dns_server ──query──> view ──> answer
 *                                                          ^
 *                         daemon->dns (a snapshot) ────────┘ one look a turn
 *
 * What is published stays the same within a turn, and is held no longer than
 * one: so zones and weights change without a message to a worker, and what was
 * there before can be freed soon after.
 *
 * Thread:  the worker's.
 * Memory:  embedded in struct worker_loop. The server is made when the first
 *          plan with DNS addresses is adopted, and stays.
 * Errors:  no memory for the server: said once, and nothing is answered.
 */
#include <stdbool.h>
#include <stdint.h>

struct daemon;
struct dns_published;
struct dns_server;
struct dns_sockets;
struct plan;
struct snapshot_reader;
struct worker;

struct dns_worker {
	struct daemon *daemon;
	struct worker *worker;
	uint32_t index;
	struct dns_server *server; /* NULL: not needed so far */
	struct snapshot_reader *reader;
	const struct dns_published *now; /* NULL: not looked at in this turn */
};

void dns_worker_init(struct dns_worker *dns, struct daemon *daemon,
    struct worker *worker, uint32_t index);
/* The rest of what was open is dropped; the worker's ring still turns. */
void dns_worker_fini(struct dns_worker *dns);
/* Starts the worker's sockets that the plan has and the one before (NULL: none)
 * had not, and its limits hold. */
void dns_worker_adopt(
    struct dns_worker *dns, const struct plan *plan, const struct plan *before);
void dns_worker_stop(struct dns_worker *dns, const struct dns_sockets *sockets);
/* This worker's of these are closed. */
bool dns_worker_stopped(
    const struct dns_worker *dns, const struct dns_sockets *sockets);
/* Connections end when what was asked is answered. */
void dns_worker_drain(struct dns_worker *dns);
void dns_worker_kill(struct dns_worker *dns);
/* No connection is open. */
bool dns_worker_idle(const struct dns_worker *dns);
/* Behind each turn of the ring. */
void dns_worker_turn_over(struct dns_worker *dns);
