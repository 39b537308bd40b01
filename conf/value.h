/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Numbers with units, as operators write them. Decimal digits only: no sign,
 * no leading zero (which elsewhere means octal).
 *
 * Thread:  any.
 * Units:   ms, bytes, per second, percent, bits per second, thousandths.
 * Errors:  -EINVAL not of that form, -ERANGE does not fit 64 bits, -ENODATA
 *          a bare number where a unit is needed (0 needs none). Outputs are
 *          untouched on failure.
 */
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

int value_integer(const char *text, uint64_t *ret) BR_MUST_CHECK;
int value_duration(const char *text, uint64_t *ret_ms) BR_MUST_CHECK;
int value_size(const char *text, uint64_t *ret_bytes) BR_MUST_CHECK;
int value_rate(const char *text, uint64_t *ret_per_s) BR_MUST_CHECK;
int value_percent(const char *text, uint64_t *ret_percent) BR_MUST_CHECK;
/* In bit/s, kbit/s ... Tbit/s, each 1000 times the one before. */
int value_bandwidth(const char *text, uint64_t *ret_bps) BR_MUST_CHECK;
/* With at most three places behind the point, which may be missing. */
int value_decimal(const char *text, uint64_t *ret_milli) BR_MUST_CHECK;

/* In the largest unit that leaves no rest: "90s", "5m", "64KiB". */
void value_add_duration(struct strbuf *sb, uint64_t ms);
void value_add_size(struct strbuf *sb, uint64_t bytes);
void value_add_bandwidth(struct strbuf *sb, uint64_t bps);
/* Without zeros at the end: "1.5". */
void value_add_decimal(struct strbuf *sb, uint64_t milli);
