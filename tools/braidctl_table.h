/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Aligned text tables, and numbers as people read them.
 *
 *      POOL     SERVER  HEALTH  CONNS
 *      origins  a       up         12      text left, numbers right
 *
 * Thread:  the only one.
 * Memory:  cells are copied; table_fini() frees.
 * Limits:  TABLE_COLUMNS_MAX columns. Bytes that a terminal would act upon are
 *          replaced, whoever sent them.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"

#define TABLE_COLUMNS_MAX 16

enum style {
	STYLE_PLAIN,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_GREEN,
	STYLE_YELLOW,
	STYLE_RED,
	STYLE_CYAN,
};

struct table_cell {
	char *text;
	enum style style;
};

struct table {
	uint32_t n_columns, n_cells, room;
	const char *titles[TABLE_COLUMNS_MAX]; /* ">NAME": right-aligned */
	struct table_cell *cells;
};

/* Titles end with NULL and are the caller's. */
void table_init(struct table *table, const char *const *titles);
void table_fini(struct table *table);
/* Cells in order, row by row. */
void table_text(struct table *table, enum style style, const char *text);
void table_addf(struct table *table, enum style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Prints at most max_rows (0: all) of at most `width` columns (0: any). */
void table_print(const struct table *table, bool colour, uint32_t max_rows,
    uint32_t width, struct strbuf *ret);

/* Text between the codes of a style; the codes only with colour. */
void style_add(
    struct strbuf *ret, bool colour, enum style style, const char *text);
/* Columns that a text takes on the screen. */
uint32_t text_width(const char *text);

#define HUMAN_MAX 32
/* "1.5 MiB", "0 B". */
const char *human_bytes(double bytes, char ret[HUMAN_MAX]);
/* "1234", "12.3k", "4.5M". */
const char *human_count(double count, char ret[HUMAN_MAX]);
/* "0.3s", "12.0s", "3m20s", "2h05m", "5d02h". */
const char *human_seconds(double seconds, char ret[HUMAN_MAX]);
