/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What this process hands to its successor: the manifest, filled in from the
 * plan in force and the board, and the descriptors in the manifest's order.
 *
 * Thread:  the upgrade's; the plan stays in force meanwhile, because reloads
 *          wait for the end of an upgrade.
 * Memory:  handover_init() .. handover_fini(); descriptors stay their owners'.
 */
#include "daemon/daemon.h"
#include "daemon/manifest.h"

struct handover {
	struct manifest manifest;
	int *fds;
	uint32_t n_fds, room;
};

void handover_init(
    struct handover *handover, struct daemon *daemon, const struct plan *plan);
void handover_fini(struct handover *handover);
/* Only what operators and checks have set or found out: sent again at the very
 * end, since it may have changed while the successor started. */
void handover_state(
    struct manifest *ret, const struct daemon *daemon, const struct plan *plan);
