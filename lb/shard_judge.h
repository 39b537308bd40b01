/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Whether a download may be asked in pieces, and whether a piece is one of the
 * same download: the rules by which bytes of several servers may be joined
 * (RFC 9110 sections 13.1.5 and 14, RFC 9530).
 *
 *     request + its answer ──> shard_judge() ──> not | survives | split, order,
 *                                          and what bars it from being split
 *     order + a piece's answer ──> shard_judge_piece() ──> how much of it is
 *                                          what was asked, or why it is not
 *
 * What is not certain is not joined: two answers are of one representation
 * only with the same strong entity tag (or, where the pool says so, with the
 * same length and Last-Modified), the same total length and the same content
 * coding.
 *
 * Where the pool wants the whole verified, only what has a digest of the whole
 * is joined: the client's own ranges and answers without it are not.
 *
 * Thread:  any; pure.
 * Memory:  the order keeps copies of what it needs; spans are not kept.
 * Units:   bytes of the representation; `end` is the byte behind the last.
 * Limits:  SHARD_VALIDATOR_MAX: a longer validator is none.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "conf/conf.h"
#include "io/digest.h"
#include "io/http1_head.h"

#define SHARD_VALIDATOR_MAX 128u
/* Less is mostly here before anything could happen to its server. */
#define SHARD_SURVIVES_BYTES (64u << 10)

/* What may be done with the body of an answer. */
enum shard_worth {
	SHARD_NOT,
	SHARD_SURVIVES, /* too small to be split, but can be continued */
	SHARD_SPLIT, /* for the engine from its first byte on */
	/* It was asked as a piece, and the answer cannot be used so: to be
	 * asked again, as the client did. */
	SHARD_ASK_AGAIN,
};

/* Why an answer comes from one server: words of the access log. */
#define SHARD_BAR_LIST(X)                                                      \
	X(request, "the request cannot be asked in parts")                     \
	X(tls, "TLS towards the servers")                                      \
	X(length, "no Content-Length, or no head that all read alike")         \
	X(validator, "no strong ETag, or what shard.validator asks for")       \
	X(ranges, "no Accept-Ranges: bytes, or not the range that was asked")  \
	X(digest, "no Repr-Digest of the whole, where shard.verify wants one") \
	X(small, "less than shard.min_size")                                   \
	X(limit, "a limit of all downloads together")

enum shard_bar {
	SHARD_BAR_NONE,
#define X(name, text) SHARD_BAR_##name,
	SHARD_BAR_LIST(X)
#undef X
};

/* "" of NONE. */
const char *shard_bar_name(enum shard_bar bar);

struct shard_verdict {
	enum shard_worth worth;
	/* Of a 200 or 206 that is not to be SPLIT; else NONE. */
	enum shard_bar bar;
};

/* A download that the client is owed. */
struct shard_order {
	/* The bytes that the client is to get; first moves on with what it has
	 * got before the engine begins. */
	uint64_t first, end, total;
	/* The byte behind the last that home was asked for. */
	uint64_t home_to;
	bool injected; /* the Range was ours: the client is owed a 200 */
	bool partial; /* the Range was the client's: a 206 */
	bool close; /* home's connection ends behind its answer */
	bool dated; /* the validator is a date, not an entity tag */
	bool digested; /* digest holds: SHA-256 of the whole representation */
	uint8_t validator_bytes;
	char validator[SHARD_VALIDATOR_MAX]; /* as it came, for If-Range */
	uint8_t digest[DIGEST_BYTES];
	uint64_t coding; /* a hash of Content-Encoding; 0: none */
};

/* What home was asked, where it was not what the client asked. */
struct shard_injection {
	bool injected;
	uint64_t last; /* from 0 on; inclusive, as on the wire */
};

/* Whether an answer to this request may be joined out of several, if it is of
 * the right kind itself. */
bool shard_judge_request(const struct http1_head *request, const void *bytes);
/* The worth of home's final answer. Of SURVIVES and SPLIT *ret is filled. */
struct shard_verdict shard_judge(const struct conf_shard *conf,
    const struct http1_head *request, const void *request_bytes,
    const struct shard_injection *injection, const struct http1_head *answer,
    const void *bytes, struct shard_order *ret) BR_MUST_CHECK;

enum shard_piece {
	SHARD_PIECE_GOOD,
	SHARD_PIECE_REFUSED, /* an error of the server: another time, maybe */
	SHARD_PIECE_OTHER, /* not of this representation, or not in parts */
};

/* The answer to a request for [from, to). GOOD: *ret_to is the byte behind the
 * last that it brings; less than was asked is legal (RFC 9110 15.3.7). */
enum shard_piece shard_judge_piece(const struct shard_order *order,
    uint64_t from, uint64_t to, const struct http1_head *answer,
    const void *bytes, uint64_t *ret_to) BR_MUST_CHECK;
