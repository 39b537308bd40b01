/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the first bytes of either side say about a flow, as features: protocol,
 * the HTTP request and its answer, the ClientHello. Nobody waits for it: what
 * has come is read at once, and read again with more where more may tell more.
 *
 *      first read ──> hints_of_client() ──> false: that is all
 *                       ^         │ true
 *      next read ──> hints_kept_add(), until it is full
 *
 * Thread:  any.
 * Memory:  the caller's; the name is a copy.
 * Limits:  names are cut to HINTS_NAME_MAX; DPI_BYTES_MAX bytes are looked at,
 *          of a ClientHello and an HTTP answer in one read all of them, in
 *          several reads HINTS_KEPT_MAX.
 */
#include <stddef.h>

#include "profiler/features.h"

#define HINTS_NAME_MAX 255
/* A ClientHello with a key share of ML-KEM has 1.7 KiB, most heads less. */
#define HINTS_KEPT_MAX 2048u

/* The host that the client asks for, in lower case; length 0: none. */
struct hints_name {
	uint32_t length;
	char text[HINTS_NAME_MAX + 1];
};

/* First bytes of which more may tell more. By side: client, server. */
struct hints_kept {
	bool open[2]; /* more of them is wanted; what is there holds */
	uint32_t length[2];
	uint8_t bytes[2][HINTS_KEPT_MAX];
};

/* `bytes` is all that side has said so far. True: with more bytes behind them
 * another call may say more; what it says counts in place of this one's. */
bool hints_of_client(struct features_hints *hints, const void *bytes,
    size_t length, struct hints_name *ret_name);
/* After hints_of_client(), or before it where the server speaks first. */
bool hints_of_server(
    struct features_hints *hints, const void *bytes, size_t length);

void hints_kept_start(struct hints_kept *kept);
/* Takes what there is room for; false: it is full. */
bool hints_kept_add(
    struct hints_kept *kept, bool up, const void *bytes, size_t length);
