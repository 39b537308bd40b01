/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The OPT record (RFC 6891) both ways: what a query says in it, and what the
 * answer does.
 *
 *      root 0 │ type 41 │ UDP size │ rcode, version, DO │ length │ options
 *                         (class)    (TTL)
 *
 * An option that is not known is passed over and not answered; one that is
 * known and malformed makes the query malformed.
 *
 * Thread:  any.
 * Memory:  struct edns points into the query.
 * Units:   bytes; the client's subnet in bits.
 * Errors:  false: FORMERR.
 * RFC:     6891; 5001 NSID; 7828 keepalive; 7830 and 8467 padding; 7871
 *          subnet; 7873 cookie; 8914 extended errors.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "dnsd/cookie.h"

#define EDNS_TYPE 41u
/* The record without options. */
#define EDNS_FIXED_BYTES 11u
/* An option that says an error. */
#define EDNS_ERROR_BYTES 6u
/* What we say that we take over UDP (RFC 9715 section 3.1). */
#define EDNS_UDP_BYTES 1232u
/* Blocks that padded answers fill (RFC 8467 section 4.1). */
#define EDNS_PADDING_BLOCK 468u

enum edns_option {
	EDNS_NSID = 3,
	EDNS_SUBNET = 8,
	EDNS_COOKIE = 10,
	EDNS_KEEPALIVE = 11,
	EDNS_PADDING = 12,
	EDNS_ERROR = 15,
};

/* Extended errors that we say, RFC 8914 section 4 and its registry. */
enum edns_error {
	EDNS_ERROR_NONE = -1,
	EDNS_ERROR_NOT_READY = 14,
	EDNS_ERROR_PROHIBITED = 18,
	EDNS_ERROR_NOT_AUTHORITATIVE = 20,
	EDNS_ERROR_NOT_SUPPORTED = 21,
	EDNS_ERROR_INVALID_QUERY_TYPE = 30, /* RFC 9824 section 3.5 */
};

enum edns_family { EDNS_FAMILY_NONE, EDNS_IPV4, EDNS_IPV6 };

/* RFC 7871 section 6; bits behind `source` are zero. */
struct edns_subnet {
	uint8_t family; /* enum edns_family: NONE with source 0 only */
	uint8_t source; /* bits */
	uint8_t address[16];
};

struct edns {
	bool present;
	bool dnssec_ok;
	bool has_nsid, has_keepalive, has_padding, has_subnet;
	uint8_t version;
	uint8_t cookie_length; /* 0: none; else 8 or 16..40 */
	uint16_t udp_size; /* at least 512, RFC 6891 section 6.2.3 */
	const uint8_t *cookie;
	struct edns_subnet subnet;
};

/* The fields of a query's OPT record, owner and type already read: `options`
 * is its rdata. `class` and `ttl` are where EDNS has its own fields. Options
 * of a version above 0 are not looked at. */
bool edns_read(
    struct edns *ret, uint16_t class, uint32_t ttl, struct cursor options);
/* The content of a subnet option. */
bool edns_subnet_read(struct edns_subnet *ret, struct cursor content);

/* What the answer's OPT says beside what the query asked for. */
struct edns_reply {
	uint16_t rcode; /* 12 bits */
	bool dnssec_ok; /* as in the query, RFC 3225 section 3 */
	bool subnet; /* answered with the query's own bits and `scope` */
	uint8_t scope;
	bool cookie;
	bool keepalive;
	uint16_t keepalive_100ms;
	int16_t error; /* enum edns_error */
	const char *nsid; /* NULL: none */
	uint8_t cookie_bytes[COOKIE_BYTES];
};

/* Bytes that the record will need, padding apart. */
size_t edns_reply_size(
    const struct edns *query, const struct edns_reply *reply);
/* `message_limit`: the size up to which the message may be padded; 0: it is
 * not. Room for edns_reply_size() is the caller's promise. */
void edns_reply_write(const struct edns *query, const struct edns_reply *reply,
    size_t message_limit, struct cursor_out *out);
