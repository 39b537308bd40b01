/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One health check in flight: connect, and for http ask and read the status.
 * Exactly one operation is in flight at a time.
 *
 *      check_start
 *          │             tcp: success
 *      CONNECTING ────────────────────────┐
 *          │ http                         │
 *       SENDING ──> READING ── status ────┤──> ENDED ──> freed
 *          │           │                  │      (operation still in flight:
 *          └───────────┴── failure, timeout       cancelled, then freed)
 *
 * on_verdict is called exactly once per started check, unless it is
 * abandoned; on_room once per check when its descriptor is closed and its
 * memory is free again. The connection always ends with a reset, so that
 * probing leaves no TIME_WAIT behind.
 *
 * Thread:  the owner of the ring (control).
 * Memory:  checks live in the checker's slab; what a request points to is
 *          only read within check_start().
 * Errors:  see struct check_result; the cause is printable.
 * Limits:  checks_max in flight; a head of at most CHECK_BYTES_MAX.
 */
#include <stdint.h>

#include "base/clock.h"
#include "base/slab.h"
#include "base/timer.h"
#include "conf/conf.h"
#include "fleet/board.h"
#include "io/op.h"
#include "io/ring.h"

#define CHECK_BYTES_MAX 4096

struct check;

struct check_request {
	struct addr to, source; /* source of length 0: the kernel chooses */
	const struct conf_health *health; /* type tcp or http */
};

struct check_result {
	/* 0; BR_E_STATUS, BR_E_PROTOCOL, BR_E_CLOSED; -ETIMEDOUT; or what
	 * the socket said. */
	int error;
	char cause[BOARD_CAUSE_MAX];
};

struct checker {
	struct ring *ring;
	struct timer_wheel *wheel;
	struct slab slab;
	uint32_t in_flight;
	void *context;
	void (*on_verdict)(
	    void *context, void *target, const struct check_result *result);
	void (*on_room)(void *context);
};

int checker_init(struct checker *checker, uint32_t checks_max) BR_MUST_CHECK;
/* Nothing may be in flight. */
void checker_fini(struct checker *checker);

/* Starts a check on behalf of `target`. 0; BR_E_LIMIT when checks_max are in
 * flight; or the -errno of making the socket, which says nothing about the
 * server if check_is_local_trouble(). */
int check_start(struct checker *checker, const struct check_request *request,
    void *target, struct mono now, struct check **ret) BR_MUST_CHECK;
/* Ends a check without a verdict. */
void check_abandon(struct check *check);
/* Want of descriptors, memory or ports here. */
bool check_is_local_trouble(int error);
