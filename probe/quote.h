/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Bytes from a wire for one line of log: in double quotes, what cannot be
 * printed (and a double quote) as a dot, three dots behind what was cut.
 *
 * Thread:  any (pure).
 */
#include <stddef.h>

#define QUOTE_BYTES_MAX 40
/* Quotes, dots and the terminator. */
#define QUOTE_TEXT_MAX (QUOTE_BYTES_MAX + 6)

/* Returns ret. */
const char *quote_bytes(
    const char *bytes, size_t length, char ret[QUOTE_TEXT_MAX]);
