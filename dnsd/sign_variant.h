/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The RRSIGs over all that a resource may answer, one for each of its
 * variants and types. Inside of sign.c only.
 *
 * Thread:  the clerk's.
 * Memory:  borrows all.
 */
#include "dnsd/rrsig.h"
#include "dnsd/sign.h"
#include "dnsd/zone_builder.h"

/* When a signature of that owner and type begins and ends. */
struct rrsig_window sign_window(
    const uint8_t *apex, const uint8_t *owner, uint16_t type, struct wall now);

/* The builder has the node's resource already. */
void sign_variant_all(const struct zone *zone, const struct zone_node *node,
    const struct sign_options *options, struct zone_builder *builder);
