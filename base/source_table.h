/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Connections and rates per client source, over all workers, in a table of
 * fixed size. A source is an IPv4 address or the first 64 bits of an IPv6
 * address, in a scope (a listener), known by a keyed hash.
 *
 *     key ──> two buckets of 8 slots      slot: who   tag 40 | connections 24
 *             [........]   [........]           until time of the bucket, ns
 *
 * The rate is a leaky bucket as one number (GCRA, ITU-T I.371): `until` is the
 * time at which the bucket has run empty. An admission moves it on by one
 * interval; one that would move it beyond now + the burst is refused and moves
 * nothing. So a source that asks too often still gets its rate, and a burst of
 * one second's worth after a pause.
 *
 * Slots need no sweeping: one with no connection whose `until` has passed holds
 * nothing that a fresh one would not, and is taken over where it is found.
 * When all 16 are in use,
 *   - one without a connection whose `until` is nearest is taken over: that
 *     source loses at most the debt of the smallest debtor, so to be forgotten
 *     a flood from many sources must owe more than each of them;
 *   - if all have connections, the new one is admitted but not tracked
 *     (slot SOURCE_UNTRACKED): nobody is locked out by others. The table is
 *     sized to at least twice the connections there can be, and where a
 *     source lands is secret, so this is out of an attacker's reach.
 *
 * Thread:  any, without locks: each step is one compare-and-swap. A slot with
 *          a connection is never taken over, and admissions hold one while
 *          they look at the rate.
 *          Accepted races: a source that arrives on two workers at once for
 *          the first time may get two slots (its limit is then met twice until
 *          one is empty); and a slot taken over at the very moment when its
 *          old source is refused may inherit that one's debt.
 * Memory:  16 bytes a slot, mapped at boot, touched on use.
 * Units:   nanoseconds; rates per second.
 * Limits:  2^24 - 1 connections a source.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/error.h"

struct source_table;

/* What of an IPv6 address is a source: what one subscriber has. */
#define SOURCE_IPV6_BITS 64
#define SOURCE_UNTRACKED UINT32_MAX
#define SOURCE_CONNECTIONS_MAX UINT32_C(0xffffff)

/* What a scope allows a source; 0: no limit. */
struct source_limit {
	uint32_t connections;
	uint32_t rate; /* new connections per second */
};

enum source_verdict {
	SOURCE_ADMITTED,
	SOURCE_TOO_MANY, /* connections */
	SOURCE_TOO_FAST, /* rate */
};

struct source_admission {
	enum source_verdict verdict;
	uint32_t slot; /* ADMITTED: for source_release() */
	bool evicted; /* another source's debt was forgotten */
};

/* For at least `connections` at once; `seed` is the secret. NULL on lack of
 * memory. IPv6 sources count by their first `ipv6_bits` bits (64 is usual). */
struct source_table *source_table_new(
    uint32_t connections, uint8_t ipv6_bits, uint64_t seed);
void source_table_free(struct source_table *table);
uint32_t source_table_slots(const struct source_table *table);
/* Counts a connection of the source, or refuses it. Each ADMITTED is matched
 * by one source_release() of its slot. Unix sources are admitted untracked. */
struct source_admission source_admit(struct source_table *table, uint32_t scope,
    const struct addr *source, const struct source_limit *limit,
    struct mono now);
void source_release(struct source_table *table, uint32_t slot);
/* Connections the source has now; for display and tests. */
uint32_t source_connections(const struct source_table *table, uint32_t scope,
    const struct addr *source);
