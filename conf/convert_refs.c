/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/convert_refs.h"

#include "conf/convert_list.h"
#include "conf/domain_text.h"
#include "conf/text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static void *refs_field(const struct convert *c)
{
	return (char *)c->element + c->row->offset;
}

/* One more than the row allows. */
static int refs_too_many(const struct convert *c, const char *noun)
{
	strbuf_addf(c->why, "more than %" PRIu64 " %s", c->row->max, noun);
	return -EINVAL;
}

/* A text of one line, which may hold blanks and tabs. */
static bool refs_is_line(const struct convert *c)
{
	if (!c->length || strlen(c->text) != c->length)
		return false;
	for (size_t i = 0; i < c->length; i++) {
		unsigned char ch = (unsigned char)c->text[i];

		if ((ch < 0x20 && ch != '\t') || ch == 0x7f)
			return false;
	}
	return true;
}

int convert_lines(const struct convert *c)
{
	struct conf_lines *lines = refs_field(c);

	if (!refs_is_line(c))
		return convert_refuse(c);
	if (c->length > c->row->max) {
		strbuf_addf(c->why, "%zu characters, but at most %" PRIu64,
		    c->length, c->row->max);
		return -EINVAL;
	}
	if (c->first)
		*lines = (struct conf_lines){.n = 0};
	if (lines->n == CONF_LIST_MAX)
		return convert_list_full(c);
	lines->at =
	    convert_list_grow(c, lines->at, lines->n, sizeof *lines->at);
	lines->pos =
	    convert_list_grow(c, lines->pos, lines->n, sizeof *lines->pos);
	lines->pos[lines->n] = c->text_pos;
	lines->at[lines->n++] = arena_strndup(c->arena, c->text, c->length);
	return 0;
}

int convert_refs(const struct convert *c)
{
	struct conf_refs *refs = refs_field(c);

	if (!convert_list_is_text(c))
		return convert_refuse(c);
	if (c->first)
		*refs = (struct conf_refs){.n = 0};
	if (refs->n == c->row->max)
		return refs_too_many(c, "of them");
	refs->at = convert_list_grow(c, refs->at, refs->n, sizeof *refs->at);
	refs->at[refs->n++] = (struct conf_ref){
	    .name = arena_strndup(c->arena, c->text, c->length),
	    .pos = c->pos,
	};
	return 0;
}

int convert_ips(const struct convert *c)
{
	uint32_t *n = (void *)((char *)c->element + c->row->count_offset);
	struct addr **list = refs_field(c);
	struct addr addr;

	if (!convert_list_is_text(c) || addr_parse_ip(&addr, c->text) < 0)
		return convert_refuse(c);
	if (c->first)
		*n = 0;
	if (*n == c->row->max)
		return refs_too_many(c, "addresses");
	*list = convert_list_grow(c, *n ? *list : NULL, *n, sizeof addr);
	(*list)[(*n)++] = addr;
	return 0;
}

int convert_domain(const struct convert *c)
{
	const char *copy = arena_strndup(c->arena, c->text, c->length);
	const char *wrong = "it has a zero byte";

	if (strlen(c->text) == c->length)
		wrong = domain_text_wrong(c->text, c->length);
	if (wrong) {
		text_quote(c->why, c->text, c->length);
		strbuf_addf(c->why, " is no domain name: %s", wrong);
		return -EINVAL;
	}
	memcpy(refs_field(c), &copy, sizeof copy);
	return 0;
}

int convert_switch(const struct convert *c)
{
	bool *on = refs_field(c);
	bool yes = !strcmp(c->text, "on") || !strcmp(c->text, "true");

	if (!yes && strcmp(c->text, "off") != 0 && strcmp(c->text, "false"))
		return convert_refuse(c);
	*on = yes;
	return 0;
}

int convert_pair(
    const struct convert *c, const char *name, struct conf_pos name_pos)
{
	struct conf_pairs *pairs = refs_field(c);
	struct conf_pair pair = {.name = name, .pos = name_pos};
	struct schema_row row = *c->row;
	struct convert value = *c;
	uint32_t word = 0;
	int rc;

	/* The value alone, as if it were a key of its type. */
	row.type = row.pair;
	row.offset = 0;
	value.row = &row;
	value.element =
	    row.type == SCHEMA_DURATION ? (void *)&pair.value : (void *)&word;
	rc = convert_scalar(&value);
	if (rc)
		return rc;
	if (row.type != SCHEMA_DURATION)
		pair.value = word;
	if (c->first)
		*pairs = (struct conf_pairs){.n = 0};
	if (pairs->n == CONF_LIST_MAX)
		return convert_list_full(c);
	pairs->at =
	    convert_list_grow(c, pairs->at, pairs->n, sizeof *pairs->at);
	pairs->at[pairs->n++] = pair;
	return 0;
}
