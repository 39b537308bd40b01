/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The only way to touch wire bytes: a read cursor and a write cursor with
 * bounds. A call that would pass the end fails, changes nothing, and sets
 * `failed`, so a parser may check once at its end.
 *
 *     base ....... at ........ end
 *          read        left
 *
 * Thread:  one at a time.
 * Memory:  borrows the caller's bytes.
 * Errors:  false, and `failed` stays set.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *at, *end;
	bool failed;
};

struct cursor_out {
	uint8_t *base, *at, *end;
	bool failed;
};

static inline struct cursor cursor_of(const void *bytes, size_t length)
{
	return (struct cursor){
	    .at = bytes, .end = (const uint8_t *)bytes + length};
}

static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

bool cursor_u8(struct cursor *c, uint8_t *ret);
bool cursor_be16(struct cursor *c, uint16_t *ret);
bool cursor_be32(struct cursor *c, uint32_t *ret);
bool cursor_be64(struct cursor *c, uint64_t *ret);
bool cursor_skip(struct cursor *c, size_t length);
/* A sub-cursor over the next `length` bytes, which are consumed. */
bool cursor_take(struct cursor *c, size_t length, struct cursor *ret);
/* Copies the next `length` bytes out. */
bool cursor_copy(struct cursor *c, void *ret, size_t length);
/* Whether the next bytes are `text`; consumes them only if so. Not an error
 * otherwise. */
bool cursor_match(struct cursor *c, const char *text);

static inline struct cursor_out cursor_out_of(void *bytes, size_t room)
{
	return (struct cursor_out){
	    .base = bytes, .at = bytes, .end = (uint8_t *)bytes + room};
}

static inline size_t cursor_out_length(const struct cursor_out *c)
{
	return (size_t)(c->at - c->base);
}

bool cursor_put(struct cursor_out *c, const void *bytes, size_t length);
bool cursor_put_u8(struct cursor_out *c, uint8_t v);
bool cursor_put_be16(struct cursor_out *c, uint16_t v);
bool cursor_put_be32(struct cursor_out *c, uint32_t v);
