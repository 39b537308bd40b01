/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The records of one owner and type as they go into an answer, whoever has
 * them: a zone's own rrset, or what a resource chose for this client.
 *
 * Thread:  the worker that answers.
 * Memory:  points into the zone or resource, which outlives the answer.
 * Units:   TTL in seconds.
 * Limits:  ANSWER_SET_MAX records that are chosen; a zone's rrset may have
 *          more and is then written from the rrset itself.
 */
#include <stdbool.h>
#include <stdint.h>

#define ANSWER_SET_MAX 72

struct answer_record {
	const uint8_t *rdata; /* names uncompressed */
	uint16_t length;
};

struct answer_set {
	uint16_t type;
	uint16_t n; /* 0: the owner has no such type */
	uint32_t ttl;
	/* Which of the resource's possible sets it is, in the order of
	 * resource_variants(); its signature is found by it. */
	uint32_t variant;
	/* One alias, of which it is known how many labels its target and its
	 * owner both end with. */
	bool is_alias;
	uint8_t shared;
	struct answer_record records[ANSWER_SET_MAX];
};
