/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of prefixes: each that is accepted is printed and read again as it
 * was, and the map of all of them agrees with looking at each.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/prefix_map.h"

#define LINES_MAX 64
#define LINE_BYTES_MAX 80

static struct prefix_entry entries[LINES_MAX];
static uint32_t n_entries;

static void read_line(const uint8_t *bytes, size_t length)
{
	char line[LINE_BYTES_MAX + 1], text[PREFIX_TEXT_MAX];
	struct prefix p, again;

	if (length > LINE_BYTES_MAX || n_entries == LINES_MAX)
		return;
	memcpy(line, bytes, length);
	line[length] = '\0';
	if (prefix_parse(&p, line))
		return;
	br_assert(prefix_format(&p, text) == strlen(text));
	br_assert(!prefix_parse(&again, text));
	br_assert(!memcmp(&p, &again, sizeof(p)));
	/* In an order of values that is not that of the lines. */
	entries[n_entries] = (struct prefix_entry){p, n_entries * 7 % 16};
	n_entries++;
}

static uint32_t expected(const struct prefix *at, enum prefix_rule rule)
{
	uint32_t value = PREFIX_NONE;
	int bits = -1;

	for (uint32_t i = 0; i < n_entries; i++) {
		const struct prefix_entry *e = &entries[i];

		if (!prefix_covers(&e->prefix, at))
			continue;
		if (rule == PREFIX_LONGEST && e->prefix.bits != bits) {
			if (e->prefix.bits < bits)
				continue;
			bits = e->prefix.bits;
			value = e->value;
		}
		value = e->value < value ? e->value : value;
	}
	return value;
}

static void check_at(
    struct prefix_map *const maps[2], const struct prefix *prefix)
{
	struct prefix at = *prefix;
	struct addr a = {0};

	if (at.family == AF_INET) {
		at.bits = 32;
		a.length = sizeof(a.in);
		a.in.sin_family = AF_INET;
		memcpy(&a.in.sin_addr, at.bytes, 4);
	} else {
		at.bits = 128;
		a.length = sizeof(a.in6);
		a.in6.sin6_family = AF_INET6;
		memcpy(&a.in6.sin6_addr, at.bytes, 16);
		if (IN6_IS_ADDR_V4MAPPED(&a.in6.sin6_addr))
			return;
	}
	br_assert(
	    prefix_map_find(maps[0], &a) == expected(&at, PREFIX_LONGEST));
	br_assert(prefix_map_find(maps[1], &a) == expected(&at, PREFIX_LOWEST));
}

/* The first and last address of each, and those beside them. */
static void check_around(
    struct prefix_map *const maps[2], const struct prefix *prefix)
{
	int bytes = prefix->family == AF_INET ? 4 : 16;
	struct prefix last = *prefix, next;

	for (int i = prefix->bits; i < bytes * 8; i++)
		last.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	check_at(maps, prefix);
	check_at(maps, &last);
	next = last;
	for (int i = bytes - 1; i >= 0 && !++next.bytes[i]; i--)
		;
	check_at(maps, &next);
	next = *prefix;
	for (int i = bytes - 1; i >= 0 && !next.bytes[i]--; i--)
		;
	check_at(maps, &next);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct prefix_map *maps[2];

	n_entries = 0;
	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t length = end ? (size_t)(end - data) - at : size - at;

		read_line(data + at, length);
		at += length + 1;
	}
	maps[0] = prefix_map_new(arena, entries, n_entries, PREFIX_LONGEST);
	maps[1] = prefix_map_new(arena, entries, n_entries, PREFIX_LOWEST);
	for (uint32_t i = 0; i < n_entries; i++)
		check_around(maps, &entries[i].prefix);
	arena_free(arena);
	return 0;
}
