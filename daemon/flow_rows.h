/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Rows of `braidctl flows`, copied from a worker's flows.
 *
 * Thread:  the worker.
 * Limits:  FLOW_LISTING_ROWS a call; flows that were listed before are passed
 *          over by walking, since the list is ordered by id.
 */
#include "daemon/daemon.h"

void flow_rows_fill(const struct worker *worker, struct flow_listing *listing);
