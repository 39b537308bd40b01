/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Between the files of rdata: how long each field is on the wire, and what
 * the longer kinds of fields look like in text.
 *
 * Thread:  any; what takes a strbuf not on workers.
 * Memory:  the caller's.
 * Errors:  as in rdata.h.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "dnsd/rr_type.h"
#include "dnsd/zone_scan.h"

#define RDATA_LOC_BYTES 16u

/* The length of the first field of what is left of the data, 0 for one that
 * is empty. What is wrong with it, NULL: nothing. */
const char *rdata_field_measure(enum rr_field kind, const uint8_t *at,
    size_t left, size_t *ret) BR_MUST_CHECK;

/* rdata_word.c: a field that is one word, without quotes. */
int rdata_word_read(struct zone_scan *scan, const struct scan_token *token,
    enum rr_field kind, const uint8_t *origin,
    struct cursor_out *out) BR_MUST_CHECK;
/* rdata_loc.c: the text of RFC 1876 section 3. */
int rdata_loc_read(
    struct zone_scan *scan, struct cursor_out *out) BR_MUST_CHECK;
const char *rdata_loc_wrong(const uint8_t *loc);
void rdata_loc_to_text(struct strbuf *out, const uint8_t *loc);
