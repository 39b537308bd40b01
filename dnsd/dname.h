/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Domain names in wire form, uncompressed: labels of a length byte and up to
 * 63 bytes, ended by the root's zero byte (RFC 1035 section 3.1).
 *
 *      3 w w w 7 e x a m p l e 0
 *      ^       ^               ^
 *      labels, the deepest first; every tail of a name is an ancestor
 *
 * A name is `const uint8_t *`; it knows its own end. All functions but
 * dname_from_text() and dname_measure() take names that are well formed.
 * Letters keep their case; comparing and hashing ignore it, for ASCII only
 * (RFC 4343).
 *
 * Thread:  any.
 * Memory:  the caller's.
 * Errors:  0 or -EINVAL with what is wrong as a text.
 * Limits:  DNAME_MAX bytes, DNAME_LABELS_MAX labels beside the root.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define DNAME_MAX 255u
#define DNAME_LABEL_MAX 63u
#define DNAME_LABELS_MAX 127u
/* Every byte escaped as \DDD, dots, the end. */
#define DNAME_TEXT_MAX 1024u

/* Bytes of the name, its last zero included: 1 for the root. */
size_t dname_size(const uint8_t *name);
/* Labels beside the root. */
uint32_t dname_labels(const uint8_t *name);
/* The size of a name that may be anything, at most `room` bytes long: 0 if it
 * is not well formed, compressed or longer than a name may be. */
size_t dname_measure(const uint8_t *bytes, size_t room);

/* Presentation form, RFC 1035 section 5.1: \. and \DDD are escapes. A text
 * that does not end in a dot is below `origin`; NULL: below the root. "@" is
 * the origin. *ret_wrong says what is wrong, for the end of a sentence. */
int dname_from_text(const char *text, size_t length, const uint8_t *origin,
    uint8_t ret[DNAME_MAX], const char **ret_wrong) BR_MUST_CHECK;
/* Terminated, ends in a dot; what does not print is escaped. Returns its
 * length. */
size_t dname_to_text(const uint8_t *name, char ret[DNAME_TEXT_MAX]);

/* Copies in lower case; returns the size. */
size_t dname_lower(uint8_t ret[DNAME_MAX], const uint8_t *name);
size_t dname_copy(uint8_t ret[DNAME_MAX], const uint8_t *name);
/* The name one label up; the root has none. */
const uint8_t *dname_parent(const uint8_t *name);
/* The ancestor (or the name) with so many labels. */
const uint8_t *dname_ancestor(const uint8_t *name, uint32_t labels);
bool dname_equal(const uint8_t *a, const uint8_t *b);
/* Whether `name` is `ancestor` or below it. */
bool dname_is_within(const uint8_t *name, const uint8_t *ancestor);
/* How many labels both end with. */
uint32_t dname_common_labels(const uint8_t *a, const uint8_t *b);
/* Canonical order (RFC 4034 section 6.1): < 0, 0, > 0. */
int dname_compare(const uint8_t *a, const uint8_t *b);
/* "*" is the first label. */
bool dname_is_wildcard(const uint8_t *name);
/* `prefix` without its root, then `suffix`: 0 when it would be too long, else
 * the size. */
size_t dname_join(
    uint8_t ret[DNAME_MAX], const uint8_t *prefix, const uint8_t *suffix);

/*
 * A name prepared for look-ups: in lower case, with every ancestor's place
 * and hash, so that none is computed twice.
 *
 *      labels: 2      at[2] ──> 3www7example0    hash[2]
 *                     at[1] ──────> 7example0    hash[1]
 *                     at[0] ─────────────> 0     hash[0]
 */
struct dname_key {
	/* In lower case. Zeros follow, so that eight bytes may be read from
	 * any place of it. */
	uint8_t name[DNAME_MAX + 8];
	uint8_t size;
	uint8_t labels;
	uint8_t at[DNAME_LABELS_MAX + 1]; /* offset of the ancestor with
					   * that many labels */
	uint32_t hash[DNAME_LABELS_MAX + 1];
};

/* `size` is the name's, from dname_measure(). Hashes depend on `seed`. */
void dname_key_of(
    struct dname_key *ret, const uint8_t *name, size_t size, uint32_t seed);
/* The hash that dname_key_of() gives the name. */
uint32_t dname_hash(const uint8_t *name, uint32_t seed);
