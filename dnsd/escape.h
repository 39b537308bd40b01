/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Escapes of master files (RFC 1035 section 5.1): \X is the byte X without
 * its meaning, \DDD the byte of that decimal number.
 *
 * Thread:  any.
 * Memory:  the caller's.
 * Errors:  what is wrong as a text for the end of a sentence, NULL: nothing.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of one byte as a text, at the most. */
#define ESCAPE_MAX 4u

/* The next byte of a text that is not at its end; *ret_escaped: it has no
 * meaning but itself. */
const char *escape_read(
    const char **at, const char *end, uint8_t *ret, bool *ret_escaped);
/* One byte as text, with \ before those of `special`; what is not printable
 * ASCII, and a blank unless `blank`, as \DDD. Returns the length. */
size_t escape_write(
    uint8_t byte, const char *special, bool blank, char ret[ESCAPE_MAX]);
