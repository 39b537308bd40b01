/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Turns the text of one value into what its row of the schema wants and puts
 * it into the element; used for what a file says and for the defaults.
 *
 * Thread:  any.
 * Memory:  strings and lists go into `arena`.
 * Errors:  -EINVAL, and `why` says what is wrong and what is wanted, ready to
 *          follow the key's path in a message.
 */
#include "base/arena.h"
#include "base/strbuf.h"
#include "conf/schema_table.h"

struct convert {
	const struct schema_row *row;
	const char *text; /* terminated, but may hold zero bytes before */
	size_t length;
	bool plain; /* without quotes */
	/* The first value of a list, or the only one: replaces the default;
	 * the others are added. */
	bool first;
	struct conf_pos pos;
	struct conf_pos text_pos; /* as in struct yaml_event */
	void *element;
	struct arena *arena;
	const char **ret_ref; /* where the name of a pool goes */
	struct strbuf *why;
};

int convert_scalar(const struct convert *c) BR_MUST_CHECK;
/* Says "want WANT, not TEXT"; returns -EINVAL. */
int convert_refuse(const struct convert *c);
/* The value of a SCHEMA_ADDRESS. */
int convert_address(const struct convert *c) BR_MUST_CHECK;
/* Applies the row's default, which is known to be right. */
void convert_default(
    const struct schema_row *row, void *element, struct arena *arena);
/* "a whole number from 1 to 64, or auto". */
void convert_add_want(struct strbuf *sb, const struct schema_row *row);
/* "1 to 64", in the row's unit. */
void convert_add_bounds(struct strbuf *sb, const struct schema_row *row);
