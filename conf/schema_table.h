/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The rows behind schema.h, for the parser, the checks and the generators of
 * this folder. Rows stand in pre-order: what lies below a key follows it.
 *
 *      schema_global.c  schema_listeners.c  schema_pools.c  schema_profiler.c
 *      schema_shards.c  schema_dns.c  schema_pops.c  schema_later.c
 *            \________________\__________________/_______________/
 *                          schema.c walks them as one
 *
 * A row's value lives `offset` bytes into its element: struct conf, or the
 * struct of the innermost entry ("pools.*", "pools.*.servers.*").
 *
 * Thread:  any (constant).
 * Units:   bounds are in the type's unit: ms, bytes, percent, or characters
 *          for texts.
 */
#include "conf/schema.h"

enum schema_type {
	SCHEMA_OBJECT, /* fixed keys below it */
	SCHEMA_MAP, /* the operator's names below it */
	SCHEMA_ENTRY, /* what one such name holds; the path ends in ".*" */
	SCHEMA_LIST, /* of blocks or of values, as the help says */
	SCHEMA_STRING, /* const char * */
	SCHEMA_PATH, /* const char *, absolute */
	SCHEMA_URL_PATH, /* const char *, fit for a request line */
	SCHEMA_HOST, /* const char *, fit for a Host header */
	SCHEMA_BOOL, /* bool */
	SCHEMA_INTEGER, /* uint32_t */
	SCHEMA_PORT, /* uint16_t */
	SCHEMA_SIZE, /* uint64_t, bytes */
	SCHEMA_DURATION, /* uint64_t, ms */
	SCHEMA_RATE, /* uint32_t, per second */
	SCHEMA_PERCENT, /* uint32_t */
	SCHEMA_ENUM, /* an enum, which is an unsigned */
	SCHEMA_ADDRESS, /* struct addr with a port, or unix */
	SCHEMA_IP, /* struct addr without a port */
	SCHEMA_ADDRESSES, /* struct conf_bind * and its count */
	SCHEMA_POOL, /* the name of a pool; rules_listeners.c resolves it */
	SCHEMA_ORIGIN, /* of a struct conf_server: its addr or host */
	SCHEMA_RESOLVERS, /* struct conf_resolvers */
	SCHEMA_STATUS, /* struct conf_health's status ranges */
	SCHEMA_TEXTS, /* struct conf_texts: one text or several */
	SCHEMA_NAMES, /* the same, of TLS server names with wildcards */
	SCHEMA_PROTOCOLS, /* protocol_set: one name or several */
	SCHEMA_BYTES, /* struct conf_bytes, from text with escapes */
	SCHEMA_HEX, /* the same, from hexadecimal digits */
	SCHEMA_PREFIXES, /* struct conf_prefixes: one or several */
	SCHEMA_BANDWIDTH, /* uint64_t, bits per second */
	SCHEMA_DECIMAL, /* uint32_t, thousandths */
	SCHEMA_SWITCH, /* bool, as on or off */
	SCHEMA_DOMAIN, /* const char *, a domain name */
	SCHEMA_FILE, /* const char *, absolute or from the file's folder */
	SCHEMA_LINES, /* struct conf_lines: one or several */
	SCHEMA_REFS, /* struct conf_refs: names of entries; rules resolve them */
	SCHEMA_PAIRS, /* struct conf_pairs: names, each with a `pair` */
	SCHEMA_IPS, /* struct addr * and its count, without ports */
	SCHEMA_TYPES
};

/* What the operator's names below a map may be. */
enum schema_names {
	SCHEMA_NAMED_PLAIN,
	SCHEMA_NAMED_ZONE, /* a domain name */
	SCHEMA_NAMED_OWNER, /* one relative to its zone, or "@" */
};

enum schema_when { SCHEMA_NOW, SCHEMA_LATER };

/* The maps of named entries, each with a total over the whole file. */
enum schema_map {
	MAP_LISTENERS,
	MAP_ROUTES,
	MAP_CERTIFICATES,
	MAP_POOLS,
	MAP_SERVERS,
	MAP_STEPS,
	MAP_ZONES,
	MAP_RESOURCES,
	MAP_POPS,
	MAP_POP_STEPS,
	MAP_REGIONS,
	SCHEMA_MAPS
};

struct schema_choice {
	const char *name; /* NULL ends the list */
	unsigned value;
	enum schema_when when;
};

struct schema_row {
	const char *path; /* NULL ends a block of rows */
	enum schema_type type;
	enum schema_when when;
	const char *help; /* one paragraph */
	const char *fallback; /* the default as text; NULL: none */
	const char *example;
	uint64_t min, max;
	/* A word in place of a number or address, which sets it to zero; an IP
	 * address to one without a family. */
	const char *word;
	const struct schema_choice *choices;
	size_t offset, count_offset, pos_offset; /* 0: has none (but offset) */
	/* SCHEMA_MAP and its SCHEMA_ENTRY. */
	enum schema_map map;
	size_t element_bytes;
	const char *noun; /* "server" */
	enum schema_names names;
	bool listed; /* a list of blocks, whose names are "1", "2", ... */
	bool required;
	/* With required: not where that key of the same block is given. */
	const char *unless;
	enum schema_type pair; /* of SCHEMA_PAIRS: what its values are */
	uint64_t step; /* of a number: of what it is a multiple; 0: any */
	uint16_t port; /* of addresses: where none is given; 0: it must be */
	/* Stands in the example of all keys where neither the default nor the
	 * example would make it load. */
	const char *shown;
	/* Stands there as a comment: it names files that are not there. */
	bool unshown;
	bool zero_allowed; /* below min, meaning off */
	bool peer; /* an address to connect to, not one to bind */
	bool restart; /* a reload cannot change it */
	/* Below this object defaults apply only when the block is there. */
	bool defaults_when_present;
	/* Its parent's help says all: the manual page and the example of all
	 * keys leave it out. */
	bool in_parent;
	/* Warned about unless the health type is http, or send_expect. */
	bool http_only, script_only;
};

/* The rows of one file; one without a path follows them. */
struct schema_block {
	const struct schema_row *rows;
	uint32_t n;
};

struct schema_type_info {
	const char *name; /* "time" */
	const char *want; /* "a time such as 500ms, 2s, 5m, 1h" */
};

extern const struct schema_type_info schema_types[SCHEMA_TYPES];
extern const struct schema_block schema_global;
extern const struct schema_block schema_listeners;
extern const struct schema_block schema_pools;
extern const struct schema_block schema_shards;
extern const struct schema_block schema_profiler;
extern const struct schema_block schema_dns;
extern const struct schema_block schema_pops;
extern const struct schema_block schema_later;

/* The row after `at` in pre-order that lies below `parent` (at any depth), or
 * NULL. `at` NULL gives the first; `parent` NULL is the top of the file. */
const struct schema_row *schema_next_below(
    const struct schema_row *parent, const struct schema_row *at);
/* The same for direct children only. */
const struct schema_row *schema_next_child(
    const struct schema_row *parent, const struct schema_row *at);
/* The direct child of that name, or NULL. A SCHEMA_MAP's is "*". */
const struct schema_row *schema_child(
    const struct schema_row *parent, const char *key);
/* By exact pattern, such as "pools.*.queue". */
const struct schema_row *schema_find(const char *path);
const struct schema_row *schema_parent(const struct schema_row *row);
/* Number of the row; rows below an entry have consecutive numbers. */
uint32_t schema_id(const struct schema_row *row);
uint32_t schema_count(void);
/* How many rows lie below. */
uint32_t schema_span(const struct schema_row *row);
/* The last word of the path. */
const char *schema_key(const struct schema_row *row);
/* Whether the row or one above it is SCHEMA_LATER. */
bool schema_is_later(const struct schema_row *row);
bool schema_has_children(enum schema_type type);
/* One value or several. */
bool schema_takes_list(enum schema_type type);
