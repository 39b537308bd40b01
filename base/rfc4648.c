/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rfc4648.h"

#include "base/assert.h"

#include <string.h>

#define NO_DIGIT 0xff
/* Bytes that become text at a time: a multiple of 5, 3 and 1, so that only the
 * end of the text is padded. */
#define PART_BYTES 300u

struct alphabet {
	const char *digits;
	uint32_t bits; /* of a digit */
	const char *no_digit;
};

static const struct alphabet alphabets[] = {
    [RFC4648_HEX] = {"0123456789ABCDEF", 4, "is not hexadecimal"},
    [RFC4648_BASE32HEX] =
	{
	    "0123456789ABCDEFGHIJKLMNOPQRSTUV",
	    5,
	    "is not base32 with the extended hex alphabet",
	},
    [RFC4648_BASE64] =
	{
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789+/",
	    6,
	    "is not base64",
	},
};

static uint8_t digit_of(enum rfc4648 kind, char c)
{
	if (c >= '0' && c <= '9')
		return (uint8_t)(c - '0' + (kind == RFC4648_BASE64 ? 52 : 0));
	if (kind == RFC4648_BASE64) {
		if (c >= 'A' && c <= 'Z')
			return (uint8_t)(c - 'A');
		if (c >= 'a' && c <= 'z')
			return (uint8_t)(c - 'a' + 26);
		return c == '+' ? 62 : c == '/' ? 63 : NO_DIGIT;
	}
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c < 'A' || c > (kind == RFC4648_HEX ? 'F' : 'V'))
		return NO_DIGIT;
	return (uint8_t)(c - 'A' + 10);
}

static void add_digit(
    struct rfc4648_reader *r, uint8_t digit, struct cursor_out *out)
{
	uint32_t bits = alphabets[r->kind].bits;

	r->bits = r->bits << bits | digit;
	r->n_bits += bits;
	r->digits++;
	if (r->n_bits < 8)
		return;
	r->n_bits -= 8;
	cursor_put_u8(out, (uint8_t)(r->bits >> r->n_bits));
	r->bits &= (1u << r->n_bits) - 1;
}

const char *rfc4648_read(struct rfc4648_reader *reader, const char *text,
    size_t length, struct cursor_out *out)
{
	for (size_t i = 0; i < length; i++) {
		uint8_t digit = digit_of(reader->kind, text[i]);

		if (reader->kind == RFC4648_BASE64 && text[i] == '=') {
			reader->pads++;
			continue;
		}
		if (digit == NO_DIGIT)
			return alphabets[reader->kind].no_digit;
		if (reader->pads)
			return "goes on after its padding";
		add_digit(reader, digit, out);
	}
	return NULL;
}

const char *rfc4648_read_end(struct rfc4648_reader *reader)
{
	static const uint32_t pads[] = {0, 4, 2, 1}; /* by digits over 4 */
	bool whole = reader->n_bits < alphabets[reader->kind].bits;

	if (reader->bits || !whole)
		return reader->kind == RFC4648_HEX
			   ? "has an odd number of hexadecimal digits"
			   : "ends in the middle of a byte";
	if (reader->kind == RFC4648_BASE64 &&
	    reader->pads != pads[reader->digits % 4])
		return "is not padded with = to groups of four";
	return NULL;
}

size_t rfc4648_text_length(enum rfc4648 kind, size_t n)
{
	if (kind == RFC4648_BASE64)
		return (n + 2) / 3 * 4;
	return (n * 8 + alphabets[kind].bits - 1) / alphabets[kind].bits;
}

size_t rfc4648_write(
    enum rfc4648 kind, const uint8_t *bytes, size_t n, char *ret)
{
	uint32_t bits = 0, n_bits = 0, each = alphabets[kind].bits;
	size_t length = 0, whole = rfc4648_text_length(kind, n);

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | bytes[i];
		for (n_bits += 8; n_bits >= each; n_bits -= each)
			ret[length++] =
			    alphabets[kind].digits[bits >> (n_bits - each) &
						   ((1u << each) - 1)];
	}
	if (n_bits)
		ret[length++] =
		    alphabets[kind]
			.digits[bits << (each - n_bits) & ((1u << each) - 1)];
	while (length < whole)
		ret[length++] = '=';
	return length;
}

void rfc4648_add(
    struct strbuf *out, enum rfc4648 kind, const uint8_t *bytes, size_t n)
{
	char text[2 * PART_BYTES];

	while (n) {
		size_t part = n < PART_BYTES ? n : PART_BYTES;

		strbuf_add(out, text, rfc4648_write(kind, bytes, part, text));
		bytes += part;
		n -= part;
	}
}
