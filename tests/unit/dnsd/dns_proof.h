/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What NSEC records of an answer prove, by lists of records: RFC 4034 section
 * 4 (what each NSEC of a zone is), RFC 4035 section 3.1 (which of them an
 * answer needs). Beside dns_reference.h, which says what is to be proven.
 *
 * Thread:  one at a time.
 * Memory:  the caller's.
 */
#include "tests/unit/dnsd/dns_reference.h"

/* Whether the line is an NSEC record as the zone has to have it: the next
 * name, the types, the TTL. */
bool proof_is_of_zone(const struct ref_zone *zone, const struct ref_line *line);
/* Whether one of the NSEC records among the lines shows it. */
bool proof_shows(const struct ref_lines *lines, const struct ref_need *need);
/* Whether this one shows any of what is needed. */
bool proof_is_needed(
    const struct ref_line *line, const struct ref_answer *answer);

/* Labels that the RRSIG of records of this owner counts: without the root and
 * a leading "*"; of what a wildcard made, the wildcard's. */
int proof_labels(const struct ref_zone *zone, const struct ref_name *owner);
