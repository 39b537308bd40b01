/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A worker's flows for an operator: rows of `braidctl flows`, and `braidctl
 * kill`.
 *
 * Thread:  the worker.
 * Limits:  FLOW_LISTING_ROWS or FLOW_KILLING_STEP a call; flows that were
 *          listed before are passed over by walking, since the list is ordered
 *          by id.
 */
#include "daemon/daemon.h"

/* listing.fill of a struct flow_listing. */
void flow_rows_fill(const struct worker *worker, struct listing *listing);
void flow_rows_kill(struct worker *worker, struct flow_killing *killing);
