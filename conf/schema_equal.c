/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/schema_equal.h"

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

static bool equal_binds(const void *a, const void *b)
{
	const struct conf_listener *x = a, *y = b;

	if (x->n_binds != y->n_binds)
		return false;
	for (uint32_t i = 0; i < x->n_binds; i++)
		if (!addr_equal(&x->binds[i].addr, &y->binds[i].addr))
			return false;
	return true;
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

bool schema_value_equal(
    const struct schema_row *row, const void *a, const void *b)
{
	switch (row->type) {
	case SCHEMA_STRING:
	case SCHEMA_PATH:
	case SCHEMA_URL_PATH:
	case SCHEMA_HOST:
		return equal_strings(row, a, b);
	case SCHEMA_BOOL:
		return equal_bytes(row, a, b, sizeof(bool));
	case SCHEMA_INTEGER:
	case SCHEMA_RATE:
	case SCHEMA_PERCENT:
		return equal_bytes(row, a, b, sizeof(uint32_t));
	case SCHEMA_ENUM:
		return equal_bytes(row, a, b, sizeof(unsigned));
	case SCHEMA_PORT:
		return equal_bytes(row, a, b, sizeof(uint16_t));
	case SCHEMA_SIZE:
	case SCHEMA_DURATION:
		return equal_bytes(row, a, b, sizeof(uint64_t));
	case SCHEMA_ADDRESS:
	case SCHEMA_IP:
		return equal_addresses(row, a, b);
	case SCHEMA_ADDRESSES:
		return equal_binds(a, b);
	case SCHEMA_STATUS:
		return equal_status(row, a, b);
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
