/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The part of a comparison that is about zones, POPs and regions; for diff.c.
 *
 * Thread:  clerk.
 * Memory:  in the arena.
 */
#include "conf/diff.h"

/* Fills in ret->zones, ret->pops and ret->regions. */
void diff_dns(const struct conf *before, const struct conf *after,
    struct arena *arena, struct conf_diff *ret);
