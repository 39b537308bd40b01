/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A small and fast HTTP/1.1 origin inside somebody's epoll loop: one fixed
 * answer with a body of 64 bytes for every request head. It shares its core
 * with the load generator, so whatever it saves is load that reaches the
 * proxy.
 *
 * It honours "Connection: close" (answers, then closes) and pipelining. TLS
 * records and PROXY headers of version 2 before a head are passed over. It is
 * no web server: request bodies are not understood, a head above
 * ANSWER_HEAD_MAX ends the connection.
 *
 * Thread:  one.
 * Memory:  a buffer for each connection, freed with it.
 * Events:  registered with data.u64 = descriptor, which is below
 *          ANSWER_FDS_MAX; the caller's own must not be.
 * Errors:  -errno.
 */
#include <stdint.h>

enum { ANSWER_FDS_MAX = 20000, ANSWER_HEAD_MAX = 2048 };

/* Listens at an address in network order and adds the listener to `epoll`. */
int answer_open(int epoll, uint32_t address, uint16_t port);

/* To be called for each event whose data.u64 is below ANSWER_FDS_MAX. */
void answer_on_event(int epoll, int fd);
