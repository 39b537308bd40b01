/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braidctl_table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define GAP 2

void table_init(struct table *table, const char *const *titles)
{
	*table = (struct table){.n_columns = 0};
	for (; *titles; titles++) {
		br_assert(table->n_columns < TABLE_COLUMNS_MAX);
		table->titles[table->n_columns++] = *titles;
	}
}

void table_fini(struct table *table)
{
	for (uint32_t i = 0; i < table->n_cells; i++)
		free(table->cells[i].text);
	free(table->cells);
}

void table_text(struct table *table, enum style style, const char *text)
{
	char *copy = strdup(text);

	if (table->n_cells == table->room) {
		table->room = table->room ? table->room * 2 : 64;
		table->cells =
		    realloc(table->cells, table->room * sizeof(*table->cells));
	}
	if (!copy || !table->cells)
		br_out_of_memory("table", table->room);
	for (char *c = copy; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
	table->cells[table->n_cells++] = (struct table_cell){copy, style};
}

void table_addf(struct table *table, enum style style, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	table_text(table, style, text);
}

/* Continuation bytes of UTF-8 take no column. Names are ASCII; only our own
 * bars are wider than a byte a column. */
uint32_t text_width(const char *text)
{
	uint32_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

void style_add(
    struct strbuf *ret, bool colour, enum style style, const char *text)
{
	static const char *const codes[] = {
	    [STYLE_PLAIN] = "",
	    [STYLE_BOLD] = "\033[1m",
	    [STYLE_DIM] = "\033[2m",
	    [STYLE_GREEN] = "\033[32m",
	    [STYLE_YELLOW] = "\033[33m",
	    [STYLE_RED] = "\033[1;31m",
	    [STYLE_CYAN] = "\033[36m",
	};
	bool coded = colour && style != STYLE_PLAIN;

	if (coded)
		strbuf_adds(ret, codes[style]);
	strbuf_adds(ret, text);
	if (coded)
		strbuf_adds(ret, "\033[0m");
}

static void add_blanks(struct strbuf *ret, uint32_t n)
{
	while (n--)
		strbuf_addc(ret, ' ');
}

/* Cuts the text to `room` columns. */
static void add_cut(struct strbuf *ret, bool colour, enum style style,
    const char *text, uint32_t room)
{
	char cut[512];
	size_t n = 0;

	for (; text[n] && n < sizeof(cut) - 1; n++) {
		if (((unsigned char)text[n] & 0xc0) != 0x80 && room-- == 0)
			break;
		cut[n] = text[n];
	}
	cut[n] = '\0';
	style_add(ret, colour, style, cut);
}

struct line {
	struct strbuf *out;
	uint32_t at, room; /* columns */
	bool colour;
};

static void add_cell(struct line *line, const char *text, enum style style,
    uint32_t width, bool right, bool last)
{
	uint32_t used = text_width(text);
	uint32_t pad = width > used ? width - used : 0;
	uint32_t left = line->room - line->at;

	if (line->at >= line->room)
		return;
	if (right) {
		add_blanks(line->out, pad < left ? pad : left);
		left -= pad < left ? pad : left;
	}
	add_cut(line->out, line->colour, style, text, left);
	if (!right && !last)
		add_blanks(line->out, pad);
	if (!last)
		add_blanks(line->out, GAP);
	line->at += width + GAP;
}

static const char *title_of(
    const struct table *table, uint32_t column, bool *ret_right)
{
	const char *title = table->titles[column];

	*ret_right = *title == '>';
	return *ret_right ? title + 1 : title;
}

static void print_row(const struct table *table, const uint32_t *widths,
    const struct table_cell *cells, struct line *line)
{
	line->at = 0;
	for (uint32_t i = 0; i < table->n_columns; i++) {
		bool right;
		const char *title = title_of(table, i, &right);

		add_cell(line, cells ? cells[i].text : title,
		    cells ? cells[i].style : STYLE_BOLD, widths[i], right,
		    i + 1 == table->n_columns);
	}
	strbuf_addc(line->out, '\n');
}

void table_print(const struct table *table, bool colour, uint32_t max_rows,
    uint32_t width, struct strbuf *ret)
{
	uint32_t rows = table->n_cells / table->n_columns;
	uint32_t widths[TABLE_COLUMNS_MAX] = {0};
	struct line line = {.out = ret,
	    .room = width ? width : UINT32_MAX / 2,
	    .colour = colour};

	if (max_rows && rows > max_rows)
		rows = max_rows;
	for (uint32_t i = 0; i < table->n_columns; i++) {
		bool right;

		widths[i] = text_width(title_of(table, i, &right));
		for (uint32_t row = 0; row < rows; row++) {
			uint32_t w = text_width(
			    table->cells[row * table->n_columns + i].text);

			widths[i] = w > widths[i] ? w : widths[i];
		}
	}
	print_row(table, widths, NULL, &line);
	for (uint32_t row = 0; row < rows; row++)
		print_row(table, widths, &table->cells[row * table->n_columns],
		    &line);
}

static const char *human(double value, double step, const char *const *units,
    uint32_t n_units, char ret[HUMAN_MAX])
{
	uint32_t unit = 0;

	while (value >= step * 0.9995 && unit + 1 < n_units) {
		value /= step;
		unit++;
	}
	if (unit == 0 || value >= 99.95)
		(void)snprintf(ret, HUMAN_MAX, "%.0f%s", value, units[unit]);
	else
		(void)snprintf(ret, HUMAN_MAX, "%.1f%s", value, units[unit]);
	return ret;
}

const char *human_bytes(double bytes, char ret[HUMAN_MAX])
{
	static const char *const units[] = {
	    " B", " KiB", " MiB", " GiB", " TiB", " PiB"};

	return human(bytes, 1024, units, BR_COUNT(units), ret);
}

const char *human_count(double count, char ret[HUMAN_MAX])
{
	static const char *const units[] = {"", "k", "M", "G", "T"};

	/* Four digits are as short and say more. */
	if (count < 9999.5) {
		(void)snprintf(ret, HUMAN_MAX, "%.0f", count);
		return ret;
	}
	return human(count, 1000, units, BR_COUNT(units), ret);
}

const char *human_seconds(double seconds, char ret[HUMAN_MAX])
{
	uint64_t s = seconds > 0 ? (uint64_t)seconds : 0;
	unsigned small, large;

	if (s < 60) {
		/* Cut, not rounded: 59.97 is no "60.0s". */
		(void)snprintf(ret, HUMAN_MAX, "%u.%us", (unsigned)s,
		    seconds > 0 ? (unsigned)((seconds - (double)s) * 10) % 10
				: 0);
		return ret;
	}
	large = s < 3600 ? 60 : s < 86400 ? 3600 : 86400;
	small = s < 3600 ? 1 : s < 86400 ? 60 : 3600;
	(void)snprintf(ret, HUMAN_MAX, "%llu%c%02u%c",
	    (unsigned long long)(s / large),
	    large == 60     ? 'm'
	    : large == 3600 ? 'h'
			    : 'd',
	    (unsigned)(s % large / small),
	    small == 1    ? 's'
	    : small == 60 ? 'm'
			  : 'h');
	return ret;
}
