/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the reader of zone files makes of one: its errors, then its records as
 * canonical text, in the order of the file.
 *
 *     zone_dump FILE ORIGIN
 *
 * Exits with 1 where there were errors.
 */
#include "dnsd/zone_text.h"

#include "base/strbuf.h"
#include "dnsd/dname.h"
#include "dnsd/zone_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERROR_MAX 1024

static bool on_record(void *context, const struct dns_record *record)
{
	zone_print_record(context, record);
	return true;
}

static void on_error(
    void *context, const struct zone_text_where *where, const char *text)
{
	char line[ERROR_MAX];

	(void)context;
	(void)zone_text_format_error(where, text, line, sizeof line);
	puts(line);
}

int main(int argc, char **argv)
{
	struct strbuf records;
	struct zone_text_sink sink = {&records, on_record, on_error};
	uint8_t origin[DNAME_MAX];
	const char *wrong;
	int error;

	if (argc != 3 ||
	    dname_from_text(argv[2], strlen(argv[2]), NULL, origin, &wrong)) {
		fputs("usage: zone_dump FILE ORIGIN\n", stderr);
		return 2;
	}
	strbuf_init(&records);
	error = zone_text_read(argv[1], origin, ZONE_TEXT_TTL_NONE, &sink);
	fputs(strbuf_text(&records), stdout);
	strbuf_fini(&records);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
