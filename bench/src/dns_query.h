/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The messages of dnsload: queries made once and patched for each use, and
 * what of an answer is looked at.
 *
 *      header | question | OPT: subnet, cookie       one of each name
 *        ID ^              address ^   by query
 *
 * Thread:  one.
 * Errors:  the process ends with what is wrong.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DNS_QUERY_MAX = 400, DNS_HEADER = 12, DNS_TARGET_MAX = 256 };

struct dns_query_options {
	const char *names_path; /* "NAME TYPE" a line */
	int ecs_bits; /* 0: none; of a prefix out of ecs_base */
	uint32_t ecs_base; /* host order */
	uint32_t ecs_count; /* prefixes; they come in turn or at random */
	bool ecs_random;
	bool edns, cookie, dnssec;
	uint64_t seed;
};

struct dns_queries;

struct dns_queries *dns_queries_read(const struct dns_query_options *options);
size_t dns_queries_count(const struct dns_queries *queries);
/* Writes the next query with this ID; ret_index names it for
 * dns_queries_check(). Returns its length. */
size_t dns_queries_next(struct dns_queries *queries, uint16_t id, uint8_t *out,
    uint32_t *ret_index);

enum dns_verdict { DNS_GOOD, DNS_BAD };

struct dns_answer {
	uint16_t answers;
	uint8_t rcode;
	bool truncated;
};

/* Whether it is an answer to that query: QR, opcode, and the question as it
 * was asked, letter by letter. */
enum dns_verdict dns_queries_check(const struct dns_queries *queries,
    uint32_t index, const uint8_t *answer, size_t length,
    struct dns_answer *ret);
/* What the first record leads to: the target of a CNAME, or an address, as a
 * text; false when it is neither. */
bool dns_answer_target(
    const uint8_t *answer, size_t length, char ret[DNS_TARGET_MAX]);
/* splitmix64 (Steele, Lea, Flood 2014). */
uint64_t dns_random(uint64_t *state);
