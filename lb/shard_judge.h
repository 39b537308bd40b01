/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Whether a download may be asked in pieces, and whether a piece is one of the
 * same download: the rules by which bytes of several servers may be joined
 * (RFC 9110 sections 13.1.5 and 14, RFC 9530).
 *
 *     request + its answer ──> shard_judge() ──> not | survives | split, order
 *     order + a piece's answer ──> shard_judge_piece() ──> how much of it is
 *                                          what was asked, or why it is not
 *
 * What is not certain is not joined: two answers are of one representation
 * only with the same strong entity tag (or, where the pool says so, with the
 * same length and Last-Modified), the same total length and the same content
 * coding.
 *
 * Thread:  any; pure.
 * Memory:  the order keeps copies of what it needs; spans are not kept.
 * Units:   bytes of the representation; `end` is the byte behind the last.
 * Limits:  SHARD_VALIDATOR_MAX: a longer validator is none.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "io/http1_head.h"

#define SHARD_VALIDATOR_MAX 128u
#define SHARD_DIGEST_BYTES 32u

/* What may be done with the body of an answer. */
enum shard_worth {
	SHARD_NOT,
	SHARD_SURVIVES, /* too small to be split, but can be continued */
	SHARD_SPLIT, /* for the engine from its first byte on */
	/* It was asked as a piece, and the answer cannot be used so: to be
	 * asked again, as the client did. */
	SHARD_ASK_AGAIN,
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
	uint8_t digest[SHARD_DIGEST_BYTES];
	uint64_t coding; /* a hash of Content-Encoding; 0: none */
};
