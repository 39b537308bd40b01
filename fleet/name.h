/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the modules about server names share: the three kinds of question, how
 * one can end, and what an answer holds.
 *
 *   name_answer  bytes of a DNS message -> records and TTL         (decoder)
 *   name_table   what is asked when, what is known, for how long   (decider)
 *   name_view    an immutable copy of what is known, for other threads
 *   name_expand  configuration + view -> configuration with addresses
 *
 * Thread:  any.
 * Units:   TTLs in seconds, as on the wire.
 */
#include <stdint.h>

#include "base/addr.h"

#define NAME_HOST_MAX 253
/* More records of one answer are left out: a message of 64 KiB holds 4,000. */
#define NAME_RECORDS_MAX 1024
#define NAME_HOLD_DEFAULT_MS 30000

enum name_type { NAME_A, NAME_AAAA, NAME_SRV, NAME_TYPES };

/* The second word is what metrics and `braidctl names` call it. Unanswered: no
 * resolver could be reached, or each of them said SERVFAIL or REFUSED, which
 * c-ares before 1.20 does not tell apart. */
#define NAME_RESULT_LIST(X)                                                    \
	X(ANSWER, "answer")                                                    \
	X(NXDOMAIN, "nxdomain") /* there is no such name */                    \
	X(NODATA, "nodata") /* the name has no such record */                  \
	X(TIMEOUT, "timeout")                                                  \
	X(SERVFAIL, "servfail")                                                \
	X(REFUSED, "refused")                                                  \
	X(UNANSWERED, "unanswered")                                            \
	X(MALFORMED, "malformed") /* the answer makes no sense */              \
	X(FAILED, "failed") /* anything else */

enum name_result {
#define X(name, text) NAME_##name,
	NAME_RESULT_LIST(X)
#undef X
	    NAME_RESULTS
};

struct name_record {
	struct addr addr; /* A, AAAA: without a port */
	/* -- SRV, RFC 2782 -- */
	uint16_t priority, weight, port;
	char target[NAME_HOST_MAX + 1];
};

struct name_answer {
	enum name_result result;
	uint32_t ttl_s; /* of the records, or of their absence; 0 unknown */
	uint32_t n;
	struct name_record records[NAME_RECORDS_MAX];
};

const char *name_type_text(enum name_type type);
const char *name_result_text(enum name_result result);
