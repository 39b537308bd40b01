/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Questions to the DNS and their answers. c-ares carries the messages to
 * resolvers, braid_fetch_wire to the servers of a zone; braid_fetch_answer
 * reads them. Each question is asked once.
 *
 * Thread:  the caller's.
 * Memory:  answers live as long as the lookup.
 * Units:   nanoseconds of the monotonic clock.
 * Errors:  an answer that never came says so itself.
 * Limits:  FETCH_QUESTIONS_MAX questions, FETCH_SERVERS_MAX servers.
 */
#include <stdbool.h>

#include "base/clock.h"
#include "tools/braid_fetch_answer.h"
#include "tools/braid_fetch_say.h"

#define FETCH_QUESTIONS_MAX 64u
#define FETCH_SERVERS_MAX 16u

struct fetch_lookup;

/* n_servers 0: those of the system, with its file of hosts. `direct`: servers
 * of the zone itself, which are not to look further. */
struct fetch_lookup *fetch_lookup_new(const struct addr *servers,
    uint32_t n_servers, bool direct, const struct fetch_say *say);
void fetch_lookup_free(struct fetch_lookup *lookup);

/* The answer; NULL: it has been noted as a question. */
const struct fetch_answer *fetch_lookup_find(
    struct fetch_lookup *lookup, const uint8_t *name, uint16_t type);
/* Asks what was noted and waits for the answers, but once an address is there
 * only a moment for the rest. False: there was nothing to ask. */
bool fetch_lookup_run(struct fetch_lookup *lookup, struct mono deadline);
