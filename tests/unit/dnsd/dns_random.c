/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dnsd/dns_random.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

enum { A = 1, NS = 2, CNAME = 5, SOA = 6, PTR = 12, MX = 15, TXT = 16 };
enum { AAAA = 28, SRV = 33, NAPTR = 35, DNAME = 39, DS = 43, TLSA = 52 };
enum { SVCB = 64, HTTPS = 65, ANY = 255, CAA = 257, UNKNOWN = 65400 };

int random_first_seed(void)
{
	const char *text = getenv("BRAID_SEED");

	return text ? atoi(text) : 0;
}

static const uint8_t apexes[REF_ZONES_MAX][16] = {
    "\1z\7example", "\1a\1z\7example", "\5other"};
static const char *const labels[] = {
    "a", "b", "B", "c", "*", "aa", "ab", "\1", "~", "_x"};
/* Doubles a name's size soon, where a DNAME has it. */
static const char long_label[] =
    "longlonglonglonglonglonglonglonglonglonglonglonglonglonglonglo";

static uint32_t below(struct rng *rng, uint32_t n)
{
	return rng_below(rng, n);
}

static bool one_in(struct rng *rng, uint32_t n)
{
	return below(rng, n) == 0;
}

static void random_name(
    struct rng *rng, const struct ref_name *apex, struct ref_name *ret)
{
	uint32_t depth = below(rng, 5);

	*ret = *apex;
	for (uint32_t i = 0; i < depth; i++)
		(void)ref_prepend(ret,
		    one_in(rng, 40) ? long_label
				    : labels[below(rng, BR_COUNT(labels))]);
}

/* In lower case, as rdata is compared bit by bit. */
static void random_target(
    struct rng *rng, const struct ref_world *world, struct ref_name *ret)
{
	if (one_in(rng, 12)) {
		ref_name_of(ret, (const uint8_t *)"\1x\7nowhere");
		return;
	}
	random_name(rng,
	    &world->zones[one_in(rng, 5) ? below(rng, (uint32_t)world->n) : 0]
		 .apex,
	    ret);
	for (size_t i = 0; i < ret->size; i++)
		if (ret->wire[i] == 'B')
			ret->wire[i] = 'b';
}

/* -- records ----------------------------------------------------------- */

static void add(struct ref_record *r, const void *bytes, size_t n)
{
	if (r->length + n > sizeof r->rdata)
		abort();
	memcpy(r->rdata + r->length, bytes, n);
	r->length = (uint16_t)(r->length + n);
}

static void add_random(struct rng *rng, struct ref_record *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t byte = (uint8_t)below(rng, 3);

		add(r, &byte, 1);
	}
}

static void add_target(
    struct rng *rng, struct ref_record *r, const struct ref_world *world)
{
	struct ref_name target;

	random_target(rng, world, &target);
	add(r, target.wire, target.size);
}

/* One that makes names too long. */
static void add_long_target(
    struct rng *rng, struct ref_record *r, const struct ref_world *world)
{
	struct ref_name target;

	random_target(rng, world, &target);
	for (int i = 0; i < 3; i++)
		(void)ref_prepend(&target, long_label);
	add(r, target.wire, target.size);
}

static void random_text(struct rng *rng, struct ref_record *r)
{
	uint8_t length = one_in(rng, 4) ? 250 : (uint8_t)(1 + below(rng, 3));

	add(r, &length, 1);
	add_random(rng, r, length);
}

static void random_rdata(
    struct rng *rng, struct ref_record *r, const struct ref_world *world)
{
	r->length = 0;
	switch (r->type) {
	case A:
		add_random(rng, r, 4);
		break;
	case AAAA:
		add_random(rng, r, 16);
		break;
	case TXT:
		random_text(rng, r);
		break;
	case MX:
		add_random(rng, r, 2);
		add_target(rng, r, world);
		break;
	case SRV:
		add_random(rng, r, 6);
		add_target(rng, r, world);
		break;
	case NAPTR:
		add_random(rng, r, 4);
		add(r, "\1u\0\0", 4);
		add_target(rng, r, world);
		break;
	case SVCB:
	case HTTPS:
		add(r, one_in(rng, 3) ? "\0\0" : "\0\1", 2);
		if (one_in(rng, 3))
			add(r, "", 1);
		else
			add_target(rng, r, world);
		break;
	case DNAME:
		if (one_in(rng, 4))
			add_long_target(rng, r, world);
		else
			add_target(rng, r, world);
		break;
	case DS:
		add(r, "\0\1\15\2", 4);
		add_random(rng, r, 32);
		break;
	case TLSA:
		add(r, "\3\1\1", 3);
		add_random(rng, r, 32);
		break;
	case CAA:
		add(r, "\0\5issueca", 9);
		break;
	case UNKNOWN:
		add_random(rng, r, below(rng, 9));
		break;
	default:
		add_target(rng, r, world);
	}
}

/* -- zones ------------------------------------------------------------- */

static bool owns_any(const struct ref_zone *zone, const struct ref_name *name)
{
	for (int i = 0; i < zone->n; i++)
		if (ref_compare(&zone->records[i].owner, name) == 0)
			return true;
	return false;
}

static bool is_wildcard(const struct ref_name *name)
{
	return name->wire[0] == 1 && name->wire[1] == '*';
}

/* RFC 6672 section 2.4. Glue is no data of this zone's. */
static bool is_below_dname(
    const struct ref_zone *zone, const struct ref_name *name)
{
	for (int n = zone->apex.n; n < name->n; n++) {
		struct ref_name above = ref_ancestor(name, n);

		if (ref_owns(zone, &above, DNAME))
			return true;
	}
	return false;
}

static bool has_below(const struct ref_zone *zone, const struct ref_name *name)
{
	for (int i = 0; i < zone->n; i++)
		if (zone->records[i].owner.n > name->n &&
		    ref_is_within(&zone->records[i].owner, name))
			return true;
	return false;
}

static bool has_record(const struct ref_zone *zone, const struct ref_record *r)
{
	for (int i = 0; i < zone->n; i++) {
		const struct ref_record *other = &zone->records[i];

		if (other->type == r->type && other->length == r->length &&
		    ref_compare(&other->owner, &r->owner) == 0 &&
		    memcmp(other->rdata, r->rdata, r->length) == 0)
			return true;
	}
	return false;
}

/* What loading refuses: see dnsd/zone_check.h. */
static bool is_allowed(const struct ref_zone *zone, const struct ref_record *r)
{
	const struct ref_name *owner = &r->owner;
	bool apex = owner->n == zone->apex.n;

	if (has_record(zone, r) || ref_owns(zone, owner, CNAME) ||
	    is_below_dname(zone, owner))
		return false;
	switch (r->type) {
	case CNAME:
		return !apex && !owns_any(zone, owner);
	case DNAME:
		return !ref_owns(zone, owner, DNAME) && !is_wildcard(owner) &&
		       (apex || !ref_owns(zone, owner, NS)) &&
		       !has_below(zone, owner);
	case NS:
		return !is_wildcard(owner) && !apex &&
		       !ref_owns(zone, owner, DNAME);
	case DS:
		return ref_owns(zone, owner, NS) && !apex;
	default:
		return true;
	}
}

static void set_ttl(struct ref_zone *zone, struct ref_record *r)
{
	for (int i = 0; i < zone->n; i++) {
		const struct ref_record *other = &zone->records[i];

		if (other->type == r->type &&
		    ref_compare(&other->owner, &r->owner) == 0)
			r->ttl = other->ttl;
	}
}

static void put(struct ref_zone *zone, struct ref_record *r)
{
	if (zone->n == REF_RECORDS_MAX || !is_allowed(zone, r))
		return;
	set_ttl(zone, r);
	zone->records[zone->n++] = *r;
}

static struct ref_record *begin(
    struct ref_zone *zone, uint16_t type, uint32_t ttl)
{
	struct ref_record *r = &zone->records[zone->n++];

	r->owner = zone->apex;
	r->type = type;
	r->ttl = ttl;
	r->length = 0;
	return r;
}

/* The MINIMUM of 60 s is below or above the SOA's own TTL. */
static void add_apex(struct rng *rng, struct ref_zone *zone)
{
	struct ref_record *r = begin(zone, SOA, 30 + 60 * below(rng, 2));

	add(r, "\1m", 3);
	add(r, "\4host", 6);
	add(r, "\0\0\0\7\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\74", 20);
	r = begin(zone, NS, 300);
	add(r, "\2ns\7nowhere", 12);
}

static uint16_t random_type(struct rng *rng)
{
	static const uint16_t types[] = {A, A, A, AAAA, TXT, MX, SRV, CNAME,
	    CNAME, CNAME, DNAME, NS, NS, DS, PTR, NAPTR, TLSA, CAA, HTTPS,
	    HTTPS, SVCB, UNKNOWN};

	return types[below(rng, BR_COUNT(types))];
}

/* Sometimes many of one owner and type, so that answers are cut. */
static void random_records(
    struct rng *rng, struct ref_world *world, struct ref_zone *zone)
{
	struct ref_record r = {
	    .type = random_type(rng), .ttl = 100 + below(rng, 3)};
	uint32_t n = one_in(rng, 25) ? 8 + below(rng, 30) : 1;

	if (!one_in(rng, 3) || zone->n < 3) {
		random_name(rng, &zone->apex, &r.owner);
	} else {
		r.owner = zone->records[below(rng, (uint32_t)zone->n)].owner;
	}
	for (uint32_t i = 0; i < n; i++) {
		random_rdata(rng, &r, world);
		put(zone, &r);
	}
}

/* For some of the delegations, a DS and addresses of their servers. */
static void random_glue(struct rng *rng, struct ref_zone *zone)
{
	for (int i = 0, n = zone->n; i < n; i++) {
		struct ref_record glue = {
		    .type = one_in(rng, 2) ? A : AAAA, .ttl = 200};

		if (zone->records[i].type != NS || one_in(rng, 3))
			continue;
		if (one_in(rng, 3)) {
			struct ref_record ds = {.owner = zone->records[i].owner,
			    .type = DS,
			    .ttl = 200};

			random_rdata(rng, &ds, NULL);
			put(zone, &ds);
		}
		ref_name_of(&glue.owner, zone->records[i].rdata);
		if (!ref_is_within(&glue.owner, &zone->apex))
			continue;
		for (uint32_t k = one_in(rng, 6) ? 9 : 1; k > 0; k--) {
			random_rdata(rng, &glue, NULL);
			put(zone, &glue);
		}
	}
}

void random_world(struct rng *rng, struct ref_world *ret)
{
	ret->n = 1 + (int)below(rng, REF_ZONES_MAX);
	for (int i = 0; i < ret->n; i++) {
		ref_name_of(&ret->zones[i].apex, apexes[i]);
		ret->zones[i].n = 0;
	}
	for (int i = 0; i < ret->n; i++) {
		struct ref_zone *zone = &ret->zones[i];
		uint32_t n = below(rng, i == 0 ? 40 : 12);

		add_apex(rng, zone);
		for (uint32_t k = 0; k < n; k++)
			random_records(rng, ret, zone);
		random_glue(rng, zone);
	}
}

/* -- questions --------------------------------------------------------- */

static const uint16_t asked[] = {A, A, A, AAAA, NS, CNAME, SOA, PTR, MX, TXT,
    SRV, NAPTR, DNAME, DS, DS, TLSA, SVCB, HTTPS, HTTPS, ANY, CAA, UNKNOWN,
    UNKNOWN + 1};

/* Mostly a name that is there, below one, or one that something leads to. */
void random_question(struct rng *rng, const struct ref_world *world,
    struct ref_name *ret_name, uint16_t *ret_type)
{
	const struct ref_zone *zone =
	    &world->zones[below(rng, (uint32_t)world->n)];
	const struct ref_record *r =
	    &zone->records[below(rng, (uint32_t)zone->n)];
	bool any = one_in(rng, 3);

	*ret_type = any || one_in(rng, 2) ? asked[below(rng, BR_COUNT(asked))]
					  : r->type;
	if (any) {
		random_name(rng, &zone->apex, ret_name);
	} else {
		*ret_name = r->owner;
		if (is_wildcard(&r->owner) && !one_in(rng, 3))
			*ret_name = ref_ancestor(&r->owner, r->owner.n - 1);
		if (ret_name->n < r->owner.n || one_in(rng, 4))
			(void)ref_prepend(
			    ret_name, labels[below(rng, BR_COUNT(labels))]);
	}
	for (size_t i = 0; i < ret_name->size; i++)
		if (ret_name->wire[i] == 'a' && one_in(rng, 4))
			ret_name->wire[i] = 'A';
	if (one_in(rng, 200))
		ref_name_of(ret_name, (const uint8_t *)"\7nowhere");
}
