/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The data of NSEC records: the next name of the chain, and the types at this
 * one as a bitmap in windows of 256 (RFC 4034 section 4.1).
 *
 * Thread:  one at a time.
 * Memory:  the caller's; struct nsec_types is of no type after it was made
 *          all zero, and again after nsec_write().
 * Limits:  NSEC_RDATA_MAX, all types there are.
 */
#include <stddef.h>
#include <stdint.h>

#include "dnsd/dname.h"

#define NSEC_WINDOWS 256u
#define NSEC_WINDOW_BYTES 32u
#define NSEC_RDATA_MAX (DNAME_MAX + NSEC_WINDOWS * (2u + NSEC_WINDOW_BYTES))

struct nsec_types {
	uint8_t bits[NSEC_WINDOWS][NSEC_WINDOW_BYTES];
	uint8_t used[NSEC_WINDOWS]; /* bytes of the window that are not 0 */
};

void nsec_add(struct nsec_types *types, uint16_t type);
/* Returns the length. */
size_t nsec_write(
    struct nsec_types *types, const uint8_t *next, uint8_t ret[NSEC_RDATA_MAX]);
