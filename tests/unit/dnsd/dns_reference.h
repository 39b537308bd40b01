/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a server has to answer, by searching lists of records from one end to
 * the other: RFC 1034 section 4.3.2, RFC 4592 (wildcards), RFC 6672 (DNAME),
 * RFC 2308 (absences), RFC 4035 section 3.1 (proofs). It shares no code with
 * dnsd, and is made to be read, not to be fast.
 *
 *      zones of records, question ──> rcode, AA, sections, what is to be proven
 *
 * Thread:  one at a time.
 * Memory:  all in the structs.
 * Errors:  end the process: more records than fit.
 * Limits:  REF_RECORDS_MAX records a zone, REF_LINES_MAX a section.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REF_NAME_MAX 255
#define REF_RDATA_MAX 300
#define REF_RECORDS_MAX 160
#define REF_ZONES_MAX 3
#define REF_LINES_MAX 400
#define REF_LINE_MAX (REF_NAME_MAX + 6 + REF_RDATA_MAX)
#define REF_NEEDS_MAX 32
#define REF_CHAIN_MAX 10

/* In wire form, in the case that it was written in. */
struct ref_name {
	int n; /* labels beside the root */
	size_t size;
	uint8_t wire[REF_NAME_MAX + 1];
};

struct ref_record {
	struct ref_name owner;
	uint16_t type, length;
	uint32_t ttl;
	uint8_t rdata[REF_RDATA_MAX]; /* names uncompressed, lower case */
};

struct ref_zone {
	struct ref_name apex;
	int n;
	struct ref_record records[REF_RECORDS_MAX];
};

struct ref_world {
	int n;
	struct ref_zone zones[REF_ZONES_MAX];
};

/* A record of an answer as bytes that can be compared: owner in lower case,
 * type, TTL, rdata with names in lower case. */
struct ref_line {
	uint16_t type;
	size_t length;
	uint8_t bytes[REF_LINE_MAX];
};

struct ref_lines {
	int n;
	struct ref_line line[REF_LINES_MAX];
};

/* What NSEC records have to show. */
enum ref_need_kind {
	REF_NEED_COVER, /* the name does not exist */
	REF_NEED_NO_TYPE, /* it does, and has neither the type nor a CNAME */
};

struct ref_need {
	enum ref_need_kind kind;
	const struct ref_zone *zone;
	struct ref_name name;
	uint16_t type;
};

struct ref_answer {
	int rcode;
	bool aa;
	/* Aliases came back to a name that was looked for: how much of the
	 * circle is shown is the server's choice. */
	bool circle;
	bool referral;
	struct ref_lines answer, authority;
	/* Of the additional section what must be there, and what may. */
	struct ref_lines must, may;
	int n_needs;
	struct ref_need needs[REF_NEEDS_MAX];
};

void ref_resolve(const struct ref_world *world, const struct ref_name *name,
    uint16_t type, struct ref_answer *ret);

/* -- names ------------------------------------------------------------- */

void ref_name_of(struct ref_name *ret, const uint8_t *wire);
/* The ancestor with n labels. */
struct ref_name ref_ancestor(const struct ref_name *name, int n);
/* One more label before it; false: too long. */
bool ref_prepend(struct ref_name *name, const char *label);
bool ref_is_within(const struct ref_name *name, const struct ref_name *above);
/* In canonical order (RFC 4034 section 6.1). */
int ref_compare(const struct ref_name *a, const struct ref_name *b);

/* -- records ----------------------------------------------------------- */

bool ref_owns(
    const struct ref_zone *zone, const struct ref_name *name, uint16_t type);
/* It or a name below it owns something. */
bool ref_exists(const struct ref_zone *zone, const struct ref_name *name);
/* At or below a delegation. */
bool ref_is_below_cut(const struct ref_zone *zone, const struct ref_name *name);
/* Where in the rdata a name stands by which addresses are added, or -1. */
int ref_target_at(uint16_t type);
/* Names that rdata begins with, behind `*ret_before` bytes: those that a
 * message may compress. */
int ref_names_in(uint16_t type, int *ret_before);

void ref_put(struct ref_lines *lines, const struct ref_name *owner,
    uint16_t type, uint32_t ttl, const uint8_t *rdata, size_t length);
void ref_sort(struct ref_lines *lines);
/* Both sorted. */
bool ref_is_part(const struct ref_lines *part, const struct ref_lines *whole);
