/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dnsd/dns_reference.h"

#include <stdlib.h>
#include <string.h>

enum { A = 1, NS = 2, CNAME = 5, SOA = 6, PTR = 12, MX = 15, AAAA = 28 };
enum { SRV = 33, DNAME = 39, DS = 43, SVCB = 64, HTTPS = 65, ANY = 255 };
enum { NOERROR = 0, NXDOMAIN = 3, REFUSED = 5, YXDOMAIN = 6 };

/* -- names ------------------------------------------------------------- */

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

void ref_name_of(struct ref_name *ret, const uint8_t *wire)
{
	memset(ret, 0, sizeof *ret);
	while (wire[ret->size]) {
		ret->size += 1u + wire[ret->size];
		ret->n++;
	}
	ret->size++;
	memcpy(ret->wire, wire, ret->size);
}

/* The label with so many labels behind it. */
static const uint8_t *label_of(const struct ref_name *name, int behind)
{
	const uint8_t *at = name->wire;

	for (int i = name->n - 1; i > behind; i--)
		at += 1 + *at;
	return at;
}

struct ref_name ref_ancestor(const struct ref_name *name, int n)
{
	struct ref_name ret;

	ref_name_of(&ret, n == 0 ? (const uint8_t *)"" : label_of(name, n - 1));
	return ret;
}

bool ref_prepend(struct ref_name *name, const char *label)
{
	size_t length = strlen(label);

	if (name->size + length + 1 > REF_NAME_MAX)
		return false;
	memmove(name->wire + length + 1, name->wire, name->size);
	name->wire[0] = (uint8_t)length;
	memcpy(name->wire + 1, label, length);
	name->size += length + 1;
	name->n++;
	return true;
}

/* As strings of bytes in lower case, a shorter one first. */
static int compare_labels(const uint8_t *a, const uint8_t *b)
{
	for (int i = 1; i <= *a && i <= *b; i++)
		if (lower(a[i]) != lower(b[i]))
			return lower(a[i]) - lower(b[i]);
	return *a - *b;
}

int ref_compare(const struct ref_name *a, const struct ref_name *b)
{
	for (int i = 0; i < a->n && i < b->n; i++) {
		int order = compare_labels(label_of(a, i), label_of(b, i));

		if (order)
			return order;
	}
	return a->n - b->n;
}

bool ref_is_within(const struct ref_name *name, const struct ref_name *above)
{
	struct ref_name cut;

	if (name->n < above->n)
		return false;
	cut = ref_ancestor(name, above->n);
	return ref_compare(&cut, above) == 0;
}

/* -- records ----------------------------------------------------------- */

bool ref_owns(
    const struct ref_zone *zone, const struct ref_name *name, uint16_t type)
{
	for (int i = 0; i < zone->n; i++)
		if (zone->records[i].type == type &&
		    ref_compare(&zone->records[i].owner, name) == 0)
			return true;
	return false;
}

bool ref_exists(const struct ref_zone *zone, const struct ref_name *name)
{
	for (int i = 0; i < zone->n; i++)
		if (ref_is_within(&zone->records[i].owner, name))
			return true;
	return false;
}

bool ref_is_below_cut(const struct ref_zone *zone, const struct ref_name *name)
{
	for (int n = zone->apex.n + 1; n <= name->n; n++) {
		struct ref_name above = ref_ancestor(name, n);

		if (ref_owns(zone, &above, NS))
			return true;
	}
	return false;
}

int ref_target_at(uint16_t type)
{
	switch (type) {
	case NS:
		return 0;
	case MX:
	case SVCB:
	case HTTPS:
		return 2;
	case SRV:
		return 6;
	default:
		return -1;
	}
}

int ref_names_in(uint16_t type, int *ret_before)
{
	*ret_before = type == MX ? 2 : 0;
	switch (type) {
	case NS:
	case CNAME:
	case PTR:
	case MX:
		return 1;
	case SOA:
		return 2;
	default:
		return 0;
	}
}

/* -- lines ------------------------------------------------------------- */

static void put_bytes(struct ref_line *line, const void *bytes, size_t length)
{
	if (line->length + length > sizeof line->bytes)
		abort();
	memcpy(line->bytes + line->length, bytes, length);
	line->length += length;
}

static void put_number(struct ref_line *line, uint32_t v, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--) {
		uint8_t byte = (uint8_t)(v >> 8 * i);

		put_bytes(line, &byte, 1);
	}
}

/* Length bytes of labels are below 'A'. */
static void put_lower(struct ref_line *line, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t byte = lower(bytes[i]);

		put_bytes(line, &byte, 1);
	}
}

void ref_put(struct ref_lines *lines, const struct ref_name *owner,
    uint16_t type, uint32_t ttl, const uint8_t *rdata, size_t length)
{
	struct ref_line *line = &lines->line[lines->n++];
	int before, names = ref_names_in(type, &before);
	size_t at = (size_t)before;

	if (lines->n > REF_LINES_MAX)
		abort();
	line->type = type;
	line->length = 0;
	put_lower(line, owner->wire, owner->size);
	put_number(line, type, 2);
	put_number(line, ttl, 4);
	put_bytes(line, rdata, at);
	for (int i = 0; i < names; i++) {
		struct ref_name name;

		ref_name_of(&name, rdata + at);
		put_lower(line, name.wire, name.size);
		at += name.size;
	}
	put_bytes(line, rdata + at, length - at);
}

static int compare_lines(const void *left, const void *right)
{
	const struct ref_line *a = left, *b = right;
	size_t n = a->length < b->length ? a->length : b->length;
	int order = memcmp(a->bytes, b->bytes, n);

	return order ? order
		     : (a->length > b->length) - (a->length < b->length);
}

void ref_sort(struct ref_lines *lines)
{
	qsort(
	    lines->line, (size_t)lines->n, sizeof *lines->line, compare_lines);
}

/* Of several names' addresses each once. */
static void sort_once(struct ref_lines *lines)
{
	int n = 0;

	ref_sort(lines);
	for (int i = 0; i < lines->n; i++)
		if (i == 0 ||
		    compare_lines(&lines->line[i], &lines->line[n - 1]) != 0)
			lines->line[n++] = lines->line[i];
	lines->n = n;
}

bool ref_is_part(const struct ref_lines *part, const struct ref_lines *whole)
{
	int at = 0;

	for (int i = 0; i < part->n; i++) {
		while (at < whole->n &&
		       compare_lines(&whole->line[at], &part->line[i]) < 0)
			at++;
		if (at == whole->n ||
		    compare_lines(&whole->line[at++], &part->line[i]) != 0)
			return false;
	}
	return true;
}

/* Those of the node, as records of `owner`, with a TTL of at most `ttl_max`. */
static void put_set(struct ref_lines *lines, const struct ref_zone *zone,
    const struct ref_name *node, const struct ref_name *owner, uint16_t type,
    uint32_t ttl_max)
{
	for (int i = 0; i < zone->n; i++) {
		const struct ref_record *r = &zone->records[i];
		uint32_t ttl = r->ttl < ttl_max ? r->ttl : ttl_max;

		if ((r->type == type || type == ANY) &&
		    ref_compare(&r->owner, node) == 0)
			ref_put(
			    lines, owner, r->type, ttl, r->rdata, r->length);
	}
}

static const struct ref_record *find(
    const struct ref_zone *zone, const struct ref_name *name, uint16_t type)
{
	for (int i = 0; i < zone->n; i++)
		if (zone->records[i].type == type &&
		    ref_compare(&zone->records[i].owner, name) == 0)
			return &zone->records[i];
	return NULL;
}

/* -- what goes along --------------------------------------------------- */

static void put_addresses(struct ref_lines *lines, const struct ref_zone *zone,
    const struct ref_name *name)
{
	put_set(lines, zone, name, name, A, UINT32_MAX);
	put_set(lines, zone, name, name, AAAA, UINT32_MAX);
}

/* Addresses of what the set leads to, as far as the zone is asked for them. */
static void add_targets(struct ref_answer *ret, const struct ref_zone *zone,
    const struct ref_name *node, const struct ref_name *name, uint16_t type)
{
	int at = ref_target_at(type);

	for (int i = 0; at >= 0 && i < zone->n; i++) {
		const struct ref_record *r = &zone->records[i];
		struct ref_name target;

		if (r->type != type || ref_compare(&r->owner, node) != 0)
			continue;
		ref_name_of(&target, r->rdata + at);
		bool is_alias = type >= SVCB && !r->rdata[0] && !r->rdata[1];

		/* RFC 9460 section 2.5: "." is the owner, of an alias it is
		 * nothing. */
		if (type >= SVCB && target.n == 0 && !is_alias)
			target = *name;
		if (!ref_is_within(&target, &zone->apex) ||
		    ref_is_below_cut(zone, &target))
			continue;
		put_addresses(&ret->may, zone, &target);
		if (is_alias && ref_compare(&target, node) != 0)
			put_set(&ret->may, zone, &target, &target, type,
			    UINT32_MAX);
		sort_once(&ret->may);
	}
}

/* RFC 9471: glue of the delegated zone must be there, other may. */
static void add_glue(struct ref_answer *ret, const struct ref_zone *zone,
    const struct ref_name *cut)
{
	for (int i = 0; i < zone->n; i++) {
		const struct ref_record *r = &zone->records[i];
		struct ref_name target;

		if (r->type != NS || ref_compare(&r->owner, cut) != 0)
			continue;
		ref_name_of(&target, r->rdata);
		put_addresses(&ret->may, zone, &target);
		if (ref_is_within(&target, cut))
			put_addresses(&ret->must, zone, &target);
	}
}

/* -- RFC 1034 section 4.3.2 -------------------------------------------- */

/* Step 2. A DS is asked of the parent (RFC 4035 section 3.1.4.1). */
static const struct ref_zone *find_zone(
    const struct ref_world *world, const struct ref_name *name, uint16_t type)
{
	const struct ref_zone *best = NULL, *above = NULL;

	for (int i = 0; i < world->n; i++) {
		const struct ref_zone *zone = &world->zones[i];

		if (!ref_is_within(name, &zone->apex))
			continue;
		if (!best || zone->apex.n > best->apex.n)
			best = zone;
		if (zone->apex.n < name->n &&
		    (!above || zone->apex.n > above->apex.n))
			above = zone;
	}
	return type == DS && above ? above : best;
}

static void need(struct ref_answer *ret, enum ref_need_kind kind,
    const struct ref_zone *zone, const struct ref_name *name, uint16_t type)
{
	if (ret->n_needs == REF_NEEDS_MAX)
		abort();
	ret->needs[ret->n_needs++] = (struct ref_need){kind, zone, *name, type};
}

static void put_soa(struct ref_answer *ret, const struct ref_zone *zone)
{
	const struct ref_record *soa = find(zone, &zone->apex, SOA);
	const uint8_t *end = soa->rdata + soa->length;
	uint32_t minimum = (uint32_t)end[-4] << 24 | (uint32_t)end[-3] << 16 |
			   (uint32_t)end[-2] << 8 | end[-1];

	/* RFC 2308 section 5. */
	put_set(&ret->authority, zone, &zone->apex, &zone->apex, SOA, minimum);
}

static void refer(struct ref_answer *ret, const struct ref_zone *zone,
    const struct ref_name *cut)
{
	ret->referral = true;
	/* AA is of the first name in the answer. */
	ret->aa = ret->answer.n > 0;
	put_set(&ret->authority, zone, cut, cut, NS, UINT32_MAX);
	if (!ref_owns(zone, cut, DS))
		need(ret, REF_NEED_NO_TYPE, zone, cut, DS);
	add_glue(ret, zone, cut);
}

/* What stands before the DNAME's owner, then its target; false: too long. */
static bool rename_to(struct ref_name *ret, const struct ref_name *name,
    const struct ref_record *dname)
{
	size_t before = name->size - dname->owner.size;
	struct ref_name target;
	uint8_t wire[2 * REF_NAME_MAX + 2];

	ref_name_of(&target, dname->rdata);
	if (before + target.size > REF_NAME_MAX)
		return false;
	memcpy(wire, name->wire, before);
	memcpy(wire + before, target.wire, target.size);
	ref_name_of(ret, wire);
	return true;
}

/* True: *name is to be looked for next. */
static bool rename_below(struct ref_answer *ret, struct ref_name *name,
    const struct ref_zone *zone, const struct ref_name *owner, uint16_t type)
{
	const struct ref_record *dname = find(zone, owner, DNAME);
	struct ref_lines once = {0};
	struct ref_name old = *name;

	put_set(&once, zone, owner, owner, DNAME, UINT32_MAX);
	for (int i = 0; i < ret->answer.n && once.n; i++)
		if (compare_lines(&ret->answer.line[i], &once.line[0]) == 0)
			once.n = 0;
	if (once.n)
		ret->answer.line[ret->answer.n++] = once.line[0];
	if (!rename_to(name, &old, dname)) {
		ret->rcode = YXDOMAIN;
		return false;
	}
	ref_put(&ret->answer, &old, CNAME, dname->ttl, name->wire, name->size);
	return type != CNAME && type != ANY;
}

/* The name, or the wildcard that makes it; false: neither is there. */
static bool find_node(struct ref_answer *ret, const struct ref_zone *zone,
    const struct ref_name *name, struct ref_name *node)
{
	int n = name->n;

	*node = *name;
	if (ref_exists(zone, name))
		return true;
	do
		*node = ref_ancestor(name, --n);
	while (!ref_exists(zone, node));
	(void)ref_prepend(node, "*");
	need(ret, REF_NEED_COVER, zone, name, 0);
	if (ref_exists(zone, node))
		return true;
	need(ret, REF_NEED_COVER, zone, node, 0);
	return false;
}

/* True: *name is to be looked for next. */
static bool answer_node(struct ref_answer *ret, const struct ref_zone *zone,
    struct ref_name *name, const struct ref_name *node, uint16_t type)
{
	const struct ref_record *alias = find(zone, node, CNAME);
	int before = ret->answer.n;

	if (alias && type != CNAME && type != ANY) {
		put_set(&ret->answer, zone, node, name, CNAME, UINT32_MAX);
		ref_name_of(name, alias->rdata);
		return true;
	}
	put_set(&ret->answer, zone, node, name, type, UINT32_MAX);
	if (ret->answer.n == before) {
		need(ret, REF_NEED_NO_TYPE, zone, node, type);
		put_soa(ret, zone);
		return false;
	}
	for (uint16_t t = 1; t <= HTTPS; t++)
		if (t == type || type == ANY)
			add_targets(ret, zone, node, name, t);
	return false;
}

/* Step 3. True: *name is to be looked for next. */
static bool step(struct ref_answer *ret, const struct ref_zone *zone,
    struct ref_name *name, uint16_t type)
{
	struct ref_name node;

	for (int n = zone->apex.n; n <= name->n; n++) {
		struct ref_name above = ref_ancestor(name, n);
		bool is_it = n == name->n;

		if (n > zone->apex.n && ref_owns(zone, &above, NS) &&
		    !(is_it && type == DS)) {
			refer(ret, zone, &above);
			return false;
		}
		if (!is_it && ref_owns(zone, &above, DNAME))
			return rename_below(ret, name, zone, &above, type);
	}
	if (find_node(ret, zone, name, &node))
		return answer_node(ret, zone, name, &node, type);
	ret->rcode = NXDOMAIN;
	put_soa(ret, zone);
	return false;
}

void ref_resolve(const struct ref_world *world, const struct ref_name *question,
    uint16_t type, struct ref_answer *ret)
{
	static struct ref_name asked[REF_CHAIN_MAX];
	struct ref_name name = *question;

	ret->rcode = NOERROR;
	ret->aa = ret->circle = ret->referral = false;
	ret->answer.n = ret->authority.n = ret->must.n = ret->may.n = 0;
	ret->n_needs = 0;
	for (int i = 0; i < REF_CHAIN_MAX; i++) {
		const struct ref_zone *zone = find_zone(world, &name, type);

		if (!zone) {
			ret->rcode = i == 0 ? REFUSED : NOERROR;
			break;
		}
		ret->aa = true;
		asked[i] = name;
		if (!step(ret, zone, &name, type))
			break;
		for (int k = 0; k <= i; k++)
			ret->circle |= ref_compare(&asked[k], &name) == 0;
		if (ret->circle)
			break;
	}
	/* RFC 2181 section 5: a set has no record twice. */
	sort_once(&ret->answer);
	sort_once(&ret->authority);
	sort_once(&ret->must);
	sort_once(&ret->may);
}
