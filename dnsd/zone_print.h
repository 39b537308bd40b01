/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Records, and zones of them, as canonical text: one line each, all names in full, owner, TTL,
 * class, type and data with one blank between them. Any reader of master files
 * takes it, and equal records have equal lines but for the case of names.
 *
 *     www.example. 300 IN MX 10 mail.example.
 *
 * Thread:  any but workers: it calls the heap.
 * Memory:  the caller's.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"
#include "dnsd/dns_record.h"

struct zone;

/* Appends the line and its line feed. */
void zone_print_record(struct strbuf *out, const struct dns_record *record);
/* A whole zone, a line at a time, in canonical order of owners, the SOA first;
 * what resources answer is not among it. Stops when `on_line` returns false,
 * and returns that. The text is terminated. */
bool zone_print(const struct zone *zone,
    bool (*on_line)(void *context, const char *line, size_t length),
    void *context);
