/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Cutting an answer down to one that says "truncated", for what rrl refuses:
 * header and question remain (RFC 2181 section 9), and OPT, which a query that
 * had one expects (RFC 6891 section 7). It is no longer than its question and
 * a cookie, so nothing is gained by forging the query.
 *
 * Thread:  any (pure).
 * Memory:  in place.
 */
#include <stddef.h>
#include <stdint.h>

/* Returns the size, at most `length`; 0: not a message with one question or
 * none, so nothing is to be sent. */
size_t slip_truncate(uint8_t *answer, size_t length);
