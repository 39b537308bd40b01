/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braidctl_bar.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

#define NO_PIECE UINT32_MAX

/* What one column shows. */
struct column {
	uint32_t piece; /* index, or NO_PIECE */
	char mark;
};

static uint64_t offset_of(
    const struct bar *bar, uint32_t column, uint32_t width)
{
	/* Downloads are far below 2^56 bytes, so this does not wrap. */
	return bar->from + (bar->to - bar->from) * column / width;
}

static uint32_t piece_at(const struct bar *bar, uint64_t at)
{
	for (uint32_t i = 0; i < bar->n_pieces; i++)
		if (at >= bar->pieces[i].from && at < bar->pieces[i].to)
			return i;
	return NO_PIECE;
}

static struct column column_at(const struct bar *bar, uint64_t at)
{
	struct column column = {.piece = NO_PIECE, .mark = '#'};

	if (at < bar->sent)
		return column;
	column.piece = piece_at(bar, at);
	if (column.piece != NO_PIECE)
		column.mark =
		    at < bar->pieces[column.piece].arrived ? '=' : '.';
	else
		column.mark = at < bar->frontier ? '_' : ' ';
	return column;
}

/* Whether another piece, or a gap, begins at column i. */
static bool begins(const struct column *columns, uint32_t i)
{
	bool gap = columns[i].mark == '_',
	     gap_before = columns[i - 1].mark == '_';

	return columns[i].piece != columns[i - 1].piece || gap != gap_before;
}

/* A number into the middle of [from, to), if a mark stays on both sides. */
static void put_lane(char *text, uint32_t from, uint32_t to, uint32_t lane)
{
	char number[12];
	int n = snprintf(number, sizeof number, "%u", lane);

	if ((uint32_t)n + 2 <= to - from)
		memcpy(text + from + (to - from - (uint32_t)n) / 2, number,
		    (size_t)n);
}

/* Each run of one piece gives its first column for a line to what was before
 * it. */
static void compose(const struct bar *bar, const struct column *columns,
    uint32_t width, char *text)
{
	uint32_t start = 0;

	for (uint32_t i = 0; i < width; i++)
		text[i] = columns[i].mark;
	for (uint32_t i = 1; i <= width; i++) {
		uint32_t piece = columns[start].piece;

		if (i < width && !begins(columns, i))
			continue;
		if (start)
			text[start] = '|';
		if (piece != NO_PIECE)
			put_lane(text, start + (start > 0), i,
			    bar->pieces[piece].lane);
		start = i;
	}
}

static enum style style_of(char mark)
{
	switch (mark) {
	case '=':
		return STYLE_GREEN;
	case '.':
		return STYLE_DIM;
	case '_':
		return STYLE_RED;
	default:
		return STYLE_PLAIN;
	}
}

void bar_draw(
    const struct bar *bar, uint32_t width, bool colour, struct strbuf *ret)
{
	struct column columns[BAR_WIDTH_MAX];
	char text[BAR_WIDTH_MAX], run[BAR_WIDTH_MAX + 1];

	br_assert(bar->n_pieces <= BAR_PIECES_MAX);
	if (width > BAR_WIDTH_MAX)
		width = BAR_WIDTH_MAX;
	if (bar->to <= bar->from || !width)
		return;
	for (uint32_t i = 0; i < width; i++)
		columns[i] = column_at(bar, offset_of(bar, i, width));
	compose(bar, columns, width, text);
	for (uint32_t i = 0, start = 0; i < width; i++) {
		if (i + 1 < width && columns[i + 1].mark == columns[start].mark)
			continue;
		(void)snprintf(run, sizeof run, "%.*s", (int)(i + 1 - start),
		    text + start);
		style_add(ret, colour, style_of(columns[start].mark), run);
		start = i + 1;
	}
}
