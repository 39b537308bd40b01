/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Time, as two types that cannot be mixed by accident: monotonic time for
 * durations and deadlines, wall time for what people read.
 *
 * Deciders never call *_now(): they are handed the time.
 *
 * Thread:  any.
 * Units:   nanoseconds.
 */
#include <stddef.h>
#include <stdint.h>

struct mono {
	int64_t ns;
};

struct wall {
	int64_t ns; /* since 1970-01-01T00:00:00Z */
};

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

struct mono mono_now(void);
struct wall wall_now(void);

static inline struct mono mono_add_ns(struct mono t, int64_t ns)
{
	return (struct mono){t.ns + ns};
}

static inline struct mono mono_add_ms(struct mono t, int64_t ms)
{
	return (struct mono){t.ns + ms * NS_PER_MS};
}

/* later - earlier; negative when the order is the other way round. */
static inline int64_t mono_diff_ns(struct mono later, struct mono earlier)
{
	return later.ns - earlier.ns;
}

/* "2026-01-02T03:04:05.678Z" and its length; ret must hold 25 bytes. */
size_t wall_format(struct wall t, char ret[25]);
