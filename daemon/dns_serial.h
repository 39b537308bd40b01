/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A zone whose records change under the serial that it had: its secondaries
 * compare serials (RFC 1034 section 4.3.5), so they keep what they have, and
 * nobody would notice.
 *
 *      zone before ──serial, digest of records──┐
 *      zone now    ──serial, digest of records──┴─> a warning
 *
 * Only of zones that somebody may fetch. What resources answer is not looked
 * at: a transfer has one answer of each, which weights may change.
 *
 * Thread:  the clerk; it walks both zones.
 * Errors:  none: a warning in `errors`, at the zone's line.
 */
#include "conf/conf.h"

struct zone;

/* `before` NULL: it is new. */
void dns_serial_check(const struct conf *conf, const struct conf_zone *zone,
    const struct zone *before, const struct zone *now,
    struct conf_errors *errors);
