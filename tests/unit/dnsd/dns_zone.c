/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dnsd/dns_zone.h"

#include "base/assert.h"
#include "dnsd/zone_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t dns_zone_name(
    const char *text, const uint8_t *apex, uint8_t ret[DNAME_MAX])
{
	const char *wrong;

	if (dname_from_text(text, strlen(text), apex, ret, &wrong)) {
		(void)fprintf(stderr, "%s %s\n", text, wrong);
		abort();
	}
	return dname_size(ret);
}

static bool on_record(void *context, const struct dns_record *record)
{
	zone_builder_add(context, record);
	return true;
}

static void on_error(
    void *context, const struct zone_text_where *where, const char *text)
{
	(void)context;
	(void)fprintf(stderr, "line %u: %s\n", where->line, text);
}

void dns_zone_records(
    struct zone_builder *builder, const uint8_t *apex, const char *text)
{
	struct zone_text_sink sink = {builder, on_record, on_error, NULL};
	struct zone_text_where where = {.file = "text", .line = 1};

	for (; *text; where.line++) {
		size_t length = strcspn(text, "\n");
		char line[512];

		br_assert(length < sizeof line);
		memcpy(line, text, length);
		line[length] = '\0';
		br_assert(
		    !length || !zone_text_line(line, &where, apex, 60, &sink));
		text += length + (text[length] == '\n');
	}
}

void dns_zone_add(struct zone_set *set, const char *apex, const char *text)
{
	uint8_t name[DNAME_MAX];
	struct zone_report report;
	struct zone_builder *builder;
	struct zone *zone;

	(void)dns_zone_name(apex, NULL, name);
	zone_report_init(&report);
	builder = zone_builder_new(name, zone_set_seed(set), &report);
	dns_zone_records(builder, name, text);
	zone = zone_builder_finish(builder);
	for (uint32_t i = 0; !zone && i < report.n_problems; i++)
		(void)fprintf(stderr, "%s\n", report.problems[i].text);
	br_assert(zone);
	br_assert(zone_set_add(set, zone) == 0);
	zone_unref(zone);
	zone_report_fini(&report);
}
