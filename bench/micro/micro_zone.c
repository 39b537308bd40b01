/* SPDX-License-Identifier: Apache-2.0 */
/* Names looked up in a zone, and a signature. */
#include "bench/micro/micro.h"

#include "base/assert.h"
#include "dnsd/dnskey.h"
#include "dnsd/zone_builder.h"
#include "dnsd/zone_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED 1u
#define KEYS 4096u

static const uint8_t apex[] = "\7example\3com";

struct bench {
	struct zone_set *set;
	uint8_t (*names)[DNAME_MAX]; /* KEYS that exist, KEYS that do not */
	size_t *sizes;
};

static void add(struct zone_builder *builder, const uint8_t *owner,
    uint16_t type, const void *rdata, uint16_t length)
{
	zone_builder_add(builder, &(struct dns_record){.owner = owner,
				      .type = type,
				      .ttl = 300,
				      .rdata = rdata,
				      .length = length});
}

static size_t name_of(uint8_t ret[DNAME_MAX], uint32_t number)
{
	char text[32];
	const char *wrong;
	int n = snprintf(text, sizeof text, "h%u", number);

	br_assert(!dname_from_text(text, (size_t)n, apex, ret, &wrong));
	return dname_size(ret);
}

static struct zone *make_zone(uint32_t names)
{
	static const uint8_t soa[] = "\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0"
				     "\0\5";
	struct zone_report report;
	struct zone_builder *builder;
	struct zone *zone;

	zone_report_init(&report);
	builder = zone_builder_new(apex, SEED, &report);
	add(builder, apex, 6, soa, 22);
	add(builder, apex, 2, "\2ns\3org", 8);
	for (uint32_t i = 0; i < names; i++) {
		uint8_t name[DNAME_MAX];

		(void)name_of(name, i);
		add(builder, name, 1, "\300\0\2\1", 4);
	}
	zone = zone_builder_finish(builder);
	br_assert(zone);
	zone_report_fini(&report);
	return zone;
}

static void *bench_open(uint32_t names)
{
	struct bench *b = micro_alloc(1, sizeof *b);
	struct zone *zone = make_zone(names);

	b->set = zone_set_new(SEED);
	br_assert(!zone_set_add(b->set, zone));
	zone_unref(zone);
	b->names = micro_alloc(2 * (size_t)KEYS, sizeof *b->names);
	b->sizes = micro_alloc(2 * (size_t)KEYS, sizeof *b->sizes);
	for (uint32_t i = 0; i < KEYS; i++) {
		uint32_t number = (uint32_t)(i * UINT64_C(7368787) % names);

		b->sizes[i] = name_of(b->names[i], number);
		b->sizes[KEYS + i] =
		    name_of(b->names[KEYS + i], names + number);
	}
	return b;
}

static void bench_close(void *state)
{
	struct bench *b = state;

	zone_set_free(b->set);
	free(b->names);
	free(b->sizes);
	free(b);
}

/* As a query does it: key, zone, name, rrset. */
static const struct rrset *look_up(
    const struct bench *b, uint32_t i, struct zone_match *match)
{
	const struct zone *zone;
	struct dname_key key;

	dname_key_of(&key, b->names[i], b->sizes[i], SEED);
	zone = zone_set_find(b->set, &key);
	zone_find(zone, &key, match);
	return match->node ? zone_rrset(zone, match->node, 1) : NULL;
}

static void run_found(void *state, uint64_t n)
{
	struct zone_match match;

	for (uint64_t i = 0; i < n; i++)
		br_assert(look_up(state, (uint32_t)(i % KEYS), &match));
}

static void run_none(void *state, uint64_t n)
{
	struct zone_match match;

	for (uint64_t i = 0; i < n; i++) {
		(void)look_up(state, (uint32_t)(KEYS + i % KEYS), &match);
		br_assert(match.kind == ZONE_MATCH_NONE);
	}
}

static void *sign_open(uint32_t size)
{
	struct dnskey *key;

	(void)size;
	br_assert(!dnskey_generate(&key));
	return key;
}

static void sign_close(void *state)
{
	dnskey_free(state);
}

static void run_sign(void *state, uint64_t n)
{
	struct dnskey_signer *signer = dnskey_signer_new(state);
	uint8_t bytes[100] = {0}, signature[DNSKEY_SIGNATURE_BYTES];

	for (uint64_t i = 0; i < n; i++) {
		bytes[i % sizeof bytes]++;
		dnskey_sign(signer, bytes, sizeof bytes, signature);
	}
	dnskey_signer_free(signer);
}

#define CASE(what, run_it, n)                                                  \
	{                                                                      \
		.name = "zone: " what, .open = bench_open, .run = run_it,      \
		.close = bench_close, .size = n                                \
	}

static const struct micro_case cases[] = {
    CASE("a name amid 1,000", run_found, 1000),
    CASE("a name amid 100,000", run_found, 100000),
    CASE("no such name amid 100,000", run_none, 100000),
    {
	.name = "zone: one signature",
	.open = sign_open,
	.run = run_sign,
	.close = sign_close,
    },
};

int main(int argc, char **argv)
{
	return micro_main(argc, argv, cases, BR_COUNT(cases));
}
