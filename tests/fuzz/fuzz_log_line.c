/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any message, fields and value as a log line. Names, causes and paths in a
 * line come from files and peers, so whatever they are: one line, printable,
 * its quotes closed also where it was cut; JSON is JSON; and log_field() reads
 * back as exactly its text.
 *
 *     byte 0: bit 0 JSON, bit 1 short room; byte 1: how short
 *     then message NUL fields NUL value
 */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"

#define TEXT_MAX 2048

struct texts {
	char message[TEXT_MAX], fields[TEXT_MAX], value[TEXT_MAX];
};

/* Up to a NUL or the end. */
static void take(const uint8_t **data, size_t *size, char ret[TEXT_MAX])
{
	const uint8_t *end = *size ? memchr(*data, 0, *size) : NULL;
	size_t length = end ? (size_t)(end - *data) : *size;
	size_t kept = length < TEXT_MAX ? length : TEXT_MAX - 1;

	if (kept)
		memcpy(ret, *data, kept);
	ret[kept] = '\0';
	*data += length + (end ? 1 : 0);
	*size -= length + (end ? 1 : 0);
}

static void check_line(const char *line, int length, int room)
{
	br_assert(length > 0 && length <= room);
	br_assert(line[length - 1] == '\n');
	for (int i = 0; i < length - 1; i++)
		br_assert((unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
}

/* key=bare or key="quoted", one blank between. */
static void check_logfmt(const char *at, const char *end)
{
	while (at < end) {
		br_assert(isalnum((unsigned char)*at) || strchr("_.-", *at));
		while (*at != '=')
			br_assert(++at < end && *at != ' ');
		if (*++at == '"') {
			while (*++at != '"') {
				at += *at == '\\';
				br_assert(at < end);
			}
			at++;
		} else {
			while (at < end && *at != ' ')
				br_assert(*at++ != '"');
		}
		br_assert(at == end || *at == ' ');
		at += at < end;
	}
}

static json_t *check_json(const char *line, int length)
{
	json_t *object = json_loadb(
	    line, (size_t)length, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);

	br_assert(object && json_is_object(object));
	br_assert(json_is_string(json_object_get(object, "msg")));
	return object;
}

static void compose(const struct texts *t, bool json, int room)
{
	char line[LOG_LINE_MAX];
	int length = log_compose(
	    line, room, (struct wall){NS_PER_S}, "info", t->message, t->fields);

	check_line(line, length, room);
	if (json)
		json_decref(check_json(line, length));
	else
		check_logfmt(line, line + length - 1);
}

/* As UTF-8 that fits is kept, a short value comes back whole, beside one that
 * tries to look like it. */
static void read_back(const struct texts *t)
{
	char fields[LOG_LINE_MAX] = "", line[LOG_LINE_MAX];
	size_t length = strlen(t->value);
	json_t *utf8 = json_stringn(t->value, length);
	json_t *object;
	int n;

	if (length > 100 || !utf8) {
		json_decref(utf8);
		return;
	}
	n = log_field(fields, 0, sizeof(fields), "first", t->value);
	br_assert(n == (int)strlen(fields));
	n = log_field(fields, n, sizeof(fields), "last", "end=");
	br_assert(n == (int)strlen(fields));
	n = log_compose(
	    line, sizeof(line), (struct wall){0}, NULL, "m", fields);
	object = check_json(line, n);
	br_assert(json_equal(json_object_get(object, "first"), utf8));
	br_assert(!strcmp(
	    json_string_value(json_object_get(object, "last")), "end="));
	json_decref(object);
	json_decref(utf8);
}

static void check_cut_field(const struct texts *t, int room)
{
	char fields[LOG_LINE_MAX];
	int n;

	memset(fields, 'x', sizeof(fields));
	fields[0] = '\0';
	n = log_field(fields, 0, room, "key", t->value);
	br_assert(n >= 0 && n < room && fields[n] == '\0');
	br_assert(fields[room] == 'x');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct texts t;
	bool json;
	int room;

	if (size < 2)
		return 0;
	json = data[0] & 1;
	room = data[0] & 2 ? LOG_LINE_MIN + data[1] : LOG_LINE_MAX;
	data += 2;
	size -= 2;
	take(&data, &size, t.message);
	take(&data, &size, t.fields);
	take(&data, &size, t.value);
	log_configure(json ? LOG_JSON : LOG_LOGFMT, LOG_INFO);
	compose(&t, json, room);
	log_configure(LOG_JSON, LOG_INFO);
	read_back(&t);
	check_cut_field(&t, 1 + room % 200);
	return 0;
}
