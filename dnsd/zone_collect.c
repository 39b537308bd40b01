/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_collect.h"

#include "base/assert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 64u
#define BYTES_MIN 4096u

static void *grown(void *memory, size_t bytes)
{
	void *more = realloc(memory, bytes);

	if (!more)
		br_out_of_memory("the records of a zone", bytes);
	return more;
}

static void make_room(struct zone_bytes *memory, size_t length)
{
	size_t room = memory->room ? memory->room : BYTES_MIN;

	while (room < length)
		room *= 2;
	if (room == memory->room)
		return;
	memory->bytes = grown(memory->bytes, room);
	memory->room = room;
}

size_t zone_bytes_add(struct zone_bytes *memory, size_t bytes)
{
	size_t at = (memory->length + 3) & ~(size_t)3;

	make_room(memory, at + bytes);
	memset(memory->bytes + memory->length, 0, at + bytes - memory->length);
	memory->length = at + bytes;
	return at;
}

void zone_bytes_append(
    struct zone_bytes *memory, const void *bytes, size_t length)
{
	make_room(memory, memory->length + length);
	if (length)
		memcpy(memory->bytes + memory->length, bytes, length);
	memory->length += length;
}

static void make_slots(struct zone_collect *collect, uint32_t n)
{
	collect->slots = calloc(n, sizeof *collect->slots);
	if (!collect->slots)
		br_out_of_memory(
		    "the names of a zone", n * sizeof *collect->slots);
	collect->slot_mask = n - 1;
}

void zone_collect_init(struct zone_collect *collect, uint32_t seed)
{
	memset(collect, 0, sizeof *collect);
	collect->seed = seed;
	make_slots(collect, SLOTS_MIN);
	collect->files = grown(NULL, sizeof *collect->files);
	collect->files[0] = NULL;
	collect->n_files = 1;
}

void zone_collect_fini(struct zone_collect *collect)
{
	for (uint32_t i = 0; i < collect->n_files; i++)
		free(collect->files[i]);
	free(collect->files);
	free(collect->slots);
	free(collect->names.bytes);
	free(collect->records.bytes);
	free(collect->owners.bytes);
}

/* -- owners ------------------------------------------------------------ */

static void put_slot(struct zone_collect *collect, uint32_t owner)
{
	uint32_t i =
	    zone_collect_owner_at(collect, owner)->hash & collect->slot_mask;

	while (collect->slots[i])
		i = (i + 1) & collect->slot_mask;
	collect->slots[i] = owner + 1;
}

static void grow_slots(struct zone_collect *collect)
{
	free(collect->slots);
	make_slots(collect, 2 * (collect->slot_mask + 1));
	for (uint32_t i = 0; i < collect->n_owners; i++)
		put_slot(collect, i);
}

static bool find(const struct zone_collect *collect,
    const struct dname_key *key, uint32_t *ret_owner)
{
	uint32_t hash = key->hash[key->labels], i = hash & collect->slot_mask;

	for (; collect->slots[i]; i = (i + 1) & collect->slot_mask) {
		uint32_t owner = collect->slots[i] - 1;

		if (zone_collect_owner_at(collect, owner)->hash == hash &&
		    dname_equal(zone_collect_name(collect, owner), key->name)) {
			*ret_owner = owner;
			return true;
		}
	}
	return false;
}

static int add_owner(struct zone_collect *collect, const struct dname_key *key)
{
	struct zone_owner *owner;
	size_t at, name;

	/* A half of the slots: 2^31 owners, ever. */
	if (collect->names.length > UINT32_MAX - DNAME_MAX - 4 ||
	    collect->n_owners == INT32_MAX / 2)
		return -EFBIG;
	if (2 * collect->n_owners > collect->slot_mask)
		grow_slots(collect);
	name = zone_bytes_add(&collect->names, key->size);
	memcpy(collect->names.bytes + name, key->name, key->size);
	at = zone_bytes_add(&collect->owners, sizeof *owner);
	owner = (struct zone_owner *)(void *)(collect->owners.bytes + at);
	owner->name = (uint32_t)name;
	owner->hash = key->hash[key->labels];
	owner->last = ZONE_COLLECT_NONE;
	owner->resource = ZONE_COLLECT_NONE;
	put_slot(collect, collect->n_owners++);
	return 0;
}

int zone_collect_owner(
    struct zone_collect *collect, const uint8_t *name, uint32_t *ret_owner)
{
	struct dname_key key;
	int rc;

	dname_key_of(&key, name, dname_size(name), collect->seed);
	if (find(collect, &key, ret_owner))
		return 0;
	rc = add_owner(collect, &key);
	if (rc)
		return rc;
	*ret_owner = collect->n_owners - 1;
	return 0;
}

/* -- records ----------------------------------------------------------- */

static int add_file(
    struct zone_collect *collect, const char *file, uint32_t *ret)
{
	for (uint32_t i = 1; i < collect->n_files; i++)
		if (!strcmp(collect->files[i], file)) {
			*ret = i;
			return 0;
		}
	if (collect->n_files > ZONE_COLLECT_FILES_MAX)
		return -EFBIG;
	collect->files = grown(collect->files,
	    (collect->n_files + (size_t)1) * sizeof *collect->files);
	collect->files[collect->n_files] = strdup(file);
	if (!collect->files[collect->n_files])
		br_out_of_memory("the name of a file", strlen(file));
	*ret = collect->n_files++;
	return 0;
}

/* The reader gives the same pointer as long as it stays in a file, but the
 * memory may become another file's name: the text has to agree, too. */
static int file_index(
    struct zone_collect *collect, const char *file, uint32_t *ret)
{
	int rc;

	*ret = 0;
	if (!file)
		return 0;
	if (file != collect->last_file ||
	    strcmp(file, collect->files[collect->last_file_index]) != 0) {
		rc = add_file(collect, file, &collect->last_file_index);
		if (rc)
			return rc;
		collect->last_file = file;
	}
	*ret = collect->last_file_index;
	return 0;
}

static void link_record(
    struct zone_collect *collect, struct zone_owner *owner, uint32_t at)
{
	struct zone_held *last, *added = zone_collect_held(collect, at);

	added->next = at;
	if (owner->last != ZONE_COLLECT_NONE) {
		last = zone_collect_held(collect, owner->last);
		added->next = last->next;
		last->next = at;
	}
	owner->last = at;
}

int zone_collect_add(struct zone_collect *collect, uint32_t owner,
    const struct dns_record *record, uint32_t source)
{
	uint32_t file;
	size_t at;
	int rc = file_index(collect, record->place.file, &file);

	if (rc)
		return rc;
	if (collect->records.length > UINT32_MAX - UINT16_MAX - 64)
		return -EFBIG;
	at = zone_bytes_add(
	    &collect->records, sizeof(struct zone_held) + record->length);
	*zone_collect_held(collect, (uint32_t)at) = (struct zone_held){
	    .ttl = record->ttl,
	    .line = record->place.line,
	    .source = source,
	    .file = (uint16_t)file,
	    .type = record->type,
	    .length = record->length,
	};
	if (record->length)
		memcpy(collect->records.bytes + at + sizeof(struct zone_held),
		    record->rdata, record->length);
	link_record(
	    collect, zone_collect_owner_at(collect, owner), (uint32_t)at);
	return 0;
}

const struct zone_held *zone_collect_next(const struct zone_collect *collect,
    uint32_t owner, const struct zone_held *previous)
{
	uint32_t last = zone_collect_owner_at(collect, owner)->last;

	if (last == ZONE_COLLECT_NONE)
		return NULL;
	if (!previous)
		return zone_collect_held(
		    collect, zone_collect_held(collect, last)->next);
	if (previous == zone_collect_held(collect, last))
		return NULL;
	return zone_collect_held(collect, previous->next);
}

struct dns_place zone_collect_place(
    const struct zone_collect *collect, const struct zone_held *held)
{
	return (struct dns_place){
	    .file = collect->files[held->file], .line = held->line};
}
