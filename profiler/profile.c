/* SPDX-License-Identifier: Apache-2.0 */
#include "profiler/profile.h"

#include "base/assert.h"

#include <assert.h>
#include <string.h>

static_assert(N_PROFILE_CHECKPOINTS <= 16, "bits of passed");

static const char *const checkpoint_names[N_PROFILE_CHECKPOINTS] = {
#define X(name, text) [PROFILE_AT_##name] = text,
    PROFILE_CHECKPOINT_LIST(X)
#undef X
};

const char *profile_checkpoint_name(enum profile_checkpoint checkpoint)
{
	br_assert(checkpoint < N_PROFILE_CHECKPOINTS);
	return checkpoint_names[checkpoint];
}

const char *profile_origin_name(bool pinned, enum profile_checkpoint checkpoint)
{
	return pinned ? "pin" : profile_checkpoint_name(checkpoint);
}

/* When earlier flows say that this one is large: so many, so surely. */
#define PAST_FLOWS 4u
#define PAST_LARGE_PERMILLE 800u

/* -- verdicts ---------------------------------------------------------- */

void profile_start(struct profile *profile, struct mono now)
{
	memset(profile, 0, sizeof *profile);
	features_start(&profile->features, now);
}

static void profile_pass(
    struct profile *profile, enum profile_checkpoint checkpoint)
{
	profile->passed |= (uint16_t)(1u << checkpoint);
	profile->checkpoint = (uint8_t)checkpoint;
}

static void profile_pass_if(
    struct profile *profile, enum profile_checkpoint checkpoint, bool behind)
{
	if (behind && !profile_has_passed(profile, checkpoint))
		profile_pass(profile, checkpoint);
}

/* The last one that is passed gives the verdict its name. */
static void profile_pass_all(struct profile *profile, struct mono now)
{
	const struct features *f = &profile->features;
	uint64_t bytes = f->bytes[0] + f->bytes[1];
	int64_t age_ns = now.ns - f->began_ns;

	for (unsigned i = PROFILE_AT_250MS; i <= PROFILE_AT_4S; i++)
		profile_pass_if(profile, (enum profile_checkpoint)i,
		    age_ns >= profile_next_ns(profile));
	profile_pass_if(profile, PROFILE_AT_FIRST, true);
	profile_pass_if(profile, PROFILE_AT_ANSWER, f->reads[0] && f->reads[1]);
	profile_pass_if(profile, PROFILE_AT_READS,
	    f->reads[0] + f->reads[1] >= FEATURES_SEQUENCE);
	for (unsigned i = PROFILE_AT_16K; i <= PROFILE_AT_1M; i++)
		profile_pass_if(profile, (enum profile_checkpoint)i,
		    bytes >= profile_next_bytes(profile));
}

static void profile_set(
    struct profile *profile, uint8_t class, uint16_t confidence)
{
	if (class != profile->class && profile->n_changes < UINT8_MAX)
		profile->n_changes++;
	profile->class = class;
	profile->confidence = confidence;
}

static uint16_t profile_sure(const struct profile *profile)
{
	return profile->checkpoint == PROFILE_AT_FIRST ? PROFILE_SURE_FIRST
						       : PROFILE_SURE;
}

void profile_judge(struct profile *profile, const struct model *model,
    const struct history *history, const struct features_socket *socket,
    struct mono now, int32_t ret_vector[N_FEATURES])
{
	bool first = !profile->passed;
	struct features_history past = {0};
	uint16_t confidence = 0;
	uint8_t class;

	profile_pass_all(profile, now);
	if (profile->keyed)
		history_find(history, profile->key, &past);
	profile->past_large = past.flows >= PAST_FLOWS &&
			      past.large_permille >= PAST_LARGE_PERMILLE;
	features_fill(&profile->features, &profile->hints, socket, &past, now,
	    ret_vector);
	features_mark(&profile->features, now);
	if (!profile->pinned && model) {
		class = model_classify(model, ret_vector, &confidence);
		profile_set(profile,
		    confidence < profile_sure(profile) ? FLOW_CLASS_UNKNOWN
						       : class,
		    confidence);
	}
	if (first)
		profile->first_class = profile->class;
}

void profile_pin(struct profile *profile, enum flow_class class)
{
	profile_set(profile, (uint8_t) class, 10000);
	profile->pinned = true;
}

void profile_pin_by(struct profile *profile, const struct conf_pins *pins)
{
	unsigned pin = pins->by_protocol[profile->hints.protocol];

	if (!pin)
		pin = pins->any;
	if (pin) {
		profile_pin(profile, (enum flow_class)(pin - CONF_PIN(0)));
	} else if (profile->pinned) {
		profile_set(profile, FLOW_CLASS_UNKNOWN, 0);
		profile->pinned = false;
	}
}

/* -- advice ------------------------------------------------------------ */

/* A direction that carries as much is worth the change (docs/profiler.md: they
 * are 0.4 % of flows and carry 92 % of bytes). */
#define ADVICE_ELEPHANT_BYTES (1u << 20)
/* Without a verdict or a length, the same pace for longer than without the
 * profiler: what has passed as much mostly has more to come. */
static const struct profile_counter advice_default = PROFILE_COUNTER_DEFAULT;
static const struct profile_counter advice_unknown = {1u << 20, 4000};
static const struct profile_counter advice_bulk = {16u << 10, 1000};
static const struct profile_counter advice_other = {1u << 20, 1000};
/* Unsent bytes that a socket keeps of who must not wait behind his own. */
#define ADVICE_UNSENT_BYTES (64u << 10)
/* Of a stream's own rate: room to catch up, but no burst of seconds. */
#define ADVICE_PACING_FACTOR 3u
#define ADVICE_PACING_LEAST_BPS (256u << 10)

static uint64_t advice_rate_bps(const struct features *features)
{
	int64_t age_ns = features->last_ns - features->began_ns;

	if (age_ns < PROFILE_TIME_NS)
		return 0;
	return (uint64_t)((__uint128_t)features->bytes[1] * NS_PER_S /
			  (uint64_t)age_ns);
}

/* Without a verdict. The operator's "unknown" is as without the profiler. */
static struct profile_counter advice_opaque(const struct profile *profile)
{
	if (profile->pinned)
		return advice_default;
	return profile->past_large ? advice_bulk : advice_unknown;
}

void profile_advise(const struct profile *profile, struct profile_advice *ret)
{
	uint64_t rate;

	*ret = (struct profile_advice){.counter = advice_default};
	switch ((enum flow_class)profile->class) {
	case FLOW_CLASS_BULK:
		ret->counter = advice_bulk;
		break;
	case FLOW_CLASS_STREAM:
		ret->unsent_bytes = ADVICE_UNSENT_BYTES;
		rate =
		    advice_rate_bps(&profile->features) * ADVICE_PACING_FACTOR;
		if (rate)
			ret->pacing_bps = rate < ADVICE_PACING_LEAST_BPS
					      ? ADVICE_PACING_LEAST_BPS
					      : rate;
		break;
	case FLOW_CLASS_INTERACTIVE:
		ret->unsent_bytes = ADVICE_UNSENT_BYTES;
		ret->counter = advice_other;
		break;
	case FLOW_CLASS_REQUEST:
	case FLOW_CLASS_PUSH:
		ret->counter = advice_other;
		break;
	case FLOW_CLASS_UNKNOWN:
		ret->counter = advice_opaque(profile);
		break;
	case N_FLOW_CLASSES:
		break;
	}
}

void profile_expect(
    const struct profile *profile, bool up, struct profile_known *ret)
{
	uint64_t bytes = profile->hints.message_bytes[!up];

	*ret = (struct profile_known){
	    .bytes = profile->pinned ? 0 : bytes,
	    .bulk = bytes >= ADVICE_ELEPHANT_BYTES,
	};
}

/* -- hindsight --------------------------------------------------------- */

#define OBSERVED_BULK_BYTES (1u << 20)
#define OBSERVED_BULK_TURN_BYTES (64u << 10)
#define OBSERVED_BULK_KBPS 8000u
#define OBSERVED_IDLE_MS 2000
#define OBSERVED_TURN_BYTES 4096u

bool profile_was_large(const struct features *features)
{
	uint64_t bytes = features->bytes[0] + features->bytes[1];

	return bytes >= OBSERVED_BULK_BYTES &&
	       bytes / (features->turns + 1) > OBSERVED_BULK_TURN_BYTES;
}

enum flow_class profile_observed(
    const struct features *features, struct mono now)
{
	uint64_t bytes = features->bytes[0] + features->bytes[1];
	uint64_t age_ms = (uint64_t)(now.ns - features->began_ns) / 1000000;
	uint64_t kbps = bytes * 8 / (age_ms ? age_ms : 1);
	uint64_t turn_bytes = bytes / (features->turns + 1);

	if (!bytes)
		return FLOW_CLASS_UNKNOWN;
	if (profile_was_large(features))
		return kbps >= OBSERVED_BULK_KBPS ? FLOW_CLASS_BULK
						  : FLOW_CLASS_STREAM;
	if (features->max_gap_us / 1000 >= OBSERVED_IDLE_MS &&
	    features->turns < age_ms / 1000)
		return FLOW_CLASS_PUSH;
	if (turn_bytes < OBSERVED_TURN_BYTES / 16 && features->turns > 4 &&
	    features->turns < age_ms / 10)
		return FLOW_CLASS_INTERACTIVE;
	return FLOW_CLASS_REQUEST;
}
