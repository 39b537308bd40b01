/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/sign_variant.h"

#include "base/assert.h"
#include "dnsd/rdata.h"

#include <stdlib.h>
#include <string.h>

struct variants {
	const struct zone *zone;
	const struct sign_options *options;
	struct zone_builder *builder;
	struct rrsig_maker maker;
	const uint8_t *owner;
	/* Records of the variant at hand in canonical form. */
	struct zone_bytes canonical;
	uint32_t at[ANSWER_SET_MAX];
	uint16_t length[ANSWER_SET_MAX];
	uint32_t n;
};

static int compare(const struct variants *variants, uint32_t a, uint32_t b)
{
	uint16_t a_length = variants->length[a], b_length = variants->length[b];
	int order = memcmp(variants->canonical.bytes + variants->at[a],
	    variants->canonical.bytes + variants->at[b],
	    a_length < b_length ? a_length : b_length);

	return order ? order : a_length - b_length;
}

static void swap(struct variants *variants, uint32_t a, uint32_t b)
{
	uint32_t at = variants->at[a];
	uint16_t length = variants->length[a];

	variants->at[a] = variants->at[b];
	variants->length[a] = variants->length[b];
	variants->at[b] = at;
	variants->length[b] = length;
}

/* In the order of RFC 4034 section 6.3, whatever order answers have. There are
 * few: by insertion. */
static void take(struct variants *variants, const struct answer_set *set)
{
	br_assert(set->n <= ANSWER_SET_MAX);
	variants->canonical.length = 0;
	variants->n = 0;
	for (uint32_t i = 0; i < set->n; i++) {
		const struct answer_record *record = &set->records[i];
		size_t at =
		    zone_bytes_add(&variants->canonical, record->length);

		memcpy(variants->canonical.bytes + at, record->rdata,
		    record->length);
		rdata_make_canonical(
		    set->type, variants->canonical.bytes + at, record->length);
		variants->at[variants->n] = (uint32_t)at;
		variants->length[variants->n] = record->length;
		for (uint32_t j = variants->n++;
		     j > 0 && compare(variants, j - 1, j) > 0; j--)
			swap(variants, j - 1, j);
	}
}

static void on_variant(void *context, const struct answer_set *set)
{
	struct variants *variants = context;
	struct rrsig_window window = sign_window(zone_apex(variants->zone),
	    variants->owner, set->type, variants->options->now);
	uint8_t rdata[RRSIG_RDATA_MAX];
	struct dns_record record = {.owner = variants->owner,
	    .type = RR_RRSIG,
	    .ttl = set->ttl,
	    .rdata = rdata};

	if (!set->n)
		return;
	take(variants, set);
	rrsig_begin(
	    &variants->maker, variants->owner, set->type, set->ttl, &window);
	for (uint32_t i = 0; i < variants->n; i++)
		rrsig_record(&variants->maker,
		    variants->canonical.bytes + variants->at[i],
		    variants->length[i]);
	record.length = rrsig_end(&variants->maker, rdata);
	zone_builder_add_variant(variants->builder, set->variant, &record);
}

void sign_variant_all(const struct zone *zone, const struct zone_node *node,
    const struct sign_options *options, struct zone_builder *builder)
{
	const struct zone_dynamic *dynamic = zone_dynamic(zone, node);
	struct variants variants = {.zone = zone,
	    .options = options,
	    .builder = builder,
	    .owner = zone_node_name(zone, node)};

	br_assert(options->variants);
	rrsig_init(&variants.maker, options->key, zone_apex(zone));
	for (int i = 0; i < dynamic->n_types; i++)
		(void)options->variants(dynamic->resource, dynamic->types[i],
		    on_variant, &variants);
	rrsig_fini(&variants.maker);
	free(variants.canonical.bytes);
}
