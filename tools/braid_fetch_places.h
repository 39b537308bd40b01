/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * From the name in a URL to the places that serve it. A place is one POP as
 * the DNS shows it: the name at the end of the aliases, a port, addresses.
 * The order is that of preference:
 *
 *      HTTPS records    by SvcPriority, equal ones shuffled; the name itself
 *                       last (RFC 9460 section 3)
 *      several CNAMEs   in the order of the answer (Braid's mode `literal`)
 *      else             one place
 *
 * It asks nothing itself: what it needs it looks up by a callback, which
 * notes what is not there yet. The caller asks that, and begins again.
 *
 * Thread:  the caller's.
 * Memory:  the caller's.
 * Errors:  none: a name without answers has no places.
 * Limits:  FETCH_PLACES_MAX places, FETCH_ADDRS_MAX addresses in each;
 *          FETCH_DEPTH_MAX aliases; what is beyond is left out.
 */
#include "base/rng.h"
#include "tools/braid_fetch_answer.h"

#define FETCH_PLACES_MAX 16u
#define FETCH_ADDRS_MAX 16u
#define FETCH_DEPTH_MAX 8u

struct fetch_place {
	uint8_t name[DNAME_MAX];
	uint16_t port;
	bool http1_only; /* its HTTPS record does not have h2 */
	uint32_t rank; /* 1: the best; equal ones are equally good */
	bool is_last_resort; /* the name itself beside HTTPS records */
	uint32_t n;
	struct addr addrs[FETCH_ADDRS_MAX]; /* with the port */
};

struct fetch_places {
	uint32_t n;
	struct fetch_place at[FETCH_PLACES_MAX];
};

/* The answer to a question, or NULL: it is not there yet. */
typedef const struct fetch_answer *fetch_look(
    void *context, const uint8_t *name, uint16_t type);
/* A decision, for who wants to see them all; may be NULL. */
typedef void fetch_remark(
    void *context, const uint8_t *name, const char *remark);

struct fetch_wanted {
	const uint8_t *host;
	uint16_t port;
	bool https; /* the scheme: such have HTTPS records */
	bool http1_only; /* what was asked for on the command line */
	bool ipv4, ipv6; /* families to use */
	fetch_look *look;
	fetch_remark *remark;
	void *context;
	struct rng *rng;
};

/* What is known so far; complete once `look` had an answer to everything. */
void fetch_places_find(
    const struct fetch_wanted *wanted, struct fetch_places *ret);
