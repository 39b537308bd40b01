/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A part of a download as a bar: what has left, what is here, what is asked of
 * whom, and what has to be asked again.
 *
 *     ####|==0====|===1..|____|..2...|       |
 *     #  left   = arrived   . asked   _ to be asked again     blank: not yet
 *
 * A number is the lane that brings the piece, where it has room for one.
 *
 * Thread:  the only one.
 * Limits:  BAR_PIECES_MAX pieces, BAR_WIDTH_MAX columns.
 */
#include "tools/braidctl_table.h"

#define BAR_PIECES_MAX 64u
#define BAR_WIDTH_MAX 200u

struct bar_piece {
	uint64_t from, to; /* what of it has not left */
	uint64_t arrived; /* offset behind the last byte that is here */
	uint32_t lane;
};

struct bar {
	uint64_t from, to; /* of the download: what the bar shows */
	uint64_t sent, frontier; /* before it has left; behind it never asked */
	uint32_t n_pieces;
	struct bar_piece pieces[BAR_PIECES_MAX]; /* in any order */
};

/* Appends `width` columns, without a line end; nothing of an empty part. */
void bar_draw(
    const struct bar *bar, uint32_t width, bool colour, struct strbuf *ret);
