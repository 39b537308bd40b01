/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_resume.h"

#include "base/assert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* -- the head ---------------------------------------------------------- */

/* The value of the field, without blanks around it, if the line is one. */
static bool field(const char *line, size_t length, const char *name,
    const char **ret, size_t *ret_length)
{
	size_t n = strlen(name);

	if (length <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
		return false;
	line += n + 1;
	length -= n + 1;
	while (length && (*line == ' ' || *line == '\t'))
		line++, length--;
	while (length && (line[length - 1] == ' ' || line[length - 1] == '\t'))
		length--;
	*ret = line;
	*ret_length = length;
	return true;
}

static bool number(const char **at, int64_t *ret)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	errno = 0;
	*ret = strtoll(*at, &end, 10);
	*at = end;
	return !errno;
}

/* "bytes 7000-9999/10000", of which the last may be "*"; "bytes * /10000"
 * without the blank comes with 416 (RFC 9110 section 14.4). */
static void read_range(struct fetch_head *head, const char *value, size_t n)
{
	char text[80];
	const char *at = text;
	int64_t last;

	head->has_range = false;
	head->first = head->total = -1;
	if (n >= sizeof text || n < 6 || strncasecmp(value, "bytes ", 6) != 0)
		return;
	memcpy(text, value + 6, n - 6);
	text[n - 6] = 0;
	if (*at == '*') {
		at++;
	} else if (!number(&at, &head->first) || *at++ != '-' ||
		   !number(&at, &last) || last < head->first) {
		return;
	}
	if (*at++ != '/')
		return;
	if (strcmp(at, "*") != 0 && (!number(&at, &head->total) || *at))
		return;
	head->has_range = true;
}

static bool is_strong(const char *tag, size_t length)
{
	return length >= 2 && tag[0] == '"' && tag[length - 1] == '"';
}

void fetch_head_line(struct fetch_head *head, const char *line, size_t length)
{
	const char *value;
	size_t n;

	while (length && (line[length - 1] == '\n' || line[length - 1] == '\r'))
		length--;
	if (length >= 5 && !memcmp(line, "HTTP/", 5)) {
		const char *blank = memchr(line, ' ', length);

		memset(head, 0, sizeof *head);
		head->first = head->total = -1;
		if (blank && (size_t)(line + length - blank) >= 4)
			for (int i = 1; i < 4; i++)
				head->status =
				    head->status * 10 + (blank[i] - '0');
	} else if (!length) {
		head->is_whole = true;
	} else if (head->is_whole) {
		return; /* a trailer */
	} else if (field(line, length, "ETag", &value, &n)) {
		head->etag[0] = 0;
		if (n < sizeof head->etag && is_strong(value, n) &&
		    !memchr(value, 0, n)) {
			memcpy(head->etag, value, n);
			head->etag[n] = 0;
		}
	} else if (field(line, length, "Location", &value, &n)) {
		head->has_location = true;
	} else if (field(line, length, "Content-Range", &value, &n)) {
		read_range(head, value, n);
	}
}

/* -- the verdict ------------------------------------------------------- */

bool fetch_resume_is_possible(const struct fetch_progress *progress)
{
	return !progress->begun || progress->etag[0];
}

static bool same_tag(
    const struct fetch_progress *progress, const struct fetch_head *head)
{
	return !strcmp(progress->etag, head->etag);
}

static void keep(struct fetch_progress *progress, const struct fetch_head *head)
{
	memcpy(progress->etag, head->etag, sizeof progress->etag);
	if (head->total >= 0)
		progress->total = head->total;
}

static enum fetch_verdict judge_part(
    struct fetch_progress *progress, const struct fetch_head *head)
{
	if (!head->has_range || head->first != progress->offset ||
	    (progress->total >= 0 && head->total >= 0 &&
		head->total != progress->total))
		return HEAD_OTHER;
	if (progress->begun && head->etag[0] && !same_tag(progress, head))
		return HEAD_OTHER;
	if (!progress->begun || head->etag[0])
		keep(progress, head);
	return HEAD_TAKE;
}

enum fetch_verdict fetch_resume_judge(
    struct fetch_progress *progress, const struct fetch_head *head)
{
	bool continues = progress->begun || progress->offset > 0;

	br_assert(head->is_whole);
	if (!continues) {
		if (head->status == 200) /* 206: a part that the user wants */
			keep(progress, head);
		return HEAD_TAKE;
	}
	if (head->status == 206)
		return judge_part(progress, head);
	if (progress->begun) {
		if (head->status == 416)
			return HEAD_OTHER;
		if (head->status != 200)
			return HEAD_STATUS;
		return same_tag(progress, head) ? HEAD_SKIP : HEAD_OTHER;
	}
	if (head->status == 416)
		return head->has_range && head->total == progress->offset
			   ? HEAD_COMPLETE
			   : HEAD_NO_RANGE;
	return head->status == 200 ? HEAD_NO_RANGE : HEAD_STATUS;
}
