/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_say.h"

#include "base/json.h"
#include "dnsd/dname.h"

#include <stdarg.h>
#include <stdio.h>

#define TEXT_MAX 1024

struct said {
	double at_ms;
	const char *event;
	char name[DNAME_TEXT_MAX], addr[ADDR_TEXT_MAX], text[TEXT_MAX];
};

static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static void print_json(const struct said *said)
{
	struct strbuf out;
	struct json json;

	strbuf_init(&out);
	json_init(&json, &out);
	json_object_begin(&json, NULL);
	json_double(&json, "at_ms", said->at_ms);
	json_string(&json, "event", said->event);
	if (said->name[0])
		json_string(&json, "name", said->name);
	if (said->addr[0])
		json_string(&json, "address", said->addr);
	json_string(&json, "text", said->text);
	json_object_end(&json);
	fprintf(stderr, "%s\n", strbuf_text(&out));
	strbuf_fini(&out);
}

static void print_text(const struct said *said)
{
	fprintf(stderr, "* %7.1f ms  %-9s %s%s%s%s%s\n", said->at_ms,
	    said->event, said->name, said->name[0] ? " " : "", said->addr,
	    said->addr[0] ? " " : "", said->text);
}

void fetch_say(const struct fetch_say *say, const char *event,
    const uint8_t *name, const struct addr *addr, const char *format, ...)
{
	struct said said = {.event = event};
	va_list list;

	if (!say->verbose)
		return;
	said.at_ms = (double)(mono_diff_ns(mono_now(), say->begun) / 100000);
	said.at_ms /= 10;
	if (name)
		(void)dname_to_text(name, said.name);
	if (addr)
		(void)addr_format(addr, said.addr);
	va_start(list, format);
	(void)vsnprintf(said.text, sizeof said.text, format, list);
	va_end(list);
	make_printable(said.text);
	(say->json ? print_json : print_text)(&said);
}

int fetch_say_error(
    const struct fetch_say *say, int code, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list list;

	if (!say->errors)
		return code;
	va_start(list, format);
	(void)vsnprintf(text, sizeof text, format, list);
	va_end(list);
	make_printable(text);
	fprintf(stderr, "braid-fetch: (%d) %s\n", code, text);
	return code;
}
