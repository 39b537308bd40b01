/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The substitution of a NAPTR record (RFC 3402 section 3.2): whether an
 * application could make anything of it. Who asks applies it, we never do.
 *
 *      !^(.*)@example$!sip:\1@example.com!i
 *      │└─ expression ┘└─ replacement ───┘└ flags
 *      delimiter
 *
 * Thread:  any.
 * Memory:  none of its own.
 * Errors:  what is wrong with it; NULL: nothing.
 * Limits:  255 bytes, as the record's. Expressions are POSIX extended ones of
 *          the C locale (IEEE 1003.2), bounds up to 255.
 */

#include <stdint.h>

const char *naptr_regexp_wrong(const uint8_t *text, unsigned length);
