/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Reads the answer to a question for A, AAAA or SRV: follows aliases from the
 * name that was asked for, collects the records at their end, and says how
 * long they hold.
 *
 *      question: www  A
 *      www    CNAME  60  edge        ttl 30: the shortest on the way
 *      edge   A      30  192.0.2.1
 *      other  A      90  192.0.2.9   not ours: left out
 *
 * The message comes from the network: everything in it is checked, by the C
 * library's reader (ns_initparse, ns_parserr) and here.
 *
 * Thread:  any.
 * Memory:  *ret is the caller's; about 400 KB, so not on a stack.
 * Errors:  none: a message that makes no sense is NAME_MALFORMED.
 * Limits:  NAME_RECORDS_MAX records, NAME_ALIASES_MAX aliases.
 * RFC:     1035 section 4; 2308 section 5 (TTL of an absence); 2782.
 */
#include <stddef.h>

#include "fleet/name.h"

#define NAME_ALIASES_MAX 16

void name_answer_read(const void *bytes, size_t length, enum name_type type,
    struct name_answer *ret);
