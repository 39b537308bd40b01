/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Bytes as letters and digits (RFC 4648): base64, base32 with the extended
 * hex alphabet, hex. Text may come in parts that break anywhere.
 *
 * Reading is strict, so that each text has one meaning and each meaning but
 * for the case of letters one text: base64 is padded, base32hex is not, and
 * bits that belong to no byte are zero (section 3.5).
 *
 * Thread:  any; rfc4648_add() not on workers (it calls the heap).
 * Memory:  the caller's.
 * Errors:  what is wrong as a text for the end of a sentence, NULL: nothing.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/strbuf.h"

enum rfc4648 {
	RFC4648_HEX, /* printed in upper case */
	RFC4648_BASE32HEX, /* likewise; without padding */
	RFC4648_BASE64,
};

struct rfc4648_reader {
	enum rfc4648 kind;
	uint32_t bits; /* read but not yet a whole byte */
	uint32_t n_bits;
	uint32_t digits, pads; /* of the group of base64 */
};

static inline struct rfc4648_reader rfc4648_reader_of(enum rfc4648 kind)
{
	return (struct rfc4648_reader){.kind = kind};
}

/* A part of the text. Where `out` is full, it has failed, and that is no
 * error of the text. */
const char *rfc4648_read(struct rfc4648_reader *reader, const char *text,
    size_t length, struct cursor_out *out);
/* After the last part. */
const char *rfc4648_read_end(struct rfc4648_reader *reader);

/* Bytes of text that n bytes become. */
size_t rfc4648_text_length(enum rfc4648 kind, size_t n);
/* Not terminated. Returns the length. */
size_t rfc4648_write(
    enum rfc4648 kind, const uint8_t *bytes, size_t n, char *ret);
void rfc4648_add(
    struct strbuf *out, enum rfc4648 kind, const uint8_t *bytes, size_t n);
