/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * JSON writer (RFC 8259): commas and escaping are its business, nesting is
 * checked by assertion. Invalid UTF-8 becomes U+FFFD.
 *
 *     json_object_begin(&j, NULL);
 *     json_string(&j, "name", "web");
 *     json_array_begin(&j, "bind"); json_string(&j, NULL, a); ...
 *
 * `key` is NULL inside arrays and at the top.
 *
 * Thread:  one at a time; not for workers.
 * Limits:  JSON_DEPTH_MAX levels.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

#define JSON_DEPTH_MAX 32

/* jansson, which daemon/ reads requests with, has functions of these names;
 * without the prefix its own calls of them would end up here. A file that
 * includes both headers does not compile. */
#define json_string br_json_string
#define json_null br_json_null

struct json {
	struct strbuf *out;
	uint32_t depth;
	bool comma[JSON_DEPTH_MAX];
};

void json_init(struct json *j, struct strbuf *out);
void json_object_begin(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array_begin(struct json *j, const char *key);
void json_array_end(struct json *j);
void json_string(struct json *j, const char *key, const char *text);
void json_string_n(
    struct json *j, const char *key, const char *text, size_t length);
void json_int(struct json *j, const char *key, int64_t v);
void json_uint(struct json *j, const char *key, uint64_t v);
/* Up to 6 significant decimals; null for what JSON cannot say. */
void json_double(struct json *j, const char *key, double v);
void json_bool(struct json *j, const char *key, bool v);
void json_null(struct json *j, const char *key);

/* The length in bytes of the well-formed UTF-8 character (RFC 3629) at the
 * start of `text`, of which `left` > 0 bytes are there; 0 if there is none. */
size_t json_utf8_length(const char *text, size_t left);
/* The form within a JSON string of the character at the start of `text`, of
 * which `left` > 0 bytes are there: at most 6 bytes, not terminated. Returns
 * its length, and how many bytes of the text it stands for. */
size_t json_escape(
    const char *text, size_t left, char ret[6], size_t *ret_used);
