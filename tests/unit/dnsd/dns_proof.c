/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dnsd/dns_proof.h"

#include <string.h>

enum { NS = 2, CNAME = 5, SOA = 6, DS = 43, RRSIG = 46, NSEC = 47 };
enum { DNSKEY = 48, CDS = 59, CDNSKEY = 60, TYPES = 65536 };

/* -- what an NSEC says ------------------------------------------------- */

struct nsec {
	struct ref_name owner, next;
	const uint8_t *bits;
	size_t n_bits;
};

static bool read_nsec(const struct ref_line *line, struct nsec *ret)
{
	const uint8_t *rdata;

	if (line->type != NSEC)
		return false;
	ref_name_of(&ret->owner, line->bytes);
	rdata = line->bytes + ret->owner.size + 6;
	ref_name_of(&ret->next, rdata);
	ret->bits = rdata + ret->next.size;
	ret->n_bits = (size_t)(line->bytes + line->length - ret->bits);
	return true;
}

/* RFC 4034 section 4.1.2: blocks of number, length, bits. */
static bool has_type(const struct nsec *nsec, uint16_t type)
{
	const uint8_t *at = nsec->bits, *end = at + nsec->n_bits;

	for (; at < end; at += 2 + at[1])
		if (at[0] == type >> 8 && (type & 0xff) / 8 < at[1])
			return at[2 + (type & 0xff) / 8] >> (7 - type % 8) & 1;
	return false;
}

/* The last NSEC's next name is the apex. */
static bool covers(const struct nsec *nsec, const struct ref_name *name)
{
	bool is_last = ref_compare(&nsec->next, &nsec->owner) <= 0;

	return ref_compare(&nsec->owner, name) < 0 &&
	       (is_last || ref_compare(name, &nsec->next) < 0);
}

static bool shows_no_type(const struct nsec *nsec, const struct ref_need *need)
{
	bool is_apex = need->name.n == need->zone->apex.n;

	/* RFC 6840 sections 4.1 and 4.3: no CNAME, and of a delegation the
	 * NSEC of the parent. */
	if (ref_compare(&nsec->owner, &need->name) == 0)
		return !has_type(nsec, need->type) && !has_type(nsec, CNAME) &&
		       has_type(nsec, SOA) == is_apex;
	/* A name without data, since there is one below it. */
	return covers(nsec, &need->name) &&
	       ref_is_within(&nsec->next, &need->name);
}

static bool shows(const struct nsec *nsec, const struct ref_need *need)
{
	if (!ref_is_within(&nsec->owner, &need->zone->apex))
		return false;
	return need->kind == REF_NEED_COVER ? covers(nsec, &need->name)
					    : shows_no_type(nsec, need);
}

bool proof_shows(const struct ref_lines *lines, const struct ref_need *need)
{
	struct nsec nsec;

	for (int i = 0; i < lines->n; i++)
		if (read_nsec(&lines->line[i], &nsec) && shows(&nsec, need))
			return true;
	return false;
}

bool proof_is_needed(
    const struct ref_line *line, const struct ref_answer *answer)
{
	struct nsec nsec;

	if (!read_nsec(line, &nsec))
		return false;
	for (int i = 0; i < answer->n_needs; i++)
		if (shows(&nsec, &answer->needs[i]))
			return true;
	return false;
}

/* -- what the zone has ------------------------------------------------- */

static bool is_cut(const struct ref_zone *zone, const struct ref_name *name)
{
	return name->n > zone->apex.n && ref_owns(zone, name, NS);
}

/* Of names below a delegation there is no NSEC. */
static bool has_nsec(const struct ref_zone *zone, const struct ref_name *name)
{
	struct ref_name parent;

	if (name->n == zone->apex.n)
		return true;
	parent = ref_ancestor(name, name->n - 1);
	return !ref_is_below_cut(zone, &parent);
}

/* The owner behind it; the apex behind the last. */
static void find_next(const struct ref_zone *zone, const struct ref_name *name,
    struct ref_name *ret)
{
	bool found = false;

	*ret = zone->apex;
	for (int i = 0; i < zone->n; i++) {
		const struct ref_name *owner = &zone->records[i].owner;

		if (ref_compare(owner, name) <= 0 || !has_nsec(zone, owner) ||
		    (found && ref_compare(owner, ret) >= 0))
			continue;
		*ret = *owner;
		found = true;
	}
}

/* RFC 4035 section 2.3. */
static bool should_have(
    const struct ref_zone *zone, const struct ref_name *name, uint16_t type)
{
	bool is_apex = name->n == zone->apex.n;

	if (type == RRSIG || type == NSEC)
		return true;
	if (type == DNSKEY || type == CDS || type == CDNSKEY)
		return is_apex;
	if (is_cut(zone, name) && type != NS && type != DS)
		return false;
	return ref_owns(zone, name, type);
}

bool proof_is_of_zone(const struct ref_zone *zone, const struct ref_line *line)
{
	struct ref_name next;
	struct nsec nsec;
	bool owns = false;

	if (!read_nsec(line, &nsec))
		return false;
	for (int i = 0; i < zone->n; i++)
		owns |= ref_compare(&zone->records[i].owner, &nsec.owner) == 0;
	find_next(zone, &nsec.owner, &next);
	if (!owns || !has_nsec(zone, &nsec.owner) ||
	    ref_compare(&next, &nsec.next) != 0)
		return false;
	/* Types that the random zones may have, and those around them. */
	for (unsigned type = 1; type < 300; type++)
		if (has_type(&nsec, (uint16_t)type) !=
		    should_have(zone, &nsec.owner, (uint16_t)type))
			return false;
	return has_type(&nsec, 65400) == should_have(zone, &nsec.owner, 65400);
}

int proof_labels(const struct ref_zone *zone, const struct ref_name *owner)
{
	struct ref_name above = *owner;
	int n = owner->n;

	if (ref_exists(zone, owner))
		return n - (owner->wire[0] == 1 && owner->wire[1] == '*');
	while (!ref_exists(zone, &above))
		above = ref_ancestor(owner, --n);
	return n;
}
