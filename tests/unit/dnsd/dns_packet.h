/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Messages for the tests of dnsd: makes queries, and reads answers strictly
 * and apart from dnsd/wire, so that both cannot be wrong together.
 *
 * Thread:  one at a time.
 * Memory:  all in the structs.
 * Errors:  packet_read() returns what is wrong as a text, NULL: nothing.
 * Limits:  PACKET_RECORDS_MAX records.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_RECORDS_MAX 4096
#define PACKET_TEXT_MAX 1100

/* -- making ------------------------------------------------------------ */

struct packet {
	uint8_t bytes[65536];
	size_t length;
	size_t opt_at; /* offset of the length of OPT's rdata */
};

void packet_u8(struct packet *p, unsigned v);
void packet_u16(struct packet *p, unsigned v);
void packet_u32(struct packet *p, uint32_t v);
void packet_put(struct packet *p, const void *bytes, size_t length);
/* "www.example." without escapes, not compressed. */
void packet_name(struct packet *p, const char *name);
/* A header with these counts. */
void packet_header(struct packet *p, unsigned id, unsigned flags, unsigned qd,
    unsigned an, unsigned ns, unsigned ar);
/* Header with id 0x1234, and a question of class IN. */
void packet_query(struct packet *p, const char *name, unsigned type);
/* The same with OPT; packet_option() adds to it. */
void packet_query_edns(
    struct packet *p, const char *name, unsigned type, unsigned size, bool dok);
/* Counted in the header; the next packet_option() belongs to it. */
void packet_opt(struct packet *p, unsigned size, uint32_t ttl);
void packet_option(
    struct packet *p, unsigned code, const void *bytes, size_t length);

/* -- reading ----------------------------------------------------------- */

struct packet_record {
	uint8_t section; /* 1 answer, 2 authority, 3 additional */
	uint16_t type, class;
	uint32_t ttl;
	uint8_t owner[256]; /* uncompressed */
	const uint8_t *rdata; /* in the message, as it is */
	uint16_t length;
	size_t at; /* offset of its owner */
	size_t rdata_at;
};

struct packet_answer {
	const uint8_t *bytes;
	size_t length;
	uint16_t id, flags, counts[4];
	uint8_t rcode; /* of the header */
	uint8_t name[256]; /* the question's, case as written */
	size_t name_size;
	uint16_t type, class;
	uint32_t n;
	struct packet_record records[PACKET_RECORDS_MAX];
};

/* Everything in it, to the last byte. */
const char *packet_read(
    struct packet_answer *ret, const uint8_t *bytes, size_t length);
/* The name at that offset, pointers followed; returns its bytes there or 0. */
size_t packet_read_name(
    const uint8_t *bytes, size_t length, size_t at, uint8_t ret[256]);
/* The OPT record, or NULL. */
const struct packet_record *packet_find_opt(const struct packet_answer *a);
/* The content of an option of the answer's OPT; NULL: not there. */
const uint8_t *packet_find_option(
    const struct packet_answer *a, unsigned code, size_t *ret_length);
/* RCODE with the upper bits of OPT. */
unsigned packet_rcode(const struct packet_answer *a);
