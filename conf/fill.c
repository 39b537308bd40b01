/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/fill.h"

#include "base/hash.h"
#include "conf/convert.h"
#include "conf/convert_refs.h"
#include "conf/domain_text.h"
#include "conf/synonym.h"
#include "conf/text.h"
#include "conf/yaml.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

static void fill_value(struct draft *draft, const struct schema_row *row,
    struct scope *scope, struct conf_pos key_pos);

/* The next event. What is found missing when a block ends is forgotten if
 * the stream fails right behind it: then the block did not end there, its
 * indentation went wrong. */
static const struct yaml_event *fill_next(struct draft *draft)
{
	const struct yaml_event *event = yaml_stream_next(draft->stream);
	bool end = event->kind == YAML_MAP_END || event->kind == YAML_LIST_END;

	if (end && !draft->closing)
		draft->lines_before = draft->report.n_lines;
	if (event->kind == YAML_FAILED && draft->closing)
		report_forget(&draft->report, draft->lines_before);
	draft->closing = end;
	return event;
}

/* Passes over the rest of a block or list that has begun. */
static void fill_skip(struct draft *draft)
{
	(void)yaml_stream_skip(draft->stream);
	draft->closing = false;
}

/* Anchors and tags are told apart from values, and an alias is no value. */
static void fill_refuse_extras(struct draft *draft,
    const struct schema_row *row, struct scope *scope,
    const struct yaml_event *event)
{
	if (event->anchor)
		draft_error(draft, scope, row, event->pos,
		    "YAML anchors (&%.*s) are not supported", TEXT_QUOTED_MAX,
		    event->anchor_name);
	if (event->tag)
		draft_error(draft, scope, row, event->pos,
		    "YAML tags (such as !!int or !name) are not supported");
	if (event->kind == YAML_ALIAS)
		draft_error(draft, scope, row, event->pos,
		    "YAML aliases (*%.*s) are not supported; write the value "
		    "out",
		    TEXT_QUOTED_MAX, event->anchor_name);
}

/* Reports text that holds a quoted piece of the file. */
static void fill_error_quoting(struct draft *draft, struct scope *scope,
    const struct schema_row *row, const struct yaml_event *event,
    const char *before, const char *after)
{
	struct strbuf sb;

	strbuf_init(&sb);
	strbuf_adds(&sb, before);
	text_quote(&sb, event->text, event->length);
	strbuf_adds(&sb, after);
	draft_error(draft, scope, row, event->pos, "%s", strbuf_text(&sb));
	strbuf_fini(&sb);
}

/* Passes over the value of a key. */
static void fill_skip_value(struct draft *draft)
{
	(void)fill_next(draft);
	fill_skip(draft);
}

/* Reads the next key of a block. NULL at its end or after a failure. What
 * cannot be a key is reported and passed over with its value. */
static const struct yaml_event *fill_next_key(
    struct draft *draft, const struct schema_row *row, struct scope *scope)
{
	for (;;) {
		const struct yaml_event *event = fill_next(draft);

		if (event->kind == YAML_MAP_END || event->kind == YAML_FAILED)
			return NULL;
		fill_refuse_extras(draft, row, scope, event);
		if (event->kind == YAML_SCALAR) {
			if (!event->plain || strcmp(event->text, "<<") != 0)
				return event;
			draft_error(draft, scope, row, event->pos,
			    "YAML merge keys (<<) are not supported");
		} else if (event->kind != YAML_ALIAS) {
			draft_error(draft, scope, row, event->pos,
			    "a key must be a word, not a list or block");
			fill_skip(draft);
		}
		fill_skip_value(draft);
	}
}

/* The key of the block that is nearest in spelling, or NULL. */
static const char *fill_nearest_key(
    const struct schema_row *row, const struct yaml_event *event)
{
	const struct schema_row *child = NULL;
	struct text_nearest nearest;

	text_nearest_init(&nearest, event->text);
	while ((child = schema_next_child(row, child)))
		if (child->when == SCHEMA_NOW)
			text_nearest_offer(&nearest, schema_key(child));
	return nearest.best;
}

static void fill_unknown_key(struct draft *draft, const struct schema_row *row,
    struct scope *scope, const struct yaml_event *event)
{
	const struct schema_row *child = NULL;
	const struct synonym *synonym;
	const char *key, *hint = "";

	if (report_is_full(&draft->report)) {
		draft_error(draft, scope, row, event->pos, "unknown key");
		return;
	}
	synonym = synonym_find(row, event->text);
	key = synonym ? synonym->meant : fill_nearest_key(row, event);
	if (key)
		child = schema_child(row, key);
	/* One slip shall not be said twice. */
	if (child && child->required)
		scope->guess = child;
	if (key)
		hint = arena_printf(draft->scratch, ", did you mean \"%s\"%s?",
		    key,
		    child->when == SCHEMA_LATER ? " (not in this version)"
						: "");
	else if (synonym)
		hint = arena_printf(draft->scratch, "; %s", synonym->hint);
	fill_error_quoting(draft, scope, row, event, "unknown key ", hint);
}

/* Reads a value that is not wanted only to say what is wrong in it: into a
 * scope of its own, which is dropped. */
static void fill_check_value(struct draft *draft, const struct schema_row *row,
    const struct scope *scope, struct conf_pos key_pos)
{
	uint32_t before[SCHEMA_MAPS];
	struct scope *copy;

	for (int i = 0; i < SCHEMA_MAPS; i++)
		before[i] = draft->entries[i].n;
	copy = scope->row ? draft_scope_new(draft, scope->parent, scope->row,
				scope->name, scope->pos)
			  : draft_file_copy(draft);
	fill_value(draft, row, copy, key_pos);
	for (int i = 0; i < SCHEMA_MAPS; i++)
		draft->entries[i].n = before[i];
}

/* The row of a key of a block, marked as seen; or NULL after saying why its
 * value is not wanted and passing over it. */
static const struct schema_row *fill_accept_key(struct draft *draft,
    const struct schema_row *row, struct scope *scope,
    const struct yaml_event *event)
{
	const struct schema_row *child = schema_child(row, event->text);
	struct conf_pos *seen;

	struct conf_pos pos = event->pos;

	if (!child || strlen(event->text) != event->length) {
		fill_unknown_key(draft, row, scope, event);
		fill_skip_value(draft);
		return NULL;
	}
	seen = draft_seen(scope, child);
	if (child->when == SCHEMA_LATER) {
		draft_error(draft, scope, child, pos, "not in this version");
		fill_skip_value(draft);
		return NULL;
	}
	if (seen->line) {
		draft_error(draft, scope, child, pos,
		    "duplicate key, the first is on line %u", seen->line);
		fill_check_value(draft, child, scope, pos);
		return NULL;
	}
	*seen = pos;
	return child;
}

static void fill_check_required(struct draft *draft,
    const struct schema_row *row, struct scope *scope, struct conf_pos pos)
{
	const struct schema_row *child = NULL;

	while ((child = schema_next_child(row, child))) {
		const struct schema_row *unless =
		    child->unless ? schema_child(row, child->unless) : NULL;

		if (!child->required || draft_seen(scope, child)->line ||
		    child == scope->guess ||
		    (unless && draft_seen(scope, unless)->line))
			continue;
		draft_error(draft, scope, row, pos,
		    "\"%s\" is missing, as in %s: %s", schema_key(child),
		    schema_key(child), child->example);
	}
}

/* After YAML_MAP: the fixed keys of an object, an entry or the file. */
static void fill_block(struct draft *draft, const struct schema_row *row,
    struct scope *scope, struct conf_pos pos)
{
	const struct yaml_event *event;

	if (row && row->defaults_when_present)
		for (const struct schema_row *at = NULL;
		     (at = schema_next_below(row, at));)
			if (at->fallback && !schema_is_later(at))
				convert_default(
				    at, scope->element, draft->conf->arena);
	while ((event = fill_next_key(draft, row, scope))) {
		struct conf_pos key_pos = event->pos;
		const struct schema_row *child =
		    fill_accept_key(draft, row, scope, event);

		if (child)
			fill_value(draft, child, scope, key_pos);
	}
	if (!yaml_stream_failed(draft->stream))
		fill_check_required(draft, row, scope, pos);
}

static bool fill_plain_name_fits(const struct yaml_event *event)
{
	if (event->length == 0 || event->length > CONF_NAME_MAX ||
	    !isalnum((unsigned char)event->text[0]))
		return false;
	for (size_t i = 0; i < event->length; i++) {
		unsigned char c = (unsigned char)event->text[i];

		if (c > 0x7f || (!isalnum(c) && !strchr("._-", c)) || !c)
			return false;
	}
	return true;
}

/* NULL, or why the text is no name of that kind. */
static const char *fill_name_wrong(
    enum schema_names kind, const struct yaml_event *event)
{
	if (kind == SCHEMA_NAMED_ZONE)
		return domain_text_wrong(event->text, event->length);
	if (kind == SCHEMA_NAMED_OWNER)
		return owner_text_wrong(event->text, event->length);
	return fill_plain_name_fits(event)
		   ? NULL
		   : "a name is 1 to 63 of A-Z a-z 0-9 . _ - and begins with "
		     "a letter or digit";
}

/* Says why a text cannot be a name, and returns false. */
static bool fill_name_fits(struct draft *draft, const struct schema_row *row,
    struct scope *scope, const struct yaml_event *event)
{
	const char *wrong = fill_name_wrong(row->names, event);

	if (wrong)
		fill_error_quoting(draft, scope, row, event, "",
		    arena_printf(draft->scratch, ": %s", wrong));
	return !wrong;
}

/* Makes room for one more entry, or says once that there is none. */
static bool fill_reserve(struct draft *draft, const struct schema_row *map,
    struct scope *scope, struct conf_pos pos)
{
	struct scope_list *list = &draft->entries[map->map];
	uint32_t room = list->room ? list->room * 2 : 16;

	if (list->n == map->max) {
		if (!list->overflow)
			draft_error(draft, scope, map, pos,
			    "more than %" PRIu64 " %ss in the file", map->max,
			    map->noun);
		list->overflow = true;
		return false;
	}
	if (list->n < list->room)
		return true;
	list->at = arena_grow(draft->scratch, list->at,
	    list->room * sizeof(*list->at), room * sizeof(*list->at));
	list->room = room;
	return true;
}

/* A new entry for a name, or NULL after saying why not and passing over what
 * belongs to it. */
static struct scope *fill_accept_name(struct draft *draft,
    const struct schema_row *map, struct scope *scope, struct strmap *names,
    const struct yaml_event *event)
{
	const struct schema_row *row = schema_next_child(map, NULL);
	struct scope_list *list = &draft->entries[map->map];
	struct scope *entry, *before;
	const char *name;

	if (!fill_name_fits(draft, map, scope, event)) {
		fill_skip_value(draft);
		return NULL;
	}
	before = strmap_get(names, event->text);
	if (before) {
		draft_error(draft, scope, map, event->pos,
		    "duplicate %s \"%s\", the first is on line %u", map->noun,
		    event->text, before->pos.line);
		fill_check_value(draft, row, before, event->pos);
		return NULL;
	}
	if (!fill_reserve(draft, map, scope, event->pos)) {
		fill_skip_value(draft);
		return NULL;
	}
	name = arena_strndup(draft->conf->arena, event->text, event->length);
	entry = draft_scope_new(draft, scope, row, name, event->pos);
	strmap_put(names, name, entry);
	list->at[list->n++] = entry;
	return entry;
}

/* Moves the entries of one map into the array that the tree keeps. */
static void fill_flatten(
    struct draft *draft, const struct schema_row *map, struct scope *scope)
{
	const struct schema_row *row = schema_next_child(map, NULL);
	uint32_t n = scope->below[map->map].n;
	struct scope **entries =
	    draft->entries[map->map].at + scope->below[map->map].first;
	char *element = scope->element;
	char *array = arena_alloc(draft->conf->arena, n * row->element_bytes);

	for (uint32_t i = 0; i < n; i++) {
		char *to = array + i * row->element_bytes;

		memcpy(to, entries[i]->element, row->element_bytes);
		entries[i]->element = to;
	}
	memcpy(element + map->offset, &array, sizeof(array));
	memcpy(element + map->count_offset, &n, sizeof(n));
}

/* The entries of a map begin and end. */
static void fill_open_map(
    struct draft *draft, const struct schema_row *map, struct scope *scope)
{
	scope->below[map->map].first = draft->entries[map->map].n;
}

static void fill_close_map(struct draft *draft, const struct schema_row *map,
    struct scope *scope, struct conf_pos pos, uint32_t given)
{
	uint32_t n = draft->entries[map->map].n - scope->below[map->map].first;

	scope->below[map->map].n = n;
	if (n)
		fill_flatten(draft, map, scope);
	if (!given && !yaml_stream_failed(draft->stream))
		draft_error(draft, scope, map, pos,
		    "no %s; there must be at least one, as in %s", map->noun,
		    map->example);
}

/* After YAML_MAP: names, each with a block. */
static void fill_map(struct draft *draft, const struct schema_row *map,
    struct scope *scope, struct conf_pos pos)
{
	struct strmap *names = strmap_new(draft->scratch);
	const struct yaml_event *event;
	uint32_t given = 0;

	fill_open_map(draft, map, scope);
	while ((event = fill_next_key(draft, map, scope))) {
		struct scope *entry =
		    fill_accept_name(draft, map, scope, names, event);

		given++;
		if (entry)
			fill_value(draft, entry->row, entry, entry->pos);
	}
	fill_close_map(draft, map, scope, pos, given);
}

static void fill_listed_block(struct draft *draft, const struct schema_row *map,
    struct scope *scope, struct conf_pos pos, uint32_t number)
{
	struct scope_list *list = &draft->entries[map->map];
	const char *name = arena_printf(draft->conf->arena, "%u", number);
	struct scope *entry;

	if (!fill_reserve(draft, map, scope, pos)) {
		fill_skip(draft);
		return;
	}
	entry = draft_scope_new(
	    draft, scope, schema_next_child(map, NULL), name, pos);
	list->at[list->n++] = entry;
	fill_block(draft, entry->row, entry, pos);
}

/* After YAML_LIST: blocks without names. */
static void fill_listed(struct draft *draft, const struct schema_row *map,
    struct scope *scope, struct conf_pos pos)
{
	uint32_t given = 0;

	fill_open_map(draft, map, scope);
	for (;;) {
		const struct yaml_event *event = fill_next(draft);

		if (event->kind == YAML_LIST_END || event->kind == YAML_FAILED)
			break;
		given++;
		fill_refuse_extras(draft, map, scope, event);
		if (event->kind == YAML_MAP) {
			fill_listed_block(draft, map, scope, event->pos, given);
		} else if (event->kind != YAML_ALIAS) {
			draft_error(draft, scope, map, event->pos,
			    "want a list of blocks, as in %s", map->example);
			fill_skip(draft);
		}
	}
	fill_close_map(draft, map, scope, pos, given);
}

/* What is wanted, for a value of another kind. */
static void fill_refuse_kind(struct draft *draft, const struct schema_row *row,
    struct scope *scope, const struct yaml_event *event)
{
	const char *got = event->kind == YAML_MAP    ? "a block of keys"
			  : event->kind == YAML_LIST ? "a list"
						     : NULL;
	const struct schema_row *child = NULL;
	struct strbuf sb;

	strbuf_init(&sb);
	strbuf_adds(&sb, got || event->length ? "want " : "empty, want ");
	if (row->listed)
		strbuf_addf(&sb, "a list of blocks, as in %s", row->example);
	else
		convert_add_want(&sb, row);
	if (row->type == SCHEMA_OBJECT || row->type == SCHEMA_ENTRY) {
		const char *comma = " (";

		while ((child = schema_next_child(row, child))) {
			if (child->when == SCHEMA_LATER)
				continue;
			strbuf_addf(&sb, "%s%s", comma, schema_key(child));
			comma = ", ";
		}
		strbuf_adds(&sb, ")");
	}
	if (got || event->length)
		strbuf_adds(&sb, ", not ");
	if (got)
		strbuf_adds(&sb, got);
	else if (event->length)
		text_quote(&sb, event->text, event->length);
	draft_error(draft, scope, row, event->pos, "%s", strbuf_text(&sb));
	strbuf_fini(&sb);
	fill_skip(draft);
}

/* Notes where a value stood; of a list the first that is right. */
static void fill_place(
    const struct schema_row *row, struct scope *scope, struct conf_pos pos)
{
	struct conf_pos *place =
	    (void *)((char *)scope->element + row->pos_offset);

	if (!place->line)
		*place = pos;
}

static void fill_scalar(struct draft *draft, const struct schema_row *row,
    struct scope *scope, const struct yaml_event *event, bool first)
{
	struct strbuf why;
	int rc;

	strbuf_init(&why);
	rc = convert_scalar(&(struct convert){
	    .row = row,
	    .text = event->text,
	    .length = event->length,
	    .plain = event->plain,
	    .first = first,
	    .pos = event->pos,
	    .text_pos = event->text_pos,
	    .element = scope->element,
	    .arena = draft->conf->arena,
	    .ret_ref = &scope->ref,
	    .why = &why,
	});
	scope->bad |= rc < 0;
	if (rc < 0)
		draft_error(
		    draft, scope, row, event->pos, "%s", strbuf_text(&why));
	else if (row->pos_offset)
		fill_place(row, scope, event->pos);
	strbuf_fini(&why);
}

static void fill_refuse_nested(struct draft *draft,
    const struct schema_row *row, struct scope *scope,
    const struct yaml_event *event)
{
	draft_error(draft, scope, row, event->pos,
	    "want plain values in this list, not %s",
	    event->kind == YAML_MAP ? "a block of keys" : "another list");
	fill_skip(draft);
}

/* After YAML_LIST, for the types that take one or several values. */
static void fill_list(struct draft *draft, const struct schema_row *row,
    struct scope *scope, struct conf_pos pos)
{
	bool first = true;

	for (;;) {
		const struct yaml_event *event = fill_next(draft);

		if (event->kind == YAML_FAILED)
			return;
		if (event->kind == YAML_LIST_END)
			break;
		fill_refuse_extras(draft, row, scope, event);
		if (event->kind == YAML_SCALAR)
			fill_scalar(draft, row, scope, event, first);
		else if (event->kind != YAML_ALIAS)
			fill_refuse_nested(draft, row, scope, event);
		first = false;
	}
	if (!first)
		return;
	scope->bad = true;
	draft_error(draft, scope, row, pos, "an empty list, want %s",
	    schema_types[row->type].want);
}

/* The value of one name of a block of pairs. */
static void fill_pair(struct draft *draft, const struct schema_row *row,
    struct scope *scope, const struct conf_pair *pair, bool first)
{
	const struct yaml_event *event = fill_next(draft);
	struct strbuf why;
	int rc;

	fill_refuse_extras(draft, row, scope, event);
	if (event->kind != YAML_SCALAR) {
		if (event->kind != YAML_ALIAS && event->kind != YAML_FAILED)
			draft_error(draft, scope, row, event->pos,
			    "%s: want %s", pair->name,
			    schema_types[row->pair].want);
		fill_skip(draft);
		return;
	}
	strbuf_init(&why);
	strbuf_addf(&why, "%s: ", pair->name);
	rc = convert_pair(&(struct convert){.row = row,
			      .text = event->text,
			      .length = event->length,
			      .plain = event->plain,
			      .first = first,
			      .pos = event->pos,
			      .element = scope->element,
			      .arena = draft->conf->arena,
			      .ret_ref = &scope->ref,
			      .why = &why},
	    pair->name, pair->pos);
	scope->bad |= rc < 0;
	if (rc < 0)
		draft_error(
		    draft, scope, row, event->pos, "%s", strbuf_text(&why));
	strbuf_fini(&why);
}

/* After YAML_MAP: names, each with one value. */
static void fill_pairs(struct draft *draft, const struct schema_row *row,
    struct scope *scope, struct conf_pos pos)
{
	struct strmap *names = strmap_new(draft->scratch);
	const struct yaml_event *event;
	bool any = false, first = true;

	for (; (event = fill_next_key(draft, row, scope)); any = true) {
		struct conf_pair *pair =
		    arena_alloc(draft->scratch, sizeof(*pair));
		struct conf_pair *before = strmap_get(names, event->text);

		if (before)
			draft_error(draft, scope, row, event->pos,
			    "duplicate %s \"%s\", the first is on line %u",
			    row->noun, before->name, before->pos.line);
		if (before || !fill_name_fits(draft, row, scope, event)) {
			scope->bad = true;
			fill_skip_value(draft);
			continue;
		}
		pair->pos = event->pos;
		pair->name = arena_strndup(
		    draft->conf->arena, event->text, event->length);
		strmap_put(names, pair->name, pair);
		fill_pair(draft, row, scope, pair, first);
		first = false;
	}
	if (!any && !yaml_stream_failed(draft->stream))
		draft_error(draft, scope, row, pos, "no %s, as in %s",
		    row->noun, row->example);
}

static void fill_value(struct draft *draft, const struct schema_row *row,
    struct scope *scope, struct conf_pos key_pos)
{
	const struct yaml_event *event = fill_next(draft);
	bool takes_list = schema_takes_list(row->type);

	fill_refuse_extras(draft, row, scope, event);
	if (event->kind == YAML_FAILED || event->kind == YAML_ALIAS)
		return;
	if (event->kind == YAML_LIST && row->listed)
		fill_listed(draft, row, scope, key_pos);
	else if (event->kind == YAML_MAP && row->type == SCHEMA_MAP &&
		 !row->listed)
		fill_map(draft, row, scope, key_pos);
	else if (event->kind == YAML_MAP && !row->listed &&
		 schema_has_children(row->type))
		fill_block(draft, row, scope, key_pos);
	else if (event->kind == YAML_MAP && row->type == SCHEMA_PAIRS)
		fill_pairs(draft, row, scope, key_pos);
	else if (event->kind == YAML_LIST && takes_list)
		fill_list(draft, row, scope, event->pos);
	else if (event->kind == YAML_SCALAR && !schema_has_children(row->type))
		fill_scalar(draft, row, scope, event, true);
	else
		fill_refuse_kind(draft, row, scope, event);
}

static void fill_refuse_top(struct draft *draft, const struct yaml_event *event)
{
	if (event->kind == YAML_END ||
	    (event->kind == YAML_SCALAR && event->length == 0))
		draft_error(draft, &draft->file, NULL, draft->file.pos,
		    "the file is empty; it needs at least \"listeners\" and "
		    "\"pools\", or \"dns\"");
	else
		draft_error(draft, &draft->file, NULL, event->pos,
		    "want keys such as \"listeners:\" and \"pools:\", or "
		    "\"dns:\", at the top");
	fill_skip(draft);
}

bool fill_draft(struct draft *draft)
{
	const struct yaml_event *event = fill_next(draft);
	bool whole = event->kind == YAML_MAP;

	fill_refuse_extras(draft, NULL, &draft->file, event);
	if (whole)
		fill_block(draft, NULL, &draft->file, draft->file.pos);
	else if (event->kind != YAML_FAILED)
		fill_refuse_top(draft, event);
	if (fill_next(draft)->kind == YAML_FAILED) {
		struct conf_pos pos;
		const char *problem = yaml_stream_problem(draft->stream, &pos);

		draft_error(draft, &draft->file, NULL, pos, "%s", problem);
		return false;
	}
	return whole;
}
