/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A flow as the profiler sees it: first bytes of either side, reads of any
 * size at any time, a model whose answers come from what it is asked.
 *
 *      pin  client/8  server/8  [client's bytes] [server's bytes]  read ...
 *      read: side and time, size of two bytes
 *
 * Features stay within their units, verdicts within their classes, each
 * checkpoint is passed once, and a recorded row fits its line.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "base/hash.h"
#include "profiler/hints.h"
#include "profiler/model_abi.h"
#include "profiler/profile.h"
#include "profiler/record.h"

#define HEAD_BYTES 3u
#define READ_BYTES 3u

static uint32_t classify(const int32_t *features)
{
	/* Also classes and confidences that no model should give. */
	return (uint32_t)hash_bytes(features, N_FEATURES * sizeof *features, 0);
}

static const char *const classes[] = {
    "request", "bulk", "stream", "interactive", "push"};

static const struct model *the_model(void)
{
	static struct braid_model abi;
	static struct model model;
	char why[200];

	if (abi.magic)
		return &model;
	abi = (struct braid_model){.magic = BRAID_MODEL_MAGIC,
	    .abi = BRAID_MODEL_ABI,
	    .features_hash = features_hash(),
	    .n_features = N_FEATURES,
	    .n_classes = 5,
	    .name = "fuzz",
	    .classes = classes,
	    .classify = classify};
	br_assert(!model_bind(&model, &abi, why, sizeof why));
	return &model;
}

static const struct history *the_history(void)
{
	static struct history history;

	if (!history.entries)
		br_assert(!history_init(&history, 64, 1));
	return &history;
}

/* Its end is watched. The first part of a side comes alone, and the rest is
 * read where the hints ask for it. */
static uint8_t *copy_of(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size + !size);

	br_assert(bytes);
	if (size)
		memcpy(bytes, data, size);
	return bytes;
}

static void take_client(
    struct profile *profile, const uint8_t *data, size_t size)
{
	uint8_t *bytes = copy_of(data, size);
	uint8_t *first = copy_of(data, size / 2);
	struct hints_name name = {0};

	if (hints_of_client(&profile->hints, first, size / 2, &name))
		hints_of_client(&profile->hints, bytes, size, &name);
	br_assert(name.length <= HINTS_NAME_MAX);
	for (uint32_t i = 0; i < name.length; i++)
		br_assert(!(name.text[i] >= 'A' && name.text[i] <= 'Z'));
	free(first);
	free(bytes);
}

static void take_server(
    struct profile *profile, const uint8_t *data, size_t size)
{
	uint8_t *bytes = copy_of(data, size);
	uint8_t *first = copy_of(data, size / 2);

	if (hints_of_server(&profile->hints, first, size / 2))
		hints_of_server(&profile->hints, bytes, size);
	free(first);
	free(bytes);
}

static void check_row(const struct profile *profile,
    const int32_t vector[N_FEATURES], struct mono now)
{
	struct record_row row = {.checkpoint = profile->checkpoint,
	    .class = profile->class,
	    .confidence = profile->confidence,
	    .observed = (uint8_t)profile_observed(&profile->features, now),
	    .up_bytes = profile->features.bytes[0],
	    .down_bytes = profile->features.bytes[1]};
	char line[RECORD_LINE_MAX];

	memset(row.listener, 'l', RECORD_NAME_MAX);
	memset(row.pool, 'p', RECORD_NAME_MAX);
	memcpy(row.vector, vector, sizeof row.vector);
	br_assert(line[record_format(&row, line) - 1] == '\n');
}

static void check_verdict(const struct profile *profile,
    const int32_t vector[N_FEATURES], uint16_t passed_before)
{
	struct profile_advice advice;

	br_assert(profile->class < N_FLOW_CLASSES);
	br_assert(profile->confidence <= BRAID_MODEL_SURE);
	br_assert(profile->checkpoint < N_PROFILE_CHECKPOINTS);
	br_assert(profile->hints.protocol < PROTOCOL_COUNT);
	/* What was passed stays so, and something was. */
	br_assert((profile->passed & passed_before) == passed_before);
	br_assert(profile->passed != passed_before);
	br_assert(vector[FEATURE_down_permille] <= 1000);
	br_assert(vector[FEATURE_small_permille] <= 1000);
	br_assert(vector[FEATURE_large_permille] <= 1000);
	br_assert(vector[FEATURE_burst_permille] <= 1000);
	for (unsigned i = FEATURE_up_bytes; i <= FEATURE_rate_kbps; i++)
		br_assert(vector[i] >= 0);
	profile_advise(profile, &advice);
	br_assert(!advice.pacing_bps || profile->class == FLOW_CLASS_STREAM);
}

static void read_one(
    struct profile *profile, const uint8_t *step, struct mono *now)
{
	/* From the same moment to hours, by powers of two of microseconds. */
	int64_t gap_us =
	    step[0] & 0x7e ? INT64_C(1) << ((step[0] & 0x7e) / 4) : 0;
	uint32_t bytes = 1 + (uint32_t)(step[1] | step[2] << 8);
	struct features_socket socket = {
	    .rtt_us = bytes * 7919u, .delivery_bps = UINT64_MAX / bytes};
	uint16_t passed = profile->passed;
	int32_t vector[N_FEATURES];

	*now = mono_add_ns(*now, gap_us * 1000);
	/* Now and then as much as a splice moves. */
	features_on_read(&profile->features, step[0] & 1,
	    step[0] & 0x80 ? bytes << 8 : bytes, *now);
	if (!profile_is_due(profile, *now))
		return;
	profile_judge(profile, the_model(), the_history(),
	    step[2] & 1 ? &socket : NULL, *now, vector);
	check_verdict(profile, vector, passed);
	check_row(profile, vector, *now);
	br_assert(!profile_is_due(profile, *now));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t ip[16] = {192, 0, 2, 1};
	struct mono now = {1000000};
	struct profile profile;
	struct conf_pins pins = {0};
	size_t client, server;

	if (size < HEAD_BYTES)
		return 0;
	client = data[1] * 8u;
	server = data[2] * 8u;
	if (HEAD_BYTES + client + server > size)
		return 0;
	profile_start(&profile, now);
	features_set_ends(&profile.features, data[0] & 1 ? AF_INET : AF_UNIX,
	    ip, (uint16_t)(data[0] << 8), (uint16_t)(data[0] * 3u));
	pins.any = data[0] & 8 ? 1 + data[0] % N_FLOW_CLASSES : 0;
	if (data[0] & 2)
		take_server(&profile, data + HEAD_BYTES + client, server);
	take_client(&profile, data + HEAD_BYTES, client);
	if (!(data[0] & 2))
		take_server(&profile, data + HEAD_BYTES + client, server);
	profile_pin_by(&profile, &pins);
	for (size_t at = HEAD_BYTES + client + server; at + READ_BYTES <= size;
	     at += READ_BYTES)
		read_one(&profile, data + at, &now);
	return 0;
}
