/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/draft.h"

#include "base/assert.h"
#include "base/strbuf.h"
#include "conf/convert.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void draft_init(struct draft *draft, struct conf *conf, struct arena *scratch)
{
	const struct schema_row *row = NULL;

	draft->conf = conf;
	draft->scratch = scratch;
	draft->file = (struct scope){
	    .name = "",
	    .pos = {1, 1},
	    .element = conf,
	    .seen =
		arena_alloc(scratch, schema_count() * sizeof(struct conf_pos)),
	};
	draft_defaults(draft, NULL, conf);
	while ((row = schema_next_below(NULL, row))) {
		void *element;

		if (row->type != SCHEMA_ENTRY || schema_is_later(row))
			continue;
		element = arena_alloc(scratch, row->element_bytes);
		draft_defaults(draft, row, element);
		draft->templates[row->map] = element;
	}
}

struct scope *draft_scope_new(struct draft *draft, struct scope *parent,
    const struct schema_row *row, const char *name, struct conf_pos pos)
{
	struct scope *scope = arena_alloc(draft->scratch, sizeof(*scope));
	char *element = arena_alloc(draft->scratch, row->element_bytes);

	memcpy(element, draft->templates[row->map], row->element_bytes);
	memcpy(element + row->offset, &name, sizeof(name));
	memcpy(element + row->pos_offset, &pos, sizeof(pos));
	*scope = (struct scope){
	    .row = row,
	    .parent = parent,
	    .name = name,
	    .pos = pos,
	    .element = element,
	    .seen = arena_alloc(draft->scratch,
		(schema_span(row) + 1) * sizeof(struct conf_pos)),
	};
	return scope;
}

struct scope *draft_file_copy(struct draft *draft)
{
	struct scope *scope = arena_alloc(draft->scratch, sizeof(*scope));
	size_t seen_bytes = schema_count() * sizeof(struct conf_pos);

	*scope = draft->file;
	scope->element = arena_alloc(draft->scratch, sizeof(struct conf));
	draft_defaults(draft, NULL, scope->element);
	scope->seen = arena_alloc(draft->scratch, seen_bytes);
	return scope;
}

struct conf_pos *draft_seen(
    const struct scope *scope, const struct schema_row *row)
{
	uint32_t first = scope->row ? schema_id(scope->row) : 0;

	return &scope->seen[schema_id(row) - first];
}

/* The name that the n-th star of a path stands for. */
static const char *draft_star(const struct scope *scope, unsigned n)
{
	unsigned depth = 0;

	for (const struct scope *at = scope; at->parent; at = at->parent)
		depth++;
	for (; depth > n + 1; depth--)
		scope = scope->parent;
	return depth == n + 1 ? scope->name : "*";
}

const char *draft_path(struct draft *draft, const struct scope *scope,
    const struct schema_row *row)
{
	struct strbuf sb;
	const char *path;
	unsigned stars = 0;

	if (!row)
		return "";
	strbuf_init(&sb);
	for (const char *p = row->path; *p; p++) {
		if (*p == '*')
			strbuf_adds(&sb, draft_star(scope, stars++));
		else
			strbuf_addc(&sb, *p);
	}
	path = arena_strndup(draft->scratch, sb.text, sb.length);
	strbuf_fini(&sb);
	return path;
}

void draft_error(struct draft *draft, const struct scope *scope,
    const struct schema_row *row, struct conf_pos pos, const char *format, ...)
{
	char text[REPORT_TEXT_MAX];
	va_list args;

	if (report_is_full(&draft->report)) {
		report_error(&draft->report, pos, "", "-");
		return;
	}
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	report_error(
	    &draft->report, pos, draft_path(draft, scope, row), "%s", text);
}

void draft_warning(struct draft *draft, const struct scope *scope,
    const struct schema_row *row, struct conf_pos pos, const char *format, ...)
{
	char text[REPORT_TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	report_warning(
	    &draft->report, pos, draft_path(draft, scope, row), "%s", text);
}

/* Whether an entry or a block with defaults of its own lies between the row
 * and the one whose defaults are being set. */
static bool draft_is_apart(
    const struct schema_row *row, const struct schema_row *top)
{
	for (; row && row != top; row = schema_parent(row))
		if (row->type == SCHEMA_ENTRY || row->defaults_when_present)
			return true;
	return false;
}

void draft_defaults(
    struct draft *draft, const struct schema_row *row, void *element)
{
	const struct schema_row *at = NULL;

	while ((at = schema_next_below(row, at)))
		if (at->fallback && !schema_is_later(at) &&
		    !draft_is_apart(at, row))
			convert_default(at, element, draft->conf->arena);
}
