/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Answers of the DNS, read as a client of POPs needs them: in the order in
 * which the records stand, with all aliases of an owner, and the data of
 * HTTPS records taken apart. The C library and c-ares read less: they follow
 * one alias and know no HTTPS records.
 *
 *      www  CNAME  pop2      fetch_answer_next() gives both, in this order
 *      www  CNAME  pop1
 *      pop2 A      192.0.2.2
 *
 * The message comes from the network: everything in it is checked.
 *
 * Thread:  any.
 * Memory:  the caller's; struct fetch_answer is large, not for a stack.
 * Errors:  what is wrong with the message as a text, NULL: nothing.
 * Limits:  FETCH_RECORDS_MAX records, the rest is left out; FETCH_HINTS_MAX
 *          address hints of a family in a record.
 * RFC:     1035 section 4; 9460 sections 2 and 7.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "dnsd/dname.h"
#include "dnsd/rr_type.h"

#define FETCH_RECORDS_MAX 128u
#define FETCH_HINTS_MAX 4u

/* The data of an HTTPS record. */
struct fetch_service {
	uint16_t priority; /* 0: an alias */
	uint16_t port; /* 0: the URL's */
	bool http1, http2; /* protocols that it says to speak, and we do */
	const char *unusable; /* why nothing can be done with it; or NULL */
	uint32_t n_hints;
	struct addr hints[2 * FETCH_HINTS_MAX];
};

struct fetch_record {
	uint16_t type; /* RR_A, RR_AAAA, RR_CNAME, RR_NS or RR_HTTPS */
	uint32_t ttl_s;
	uint8_t owner[DNAME_MAX];
	uint8_t target[DNAME_MAX]; /* CNAME, NS, HTTPS */
	struct addr addr; /* A, AAAA; port 0 */
	struct fetch_service service; /* HTTPS */
};

struct fetch_answer {
	const char *wrong; /* unreadable, or never came: why; else NULL */
	uint8_t rcode;
	bool authoritative;
	uint32_t n;
	struct fetch_record records[FETCH_RECORDS_MAX];
};

/* The answer to that question, of which all sections are read. */
const char *fetch_answer_read(const void *bytes, size_t length,
    const uint8_t *name, uint16_t type, struct fetch_answer *ret);
/* The record of that owner and type after `from` (NULL: the first). */
const struct fetch_record *fetch_answer_next(const struct fetch_answer *answer,
    const struct fetch_record *from, const uint8_t *owner, uint16_t type);
/* The end of the single aliases that begin at `name`, within the answer; a
 * name that has several aliases, or none, is the end. */
const uint8_t *fetch_answer_follow(
    const struct fetch_answer *answer, const uint8_t *name);
/* "no error", "no such name" ...; of an answer that is none what is wrong. */
const char *fetch_answer_verdict(const struct fetch_answer *answer);
