/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Counters of other generations, by the name and labels of their samples, so
 * that what /metrics counts never goes back over an upgrade, whatever counters
 * either version has.
 *
 *      /metrics text of a generation ──tally_add()──> name{labels} -> value
 *      metrics_writer: own value + tally_take(name{labels})
 *                      then the family's samples that nobody took
 *
 * Of gauges only a few are sums over the generations that live (open
 * connections, for example): tally_add() takes them with `living` only.
 *
 * Thread:  one at a time.
 * Memory:  tally_new() .. tally_free(); names are copied.
 * Errors:  text that is not ours is ignored line by line.
 * Limits:  out of memory ends the process, as in base/strbuf.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

struct tally;

struct tally_value {
	uint64_t whole;
	double part; /* of samples that are not whole numbers */
};

struct tally *tally_new(void);
void tally_free(struct tally *tally);
/* Adds all that a generation counts; `text` need not be terminated. */
void tally_add(
    struct tally *tally, const char *text, size_t length, bool living);
/* Adds another tally's. */
void tally_merge(struct tally *to, const struct tally *from);
/* The value of a sample, {0} if there is none; the sample counts as taken. */
struct tally_value tally_take(struct tally *tally, const char *sample);
/* Prints the samples that nobody has taken and whose name is this one
 * ("braid_worker_turns_total"), and takes them. */
void tally_print_rest(
    struct tally *tally, const char *name, struct strbuf *ret);
/* "<value>\n" as it stands in the text. */
void tally_print_value(struct strbuf *ret, struct tally_value value);
