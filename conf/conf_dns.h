/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The keys dns, pops, regions and geo in the tree of conf.h: what the
 * authoritative responder serves, where clients may be sent, and where they
 * are. References are indices; names are as the file has them.
 *
 *      dns.zones.*.resources.* ── pops, weights ──> pops.*
 *                                                     │ rtt
 *      geo (databases) ──> regions.* <────────────────┘
 *
 * Thread:  any (plain data).
 * Memory:  in the arena of the struct conf.
 * Units:   as the field names say; weights and cost have none of their own.
 * Limits:  CONF_*_MAX below.
 */
#include <stdbool.h>
#include <stdint.h>

#include "conf/conf_health.h"
#include "conf/conf_value.h"

#define CONF_ZONES_MAX 65536
#define CONF_RESOURCES_MAX 65536 /* over all zones */
#define CONF_POPS_MAX 256
#define CONF_RESOURCE_POPS_MAX 64 /* of one resource */
#define CONF_SIGNED_POPS_MAX 8 /* of one resource of a signed zone */
#define CONF_SIGNED_N_MAX 3 /* likewise */
#define CONF_POP_ADDRESSES_MAX 16
#define CONF_REGIONS_MAX 1024
#define CONF_DNS_BINDS_MAX 64
#define CONF_NOTIFY_MAX 64 /* of one zone */
#define CONF_RECORD_TEXT_MAX 65535 /* characters of one record */
#define CONF_DOMAIN_TEXT_MAX 1004 /* of a name with escapes, RFC 1035 5.1 */

/* How a resource is answered. */
enum conf_mode {
	CONF_MODE_PICK, /* one CNAME */
	CONF_MODE_RANK, /* HTTPS records in order, and A, AAAA */
	CONF_MODE_ADDRS, /* A, AAAA of several POPs */
	CONF_MODE_SRV, /* SRV with priority and weight */
	CONF_MODE_LITERAL, /* several CNAMEs; for who asked for it only */
};

struct conf_resource {
	/* Below the zone: "www", "a.b", "_xmpp._tcp", or "@" for its apex. */
	const char *name;
	struct conf_pos pos;
	enum conf_mode mode;
	struct conf_pos mode_pos;
	struct conf_refs pop_refs; /* as the file says it */
	uint32_t *pops; /* indices into conf.pops, in file order, each once */
	uint32_t n_pops; /* 1..CONF_RESOURCE_POPS_MAX */
	struct conf_pairs weight_pairs; /* as the file says it */
	uint32_t *weights; /* one for each of pops; 1 where none is given */
	uint32_t n; /* 1..n_pops: how many of them one answer names */
	struct conf_pos n_pos;
	uint64_t ttl_ms; /* whole seconds */
	/* Pattern of the names that stand for a POP, relative to the zone: with
	 * {pop} once, and {resource} where it is wanted. */
	const char *target;
	struct conf_pos target_pos;
	struct conf_texts alpn;
	uint16_t port; /* of SRV and HTTPS; 0: none is said */
	bool ecs; /* whether the client's subnet decides */
	struct conf_prefixes allow; /* literal: who gets it; others get pick */
	struct conf_pos allow_pos;
};

struct conf_zone {
	const char *name; /* with or without the last dot */
	struct conf_pos pos;
	const char *file; /* NULL: none */
	struct conf_pos file_pos;
	struct conf_lines records; /* in the form of a zone file's lines */
	uint64_t ttl_ms; /* of records without one; whole seconds */
	/* Unless the file says another its name, in small letters and without
	 * the last dot. */
	const char *salt;
	const char *key; /* file; NULL: the zone is not signed */
	struct conf_pos key_pos;
	struct conf_prefixes transfer_to; /* n 0: nobody */
	const char *tsig_name, *tsig_key_file; /* both or none (NULL) */
	struct conf_pos tsig_name_pos, tsig_key_file_pos;
	struct conf_bind *notify; /* whom changes are told; with ports */
	uint32_t n_notify;
	struct conf_resource *resources; /* in file order */
	uint32_t n_resources;
};

struct conf_dns {
	bool present;
	struct conf_pos pos;
	struct conf_bind *binds; /* UDP and TCP each; IP, with ports */
	uint32_t n_binds;
	bool free_bind; /* also what no interface has yet */
	bool ecs;
	uint32_t rrl_rate; /* answers a second; 0: off */
	uint32_t rrl_slip; /* every so many is truncated; 0: none */
	const char *cookie_secret; /* file; NULL: made at start */
	struct conf_pos cookie_secret_pos;
	const char *nsid; /* NULL: none */
	const char *chaos_version, *chaos_id; /* NULL: refused */
	uint32_t nocookie_max; /* bytes of UDP without a valid cookie */
	uint64_t tcp_idle_ms;
	uint32_t tcp_connections; /* over all workers */
	uint32_t tcp_per_source;
	struct conf_prefixes tcp_proxies; /* whose connections begin so */
	struct conf_zone *zones; /* in file order */
	uint32_t n_zones;
};

/* From a region to a POP and back. */
struct conf_rtt {
	uint32_t region; /* index into conf.regions */
	uint32_t us;
};

struct conf_pop {
	const char *name;
	struct conf_pos pos;
	struct addr *addresses; /* without ports, each once */
	uint32_t n_addresses;
	struct conf_pos addresses_pos;
	const char *domain; /* failure domain; NULL: its own */
	uint64_t bandwidth_bps; /* 0: unknown, as the next two */
	uint32_t requests; /* a second */
	uint32_t connections;
	uint32_t cost_milli; /* thousandths */
	struct conf_pairs rtt_pairs; /* as the file says it */
	struct conf_rtt *rtts;
	uint32_t n_rtts;
	uint32_t default_rtt_us; /* of all other clients; 0: unknown */
	struct conf_health health; /* NONE: it counts as up */
	struct conf_agent agent; /* who reports of it */
	uint64_t slow_start_ms;
};

struct conf_region {
	const char *name;
	struct conf_pos pos;
	struct conf_prefixes prefixes;
	/* "continent:EU", "country:DE", "asn:3320": checked. */
	struct conf_texts geo;
};

/* MaxMind databases; NULL: none. */
struct conf_geo {
	const char *file, *asn;
	struct conf_pos file_pos, asn_pos;
};
