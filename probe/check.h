/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One check in flight: of a server's health, or a question to its agent. It
 * connects, begins with a PROXY header where servers want one, and leads the
 * dialogue of probe/talk, in TLS or without. At most one operation is in
 * flight at a time.
 *
 *      check_start
 *          │
 *      CONNECTING ──> GREETING ─┬──> SENDING <──> READING ──result──┐
 *          │              │     │        ^           ^              v
 *          │              │     └──> WORKING (TLS) <─┘            ENDED ──>
 *          └──────────────┴────── failure, timeout ────────────────^  freed
 *                                     (operation still in flight:
 *                                      cancelled, then freed)
 *
 * on_verdict is called exactly once per started check, unless it is
 * abandoned; on_room once per check when its descriptor is closed and its
 * memory is free again. The connection always ends with a reset, so that
 * probing leaves no TIME_WAIT behind.
 *
 * Thread:  the owner of the ring (control).
 * Memory:  checks live in the checker's slab; what a request points to is
 *          only read within check_start(), but for the TLS context, which
 *          must live until the check has ended or is abandoned.
 * Errors:  see struct check_result; the cause is printable.
 * Limits:  checks_max in flight, about 30 KiB each (with TLS, OpenSSL's
 *          memory comes on top, some 30 KiB).
 */
#include <stdint.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/slab.h"
#include "base/timer.h"
#include "conf/conf.h"
#include "fleet/board.h"
#include "io/op.h"
#include "io/ring.h"
#include "io/tls_session.h"
#include "probe/agent_text.h"

struct check;

struct check_request {
	struct addr to, source; /* source of length 0: the kernel chooses */
	const char *name; /* of `to`; NULL: none */
	/* One of the two. */
	const struct conf_health *health;
	const struct conf_agent *agent;
	enum conf_proxy greeting;
	struct tls_context *tls; /* NULL: plain */
	struct tls_peer peer;
};

struct check_result {
	/* 0; BR_E_STATUS, BR_E_PROTOCOL, BR_E_CLOSED; -ETIMEDOUT; or what
	 * the socket said. */
	int error;
	char cause[BOARD_CAUSE_MAX];
	/* What an agent said, if there is no error; for the call. */
	const struct agent_report *report;
};

struct checker {
	struct ring *ring;
	struct timer_wheel *wheel;
	struct slab slab;
	uint32_t in_flight;
	struct mono (*work_clock)(void); /* measures what computing costs */
	struct list work; /* checks with something to compute, oldest first */
	struct timer work_timer;
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
