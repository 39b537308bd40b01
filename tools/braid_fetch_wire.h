/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Questions carried to the servers of a zone itself, past all resolvers, which
 * would make something else of several CNAMEs. Over UDP with EDNS; over TCP
 * what is cut short; without EDNS where a server does not know it.
 *
 *      server 1 ──no answer, or a failure──> server 2 ──> ... ──> server 1 ...
 *        │ cut short                            │
 *        └──> the same server over TCP          └──> an answer: the end
 *
 * Each question has a socket of its own with a port of the kernel's choice,
 * which hears of its server only, and a random number. What does not fit the
 * question is passed over, as if nothing had come. RFC 1035 section 4.2, RFC
 * 5452 section 9, RFC 6891 section 7, RFC 7766 section 5.
 *
 * Thread:  the caller's.
 * Memory:  one object; answers are lent for the call.
 * Units:   nanoseconds.
 * Errors:  of the end of a question, as a static text.
 * Limits:  FETCH_WIRE_OPEN_MAX questions at a time.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define FETCH_WIRE_OPEN_MAX 64u
#define FETCH_WIRE_SERVERS_MAX 16u

struct fetch_wire;

/* The message that answers, or `wrong`: why there is none. */
typedef void fetch_wire_on_end(
    void *context, const uint8_t *bytes, size_t length, const char *wrong);

/* n > 0; those beyond the limit are left out. */
struct fetch_wire *fetch_wire_new(const struct addr *servers, uint32_t n);
/* Questions that are open end without a word. NULL is ignored. */
void fetch_wire_free(struct fetch_wire *wire);
/* Ends exactly once, also within the call. `name` is copied. */
void fetch_wire_ask(struct fetch_wire *wire, const uint8_t *name, uint16_t type,
    fetch_wire_on_end *on_end, void *context);
/* Until something has happened, but so long at most. */
void fetch_wire_turn(struct fetch_wire *wire, int64_t ns);
