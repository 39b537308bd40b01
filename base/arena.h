/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Memory that is freed all at once, for immutable trees such as a config.
 *
 * Thread:  one writer; readers once it is complete.
 * Memory:  everything lives until arena_free().
 * Errors:  out of memory ends the process with a message: arenas are only
 *          used by the clerk and at boot, for bounded input.
 */
#include <stddef.h>
#include <stdint.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);
/* Zeroed, aligned to 16 bytes. Never NULL. */
void *arena_alloc(struct arena *arena, size_t bytes);
/* A terminated copy of `length` bytes. */
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Grows an array that was allocated last or copies it: returns an array of
 * new_bytes whose first old_bytes are those of `old`. */
void *arena_grow(
    struct arena *arena, void *old, size_t old_bytes, size_t new_bytes);
size_t arena_bytes(const struct arena *arena);
