/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Resources: names that are sharded over POPs. A resource knows its POPs, the
 * names that stand for them (targets) and, compiled, every record that it may
 * answer with; which of them a client gets is drawn from the weights in force.
 *
 *      client ──> key ──┐
 *      region ──> row ──┴─> draw ──> choice ──> answer of this type
 *
 * The mode says what the owner holds; that never depends on weights:
 *
 *      pick     CNAME         one POP, every client
 *      rank     HTTPS, A, AAAA   n POPs in order, then the owner itself, whose
 *                             addresses are those of the first
 *      addrs    A, AAAA       several POPs, no two of one failure domain
 *      srv      SRV           n POPs by weight
 *      literal  CNAME         n of them in order, which breaks RFC 2181 section
 *                             10.1: only for `allow`, others get pick
 *
 * A, AAAA and HTTPS of one client in one period are of the same POP, also on
 * another node: the draw knows nothing of the type.
 *
 * Thread:  built by the clerk; then const for every worker.
 * Memory:  in the caller's arena, but for the configuration's texts, which are
 *          copied. `pops` must live as long. A choice is the caller's; answers
 *          point into the resource or the choice.
 * Units:   TTL in seconds.
 * Errors:  -EINVAL with a text for each problem; all are told.
 * Limits:  RESOURCE_POPS_MAX POPs; in a signed zone 8, of which an answer
 *          names 3 at most, so that each possible answer can be signed.
 */
#include "conf/conf.h"
#include "dnsd/answer_set.h"
#include "dnsd/client_key.h"
#include "dnsd/dns_record.h"
#include "dnsd/dname.h"
#include "dnsd/policy.h"
#include "fleet/region.h"

#define RESOURCE_POPS_MAX DRAW_POPS_MAX
#define RESOURCE_TYPES_MAX 3u
#define RESOURCE_TARGET_TTL_S 300u
/* Records of an answer that carry weights of their own (srv). */
#define RESOURCE_SRV_MAX 16u
#define RESOURCE_SRV_BYTES (6u + DNAME_MAX)
/* Of HTTPS records in an answer, the owner's own left out: RFC 9460 section
 * 2.4.2 finds more than 8 in a row unwise for aliases; it also keeps an answer
 * below 1232 bytes. */
#define RESOURCE_RANK_MAX 8u

struct arena;
struct resource;

struct resource_options {
	const uint8_t *apex; /* of the zone, wire form */
	const struct conf_resource *conf;
	const struct pops *pops; /* conf's indices are into these */
	const char *salt; /* of the zone */
	bool is_signed;
	uint32_t slot; /* its number within the zone */
	/* Where answers that name this POP first are counted; NULL: nowhere. */
	uint32_t (*counter_of)(
	    void *context, const char *resource, const char *pop);
	void *counter_context;
	/* One problem, for the end of "resource NAME: ". */
	void (*on_error)(void *context, const char *text);
	void *context;
};

int resource_new(struct arena *arena, const struct resource_options *options,
    struct resource **ret) BR_MUST_CHECK;

const uint8_t *resource_owner(const struct resource *resource);
/* As configured. */
const char *resource_name(const struct resource *resource);
enum conf_mode resource_mode(const struct resource *resource);
/* The same on every node: of the owner's name. */
uint64_t resource_id(const uint8_t *owner);
/* resource_options.slot */
uint32_t resource_slot(const struct resource *resource);
/* The owner's name from the configured names of zone and resource. 0 or
 * -EINVAL. */
int resource_owner_of(
    const char *zone, const char *name, uint8_t ret[DNAME_MAX]) BR_MUST_CHECK;
/* Types that the owner holds; how many. */
uint32_t resource_types(
    const struct resource *resource, uint16_t ret[RESOURCE_TYPES_MAX]);
/* The owner is an alias: any type is answered with its CNAME. */
bool resource_is_alias(const struct resource *resource);
/* The longest TTL that answers have, TTL of the RRSIGs (RFC 4035 section 2.2)
 * and of the records they cover. */
uint32_t resource_ttl_max(const struct resource *resource);
uint32_t resource_n_pops(const struct resource *resource);
/* The POP at a position of the resource's list. */
const struct pop *resource_pop(
    const struct resource *resource, uint32_t position);
/* What options.counter_of() said of it, or UINT32_MAX. */
uint32_t resource_counter(const struct resource *resource, uint32_t position);
/* The name that stands for it. */
const uint8_t *resource_target(
    const struct resource *resource, uint32_t position);

/* The records of the targets that lie in the zone: A, AAAA and, where there is
 * alpn or a port and the mode leads to the target, HTTPS. TTL
 * RESOURCE_TARGET_TTL_S. */
void resource_records(const struct resource *resource,
    void (*on_record)(void *context, const struct dns_record *record),
    void *context);

/* -- answering --------------------------------------------------------- */

/* Who asks. */
struct resource_client {
	const struct addr *source; /* IPv4, IPv6 or mapped */
	/* The subnet option's prefix, 0 behind its bits; NULL: none was given
	 * or it is not to be used. One of 0 bits is as none but for the scope,
	 * which is 0 either way. */
	const struct prefix *subnet;
};

struct resource_choice {
	const struct draw_weights *weights; /* that it was drawn from */
	enum policy_source source;
	bool fails_open;
	enum conf_mode mode; /* in force: literal is pick for others */
	uint32_t region; /* or REGION_NONE */
	uint32_t ttl;
	bool ttl_cut; /* a large move is planned, and near */
	/* RFC 7871 section 7.2.1: bits of the subnet that decided. With more
	 * than 0 an alias is answered alone, without its target's records,
	 * which are the same for all (section 7.2.2 and gdnsd's practice). */
	uint8_t scope;
	uint8_t n;
	/* Positions in the resource's list; the first is its first choice. */
	uint8_t chosen[RESOURCE_POPS_MAX];
	struct client_key key;
	struct client_draw draw;
	/* srv: the records, since weights change. Not initialised else. */
	uint8_t srv[RESOURCE_SRV_MAX][RESOURCE_SRV_BYTES];
};

/* `policy` and `regions` may be NULL: configured weights, no region. */
void resource_choose(const struct resource *resource,
    const struct policy *policy, const struct region_map *regions,
    const struct resource_client *client, struct wall now,
    struct resource_choice *ret);

/* The position of the POP that an answer by the choice, which has some, counts
 * for: the first; of srv one that is drawn by the weights in it. */
uint32_t resource_counted(
    const struct resource *r, const struct resource_choice *choice);
/* The choice for nobody in particular, for zone transfers: the heaviest POPs by
 * the configured weights. */
void resource_choose_heaviest(
    const struct resource *resource, struct resource_choice *ret);

/* ret->n is 0 when the owner does not hold the type (RFC 2308: NODATA). For an
 * alias the CNAME, whatever the type. */
void resource_answer(const struct resource *resource,
    const struct resource_choice *choice, uint16_t qtype,
    struct answer_set *ret);

/* -- signing ----------------------------------------------------------- */

/* Every set that resource_answer() may give for the type, by
 * answer_set.variant from 0 on; returns how many. Only of a resource that was
 * made with is_signed. TTL is resource_ttl_max(). */
uint32_t resource_variants(const struct resource *resource, uint16_t type,
    void (*on_variant)(void *context, const struct answer_set *set),
    void *context);
