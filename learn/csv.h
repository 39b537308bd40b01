/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One line of comma-separated values (RFC 4180) into its fields. A field in
 * double quotes may hold commas, and quotes written twice; no field holds a
 * line's end.
 *
 *     7,"a ""b"", c",,x      ->   7 | a "b", c | (empty) | x
 *
 * Thread:  any.
 * Memory:  fields point into the line, which is rewritten in place.
 * Errors:  BR_E_SYNTAX for a quote at a wrong place or a byte of 0, BR_E_LIMIT
 *          for more fields than there is room.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* `line` has `length` bytes without its end and room for one byte more. Each
 * field becomes terminated. */
int csv_split(char *line, size_t length, char **ret_fields, uint32_t room,
    uint32_t *ret_n) BR_MUST_CHECK;
/* Passes over a byte order mark, as some programs put it before a file's first
 * line. */
void csv_skip_mark(char **line, size_t *length);
/* A whole decimal number: BR_E_SYNTAX if it is none, -ERANGE if it does not
 * fit. */
int csv_int32(const char *field, int32_t *ret) BR_MUST_CHECK;
/* A decimal number such as 12, 0.5 or 1e-3: BR_E_SYNTAX, -ERANGE. */
int csv_number(const char *field, double *ret) BR_MUST_CHECK;
