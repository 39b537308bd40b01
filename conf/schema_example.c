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
	    [MAP_ROUTES] = "-",
	    [MAP_CERTIFICATES] = "-",
	    [MAP_POOLS] = "origins",
	    [MAP_SERVERS] = "a",
	    [MAP_STEPS] = "-",
	    [MAP_ZONES] = "cdn.example",
	    [MAP_RESOURCES] = "www",
	    [MAP_POPS] = "pop1",
	    [MAP_POP_STEPS] = "-",
	    [MAP_REGIONS] = "eu",
	};

	return row->type == SCHEMA_ENTRY ? names[row->map] : schema_key(row);
}

/* Optional lists of blocks, and blocks that name files which are not there,
 * stand as comments with all that is below them. */
static bool example_is_off(const struct schema_row *row)
{
	for (; row; row = schema_parent(row))
		if ((row->listed && !row->required) || row->unshown)
			return true;
	return false;
}

/* An entry of a list of blocks has no name. */
static bool example_is_place(const struct schema_row *row)
{
	return row->type == SCHEMA_ENTRY && schema_parent(row)->listed;
}

/* Has keys below it that are worth a place of their own. */
static bool example_has_below(const struct schema_row *row)
{
	const struct schema_row *child = schema_next_child(row, NULL);

	return schema_has_children(row->type) && !(child && child->in_parent);
}

/* What only another type of check uses would be warned about. */
static bool example_is_wanted(const struct schema_row *row)
{
	return row->required || row->shown ||
	       (row->fallback && !row->http_only);
}

static bool example_is_set(const struct schema_row *row)
{
	const struct schema_row *below = NULL;

	if (example_is_off(row))
		return false;
	if (!example_has_below(row))
		return example_is_wanted(row);
	/* A block of comments alone would have no value. */
	while ((below = schema_next_below(row, below)))
		if (!schema_is_later(below) && example_is_wanted(below))
			return true;
	return false;
}

static void example_add_row(struct strbuf *sb, const struct schema_row *row)
{
	bool parent = example_has_below(row);
	const char *value = row->shown      ? row->shown
			    : row->fallback ? row->fallback
					    : row->example;
	char indent[INDENT_MAX] = "";
	size_t length = 0;

	for (const char *p = row->path; *p; p++)
		if (*p == '.' && length < INDENT_MAX - 4)
			length += 2;
	memset(indent, ' ', length);
	memcpy(indent + length, "# ", sizeof("# "));
	strbuf_addc(sb, '\n');
	schema_add_wrapped(sb, indent, row->help);
	indent[length] = example_is_set(row) ? '\0' : '#';
	indent[length + 1] = '\0';
	strbuf_addf(sb, "%s%s", indent, example_key(row));
	if (!example_is_place(row))
		strbuf_addc(sb, ':');
	if (!parent)
		strbuf_addf(sb, " %s", value);
	strbuf_addc(sb, '\n');
}

void schema_print_example(struct strbuf *ret)
{
	const struct schema_row *row = NULL;

	strbuf_adds(ret, example_head);
	while ((row = schema_next_below(NULL, row)))
		if (!schema_is_later(row) && !row->in_parent)
			example_add_row(ret, row);
}
