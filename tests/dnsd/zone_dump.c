/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is made of a zone file: its errors, then its records as canonical text,
 * in the order of the file.
 *
 *     zone_dump FILE ORIGIN
 *     zone_dump FILE ORIGIN --zone    the zone that is built of it, in its
 *                                     order, after errors and warnings
 *
 * Exits with 1 where there were errors.
 */
#include "dnsd/zone_text.h"

#include "base/strbuf.h"
#include "dnsd/dname.h"
#include "dnsd/zone_builder.h"
#include "dnsd/zone_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERROR_MAX 1024
#define SEED 1

static void on_error(
    void *context, const struct zone_text_where *where, const char *text)
{
	char line[ERROR_MAX];

	(void)context;
	(void)zone_text_format_error(where, text, line, sizeof line);
	puts(line);
}

static bool on_record(void *context, const struct dns_record *record)
{
	zone_print_record(context, record);
	return true;
}

static int dump_records(const char *path, const uint8_t *origin)
{
	struct strbuf records;
	struct zone_text_sink sink = {&records, on_record, on_error, NULL};
	int error;

	strbuf_init(&records);
	error = zone_text_read(path, origin, ZONE_TEXT_TTL_NONE, &sink);
	fputs(strbuf_text(&records), stdout);
	strbuf_fini(&records);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}

static bool on_built(void *context, const struct dns_record *record)
{
	zone_builder_add(context, record);
	return true;
}

static bool on_line(void *context, const char *line, size_t length)
{
	return fwrite(line, 1, length, context) == length;
}

static int dump_zone(const char *path, const uint8_t *origin)
{
	struct zone_report report;
	struct zone_text_sink sink = {NULL, on_built, on_error, NULL};
	struct zone *zone;
	int error;

	zone_report_init(&report);
	sink.context = zone_builder_new(origin, SEED, &report);
	error = zone_text_read(path, origin, ZONE_TEXT_TTL_NONE, &sink);
	zone = zone_builder_finish(sink.context);
	for (uint32_t i = 0; i < report.n_problems; i++)
		printf("%s %s\n",
		    report.problems[i].severity == ZONE_ERROR ? "error"
							      : "warning",
		    report.problems[i].text);
	zone_report_fini(&report);
	if (zone && !zone_print(zone, on_line, stdout))
		error = -1;
	if (!zone)
		error = -1;
	zone_unref(zone);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	uint8_t origin[DNAME_MAX];
	const char *wrong;
	bool zone = argc == 4 && !strcmp(argv[3], "--zone");

	if ((argc != 3 && !zone) ||
	    dname_from_text(argv[2], strlen(argv[2]), NULL, origin, &wrong)) {
		fputs("usage: zone_dump FILE ORIGIN [--zone]\n", stderr);
		return 2;
	}
	return zone ? dump_zone(argv[1], origin)
		    : dump_records(argv[1], origin);
}
