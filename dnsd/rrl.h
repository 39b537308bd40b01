/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Response-rate limiting: how many answers an address, and each network around
 * it, gets in a second. Queries over UDP are forged to have answers sent to a
 * victim; the victim's networks are what an attack has in common.
 *
 *      IPv4   /32 x1   /24 x32   /20 x256   /18 x768     of the rate
 *      IPv6   /128 x1  /64 x2    /56 x3     /48 x4   /32 x64
 *
 * An answer is admitted when every one of its prefixes has room, and is then
 * counted in each. A prefix is a leaky bucket as one number (GCRA, ITU-T
 * I.371): the time at which it has run empty, so it decays by itself; its
 * burst is its rate's worth of one second.
 *
 *      prefix ──keyed hash──> one line of 8 words     word: tag 24 | until 40
 *
 * A prefix without a word takes an empty one, or else that of the smallest
 * debt in its line: to be forgotten, a flood from many sources must owe more
 * than each of them.
 *
 * Of what is refused each slip-th is to go out truncated (dnsd/slip.h),
 * so that a victim's own resolver comes again over TCP, which cannot be
 * forged; the rest is dropped. Answers over TCP and to valid cookies (RFC 7873
 * section 5.2.3) are not asked about.
 *
 * Thread:  any, without locks: a word changes by compare-and-swap.
 *          Accepted races: two workers that admit at the same moment may admit
 *          one answer more each; a word taken over at that moment is lost to
 *          one of them. Their clocks may differ by less than a second.
 * Memory:  8 bytes a word, mapped at boot, touched on use.
 * Units:   answers per second; time in ticks of 16 ns.
 * Limits:  RRL_RATE_MAX. A prefix's interval is at least one tick: 62.5
 *          million answers a second.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"

struct rrl;

#define RRL_WORDS_DEFAULT (UINT32_C(1) << 19)
#define RRL_RATE_MAX 1000000u

/* `words` is rounded up to a power of two of at least 8; `seed` is a secret.
 * NULL on lack of memory. */
struct rrl *rrl_new(uint32_t words, uint64_t seed);
void rrl_free(struct rrl *rrl);
/* Whether one more answer may go to `to`; counts it if so. rate > 0. What has
 * no IP address is always admitted. */
bool rrl_admit(
    struct rrl *rrl, const struct addr *to, uint32_t rate, struct mono now);
