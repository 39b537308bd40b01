/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/assert.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_ALIGN 16
#define ARENA_BLOCK_MIN ((size_t)4096)
#define ARENA_BLOCK_MAX ((size_t)1 << 20)

/* Blocks double from 4 KiB to 1 MiB; what is larger gets its own block. */
struct block {
	struct block *next;
	size_t used, room;
	_Alignas(ARENA_ALIGN) char bytes[];
};

struct arena {
	struct block *current;
	size_t bytes; /* taken from the heap */
	size_t next_room;
};

struct arena *arena_new(void)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		br_out_of_memory("an arena", sizeof(*arena));
	arena->bytes = sizeof(*arena);
	arena->next_room = ARENA_BLOCK_MIN;
	return arena;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	for (struct block *b = arena->current, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(arena);
}

static size_t align_up(size_t bytes)
{
	br_assert(bytes < SIZE_MAX / 2);
	return (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
}

static struct block *block_new(struct arena *arena, size_t room)
{
	size_t bytes = sizeof(struct block) + room;
	struct block *b = calloc(1, bytes);

	if (!b)
		br_out_of_memory("an arena", bytes);
	b->room = room;
	arena->bytes += bytes;
	return b;
}

/* A block with room for `bytes`, which becomes the current one, except when
 * it holds this one object only: then the current one has its say on. */
static struct block *block_for(struct arena *arena, size_t bytes)
{
	struct block *b = arena->current;

	if (b && bytes <= b->room - b->used)
		return b;
	if (b && bytes > arena->next_room / 2) {
		struct block *own = block_new(arena, bytes);

		own->next = b->next;
		b->next = own;
		return own;
	}
	b = block_new(
	    arena, bytes > arena->next_room ? bytes : arena->next_room);
	if (arena->next_room < ARENA_BLOCK_MAX)
		arena->next_room *= 2;
	b->next = arena->current;
	arena->current = b;
	return b;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	size_t size = align_up(bytes ? bytes : 1);
	struct block *b = block_for(arena, size);
	void *object = b->bytes + b->used;

	b->used += size;
	return object;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_alloc(arena, length + 1);

	if (length)
		memcpy(copy, text, length);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	br_assert(length >= 0);
	text = arena_alloc(arena, (size_t)length + 1);
	va_start(args, format);
	(void)vsnprintf(text, (size_t)length + 1, format, args);
	va_end(args);
	return text;
}

void *arena_grow(
    struct arena *arena, void *old, size_t old_bytes, size_t new_bytes)
{
	struct block *b = arena->current;
	size_t old_size = align_up(old_bytes ? old_bytes : 1);
	size_t new_size = align_up(new_bytes ? new_bytes : 1);
	void *grown;

	br_assert(new_bytes >= old_bytes);
	if (old && b && b->used >= old_size &&
	    (char *)old == b->bytes + b->used - old_size &&
	    new_size - old_size <= b->room - b->used) {
		b->used += new_size - old_size;
		return old;
	}
	grown = arena_alloc(arena, new_bytes);
	if (old && old_bytes)
		memcpy(grown, old, old_bytes);
	return grown;
}

size_t arena_bytes(const struct arena *arena)
{
	return arena->bytes;
}
