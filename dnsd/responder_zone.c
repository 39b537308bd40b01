/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "dnsd/responder_part.h"
#include "dnsd/zone_set.h"

/* The name that is looked for: the question's, then those that aliases lead
 * to. */
struct step {
	const struct zone *zone;
	const uint8_t *name; /* case as it was written */
	const struct dname_key *key;
	struct wire_owner owner;
	struct zone_match match;
};

static uint16_t type_of(const struct responder *r)
{
	return r->query.type;
}

/* -- rrsets ------------------------------------------------------------ */

static bool put_set(struct responder *r, enum wire_section section,
    struct wire_owner *owner, const struct rrset *set, uint32_t ttl)
{
	return wire_put_records(&r->writer, section, owner, set->type, ttl,
	    set->n, rrset_records(set));
}

/* The set and its signatures with a TTL of their own: both or nothing. */
static bool put_signed(struct responder *r, enum wire_section section,
    struct wire_owner *owner, const struct rrset *set, uint32_t ttl)
{
	const struct rrset *signatures =
	    r->edns.dnssec_ok ? rrset_signatures(set) : NULL;
	struct wire_mark mark;
	struct wire_owner before = *owner;

	if (!signatures)
		return put_set(r, section, owner, set, ttl);
	mark = wire_mark(&r->writer);
	if (put_set(r, section, owner, set, ttl) &&
	    put_set(r, section, owner, signatures, ttl))
		return true;
	wire_rewind(&r->writer, &mark);
	*owner = before;
	return false;
}

bool responder_put_rrset(struct responder *r, enum wire_section section,
    struct wire_owner *owner, const struct rrset *set)
{
	return put_signed(r, section, owner, set, set->ttl);
}

/* -- what does not exist ----------------------------------------------- */

static void add_proof(
    struct responder *r, const struct zone *zone, const struct zone_node *node)
{
	for (uint32_t i = 0; i < r->n_proofs; i++)
		if (r->proofs[i].node == node)
			return;
	br_assert(r->n_proofs < BR_COUNT(r->proofs));
	r->proofs[r->n_proofs++] = (struct responder_proof){zone, node};
}

bool responder_put_proofs(struct responder *r)
{
	while (r->n_proofs_put < r->n_proofs) {
		const struct responder_proof *proof =
		    &r->proofs[r->n_proofs_put++];
		const struct rrset *set =
		    zone_rrset(proof->zone, proof->node, TYPE_NSEC);
		struct wire_owner owner = {
		    zone_node_name(proof->zone, proof->node), 0};

		if (set && !responder_put_rrset(r, WIRE_AUTHORITY, &owner, set))
			return false;
	}
	return true;
}

/* The NSEC that matches the node, or covers it where it owns nothing. */
static void prove_node(
    struct responder *r, const struct zone *zone, const struct zone_node *node)
{
	if (node->nsec != ZONE_NONE)
		add_proof(r, zone, zone_node_at(zone, node->nsec));
}

/* That nothing nearer than the wildcard exists, RFC 4035 section 3.1.3.3. */
static void prove_wildcard(struct responder *r, const struct step *step)
{
	const struct zone_node *node;

	if (!r->edns.dnssec_ok)
		return;
	node = zone_nsec_for(step->zone, step->key, &step->match);
	if (node)
		add_proof(r, step->zone, node);
}

/* RFC 4035 section 3.1.3.2: neither the name nor a wildcard for it. */
static void prove_no_name(struct responder *r, const struct step *step)
{
	const struct zone_node *name, *wildcard;

	name = zone_nsec_for(step->zone, step->key, &step->match);
	if (!name)
		return;
	add_proof(r, step->zone, name);
	wildcard = zone_nsec_for_wildcard(step->zone, step->match.encloser);
	if (wildcard)
		add_proof(r, step->zone, wildcard);
}

static void prove_absence(struct responder *r, const struct step *step)
{
	const struct zone_match *match = &step->match;

	if (!r->edns.dnssec_ok)
		return;
	if (match->kind == ZONE_MATCH_NONE) {
		prove_no_name(r, step);
		return;
	}
	/* RFC 4035 sections 3.1.3.1 and 3.1.3.4. One NSEC may do both. */
	if (match->kind == ZONE_MATCH_WILDCARD)
		prove_wildcard(r, step);
	prove_node(r, step->zone, match->node);
}

/* RFC 2308 section 3: the SOA, with a TTL that says for how long the absence
 * holds. */
static enum responder_outcome absent(
    struct responder *r, const struct step *step)
{
	const struct zone *zone = step->zone;
	struct wire_owner owner = {zone_apex(zone), 0};

	if (step->match.kind == ZONE_MATCH_NONE) {
		r->rcode = WIRE_NXDOMAIN;
		r->facts->kind = DNS_KIND_nxdomain;
	} else {
		r->facts->kind = DNS_KIND_nodata;
	}
	prove_absence(r, step);
	if (!put_signed(r, WIRE_AUTHORITY, &owner, zone_soa(zone),
		zone_negative_ttl(zone)) ||
	    !responder_put_proofs(r))
		return RESPONDER_FULL;
	return RESPONDER_DONE;
}

/* -- referrals --------------------------------------------------------- */

/* RFC 4035 section 3.1.4: whether the delegated zone is signed. */
static bool put_delegation_proof(
    struct responder *r, const struct zone *zone, const struct zone_node *cut)
{
	const struct rrset *ds = zone_rrset(zone, cut, TYPE_DS);
	struct wire_owner owner = {zone_node_name(zone, cut), 0};

	if (!r->edns.dnssec_ok)
		return true;
	if (ds)
		return responder_put_rrset(r, WIRE_AUTHORITY, &owner, ds);
	prove_node(r, zone, cut);
	return true;
}

static enum responder_outcome refer(
    struct responder *r, const struct step *step)
{
	const struct zone_node *cut = step->match.node;
	const struct rrset *servers = zone_rrset(step->zone, cut, TYPE_NS);
	struct wire_owner owner = {zone_node_name(step->zone, cut), 0};

	br_assert(servers);
	r->facts->kind = DNS_KIND_referral;
	/* AA is about the first name of the answer (RFC 1035 section 4.1.1). */
	r->authoritative = r->writer.counts[WIRE_ANSWER] > 0;
	if (!responder_put_rrset(r, WIRE_AUTHORITY, &owner, servers) ||
	    !put_delegation_proof(r, step->zone, cut) ||
	    !responder_put_proofs(r))
		return RESPONDER_FULL;
	/* RFC 9471 section 3.1: what did fit is of use all the same. */
	if (!responder_add_glue(r, step->zone, cut, servers))
		r->facts->truncated = true;
	return RESPONDER_DONE;
}

/* -- aliases ----------------------------------------------------------- */

/* Whether the set is in the answer already; from now on it is. */
static bool is_repeated(struct responder *r, const struct rrset *set)
{
	for (uint32_t i = 0; i < r->n_aliases; i++)
		if (r->aliases[i] == set)
			return true;
	r->aliases[r->n_aliases++] = set;
	return false;
}

static enum responder_outcome follow(struct step *step, const uint8_t *target)
{
	step->name = target;
	return RESPONDER_ALIAS;
}

static enum responder_outcome alias(
    struct responder *r, struct step *step, const struct rrset *set)
{
	const uint8_t *at = rrset_records(set);

	r->facts->kind = DNS_KIND_data;
	/* A circle ends where it closes. */
	if (is_repeated(r, set))
		return RESPONDER_DONE;
	if (!responder_put_rrset(r, WIRE_ANSWER, &step->owner, set))
		return RESPONDER_FULL;
	if (step->match.kind == ZONE_MATCH_WILDCARD)
		prove_wildcard(r, step);
	return follow(step, rrset_take(&at).rdata);
}

/* RFC 6672 section 2.2: what stands before the DNAME's owner, then its target;
 * 0: too long for a name. */
static size_t rename_below(
    uint8_t ret[DNAME_MAX], const struct step *step, const uint8_t *target)
{
	size_t before = step->key->size - dname_size(zone_node_name(
					      step->zone, step->match.node));
	size_t behind = dname_size(target);

	if (before + behind > DNAME_MAX)
		return 0;
	for (size_t i = 0; i < before; i++)
		ret[i] = step->name[i];
	(void)dname_copy(ret + before, target);
	return before + behind;
}

/* The DNAME is there once, though a name may be renamed by it twice. */
static bool put_dname(
    struct responder *r, const struct step *step, const struct rrset *set)
{
	struct wire_owner owner = {
	    zone_node_name(step->zone, step->match.node), 0};

	return is_repeated(r, set) ||
	       responder_put_rrset(r, WIRE_ANSWER, &owner, set);
}

/* RFC 6672 section 3.2: with a CNAME that is made, for those that do not know
 * the type; it has the DNAME's TTL (section 3.1). */
static enum responder_outcome renamed(struct responder *r, struct step *step)
{
	const struct rrset *set =
	    zone_rrset(step->zone, step->match.node, TYPE_DNAME);
	const uint8_t *at = rrset_records(set);
	uint8_t *name = r->renamed[r->n_renamed++];
	size_t size = rename_below(name, step, rrset_take(&at).rdata);

	r->facts->kind = DNS_KIND_data;
	if (!put_dname(r, step, set))
		return RESPONDER_FULL;
	if (!size) {
		r->rcode = WIRE_YXDOMAIN;
		r->facts->kind = DNS_KIND_error;
		return RESPONDER_DONE;
	}
	if (!wire_put_record(&r->writer, WIRE_ANSWER, &step->owner, TYPE_CNAME,
		set->ttl, name, (uint16_t)size))
		return RESPONDER_FULL;
	if (type_of(r) == TYPE_CNAME || type_of(r) == TYPE_ANY)
		return RESPONDER_DONE;
	return follow(step, name);
}

/* -- what exists ------------------------------------------------------- */

static enum responder_outcome found(
    struct responder *r, const struct step *step, const struct rrset *set)
{
	struct wire_owner owner = step->owner;

	r->facts->kind = DNS_KIND_data;
	/* Who asks for a DNAME may have been led to it by itself. */
	if (!(set->type == TYPE_DNAME && is_repeated(r, set)) &&
	    !responder_put_rrset(r, WIRE_ANSWER, &owner, set))
		return RESPONDER_FULL;
	if (step->match.kind == ZONE_MATCH_WILDCARD)
		prove_wildcard(r, step);
	if (!responder_put_proofs(r))
		return RESPONDER_FULL;
	responder_add_targets(r, step->zone, set);
	return RESPONDER_DONE;
}

static const struct rrset *smallest(
    const struct step *step, bool only_with_signatures)
{
	const struct rrset *set = NULL, *best = NULL;

	while ((set = zone_next_rrset(step->zone, step->match.node, set)))
		if ((!best || set->length < best->length) &&
		    (!only_with_signatures || rrset_signatures(set)))
			best = set;
	return best;
}

/* RFC 8482 section 4.1: one rrset that is there, the smallest. */
static enum responder_outcome any(struct responder *r, const struct step *step)
{
	const struct rrset *set = smallest(step, false);

	return set ? found(r, step, set) : absent(r, step);
}

/* Signatures belong to the sets that they sign and are no rrset of their own;
 * an NSEC says that they are there, so something must be. */
static enum responder_outcome signatures(
    struct responder *r, const struct step *step)
{
	const struct rrset *set = smallest(step, true);

	return set ? found(r, step, rrset_signatures(set)) : absent(r, step);
}

static enum responder_outcome owned(struct responder *r, struct step *step)
{
	const struct zone_node *node = step->match.node;
	uint16_t type = type_of(r);
	const struct rrset *set;

	if (type == TYPE_ANY)
		return any(r, step);
	if (type == TYPE_RRSIG)
		return signatures(r, step);
	set = zone_rrset(step->zone, node, type);
	if (set)
		return found(r, step, set);
	if (node->flags & ZONE_NODE_CNAME)
		return alias(r, step, zone_rrset(step->zone, node, TYPE_CNAME));
	return absent(r, step);
}

/* An alias owns nothing beside it but what DNSSEC adds (RFC 4035 section 2.5);
 * other resources answer for their types, the zone for the rest. */
static enum responder_outcome dynamic(struct responder *r, struct step *step)
{
	const struct zone_node *node = step->match.node;
	enum responder_outcome outcome;
	const uint8_t *target;

	if (zone_rrset(step->zone, node, type_of(r)))
		return owned(r, step);
	outcome = responder_resource_answer(
	    r, step->zone, node, &step->owner, &target);
	if (outcome == RESPONDER_ABSENT)
		return owned(r, step);
	if (outcome == RESPONDER_ALIAS)
		return follow(step, target);
	return outcome;
}

/* RFC 1034 section 4.3.2, step 3. */
static enum responder_outcome answer_step(
    struct responder *r, struct step *step)
{
	struct zone_match *match = &step->match;

	zone_find(step->zone, step->key, match);
	switch (match->kind) {
	case ZONE_MATCH_DELEGATION:
		/* The DS of a delegated zone is on this side of the cut (RFC
		 * 4035 section 3.1.4.1). */
		if (!match->exact || type_of(r) != TYPE_DS)
			return refer(r, step);
		break;
	case ZONE_MATCH_DNAME:
		return renamed(r, step);
	case ZONE_MATCH_NONE:
		return absent(r, step);
	case ZONE_MATCH_WILDCARD:
		r->facts->wildcard = true;
		break;
	case ZONE_MATCH_EXACT:
		break;
	}
	if (match->node->flags & ZONE_NODE_DYNAMIC)
		return dynamic(r, step);
	return owned(r, step);
}

/* -- the way ----------------------------------------------------------- */

static const struct zone *zone_of(
    const struct responder *r, const struct dname_key *key)
{
	const struct zone_set *zones = r->view->zones;
	const struct zone *zone = zone_set_find(zones, key), *above;

	if (!zone || type_of(r) != TYPE_DS ||
	    zone_apex_node(zone)->labels != key->labels)
		return zone;
	above = zone_set_find_above(zones, key);
	return above ? above : zone;
}

/* The answer is the same as for a message that has no room at all, so that
 * nobody acts on a part of it (RFC 2181 section 9). */
static void truncate_all(struct responder *r, const struct wire_mark *start)
{
	wire_rewind(&r->writer, start);
	r->facts->truncated = true;
	r->rcode = WIRE_NOERROR;
}

/* Whether it is looked for the second time; from now on it was. */
static bool is_circle(struct responder *r, const uint8_t *name)
{
	for (uint32_t i = 0; i < r->n_names; i++)
		if (dname_equal(name, r->names[i]))
			return true;
	r->names[r->n_names++] = name;
	return false;
}

/* What an alias leads to, as far as it is ours. An answer that ends at an
 * alias is whole, whoever asked goes on (RFC 1034 section 4.3.1); one that
 * leads in a circle ends where it closes. */
static enum responder_outcome answer_chain(
    struct responder *r, struct step *step)
{
	struct dname_key key;

	for (uint32_t i = 0; i < RESPONDER_CHAIN_MAX; i++) {
		enum responder_outcome outcome;

		if (is_circle(r, step->name))
			return RESPONDER_DONE;
		outcome = answer_step(r, step);
		if (outcome != RESPONDER_ALIAS)
			return outcome;
		dname_key_of(&key, step->name, dname_size(step->name),
		    zone_set_seed(r->view->zones));
		step->key = &key;
		step->owner = (struct wire_owner){step->name, 0};
		step->zone = zone_of(r, &key);
		if (!step->zone)
			return RESPONDER_DONE;
	}
	return RESPONDER_DONE;
}

void responder_zone_answer(struct responder *r)
{
	uint32_t seed = zone_set_seed(r->view->zones);
	struct wire_mark start = wire_mark(&r->writer);
	struct step step = {.name = r->query.name, .key = &r->key};

	dname_key_of(&r->key, r->query.name, r->query.name_size, seed);
	step.zone = zone_of(r, &r->key);
	if (!step.zone) {
		/* No upward referral: RFC 8499's "lame" is an error. */
		r->rcode = WIRE_REFUSED;
		r->reply.error = EDNS_ERROR_NOT_AUTHORITATIVE;
		r->facts->kind = DNS_KIND_error;
		return;
	}
	wire_set_key(&r->writer, &r->key, seed);
	step.owner = wire_owner_question(&r->writer);
	r->facts->zone = step.zone;
	r->authoritative = true;
	r->n_aliases = r->n_renamed = r->n_names = 0;
	r->n_proofs = r->n_proofs_put = 0;
	if (answer_chain(r, &step) == RESPONDER_FULL ||
	    !responder_put_proofs(r))
		truncate_all(r, &start);
}
