/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A geography database in MaxMind's format, walked once from end to end: what
 * it says of each part of the address space goes through a choice of the
 * caller's, and parts that are chosen alike come out as one prefix.
 *
 *      tree of bits ──record──> choose: 3 ──┐
 *            └─────────record──> choose: 3 ──┴─> emit 10.0.0.0/8, 3
 *
 * IPv4 in a tree for IPv6 is at ::/96 and comes out as IPv4. Where a tree leads
 * to it once more (6to4, Teredo, mapped addresses) it is left out.
 *
 * The file is copied to memory first: one that is replaced, cut or written to
 * meanwhile cannot do harm.
 *
 * Thread:  any that may block; the clerk.
 * Memory:  nothing is kept; the copy is given back at the end.
 * Errors:  why as a text, and BR_E_CONFIG of what is in the file, which is not
 *          trusted, or -errno. An error of `emit` ends the walk and is
 *          returned.
 * Limits:  GEO_FILE_BYTES_MAX.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/prefix.h"

#define GEO_FILE_BYTES_MAX (UINT64_C(1) << 30)
#define GEO_NONE UINT32_MAX

/* What a record says; an empty text or 0 where it does not. */
struct geo_record {
	char continent[3]; /* "EU" */
	char country
	    [3]; /* "DE"; that of the registration if there is no other */
	uint32_t asn;
};

/* What the records of a database have at all. */
struct geo_facts {
	bool places; /* continents or countries */
	bool networks; /* autonomous systems */
	char type[64]; /* as it calls itself */
};

struct geo_sink {
	void *context;
	/* A number for what is alike, or GEO_NONE. Asked about once for each
	 * record, or a little more often. */
	uint32_t (*choose)(void *context, const struct geo_record *record);
	/* Never GEO_NONE; prefixes do not overlap. */
	int (*emit)(
	    void *context, const struct prefix *prefix, uint32_t chosen);
};

int geo_file_read(const char *path, const struct geo_sink *sink,
    struct geo_facts *ret, char *ret_why, size_t room) BR_MUST_CHECK;
