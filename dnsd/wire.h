/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Messages of the DNS (RFC 1035 section 4): reads a query, writes an answer.
 *
 *      header 12 │ question │ answer │ authority │ additional
 *                  name, type, class     records: name, type, class, TTL,
 *                                        length, rdata
 *
 * Written names are compressed against the question's name and against the
 * names written after it: any owner, and rdata of the types of RFC 1035 only
 * (RFC 3597 section 4). Comparing ignores case, so a name may take on the
 * case of the one it points to, and the question's is echoed bit by bit.
 *
 * A record that does not fit leaves the message as it was before the call; a
 * whole rrset is taken back with wire_rewind().
 *
 * Thread:  the worker that answers.
 * Memory:  borrows query and room; no allocation.
 * Units:   bytes, TTL in seconds.
 * Errors:  enum wire_result; false: it does not fit.
 * Limits:  WIRE_EXTRA_MAX records in a query; WIRE_NAMES_MAX remembered names.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "dnsd/answer_set.h"
#include "dnsd/dname.h"

#define WIRE_HEADER_BYTES 12u
#define WIRE_MESSAGE_MAX 65535u
#define WIRE_EXTRA_MAX 32u
#define WIRE_NAMES_MAX 64u

/* Bits of the header's second word. */
enum wire_flag {
	WIRE_QR = 0x8000,
	WIRE_OPCODE = 0x7800,
	WIRE_AA = 0x0400,
	WIRE_TC = 0x0200,
	WIRE_RD = 0x0100,
	WIRE_RA = 0x0080,
	WIRE_AD = 0x0020,
	WIRE_CD = 0x0010,
	WIRE_RCODE = 0x000f,
};

enum wire_rcode {
	WIRE_NOERROR = 0,
	WIRE_FORMERR = 1,
	WIRE_SERVFAIL = 2,
	WIRE_NXDOMAIN = 3,
	WIRE_NOTIMP = 4,
	WIRE_REFUSED = 5,
	WIRE_YXDOMAIN = 6,
	WIRE_NOTAUTH = 9,
	WIRE_BADVERS = 16,
	WIRE_BADCOOKIE = 23,
};

/* -- reading ----------------------------------------------------------- */

enum wire_result {
	WIRE_OK,
	WIRE_SHORT, /* not even a header: dropped */
	WIRE_RESPONSE, /* QR is set: dropped, lest two servers talk */
	WIRE_MALFORMED, /* FORMERR, with the question if it was read */
};

struct wire_query {
	const uint8_t *bytes;
	size_t length;
	const uint8_t *name; /* within bytes; NULL: no question was read */
	uint16_t id, flags, type, class;
	uint16_t counts[4];
	uint16_t question_end; /* offset behind the question */
	uint8_t opcode;
	uint8_t name_size;
	bool has_opt;
	uint16_t opt_class;
	uint32_t opt_ttl;
	struct cursor opt; /* its rdata */
	uint16_t tsig_at; /* offset of the TSIG record's owner; 0: none */
};

/* The header, the question if there is one, and the records behind it as far
 * as they matter: OPT, and TSIG as the last. Of an opcode other than QUERY
 * nothing but the header and at most one question is looked at, since what
 * the rest means is not known. */
enum wire_result wire_query_read(
    struct wire_query *ret, const uint8_t *bytes, size_t length);

/* -- writing ----------------------------------------------------------- */

enum wire_section {
	WIRE_QUESTION,
	WIRE_ANSWER,
	WIRE_AUTHORITY,
	WIRE_ADDITIONAL,
};

/* A name that was written: every ancestor of it can be pointed to. */
struct wire_name {
	uint32_t hash;
	uint16_t at; /* below 0x4000 */
	uint16_t labels;
};

struct wire_writer {
	struct cursor_out out;
	const struct dname_key *question; /* NULL: none */
	uint32_t seed; /* of the hashes */
	uint32_t n_names;
	uint16_t class; /* of records: 1, IN, unless it is changed */
	uint16_t counts[4];
	struct wire_name names[WIRE_NAMES_MAX];
};

struct wire_mark {
	uint8_t *at;
	uint32_t n_names;
	uint16_t counts[4];
};

/* The owner of an rrset. Its first record writes the name, the others point
 * to it. */
struct wire_owner {
	const uint8_t *name;
	uint16_t at; /* 0: not written yet */
};

/* The question is copied if the query has one. False: not even that fits. */
bool wire_begin(struct wire_writer *w, void *out, size_t room,
    const struct wire_query *query);
/* Of the question's name: names can point to it from now on. It must stay.
 * `seed`: of its hashes, and of those of the names that are written. */
static inline void wire_set_key(
    struct wire_writer *w, const struct dname_key *key, uint32_t seed)
{
	w->question = key;
	w->seed = seed;
}

/* The header, when all records are written. Returns the message's size. */
size_t wire_end(
    struct wire_writer *w, uint16_t id, uint16_t flags, uint16_t rcode);

/* Bytes at the end that are kept free for what must fit, such as OPT; then
 * given back. */
bool wire_reserve(struct wire_writer *w, size_t bytes);
void wire_release(struct wire_writer *w, size_t bytes);

struct wire_mark wire_mark(const struct wire_writer *w);
void wire_rewind(struct wire_writer *w, const struct wire_mark *mark);

/* The owner that is the question's name. */
static inline struct wire_owner wire_owner_question(const struct wire_writer *w)
{
	return (struct wire_owner){w->question->name, WIRE_HEADER_BYTES};
}

bool wire_put_name(struct wire_writer *w, const uint8_t *name);
/* One record, counted in `section`. */
bool wire_put_record(struct wire_writer *w, enum wire_section section,
    struct wire_owner *owner, uint16_t type, uint32_t ttl, const uint8_t *rdata,
    uint16_t length);
/* `n` records, each its RDLENGTH in network order and its RDATA, one behind the
 * other as struct rrset has them: all of them or none. */
bool wire_put_records(struct wire_writer *w, enum wire_section section,
    struct wire_owner *owner, uint16_t type, uint32_t ttl, uint32_t n,
    const uint8_t *records);
/* A set that is one alias of the question's name: the same bytes as
 * wire_put_set() writes when no other name has been written, without looking
 * at the target. Nothing will point into it. */
bool wire_put_alias(struct wire_writer *w, enum wire_section section,
    const struct answer_set *alias);
/* Likewise all records of the set. */
bool wire_put_set(struct wire_writer *w, enum wire_section section,
    struct wire_owner *owner, const struct answer_set *set);
