/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The records of a zone while it is being built: by owner, each with where it
 * came from. Inside of zone_builder and zone_layout only.
 *
 *     table ──hash──> owner ──> last record ──> first ──> second ─┐
 *                                   ^──────────────────────────────┘
 *
 * Thread:  one at a time; the clerk's.
 * Memory:  everything is copied; offsets stay valid, pointers only until the
 *          next call that adds. Out of memory ends the process.
 * Limits:  -EFBIG beyond 2^32 bytes of records or names.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "dnsd/dname.h"
#include "dnsd/dns_record.h"

#define ZONE_COLLECT_FILES_MAX 65535u
/* No record, no resource. */
#define ZONE_COLLECT_NONE UINT32_MAX
/* In zone_held.source. */
#define ZONE_SOURCE_STATIC 0u /* a file or the configuration */
/* Above it the number of a resource plus one: its target. */
#define ZONE_SOURCE_VARIANT 0x80000000u /* and the number of the variant */

/* Memory that grows by doubling. */
struct zone_bytes {
	uint8_t *bytes;
	size_t length, room;
};

/* The offset of `bytes` more bytes, zeroed, at a multiple of four. */
size_t zone_bytes_add(struct zone_bytes *memory, size_t bytes);
/* Right behind what is there. */
void zone_bytes_append(
    struct zone_bytes *memory, const void *bytes, size_t length);

/* A record, its rdata behind it. */
struct zone_held {
	uint32_t next; /* offset; of the last: the first */
	uint32_t ttl;
	uint32_t line;
	uint32_t source;
	uint16_t file;
	uint16_t type;
	uint16_t length;
};

struct zone_owner {
	uint32_t name; /* offset; in lower case */
	uint32_t hash;
	uint32_t last; /* offset of a record, or ZONE_COLLECT_NONE */
	uint32_t resource; /* its number, or ZONE_COLLECT_NONE */
};

struct zone_collect {
	struct zone_bytes names, records, owners;
	uint32_t n_owners;
	uint32_t *slots; /* owner + 1 */
	uint32_t slot_mask;
	uint32_t seed;
	char **files; /* files[0] is NULL: no file */
	uint32_t n_files;
	const char *last_file; /* as it was given: only compared */
	uint32_t last_file_index;
};

void zone_collect_init(struct zone_collect *collect, uint32_t seed);
void zone_collect_fini(struct zone_collect *collect);

/* The owner of that name, made when it is new. */
int zone_collect_owner(struct zone_collect *collect, const uint8_t *name,
    uint32_t *ret_owner) BR_MUST_CHECK;
int zone_collect_add(struct zone_collect *collect, uint32_t owner,
    const struct dns_record *record, uint32_t source) BR_MUST_CHECK;

static inline struct zone_owner *zone_collect_owner_at(
    const struct zone_collect *collect, uint32_t owner)
{
	return (struct zone_owner *)(void *)collect->owners.bytes + owner;
}

static inline const uint8_t *zone_collect_name(
    const struct zone_collect *collect, uint32_t owner)
{
	return collect->names.bytes +
	       zone_collect_owner_at(collect, owner)->name;
}

static inline struct zone_held *zone_collect_held(
    const struct zone_collect *collect, uint32_t offset)
{
	return (struct zone_held *)(void *)(collect->records.bytes + offset);
}

static inline const uint8_t *zone_held_rdata(const struct zone_held *held)
{
	return (const uint8_t *)(held + 1);
}

/* The owner's records in the order they came in: NULL gives the first, the
 * last gives NULL. */
const struct zone_held *zone_collect_next(const struct zone_collect *collect,
    uint32_t owner, const struct zone_held *previous);
struct dns_place zone_collect_place(
    const struct zone_collect *collect, const struct zone_held *held);
