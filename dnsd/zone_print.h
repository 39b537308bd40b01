/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Records as canonical text: one line each, all names in full, owner, TTL,
 * class, type and data with one blank between them. Any reader of master files
 * takes it, and equal records have equal lines but for the case of names.
 *
 *     www.example. 300 IN MX 10 mail.example.
 *
 * Thread:  any but workers: it calls the heap.
 * Memory:  the caller's.
 */
#include "base/strbuf.h"
#include "dnsd/dns_record.h"

/* Appends the line and its line feed. */
void zone_print_record(struct strbuf *out, const struct dns_record *record);
