/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/schema_text.h"

#include "conf/convert.h"
#include "conf/synonym.h"
#include "conf/text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define EXPLAIN_COLUMNS 78
#define EXPLAIN_WORD_MAX 128

bool schema_has_bounds(const struct schema_row *row)
{
	switch (row->type) {
	case SCHEMA_INTEGER:
	case SCHEMA_PORT:
	case SCHEMA_SIZE:
	case SCHEMA_DURATION:
	case SCHEMA_RATE:
	case SCHEMA_PERCENT:
	case SCHEMA_BANDWIDTH:
	case SCHEMA_DECIMAL:
	case SCHEMA_PAIRS:
		return true;
	default:
		return false;
	}
}

static void explain_add_later_choices(
    struct strbuf *sb, const struct schema_row *row)
{
	const char *comma = "; in a later version ";

	if (schema_is_later(row))
		return;
	for (const struct schema_choice *at = row->choices; at->name; at++) {
		if (at->when != SCHEMA_LATER)
			continue;
		strbuf_addf(sb, "%s%s", comma, at->name);
		comma = ", ";
	}
}

void schema_add_summary(struct strbuf *sb, const struct schema_row *row)
{
	if (row->choices)
		convert_add_want(sb, row);
	else
		strbuf_adds(sb, schema_types[row->type].name);
	if (row->type == SCHEMA_PAIRS)
		strbuf_addf(sb, ", each a %s", schema_types[row->pair].name);
	if (schema_has_bounds(row)) {
		strbuf_adds(sb, ", ");
		convert_add_bounds(sb, row);
	}
	if (row->zero_allowed)
		strbuf_adds(sb, ", or 0");
	if (row->word)
		strbuf_addf(sb, ", or %s", row->word);
	if (row->type == SCHEMA_MAP && row->max)
		strbuf_addf(sb, ", at most %" PRIu64 " %ss in the file",
		    row->max, row->noun);
	if (row->required)
		strbuf_adds(sb, ", required");
	if (row->unless)
		strbuf_addf(sb, " without %s", row->unless);
	if (row->fallback)
		strbuf_addf(sb, ", default %s", row->fallback);
	if (row->choices)
		explain_add_later_choices(sb, row);
}

/* Whether the key is the pattern with names in place of stars. */
static bool explain_matches(const char *pattern, const char *key, bool dots)
{
	for (; *pattern && *pattern != '*'; pattern++, key++)
		if (*pattern != *key)
			return false;
	if (!*pattern)
		return !*key;
	for (size_t n = 1; n <= CONF_NAME_MAX && key[n - 1]; n++) {
		if (key[n - 1] == '.' && !dots)
			return false;
		if (explain_matches(pattern + 1, key + n, dots))
			return true;
	}
	return false;
}

/* A name may contain dots. It is only taken so where nothing else fits and
 * not at the end, where it would swallow every wrong key. */
static const struct schema_row *explain_find(const char *key)
{
	const struct schema_row *row = schema_find(key);
	const struct schema_row *at = NULL;

	while (!row && (at = schema_next_below(NULL, at)))
		if (explain_matches(at->path, key, false))
			row = at;
	while (!row && (at = schema_next_below(NULL, at)))
		if (at->type != SCHEMA_ENTRY &&
		    explain_matches(at->path, key, true))
			row = at;
	return row;
}

/* Copies the next word of a key and moves behind it. False when there is
 * none, or one longer than any key. */
static bool explain_word(const char **key, char ret[EXPLAIN_WORD_MAX])
{
	size_t length = strcspn(*key, ".");

	if (length == 0 || length >= EXPLAIN_WORD_MAX)
		return false;
	memcpy(ret, *key, length);
	ret[length] = '\0';
	*key += length + ((*key)[length] == '.');
	return true;
}

/* The nearest child of the block where the key goes wrong. */
static const char *explain_nearest(const char *key)
{
	const struct schema_row *row = NULL, *child, *best = NULL;
	struct text_nearest nearest;
	char word[EXPLAIN_WORD_MAX];

	while (explain_word(&key, word)) {
		child = row && row->type == SCHEMA_MAP
			    ? schema_next_child(row, NULL)
			    : schema_child(row, word);
		if (!child)
			break;
		row = child;
	}
	text_nearest_init(&nearest, word);
	child = NULL;
	while ((child = schema_next_child(row, child))) {
		const char *before = nearest.best;

		text_nearest_offer(&nearest, schema_key(child));
		if (nearest.best != before)
			best = child;
	}
	return best ? best->path : NULL;
}

static bool explain_has_choice(const struct schema_row *row, const char *word)
{
	if (!row->choices)
		return false;
	for (const struct schema_choice *at = row->choices; at->name; at++)
		if (strcmp(at->name, word) == 0)
			return true;
	return false;
}

/* A key whose last word is that of the one asked for ("idle") or that has it
 * as a choice ("p2c"), or what that word is called here. */
static const char *explain_same_word(const char *key)
{
	const char *dot = strrchr(key, '.');
	const char *word = dot ? dot + 1 : key;
	const struct schema_row *row = NULL;

	while ((row = schema_next_below(NULL, row)))
		if (strcmp(schema_key(row), word) == 0)
			return row->path;
	while ((row = schema_next_below(NULL, row)))
		if (!schema_is_later(row) && explain_has_choice(row, word))
			return row->path;
	row = synonym_row(word);
	return row ? row->path : NULL;
}

void schema_add_wrapped(struct strbuf *sb, const char *indent, const char *text)
{
	size_t column = EXPLAIN_COLUMNS;
	bool first = true;

	while (*text) {
		size_t length = strcspn(text, " ");

		if (first || column + 1 + length > EXPLAIN_COLUMNS) {
			strbuf_addf(sb, "%s%s", first ? "" : "\n", indent);
			column = strlen(indent);
		} else {
			strbuf_addc(sb, ' ');
			column++;
		}
		strbuf_add(sb, text, length);
		column += length;
		text += length + (text[length] == ' ');
		first = false;
	}
	strbuf_addc(sb, '\n');
}

static void explain_add_children(
    struct strbuf *sb, const struct schema_row *row)
{
	const struct schema_row *child = NULL;
	bool any = false;

	while ((child = schema_next_child(row, child))) {
		if (!any)
			strbuf_adds(sb, row ? "\nKeys below it:\n" : "Keys:\n");
		any = true;
		strbuf_addf(sb, "  %s", child->path);
		if (schema_is_later(child))
			strbuf_adds(sb, " (not in this version)");
		else if (!schema_has_children(child->type) && child->fallback)
			strbuf_addf(sb, " (%s)", child->fallback);
		strbuf_addc(sb, '\n');
	}
}

static void explain_add_row(struct strbuf *sb, const struct schema_row *row)
{
	struct strbuf summary;

	strbuf_init(&summary);
	schema_add_summary(&summary, row);
	strbuf_addf(sb, "%s\n", row->path);
	schema_add_wrapped(sb, "  ", strbuf_text(&summary));
	strbuf_fini(&summary);
	if (schema_is_later(row))
		strbuf_adds(sb, "  not in this version\n");
	else if (row->restart)
		strbuf_adds(sb, "  a change needs a restart\n");
	strbuf_addc(sb, '\n');
	schema_add_wrapped(sb, "  ", row->help);
	if (row->example)
		strbuf_addf(
		    sb, "\n  Example: %s: %s\n", schema_key(row), row->example);
	explain_add_children(sb, row);
}

int schema_explain(
    const char *key, struct strbuf *ret, const char **ret_suggestion)
{
	const struct schema_row *row;

	if (!*key) {
		explain_add_children(ret, NULL);
		return 0;
	}
	row = explain_find(key);
	if (row) {
		explain_add_row(ret, row);
		return 0;
	}
	*ret_suggestion = explain_same_word(key);
	if (!*ret_suggestion)
		*ret_suggestion = explain_nearest(key);
	return -ENOENT;
}
