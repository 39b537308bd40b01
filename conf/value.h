/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Numbers with units, as operators write them. Decimal digits only: no sign,
 * no fraction, no leading zero (which elsewhere means octal).
 *
 * Thread:  any.
 * Units:   ms, bytes, per second, percent.
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

/* In the largest unit that leaves no rest: "90s", "5m", "64KiB". */
void value_add_duration(struct strbuf *sb, uint64_t ms);
void value_add_size(struct strbuf *sb, uint64_t bytes);
