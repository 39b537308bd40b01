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

/* The next `length` bytes, consumed, or NULL and `failed`. */
static inline const uint8_t *cursor_advance(struct cursor *c, size_t length)
{
	const uint8_t *at = c->at;

	if (c->failed || length > cursor_left(c)) {
		c->failed = true;
		return NULL;
	}
	c->at += length;
	return at;
}

/* A few instructions each, and on the path of every message: what is called
 * most stands here, to be compiled into its callers. */
static inline bool cursor_u8(struct cursor *c, uint8_t *ret)
{
	const uint8_t *p = cursor_advance(c, 1);

	if (!p)
		return false;
	*ret = *p;
	return true;
}

static inline bool cursor_be16(struct cursor *c, uint16_t *ret)
{
	const uint8_t *p = cursor_advance(c, 2);

	if (!p)
		return false;
	*ret = (uint16_t)(p[0] << 8 | p[1]);
	return true;
}

bool cursor_be32(struct cursor *c, uint32_t *ret);
bool cursor_be64(struct cursor *c, uint64_t *ret);

static inline bool cursor_skip(struct cursor *c, size_t length)
{
	return cursor_advance(c, length) != NULL;
}

/* A sub-cursor over the next `length` bytes, which are consumed. */
static inline bool cursor_take(
    struct cursor *c, size_t length, struct cursor *ret)
{
	const uint8_t *p = cursor_advance(c, length);

	if (!p)
		return false;
	*ret = cursor_of(p, length);
	return true;
}

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

/* Room for `length` bytes, taken, or NULL and `failed`. */
static inline uint8_t *cursor_reserve(struct cursor_out *c, size_t length)
{
	uint8_t *at = c->at;

	if (c->failed || length > (size_t)(c->end - c->at)) {
		c->failed = true;
		return NULL;
	}
	c->at += length;
	return at;
}

static inline bool cursor_put(
    struct cursor_out *c, const void *bytes, size_t length)
{
	uint8_t *p = cursor_reserve(c, length);

	if (!p)
		return false;
	if (length)
		memcpy(p, bytes, length);
	return true;
}

static inline bool cursor_put_u8(struct cursor_out *c, uint8_t v)
{
	return cursor_put(c, &v, 1);
}

static inline bool cursor_put_be16(struct cursor_out *c, uint16_t v)
{
	const uint8_t bytes[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	return cursor_put(c, bytes, sizeof(bytes));
}

bool cursor_put_be32(struct cursor_out *c, uint32_t v);
