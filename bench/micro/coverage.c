/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What docs/profiler.md says of bulk: how many flows are promoted, and which
 * share of all bytes is carried as bulk then, for flow sizes as they were
 * measured in a network. Each line is one way to know it:
 *
 *   oracle      the size is known before the first byte, as none can
 *   http        an answer with a Content-Length, mode: act
 *   counter     1 MiB from the beginning, as in the published tables
 *   opaque      nothing is known, mode: act
 *   history     the same, where earlier flows of a kind were alike
 *   misleading  the same, where they say nothing
 *   off         without the profiler
 *
 * The profiler's and the paths' own code decides; only time and bytes are made
 * up. Flows are drawn evenly from each part of the mixture and weighted, so
 * that the few that carry the most are not left to chance. Counts, not times:
 * nothing here depends on the machine.
 */
#include "base/assert.h"
#include "base/rng.h"
#include "lb/bulk_rule.h"
#include "profiler/hints.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A part of a mixture of log-normal distributions of bytes. */
struct part {
	double share, sigma, median_bytes;
};

struct mixture {
	const char *name;
	const struct part *parts;
	unsigned n_parts;
};

/*
 * Sizes of the flows of a university's network in June and July 2015: P.
 * Jurkiewicz, G. Rzym, P. Borylo, "Flow length and size distributions in campus
 * Internet traffic", Computer Communications 167 (2021). The parameters are of
 * data/agh_2015/mixtures of github.com/piotrjurkiewicz/flow-models, Copyright
 * (c) 2018 Piotr Jurkiewicz, MIT licence. Of 3,908,814,662 flows of TCP and
 * UDP 2,171,291,495 are TCP.
 */
#define TCP_SHARE 0.5554860214
#define UDP_SHARE (1 - TCP_SHARE)

#define TCP_PARTS(X, all)                                                      \
	X(all, 0.3562156807623126, 0.3907230406692569, 97.44862683388862)      \
	X(all, 0.24596152653055356, 0.8090562734237499, 309.3964432303163)     \
	X(all, 0.29936868220923935, 1.0767646679156089, 2126.6544290721135)    \
	X(all, 0.08064998077948095, 1.3082593320270717, 25680.662146577415)    \
	X(all, 0.015038557697568579, 1.351326892378382, 416680.99610410555)    \
	X(all, 0.00207471133617079, 1.082474779920202, 5602171.637581343)      \
	X(all, 0.0006826279721182512, 1.0191138296449576, 53432349.30912044)   \
	X(all, 8.232712543896472e-06, 1.1904677440253855, 514468038.51135993)
#define UDP_PARTS(X, all)                                                      \
	X(all, 0.6368318183834879, 0.30605856160365386, 119.194382163552)      \
	X(all, 0.2028143298183967, 0.22637348632484486, 319.1796675129598)     \
	X(all, 0.1252950133909036, 0.5892942594845255, 630.2029144235321)      \
	X(all, 0.027699290695991776, 0.7595903510694968, 3216.4358332108045)   \
	X(all, 0.00593176349325996, 1.1418301435106715, 29016.641311394553)    \
	X(all, 0.0011888113464049218, 1.301077232574143, 650546.3136647696)    \
	X(all, 0.0001853823086593862, 1.708941299345426, 12790970.28730909)    \
	X(all, 5.349084480822565e-05, 1.2758486935847089, 22546730.947471276)  \
	X(all, 9.971808265531352e-08, 0.5244356726513165, 21229598019.06612)

#define PART(all, part_share, part_sigma, median)                              \
	{(all) * (part_share), part_sigma, median},

static const struct part all_parts[] = {
    TCP_PARTS(PART, TCP_SHARE) UDP_PARTS(PART, UDP_SHARE)};
static const struct part tcp_parts[] = {TCP_PARTS(PART, 1)};

static const struct mixture mixtures[] = {
    {"TCP and UDP flows", all_parts, BR_COUNT(all_parts)},
    {"TCP flows", tcp_parts, BR_COUNT(tcp_parts)},
};

#define SEED 20150601
#define FLOWS 4000000u
#define FLOWS_ONCE 100000u
#define READ_BYTES (16u << 10)
#define READ_NS (131 * NS_PER_US) /* so many in a Gbit/s */
#define ELEPHANT_BYTES (1u << 20)
#define KIND_FLOWS 20u /* of one kind, one after the other */

/* -- drawing ----------------------------------------------------------- */

/* Between 0 and 1, neither of them. */
static double draw_uniform(struct rng *rng)
{
	return ldexp((double)(rng_u64(rng) >> 12) + 0.5, -52);
}

/* Box and Muller, "A note on the generation of random normal deviates" (1958). */
static double draw_normal(struct rng *rng)
{
	double radius = sqrt(-2 * log(draw_uniform(rng)));

	return radius * cos(2 * M_PI * draw_uniform(rng));
}

static uint64_t draw_bytes(struct rng *rng, const struct part *part)
{
	double bytes = part->median_bytes * exp(part->sigma * draw_normal(rng));

	return bytes < 1 ? 1 : (uint64_t)bytes;
}

/* -- one flow ---------------------------------------------------------- */

enum way {
	WAY_ORACLE,
	WAY_HTTP,
	WAY_COUNTER,
	WAY_OPAQUE,
	WAY_HISTORY,
	WAY_MISLEADING,
	WAY_OFF,
	N_WAYS
};

static const char *const way_names[N_WAYS] = {
    "oracle", "http", "counter", "opaque", "history", "misleading", "off"};

struct world {
	enum way way;
	struct history history;
	struct history_key key; /* of the flow at hand */
	struct bulk_rule rule;
	struct bulk_track track;
	struct profile profile;
	uint64_t down; /* bytes so far */
	struct mono now;
};

/* As lb/flow_profile.c does it with mode: act. */
static void world_look(struct world *world)
{
	int32_t vector[N_FEATURES];
	struct profile_advice advice;

	if (!profile_is_due(&world->profile, world->now))
		return;
	profile_judge(
	    &world->profile, NULL, &world->history, NULL, world->now, vector);
	profile_advise(&world->profile, &advice);
	world->rule.counter = advice.counter;
}

static void world_ask(struct world *world)
{
	static const char get[] = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
	struct hints_name name;
	uint32_t n = 100;

	if (world->way == WAY_HTTP) {
		n = sizeof get - 1;
		hints_of_client(&world->profile.hints, get, n, &name);
	}
	world->profile.key = world->key;
	world->profile.keyed =
	    world->way == WAY_HISTORY || world->way == WAY_MISLEADING;
	features_on_read(&world->profile.features, true, n, world->now);
	if (world->way != WAY_OFF)
		world_look(world);
}

/* The first read of an answer of so many bytes, its head included. */
static void world_hear(struct world *world, uint64_t bytes)
{
	char head[100];
	int n;

	if (world->way != WAY_HTTP)
		return;
	n = snprintf(head, sizeof head,
	    "HTTP/1.1 200 OK\r\nContent-Length: %012llu\r\n\r\n",
	    (unsigned long long)bytes);
	/* What is smaller than its head has no body worth a name. */
	if (bytes <= (uint64_t)n)
		return;
	(void)snprintf(head, sizeof head,
	    "HTTP/1.1 200 OK\r\nContent-Length: %012llu\r\n\r\n",
	    (unsigned long long)bytes - (unsigned)n);
	hints_of_server(&world->profile.hints, head, (size_t)n);
	profile_expect(&world->profile, false, &world->rule.known[1]);
}

static void world_read(struct world *world, uint32_t n)
{
	world->now.ns += READ_NS;
	features_on_read(&world->profile.features, false, n, world->now);
	if (world->way != WAY_OFF)
		world_look(world);
	world->down += n;
	if (bulk_window_is_over(&world->track, &world->rule, world->now))
		bulk_open_window(&world->track, world->now);
	bulk_count(&world->track, &world->rule, false, world->down, n);
}

/* Bytes that came before the answer was bulk: all where it never was. */
static uint64_t world_run(struct world *world, uint64_t bytes)
{
	world->rule = bulk_rules[CONF_SPLICE_AUTO];
	world->track = (struct bulk_track){.window_start_ns = world->now.ns};
	world->down = 0;
	profile_start(&world->profile, world->now);
	world_ask(world);
	world_hear(world, bytes);
	while (world->down < bytes) {
		uint64_t left = bytes - world->down;

		world_read(
		    world, left < READ_BYTES ? (uint32_t)left : READ_BYTES);
		if (bulk_is(&world->track, &world->rule, false, world->down))
			break;
	}
	if (world->profile.keyed)
		history_add(&world->history, world->key,
		    &(struct history_flow){.bytes = bytes,
			.duration_ms = 1,
			.large = bytes >= ELEPHANT_BYTES},
		    (uint32_t)(world->now.ns / NS_PER_S));
	return world->down;
}

/* -- all flows --------------------------------------------------------- */

struct sums {
	double flows, promoted, bytes, bulk;
};

static uint64_t bytes_before_bulk(struct world *world, uint64_t bytes)
{
	if (world->way == WAY_ORACLE)
		return bytes >= ELEPHANT_BYTES ? 0 : bytes;
	if (world->way == WAY_COUNTER)
		return bytes > ELEPHANT_BYTES ? ELEPHANT_BYTES : bytes;
	return world_run(world, bytes);
}

static void add_flow(struct world *world, const struct part *part,
    double weight, struct rng *rng, struct sums *sums)
{
	uint64_t bytes = draw_bytes(rng, part);
	uint64_t before = bytes_before_bulk(world, bytes);

	sums->flows += weight;
	sums->bytes += weight * (double)bytes;
	sums->bulk += weight * (double)(bytes - before);
	sums->promoted += before < bytes ? weight : 0;
}

static void new_kind(struct world *world, uint32_t number)
{
	static const uint8_t ip[16] = {192, 0, 2, 1};
	char name[16];
	int n = snprintf(name, sizeof name, "k%u", number);

	world->key =
	    history_key(&world->history, 1, name, (uint32_t)n, 0, AF_INET, ip);
}

/* Any of them, as often as it occurs. */
static const struct part *draw_part(
    const struct mixture *mixture, struct rng *rng)
{
	double at = draw_uniform(rng);
	unsigned i = 0;

	while (i + 1 < mixture->n_parts && at >= mixture->parts[i].share)
		at -= mixture->parts[i++].share;
	return &mixture->parts[i];
}

/* The flows of a kind, one after the other, are all of one part; those of
 * WAY_MISLEADING each of any. */
static struct sums run(
    const struct mixture *mixture, enum way way, uint32_t n_flows)
{
	uint32_t each = n_flows / mixture->n_parts / KIND_FLOWS * KIND_FLOWS;
	struct world *world = calloc(1, sizeof *world);
	struct rng rng;
	struct sums sums = {0};

	br_assert(world && each);
	rng_seed(&rng, SEED);
	br_assert(!history_init(&world->history, 4096, SEED));
	world->way = way;
	for (uint32_t i = 0; i < each * mixture->n_parts; i++) {
		const struct part *part = &mixture->parts[i / each];
		double weight = part->share / each;

		if (way == WAY_MISLEADING) {
			part = draw_part(mixture, &rng);
			weight = 1;
		}
		if (i % KIND_FLOWS == 0)
			new_kind(world, i / KIND_FLOWS);
		world->now.ns += NS_PER_MS;
		add_flow(world, part, weight, &rng, &sums);
	}
	history_fini(&world->history);
	free(world);
	return sums;
}

static double share(double some, double all)
{
	return 100 * some / all;
}

/* That the mixture is the one of the published tables: 91.6 and 85.7 % of bytes
 * in the 0.383 % of flows from 1 MiB on. And what is promised of it. */
static void check_all(const struct sums sums[N_WAYS], bool once)
{
	const struct sums *oracle = &sums[WAY_ORACLE];
	const struct sums *counter = &sums[WAY_COUNTER];

	br_assert(fabs(share(oracle->bulk, oracle->bytes) - 91.6) < 0.5);
	br_assert(fabs(share(counter->bulk, counter->bytes) - 85.7) < 0.5);
	/* Of fewer flows more are large by chance. */
	for (unsigned i = WAY_HTTP; i <= WAY_HISTORY; i++)
		br_assert(sums[i].promoted / sums[i].flows <=
			  (once ? 0.0042 : 0.004));
	br_assert(sums[WAY_HTTP].bulk / sums[WAY_HTTP].bytes >= 0.91);
	br_assert(sums[WAY_OPAQUE].bulk >= 0.999 * counter->bulk);
	br_assert(sums[WAY_HISTORY].bulk > sums[WAY_OPAQUE].bulk);
}

int main(int argc, char **argv)
{
	bool once = argc > 1 && !strcmp(argv[1], "--once");

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned m = 0; m < BR_COUNT(mixtures); m++) {
		struct sums sums[N_WAYS];

		printf("%s: %% of flows promoted, %% of bytes as bulk\n",
		    mixtures[m].name);
		for (unsigned i = 0; i < N_WAYS; i++) {
			sums[i] = run(&mixtures[m], (enum way)i,
			    once ? FLOWS_ONCE : FLOWS);
			printf("%-10s %8.3f %8.2f\n", way_names[i],
			    share(sums[i].promoted, sums[i].flows),
			    share(sums[i].bulk, sums[i].bytes));
		}
		if (m == 0)
			check_all(sums, once);
	}
	return 0;
}
