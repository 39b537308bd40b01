/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the first read of either side says about a flow, as features: protocol,
 * the HTTP request and its answer, the ClientHello. Nobody waits for it: what
 * is not in the first read is not known.
 *
 * Thread:  any.
 * Memory:  the caller's; the name is a copy.
 * Limits:  names are cut to HINTS_NAME_MAX; DPI_BYTES_MAX bytes are looked at.
 */
#include <stddef.h>

#include "profiler/features.h"

#define HINTS_NAME_MAX 255

/* The host that the client asks for, in lower case; length 0: none. */
struct hints_name {
	uint32_t length;
	char text[HINTS_NAME_MAX + 1];
};

void hints_of_client(struct features_hints *hints, const void *bytes,
    size_t length, struct hints_name *ret_name);
/* After hints_of_client(), or before it where the server speaks first. */
void hints_of_server(
    struct features_hints *hints, const void *bytes, size_t length);
