/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dnsd/responder_fixture.h"

#include "base/assert.h"
#include "dnsd/edns.h"
#include "dnsd/resource.h"
#include "tests/unit/dnsd/dns_zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dns_view view;
struct dns_client client;
struct packet query;
struct packet_answer answer;
struct query_facts facts;
uint8_t out[65536];

static struct zone_set *zones;
static struct cookie_secrets *secrets;

#define DIGEST                                                                 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char example[] =
    "@ 3600 SOA ns1 hostmaster 7 3600 600 86400 300\n"
    "@ 3600 NS ns1\n"
    "@ 3600 NS ns2\n"
    "@ 3600 NS ns.other.\n"
    "@ 600 MX 10 mail1\n"
    "ns1 3600 A 192.0.2.1\n"
    "ns1 3600 AAAA 2001:db8::1\n"
    "ns2 3600 A 192.0.2.2\n"
    "www 60 A 192.0.2.10\n"
    "www 60 A 192.0.2.11\n"
    "www 60 AAAA 2001:db8::10\n"
    /* aliases: here, on the way, elsewhere, in circles, to nothing */
    "alias 30 CNAME Www\n"
    "alias2 30 CNAME alias\n"
    "away 30 CNAME www.elsewhere.\n"
    "cross 30 CNAME www.other.\n"
    "loop1 30 CNAME loop2\n"
    "loop2 30 CNAME loop1\n"
    "self 30 CNAME self\n"
    "gone 30 CNAME nothing\n"
    "tosub 30 CNAME host.sub\n"
    "c0 30 CNAME c1\nc1 30 CNAME c2\nc2 30 CNAME c3\nc3 30 CNAME c4\n"
    "c4 30 CNAME c5\nc5 30 CNAME c6\nc6 30 CNAME c7\nc7 30 CNAME c8\n"
    "c8 30 CNAME c9\nc9 30 CNAME c10\nc10 30 CNAME c11\nc11 30 CNAME www\n"
    /* wildcards; "host" and what is below it they do not make */
    "*.wild 60 A 192.0.2.20\n"
    "*.wild 60 MX 10 mail1\n"
    "host.wild 60 TXT here\n"
    "*.wcname 60 CNAME www\n"
    "*.wloop 60 CNAME x.wloop\n"
    "dloop1 30 DNAME dloop2\n"
    "dloop2 30 DNAME dloop1\n"
    /* "y.ent" and "ent" exist without data */
    "x.y.ent 60 A 192.0.2.30\n"
    /* delegations: in-domain and sibling glue, signed and not */
    "sub 7200 NS ns1.sub\n"
    "sub 7200 NS ns.sub2\n"
    "sub 7200 NS ns.away.\n"
    "sub 7200 DS 1 13 2 " DIGEST "\n"
    "ns1.sub 7200 A 192.0.2.40\n"
    "ns1.sub 7200 AAAA 2001:db8::40\n"
    "sub2 7200 NS ns.sub2\n"
    "ns.sub2 7200 A 192.0.2.41\n"
    "child 7200 NS ns1\n"
    "child 7200 DS 2 13 2 " DIGEST "\n"
    /* targets */
    "mail1 60 A 192.0.2.50\n"
    "mx 60 MX 10 mail1\n"
    "mx 60 MX 20 www\n"
    "mx 60 MX 30 mail.elsewhere.\n"
    "mx 60 MX 40 mail1\n"
    "_s._tcp 60 SRV 0 1 443 www\n"
    "_s._tcp 60 SRV 0 1 444 www\n"
    "svc 60 HTTPS 1 .\n"
    "svc 60 A 192.0.2.51\n"
    "svcalias 60 HTTPS 0 svc\n"
    "nosvc 60 HTTPS 0 .\n"
    "nosvc 60 A 192.0.2.52\n"
    "*.wsvc 60 HTTPS 1 .\n"
    "*.wsvc 60 A 192.0.2.53\n"
    "deepmx 60 MX 10 ns1.sub\n"
    "tree 90 DNAME woods\n"
    "oak.woods 60 A 192.0.2.60\n"
    "elm.woods 60 CNAME ash.tree\n"
    "ash.woods 60 A 192.0.2.61\n"
    "x 60 TYPE65280 \\# 3 0102ff\n"
    "multi 60 TXT a-rather-long-text-that-is-longer-than-an-address\n"
    "multi 60 A 192.0.2.70\n";

static const char other[] = "@ 3600 SOA ns hostmaster 1 3600 600 86400 30000\n"
			    "@ 3600 NS ns\n"
			    "ns 3600 A 192.0.2.3\n"
			    "www 60 A 192.0.2.80\n";

static const char child[] =
    "@ 3600 SOA ns1.example. hostmaster 1 3600 600 86400 60\n"
    "@ 3600 NS ns1.example.\n"
    "www 60 A 192.0.2.90\n";

/* Sets that do not fit anywhere, or only over TCP. */
static void add_big(char *text, size_t room)
{
	size_t n = strlen(text);

	for (int i = 0; i < 60; i++)
		n += (size_t)snprintf(text + n, room - n,
		    "big 60 TXT %d-0123456789012345678901234567890\n"
		    "bigmx 60 MX %d m%d.bigmx\n"
		    "m%d.bigmx 60 AAAA 2001:db8::%d\n",
		    i, i, i, i, i);
	for (int i = 0; i < 12; i++)
		n += (size_t)snprintf(text + n, room - n,
		    "bigsub 60 NS ns%d.bigsub\n"
		    "ns%d.bigsub 60 A 192.0.2.%d\n"
		    "ns%d.bigsub 60 AAAA 2001:db8::%d\n",
		    i, i, i, i, i);
	br_assert(n < room);
}

/* -- resources --------------------------------------------------------- */

static const char cdn[] = "@ 3600 SOA ns1.example. hostmaster 1 9 9 9 60\n"
			  "@ 3600 NS ns1.example.\n"
			  "to 60 CNAME pick\n"
			  "rank 60 TXT beside\n";

struct adding {
	struct zone_builder *builder;
	struct zone_resource resource;
};

static void on_target(void *context, const struct dns_record *record)
{
	struct adding *adding = context;

	zone_builder_add_target(adding->builder, &adding->resource, record);
}

static void on_error(void *context, const char *text)
{
	(void)context;
	(void)fprintf(stderr, "%s\n", text);
}

/* A signature whose last byte says of which variant it is. */
static void on_variant(void *context, const struct answer_set *set)
{
	struct adding *adding = context;
	uint8_t rdata[18 + 1 + 2] = {
	    (uint8_t)(set->type >> 8), (uint8_t)set->type};
	struct dns_record record = {.owner = adding->resource.owner,
	    .type = 46,
	    .length = sizeof rdata,
	    .ttl = set->ttl,
	    .rdata = rdata};

	rdata[sizeof rdata - 1] = (uint8_t)set->variant;
	zone_builder_add_variant(adding->builder, set->variant, &record);
}

static void add_resource(struct adding *adding, struct arena *arena,
    const struct pops *pops, const uint8_t *apex,
    const struct conf_resource *conf, bool is_signed)
{
	struct resource_options options = {.apex = apex,
	    .conf = conf,
	    .pops = pops,
	    .salt = "salt",
	    .is_signed = is_signed,
	    .on_error = on_error};
	struct resource *resource;

	br_assert(resource_new(arena, &options, &resource) == 0);
	adding->resource = (struct zone_resource){
	    .owner = resource_owner(resource),
	    .resource = resource,
	    .name = conf->name,
	    .alias = resource_is_alias(resource),
	};
	adding->resource.n_types =
	    (uint8_t)resource_types(resource, adding->resource.types);
	zone_builder_add_resource(adding->builder, &adding->resource);
	resource_records(resource, on_target, adding);
	for (uint32_t i = 0; is_signed && i < adding->resource.n_types; i++)
		(void)resource_variants(
		    resource, adding->resource.types[i], on_variant, adding);
}

#define N_POPS 3

static struct pops *make_pops(struct arena *arena)
{
	struct conf_pop conf[N_POPS];

	memset(conf, 0, sizeof conf);
	for (unsigned i = 0; i < N_POPS; i++) {
		conf[i].name = arena_printf(arena, "pop%u", i);
		conf[i].n_addresses = 2;
		conf[i].addresses = arena_alloc(arena, 2 * sizeof(struct addr));
		br_assert(addr_parse_ip(&conf[i].addresses[0],
			      arena_printf(arena, "192.0.2.%u", 100 + i)) == 0);
		br_assert(addr_parse_ip(&conf[i].addresses[1],
			      arena_printf(arena, "2001:db8::1%x", i)) == 0);
	}
	return pops_new(arena, conf, N_POPS);
}

static const struct {
	const char *name;
	enum conf_mode mode;
} modes[] = {{"pick", CONF_MODE_PICK}, {"rank", CONF_MODE_RANK},
    {"addrs", CONF_MODE_ADDRS}, {"_s._tcp", CONF_MODE_SRV},
    {"literal", CONF_MODE_LITERAL}, {"blind", CONF_MODE_PICK}};

static void add_cdn(const char *name, bool is_signed)
{
	struct prefix allow;
	static uint32_t indices[N_POPS] = {0, 1, 2}, weights[] = {1, 1, 1};
	struct arena *arena = arena_new();
	struct zone_report report;
	struct adding adding;
	struct zone *zone;
	uint8_t apex[DNAME_MAX];
	const struct pops *pops = make_pops(arena);

	br_assert(prefix_parse(&allow, "203.0.113.0/24") == 0);
	(void)dns_zone_name(name, NULL, apex);
	zone_report_init(&report);
	adding.builder = zone_builder_new(apex, DNS_ZONE_SEED, &report);
	dns_zone_records(adding.builder, apex, cdn);
	for (size_t i = 0; i < BR_COUNT(modes); i++) {
		struct conf_resource conf = {.name = modes[i].name,
		    .mode = modes[i].mode,
		    .pops = indices,
		    .n_pops = N_POPS,
		    .n = 2,
		    .ttl_ms = 30000,
		    .weights = weights,
		    .target = "{pop}--{resource}",
		    .port = 443,
		    .allow = {&allow, 1},
		    .ecs = strcmp(modes[i].name, "blind") != 0};

		if (modes[i].mode == CONF_MODE_SRV)
			conf.target = "{pop}-srv";
		if (!is_signed || modes[i].mode != CONF_MODE_LITERAL)
			add_resource(
			    &adding, arena, pops, apex, &conf, is_signed);
	}
	zone_builder_keep(adding.builder, arena);
	zone = zone_builder_finish(adding.builder);
	for (uint32_t i = 0; !zone && i < report.n_problems; i++)
		(void)fprintf(stderr, "%s\n", report.problems[i].text);
	br_assert(zone && zone_set_add(zones, zone) == 0);
	zone_unref(zone);
	zone_report_fini(&report);
}

void fixture_open(void)
{
	static char text[32768];

	zones = zone_set_new(DNS_ZONE_SEED);
	secrets = cookie_secrets_random();
	memcpy(text, example, sizeof example);
	add_big(text, sizeof text);
	dns_zone_add(zones, "Example.", text);
	dns_zone_add(zones, "other.", other);
	dns_zone_add(zones, "child.example.", child);
	add_cdn("cdn.", false);
	add_cdn("signedcdn.", true);
	view = (struct dns_view){.zones = zones,
	    .cookies = secrets,
	    .nocookie_max = RESPONDER_UDP_MAX,
	    .ecs = true};
	client = (struct dns_client){
	    .transport = DNS_UDP, .now = {1700000000 * NS_PER_S}};
	br_assert(addr_parse_ip(&client.source, "198.51.100.7") == 0);
}

void fixture_close(void)
{
	zone_set_free(zones);
	cookie_secrets_unref(secrets);
}

/* -- what holds for every answer --------------------------------------- */

static void check_header(void)
{
	unsigned asked = (unsigned)(query.bytes[2] << 8 | query.bytes[3]);
	unsigned opcode = asked & WIRE_OPCODE;
	unsigned rd = opcode ? 0 : asked & WIRE_RD;

	br_assert(answer.id == (query.bytes[0] << 8 | query.bytes[1]));
	br_assert((answer.flags & ~(WIRE_AA | WIRE_TC | WIRE_RCODE)) ==
		  (WIRE_QR | opcode | rd));
	br_assert(!opcode || answer.rcode == WIRE_NOTIMP);
	br_assert(packet_rcode(&answer) == facts.rcode);
	br_assert(!(answer.flags & WIRE_TC) == !facts.truncated);
}

/* RFC 1035: one question gets its echo, bit for bit. */
static void check_question(void)
{
	if (!facts.name) {
		br_assert(!answer.counts[0]);
		return;
	}
	br_assert(answer.counts[0] == 1);
	br_assert(
	    memcmp(query.bytes + 12, out + 12, answer.name_size + 4) == 0);
	br_assert(facts.type == answer.type && facts.class == answer.class);
}

static size_t udp_limit(const struct wire_query *parsed)
{
	size_t limit = 512;

	if (parsed->has_opt && parsed->opt_class > limit)
		limit = parsed->opt_class;
	if (limit > RESPONDER_UDP_MAX)
		limit = RESPONDER_UDP_MAX;
	if (facts.cookie != DNS_COOKIE_valid && limit > view.nocookie_max)
		limit = view.nocookie_max;
	return limit;
}

/* RFC 6891 section 6.1.1: an OPT for an OPT, and none without. */
static void check_opt(const struct wire_query *parsed)
{
	uint32_t n = fixture_count(0, 41);

	br_assert(n == (parsed->has_opt ? 1 : 0));
	if (!n)
		return;
	br_assert(fixture_count(3, 41) == 1);
	br_assert(!*packet_find_opt(&answer)->owner);
	br_assert((packet_find_opt(&answer)->ttl & 0xff7fff) == 0);
}

/* RFC 2181 section 9: nothing in part. Of a referral what did fit stays. */
static void check_truncated(void)
{
	br_assert(!facts.truncated || facts.rcode == WIRE_NOERROR);
	if (facts.truncated && facts.kind != DNS_KIND_referral)
		br_assert(!answer.counts[1] && !answer.counts[2] &&
			  answer.counts[3] ==
			      fixture_count(3, 41) + fixture_count(3, 250));
}

static void check_kind(void)
{
	bool soa = fixture_count(2, 6) == 1;
	bool absent =
	    facts.kind == DNS_KIND_nxdomain || facts.kind == DNS_KIND_nodata;

	br_assert((facts.kind == DNS_KIND_nxdomain) ==
		      (facts.rcode == WIRE_NXDOMAIN) ||
		  facts.truncated);
	br_assert(
	    (facts.kind == DNS_KIND_error) ==
	    (facts.rcode != WIRE_NOERROR && facts.rcode != WIRE_NXDOMAIN));
	if (absent && !facts.truncated)
		br_assert(soa && !fixture_count(2, 2));
	if (facts.kind == DNS_KIND_referral && !facts.truncated)
		br_assert(!soa && fixture_count(2, 2));
	if (facts.kind == DNS_KIND_data && !facts.truncated)
		br_assert(answer.counts[1] && !soa);
	if (facts.kind == DNS_KIND_error && facts.rcode != WIRE_YXDOMAIN)
		br_assert(!answer.counts[1] && !answer.counts[2]);
}

void fixture_check(size_t length)
{
	struct wire_query parsed;
	enum wire_result result =
	    wire_query_read(&parsed, query.bytes, query.length);
	bool drop = result == WIRE_SHORT || result == WIRE_RESPONSE;

	br_assert((facts.drop != DNS_DROP_none) == drop);
	br_assert(!drop || !length);
	if (!length) {
		br_assert(drop || facts.kind == DNS_KIND_transfer);
		return;
	}
	br_assert(!packet_read(&answer, out, length));
	br_assert(client.transport == DNS_TCP || length <= udp_limit(&parsed));
	check_header();
	check_question();
	check_opt(&parsed);
	check_truncated();
	check_kind();
}

/* -- asking ------------------------------------------------------------ */

size_t fixture_ask_packet(void)
{
	/* Blocks of their own, so that leaving them is seen. */
	uint8_t *bytes = malloc(query.length ? query.length : 1);
	/* More than may be used over UDP. */
	size_t room = client.transport == DNS_TCP ? 65535 : 4096;
	uint8_t *to = malloc(room);
	size_t length;

	br_assert(bytes && to);
	memcpy(bytes, query.bytes, query.length);
	length = responder_answer(
	    &view, &client, bytes, query.length, to, room, &facts);
	br_assert(length <= room);
	memcpy(out, to, length);
	free(to);
	fixture_check(length);
	free(bytes);
	return length;
}

void fixture_ask(const char *name, unsigned type)
{
	packet_query(&query, name, type);
	br_assert(fixture_ask_packet());
}

void fixture_ask_edns(
    const char *name, unsigned type, unsigned size, bool dnssec_ok)
{
	packet_query_edns(&query, name, type, size, dnssec_ok);
	br_assert(fixture_ask_packet());
}

uint32_t fixture_count(unsigned section, unsigned type)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < answer.n; i++)
		n += (!section || answer.records[i].section == section) &&
		     (!type || answer.records[i].type == type);
	return n;
}

const struct packet_record *fixture_record(unsigned section, uint32_t i)
{
	for (uint32_t j = 0; j < answer.n; j++)
		if (answer.records[j].section == section && !i--)
			return &answer.records[j];
	br_assert(false); /* the answer has no such record */
	return NULL;
}

bool fixture_is(const struct packet_record *record, const char *owner,
    unsigned type, const char *target)
{
	uint8_t name[DNAME_MAX], found[256];

	(void)dns_zone_name(owner, NULL, name);
	if (!dname_equal(record->owner, name) || record->type != type)
		return false;
	if (!target)
		return true;
	(void)dns_zone_name(target, NULL, name);
	return packet_read_name(
		   answer.bytes, answer.length, record->rdata_at, found) &&
	       dname_equal(found, name);
}
