/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A zone as it is served: immutable, every name found by one probe of a hash
 * table. zone_builder makes it, zone_set holds the zones of a server.
 *
 *     slots        nodes, in canonical order          data
 *     hash ──────> node ───────────────────────────> name, rrset, rrset ...
 *                   │ parent, cut, wildcard            │ records, targets
 *                   └─> nodes                          └─> nodes
 *
 * Each name that exists is a node, empty non-terminals too (RFC 4592 section
 * 2.2.2), so of a name that does not exist the closest encloser is found by
 * halving the number of labels. A node's index is its place in the canonical
 * order (RFC 4034 section 6.1): walking the zone, its NSEC chain and the
 * search for what covers a name need nothing else.
 *
 * Thread:  any, at once; nothing here changes but the count of holders.
 * Memory:  all pointers given out live as long as the zone does. It is freed
 *          when its last holder lets go, on that thread.
 * Units:   TTLs in seconds.
 * Limits:  4 GiB of data, 2^32 - 2 names; an rrset fits in a message
 *          (RRSET_BYTES_MAX).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dnsd/answer_set.h"
#include "dnsd/dname.h"
#include "dnsd/dns_record.h"

#define ZONE_NONE UINT32_MAX
/* What one rrset may take in a message: the header, the longest question and
 * owner, OPT and TSIG have to have room beside it. Of each record it is
 * RRSET_RECORD_BYTES and the rdata. */
#define RRSET_BYTES_MAX 64000u
#define RRSET_RECORD_BYTES 12u

struct zone;
struct resource;

/* -- nodes ------------------------------------------------------------- */

enum zone_node_flag {
	ZONE_NODE_APEX = 1,
	/* Owns NS below the apex: from here on others answer. */
	ZONE_NODE_CUT = 2,
	/* Owns a DNAME: what is below is renamed (RFC 6672). */
	ZONE_NODE_DNAME = 4,
	ZONE_NODE_CNAME = 8,
	/* Below a cut: glue, or what nobody will ever be told. */
	ZONE_NODE_OCCLUDED = 16,
	ZONE_NODE_WILDCARD = 32,
	/* A resource answers here: zone_dynamic(). */
	ZONE_NODE_DYNAMIC = 64,
	/* Exists only because names below it do (no data of its own). */
	ZONE_NODE_EMPTY = 128,
};

/* 32 bytes: two in a cache line. Others are named by their index. */
struct zone_node {
	uint32_t data; /* offset of its name, which its rrsets follow */
	uint32_t parent; /* the apex's: ZONE_NONE */
	uint32_t cut; /* the cut at or above it, the one nearest to the
		       * apex; ZONE_NONE: this zone has authority */
	uint32_t wildcard; /* its child "*", or ZONE_NONE */
	uint32_t end; /* the first node after all those below it */
	uint32_t nsec; /* itself or the last before it that owns an NSEC;
			* ZONE_NONE: the zone has no such chain */
	uint32_t dynamic; /* for zone_dynamic() */
	uint16_t n_rrsets;
	uint8_t labels; /* as dname_labels() of its name */
	uint8_t flags; /* enum zone_node_flag */
};

const struct zone_node *zone_node_at(const struct zone *zone, uint32_t index);
uint32_t zone_node_index(const struct zone *zone, const struct zone_node *node);
/* In lower case. */
const uint8_t *zone_node_name(
    const struct zone *zone, const struct zone_node *node);

/* -- rrsets ------------------------------------------------------------ */

/*
 * The records of one owner and type, in canonical order (RFC 4034 section
 * 6.3), each as its bytes stand in a message after the TTL: RDLENGTH in
 * network order, then RDATA, names uncompressed and in the case they were
 * written in.
 *
 *     struct rrset │ length rdata │ length rdata │ ... │ targets │ its RRSIGs
 */
struct rrset {
	uint32_t ttl;
	uint32_t size; /* of all of it: the node's next rrset follows */
	uint32_t signatures; /* offset of its RRSIGs from here; 0: none */
	uint32_t length; /* bytes of all records, RDLENGTHs included */
	uint16_t type;
	uint16_t n;
};

/* The first record's RDLENGTH. */
static inline const uint8_t *rrset_records(const struct rrset *set)
{
	return (const uint8_t *)(set + 1);
}

/* One record after the other: `*at` starts as rrset_records(). */
static inline struct answer_record rrset_take(const uint8_t **at)
{
	uint16_t length = (uint16_t)((*at)[0] << 8 | (*at)[1]);
	struct answer_record record = {.rdata = *at + 2, .length = length};

	*at += 2 + length;
	return record;
}

/* The RRSIGs of the set as an rrset of that type, or NULL. */
static inline const struct rrset *rrset_signatures(const struct rrset *set)
{
	if (!set->signatures)
		return NULL;
	return (const struct rrset *)(const void *)((const uint8_t *)set +
						    set->signatures);
}

/* Offset of the name in the rdata of NS, MX, SRV, SVCB and HTTPS by which
 * addresses belong to the answer; -1 for all other types. */
int rrset_target_offset(uint16_t type);
/* For these types one node index a record: where the target's addresses are,
 * also below a cut (glue); ZONE_NONE: not in this zone. Of an SVCB or HTTPS
 * whose target is "." it is the owner (RFC 9460 section 2.5), if that is its
 * name in the answer, too, and the record no alias. NULL for other types. */
const uint32_t *rrset_targets(const struct rrset *set);

/* NULL: the node has no such rrset. */
const struct rrset *zone_rrset(
    const struct zone *zone, const struct zone_node *node, uint16_t type);
/* All n_rrsets of a node, SOA first, then by type: `previous` NULL gives the
 * first, the last gives NULL. RRSIGs are not among them. */
const struct rrset *zone_next_rrset(const struct zone *zone,
    const struct zone_node *node, const struct rrset *previous);

/* -- resources --------------------------------------------------------- */

#define ZONE_DYNAMIC_TYPES_MAX 4

/* A node that a resource answers for. An alias owns nothing else and answers
 * for every type; others answer for their types, the node's rrsets for the
 * rest. */
struct zone_dynamic {
	struct resource *resource;
	bool alias;
	uint8_t n_types;
	uint16_t types[ZONE_DYNAMIC_TYPES_MAX];
};

/* NULL when no resource is there. */
const struct zone_dynamic *zone_dynamic(
    const struct zone *zone, const struct zone_node *node);
/* Whether the resource has the answer of that type. */
bool zone_dynamic_has(const struct zone_dynamic *dynamic, uint16_t type);
/* The RRSIGs of answer_set.variant at a node where a resource answers, or NULL
 * in an unsigned zone. */
const struct rrset *zone_variant_signatures(const struct zone *zone,
    const struct zone_node *node, uint16_t type, uint32_t variant);

/* -- look-ups ---------------------------------------------------------- */

enum zone_match_kind {
	/* The name exists; without data it is an empty non-terminal. */
	ZONE_MATCH_EXACT,
	/* `node` is the wildcard that the name is made from (RFC 4592). */
	ZONE_MATCH_WILDCARD,
	/* The name does not exist, nor anything below it (RFC 8020). */
	ZONE_MATCH_NONE,
	/* `node` is the cut at or above the name (RFC 1034 section 4.3.2). */
	ZONE_MATCH_DELEGATION,
	/* `node` owns the DNAME above the name (RFC 6672 section 3.2). */
	ZONE_MATCH_DNAME,
};

struct zone_match {
	enum zone_match_kind kind;
	/* The name itself, also at a cut: its DS is ours (RFC 4035 section
	 * 3.1.4.1). */
	bool exact;
	const struct zone_node *node; /* NULL only for ZONE_MATCH_NONE */
	/* The deepest name that exists at or above the name. */
	const struct zone_node *encloser;
};

/* The name of the key must be at or below the apex (br_assert), its hashes of
 * the zone's seed. */
void zone_find(const struct zone *zone, const struct dname_key *key,
    struct zone_match *ret);
/* The node of exactly this name, or NULL. */
const struct zone_node *zone_find_name(
    const struct zone *zone, const uint8_t *name);

/* -- denial, in signed zones ------------------------------------------- */

/* The node whose NSEC matches the name or covers it (RFC 4035 section 3.1.3);
 * NULL when the zone has no chain. `match` is what zone_find() said of it. */
const struct zone_node *zone_nsec_for(const struct zone *zone,
    const struct dname_key *key, const struct zone_match *match);
/* The same for the wildcard below the closest encloser, which does not exist
 * if the answer was ZONE_MATCH_NONE. */
const struct zone_node *zone_nsec_for_wildcard(
    const struct zone *zone, const struct zone_node *encloser);

/* -- the zone ---------------------------------------------------------- */

const uint8_t *zone_apex(const struct zone *zone);
const struct zone_node *zone_apex_node(const struct zone *zone);
uint32_t zone_n_nodes(const struct zone *zone);
uint32_t zone_seed(const struct zone *zone);
/* Of one record. */
const struct rrset *zone_soa(const struct zone *zone);
uint32_t zone_serial(const struct zone *zone);
/* For the SOA of a negative answer: the lesser of its TTL and its MINIMUM
 * (RFC 2308 section 5). */
uint32_t zone_negative_ttl(const struct zone *zone);
/* It has DNSKEYs, RRSIGs and an NSEC chain. */
bool zone_is_signed(const struct zone *zone);
/* The zone that it was signed from, to be signed anew; NULL: of none. */
struct zone *zone_base(const struct zone *zone);
/* Memory, all told, but for zone_base(). */
size_t zone_bytes(const struct zone *zone);

/* Records in canonical order of owners, SOA first; the RRSIGs of an rrset
 * after it. Glue and what is occluded are among them, what resources answer
 * is not. Stops when `on_record` returns false, and returns that. */
bool zone_walk(const struct zone *zone,
    bool (*on_record)(void *context, const struct dns_record *record),
    void *context);

/* The same of one node. */
bool zone_walk_node(const struct zone *zone, const struct zone_node *node,
    bool (*on_record)(void *context, const struct dns_record *record),
    void *context);

/* Until the last holder is gone, when release() is called by its thread: for
 * what the zone's resources point into. Once for a zone and what is signed of
 * it. */
void zone_hold(struct zone *zone, void *what, void (*release)(void *what));
/* One more holder. */
struct zone *zone_ref(struct zone *zone);
/* NULL is ignored. */
void zone_unref(struct zone *zone);
