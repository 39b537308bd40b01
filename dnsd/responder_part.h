/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the responder's files share: one query on its way to its answer.
 *
 *      responder.c       the packet: header, EDNS, cookie, size, class, type
 *      responder_tsig.c  who signs queries
 *      responder_zone.c  the name: zones, aliases, referrals, absences
 *      responder_resource.c  the name is a resource's: what this client gets
 *      responder_add.c   what goes along: addresses of targets, glue
 *
 * Thread:  the worker that answers.
 * Memory:  on its stack; nothing of it is zeroed as a whole.
 */
#include "dnsd/edns.h"
#include "dnsd/responder.h"
#include "dnsd/tsig.h"
#include "dnsd/wire.h"
#include "dnsd/zone.h"

enum responder_type {
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	TYPE_HINFO = 13,
	TYPE_TXT = 16,
	TYPE_AAAA = 28,
	TYPE_SRV = 33,
	TYPE_DNAME = 39,
	TYPE_OPT = 41,
	TYPE_DS = 43,
	TYPE_RRSIG = 46,
	TYPE_NSEC = 47,
	TYPE_SVCB = 64,
	TYPE_HTTPS = 65,
	TYPE_NXNAME = 128,
	TYPE_TKEY = 249,
	TYPE_TSIG = 250,
	TYPE_IXFR = 251,
	TYPE_AXFR = 252,
	TYPE_MAILB = 253,
	TYPE_MAILA = 254,
	TYPE_ANY = 255,
};

/* Of each alias one, and of what is not there two. */
#define RESPONDER_PROOFS_MAX (RESPONDER_CHAIN_MAX + 2u)

struct responder {
	const struct dns_view *view;
	const struct dns_client *client;
	struct query_facts *facts;
	struct wire_query query;
	struct edns edns;
	struct edns_reply reply;
	uint16_t rcode;
	bool authoritative; /* AA */
	bool has_tsig; /* the answer ends in a TSIG record, too */
	/* On the way from alias to alias: names that were looked for, sets of
	 * aliases that are in the answer, and names that a DNAME made. */
	uint32_t n_names, n_aliases, n_renamed;
	const uint8_t *names[RESPONDER_CHAIN_MAX];
	const struct rrset *aliases[RESPONDER_CHAIN_MAX];
	uint8_t renamed[RESPONDER_CHAIN_MAX][DNAME_MAX];
	/* NSEC records that prove what the answer says: they stand behind all
	 * of the answer section, so they wait until that is whole. */
	uint32_t n_proofs, n_proofs_put;
	struct responder_proof {
		const struct zone *zone;
		const struct zone_node *node;
	} proofs[RESPONDER_PROOFS_MAX];
	struct tsig_session tsig; /* when `has_tsig` */
	struct dname_key key; /* of the question's name */
	struct wire_writer writer;
};

void responder_fail(struct responder *r, enum wire_rcode rcode, int error);

/* Checks the query's signature. False: there is an error to answer. */
bool responder_tsig_read(struct responder *r);
/* Bytes that the answer's own takes at most. */
size_t responder_tsig_size(const struct responder *r);

/* The answer from the zones for a question of class IN, into the writer. */
void responder_zone_answer(struct responder *r);

enum responder_outcome {
	RESPONDER_DONE,
	RESPONDER_ALIAS, /* another name is to be looked for */
	RESPONDER_ABSENT, /* the name has no such type */
	RESPONDER_FULL, /* what must be there does not fit */
};

/* The answer of the resource at a dynamic node. *ret_alias: what to look for
 * when it is RESPONDER_ALIAS. */
enum responder_outcome responder_resource_answer(struct responder *r,
    const struct zone *zone, const struct zone_node *node,
    struct wire_owner *owner, const uint8_t **ret_alias);

/* An rrset of a zone, with its signatures if they are asked for; false: they
 * do not fit, and nothing was written. */
bool responder_put_rrset(struct responder *r, enum wire_section section,
    struct wire_owner *owner, const struct rrset *set);

/* The NSEC records that wait, behind the whole answer; false: they do not fit. */
bool responder_put_proofs(struct responder *r);

/* Addresses of the names that the set's records lead to, as far as they fit;
 * what is left out, a resolver asks for. */
void responder_add_targets(
    struct responder *r, const struct zone *zone, const struct rrset *set);
/* The same of one name, which may be anybody's. */
void responder_add_target(
    struct responder *r, const struct zone *zone, const uint8_t *name);
/* Addresses of the name servers of a cut, without which some of them cannot
 * be reached at all: false when such do not fit (RFC 9471). */
bool responder_add_glue(struct responder *r, const struct zone *zone,
    const struct zone_node *cut, const struct rrset *servers);
