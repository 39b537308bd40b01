/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/geo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "daemon/geo_file.h"

#define WHY_MAX 256
#define LETTERS 26u
#define CODES (LETTERS * LETTERS)
#define NO_REGION UINT16_MAX

/* A network and its region, by number of the network. */
struct asn_region {
	uint32_t asn;
	uint16_t region;
};

struct loading {
	const struct conf *conf;
	struct region_entry *entries;
	uint32_t n, room;
	enum region_source source; /* of what is being added */
	/* What regions have, by the two letters of a code. */
	uint16_t country[CODES], continent[CODES];
	struct asn_region *asns; /* ascending */
	uint32_t n_asns;
};

static int add(
    struct loading *loading, const struct prefix *prefix, uint32_t region)
{
	if (loading->n == REGION_PREFIXES_MAX)
		return BR_E_LIMIT;
	if (loading->n == loading->room) {
		uint32_t room = loading->room ? loading->room * 2 : 1024;
		size_t bytes = (size_t)room * sizeof *loading->entries;

		loading->entries = realloc(loading->entries, bytes);
		if (!loading->entries)
			br_out_of_memory("regions", bytes);
		loading->room = room;
	}
	loading->entries[loading->n++] = (struct region_entry){
	    .prefix = *prefix,
	    .region = (uint16_t)region,
	    .source = (uint8_t)loading->source,
	};
	return 0;
}

/* -- what regions want of databases -------------------------------------- */

static uint32_t code_place(const char *code)
{
	return (uint32_t)(code[0] - 'A') * LETTERS + (uint32_t)(code[1] - 'A');
}

/* The file has been checked: a kind, a colon and what is well formed. */
static void want_term(
    struct loading *loading, const char *term, uint16_t region)
{
	const char *value = strchr(term, ':') + 1;

	if (!strncmp(term, "country:", 8))
		loading->country[code_place(value)] = region;
	else if (!strncmp(term, "continent:", 10))
		loading->continent[code_place(value)] = region;
	else
		loading->asns[loading->n_asns++] = (struct asn_region){
		    (uint32_t)strtoul(value, NULL, 10), region};
}

static int compare_asns(const void *a, const void *b)
{
	const struct asn_region *x = a, *y = b;

	return (x->asn > y->asn) - (x->asn < y->asn);
}

static void want_all(struct loading *loading)
{
	const struct conf *conf = loading->conf;
	size_t n = 0;

	for (uint32_t i = 0; i < CODES; i++)
		loading->country[i] = loading->continent[i] = NO_REGION;
	for (uint32_t i = 0; i < conf->n_regions; i++)
		n += conf->regions[i].geo.n;
	loading->asns = calloc(n + 1, sizeof *loading->asns);
	if (!loading->asns)
		br_out_of_memory("regions", n * sizeof *loading->asns);
	for (uint32_t i = 0; i < conf->n_regions; i++)
		for (uint32_t k = 0; k < conf->regions[i].geo.n; k++)
			want_term(
			    loading, conf->regions[i].geo.at[k], (uint16_t)i);
	qsort(loading->asns, loading->n_asns, sizeof *loading->asns,
	    compare_asns);
}

/* -- what databases have -------------------------------------------------- */

static uint32_t choose_place(void *context, const struct geo_record *record)
{
	const struct loading *loading = context;
	uint16_t region = NO_REGION;

	if (record->country[0])
		region = loading->country[code_place(record->country)];
	if (region == NO_REGION && record->continent[0])
		region = loading->continent[code_place(record->continent)];
	return region == NO_REGION ? GEO_NONE : region;
}

static uint32_t choose_network(void *context, const struct geo_record *record)
{
	const struct loading *loading = context;
	struct asn_region key = {.asn = record->asn};
	const struct asn_region *found = bsearch(
	    &key, loading->asns, loading->n_asns, sizeof key, compare_asns);

	return found ? found->region : GEO_NONE;
}

static int on_prefix(
    void *context, const struct prefix *prefix, uint32_t region)
{
	return add(context, prefix, region);
}

static int read_database(struct loading *loading, const char *path,
    uint32_t (*choose)(void *context, const struct geo_record *record),
    struct geo_facts *ret, char why[WHY_MAX])
{
	struct geo_sink sink = {
	    .context = loading, .choose = choose, .emit = on_prefix};

	return geo_file_read(path, &sink, ret, why, WHY_MAX);
}

static int refuse(const struct loading *loading, struct conf_errors *errors,
    const char *key, const char *path, struct conf_pos pos, const char *why)
{
	conf_errors_add(errors, loading->conf->file, pos, false, "%s: %s: %s",
	    key, path, why);
	return BR_E_CONFIG;
}

/* It is read also where no region asks it: what is wrong is said. */
static int load_places(struct loading *loading, struct conf_errors *errors)
{
	const struct conf_geo *geo = &loading->conf->geo;
	struct geo_facts facts = {.places = true};
	char why[WHY_MAX] = "";
	int err = 0;

	loading->source = REGION_FROM_GEO;
	if (geo->file)
		err = read_database(
		    loading, geo->file, choose_place, &facts, why);
	if (!err && !facts.places)
		(void)snprintf(why, sizeof why,
		    "it has no countries or continents (its type is \"%s\")",
		    facts.type);
	return why[0] ? refuse(loading, errors, "geo.file", geo->file,
			    geo->file_pos, why)
		      : 0;
}

static int load_networks(struct loading *loading, struct conf_errors *errors)
{
	const struct conf_geo *geo = &loading->conf->geo;
	struct geo_facts facts = {.networks = true};
	char why[WHY_MAX] = "";
	int err = 0;

	loading->source = REGION_FROM_ASN;
	if (geo->asn)
		err = read_database(
		    loading, geo->asn, choose_network, &facts, why);
	if (!err && !facts.networks)
		(void)snprintf(why, sizeof why,
		    "it has no autonomous systems (its type is \"%s\")",
		    facts.type);
	return why[0] ? refuse(loading, errors, "geo.asn", geo->asn,
			    geo->asn_pos, why)
		      : 0;
}

/* -- the whole ------------------------------------------------------------ */

static int load_prefixes(struct loading *loading)
{
	const struct conf *conf = loading->conf;
	int err = 0;

	loading->source = REGION_FROM_CONFIG;
	for (uint32_t i = 0; i < conf->n_regions && !err; i++) {
		const struct conf_prefixes *list = &conf->regions[i].prefixes;

		for (uint32_t k = 0; k < list->n && !err; k++)
			err = add(loading, &list->at[k], i);
	}
	return err;
}

/* The prefixes of the file are each in one region: a rule of conf/. So are
 * those of a tree. */
static int make_map(struct loading *loading, struct conf_errors *errors,
    struct region_map **ret)
{
	struct region_clash clash;
	int err = load_prefixes(loading);

	if (!err)
		err = region_map_new(loading->entries, loading->n, ret, &clash);
	if (!err)
		return 0;
	conf_errors_add(errors, loading->conf->file,
	    loading->conf->regions[0].pos, false, "regions: %s",
	    err == -E2BIG ? "they have too many prefixes" : br_strerror(err));
	return BR_E_CONFIG;
}

int geo_load(const struct conf *conf, struct conf_errors *errors,
    struct region_map **ret)
{
	struct loading *loading;
	int err, asn_err;

	*ret = NULL;
	if (!conf->n_regions)
		return 0;
	loading = calloc(1, sizeof *loading);
	if (!loading)
		br_out_of_memory("regions", sizeof *loading);
	loading->conf = conf;
	want_all(loading);
	/* Both, so that one run says all that is wrong. */
	err = load_places(loading, errors);
	asn_err = load_networks(loading, errors);
	if (!err)
		err = asn_err;
	if (!err)
		err = make_map(loading, errors, ret);
	free(loading->entries);
	free(loading->asns);
	free(loading);
	return err;
}
