/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What kind of flow it is, and what follows from that: a verdict at a few
 * checkpoints, each from the behaviour so far, and advice to the paths.
 *
 *      first    answer     16 KiB     64 KiB      1 MiB     bytes both ways
 *        v        v          v          v           v
 *   ─────●────────●──────────●──────────●───────────●──────────>
 *       and once at 16 reads, and at 250 ms, 1 s and 4 s
 *
 * A verdict is wrong now and then. It therefore decides only what is correct
 * either way: how bytes are moved, never whether.
 *
 * A checkpoint in time is met by the first read behind it: while nothing moves
 * there is nothing to act on. Streams, pushes and persons show their kind only
 * by what they do between silences, which takes seconds. At 16 reads the
 * sequence of features.h is full, however few bytes it took.
 *
 * Thread:  the flow's worker; no IO, no clock.
 * Memory:  the caller's.
 */
#include "conf/conf.h"
#include "profiler/features.h"
#include "profiler/history.h"
#include "profiler/model.h"

/* Below this the verdict is "unknown", in 1/10000. Of first bytes alone more is
 * asked: the next verdict is an answer away, so a guess would win nothing. */
#define PROFILE_SURE 4000
#define PROFILE_SURE_FIRST 6000
#define PROFILE_TIME_NS (250 * NS_PER_MS)
#define PROFILE_TIME_FACTOR 4 /* between checkpoints in time */

#define PROFILE_CHECKPOINT_LIST(X)                                             \
	X(FIRST, "first")                                                      \
	X(ANSWER, "answer")                                                    \
	X(READS, "16reads")                                                    \
	X(16K, "16KiB")                                                        \
	X(64K, "64KiB") X(1M, "1MiB") X(250MS, "250ms") X(1S, "1s") X(4S, "4s")

enum profile_checkpoint {
#define X(name, text) PROFILE_AT_##name,
	PROFILE_CHECKPOINT_LIST(X)
#undef X
	    N_PROFILE_CHECKPOINTS
};

struct profile {
	struct features features;
	struct features_hints hints;
	struct history_key key;
	uint8_t class; /* enum flow_class */
	uint8_t first_class; /* of the first verdict, for the log */
	uint8_t checkpoint; /* of the last verdict */
	uint16_t passed; /* bits of checkpoints that are behind */
	uint16_t confidence; /* in 1/10000 */
	uint8_t n_changes; /* of verdict; saturates */
	bool pinned : 1; /* the class is the operator's */
	bool keyed : 1; /* key is set */
	bool past_large : 1; /* most earlier flows of its kind were */
};

/* So many bytes by large reads, within so long, make a direction bulk. */
struct profile_counter {
	uint32_t bytes, window_ms;
};

/* Where splicing begins to pay, for those of whom nothing is known
 * (docs/performance.md). */
#define PROFILE_COUNTER_DEFAULT                                                \
	{                                                                      \
		256u << 10, 1000                                               \
	}

/* Of the first bytes of a direction: how many there will be, and whether they
 * are bulk; what comes behind them is not known. */
struct profile_known {
	uint64_t bytes; /* 0: nothing is known */
	bool bulk;
};

/* What the paths are to do; correct for any class. */
struct profile_advice {
	struct profile_counter counter;
	/* TCP_NOTSENT_LOWAT of the client's socket; 0: as it is. */
	uint32_t unsent_bytes;
	/* SO_MAX_PACING_RATE, bytes a second; 0: none. */
	uint64_t pacing_bps;
};

void profile_start(struct profile *profile, struct mono now);
/* Whether a checkpoint was passed since the last verdict, constant time. */
static inline bool profile_is_due(
    const struct profile *profile, struct mono now);
/* Passes all checkpoints that are behind and makes a verdict. `model` and
 * `socket` may be NULL; ret_vector gets what the model was asked, or would
 * have been. */
void profile_judge(struct profile *profile, const struct model *model,
    const struct history *history, const struct features_socket *socket,
    struct mono now, int32_t ret_vector[N_FEATURES]);
/* The operator's word instead of the model's. */
void profile_pin(struct profile *profile, enum flow_class class);
/* The same by what the hints say of the protocol so far. Where they now say
 * one that is not pinned, the class is the model's again. */
void profile_pin_by(struct profile *profile, const struct conf_pins *pins);
void profile_advise(const struct profile *profile, struct profile_advice *ret);
/* After the hints of that side: what they say of how much it sends. Nothing for
 * a pinned flow, whose class alone counts. */
void profile_expect(
    const struct profile *profile, bool up, struct profile_known *ret);
/* Of an ended flow: it carried much, and not in many small turns. */
bool profile_was_large(const struct features *features);
/* What a flow is, by rule, when all of it is known: the label of recorded
 * rows. It is judged by hindsight and never used for a live flow. */
enum flow_class profile_observed(
    const struct features *features, struct mono now);

const char *profile_checkpoint_name(enum profile_checkpoint checkpoint);
/* Where a verdict comes from: the checkpoint, or "pin". */
const char *profile_origin_name(
    bool pinned, enum profile_checkpoint checkpoint);

static inline bool profile_has_passed(
    const struct profile *profile, unsigned checkpoint)
{
	return profile->passed & 1u << checkpoint;
}

/* The next checkpoint by bytes, or UINT64_MAX. */
static inline uint64_t profile_next_bytes(const struct profile *profile)
{
	static const uint64_t bytes[] = {16u << 10, 64u << 10, 1u << 20};

	for (unsigned i = 0; i < 3; i++)
		if (!profile_has_passed(profile, PROFILE_AT_16K + i))
			return bytes[i];
	return UINT64_MAX;
}

/* The flow's age at the next checkpoint in time, or INT64_MAX. */
static inline int64_t profile_next_ns(const struct profile *profile)
{
	int64_t ns = PROFILE_TIME_NS;

	for (unsigned i = PROFILE_AT_250MS; i <= PROFILE_AT_4S; i++) {
		if (!profile_has_passed(profile, i))
			return ns;
		ns *= PROFILE_TIME_FACTOR;
	}
	return INT64_MAX;
}

static inline bool profile_is_due(
    const struct profile *profile, struct mono now)
{
	const struct features *f = &profile->features;

	return !profile_has_passed(profile, PROFILE_AT_FIRST) ||
	       (!profile_has_passed(profile, PROFILE_AT_ANSWER) &&
		   f->reads[0] && f->reads[1]) ||
	       (!profile_has_passed(profile, PROFILE_AT_READS) &&
		   f->reads[0] + f->reads[1] >= FEATURES_SEQUENCE) ||
	       f->bytes[0] + f->bytes[1] >= profile_next_bytes(profile) ||
	       now.ns - f->began_ns >= profile_next_ns(profile);
}
