/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a zone file, and as a line of the configuration. What comes out
 * is valid, and printed and read again it is the same; what is refused has an
 * error that can be shown.
 */
#include "dnsd/zone_text.h"

#include "base/assert.h"
#include "base/strbuf.h"
#include "dnsd/dname.h"
#include "dnsd/rdata.h"
#include "dnsd/zone_print.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ERROR_MAX 1024

static const uint8_t origin[] = "\7example\3org";

struct seen {
	uint32_t errors;
	const struct dns_record *expected; /* NULL: any */
};

static void check_shown(const struct zone_text_where *where, const char *text)
{
	char line[ERROR_MAX];

	br_assert(*text);
	br_assert(zone_text_format_error(where, text, line, sizeof line) > 0);
	for (const char *p = line; *p; p++)
		br_assert((unsigned char)*p >= ' ' && *p != 0x7f);
}

static void on_error(
    void *context, const struct zone_text_where *where, const char *text)
{
	struct seen *seen = context;

	check_shown(where, text);
	seen->errors++;
}

static bool on_again(void *context, const struct dns_record *record)
{
	const struct dns_record *expected = ((struct seen *)context)->expected;
	size_t size = dname_size(record->owner);

	br_assert(size == dname_size(expected->owner));
	br_assert(!memcmp(record->owner, expected->owner, size));
	br_assert(record->type == expected->type);
	br_assert(record->ttl == expected->ttl);
	br_assert(record->length == expected->length);
	br_assert(!memcmp(record->rdata, expected->rdata, record->length));
	return true;
}

static bool on_record(void *context, const struct dns_record *record)
{
	struct seen again = {.expected = record};
	struct zone_text_sink sink = {&again, on_again, on_error, NULL};
	struct zone_text_where where = {"again", 1, 1};
	struct strbuf text;

	(void)context;
	br_assert(dname_measure(record->owner, DNAME_MAX));
	br_assert(rr_type_is_data(record->type));
	br_assert(record->ttl <= ZONE_TEXT_TTL_MAX);
	br_assert(record->place.line);
	br_assert(!rdata_wrong(record->type, record->rdata, record->length));
	strbuf_init(&text);
	zone_print_record(&text, record);
	br_assert(!zone_text_line(text.text, &where, origin, 1, &sink));
	strbuf_fini(&text);
	return true;
}

static void read_as_file(const uint8_t *data, size_t size)
{
	struct seen seen = {0};
	struct zone_text_sink sink = {&seen, on_record, on_error, NULL};
	int error, fd = memfd_create("zone", MFD_CLOEXEC);
	char path[64];

	br_assert(fd >= 0);
	br_assert(write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	error = zone_text_read(path, origin, 3600, &sink);
	br_assert(error == (seen.errors ? BR_E_SYNTAX : 0));
	br_assert(seen.errors <= ZONE_TEXT_ERRORS_MAX + 1);
	(void)close(fd);
}

static void read_as_line(const uint8_t *data, size_t size)
{
	struct seen seen = {0};
	struct zone_text_sink sink = {&seen, on_record, on_error, NULL};
	struct zone_text_where where = {"braid.yaml", 7, 9};
	struct strbuf text;
	int error;

	strbuf_init(&text);
	strbuf_add(&text, (const char *)data, size);
	error = zone_text_line(
	    strbuf_text(&text), &where, origin, ZONE_TEXT_TTL_NONE, &sink);
	br_assert(error == (seen.errors ? BR_E_SYNTAX : 0));
	br_assert(seen.errors <= 1);
	strbuf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_as_file(data, size);
	read_as_line(data, size);
	return 0;
}
