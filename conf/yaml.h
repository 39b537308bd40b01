/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The events of one YAML document, by libyaml, with what a configuration may
 * not contain taken out: a second document, deep nesting, bytes that are no
 * text. Anchors and tags are marked on the event; the caller refuses them.
 *
 *      text ──check──> libyaml ──> YAML_MAP "web" YAML_MAP ... YAML_END
 *                                                          or YAML_FAILED
 *
 * Bad bytes are looked for first, because libyaml decodes far ahead: events
 * before the bad line still come, then YAML_FAILED.
 *
 * Thread:  one at a time.
 * Memory:  an event's text lives until the next call; the input must outlive
 *          the stream.
 * Errors:  YAML_FAILED, once and for ever; see yaml_stream_problem().
 * Limits:  YAML_DEPTH_MAX levels.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"
#include "conf/conf.h"

#define YAML_DEPTH_MAX 32

enum yaml_kind {
	YAML_SCALAR,
	YAML_MAP,
	YAML_MAP_END,
	YAML_LIST,
	YAML_LIST_END,
	YAML_ALIAS,
	YAML_END, /* of the document, and nothing after it */
	YAML_FAILED
};

struct yaml_event {
	enum yaml_kind kind;
	struct conf_pos pos;
	/* Of the first byte of a scalar's text, behind its quote. Column 0:
	 * the text does not stand in the file as it is (escapes, folded
	 * lines), so no column within it can be named. */
	struct conf_pos text_pos;
	const char *text; /* of a scalar; may contain zero bytes */
	size_t length;
	bool plain; /* without quotes */
	bool anchor, tag;
	const char *anchor_name, *tag_name;
};

struct yaml_stream;

/* NULL when out of memory. */
struct yaml_stream *yaml_stream_open(const char *text, size_t length);
void yaml_stream_close(struct yaml_stream *stream);
/* The next event; valid until the next call. */
const struct yaml_event *yaml_stream_next(struct yaml_stream *stream);
/* After an event that was YAML_MAP or YAML_LIST: reads up to its end. False
 * when the stream failed before. Nothing to do for other events. */
bool yaml_stream_skip(struct yaml_stream *stream);
bool yaml_stream_failed(const struct yaml_stream *stream);
/* Why it failed; the text lives as long as the stream. */
const char *yaml_stream_problem(
    const struct yaml_stream *stream, struct conf_pos *ret_pos);
