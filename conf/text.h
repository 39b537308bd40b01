/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Text as people write and read it: whether it is plain UTF-8, how it is
 * shown in a message, and which known word was probably meant.
 *
 * Thread:  any.
 * Memory:  borrows its arguments.
 * Limits:  words longer than TEXT_WORD_MAX are never suggested for.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

#define TEXT_WORD_MAX 63
#define TEXT_QUOTED_MAX 60
#define TEXT_PREFIX_MIN 3

/* The offset of the first byte that is no UTF-8 or a control character other
 * than tab, LF and CR; `length` when there is none. *ret_control says which
 * of the two it is. */
size_t text_check(const char *text, size_t length, bool *ret_control);
/* Appends "text" in double quotes, shortened and with controls escaped. */
void text_quote(struct strbuf *sb, const char *text, size_t length);

/* Collects the nearest of the candidates offered. */
struct text_nearest {
	const char *wanted;
	const char *best; /* NULL: none is near */
	unsigned distance;
};

void text_nearest_init(struct text_nearest *nearest, const char *wanted);
void text_nearest_offer(struct text_nearest *nearest, const char *candidate);
/* Insertions, deletions, replacements and swaps of neighbours, ignoring case
 * (optimal string alignment); at most TEXT_WORD_MAX characters each, else a
 * large number. */
unsigned text_distance(const char *a, const char *b);
