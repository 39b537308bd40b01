/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Bytes of any value in a configuration: as text with escapes, or as digits.
 *
 *      PING\r\n          \r \n \t \0 \\ and \xHH; all else is itself
 *      50 49 4e 47 0d0a  pairs of hexadecimal digits, blanks between them
 *
 * Thread:  any (pure).
 * Memory:  `ret` has room for as many bytes as the text has.
 * Errors:  -EINVAL: another escape, a single digit, something else.
 */
#include <stddef.h>

#include "base/error.h"

int value_escaped(const char *text, size_t length, char *ret,
    size_t *ret_length) BR_MUST_CHECK;
int value_hex(const char *text, size_t length, char *ret,
    size_t *ret_length) BR_MUST_CHECK;
