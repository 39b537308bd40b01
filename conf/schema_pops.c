/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of where clients may be sent and where they are: pops, regions, geo. */
#include "base/assert.h"
#include "conf/schema_agent.h"
#include "conf/schema_health.h"
#include "conf/schema_table.h"

#define POP_AT(member) .offset = offsetof(struct conf_pop, member)
#define REGION_AT(member) .offset = offsetof(struct conf_region, member)
#define GEO_AT(member) .offset = offsetof(struct conf, geo.member)

#define HOUR_MS (UINT64_C(3600) * 1000)
/* One question without an answer does not make a report too old: 30 s are more
 * than two intervals, each a little longer than said, and a timeout. */
#define AGENT_INTERVAL_MAX_MS (UINT64_C(10) * 1000)
#define AGENT_TIMEOUT_MAX_MS (UINT64_C(5) * 1000)

/* Capacity, cost and round-trip times weigh only where demand is forecast. */
#define FORECASTS_ONLY                                                         \
	" Read by forecasts, which are not in this version; until then it "    \
	"changes no answer."

static const struct schema_choice health_tls[] = {
    {"on", CONF_HEALTH_TLS_ON, SCHEMA_NOW},
    {"off", CONF_HEALTH_TLS_OFF, SCHEMA_NOW},
    {0},
};

static const struct schema_row rows[] = {
    {
	.path = "pops",
	.type = SCHEMA_MAP,
	.offset = offsetof(struct conf, pops),
	.count_offset = offsetof(struct conf, n_pops),
	.map = MAP_POPS,
	.min = 1,
	.max = CONF_POPS_MAX,
	.noun = "POP",
	.example = "{pop1: {addresses: [192.0.2.20, \"2001:db8::20\"]}}",
	.help = "Points of presence, by name: the places to which the "
		"resources of dns.zones send clients.",
    },
    {
	.path = "pops.*",
	.type = SCHEMA_ENTRY,
	POP_AT(name),
	.pos_offset = offsetof(struct conf_pop, pos),
	.map = MAP_POPS,
	.element_bytes = sizeof(struct conf_pop),
	.noun = "POP",
	.help = "One point of presence. Its name is yours; it stands in logs, "
		"metrics, braidctl and, where target has {pop}, in DNS names.",
    },
    {
	.path = "pops.*.addresses",
	.type = SCHEMA_IPS,
	POP_AT(addresses),
	.count_offset = offsetof(struct conf_pop, n_addresses),
	.pos_offset = offsetof(struct conf_pop, addresses_pos),
	.max = CONF_POP_ADDRESSES_MAX,
	.required = true,
	.example = "[192.0.2.20, \"2001:db8::20\"]",
	.help = "Addresses that clients get for it, IPv4 and IPv6. All of them "
		"serve the same.",
    },
    {
	.path = "pops.*.nodes",
	.type = SCHEMA_LIST,
	.when = SCHEMA_LATER,
	.example = "[n1, n2]",
	.help = "Braids in it.",
    },
    {
	.path = "pops.*.domain",
	.type = SCHEMA_STRING,
	POP_AT(domain),
	.min = 1,
	.max = 255,
	.example = "dc-a",
	.help = "Failure domain that it shares with others of the same text: "
		"what fails together. An answer of mode addrs names at most "
		"one POP of a domain. Without it the POP has one of its own.",
    },
    {
	.path = "pops.*.capacity",
	.type = SCHEMA_OBJECT,
	.help = "What it can carry.",
    },
    {
	.path = "pops.*.capacity.bandwidth",
	.type = SCHEMA_BANDWIDTH,
	POP_AT(bandwidth_bps),
	.min = 1000,
	.max = UINT64_C(1000000000000000),
	.example = "10Gbit/s",
	.help = "Bits a second towards clients." FORECASTS_ONLY,
    },
    {
	.path = "pops.*.capacity.requests",
	.type = SCHEMA_RATE,
	POP_AT(requests),
	.min = 1,
	.max = UINT32_MAX,
	.example = "50000/s",
	.help = "Requests a second." FORECASTS_ONLY,
    },
    {
	.path = "pops.*.capacity.connections",
	.type = SCHEMA_INTEGER,
	POP_AT(connections),
	.min = 1,
	.max = UINT32_MAX,
	.example = "200000",
	.help = "Connections at a time." FORECASTS_ONLY,
    },
    {
	.path = "pops.*.cost",
	.type = SCHEMA_DECIMAL,
	POP_AT(cost_milli),
	.max = 1000000,
	.fallback = "1.0",
	.example = "1.5",
	.help = "Price of serving from it against the others." FORECASTS_ONLY,
    },
    {
	.path = "pops.*.rtt",
	.type = SCHEMA_PAIRS,
	.pair = SCHEMA_DURATION,
	POP_AT(rtt_pairs),
	.max = 60000,
	.noun = "region",
	.example = "{eu: 8ms, default: 120ms}",
	.help = "Round-trip time from clients of each region, by its name in "
		"regions, and by default from all others." FORECASTS_ONLY,
    },
    {
	.path = "pops.*.health",
	.type = SCHEMA_OBJECT,
	.defaults_when_present = true,
	.example = "{type: http, port: 80, path: /healthz}",
	.help = "Checks the POP's addresses, from here: it is up while one of "
		"them is. Without this block there are no checks and it "
		"counts as up. A POP counts as up until the first check of "
		"its addresses, which decides at once; after it rise and fall "
		"count. Where less than 20% of a resource's weight is up, it "
		"is answered as if all its POPs were.",
    },
    {
	.path = "pops.*.health.type",
	.type = SCHEMA_ENUM,
	POP_AT(health.type),
	.choices = schema_health_types,
	.fallback = "tcp",
	.example = "http",
	.help = "tcp: the address accepts a connection. tls: it also completes "
		"a TLS handshake, with any certificate. http: it answers a "
		"GET with one of the statuses. send_expect: it answers as "
		"health.script says.",
    },
    SCHEMA_HEALTH_TIMES("pops.*.health", conf_pop, "an address"),
    {
	.path = "pops.*.health.port",
	.type = SCHEMA_PORT,
	POP_AT(health.port),
	.min = 1,
	.max = 65535,
	.required = true,
	.example = "443",
	.help = "Port to check: the addresses of a POP have none.",
    },
    {
	.path = "pops.*.health.tls",
	.type = SCHEMA_ENUM,
	POP_AT(health.tls),
	.choices = health_tls,
	.fallback = "off",
	.example = "on",
	.help = "Whether http and send_expect checks go through TLS; any "
		"certificate will do.",
    },
    SCHEMA_HEALTH_SCRIPT("pops.*.health", conf_pop, MAP_POP_STEPS),
    SCHEMA_HEALTH_HTTP("pops.*.health", conf_pop, "the address"),
    {
	.path = "pops.*.agent",
	.type = SCHEMA_OBJECT,
	.defaults_when_present = true,
	.example = "{port: 9999}",
	.help = "Asks what the nodes of the POP report of themselves: Braid "
		"connects to the port, on each of the POP's addresses, and "
		"reads a line of words as HAProxy's agent-check does; a Braid "
		"there answers by its agent.listen. 73% is the part of "
		"its weights that the POP is to have now (at most 100%), 0%, "
		"drain and maint take it out at once, ready and up end that, "
		"down, fail and stopped say that it does not serve. A POP is "
		"down when the checks from here and the report agree, or when "
		"the checks say so and no report is younger than 30 s; where "
		"they differ it goes on, and the log says so. Without health "
		"the report alone decides. What was reported 30 s ago counts "
		"for nothing. Of several addresses those that are heard count, "
		"by their mean.",
    },
    SCHEMA_AGENT_KEYS("pops.*.agent", conf_pop,
	"each address of the POP, or on agent.address", AGENT_INTERVAL_MAX_MS,
	AGENT_TIMEOUT_MAX_MS),
    {
	.path = "pops.*.agent.address",
	.type = SCHEMA_IP,
	POP_AT(agent.address),
	.pos_offset = offsetof(struct conf_pop, agent.address_pos),
	.example = "10.0.0.20",
	.help = "Where the agent answers for the whole POP, when that is not "
		"on the addresses that clients get.",
    },
    {
	.path = "pops.*.slow_start",
	.type = SCHEMA_DURATION,
	POP_AT(slow_start_ms),
	.max = 24 * HOUR_MS,
	.fallback = "5m",
	.example = "10m",
	.help = "Time over which a POP that came back (health, braidctl ready) "
		"gets its full weight, which grows evenly from 10%. Not at "
		"start. 0s: at once.",
    },
    {
	.path = "regions",
	.type = SCHEMA_MAP,
	.offset = offsetof(struct conf, regions),
	.count_offset = offsetof(struct conf, n_regions),
	.map = MAP_REGIONS,
	.min = 1,
	.max = CONF_REGIONS_MAX,
	.noun = "region",
	.example = "{eu: {geo: [\"continent:EU\"]}}",
	.help = "Where clients are, by name: parts of the address space, as "
		"prefixes or by what databases say. The longest prefix that "
		"holds an address decides; one written here goes before what "
		"a database says about any part of it, an asn before a "
		"country, and a country before a continent. What is in no "
		"region is in the default.",
    },
    {
	.path = "regions.*",
	.type = SCHEMA_ENTRY,
	REGION_AT(name),
	.pos_offset = offsetof(struct conf_region, pos),
	.map = MAP_REGIONS,
	.element_bytes = sizeof(struct conf_region),
	.noun = "region",
	.help = "One region, with prefixes, geo, or both.",
    },
    {
	.path = "regions.*.prefixes",
	.type = SCHEMA_PREFIXES,
	REGION_AT(prefixes),
	.example = "[192.0.2.0/24, \"2001:db8::/32\"]",
	.shown = "[192.0.2.0/24]",
	.help = "Address prefixes in it.",
    },
    {
	.path = "regions.*.geo",
	.type = SCHEMA_TEXTS,
	REGION_AT(geo),
	.example = "[\"continent:EU\", \"country:TR\", \"asn:3320\"]",
	.help = "Continents (AF AN AS EU NA OC SA), countries (ISO 3166, two "
		"letters) and autonomous systems in it. The first two need "
		"geo.file, the last geo.asn.",
    },
    {
	.path = "geo",
	.type = SCHEMA_OBJECT,
	.help = "Geography databases in MaxMind's format, for regions.*.geo. "
		"They are read as a whole at the start and at each reload; "
		"one that cannot be read is refused with all of the "
		"configuration.",
    },
    {
	.path = "geo.file",
	.type = SCHEMA_PATH,
	GEO_AT(file),
	.pos_offset = offsetof(struct conf, geo.file_pos),
	.max = 4000,
	.example = "/var/lib/braid/country.mmdb",
	.help = "A country or city database.",
    },
    {
	.path = "geo.asn",
	.type = SCHEMA_PATH,
	GEO_AT(asn),
	.pos_offset = offsetof(struct conf, geo.asn_pos),
	.max = 4000,
	.example = "/var/lib/braid/asn.mmdb",
	.help = "A database of autonomous systems.",
    },
    {0},
};

const struct schema_block schema_pops = {rows, BR_COUNT(rows) - 1};
