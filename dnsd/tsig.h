/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Messages signed with a shared secret (TSIG, RFC 8945), hmac-sha256 only: a
 * query is checked, and all messages of its answer are signed, each together
 * with the one before it.
 *
 *     query, its MAC ──> first message, its MAC ──> second, its MAC ──> ...
 *
 * Thread:  a key may be read by any; a session has one owner.
 * Memory:  keys by tsig_key_free(), which wipes them; a session is the
 *          caller's.
 * Units:   seconds since 1970.
 * Errors:  0 or a TSIG error of the protocol (positive); keys: 0, -errno or
 *          BR_E_CONFIG, *ret_wrong for the end of a sentence.
 * Limits:  MACs in full length; TSIG_SECRET_MAX bytes of secret.
 */
#include "base/clock.h"
#include "base/error.h"
#include "dnsd/dname.h"
#include "dnsd/wire.h"

#define TSIG_MAC_BYTES 32u
#define TSIG_SECRET_MAX 512u
/* Less is no secret: RFC 8945 section 8 wants as many as the MAC has bits,
 * half of it is what is bearable. */
#define TSIG_SECRET_MIN 16u
#define TSIG_FUDGE_S 300u
/* A whole record: key and algorithm may be names that only the query knows. */
#define TSIG_RECORD_MAX (2u * DNAME_MAX + 10u + 16u + TSIG_MAC_BYTES + 6u)

enum tsig_error {
	TSIG_NONE = 0,
	TSIG_FORMERR = 1, /* no valid TSIG record: answer FORMERR */
	TSIG_BADSIG = 16,
	TSIG_BADKEY = 17,
	TSIG_BADTIME = 18,
	TSIG_BADTRUNC = 22,
};

struct tsig_key;

/* The file holds the secret in base64, and nothing else but blanks. */
int tsig_key_load(const char *name, const char *path, struct tsig_key **ret,
    const char **ret_wrong) BR_MUST_CHECK;
int tsig_key_of(const char *name, const uint8_t *secret, size_t length,
    struct tsig_key **ret, const char **ret_wrong) BR_MUST_CHECK;
/* NULL gives NULL. */
struct tsig_key *tsig_key_copy(const struct tsig_key *key);
/* NULL is ignored. */
void tsig_key_free(struct tsig_key *key);
/* Whether they sign alike; two NULL do. */
bool tsig_key_equal(const struct tsig_key *a, const struct tsig_key *b);

struct tsig_session {
	const struct tsig_key *key; /* NULL: none is known */
	uint8_t mac[TSIG_MAC_BYTES]; /* of the message before */
	bool signs; /* answers are signed: the query's MAC was right */
	bool has_prior; /* `mac` goes into the next one */
	bool is_later; /* not the first message of the answer */
	enum tsig_error error; /* of the query: then one message follows */
	uint64_t time_s; /* of the query, for BADTIME */
	/* What the query said, for answers that are not signed. */
	uint8_t name[DNAME_MAX];
	uint8_t algorithm[DNAME_MAX];
};

/* The query's record, which stands at query->tsig_at. Returns
 * session->error. Without a key every one is unknown (section 5.2.1). */
enum tsig_error tsig_verify(struct tsig_session *session,
    const struct tsig_key *key, const struct wire_query *query,
    struct wall now);
/* For a request of our own. */
void tsig_start(struct tsig_session *session, const struct tsig_key *key);
/* Appends the record to a message that has room for TSIG_RECORD_MAX more
 * bytes; returns its new length. With an error other than BADTIME it is not
 * signed (section 5.3.2). */
size_t tsig_sign(struct tsig_session *session, uint8_t *message, size_t length,
    struct wall now);
