/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/agent_text.h"

#include <string.h>
#include <strings.h>

/* A word of the line: not terminated. */
struct word {
	const char *at;
	size_t length;
};

static const struct {
	const char *word;
	enum agent_admin admin;
	enum agent_health health;
} words[] = {
    {"ready", AGENT_ADMIN_READY, AGENT_HEALTH_UNSAID},
    {"drain", AGENT_ADMIN_DRAIN, AGENT_HEALTH_UNSAID},
    {"maint", AGENT_ADMIN_MAINT, AGENT_HEALTH_UNSAID},
    {"up", AGENT_ADMIN_UNSAID, AGENT_HEALTH_UP},
    {"down", AGENT_ADMIN_UNSAID, AGENT_HEALTH_DOWN},
    {"fail", AGENT_ADMIN_UNSAID, AGENT_HEALTH_FAIL},
    {"stopped", AGENT_ADMIN_UNSAID, AGENT_HEALTH_STOPPED},
};

static bool is_separator(char c)
{
	return c == ' ' || c == '\t' || c == ',';
}

/* Decimal digits up to the end of the word or to `tail`, which must be last. */
static bool number_parse(
    struct word w, const char *tail, uint32_t max, uint32_t *ret)
{
	size_t tail_length = strlen(tail);
	uint64_t v = 0;

	if (w.length <= tail_length)
		return false;
	w.length -= tail_length;
	if (memcmp(w.at + w.length, tail, tail_length) != 0)
		return false;
	for (size_t i = 0; i < w.length; i++) {
		if (w.at[i] < '0' || w.at[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(w.at[i] - '0');
		if (v > max)
			return false;
	}
	*ret = (uint32_t)v;
	return true;
}

static bool maxconn_parse(struct word w, uint32_t *ret)
{
	static const char head[] = "maxconn:";
	const size_t length = sizeof(head) - 1;

	if (w.length <= length || strncasecmp(w.at, head, length) != 0)
		return false;
	w.at += length;
	w.length -= length;
	return number_parse(w, "", AGENT_TEXT_MAXCONN_MAX, ret);
}

static bool state_parse(struct word w, struct agent_report *report)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (w.length != strlen(words[i].word) ||
		    strncasecmp(w.at, words[i].word, w.length) != 0)
			continue;
		if (words[i].admin)
			report->admin = words[i].admin;
		if (words[i].health)
			report->health = words[i].health;
		return true;
	}
	return false;
}

static void word_read(struct word w, struct agent_report *report)
{
	if (state_parse(w, report))
		return;
	if (number_parse(w, "%", AGENT_TEXT_PERCENT_MAX, &report->percent))
		report->has_percent = true;
	else if (maxconn_parse(w, &report->maxconn))
		report->has_maxconn = true;
	else
		report->unknown++;
}

static void reason_read(
    const char *at, const char *end, struct agent_report *report)
{
	size_t n = 0;

	while (at < end && is_separator(*at))
		at++;
	for (; at < end && n < AGENT_TEXT_REASON_MAX - 1; at++) {
		unsigned char c = (unsigned char)*at;

		report->reason[n++] = c < ' ' || c == 0x7f ? '?' : *at;
	}
	report->reason[n] = '\0';
}

static void line_read(
    const char *at, const char *end, struct agent_report *report)
{
	while (at < end) {
		struct word w = {.at = at};

		if (is_separator(*at)) {
			at++;
			continue;
		}
		if (*at == '#') {
			reason_read(at + 1, end, report);
			return;
		}
		while (at < end && !is_separator(*at) && *at != '#')
			at++;
		w.length = (size_t)(at - w.at);
		word_read(w, report);
	}
}

int agent_text_parse(
    const char *bytes, size_t length, bool ended, struct agent_report *ret)
{
	struct agent_report report = {0};
	size_t line = 0;

	while (line < length && bytes[line] != '\r' && bytes[line] != '\n') {
		if (bytes[line] == '\0' || line == AGENT_TEXT_BYTES_MAX)
			return BR_E_PROTOCOL;
		line++;
	}
	if (line == length && !ended)
		return 0;
	line_read(bytes, bytes + line, &report);
	*ret = report;
	return 1;
}
