/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Which of a place's addresses are to be tried first: by RFC 6724 section 6,
 * with the address that this machine would come from.
 *
 *      2001:db8::1   no route                      last
 *      192.0.2.1     from 10.0.0.2                 first
 *      fd00::1       from 2001:db8::9, a mismatch  second
 *
 * Left out are rules 3, 4 and 7, which need what only the kernel knows of its
 * addresses, and rule 9: by the longest matching prefix all clients of a
 * network would go to the same POP, whatever the DNS made of the order.
 *
 * Thread:  any.
 * Memory:  the caller's.
 * Errors:  none: an address without a source is the last choice.
 * Limits:  FETCH_ADDRS_MAX addresses.
 */
#include "tools/braid_fetch_places.h"

/* From which address that one is reached; false: it is not. */
typedef bool fetch_source_of(
    void *context, const struct addr *to, struct addr *ret);

/* As the kernel routes; nothing is sent. */
bool fetch_prefer_source(
    void *context, const struct addr *to, struct addr *ret);
/* The best first; equal ones stay in their order. */
void fetch_prefer_sort(
    struct fetch_place *place, fetch_source_of *source_of, void *context);
