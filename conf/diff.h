/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a reload changes: compares two trees by name, so that everything that
 * did not change is carried over by identity.
 *
 * Keys that need a restart keep the value with which the process runs: each
 * new tree inherits it from the one before. So they are compared with what
 * runs, not with what the last file said.
 *
 * Thread:  clerk.
 * Memory:  the diff lives in the caller's arena and points into both trees.
 * Errors:  none; what cannot be reloaded is listed in `restart_keys`.
 */
#include "conf/conf.h"

enum conf_change { CONF_SAME, CONF_CHANGED, CONF_ADDED };

/* Of one kind of entries. */
struct conf_changes {
	enum conf_change *change; /* one per entry of the new tree */
	uint32_t *before; /* index in the old tree, UINT32_MAX when added */
	uint32_t *removed; /* indices in the old tree */
	uint32_t n_removed;
};

struct conf_diff {
	/* One entry per listener/pool of the new tree. */
	enum conf_change *listeners, *pools;
	/* Index in the old tree, UINT32_MAX when added. */
	uint32_t *listener_before, *pool_before;
	/* Indices in the old tree of those that are gone. */
	uint32_t *listeners_removed, *pools_removed;
	uint32_t n_listeners_removed, n_pools_removed;
	/* Totals over pools, for the reload's summary line. */
	uint32_t servers_added, servers_removed, servers_changed;
	struct conf_changes zones, pops, regions;
	/* Keys whose value in the file is not the running one and that need a
	 * restart ("global.workers", ...). */
	const char *restart_keys[16];
	uint32_t n_restart_keys;
};

/* A listener is CHANGED also when only the binds differ; a pool index that
 * moved is no change by itself. A listener whose pool changed is CHANGED only
 * if the pool's *name* differs. */
void conf_diff(const struct conf *before, const struct conf *after,
    struct arena *arena, struct conf_diff *ret);
/* The same zone: its keys, records and resources, and what these take of the
 * POPs that they name. What its files hold is not looked at. */
bool conf_zone_equal(const struct conf *a, const struct conf_zone *za,
    const struct conf *b, const struct conf_zone *zb);
/* After the comparison: gives `after`, which is not in force yet, the values
 * of `before` for all keys that need a restart, and for what goes with them. */
void conf_keep_running(const struct conf *before, struct conf *after);
