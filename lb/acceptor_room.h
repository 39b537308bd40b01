/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Places for connections, of the process and of a listener, and what of them
 * is promised to multishot accepts (lb/listener.h says why).
 *
 *      max_connections   |####### taken ######|== promised ==|.. free ..|
 *
 * Two words each, `connections` and `promised`. Whoever raises one of them
 * reads the other afterwards, so that together they never pass the limit,
 * whatever the workers do at the same time.
 *
 * Thread:  the acceptor's worker; the words are shared by all workers.
 * Limits:  a limit that a reload has lowered may lie below what is taken and
 *          promised already; nothing is taken then but under a promise.
 */
#include <stdbool.h>
#include <stdint.h>

struct acceptor;
struct board_listener;
struct listener;
struct worker;

/* How many connections may still be accepted without a promise. */
uint32_t acceptor_room(const struct acceptor *acceptor);
/* A place beside all promises, if there is one. */
bool acceptor_room_take(struct acceptor *acceptor);
/* Gives one back. */
void acceptor_room_give(struct worker *worker, struct listener *listener);
/* Sets places aside for all that the queue may hold; false when that leaves
 * too little. */
bool acceptor_room_promise(struct acceptor *acceptor);
/* Takes one of those; there must be one. */
void acceptor_room_use_promise(struct acceptor *acceptor);
/* Gives back what is left of the promise, if there is one. */
void acceptor_room_return(struct acceptor *acceptor);
/* The promise goes along to another listener, perhaps beyond its limit: until
 * the multishot accept is cancelled, connections still come in under the limit
 * of before. */
void acceptor_room_move(struct acceptor *acceptor, struct listener *to);
/* Whether it is promises that leave no room: those of ret_row's listener, or
 * of all (NULL). */
bool acceptor_room_squeezed(
    const struct acceptor *acceptor, struct board_listener **ret_row);
