/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/schema_equal.h"

#include "base/arena.h"
#include "base/assert.h"

#include <string.h>

static bool equal_bytes(
    const struct schema_row *row, const void *a, const void *b, size_t size)
{
	return memcmp((const char *)a + row->offset,
		   (const char *)b + row->offset, size) == 0;
}

static bool equal_strings(
    const struct schema_row *row, const void *a, const void *b)
{
	const char *x, *y;

	memcpy(&x, (const char *)a + row->offset, sizeof(x));
	memcpy(&y, (const char *)b + row->offset, sizeof(y));
	return x == y || (x && y && strcmp(x, y) == 0);
}

static bool equal_addresses(
    const struct schema_row *row, const void *a, const void *b)
{
	const struct addr *x = (const void *)((const char *)a + row->offset);
	const struct addr *y = (const void *)((const char *)b + row->offset);

	return addr_equal(x, y);
}

/* The counts of a list that is an array and a count, if they are equal. */
static bool equal_counts(
    const struct schema_row *row, const void *a, const void *b, uint32_t *ret)
{
	const uint32_t *x = (const void *)((const char *)a + row->count_offset);
	const uint32_t *y = (const void *)((const char *)b + row->count_offset);

	*ret = *x;
	return *x == *y;
}

static bool equal_binds(
    const struct schema_row *row, const void *a, const void *b)
{
	struct conf_bind *const *x =
	    (const void *)((const char *)a + row->offset);
	struct conf_bind *const *y =
	    (const void *)((const char *)b + row->offset);
	uint32_t n;

	if (!equal_counts(row, a, b, &n))
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!addr_equal(&(*x)[i].addr, &(*y)[i].addr))
			return false;
	return true;
}

static bool equal_ips(
    const struct schema_row *row, const void *a, const void *b)
{
	struct addr *const *x = (const void *)((const char *)a + row->offset);
	struct addr *const *y = (const void *)((const char *)b + row->offset);
	uint32_t n;

	if (!equal_counts(row, a, b, &n))
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!addr_equal(&(*x)[i], &(*y)[i]))
			return false;
	return true;
}

static bool equal_refs(
    const struct schema_row *row, const void *a, const void *b)
{
	const struct conf_refs *x =
	    (const void *)((const char *)a + row->offset);
	const struct conf_refs *y =
	    (const void *)((const char *)b + row->offset);

	if (x->n != y->n)
		return false;
	for (uint32_t i = 0; i < x->n; i++)
		if (strcmp(x->at[i].name, y->at[i].name) != 0)
			return false;
	return true;
}

static bool equal_pairs(
    const struct schema_row *row, const void *a, const void *b)
{
	const struct conf_pairs *x =
	    (const void *)((const char *)a + row->offset);
	const struct conf_pairs *y =
	    (const void *)((const char *)b + row->offset);

	if (x->n != y->n)
		return false;
	for (uint32_t i = 0; i < x->n; i++)
		if (strcmp(x->at[i].name, y->at[i].name) != 0 ||
		    x->at[i].value != y->at[i].value)
			return false;
	return true;
}

static bool equal_lines(
    const struct schema_row *row, const void *a, const void *b)
{
	const struct conf_lines *x =
	    (const void *)((const char *)a + row->offset);
	const struct conf_lines *y =
	    (const void *)((const char *)b + row->offset);

	if (x->n != y->n)
		return false;
	for (uint32_t i = 0; i < x->n; i++)
		if (strcmp(x->at[i], y->at[i]) != 0)
			return false;
	return true;
}

static bool equal_resolvers(
    const struct schema_row *row, const void *a, const void *b)
{
	const struct conf_resolvers *x =
	    (const void *)((const char *)a + row->offset);
	const struct conf_resolvers *y =
	    (const void *)((const char *)b + row->offset);

	if (x->n != y->n)
		return false;
	for (uint32_t i = 0; i < x->n; i++)
		if (!addr_equal(&x->at[i], &y->at[i]))
			return false;
	return true;
}

/* What a name stands for now is part of it (fleet/name_expand.h): the weight
 * and whether it is a backup follow from the answer. */
static bool equal_origins(const void *a, const void *b)
{
	const struct conf_server *x = a, *y = b;
	bool same_host = x->host == y->host ||
			 (x->host && y->host && !strcmp(x->host, y->host));

	return same_host && x->srv == y->srv && x->host_port == y->host_port &&
	       addr_equal(&x->addr, &y->addr);
}

static bool equal_status(
    const struct schema_row *row, const void *a, const void *b)
{
	const struct conf_health *x =
	    (const void *)((const char *)a + row->offset);
	const struct conf_health *y =
	    (const void *)((const char *)b + row->offset);

	if (x->n_status != y->n_status)
		return false;
	for (uint32_t i = 0; i < x->n_status; i++)
		if (x->status[i].low != y->status[i].low ||
		    x->status[i].high != y->status[i].high)
			return false;
	return true;
}

static bool equal_texts(
    const struct schema_row *row, const void *a, const void *b)
{
	const struct conf_texts *x =
	    (const void *)((const char *)a + row->offset);
	const struct conf_texts *y =
	    (const void *)((const char *)b + row->offset);

	if (x->n != y->n)
		return false;
	for (uint32_t i = 0; i < x->n; i++)
		if (strcmp(x->at[i], y->at[i]) != 0)
			return false;
	return true;
}

static bool equal_escaped(
    const struct schema_row *row, const void *a, const void *b)
{
	const struct conf_bytes *x =
	    (const void *)((const char *)a + row->offset);
	const struct conf_bytes *y =
	    (const void *)((const char *)b + row->offset);

	return x->n == y->n && (!x->n || memcmp(x->at, y->at, x->n) == 0);
}

static bool equal_prefixes(
    const struct schema_row *row, const void *a, const void *b)
{
	const struct conf_prefixes *x =
	    (const void *)((const char *)a + row->offset);
	const struct conf_prefixes *y =
	    (const void *)((const char *)b + row->offset);

	if (x->n != y->n)
		return false;
	for (uint32_t i = 0; i < x->n; i++)
		if (!prefix_covers(&x->at[i], &y->at[i]) ||
		    !prefix_covers(&y->at[i], &x->at[i]))
			return false;
	return true;
}

/* Bytes of a value that is one plain object; 0 for other types. */
static size_t equal_size(enum schema_type type)
{
	switch (type) {
	case SCHEMA_BOOL:
	case SCHEMA_SWITCH:
		return sizeof(bool);
	case SCHEMA_INTEGER:
	case SCHEMA_RATE:
	case SCHEMA_PERCENT:
	case SCHEMA_DECIMAL:
		return sizeof(uint32_t);
	case SCHEMA_ENUM:
		return sizeof(unsigned);
	case SCHEMA_PORT:
		return sizeof(uint16_t);
	case SCHEMA_SIZE:
	case SCHEMA_DURATION:
	case SCHEMA_BANDWIDTH:
		return sizeof(uint64_t);
	default:
		return 0;
	}
}

static bool equal_is_string(enum schema_type type)
{
	return type == SCHEMA_STRING || type == SCHEMA_PATH ||
	       type == SCHEMA_URL_PATH || type == SCHEMA_HOST ||
	       type == SCHEMA_DOMAIN || type == SCHEMA_FILE;
}

void schema_value_copy(const struct schema_row *row, void *to, const void *from,
    struct arena *arena)
{
	size_t size = equal_size(row->type);
	const char *text;

	if (row->type == SCHEMA_ADDRESS || row->type == SCHEMA_IP)
		size = sizeof(struct addr);
	if (equal_is_string(row->type)) {
		memcpy(&text, (const char *)from + row->offset, sizeof(text));
		text = text ? arena_strdup(arena, text) : NULL;
		memcpy((char *)to + row->offset, &text, sizeof(text));
		return;
	}
	br_assert(size > 0);
	memcpy(
	    (char *)to + row->offset, (const char *)from + row->offset, size);
}

bool schema_value_equal(
    const struct schema_row *row, const void *a, const void *b)
{
	size_t size = equal_size(row->type);

	if (size)
		return equal_bytes(row, a, b, size);
	if (equal_is_string(row->type))
		return equal_strings(row, a, b);
	switch (row->type) {
	case SCHEMA_ADDRESS:
	case SCHEMA_IP:
		return equal_addresses(row, a, b);
	case SCHEMA_ADDRESSES:
		return equal_binds(row, a, b);
	case SCHEMA_ORIGIN:
		return equal_origins(a, b);
	case SCHEMA_RESOLVERS:
		return equal_resolvers(row, a, b);
	case SCHEMA_STATUS:
		return equal_status(row, a, b);
	case SCHEMA_TEXTS:
	case SCHEMA_NAMES:
		return equal_texts(row, a, b);
	case SCHEMA_PROTOCOLS:
		return equal_bytes(row, a, b, sizeof(protocol_set));
	case SCHEMA_BYTES:
	case SCHEMA_HEX:
		return equal_escaped(row, a, b);
	case SCHEMA_PREFIXES:
		return equal_prefixes(row, a, b);
	case SCHEMA_IPS:
		return equal_ips(row, a, b);
	case SCHEMA_REFS:
		return equal_refs(row, a, b);
	case SCHEMA_PAIRS:
		return equal_pairs(row, a, b);
	case SCHEMA_LINES:
		return equal_lines(row, a, b);
	default:
		return true;
	}
}

bool schema_entry_equal(
    const struct schema_row *row, const void *a, const void *b)
{
	const struct schema_row *at = NULL;

	while ((at = schema_next_below(row, at))) {
		/* What lies below a map belongs to other elements. */
		if (at->type == SCHEMA_MAP)
			at += schema_span(at);
		else if (at->when == SCHEMA_NOW &&
			 !schema_value_equal(at, a, b))
			return false;
	}
	return true;
}
