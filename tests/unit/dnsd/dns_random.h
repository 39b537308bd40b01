/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Random zones, and questions about them, for the reference. Few labels, so
 * that names meet: below and beside each other, wildcards, delegations,
 * DNAMEs and aliases on the way, targets inside, outside and in each other's
 * zones. What a zone file may not have is left out.
 *
 * Thread:  one at a time.
 * Memory:  the caller's.
 */
#include "base/rng.h"
#include "tests/unit/dnsd/dns_reference.h"

/* 0, or BRAID_SEED of the environment: other worlds. */
int random_first_seed(void);
void random_world(struct rng *rng, struct ref_world *ret);
void random_question(struct rng *rng, const struct ref_world *world,
    struct ref_name *ret_name, uint16_t *ret_type);
