/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A resource from the inside: what resource.c and the files of its modes
 * share. A mode is one table of functions, resource_<mode>_ops.
 *
 *      resource.c  key, region, weights, TTL, scope ──> ops.choose: who
 *                                                        ops.answer: records
 *
 * Thread:  as in resource.h.
 * Memory:  all in the arena of the resource.
 */
#include "dnsd/resource.h"

struct resource_target {
	const uint8_t *name;
	uint16_t size;
	uint8_t shared; /* labels that it and the owner end with */
	bool in_zone; /* its records are ours to give */
};

/* One of the HTTPS records that an answer can have (rank). */
struct resource_image {
	const uint8_t *rdata;
	uint16_t length;
};

struct resource {
	const struct resource_ops *ops;
	const uint8_t *apex, *owner;
	const char *name;
	enum conf_mode mode;
	uint64_t id;
	struct siphash_key salt;
	uint32_t slot, ttl, n, n_pops;
	bool ecs, is_signed;
	uint16_t port;
	const char **alpn;
	uint32_t n_alpn;
	const struct prefix_map *allow; /* literal */
	const struct pop **pop;
	uint64_t *ids; /* theirs */
	uint32_t *counters; /* theirs; UINT32_MAX: not counted */
	struct draw_weights *configured;
	struct resource_target *targets;
	/* rank: priority * n_pops + position, then the owner's own. */
	struct resource_image *images;
	/* Signed sets: the number of each set of positions, by its mask. */
	uint8_t *set_number;
};

/* What was wrong while it was made. */
struct resource_maker {
	struct arena *arena;
	const struct resource_options *options;
	struct resource *r;
	int rc;
};

void resource_wrong(struct resource_maker *m, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct resource_ops {
	bool alias;
	/* Each type that its owner holds with addresses of that family needs
	 * all POPs to have some or none. */
	bool holds_addresses;
	bool has_targets;
	uint16_t type; /* that it holds beside addresses; 0: none */
	void (*make)(struct resource_maker *m); /* what it alone needs */
	/* Fills n, chosen; whether another key could have got others. */
	bool (*choose)(
	    const struct resource *r, struct resource_choice *choice);
	/* Of a type that the owner holds. */
	void (*answer)(const struct resource *r,
	    const struct resource_choice *choice, uint16_t type,
	    struct answer_set *ret);
	/* Which of the chosen an answer counts for; NULL: the first. */
	uint32_t (*counted)(const struct resource_choice *choice);
	/* The heaviest POPs are chosen already, n_max of them. */
	void (*choose_heaviest)(
	    const struct resource *r, struct resource_choice *choice);
	/* How many sets there are of the type, and the chosen POPs of one. */
	uint32_t (*count)(const struct resource *r, uint16_t type);
	void (*unpack)(const struct resource *r, uint16_t type,
	    uint32_t variant, struct resource_choice *ret);
};

extern const struct resource_ops resource_pick_ops, resource_rank_ops,
    resource_addrs_ops, resource_srv_ops, resource_literal_ops;

/* -- resource_target.c ------------------------------------------------- */

void resource_targets_make(struct resource_maker *m);
/* HTTPS rdata for a POP, in the arena. */
struct resource_image resource_https_image(struct arena *arena,
    const struct resource *r, uint16_t priority, const uint8_t *target,
    const struct pop *pop);

/* -- resource_sets.c: shared by modes ---------------------------------- */

/* Appends a record. */
void resource_put(
    struct answer_set *set, const uint8_t *rdata, uint32_t length);
/* Appends the POP's addresses of the type. */
void resource_put_addresses(
    struct answer_set *set, const struct pop *pop, uint16_t type);
/* The number of a set of chosen POPs among all with 1 to r->n, and back. */
void resource_sets_make(struct resource_maker *m);
uint32_t resource_set_number(
    const struct resource *r, const struct resource_choice *choice);
uint32_t resource_set_count(const struct resource *r);
void resource_set_unpack(
    const struct resource *r, uint32_t number, struct resource_choice *ret);
