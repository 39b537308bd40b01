/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A download that goes on at another POP: what to ask for, and whether what
 * comes is the rest of what has been written. Only a strong validator says
 * that two servers hold the same bytes (RFC 9110 section 8.8.1), so without
 * one a download that has begun does not go on.
 *
 *      pop2   200  ETag "a"   bytes 0..6999 ──x
 *      pop1   Range: bytes=7000-   If-Range: "a"
 *             206  Content-Range: bytes 7000-9999/10000     HEAD_TAKE
 *             200  ETag "a"   the first 7000 are dropped    HEAD_SKIP
 *             200  ETag "b"                                 HEAD_OTHER
 *
 * Thread:  any.
 * Memory:  the caller's.
 * Units:   bytes from the start of the representation.
 * Errors:  a verdict.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FETCH_ETAG_MAX 256u

/* A response's head, as far as it matters here. */
struct fetch_head {
	int status; /* 0: none yet */
	bool is_whole; /* its empty line has come */
	bool has_location;
	bool has_range; /* Content-Range; with -1 for what it does not say */
	int64_t first, total;
	char etag[FETCH_ETAG_MAX]; /* "" : none, or too long for one */
};

/* What has been got so far. */
struct fetch_progress {
	bool begun; /* something of the answer has been handed out */
	int64_t offset, total; /* total -1: not known */
	char etag[FETCH_ETAG_MAX]; /* the strong one; "": none */
};

enum fetch_verdict {
	HEAD_TAKE, /* its body goes behind what there is */
	HEAD_SKIP, /* the same after `offset` bytes of it */
	HEAD_COMPLETE, /* there was nothing left to get */
	HEAD_OTHER, /* it is of another representation */
	HEAD_NO_RANGE, /* the server does not do ranges (-C) */
	HEAD_STATUS, /* an error in place of the rest */
};

/* A line of a head, with or without its end. A status line begins anew. */
void fetch_head_line(struct fetch_head *head, const char *line, size_t length);
/* Whether this went wrong without harm: nothing has been handed out, or the
 * rest can be asked for. */
bool fetch_resume_is_possible(const struct fetch_progress *progress);
/* Of a final response whose head is whole; on HEAD_TAKE and HEAD_SKIP what it
 * says of the representation is kept. */
enum fetch_verdict fetch_resume_judge(
    struct fetch_progress *progress, const struct fetch_head *head);
