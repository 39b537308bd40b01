/* SPDX-License-Identifier: Apache-2.0 */
#include "profiler/features.h"

#include "base/assert.h"
#include "learn/feature_names.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>

static_assert(sizeof(struct features) <= 208, "a track stays small");

static const struct {
	const char *name, *unit, *help;
} features_table[N_FEATURES] = {
#define X(name, unit, help) {#name, unit, help},
    FEATURE_LIST(X)
#undef X
};

const char *feature_name(enum feature feature)
{
	br_assert(feature < N_FEATURES);
	return features_table[feature].name;
}

const char *feature_unit(enum feature feature)
{
	br_assert(feature < N_FEATURES);
	return features_table[feature].unit;
}

const char *feature_help(enum feature feature)
{
	br_assert(feature < N_FEATURES);
	return features_table[feature].help;
}

uint64_t features_hash(void)
{
	const char *names[N_FEATURES];

	for (unsigned i = 0; i < N_FEATURES; i++)
		names[i] = features_table[i].name;
	return feature_names_hash(names, N_FEATURES);
}

/* -- the track --------------------------------------------------------- */

static uint64_t us_between(int64_t from_ns, int64_t to_ns)
{
	return to_ns > from_ns ? (uint64_t)(to_ns - from_ns) / 1000 : 0;
}

/* A gap in 16 bits: 5 of exponent over 11 of value. */
#define GAP_BITS 11u

static uint16_t gap_pack(uint64_t us)
{
	unsigned shift = 0;

	if (us > UINT32_MAX)
		us = UINT32_MAX;
	while (us >> (GAP_BITS + shift))
		shift++;
	return (uint16_t)(shift << GAP_BITS | us >> shift);
}

static uint32_t gap_unpack(uint16_t packed)
{
	return (packed & ((1u << GAP_BITS) - 1u)) << (packed >> GAP_BITS);
}

void features_start(struct features *features, struct mono now)
{
	*features = (struct features){.began_ns = now.ns,
	    .last_ns = now.ns,
	    .turn_ns = now.ns,
	    .mark = {.at_ns = now.ns}};
}

static uint8_t port_range(uint16_t port)
{
	if (port < 1024)
		return 0;
	return port < 32768 ? 1 : 2;
}

/* RFC 1918, RFC 4193, RFC 3927, RFC 4291 2.5.6. */
static uint8_t address_class(int family, const uint8_t ip[16])
{
	static const uint8_t loopback6[16] = {[15] = 1};

	if (family == AF_INET) {
		if (ip[0] == 127)
			return 0;
		return ip[0] == 10 || (ip[0] == 172 && ip[1] >> 4 == 1) ||
			       (ip[0] == 192 && ip[1] == 168) ||
			       (ip[0] == 169 && ip[1] == 254)
			   ? 1
			   : 2;
	}
	if (family != AF_INET6 || memcmp(ip, loopback6, 16) == 0)
		return 0;
	return (ip[0] & 0xfe) == 0xfc || (ip[0] == 0xfe && ip[1] >> 6 == 2) ? 1
									    : 2;
}

void features_set_ends(struct features *features, int family,
    const uint8_t ip[16], uint16_t client_port, uint16_t listener_port)
{
	features->client_port = port_range(client_port);
	features->listener_port = port_class(listener_port);
	features->client_address = address_class(family, ip);
}

static void features_keep(
    struct features *features, bool up, uint32_t bytes, uint64_t gap_us)
{
	unsigned at = features->n_sequence;
	int16_t size = (int16_t)(bytes < INT16_MAX ? bytes : INT16_MAX);

	if (features->kept[!up] == FEATURES_READS)
		return;
	features->kept[!up]++;
	features->n_sequence++;
	features->size[at] = up ? size : (int16_t)-size;
	features->gap[at] = gap_pack(gap_us);
}

static void features_wait(struct features *features, bool up, uint64_t gap_us)
{
	uint64_t wait_ms = features->wait_ms + gap_us / 1000;

	features->wait_ms =
	    (uint32_t)(wait_ms < UINT32_MAX ? wait_ms : UINT32_MAX);
	if (features->waits[!up] < UINT16_MAX)
		features->waits[!up]++;
	if (gap_us >= FEATURES_PAUSE_US && features->pauses[!up] < UINT16_MAX)
		features->pauses[!up]++;
}

static void features_turn(
    struct features *features, bool up, uint32_t bytes, bool first)
{
	uint64_t turn_bytes = bytes;

	if (!first && up != features->last_up) {
		features->turns++;
		features->turn_ns = features->last_ns;
	} else {
		turn_bytes += features->turn_bytes;
	}
	features->turn_bytes =
	    (uint32_t)(turn_bytes < UINT32_MAX ? turn_bytes : UINT32_MAX);
	if (features->turn_max_bytes < features->turn_bytes)
		features->turn_max_bytes = features->turn_bytes;
}

void features_on_read(
    struct features *features, bool up, uint32_t bytes, struct mono now)
{
	bool first = !features->reads[0] && !features->reads[1];
	uint64_t gap_us = us_between(features->last_ns, now.ns);

	if (gap_us > features->max_gap_us)
		features->max_gap_us =
		    (uint32_t)(gap_us < UINT32_MAX ? gap_us : UINT32_MAX);
	features_keep(features, up, bytes, gap_us);
	if (gap_us >= FEATURES_WAIT_US)
		features_wait(features, up, gap_us);
	features_turn(features, up, bytes, first);
	if (first)
		features->server_first = !up;
	features->last_up = up;
	features->last_ns = now.ns;
	features->bytes[!up] += bytes;
	features->reads[!up]++;
	features->small += bytes < FEATURES_SMALL_BYTES;
	features->large += bytes >= FEATURES_LARGE_BYTES;
}

void features_mark(struct features *features, struct mono now)
{
	features->mark = (struct features_mark){.at_ns = now.ns,
	    .bytes = {features->bytes[0], features->bytes[1]},
	    .reads = features->reads[0] + features->reads[1],
	    .turns = features->turns,
	    .small = features->small};
}

/* -- the vector -------------------------------------------------------- */

static int32_t feature_of(uint64_t value)
{
	return value < INT32_MAX ? (int32_t)value : INT32_MAX;
}

static int32_t feature_share(uint64_t part, uint64_t whole, uint64_t of)
{
	return whole ? feature_of((uint64_t)((__uint128_t)part * of / whole))
		     : 0;
}

/* kbit/s of bytes in a number of milliseconds: bits in one of them. */
static int32_t feature_kbps(uint64_t bytes, uint64_t ms)
{
	return feature_share(bytes, ms ? ms : 1, 8);
}

static void fill_sequence(
    const struct features *features, int32_t ret[N_FEATURES])
{
	int32_t answer = 0;
	bool answered = false;

	for (unsigned i = 0; i < FEATURES_SEQUENCE; i++) {
		bool there = i < features->n_sequence;
		uint32_t gap = there ? gap_unpack(features->gap[i]) : 0;
		int32_t size = there ? features->size[i] : 0;

		ret[FEATURE_size_1 + i] = size;
		if (i == 0)
			ret[FEATURE_first_wait_us] = feature_of(gap);
		else
			ret[FEATURE_gap_2 + i - 1] = feature_of(gap);
		if (size > 0 && !ret[FEATURE_first_up_bytes])
			ret[FEATURE_first_up_bytes] = size;
		if (size < 0 && !ret[FEATURE_first_down_bytes])
			ret[FEATURE_first_down_bytes] = -size;
		if (i && there && !answered) {
			answer = feature_of((uint64_t)answer + gap);
			answered = (size > 0) != (features->size[0] > 0);
		}
	}
	ret[FEATURE_answer_us] = answered ? answer : 0;
}

static void fill_sums(
    const struct features *features, struct mono now, int32_t ret[N_FEATURES])
{
	uint64_t bytes = features->bytes[0] + features->bytes[1];
	uint64_t reads = (uint64_t)features->reads[0] + features->reads[1];
	uint64_t age_us = us_between(features->began_ns, now.ns);
	uint64_t gap_us = us_between(features->last_ns, now.ns);

	if (gap_us < features->max_gap_us)
		gap_us = features->max_gap_us;
	ret[FEATURE_up_bytes] = feature_of(features->bytes[0]);
	ret[FEATURE_down_bytes] = feature_of(features->bytes[1]);
	ret[FEATURE_down_permille] =
	    feature_share(features->bytes[1], bytes, 1000);
	ret[FEATURE_up_reads] = feature_of(features->reads[0]);
	ret[FEATURE_down_reads] = feature_of(features->reads[1]);
	ret[FEATURE_up_mean_bytes] =
	    feature_share(features->bytes[0], features->reads[0], 1);
	ret[FEATURE_down_mean_bytes] =
	    feature_share(features->bytes[1], features->reads[1], 1);
	ret[FEATURE_turns] = feature_of(features->turns);
	ret[FEATURE_turn_bytes] = feature_share(bytes, features->turns + 1, 1);
	ret[FEATURE_small_permille] =
	    feature_share(features->small, reads, 1000);
	ret[FEATURE_large_permille] =
	    feature_share(features->large, reads, 1000);
	ret[FEATURE_age_ms] = feature_of(age_us / 1000);
	ret[FEATURE_max_gap_ms] = feature_of(gap_us / 1000);
	ret[FEATURE_burst_permille] = feature_share(gap_us, age_us, 1000);
	ret[FEATURE_rate_kbps] = feature_kbps(bytes, age_us / 1000);
}

static void fill_waits(
    const struct features *features, struct mono now, int32_t ret[N_FEATURES])
{
	uint64_t bytes = features->bytes[0] + features->bytes[1];
	uint64_t waits = (uint64_t)features->waits[0] + features->waits[1];

	ret[FEATURE_turn_now_bytes] = feature_of(features->turn_bytes);
	ret[FEATURE_turn_now_ms] =
	    feature_of(us_between(features->turn_ns, now.ns) / 1000);
	ret[FEATURE_turn_max_bytes] = feature_of(features->turn_max_bytes);
	ret[FEATURE_waits_up] = features->waits[0];
	ret[FEATURE_waits_down] = features->waits[1];
	ret[FEATURE_pauses_up] = features->pauses[0];
	ret[FEATURE_pauses_down] = features->pauses[1];
	ret[FEATURE_wait_permille] = feature_share(features->wait_ms,
	    us_between(features->began_ns, now.ns) / 1000, 1000);
	ret[FEATURE_wait_bytes] = feature_share(bytes, waits + 1, 1);
}

static void fill_recent(
    const struct features *features, struct mono now, int32_t ret[N_FEATURES])
{
	const struct features_mark *mark = &features->mark;
	uint64_t down = features->bytes[1] - mark->bytes[1];
	uint64_t bytes = features->bytes[0] - mark->bytes[0] + down;
	uint32_t reads = features->reads[0] + features->reads[1] - mark->reads;

	ret[FEATURE_recent_kbps] =
	    feature_kbps(bytes, us_between(mark->at_ns, now.ns) / 1000);
	ret[FEATURE_recent_turn_bytes] = feature_share(
	    bytes, (uint64_t)(features->turns - mark->turns) + 1, 1);
	ret[FEATURE_recent_small_permille] =
	    feature_share(features->small - mark->small, reads, 1000);
	ret[FEATURE_recent_down_permille] = feature_share(down, bytes, 1000);
}

static void fill_hints(
    const struct features_hints *hints, int32_t ret[N_FEATURES])
{
	ret[FEATURE_protocol] = hints->protocol;
	ret[FEATURE_protocol_kind] = hints->protocol_kind;
	ret[FEATURE_http_method] = hints->http_method;
	ret[FEATURE_http_path] = hints->http_path;
	ret[FEATURE_http_range] = hints->http_range;
	ret[FEATURE_http_upgrade] = hints->http_upgrade;
	ret[FEATURE_http_status] = hints->http_status;
	if (hints->http_length_known)
		ret[FEATURE_http_length_kib] =
		    feature_of(hints->http_length_kib);
	ret[FEATURE_http_type] = hints->http_type;
	ret[FEATURE_tls_version] = hints->tls_version;
	ret[FEATURE_tls_alpn] = hints->tls_alpn;
	ret[FEATURE_tls_sni] = hints->tls_sni;
	ret[FEATURE_tls_ech] = hints->tls_ech;
}

/* Below it a rate is that of buffers, not of a flow. */
#define HISTORY_RATE_MS 50

static void fill_history(
    const struct features_history *history, int32_t ret[N_FEATURES])
{
	ret[FEATURE_history_flows] = feature_of(history->flows);
	if (!history->flows)
		return;
	ret[FEATURE_history_kib] = feature_of(history->bytes >> 10);
	/* Short ones are as fast as a memory, whatever they are. */
	if (history->duration_ms >= HISTORY_RATE_MS)
		ret[FEATURE_history_kbps] =
		    feature_kbps(history->rate_bps, 1000);
	ret[FEATURE_history_ms] = feature_of(history->duration_ms);
}

void features_fill(const struct features *features,
    const struct features_hints *hints, const struct features_socket *socket,
    const struct features_history *history, struct mono now,
    int32_t ret[N_FEATURES])
{
	memset(ret, 0, N_FEATURES * sizeof ret[0]);
	ret[FEATURE_client_port] = features->client_port;
	ret[FEATURE_listener_port] = features->listener_port;
	ret[FEATURE_client_address] = features->client_address;
	ret[FEATURE_server_first] = features->server_first;
	ret[FEATURE_http_length_kib] = -1;
	ret[FEATURE_history_kib] = -1;
	ret[FEATURE_history_kbps] = -1;
	ret[FEATURE_history_ms] = -1;
	fill_sequence(features, ret);
	fill_sums(features, now, ret);
	fill_waits(features, now, ret);
	fill_recent(features, now, ret);
	if (hints)
		fill_hints(hints, ret);
	if (socket) {
		ret[FEATURE_rtt_us] = feature_of(socket->rtt_us);
		ret[FEATURE_delivery_kbps] =
		    feature_kbps(socket->delivery_bps, 1000);
	}
	if (history)
		fill_history(history, ret);
}
