/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * From single results to a health: a server that is up goes down after `fall`
 * failures in a row, one that is down comes up after `rise` successes in a
 * row. The first result after boot, after maintenance or after a change of
 * the check's configuration decides at once: an operator who starts Braid or
 * has just repaired something does not want to wait.
 *
 *                first success                first failure
 *          ┌──────────────── UNKNOWN ────────────────┐
 *          v                                         v
 *          UP ───────── fall failures in a row ──> DOWN
 *           └ <──────── rise successes in a row ──── ┘
 *
 * Thread:  any (pure).
 */
#include <stdbool.h>
#include <stdint.h>

#include "fleet/board.h"

struct verdict {
	uint32_t against; /* results in a row that contradict the health */
	bool fresh; /* the next result decides at once */
};

/* The health after one more result. rise and fall are at least 1. */
enum board_health verdict_next(struct verdict *verdict,
    enum board_health health, bool success, uint32_t rise, uint32_t fall);
