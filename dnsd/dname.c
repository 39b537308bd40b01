/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/dname.h"

#include "base/assert.h"
#include "dnsd/escape.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

static inline uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

size_t dname_size(const uint8_t *name)
{
	size_t size = 0;

	while (name[size])
		size += 1u + name[size];
	br_assert(size < DNAME_MAX);
	return size + 1;
}

uint32_t dname_labels(const uint8_t *name)
{
	uint32_t n = 0;

	for (; *name; name += 1 + *name)
		n++;
	return n;
}

size_t dname_measure(const uint8_t *bytes, size_t room)
{
	size_t size = 0;

	if (room > DNAME_MAX)
		room = DNAME_MAX;
	while (size < room) {
		if (bytes[size] > DNAME_LABEL_MAX)
			return 0;
		if (!bytes[size])
			return size + 1;
		size += 1u + bytes[size];
	}
	return 0;
}

/* -- text -------------------------------------------------------------- */

static const char *labels_from_text(const char *text, const char *end,
    uint8_t *ret, size_t *ret_size, bool *ret_absolute)
{
	size_t label = 0, size = 1; /* of the label's length byte; in all */

	while (text < end) {
		bool escaped;
		uint8_t byte;
		const char *wrong = escape_read(&text, end, &byte, &escaped);

		if (wrong)
			return wrong;
		if (escaped || byte != '.') {
			if (size - label > DNAME_LABEL_MAX)
				return "has a label of more than 63 bytes";
			if (size >= DNAME_MAX)
				return "is longer than 255 bytes";
			ret[size++] = byte;
			continue;
		}
		if (size - label == 1)
			return "has an empty label";
		ret[label] = (uint8_t)(size - label - 1);
		label = size;
		if (size >= DNAME_MAX)
			return "is longer than 255 bytes";
		size++;
	}
	*ret_absolute = size - label == 1;
	ret[label] = (uint8_t)(size - label - 1);
	*ret_size = size;
	return NULL;
}

int dname_from_text(const char *text, size_t length, const uint8_t *origin,
    uint8_t ret[DNAME_MAX], const char **ret_wrong)
{
	static const uint8_t root[1];
	uint8_t name[DNAME_MAX];
	size_t size, origin_size;
	bool absolute;

	if (!origin)
		origin = root;
	if (length == 1 && (*text == '.' || *text == '@')) {
		(void)dname_copy(ret, *text == '.' ? root : origin);
		return 0;
	}
	*ret_wrong = "is empty";
	if (!length)
		return -EINVAL;
	*ret_wrong =
	    labels_from_text(text, text + length, name, &size, &absolute);
	if (*ret_wrong)
		return -EINVAL;
	if (absolute) {
		(void)dname_copy(ret, name);
		return 0;
	}
	origin_size = dname_size(origin);
	*ret_wrong = "is longer than 255 bytes with its origin";
	if (size + origin_size > DNAME_MAX)
		return -EINVAL;
	memcpy(ret, name, size);
	memcpy(ret + size, origin, origin_size);
	*ret_wrong = NULL;
	return 0;
}

size_t dname_to_text(const uint8_t *name, char ret[DNAME_TEXT_MAX])
{
	size_t n = 0;

	for (; *name; name += 1 + *name) {
		for (unsigned i = 1; i <= *name; i++)
			n +=
			    escape_write(name[i], ".\\\"();@$", false, ret + n);
		ret[n++] = '.';
	}
	if (!n)
		ret[n++] = '.';
	ret[n] = '\0';
	return n;
}

/* -- relations --------------------------------------------------------- */

/* Length bytes are below 64 and therefore no letters: all bytes alike. */
size_t dname_lower(uint8_t ret[DNAME_MAX], const uint8_t *name)
{
	size_t size = dname_size(name);

	for (size_t i = 0; i < size; i++)
		ret[i] = lower(name[i]);
	return size;
}

size_t dname_copy(uint8_t ret[DNAME_MAX], const uint8_t *name)
{
	size_t size = dname_size(name);

	memcpy(ret, name, size);
	return size;
}

const uint8_t *dname_parent(const uint8_t *name)
{
	br_assert(*name);
	return name + 1 + *name;
}

const uint8_t *dname_ancestor(const uint8_t *name, uint32_t labels)
{
	uint32_t own = dname_labels(name);

	br_assert(labels <= own);
	for (; own > labels; own--)
		name += 1 + *name;
	return name;
}

bool dname_equal(const uint8_t *a, const uint8_t *b)
{
	size_t i = 0, size = dname_size(a);

	while (i < size && lower(a[i]) == lower(b[i]))
		i++;
	return i == size;
}

bool dname_is_within(const uint8_t *name, const uint8_t *ancestor)
{
	uint32_t labels = dname_labels(ancestor);

	return dname_labels(name) >= labels &&
	       dname_equal(dname_ancestor(name, labels), ancestor);
}

uint32_t dname_common_labels(const uint8_t *a, const uint8_t *b)
{
	uint32_t n = dname_labels(a), n_b = dname_labels(b);

	if (n > n_b)
		n = n_b;
	while (!dname_equal(dname_ancestor(a, n), dname_ancestor(b, n)))
		n--;
	return n;
}

static int compare_labels(const uint8_t *a, const uint8_t *b)
{
	unsigned shorter = *a < *b ? *a : *b;

	for (unsigned i = 1; i <= shorter; i++)
		if (lower(a[i]) != lower(b[i]))
			return lower(a[i]) - lower(b[i]);
	return *a - *b;
}

int dname_compare(const uint8_t *a, const uint8_t *b)
{
	const uint8_t *a_at[DNAME_LABELS_MAX], *b_at[DNAME_LABELS_MAX];
	uint32_t a_n = 0, b_n = 0;

	for (; *a; a += 1 + *a)
		a_at[a_n++] = a;
	for (; *b; b += 1 + *b)
		b_at[b_n++] = b;
	while (a_n && b_n) {
		int order = compare_labels(a_at[--a_n], b_at[--b_n]);

		if (order)
			return order;
	}
	return (int)a_n - (int)b_n;
}

bool dname_is_wildcard(const uint8_t *name)
{
	return name[0] == 1 && name[1] == '*';
}

size_t dname_join(
    uint8_t ret[DNAME_MAX], const uint8_t *prefix, const uint8_t *suffix)
{
	size_t before = dname_size(prefix) - 1, after = dname_size(suffix);

	if (before + after > DNAME_MAX)
		return 0;
	memcpy(ret, prefix, before);
	memcpy(ret + before, suffix, after);
	return before + after;
}

/* -- keys -------------------------------------------------------------- */

#define HASH_FACTOR UINT64_C(0x9e3779b97f4a7c15)

static inline uint64_t load_8(const uint8_t *bytes)
{
	uint64_t v;

	memcpy(&v, bytes, sizeof v);
	return le64toh(v);
}

/* Of eight bytes those that are A to Z in lower case: without their first bit
 * they get it from an addition if they are large enough, and 'a' is 'A' with
 * one bit more. */
static inline uint64_t lower_8(uint64_t v)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	uint64_t low = v & 0x7f * each;
	uint64_t from_a = low + (0x80 - 'A') * each;
	uint64_t behind_z = low + (0x80 - 'Z' - 1) * each;

	return v | (from_a & ~behind_z & ~v & 0x80 * each) >> 2;
}

/* With the zeros behind it that struct dname_key has. */
static void lower_padded(uint8_t *ret, const uint8_t *name, size_t size)
{
	memcpy(ret, name, size);
	memset(ret + size, 0, 8);
	for (size_t i = 0; i < size; i += 8) {
		uint64_t v = htole64(lower_8(load_8(ret + i)));

		memcpy(ret + i, &v, sizeof v);
	}
}

/* The first n of the bytes, n < 8; all eight can be read. */
static inline uint64_t load_less(const uint8_t *bytes, unsigned n)
{
	return load_8(bytes) & ((UINT64_C(1) << (8 * n)) - 1);
}

/* A label and what lies above it. Eight bytes at a time, multiply and fold. */
static inline uint32_t hash_label(
    const uint8_t *label, unsigned length, uint32_t above)
{
	uint64_t h = (above + UINT64_C(1)) * HASH_FACTOR ^ length;

	for (; length >= 8; length -= 8, label += 8) {
		h = (h ^ load_8(label)) * HASH_FACTOR;
		h ^= h >> 32;
	}
	h = (h ^ load_less(label, length)) * HASH_FACTOR;
	h ^= h >> 29;
	h *= UINT64_C(0xbf58476d1ce4e5b9);
	return (uint32_t)(h >> 32);
}

void dname_key_of(
    struct dname_key *ret, const uint8_t *name, size_t size, uint32_t seed)
{
	uint8_t at[DNAME_LABELS_MAX + 1];
	uint32_t n = 0;

	br_assert(size && size <= DNAME_MAX);
	lower_padded(ret->name, name, size);
	for (size_t i = 0; name[i]; i += 1u + name[i])
		at[n++] = (uint8_t)i;
	ret->size = (uint8_t)size;
	ret->labels = (uint8_t)n;
	ret->at[0] = (uint8_t)(size - 1);
	ret->hash[0] = seed;
	for (uint32_t i = 1; i <= n; i++) {
		const uint8_t *label = ret->name + at[n - i];

		ret->at[i] = at[n - i];
		ret->hash[i] = hash_label(label + 1, *label, ret->hash[i - 1]);
	}
}

uint32_t dname_hash(const uint8_t *name, uint32_t seed)
{
	struct dname_key key;

	dname_key_of(&key, name, dname_size(name), seed);
	return key.hash[key.labels];
}
