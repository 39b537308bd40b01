/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Parts of a representation, and what tells that two parts are of the same
 * one: Range, Content-Range, If-Range, entity tags and dates (RFC 9110
 * sections 8.8, 13.1.5 and 14).
 *
 *     bytes=0-99    BOUNDED    bytes 0-99/1000    first, last, total
 *     bytes=100-    OPEN       bytes 0-99/ *      total unknown
 *     bytes=-100    SUFFIX     bytes * /1000      UNSATISFIED (of a 416)
 *     bytes=0-,5-9  SEVERAL
 *
 * These readers are strict: what is not exactly of the grammar is OTHER, and
 * nobody takes it apart.
 *
 * Thread:  any; pure.
 * Memory:  spans of the caller's bytes.
 * Units:   bytes; positions are inclusive, as on the wire; dates in seconds
 *          since 1970.
 */
#include "io/http1_head.h"

enum http1_range_kind {
	HTTP1_RANGE_NONE, /* an empty span: no such field */
	HTTP1_RANGE_BOUNDED,
	HTTP1_RANGE_OPEN,
	HTTP1_RANGE_SUFFIX, /* `last` of them, from the end */
	HTTP1_RANGE_SEVERAL,
	HTTP1_RANGE_OTHER, /* another unit, or malformed */
};

struct http1_range {
	enum http1_range_kind kind;
	uint64_t first, last;
};

struct http1_content_range {
	bool unsatisfied; /* no first and last */
	bool total_known;
	uint64_t first, last, total;
};

/* The value of a Range field. */
struct http1_range http1_range_read(const void *bytes, struct http1_span value);
/* The value of a Content-Range field in bytes; false: something else. */
bool http1_content_range_read(const void *bytes, struct http1_span value,
    struct http1_content_range *ret) BR_MUST_CHECK;
/* An entity tag by which two parts may be joined: well-formed, not weak. */
bool http1_etag_is_strong(const void *bytes, struct http1_span value);
/* IMF-fixdate, the only form that is to be sent (RFC 9110 5.6.7). */
bool http1_date_read(const void *bytes, struct http1_span value,
    int64_t *ret_seconds) BR_MUST_CHECK;
/* The field of that name (in lower case): its value; false: none, or several
 * of it. Walks all fields: for heads that are worth it. */
bool http1_field_find(const struct http1_head *head, const void *bytes,
    const char *name, struct http1_span *ret_value);
