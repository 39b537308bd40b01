/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http1_edit.h"

#include "base/assert.h"
#include "base/decimal.h"

#include <string.h>
#include <strings.h>

#define NAME_BYTES_MAX 64

/* RFC 9110 7.6.1: of one connection, also where Connection does not say so. */
static const char *const of_connection[] = {"connection", "keep-alive",
    "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", NULL};
/* Ours to say, or not true of a piece. */
static const char *const of_request[] = {"range", "if-range", "if-match",
    "if-none-match", "if-modified-since", "if-unmodified-since", "expect",
    "content-length", NULL};
static const char *const of_part[] = {
    "content-range", "content-length", "content-digest", "content-md5", NULL};

static bool name_is_among(
    const char *name, size_t length, const char *const *names)
{
	for (; *names; names++) {
		if (strlen(*names) == length &&
		    !strncasecmp(name, *names, length))
			return true;
	}
	return false;
}

/* Whether a Connection field names it. There may be several. */
static bool connection_names(const struct http1_head *head, const char *bytes,
    const char *name, size_t length)
{
	struct http1_span field, value;
	char lower[NAME_BYTES_MAX + 1];
	uint32_t at = head->fields_at;

	/* A request without Host is none (RFC 9112 3.2), whoever wants it so. */
	if (!head->known[HTTP1_CONNECTION].length ||
	    (length == strlen("host") && !strncasecmp(name, "host", length)))
		return false;
	/* Nobody names so long a field; to leave it out is the safe side. */
	if (length > NAME_BYTES_MAX)
		return true;
	for (size_t i = 0; i < length; i++)
		lower[i] =
		    (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] | 0x20
							    : name[i]);
	lower[length] = '\0';
	while (http1_field_next(head, bytes, &at, &field, &value)) {
		if (field.length == strlen("connection") &&
		    !strncasecmp(
			bytes + field.at, "connection", field.length) &&
		    http1_list_has(bytes, value, lower))
			return true;
	}
	return false;
}

static bool put_text(struct cursor_out *out, const char *text)
{
	return cursor_put(out, text, strlen(text));
}

static bool put_number(struct cursor_out *out, uint64_t v)
{
	char text[DECIMAL_MAX];

	return cursor_put(out, text, decimal_format(v, text));
}

static bool has_field(
    const struct http1_head *head, const char *bytes, const char *wanted)
{
	struct http1_span name, value;
	uint32_t at = head->fields_at;

	while (http1_field_next(head, bytes, &at, &name, &value)) {
		if (name.length == strlen(wanted) &&
		    !strncasecmp(bytes + name.at, wanted, name.length))
			return true;
	}
	return false;
}

/* All fields but those of a connection and those of `without`. */
static void put_fields(const struct http1_head *head, const char *bytes,
    const char *const *without, struct cursor_out *out)
{
	struct http1_span name, value;
	uint32_t at = head->fields_at;

	while (http1_field_next(head, bytes, &at, &name, &value)) {
		const char *text = bytes + name.at;

		if (name_is_among(text, name.length, of_connection) ||
		    name_is_among(text, name.length, without) ||
		    connection_names(head, bytes, text, name.length))
			continue;
		cursor_put(out, text, name.length);
		put_text(out, ": ");
		cursor_put(out, bytes + value.at, value.length);
		put_text(out, "\r\n");
	}
}

bool http1_edit_request(const struct http1_head *head, const void *bytes,
    const struct http1_piece *piece, struct cursor_out *out)
{
	const char *text = bytes;

	br_assert(!head->answer && piece->first <= piece->last);
	cursor_put(out, text + head->method.at, head->method.length);
	put_text(out, " ");
	cursor_put(out, text + head->target.at, head->target.length);
	put_text(out, " HTTP/1.1\r\n");
	put_fields(head, text, of_request, out);
	put_text(out, "Range: bytes=");
	put_number(out, piece->first);
	put_text(out, "-");
	put_number(out, piece->last);
	if (piece->validator_bytes) {
		put_text(out, "\r\nIf-Range: ");
		cursor_put(out, piece->validator, piece->validator_bytes);
	}
	put_text(out, "\r\n\r\n");
	return !out->failed;
}

bool http1_edit_answer(const struct http1_head *head, const void *bytes,
    const struct http1_whole *whole, struct cursor_out *out)
{
	br_assert(head->answer && whole->first <= whole->last &&
		  whole->last < whole->total);
	put_text(out, whole->partial ? "HTTP/1.1 206 Partial Content\r\n"
				     : "HTTP/1.1 200 OK\r\n");
	put_fields(head, bytes, of_part, out);
	if (!whole->partial && !has_field(head, bytes, "accept-ranges"))
		put_text(out, "Accept-Ranges: bytes\r\n");
	if (whole->partial) {
		put_text(out, "Content-Range: bytes ");
		put_number(out, whole->first);
		put_text(out, "-");
		put_number(out, whole->last);
		put_text(out, "/");
		put_number(out, whole->total);
		put_text(out, "\r\n");
	}
	put_text(out, "Content-Length: ");
	put_number(out, whole->last - whole->first + 1);
	put_text(
	    out, whole->close ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n");
	return !out->failed;
}
