/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http1_head.h"

#include "base/assert.h"

#include <string.h>

#define VERSION_BYTES 8 /* HTTP/1.1 */
#define STATUS_LINE_BYTES 12 /* HTTP/1.1 200 */
#define LENGTH_DIGITS_MAX 18

struct line {
	const uint8_t *at, *end; /* without its end */
};

static const char *const cause_texts[] = {
#define X(name, text) text,
    HTTP1_CAUSE_LIST(X)
#undef X
};

static const char *const field_names[] = {
#define X(id, name) name,
    HTTP1_FIELD_LIST(X)
#undef X
};

/* The known names differ in length: by it, the field and 1, or 0. */
#define NAME_BYTES_MAX 17
static const uint8_t field_by_length[NAME_BYTES_MAX + 1] = {
#define X(id, name) [sizeof(name) - 1] = HTTP1_##id + 1,
    HTTP1_FIELD_LIST(X)
#undef X
};

const char *http1_cause_text(enum http1_cause cause)
{
	br_assert((size_t)cause < BR_COUNT(cause_texts));
	return cause_texts[cause];
}

void http1_head_start(struct http1_head *head, bool answer)
{
	*head = (struct http1_head){.answer = answer};
}

static enum http1_result malformed(
    struct http1_head *head, enum http1_cause cause)
{
	head->cause = (uint8_t)cause;
	return HTTP1_MALFORMED;
}

/* RFC 9110 5.6.2: tchar, as bits of two words. */
static bool is_token(uint8_t c)
{
	static const uint64_t map[2] = {
	    UINT64_C(0x03ff6cfa00000000), UINT64_C(0x57ffffffc7fffffe)};

	return c < 0x80 && (map[c >> 6] >> (c & 63) & 1);
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static bool equals(const uint8_t *at, size_t length, const char *lower_text)
{
	for (size_t i = 0; i < length; i++) {
		if (lower(at[i]) != (uint8_t)lower_text[i])
			return false;
	}
	return lower_text[length] == '\0';
}

static struct http1_span span_of(
    const uint8_t *bytes, const uint8_t *at, const uint8_t *end)
{
	return (struct http1_span){
	    (uint32_t)(at - bytes), (uint32_t)(end - at)};
}

static void trim(struct line *value)
{
	while (value->at < value->end && is_blank(*value->at))
		value->at++;
	while (value->at < value->end && is_blank(value->end[-1]))
		value->end--;
}

/* The next member of a comma-separated list, which may be empty. */
static bool list_next(struct line *list, struct line *ret)
{
	const uint8_t *comma;

	if (!list->at)
		return false;
	comma = list->at < list->end
		    ? memchr(list->at, ',', (size_t)(list->end - list->at))
		    : NULL;
	*ret = (struct line){list->at, comma ? comma : list->end};
	trim(ret);
	list->at = comma ? comma + 1 : NULL;
	return true;
}

static bool list_has(struct line list, const char *token)
{
	struct line member;

	while (list_next(&list, &member)) {
		if (equals(member.at, (size_t)(member.end - member.at), token))
			return true;
	}
	return false;
}

bool http1_list_has(
    const void *bytes, struct http1_span list, const char *token)
{
	const uint8_t *at = (const uint8_t *)bytes + list.at;

	return list_has((struct line){at, at + list.length}, token);
}

/* --- the first line --- */

static bool read_version(struct http1_head *head, const uint8_t *at)
{
	if (memcmp(at, "HTTP/1.", VERSION_BYTES - 1) || at[7] < '0' ||
	    at[7] > '9')
		return false;
	/* RFC 9110 2.5: a higher minor version is read as the highest known. */
	head->minor = at[7] == '0' ? 0 : 1;
	return true;
}

/* RFC 9112 3: single spaces, nothing else, between the three parts. */
static enum http1_result read_request_line(
    struct http1_head *head, const uint8_t *bytes, struct line line)
{
	const uint8_t *at = line.at, *target;

	while (at < line.end && is_token(*at))
		at++;
	if (at == line.at || at == line.end || *at != ' ')
		return malformed(head, HTTP1_CAUSE_LINE);
	target = at + 1;
	for (at = target; at<line.end && * at> ' ' && *at != 0x7f; at++) {
		if (*at >= 0x80)
			head->shapes |= HTTP1_HIGH_BYTES;
	}
	if (at == target || at == line.end || *at != ' ')
		return malformed(head, HTTP1_CAUSE_LINE);
	if (line.end - at - 1 != VERSION_BYTES || !read_version(head, at + 1))
		return malformed(head, HTTP1_CAUSE_VERSION);
	head->method = span_of(bytes, line.at, target - 1);
	head->target = span_of(bytes, target, at);
	return HTTP1_MORE;
}

/* RFC 9112 4. The blank before an empty reason may be missing: servers do. */
static enum http1_result read_status_line(
    struct http1_head *head, struct line line)
{
	const uint8_t *at = line.at;
	size_t length = (size_t)(line.end - at);
	unsigned status = 0;

	if (length < STATUS_LINE_BYTES || !read_version(head, at) ||
	    at[VERSION_BYTES] != ' ')
		return malformed(head, HTTP1_CAUSE_VERSION);
	for (size_t i = VERSION_BYTES + 1; i < STATUS_LINE_BYTES; i++) {
		if (at[i] < '0' || at[i] > '9')
			return malformed(head, HTTP1_CAUSE_LINE);
		status = status * 10 + at[i] - '0';
	}
	if (status < 100 ||
	    (length > STATUS_LINE_BYTES && at[STATUS_LINE_BYTES] != ' '))
		return malformed(head, HTTP1_CAUSE_LINE);
	head->status = (uint16_t)status;
	return HTTP1_MORE;
}

static enum http1_result read_first_line(
    struct http1_head *head, const uint8_t *bytes, struct line line)
{
	enum http1_result result;

	if (line.at == line.end) {
		/* RFC 9112 2.2: one is to be ignored. */
		if (head->shapes & HTTP1_LEADING_LINE || head->answer)
			return malformed(head, HTTP1_CAUSE_LINE);
		head->shapes |= HTTP1_LEADING_LINE;
		return HTTP1_MORE;
	}
	result = head->answer ? read_status_line(head, line)
			      : read_request_line(head, bytes, line);
	head->line_read = result == HTTP1_MORE;
	return result;
}

/* --- fields --- */

/* RFC 9112 6.3: a list of equal numbers may be taken as one; anything else is
 * an error that no proxy may pass on. */
static enum http1_result read_length(struct http1_head *head, struct line list)
{
	struct line member;

	while (list_next(&list, &member)) {
		uint64_t value = 0;
		ptrdiff_t digits = member.end - member.at;

		if (digits < 1 || digits > LENGTH_DIGITS_MAX)
			return malformed(head, HTTP1_CAUSE_LENGTH);
		for (const uint8_t *at = member.at; at < member.end; at++) {
			if (*at < '0' || *at > '9')
				return malformed(head, HTTP1_CAUSE_LENGTH);
			value = value * 10 + (uint64_t)(*at - '0');
		}
		if (head->shapes & HTTP1_HAS_LENGTH) {
			if (value != head->content_length)
				return malformed(head, HTTP1_CAUSE_LENGTH);
			head->shapes |= HTTP1_LENGTH_AGAIN;
		}
		head->shapes |= HTTP1_HAS_LENGTH;
		head->content_length = value;
	}
	return HTTP1_MORE;
}

static void read_coding(struct http1_head *head, struct line value)
{
	bool chunked =
	    !(head->shapes & HTTP1_HAS_CODING) &&
	    equals(value.at, (size_t)(value.end - value.at), "chunked");

	head->shapes &= (uint16_t)~HTTP1_CHUNKED;
	head->shapes |= HTTP1_HAS_CODING;
	if (chunked)
		head->shapes |= HTTP1_CHUNKED;
}

static enum http1_result read_known(struct http1_head *head,
    const uint8_t *bytes, enum http1_field field, struct line value)
{
	bool again = head->seen >> field & 1;

	head->seen |= (uint16_t)(1u << field);
	if (!again)
		head->known[field] = span_of(bytes, value.at, value.end);
	switch (field) {
	case HTTP1_CONTENT_LENGTH:
		return read_length(head, value);
	case HTTP1_TRANSFER_ENCODING:
		read_coding(head, value);
		break;
	case HTTP1_CONNECTION:
		if (list_has(value, "close"))
			head->shapes |= HTTP1_CLOSE;
		if (list_has(value, "upgrade"))
			head->shapes |= HTTP1_UPGRADES;
		break;
	case HTTP1_HOST:
		if (again)
			head->shapes |= HTTP1_HOST_AGAIN;
		break;
	default:
		if (again)
			head->shapes |= HTTP1_KNOWN_AGAIN;
		break;
	}
	return HTTP1_MORE;
}

/* RFC 9110 5.5: no control characters but tab, so no CR inside either. */
static bool check_value(struct http1_head *head, struct line value)
{
	bool control = false;
	uint8_t any = 0;

	for (const uint8_t *at = value.at; at < value.end; at++) {
		control |= (*at < ' ' && *at != '\t') || *at == 0x7f;
		any |= *at;
	}
	if (any & 0x80)
		head->shapes |= HTTP1_HIGH_BYTES;
	return !control;
}

static enum http1_result read_folded(struct http1_head *head, struct line line)
{
	if (head->bytes == head->fields_at)
		return malformed(head, HTTP1_CAUSE_FOLD);
	head->shapes |= HTTP1_FOLDED;
	if (!check_value(head, line))
		return malformed(head, HTTP1_CAUSE_VALUE);
	return HTTP1_MORE;
}

/* RFC 9112 5.1: no blank between name and colon. */
static enum http1_result read_field(
    struct http1_head *head, const uint8_t *bytes, struct line line)
{
	const uint8_t *colon = line.at;
	struct line value;
	size_t length;

	if (is_blank(*line.at))
		return read_folded(head, line);
	while (colon < line.end && is_token(*colon))
		colon++;
	length = (size_t)(colon - line.at);
	if (!length || colon == line.end || *colon != ':')
		return malformed(head, HTTP1_CAUSE_NAME);
	value = (struct line){colon + 1, line.end};
	if (!check_value(head, value))
		return malformed(head, HTTP1_CAUSE_VALUE);
	if (length <= NAME_BYTES_MAX && field_by_length[length]) {
		unsigned field = field_by_length[length] - 1u;

		trim(&value);
		if (equals(line.at, length, field_names[field]))
			return read_known(
			    head, bytes, (enum http1_field)field, value);
	}
	return HTTP1_MORE;
}

static enum http1_result finish(struct http1_head *head)
{
	const unsigned both = HTTP1_HAS_LENGTH | HTTP1_HAS_CODING;

	if ((head->shapes & both) == both)
		head->shapes |= HTTP1_LENGTH_AND_CODING;
	/* RFC 9112 3.2 */
	if (!head->answer && head->minor && !(head->seen >> HTTP1_HOST & 1))
		head->shapes |= HTTP1_NO_HOST;
	return HTTP1_DONE;
}

enum http1_result http1_head_read(
    struct http1_head *head, const void *data, size_t length)
{
	const uint8_t *bytes = data;

	br_assert(length <= UINT32_MAX && head->scanned <= length);
	while (head->scanned < length) {
		const uint8_t *begin = bytes + head->bytes;
		const uint8_t *feed =
		    memchr(bytes + head->scanned, '\n', length - head->scanned);
		struct line line = {begin, feed};
		enum http1_result result;
		bool first = !head->line_read;

		head->scanned = (uint32_t)length;
		if (!feed)
			break;
		if (feed > begin && feed[-1] == '\r')
			line.end--;
		else
			head->shapes |= HTTP1_BARE_LF;
		if (!first && line.at == line.end)
			result = finish(head);
		else if (first)
			result = read_first_line(head, bytes, line);
		else
			result = read_field(head, bytes, line);
		if (result == HTTP1_MALFORMED)
			return result;
		head->bytes = head->scanned = (uint32_t)(feed + 1 - bytes);
		if (first)
			head->fields_at = head->bytes;
		if (result == HTTP1_DONE)
			return result;
	}
	return HTTP1_MORE;
}

bool http1_field_next(const struct http1_head *head, const void *data,
    uint32_t *at, struct http1_span *ret_name, struct http1_span *ret_value)
{
	const uint8_t *bytes = data;
	const uint8_t *begin = bytes + *at, *end = bytes + head->bytes;
	const uint8_t *colon, *feed;
	struct line value;

	if (begin >= end || *begin == '\r' || *begin == '\n')
		return false;
	colon = memchr(begin, ':', (size_t)(end - begin));
	feed = memchr(begin, '\n', (size_t)(end - begin));
	/* A folded line belongs to the one before. */
	while (feed && feed + 1 < end && is_blank(feed[1]))
		feed = memchr(feed + 1, '\n', (size_t)(end - feed - 1));
	if (!colon || !feed || colon > feed)
		return false;
	value = (struct line){colon + 1, feed};
	if (value.end > value.at && value.end[-1] == '\r')
		value.end--;
	trim(&value);
	*ret_name = span_of(bytes, begin, colon);
	*ret_value = span_of(bytes, value.at, value.end);
	*at = (uint32_t)(feed + 1 - bytes);
	return true;
}
