/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The data of records: presentation form to wire form and back, the check of
 * wire form that somebody else made, its canonical form, and the names in it.
 * All of it follows from the field kinds of rr_type.h.
 *
 *     "10 mail"   --rdata_read-->   0 10 4 mail 7 example 0
 *                 <--rdata_to_text--
 *                                   rdata_names: one, at 2, compressible
 *
 * Reading then printing gives one text for all ways to write the same data
 * (names in full, \DDD for what does not print, hexadecimal digits in upper
 * case), and printing then reading is the identity on the wire.
 *
 * Thread:  any; rdata_to_text() not on workers (it calls the heap).
 * Memory:  the caller's.
 * Errors:  BR_E_SYNTAX with the words in the scanner; or what is wrong as a
 *          text for the end of a sentence, NULL: nothing.
 * Limits:  RDATA_MAX bytes; names in wire data are uncompressed.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "dnsd/rr_type.h"
#include "dnsd/zone_scan.h"

#define RDATA_MAX 65535u
/* No type has more names than SOA, MINFO, PX and RP. */
#define RDATA_NAMES_MAX 2u

struct rdata_name {
	uint16_t at; /* offset in the data */
	bool packed; /* answers may compress it (RFC 3597 section 4) */
	bool lower; /* lower case in the canonical form */
};

/* The fields that the scanner is at, to the end of the entry, which is
 * consumed when all is well. Also in the generic form, \# 4 C0000201, which
 * must then be valid for the type (RFC 3597 section 5). */
int rdata_read(struct zone_scan *scan, uint16_t type, const uint8_t *origin,
    uint8_t ret[RDATA_MAX], uint16_t *ret_length) BR_MUST_CHECK;
/* The same of a text: "10 mail.example.". What is wrong, NULL: nothing; the
 * text lives until the thread asks again. */
const char *rdata_from_text(uint16_t type, const char *text,
    const uint8_t *origin, uint8_t ret[RDATA_MAX],
    uint16_t *ret_length) BR_MUST_CHECK;

/* Appends the presentation form; data that is not valid for its type, and
 * types without a form of their own, in the generic one. */
void rdata_to_text(
    struct strbuf *out, uint16_t type, const uint8_t *rdata, uint16_t length);

/* What is wrong with wire data of a type. Types that are not known are
 * always right. */
const char *rdata_wrong(
    uint16_t type, const uint8_t *rdata, uint16_t length) BR_MUST_CHECK;

/* The names in data that is right, in order; returns how many. */
uint32_t rdata_names(uint16_t type, const uint8_t *rdata, uint16_t length,
    struct rdata_name ret[RDATA_NAMES_MAX]);
/* Makes data that is right canonical, in place: names in lower case (RFC 4034
 * section 6.2, RFC 6840 section 5.1). */
void rdata_make_canonical(uint16_t type, uint8_t *rdata, uint16_t length);
