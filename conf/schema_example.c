/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration with every key of this version, from the table: each with
 * its default and its help as a comment. It loads as it is. */
#include "conf/schema_text.h"

#include <string.h>

#define INDENT_MAX 64

static const char example_head[] =
    "# Every key of this version of Braid, with its default; generated from\n"
    "# the table of keys. What has no default stands as a comment, or with an\n"
    "# example where it is required. A real file needs few of these: see\n"
    "# minimal.yaml.\n"
    "#\n"
    "#   check a file   braidd -c -f FILE\n"
    "#   one key        braidctl explain KEY\n";

/* The names that stand for the stars. */
static const char *example_key(const struct schema_row *row)
{
	static const char *const names[SCHEMA_MAPS] = {
	    [MAP_LISTENERS] = "web",
	    [MAP_POOLS] = "origins",
	    [MAP_SERVERS] = "a",
	};

	return row->type == SCHEMA_ENTRY ? names[row->map] : schema_key(row);
}

static void example_add_row(struct strbuf *sb, const struct schema_row *row)
{
	bool parent = schema_has_children(row->type);
	const char *value = row->fallback ? row->fallback : row->example;
	char indent[INDENT_MAX] = "";
	size_t length = 0;

	for (const char *p = row->path; *p; p++)
		if (*p == '.' && length < INDENT_MAX - 4)
			length += 2;
	memset(indent, ' ', length);
	memcpy(indent + length, "# ", sizeof("# "));
	strbuf_addc(sb, '\n');
	schema_add_wrapped(sb, indent, row->help);
	/* What only another type of check uses would be warned about. */
	indent[length] =
	    parent || row->required || (row->fallback && !row->http_only) ? '\0'
									  : '#';
	indent[length + 1] = '\0';
	strbuf_addf(sb, "%s%s:", indent, example_key(row));
	if (!parent)
		strbuf_addf(sb, " %s", value);
	strbuf_addc(sb, '\n');
}

void schema_print_example(struct strbuf *ret)
{
	const struct schema_row *row = NULL;

	strbuf_adds(ret, example_head);
	while ((row = schema_next_below(NULL, row)))
		if (!schema_is_later(row))
			example_add_row(ret, row);
}
