/* SPDX-License-Identifier: Apache-2.0 */
/* Values of which a key may have several: texts, server names, prefixes. */
#include "conf/convert_list.h"

#include "conf/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_IN_LIST_MAX 255

/* Room for one more behind *n elements; the room is the next power of two. */
void *convert_list_grow(
    const struct convert *c, void *at, uint32_t n, size_t bytes)
{
	if (n & (n - 1))
		return at;
	return arena_grow(c->arena, at, n * bytes, (n ? n * 2 : 1) * bytes);
}

int convert_list_full(const struct convert *c)
{
	strbuf_addf(c->why, "more than %d of them", CONF_LIST_MAX);
	return -EINVAL;
}

bool convert_list_is_text(const struct convert *c)
{
	if (!c->length || c->length > TEXT_IN_LIST_MAX ||
	    strlen(c->text) != c->length)
		return false;
	for (size_t i = 0; i < c->length; i++)
		if ((unsigned char)c->text[i] < 0x21 ||
		    (unsigned char)c->text[i] > 0x7e)
			return false;
	return true;
}

/* "host", "*.host" or "*"; labels of letters, digits, "-" and "_". */
static bool list_is_name(const struct convert *c)
{
	const char *at = c->text;
	size_t label = 0;

	if (!convert_list_is_text(c))
		return false;
	if (!strcmp(at, "*"))
		return true;
	if (!strncmp(at, "*.", 2))
		at += 2;
	for (; *at; at++) {
		unsigned char ch = (unsigned char)*at;

		if (ch == '.') {
			if (!label)
				return false;
			label = 0;
		} else if (isalnum(ch) || ch == '-' || ch == '_') {
			label++;
		} else {
			return false;
		}
	}
	return label > 0;
}

static int list_add_text(const struct convert *c)
{
	struct conf_texts *texts =
	    (void *)((char *)c->element + c->row->offset);

	if (c->first)
		*texts = (struct conf_texts){NULL, 0};
	if (texts->n == CONF_LIST_MAX)
		return convert_list_full(c);
	texts->at =
	    convert_list_grow(c, texts->at, texts->n, sizeof *texts->at);
	texts->at[texts->n++] = arena_strndup(c->arena, c->text, c->length);
	return 0;
}

int convert_texts(const struct convert *c)
{
	return convert_list_is_text(c) ? list_add_text(c) : convert_refuse(c);
}

int convert_names(const struct convert *c)
{
	return list_is_name(c) ? list_add_text(c) : convert_refuse(c);
}

/* The protocols, and silence. */
int convert_protocols(const struct convert *c)
{
	protocol_set *set = (void *)((char *)c->element + c->row->offset);
	enum protocol protocol = protocol_by_name(c->text);
	protocol_set bit = protocol ? PROTOCOL_BIT(protocol) : 0;
	struct text_nearest nearest;

	if (!strcmp(c->text, PROTOCOL_SILENT_NAME))
		bit = PROTOCOL_SILENT;
	if (bit && strlen(c->text) == c->length) {
		*set = c->first ? bit : *set | bit;
		return 0;
	}
	text_nearest_init(&nearest, c->text);
	text_nearest_offer(&nearest, PROTOCOL_SILENT_NAME);
	for (unsigned i = PROTOCOL_UNKNOWN + 1; i < PROTOCOL_COUNT; i++)
		text_nearest_offer(&nearest, protocol_name((enum protocol)i));
	if (!nearest.best)
		return convert_refuse(c);
	strbuf_adds(c->why, "no protocol is called ");
	text_quote(c->why, c->text, c->length);
	strbuf_addf(c->why, ", did you mean \"%s\"?", nearest.best);
	return -EINVAL;
}

/* "10.0.0.1/8": which network is meant can be said. */
static int list_refuse_bits(const struct convert *c)
{
	const char *slash = strchr(c->text, '/');
	size_t length = (size_t)(slash - c->text);
	char address[PREFIX_TEXT_MAX], network[PREFIX_TEXT_MAX];
	struct prefix prefix;

	memcpy(address, c->text, length);
	address[length] = '\0';
	strbuf_addf(c->why, "%s has bits set behind its length", c->text);
	if (prefix_parse(&prefix, address))
		return -EINVAL;
	prefix_cut(&prefix, (uint8_t)strtoul(slash + 1, NULL, 10));
	prefix_format(&prefix, network);
	strbuf_addf(c->why, ", did you mean %s?", network);
	return -EINVAL;
}

int convert_prefixes(const struct convert *c)
{
	struct conf_prefixes *prefixes =
	    (void *)((char *)c->element + c->row->offset);
	struct prefix prefix;
	int rc =
	    convert_list_is_text(c) ? prefix_parse(&prefix, c->text) : -EINVAL;

	if (rc == -EDOM)
		return list_refuse_bits(c);
	if (rc)
		return convert_refuse(c);
	if (c->first)
		*prefixes = (struct conf_prefixes){NULL, 0};
	if (prefixes->n == CONF_LIST_MAX)
		return convert_list_full(c);
	prefixes->at = convert_list_grow(
	    c, prefixes->at, prefixes->n, sizeof *prefixes->at);
	prefixes->at[prefixes->n++] = prefix;
	return 0;
}
