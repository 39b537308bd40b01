/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What braid-fetch decides, said on stderr as it happens (-v), with the time
 * since its start:
 *
 *     *    12.3 ms  answer   pop1.example. 192.0.2.1:443 A, ttl 30 s
 *     {"at_ms":12.3,"event":"answer","name":"pop1.example.",...}
 *
 * Texts may have come from the network: bytes that do not print are shown as
 * question marks.
 *
 * Thread:  the only one.
 * Memory:  the caller's.
 * Errors:  none: nobody could be told.
 */
#include <stdbool.h>

#include "base/addr.h"
#include "base/clock.h"

struct fetch_say {
	bool verbose, json, errors;
	struct mono begun;
};

/* Nothing, unless verbose. `name` in wire form and `addr` may be NULL. */
void fetch_say(const struct fetch_say *say, const char *event,
    const uint8_t *name, const struct addr *addr, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* "braid-fetch: (code) text"; returns the code. */
int fetch_say_error(const struct fetch_say *say, int code, const char *format,
    ...) __attribute__((format(printf, 3, 4)));
