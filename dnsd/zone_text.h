/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Master files (RFC 1035 section 5) as a stream of records: $ORIGIN, $TTL
 * (RFC 2308 section 4), $INCLUDE, omitted owner, TTL and class in either
 * order, relative names, units of time, unknown types (RFC 3597 section 5).
 * A record is given out when its entry has been read whole; none is kept.
 *
 *     zone.txt:14:9: "192.0.2.300" is not an IPv4 address
 *
 * An entry that is wrong is passed over and reading goes on, so that all
 * errors of a file come in one pass. Entries that take their owner from one
 * that could not be read are passed over in silence: one mistake, one error.
 *
 * What the texts leave open, and how it is here:
 *   - A record without TTL takes $TTL; without one, the last TTL that was
 *     written out (RFC 1035); without that, default_ttl.
 *   - $TTL goes on after the end of an included file, as in BIND; origin and
 *     owner do not (RFC 1035).
 *   - $INCLUDE names a file relative to the one that includes it, and it must
 *     lie in the folder of the first file or below, also by way of symbolic
 *     links. So who may write a zone file cannot have others of the server
 *     read into it.
 *   - Class IN only. $GENERATE is BIND's own and refused.
 *
 * Thread:  one at a time; it reads from disk, so not control and no worker.
 * Memory:  what the sink gets is borrowed for the call, but for the names of
 *          files, which live until zone_text_read() returns: to keep places,
 *          compare the pointer and copy a name once. The sink copies.
 * Units:   TTL in seconds; lines and columns from 1, columns in bytes.
 * Errors:  0, or BR_E_SYNTAX: there were errors, the sink got each; or
 *          -ECANCELED: the sink asked to stop.
 * Limits:  ZONE_TEXT_ERRORS_MAX errors, then reading stops; ZONE_TEXT_DEPTH_MAX
 *          files within files, ZONE_TEXT_FILES_MAX in all; regular files only.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "dnsd/dns_record.h"

#define ZONE_TEXT_ERRORS_MAX 100u
#define ZONE_TEXT_DEPTH_MAX 8u
#define ZONE_TEXT_FILES_MAX 1000u
/* RFC 2181 section 8. */
#define ZONE_TEXT_TTL_MAX 0x7fffffffu
/* As default_ttl: a SOA record without TTL takes its last field, any other
 * record is then refused (as in named-checkzone). */
#define ZONE_TEXT_TTL_NONE UINT32_MAX

struct zone_text_where {
	const char *file;
	uint32_t line; /* 0: about the file as a whole */
	uint32_t column; /* 0: about the line as a whole */
};

struct zone_text_sink {
	void *context;
	/* False: no more. */
	bool (*on_record)(void *context, const struct dns_record *record);
	/* A sentence without file and line, for an operator. */
	void (*on_error)(void *context, const struct zone_text_where *where,
	    const char *text);
	/* Another file is read from here on; NULL: never mind. */
	void (*on_include)(void *context);
};

/* Of a file. `origin` is a name in wire form. */
int zone_text_read(const char *path, const uint8_t *origin,
    uint32_t default_ttl, const struct zone_text_sink *sink) BR_MUST_CHECK;
/* One record that stands in a text, such as an item of the configuration's
 * `records`: "www 5m A 192.0.2.9". `where` is the place of its first byte;
 * column 0: errors name the line alone. No directives. */
int zone_text_line(const char *text, const struct zone_text_where *where,
    const uint8_t *origin, uint32_t default_ttl,
    const struct zone_text_sink *sink) BR_MUST_CHECK;
/* "file:line:column: text", or less where less is known, into a buffer:
 * returns what snprintf() does. */
int zone_text_format_error(const struct zone_text_where *where,
    const char *text, char *ret, size_t room);
