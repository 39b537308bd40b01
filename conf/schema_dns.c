/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the authoritative DNS responder. */
#include "base/assert.h"
#include "conf/schema_table.h"

#define DNS_AT(member) .offset = offsetof(struct conf, dns.member)
#define DNS_POS(member) .pos_offset = offsetof(struct conf, dns.member)
#define ZONE_AT(member) .offset = offsetof(struct conf_zone, member)
#define ZONE_POS(member) .pos_offset = offsetof(struct conf_zone, member)
#define RESOURCE_AT(member) .offset = offsetof(struct conf_resource, member)
#define RESOURCE_POS(member)                                                   \
	.pos_offset = offsetof(struct conf_resource, member)

#define DAY_MS (UINT64_C(24) * 3600 * 1000)
/* RFC 2181 section 8: a TTL has 31 bits. */
#define TTL_MAX_MS (UINT64_C(0x7fffffff) * 1000)
#define DNS_PORT 53

static const struct schema_choice modes[] = {
    {"pick", CONF_MODE_PICK, SCHEMA_NOW},
    {"rank", CONF_MODE_RANK, SCHEMA_NOW},
    {"addrs", CONF_MODE_ADDRS, SCHEMA_NOW},
    {"srv", CONF_MODE_SRV, SCHEMA_NOW},
    {"literal", CONF_MODE_LITERAL, SCHEMA_NOW},
    {0},
};

static const struct schema_row rows[] = {
    {
	.path = "dns",
	.type = SCHEMA_OBJECT,
	.help = "The authoritative DNS responder. With this block listeners "
		"and pools may be absent: Braid then answers DNS alone.",
    },
    {
	.path = "dns.bind",
	.type = SCHEMA_ADDRESSES,
	DNS_AT(binds),
	.count_offset = offsetof(struct conf, dns.n_binds),
	.max = CONF_DNS_BINDS_MAX,
	.port = DNS_PORT,
	.required = true,
	.example = "[\"0.0.0.0:53\", \"[::]:53\"]",
	.shown = "\"127.0.0.1:53\"",
	.help = "Addresses that answer DNS, each over UDP and TCP; without a "
		"port it is 53.",
    },
    {
	.path = "dns.free_bind",
	.type = SCHEMA_SWITCH,
	DNS_AT(free_bind),
	.fallback = "off",
	.example = "on",
	.help = "Whether addresses of bind may be such that no interface has, "
		"or has yet, as those that move between hosts. They are "
		"answered from the moment on at which they are there. A slip "
		"of the pen is then no error.",
    },
    {
	.path = "dns.ecs",
	.type = SCHEMA_SWITCH,
	DNS_AT(ecs),
	.fallback = "on",
	.example = "off",
	.help = "Whether the client subnets that resolvers send (EDNS Client "
		"Subnet, RFC 7871) decide in place of the resolver's own "
		"address.",
    },
    {
	.path = "dns.rrl",
	.type = SCHEMA_OBJECT,
	.help = "Response rate limiting: keeps Braid from being a means to "
		"flood somebody whose address is forged.",
    },
    {
	.path = "dns.rrl.rate",
	.type = SCHEMA_RATE,
	DNS_AT(rrl_rate),
	.max = 1000000,
	.fallback = "0",
	.example = "20/s",
	.help = "UDP answers a second to one client address; networks around "
		"it get some multiple of that. Clients with a valid cookie, "
		"and TCP, are not limited. 0: no limit.",
    },
    {
	.path = "dns.rrl.slip",
	.type = SCHEMA_INTEGER,
	DNS_AT(rrl_slip),
	.max = 10,
	.fallback = "2",
	.example = "1",
	.help = "Of the answers over the rate, one in so many is sent cut to "
		"nothing with the TC flag, which brings a real client to TCP; "
		"the others are dropped. 0: all are dropped.",
    },
    {
	.path = "dns.cookies",
	.type = SCHEMA_OBJECT,
	.help = "DNS cookies (RFC 7873, RFC 9018), which show that a client's "
		"address is its own.",
    },
    {
	.path = "dns.cookies.secret",
	.type = SCHEMA_PATH,
	DNS_AT(cookie_secret),
	DNS_POS(cookie_secret_pos),
	.max = 4000,
	.example = "/etc/braid/cookie.key",
	.help = "File with the secrets that all servers of the zones share: "
		"lines of 32 hexadecimal digits. The first makes cookies, the "
		"others are still taken, so that servers can change theirs "
		"one after the other. Without it a secret is drawn at the "
		"start.",
    },
    {
	.path = "dns.nsid",
	.type = SCHEMA_STRING,
	DNS_AT(nsid),
	.min = 1,
	.max = 128,
	.example = "ns1-fra",
	.help = "What this server calls itself to who asks for it (NSID, RFC "
		"5001). Without it nothing is said.",
    },
    {
	.path = "dns.chaos",
	.type = SCHEMA_OBJECT,
	.help = "Answers in class CH, which tell what a server is. Without "
		"these keys they are refused.",
    },
    {
	.path = "dns.chaos.version",
	.type = SCHEMA_STRING,
	DNS_AT(chaos_version),
	.min = 1,
	.max = 255,
	.example = "braid",
	.help = "Text of version.bind and version.server.",
    },
    {
	.path = "dns.chaos.id",
	.type = SCHEMA_STRING,
	DNS_AT(chaos_id),
	.min = 1,
	.max = 255,
	.example = "ns1-fra",
	.help = "Text of id.server and hostname.bind (RFC 4892).",
    },
    {
	.path = "dns.nocookie_max",
	.type = SCHEMA_INTEGER,
	DNS_AT(nocookie_max),
	.min = 512,
	.max = 1232,
	.fallback = "1232",
	.example = "512",
	.help = "Bytes of the largest UDP answer to who shows no valid "
		"cookie; what is longer is cut, and asked again over TCP.",
    },
    {
	.path = "dns.tcp",
	.type = SCHEMA_OBJECT,
	.help = "DNS over TCP.",
    },
    {
	.path = "dns.tcp.idle",
	.type = SCHEMA_DURATION,
	DNS_AT(tcp_idle_ms),
	.min = 100,
	.max = DAY_MS,
	.fallback = "10s",
	.example = "30s",
	.help = "How long a connection may be silent before it is closed; "
		"clients that ask are told (RFC 7828).",
    },
    {
	.path = "dns.tcp.connections",
	.type = SCHEMA_INTEGER,
	DNS_AT(tcp_connections),
	.min = 1,
	.max = 1000000,
	.fallback = "4096",
	.example = "20000",
	.help = "Most connections at a time, over all workers. When there are "
		"more, those that have been silent longest are closed.",
    },
    {
	.path = "dns.tcp.per_source",
	.type = SCHEMA_INTEGER,
	DNS_AT(tcp_per_source),
	.min = 1,
	.max = 1000000,
	.fallback = "32",
	.example = "100",
	.help = "Most of them from one address, or one /64 of IPv6.",
    },
    {
	.path = "dns.tcp.proxy_from",
	.type = SCHEMA_PREFIXES,
	DNS_AT(tcp_proxies),
	.example = "[127.0.0.2]",
	.help = "Peers whose connections begin with a header of the PROXY "
		"protocol, version 1 or 2, such as a TLS listener before the "
		"responder. The client is then whom it names; a connection "
		"from there without a header is closed.",
    },
    {
	.path = "dns.zones",
	.type = SCHEMA_MAP,
	DNS_AT(zones),
	.count_offset = offsetof(struct conf, dns.n_zones),
	.map = MAP_ZONES,
	.names = SCHEMA_NAMED_ZONE,
	.min = 1,
	.max = CONF_ZONES_MAX,
	.noun = "zone",
	.required = true,
	.example = "{cdn.example: {file: /etc/braid/cdn.example.zone}}",
	.help = "Zones served, by domain name.",
    },
    {
	.path = "dns.zones.*",
	.type = SCHEMA_ENTRY,
	ZONE_AT(name),
	ZONE_POS(pos),
	.map = MAP_ZONES,
	.element_bytes = sizeof(struct conf_zone),
	.noun = "zone",
	.help = "One zone: its records from file, records, or both. It must "
		"have an SOA and an NS record. A zone with an error is "
		"refused as a whole, with all errors.",
    },
    {
	.path = "dns.zones.*.file",
	.type = SCHEMA_FILE,
	ZONE_AT(file),
	ZONE_POS(file_pos),
	.max = 4000,
	.example = "/etc/braid/cdn.example.zone",
	.help = "Zone file in the form of RFC 1035. A path that does not begin "
		"with / starts from the folder of this configuration file. "
		"$INCLUDE takes files of the zone file's folder and below.",
    },
    {
	.path = "dns.zones.*.records",
	.type = SCHEMA_LINES,
	ZONE_AT(records),
	.max = CONF_RECORD_TEXT_MAX,
	.example = "[\"www 5m A 192.0.2.9\", \"@ MX 10 mail\"]",
	.shown = "[\"@ SOA ns1 admin 1 2h 1h 14d 30s\", \"@ NS ns1\", "
		 "\"ns1 A 192.0.2.53\"]",
	.help = "Records, each as one line of a zone file, with names relative "
		"to the zone.",
    },
    {
	.path = "dns.zones.*.ttl",
	.type = SCHEMA_DURATION,
	ZONE_AT(ttl_ms),
	.max = TTL_MAX_MS,
	.step = 1000,
	.fallback = "1h",
	.example = "5m",
	.help = "Time to live of records that have none of their own, where no "
		"$TTL stands before them.",
    },
    {
	.path = "dns.zones.*.salt",
	.type = SCHEMA_STRING,
	ZONE_AT(salt),
	.min = 1,
	.max = 255,
	.example = "k2yzR9",
	.help = "Keys the order in which a client gets the POPs; the same on "
		"every server of the zone. Without it the zone's name. "
		"Another salt sends clients elsewhere.",
    },
    {
	.path = "dns.zones.*.dnssec",
	.type = SCHEMA_OBJECT,
	.unshown = true,
	.help = "Signs the zone.",
    },
    {
	.path = "dns.zones.*.dnssec.key",
	.type = SCHEMA_PATH,
	ZONE_AT(key),
	ZONE_POS(key_pos),
	.max = 4000,
	.required = true,
	.example = "/etc/braid/cdn.example.key",
	.help = "File with the key that signs the zone, made by braidctl dns "
		"key. In a signed zone a resource has at most 8 POPs and n "
		"at most 3, since all its answers are signed beforehand.",
    },
    {
	.path = "dns.zones.*.transfer",
	.type = SCHEMA_OBJECT,
	.unshown = true,
	.help = "Zone transfers (AXFR) to other servers. Without this block "
		"they are refused.",
    },
    {
	.path = "dns.zones.*.transfer.allow",
	.type = SCHEMA_PREFIXES,
	ZONE_AT(transfer_to),
	.required = true,
	.example = "[192.0.2.54, \"2001:db8::/64\"]",
	.help = "Who may ask for them.",
    },
    {
	.path = "dns.zones.*.transfer.tsig",
	.type = SCHEMA_OBJECT,
	.example = "{name: transfer.example, file: /etc/braid/transfer.key}",
	.help = "The key with which transfers are signed (TSIG, RFC 8945, "
		"hmac-sha256). With it, one that is not signed is refused.",
    },
    {
	.path = "dns.zones.*.transfer.tsig.name",
	.type = SCHEMA_DOMAIN,
	ZONE_AT(tsig_name),
	ZONE_POS(tsig_name_pos),
	.max = CONF_DOMAIN_TEXT_MAX,
	.required = true,
	.example = "transfer.example",
	.help = "The key's name, which both sides know.",
    },
    {
	.path = "dns.zones.*.transfer.tsig.file",
	.type = SCHEMA_PATH,
	ZONE_AT(tsig_key_file),
	ZONE_POS(tsig_key_file_pos),
	.max = 4000,
	.required = true,
	.example = "/etc/braid/transfer.key",
	.help = "File with the secret in base64.",
    },
    {
	.path = "dns.zones.*.transfer.notify",
	.type = SCHEMA_ADDRESSES,
	ZONE_AT(notify),
	.count_offset = offsetof(struct conf_zone, n_notify),
	.max = CONF_NOTIFY_MAX,
	.port = DNS_PORT,
	.peer = true,
	.example = "[192.0.2.54, \"[2001:db8::54]:5353\"]",
	.help = "Who is told (NOTIFY, RFC 1996) when the zone has changed; "
		"without a port it is 53.",
    },
    {
	.path = "dns.zones.*.resources",
	.type = SCHEMA_MAP,
	ZONE_AT(resources),
	.count_offset = offsetof(struct conf_zone, n_resources),
	.map = MAP_RESOURCES,
	.names = SCHEMA_NAMED_OWNER,
	.min = 1,
	.max = CONF_RESOURCES_MAX,
	.noun = "resource",
	.example = "{www: {pops: [pop1, pop2]}}",
	.help = "Names whose clients are spread over POPs, by name relative to "
		"the zone; @ is the zone itself.",
    },
    {
	.path = "dns.zones.*.resources.*",
	.type = SCHEMA_ENTRY,
	RESOURCE_AT(name),
	RESOURCE_POS(pos),
	.map = MAP_RESOURCES,
	.element_bytes = sizeof(struct conf_resource),
	.noun = "resource",
	.help = "One such name. Nothing else of the zone may have it.",
    },
    {
	.path = "dns.zones.*.resources.*.mode",
	.type = SCHEMA_ENUM,
	RESOURCE_AT(mode),
	RESOURCE_POS(mode_pos),
	.choices = modes,
	.fallback = "pick",
	.example = "addrs",
	.help = "How it is answered. pick: one CNAME to the POP that is this "
		"client's, so that populations split by weight; for every "
		"client, but not at the zone's apex. rank: HTTPS records (RFC "
		"9460) in this client's order, and addresses of the first; "
		"for browsers, also at the apex. addrs: addresses of several "
		"POPs, of different failure domains; for any client, also at "
		"the apex. srv: SRV records with priority and weight; the "
		"name begins with _service._proto. literal: several CNAMEs, "
		"which RFC 2181 section 10.1 forbids and resolvers refuse or "
		"mangle; for closed networks and braid-fetch, with allow.",
    },
    {
	.path = "dns.zones.*.resources.*.pops",
	.type = SCHEMA_REFS,
	RESOURCE_AT(pop_refs),
	.max = CONF_RESOURCE_POPS_MAX,
	.noun = "POP",
	.required = true,
	.example = "[pop1, pop2]",
	.shown = "[pop1]",
	.help = "POPs that have it.",
    },
    {
	.path = "dns.zones.*.resources.*.n",
	.type = SCHEMA_INTEGER,
	RESOURCE_AT(n),
	RESOURCE_POS(n_pos),
	.min = 1,
	.max = CONF_RESOURCE_POPS_MAX,
	.example = "2",
	.help = "How many of them one answer of rank, addrs, srv or literal "
		"names at most. Without it 3, or all if there are fewer.",
    },
    {
	.path = "dns.zones.*.resources.*.ttl",
	.type = SCHEMA_DURATION,
	RESOURCE_AT(ttl_ms),
	.min = 1000,
	.max = DAY_MS,
	.step = 1000,
	.fallback = "30s",
	.example = "20s",
	.help = "Time to live of its answers, give or take 10% by client, so "
		"that they do not all expire at once.",
    },
    {
	.path = "dns.zones.*.resources.*.weights",
	.type = SCHEMA_PAIRS,
	.pair = SCHEMA_INTEGER,
	RESOURCE_AT(weight_pairs),
	.max = 65535,
	.noun = "POP",
	.example = "{pop1: 50, pop2: 50}",
	.help = "Share of clients that each POP gets against the others; 1 "
		"where none is given. 0: none, unless all the others are "
		"down.",
    },
    {
	.path = "dns.zones.*.resources.*.target",
	.type = SCHEMA_STRING,
	RESOURCE_AT(target),
	RESOURCE_POS(target_pos),
	.min = 1,
	.max = CONF_DOMAIN_TEXT_MAX,
	.fallback = "{resource}--{pop}",
	.example = "\"{pop}.{resource}\"",
	.shown = "\"{resource}--{pop}\"",
	.help = "Pattern of the names, relative to the zone, that stand for "
		"its POPs: {pop} is the POP's name, {resource} the "
		"resource's, \"apex\" for the zone itself and \"sip-tcp\" for "
		"_sip._tcp. Braid makes the records "
		"of these names, so the zone has none for them.",
    },
    {
	.path = "dns.zones.*.resources.*.alpn",
	.type = SCHEMA_TEXTS,
	RESOURCE_AT(alpn),
	.example = "[h2, http/1.1]",
	.help = "Protocols shown in HTTPS records. Without it none are, which "
		"stands for http/1.1.",
    },
    {
	.path = "dns.zones.*.resources.*.port",
	.type = SCHEMA_PORT,
	RESOURCE_AT(port),
	.min = 1,
	.max = 65535,
	.example = "8443",
	.help = "Port in SRV records, where it is required, and in HTTPS "
		"records, where it is 443 without this key.",
    },
    {
	.path = "dns.zones.*.resources.*.ecs",
	.type = SCHEMA_SWITCH,
	RESOURCE_AT(ecs),
	.fallback = "on",
	.example = "off",
	.help = "off: client subnets are not looked at for this resource, "
		"and answers hold for everybody behind a resolver.",
    },
    {
	.path = "dns.zones.*.resources.*.allow",
	.type = SCHEMA_PREFIXES,
	RESOURCE_AT(allow),
	RESOURCE_POS(allow_pos),
	.example = "[10.0.0.0/8]",
	.help = "Of mode literal, which requires it: source addresses that get "
		"several CNAMEs. All others are answered as by pick.",
    },
    {0},
};

const struct schema_block schema_dns = {rows, BR_COUNT(rows) - 1};
