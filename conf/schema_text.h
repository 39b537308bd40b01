/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Pieces of text about a row that explain, the JSON Schema, the manual and
 * the example have in common.
 *
 * Thread:  any.
 */
#include "conf/schema_table.h"

/* "time, 10ms to 24h, default 2s" */
void schema_add_summary(struct strbuf *sb, const struct schema_row *row);
/* Fills lines up to a width, each after the indentation. */
void schema_add_wrapped(
    struct strbuf *sb, const char *indent, const char *text);
/* Whether min and max say something about the row. */
bool schema_has_bounds(const struct schema_row *row);
