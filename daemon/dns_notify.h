/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Tells secondaries that a zone has changed (NOTIFY, RFC 1996): those of
 * dns.zones.*.transfer.notify, when the zone's serial is another than before,
 * and at the start,
 * once no older process answers any more. Each is told until it answers, DNS_NOTIFY_TRIES times, at
 * growing intervals.
 *
 *      old zones ─┐                       ┌──> send ── no answer: again
 *      new zones ─┴─> serials differ ──> notice
 *                                         └──> answer: done
 *
 * Thread:  the clerk.
 * Memory:  one, made and freed by the clerk. A notice holds its message, not
 *          the zone.
 * Errors:  said in the log: who did not answer, or with what error.
 * Limits:  DNS_NOTIFY_MAX notices at a time, the rest is dropped and said;
 *          DNS_NOTIFY_SOCKETS of them with a socket.
 */
#include <stdint.h>

#include "base/clock.h"

struct dns_notify;
struct dns_store;

#define DNS_NOTIFY_TRIES 5u
#define DNS_NOTIFY_FIRST_MS 2000u /* doubled with each try */
#define DNS_NOTIFY_MAX 4096u
#define DNS_NOTIFY_SOCKETS 64u

struct dns_notify *dns_notify_new(void);
void dns_notify_free(struct dns_notify *notify);
/* `before` is NULL at the start; `now` of the configuration in force. A zone's
 * older notices end. */
void dns_notify_changed(struct dns_notify *notify,
    const struct dns_store *before, const struct dns_store *now);
/* Sends what is due and takes answers; often enough for DNS_NOTIFY_FIRST_MS. */
void dns_notify_turn(struct dns_notify *notify, struct mono now);
