/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/micro/micro.h"

#include "base/assert.h"
#include "dnsd/cookie.h"
#include "dnsd/responder.h"
#include "dnsd/wire.h"
#include "tests/unit/dnsd/dns_packet.h"
#include "tests/unit/dnsd/dns_zone.h"
#include "tests/unit/dnsd/responder_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES 1000
#define QUERIES 4096

/* A zone of a thousand addresses and as many aliases, and queries for names of
 * it in random order: caches are as warm as in a server. */
struct state {
	struct zone_set *zones;
	struct cookie_secrets *secrets;
	struct dns_view view;
	struct dns_client client;
	struct rng rng;
	uint8_t queries[QUERIES][128];
	size_t lengths[QUERIES];
	uint8_t out[RESPONDER_UDP_MAX];
};

static void *bench_open(uint32_t size)
{
	struct state *s = micro_alloc(1, sizeof *s);
	char *text = micro_alloc(NAMES * 3 + 20, 64);
	size_t n = 0, room = (size_t)(NAMES * 3 + 20) * 64;

	(void)size;
	n += (size_t)snprintf(text, room,
	    "@ 3600 SOA ns1 hostmaster 7 3600 600 86400 300\n"
	    "@ 3600 NS ns1\n@ 3600 NS ns2\n"
	    "ns1 3600 A 192.0.2.1\nns2 3600 A 192.0.2.2\n"
	    "sub 3600 NS ns1.sub\nsub 3600 NS ns2.sub\n"
	    "ns1.sub 3600 A 192.0.2.3\nns2.sub 3600 A 192.0.2.4\n"
	    "*.wild 60 A 192.0.2.5\n");
	for (int i = 0; i < NAMES; i++)
		n += (size_t)snprintf(text + n, room - n,
		    "host%d 60 A 10.0.%d.%d\nalias%d 60 CNAME host%d\n", i,
		    i / 256, i % 256, i, i);
	s->zones = zone_set_new(DNS_ZONE_SEED);
	dns_zone_add(s->zones, "example.com.", text);
	free(text);
	s->secrets = cookie_secrets_random();
	s->view = (struct dns_view){.zones = s->zones,
	    .cookies = s->secrets,
	    .nocookie_max = RESPONDER_UDP_MAX,
	    .ecs = true};
	s->client = (struct dns_client){
	    .transport = DNS_UDP, .now = {1700000000 * NS_PER_S}};
	br_assert(addr_parse_ip(&s->client.source, "198.51.100.7") == 0);
	rng_seed(&s->rng, 1);
	return s;
}

static void bench_close(void *state)
{
	struct state *s = state;

	zone_set_free(s->zones);
	cookie_secrets_unref(s->secrets);
	free(s);
}

static void keep(struct state *s, uint32_t i, const struct packet *p)
{
	br_assert(p->length <= sizeof s->queries[i]);
	memcpy(s->queries[i], p->bytes, p->length);
	s->lengths[i] = p->length;
}

/* `format` has one number: which of the names. */
static void ask(struct state *s, uint64_t n, const char *format, unsigned type,
    bool edns, const void *cookie, unsigned rcode)
{
	struct query_facts found;
	uint64_t bytes = 0;

	micro_stop();
	for (uint32_t i = 0; i < QUERIES; i++) {
		static struct packet p;
		char name[64];

		(void)snprintf(
		    name, sizeof name, format, rng_below(&s->rng, NAMES));
		packet_query(&p, name, type);
		if (edns)
			packet_opt(&p, 1232, 0);
		if (cookie)
			packet_option(&p, 10, cookie, COOKIE_BYTES);
		keep(s, i, &p);
	}
	micro_go();
	for (uint64_t i = 0; i < n; i++) {
		bytes += responder_answer(&s->view, &s->client,
		    s->queries[i % QUERIES], s->lengths[i % QUERIES], s->out,
		    sizeof s->out, &found);
		br_assert(found.rcode == rcode);
	}
	micro_use(bytes);
}

static void run_a(void *state, uint64_t n)
{
	ask(state, n, "host%u.example.com.", 1, false, NULL, WIRE_NOERROR);
}

static void run_edns(void *state, uint64_t n)
{
	ask(state, n, "host%u.example.com.", 1, true, NULL, WIRE_NOERROR);
}

static void run_cookie(void *state, uint64_t n)
{
	struct state *s = state;
	uint8_t cookie[COOKIE_BYTES];

	cookie_make(s->secrets, (const uint8_t *)"abcdefgh", &s->client.source,
	    s->client.now, cookie);
	ask(state, n, "host%u.example.com.", 1, true, cookie, WIRE_NOERROR);
}

static void run_alias(void *state, uint64_t n)
{
	ask(state, n, "alias%u.example.com.", 1, true, NULL, WIRE_NOERROR);
}

static void run_wildcard(void *state, uint64_t n)
{
	ask(state, n, "n%u.wild.example.com.", 1, true, NULL, WIRE_NOERROR);
}

static void run_nodata(void *state, uint64_t n)
{
	ask(state, n, "host%u.example.com.", 28, true, NULL, WIRE_NOERROR);
}

static void run_nxdomain(void *state, uint64_t n)
{
	ask(state, n, "no%u.example.com.", 1, true, NULL, WIRE_NXDOMAIN);
}

/* One of three POPs for each of so many networks. */
static void run_pick(void *state, uint64_t n)
{
	struct state *s = state;
	struct query_facts found;

	micro_stop();
	fixture_open();
	for (uint32_t i = 0; i < QUERIES; i++) {
		uint64_t network = rng_u64(&s->rng);
		uint8_t subnet[7] = {0, 1, 24, 0, (uint8_t)(network | 1),
		    (uint8_t)(network >> 8), (uint8_t)(network >> 16)};

		packet_query_edns(&query, "pick.cdn.", 1, 1232, false);
		packet_option(&query, 8, subnet, sizeof subnet);
		keep(s, i, &query);
	}
	micro_go();
	for (uint64_t i = 0; i < n; i++) {
		micro_use(responder_answer(&view, &client,
		    s->queries[i % QUERIES], s->lengths[i % QUERIES], s->out,
		    sizeof s->out, &found));
		br_assert(found.pop < 3 && found.ecs_scope);
	}
	micro_stop();
	fixture_close();
	micro_go();
}

static void run_referral(void *state, uint64_t n)
{
	ask(state, n, "n%u.sub.example.com.", 1, true, NULL, WIRE_NOERROR);
}

static void run_refused(void *state, uint64_t n)
{
	ask(state, n, "n%u.example.net.", 1, true, NULL, WIRE_REFUSED);
}

#define CASE(what, run_it)                                                     \
	{                                                                      \
		.name = "responder: " what, .open = bench_open, .run = run_it, \
		.close = bench_close                                           \
	}

static const struct micro_case cases[] = {
    CASE("an address", run_a),
    CASE("an address, with EDNS", run_edns),
    CASE("an address, with a valid cookie", run_cookie),
    CASE("an alias and its address", run_alias),
    CASE("a name made by a wildcard", run_wildcard),
    CASE("no such type", run_nodata),
    CASE("no such name", run_nxdomain),
    CASE("a referral with glue", run_referral),
    CASE("a resource's pick by the client's subnet", run_pick),
    CASE("not our zone", run_refused),
};

int main(int argc, char **argv)
{
	return micro_main(argc, argv, cases, BR_COUNT(cases));
}
