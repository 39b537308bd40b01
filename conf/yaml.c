/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/yaml.h"

#include "base/assert.h"
#include "conf/address_hint.h"
#include "conf/text.h"
#include "conf/yaml_address.h"

#include <yaml.h>

#include <stdlib.h>
#include <string.h>

struct yaml_stream {
	yaml_parser_t parser;
	yaml_event_t raw; /* what `event` points into */
	struct yaml_event event;
	const char *text;
	size_t length;
	unsigned depth;
	/* The first bytes that are no text; line 0: none. */
	struct conf_pos bad_pos;
	const char *bad_problem;
	/* Once failed. */
	struct strbuf problem;
	struct conf_pos problem_pos;
};

static struct conf_pos yaml_pos(const yaml_mark_t *mark)
{
	return (struct conf_pos){
	    .line = (uint32_t)mark->line + 1,
	    .column = (uint32_t)mark->column + 1,
	};
}

/* Line and column of a byte, and where its line starts. */
static size_t yaml_locate(
    const char *text, size_t offset, struct conf_pos *ret_pos)
{
	struct conf_pos pos = {1, 1};
	size_t line_start = 0;

	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			pos.line++;
			line_start = i + 1;
		}
	}
	for (size_t i = line_start; i < offset; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			pos.column++;
	*ret_pos = pos;
	return line_start;
}

/* Finds bad bytes and returns how much of the text may be parsed: the lines
 * before them. */
static size_t yaml_check_text(struct yaml_stream *stream)
{
	bool control = false;
	size_t bad = text_check(stream->text, stream->length, &control);

	if (bad == stream->length)
		return bad;
	stream->bad_problem = control
				  ? "a control character; is this a text file?"
				  : "not UTF-8 text";
	return yaml_locate(stream->text, bad, &stream->bad_pos);
}

struct yaml_stream *yaml_stream_open(const char *text, size_t length)
{
	struct yaml_stream *stream = calloc(1, sizeof(*stream));
	size_t usable;

	if (!stream)
		return NULL;
	if (!yaml_parser_initialize(&stream->parser)) {
		free(stream);
		return NULL;
	}
	strbuf_init(&stream->problem);
	/* An editor's byte order mark is no text, and libyaml takes it only
	 * where it finds out the encoding by itself. */
	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		length -= 3;
	}
	stream->text = text;
	stream->length = length;
	usable = yaml_check_text(stream);
	yaml_parser_set_encoding(&stream->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &stream->parser, (const unsigned char *)text, usable);
	return stream;
}

void yaml_stream_close(struct yaml_stream *stream)
{
	if (!stream)
		return;
	yaml_event_delete(&stream->raw);
	yaml_parser_delete(&stream->parser);
	strbuf_fini(&stream->problem);
	free(stream);
}

static void yaml_fail(
    struct yaml_stream *stream, struct conf_pos pos, const char *problem)
{
	br_assert(!yaml_stream_failed(stream));
	strbuf_adds(&stream->problem, problem);
	stream->problem_pos = pos;
}

static const char *yaml_line(
    const struct yaml_stream *stream, struct conf_pos pos)
{
	const char *p = stream->text, *end = p + stream->length;

	for (uint32_t line = 1; line < pos.line && p < end; p++)
		if (*p == '\n')
			line++;
	return p;
}

/* Says which address in the line wants quotes, if there is one. */
static bool yaml_fail_address(struct yaml_stream *stream, struct conf_pos pos)
{
	const char *line = yaml_line(stream, pos);
	size_t left = (size_t)(stream->text + stream->length - line);
	const char *end = memchr(line, '\n', left);
	size_t length = end ? (size_t)(end - line) : left, n = 0;
	size_t at = yaml_address_find(line, length, &n);
	struct strbuf text;
	struct addr addr;

	if (at == length)
		return false;
	yaml_locate(stream->text, (size_t)(line - stream->text) + at, &pos);
	yaml_fail(stream, pos, "syntax error: ");
	text_quote(&stream->problem, line + at, n);
	strbuf_init(&text);
	strbuf_add(&text, line + at, n);
	if (addr_parse(&addr, strbuf_text(&text)) == 0 ||
	    !address_hint(&stream->problem, strbuf_text(&text), false, 0))
		strbuf_adds(&stream->problem,
		    ": an address that YAML takes for syntax; put it in "
		    "quotes, as here");
	strbuf_fini(&text);
	return true;
}

/* Whether the line is indented with a tab, which libyaml only calls a
 * "character that cannot start any token". */
static bool yaml_line_has_tab(
    const struct yaml_stream *stream, struct conf_pos pos)
{
	const char *p = yaml_line(stream, pos);
	const char *end = stream->text + stream->length;

	for (; p < end && (*p == ' ' || *p == '\t'); p++)
		if (*p == '\t')
			return true;
	return false;
}

static void yaml_fail_syntax(struct yaml_stream *stream)
{
	const yaml_parser_t *parser = &stream->parser;
	struct conf_pos pos = yaml_pos(&parser->problem_mark);
	struct conf_pos context = yaml_pos(&parser->context_mark);
	struct strbuf *sb = &stream->problem;

	if (parser->error == YAML_MEMORY_ERROR) {
		yaml_fail(stream, pos, "out of memory");
		return;
	}
	if (parser->error == YAML_READER_ERROR)
		yaml_locate(stream->text,
		    parser->problem_offset < stream->length
			? parser->problem_offset
			: stream->length,
		    &pos);
	if (yaml_line_has_tab(stream, pos)) {
		yaml_fail(stream, pos,
		    "syntax error: a tab in the indentation; YAML wants "
		    "spaces");
		return;
	}
	if (yaml_fail_address(stream, pos))
		return;
	yaml_fail(stream, pos, "syntax error: ");
	strbuf_adds(sb, parser->problem ? parser->problem : "unreadable");
	if (!parser->context)
		return;
	strbuf_addf(sb, ", %s", parser->context);
	if (context.line != pos.line || context.column != pos.column)
		strbuf_addf(
		    sb, " that began at %u:%u", context.line, context.column);
}

static void yaml_fail_bad_text(struct yaml_stream *stream)
{
	yaml_fail(stream, stream->bad_pos, stream->bad_problem);
}

/* Parses one libyaml event into `raw`. What lies on or behind the line of bad
 * bytes is only there because the text was cut. */
static bool yaml_parse(struct yaml_stream *stream)
{
	yaml_event_delete(&stream->raw);
	if (!yaml_parser_parse(&stream->parser, &stream->raw)) {
		struct conf_pos pos = yaml_pos(&stream->parser.problem_mark);

		memset(&stream->raw, 0, sizeof(stream->raw));
		if (stream->bad_problem && pos.line >= stream->bad_pos.line)
			yaml_fail_bad_text(stream);
		else
			yaml_fail_syntax(stream);
		return false;
	}
	if (stream->bad_problem &&
	    (stream->raw.start_mark.line + 1 >= stream->bad_pos.line ||
		stream->raw.type == YAML_STREAM_END_EVENT)) {
		yaml_fail_bad_text(stream);
		return false;
	}
	return true;
}

static void yaml_set_tags(
    struct yaml_event *event, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	event->anchor_name = (const char *)anchor;
	event->tag_name = (const char *)tag;
	event->anchor = anchor != NULL;
	event->tag = tag != NULL;
}

/* Marks count characters: where these are as many as the bytes of the text,
 * and the quotes, each byte of the file is one of the text. */
static struct conf_pos yaml_text_pos(
    const yaml_event_t *raw, size_t quotes, struct conf_pos pos)
{
	size_t in_file = raw->end_mark.index - raw->start_mark.index;

	if (in_file != raw->data.scalar.length + 2 * quotes ||
	    raw->start_mark.line != raw->end_mark.line)
		pos.column = 0;
	else
		pos.column += (uint32_t)quotes;
	return pos;
}

static void yaml_set_scalar(struct yaml_event *event, const yaml_event_t *raw)
{
	event->kind = YAML_SCALAR;
	event->text = (const char *)raw->data.scalar.value;
	event->length = raw->data.scalar.length;
	event->plain = raw->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	event->text_pos = yaml_text_pos(raw, event->plain ? 0 : 1, event->pos);
	yaml_set_tags(event, raw->data.scalar.anchor, raw->data.scalar.tag);
}

static void yaml_set_begin(struct yaml_stream *stream, enum yaml_kind kind,
    const yaml_char_t *anchor, const yaml_char_t *tag)
{
	stream->event.kind = kind;
	yaml_set_tags(&stream->event, anchor, tag);
	if (++stream->depth > YAML_DEPTH_MAX) {
		yaml_fail(
		    stream, stream->event.pos, "nested deeper than 32 levels");
		stream->event.kind = YAML_FAILED;
	}
}

static void yaml_set_end(struct yaml_stream *stream, enum yaml_kind kind)
{
	br_assert(stream->depth > 0);
	stream->depth--;
	stream->event.kind = kind;
}

/* Translates `raw`; false for an event that says nothing to our caller. */
static bool yaml_translate(struct yaml_stream *stream)
{
	const yaml_event_t *raw = &stream->raw;
	struct yaml_event *event = &stream->event;

	*event = (struct yaml_event){.pos = yaml_pos(&raw->start_mark)};
	switch (raw->type) {
	case YAML_SCALAR_EVENT:
		yaml_set_scalar(event, raw);
		return true;
	case YAML_ALIAS_EVENT:
		event->kind = YAML_ALIAS;
		event->anchor_name = (const char *)raw->data.alias.anchor;
		return true;
	case YAML_MAPPING_START_EVENT:
		yaml_set_begin(stream, YAML_MAP, raw->data.mapping_start.anchor,
		    raw->data.mapping_start.tag);
		return true;
	case YAML_SEQUENCE_START_EVENT:
		yaml_set_begin(stream, YAML_LIST,
		    raw->data.sequence_start.anchor,
		    raw->data.sequence_start.tag);
		return true;
	case YAML_MAPPING_END_EVENT:
		yaml_set_end(stream, YAML_MAP_END);
		return true;
	case YAML_SEQUENCE_END_EVENT:
		yaml_set_end(stream, YAML_LIST_END);
		return true;
	case YAML_STREAM_END_EVENT:
		event->kind = YAML_END;
		return true;
	default:
		return false;
	}
}

const struct yaml_event *yaml_stream_next(struct yaml_stream *stream)
{
	bool document_ended = false;

	if (stream->event.kind == YAML_END)
		return &stream->event;
	while (!yaml_stream_failed(stream)) {
		if (!yaml_parse(stream))
			break;
		if (document_ended &&
		    stream->raw.type == YAML_DOCUMENT_START_EVENT) {
			yaml_fail(stream, yaml_pos(&stream->raw.start_mark),
			    "a second document begins here; the "
			    "configuration is one document");
			break;
		}
		document_ended |= stream->raw.type == YAML_DOCUMENT_END_EVENT;
		if (yaml_translate(stream))
			return &stream->event;
	}
	stream->event = (struct yaml_event){
	    .kind = YAML_FAILED, .pos = stream->problem_pos};
	return &stream->event;
}

bool yaml_stream_skip(struct yaml_stream *stream)
{
	enum yaml_kind kind = stream->event.kind;
	unsigned outside = stream->depth - 1;

	if (kind != YAML_MAP && kind != YAML_LIST)
		return kind != YAML_FAILED;
	while (stream->depth > outside)
		if (yaml_stream_next(stream)->kind == YAML_FAILED)
			return false;
	return true;
}

bool yaml_stream_failed(const struct yaml_stream *stream)
{
	return stream->problem.length > 0;
}

const char *yaml_stream_problem(
    const struct yaml_stream *stream, struct conf_pos *ret_pos)
{
	*ret_pos = stream->problem_pos;
	return strbuf_text(&stream->problem);
}
