/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The host of a URL becomes places: through the system's resolver, a given
 * server (`--dns`), or the servers of the zone itself (`--literal`), which
 * are found by NS records first. Resolvers do not carry several aliases of
 * one name; the zone's own servers do.
 *
 * Thread:  the caller's.
 * Memory:  nothing stays.
 * Errors:  an exit status, with a sentence already said.
 */
#include "tools/braid_fetch_options.h"
#include "tools/braid_fetch_places.h"
#include "tools/braid_fetch_say.h"

struct fetch_origin {
	const char *host; /* as in the URL; an address without brackets */
	uint16_t port;
	bool https;
};

int fetch_resolve(const struct fetch_options *options,
    const struct fetch_say *say, const struct fetch_origin *origin,
    struct mono deadline, struct rng *rng,
    struct fetch_places *ret) BR_MUST_CHECK;
