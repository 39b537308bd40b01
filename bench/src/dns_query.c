/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/src/dns_query.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28, TYPE_OPT = 41 };
enum { OPTION_ECS = 8, OPTION_COOKIE = 10, COOKIE_BYTES = 8 };

/* One that is made. */
struct dns_query {
	uint16_t length, question_end;
	uint16_t ecs_at, cookie_at; /* 0: not there */
	uint8_t bytes[DNS_QUERY_MAX];
};

/* Where it is kept: a million of them must be small. */
struct kept {
	uint32_t at; /* of bytes */
	uint16_t length, question_end, ecs_at, cookie_at;
};

struct dns_queries {
	struct dns_query_options options;
	struct kept *kept;
	uint8_t *bytes;
	size_t n, room, n_bytes, bytes_room;
	size_t next;
	uint32_t ecs_next;
	uint64_t random;
};

static const struct type {
	const char *name;
	uint16_t number;
} types[] = {{"A", 1}, {"NS", 2}, {"CNAME", 5}, {"SOA", 6}, {"MX", 15},
    {"TXT", 16}, {"AAAA", 28}, {"SRV", 33}, {"HTTPS", 65}, {"ANY", 255}};

static void die(const char *what, const char *which)
{
	fprintf(stderr, "dnsload: %s: %s\n", what, which);
	exit(1);
}

uint64_t dns_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* -- queries ----------------------------------------------------------- */

static size_t put16(uint8_t *at, unsigned v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
	return 2;
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint16_t type_of(const char *name)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (!strcmp(types[i].name, name))
			return types[i].number;
	if (!strncmp(name, "TYPE", 4))
		return (uint16_t)atoi(name + 4);
	die("no such type", name);
	return 0;
}

/* Names without escapes. */
static size_t put_name(uint8_t *at, const char *name)
{
	size_t size = 0;

	for (const char *label = name; *label && *label != '.';) {
		size_t length = strcspn(label, ".");

		if (length > 63 || size + length + 2 > 255)
			die("not a name", name);
		at[size++] = (uint8_t)length;
		memcpy(at + size, label, length);
		size += length;
		label += length;
		if (*label == '.')
			label++;
	}
	at[size++] = 0;
	return size;
}

/* RFC 7871 section 6: family, source length, scope 0, as many bytes as the
 * prefix needs. */
static size_t put_ecs(struct dns_query *q, size_t at, int bits)
{
	size_t bytes = (size_t)(bits + 7) / 8, start = at;

	at += put16(q->bytes + at, OPTION_ECS);
	at += put16(q->bytes + at, (unsigned)(4 + bytes));
	at += put16(q->bytes + at, 1);
	q->bytes[at++] = (uint8_t)bits;
	q->bytes[at++] = 0;
	q->ecs_at = (uint16_t)at;
	return at + bytes - start;
}

static size_t put_opt(
    struct dns_query *q, size_t at, const struct dns_query_options *o)
{
	size_t start = at, length_at;

	q->bytes[at++] = 0;
	at += put16(q->bytes + at, TYPE_OPT);
	at += put16(q->bytes + at, 1232);
	at += put16(q->bytes + at, 0);
	at += put16(q->bytes + at, o->dnssec ? 0x8000 : 0);
	length_at = at;
	at += 2;
	if (o->ecs_bits)
		at += put_ecs(q, at, o->ecs_bits);
	if (o->cookie) {
		at += put16(q->bytes + at, OPTION_COOKIE);
		at += put16(q->bytes + at, COOKIE_BYTES);
		q->cookie_at = (uint16_t)at;
		at += COOKIE_BYTES;
	}
	put16(q->bytes + length_at, (unsigned)(at - length_at - 2));
	return at - start;
}

static void make_query(struct dns_query *q, const char *name, uint16_t type,
    const struct dns_query_options *options)
{
	bool opt = options->edns || options->ecs_bits || options->cookie ||
		   options->dnssec;
	size_t at = DNS_HEADER;

	*q = (struct dns_query){0};
	put16(q->bytes + 4, 1);
	put16(q->bytes + 10, opt);
	at += put_name(q->bytes + at, name);
	at += put16(q->bytes + at, type);
	at += put16(q->bytes + at, 1);
	q->question_end = (uint16_t)at;
	if (opt)
		at += put_opt(q, at, options);
	q->length = (uint16_t)at;
}

static void *grown(void *at, size_t needed, size_t *room, size_t each)
{
	if (needed <= *room)
		return at;
	*room = needed * 2;
	at = realloc(at, *room * each);
	if (!at)
		die("memory", "queries");
	return at;
}

static void keep(struct dns_queries *queries, const struct dns_query *q)
{
	queries->kept = grown(queries->kept, queries->n + 1, &queries->room,
	    sizeof *queries->kept);
	queries->bytes = grown(queries->bytes, queries->n_bytes + q->length,
	    &queries->bytes_room, 1);
	queries->kept[queries->n++] = (struct kept){(uint32_t)queries->n_bytes,
	    q->length, q->question_end, q->ecs_at, q->cookie_at};
	memcpy(queries->bytes + queries->n_bytes, q->bytes, q->length);
	queries->n_bytes += q->length;
}

struct dns_queries *dns_queries_read(const struct dns_query_options *options)
{
	struct dns_queries *queries = calloc(1, sizeof *queries);
	FILE *f = fopen(options->names_path, "r");
	char name[300], type[16];

	if (!queries || !f)
		die(options->names_path, strerror(errno));
	queries->options = *options;
	queries->random = options->seed;
	while (fscanf(f, "%299s %15s", name, type) == 2) {
		struct dns_query q;

		make_query(&q, name, type_of(type), options);
		keep(queries, &q);
	}
	fclose(f);
	if (!queries->n)
		die("no names in", options->names_path);
	return queries;
}

size_t dns_queries_count(const struct dns_queries *queries)
{
	return queries->n;
}

static void put_subnet(struct dns_queries *queries, uint8_t *at)
{
	const struct dns_query_options *o = &queries->options;
	uint32_t index = queries->ecs_next++ % o->ecs_count;
	uint32_t address;

	if (o->ecs_random)
		index = (uint32_t)(dns_random(&queries->random) % o->ecs_count);
	address = o->ecs_base + (index << (32 - o->ecs_bits));
	for (int i = 0; i < (o->ecs_bits + 7) / 8; i++)
		at[i] = (uint8_t)(address >> (24 - 8 * i));
}

size_t dns_queries_next(
    struct dns_queries *queries, uint16_t id, uint8_t *out, uint32_t *ret_index)
{
	const struct kept *q = &queries->kept[queries->next];
	uint64_t cookie;

	*ret_index = (uint32_t)queries->next;
	if (++queries->next == queries->n)
		queries->next = 0;
	memcpy(out, queries->bytes + q->at, q->length);
	put16(out, id);
	if (q->ecs_at)
		put_subnet(queries, out + q->ecs_at);
	if (q->cookie_at) {
		cookie = dns_random(&queries->random);
		memcpy(out + q->cookie_at, &cookie, COOKIE_BYTES);
	}
	return q->length;
}

/* -- answers ----------------------------------------------------------- */

enum dns_verdict dns_queries_check(const struct dns_queries *queries,
    uint32_t index, const uint8_t *answer, size_t length,
    struct dns_answer *ret)
{
	const struct kept *q = &queries->kept[index];
	const uint8_t *asked = queries->bytes + q->at;

	if (length < q->question_end || (answer[2] & 0xf8) != 0x80 ||
	    get16(answer + 4) != 1 ||
	    memcmp(answer + DNS_HEADER, asked + DNS_HEADER,
		(size_t)q->question_end - DNS_HEADER) != 0)
		return DNS_BAD;
	ret->rcode = answer[3] & 15;
	ret->truncated = answer[2] & 2;
	ret->answers = get16(answer + 6);
	return DNS_GOOD;
}

/* The offset behind the name at `at`; 0 when it runs out of the message. */
static size_t skip_name(const uint8_t *m, size_t length, size_t at)
{
	while (at < length) {
		if (m[at] >= 0xc0)
			return at + 2 <= length ? at + 2 : 0;
		if (!m[at])
			return at + 1;
		at += 1u + m[at];
	}
	return 0;
}

static bool name_text(const uint8_t *m, size_t length, size_t at, char *ret)
{
	size_t n = 0;

	for (int jumps = 0; at < length && jumps < 64;) {
		if (m[at] >= 0xc0) {
			if (at + 2 > length)
				return false;
			at = get16(m + at) & 0x3fff;
			jumps++;
			continue;
		}
		if (!m[at]) {
			ret[n] = '\0';
			return true;
		}
		if (n + m[at] + 2 > DNS_TARGET_MAX || at + 1 + m[at] > length)
			return false;
		for (unsigned i = 1; i <= m[at]; i++) {
			uint8_t c = m[at + i];

			ret[n++] = c > ' ' && c < 127 && c != '"' && c != '\\'
				       ? (char)c
				       : '?';
		}
		ret[n++] = '.';
		at += 1u + m[at];
	}
	return false;
}

bool dns_answer_target(
    const uint8_t *m, size_t length, char ret[DNS_TARGET_MAX])
{
	size_t at;
	uint16_t type, bytes;

	if (length < DNS_HEADER || !get16(m + 4) || !get16(m + 6))
		return false;
	at = skip_name(m, length, DNS_HEADER);
	at = at ? skip_name(m, length, at + 4) : 0;
	if (!at || at + 10 > length)
		return false;
	type = get16(m + at);
	bytes = get16(m + at + 8);
	at += 10;
	if (at + bytes > length)
		return false;
	if (type == TYPE_CNAME)
		return name_text(m, length, at, ret);
	if ((type == TYPE_A && bytes == 4) ||
	    (type == TYPE_AAAA && bytes == 16))
		return inet_ntop(type == TYPE_A ? AF_INET : AF_INET6, m + at,
			   ret, DNS_TARGET_MAX) != NULL;
	return false;
}
