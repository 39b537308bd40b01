/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Every byte of a name escaped. */
#define KEY_MAX (2u * DNAME_MAX)

void zone_order_init(struct zone_order *order, const uint8_t *apex)
{
	memset(order, 0, sizeof *order);
	order->skip = dname_labels(apex);
}

void zone_order_fini(struct zone_order *order)
{
	free(order->keys.bytes);
	free(order->list.bytes);
}

static size_t write_label(uint8_t *ret, const uint8_t *label)
{
	size_t n = 0;

	for (unsigned i = 1; i <= *label; i++) {
		uint8_t c = label[i];

		if (c >= 'A' && c <= 'Z')
			c = (uint8_t)(c + 32);
		if (c <= 1) {
			ret[n++] = 1;
			c++;
		}
		ret[n++] = c;
	}
	ret[n++] = 0;
	return n;
}

static size_t write_key(
    uint8_t ret[KEY_MAX], const uint8_t *name, uint32_t skip)
{
	const uint8_t *labels[DNAME_LABELS_MAX];
	uint32_t n_labels = 0;
	size_t n = 0;

	for (; *name; name += 1 + *name)
		labels[n_labels++] = name;
	for (uint32_t i = n_labels - skip; i > 0; i--)
		n += write_label(ret + n, labels[i - 1]);
	return n;
}

static uint64_t head_of(const uint8_t *key, size_t length)
{
	uint64_t head = 0;

	for (size_t i = 0; i < 8; i++)
		head = head << 8 | (i < length ? key[i] : 0);
	return head;
}

int zone_order_add(struct zone_order *order, const uint8_t *name, uint32_t what)
{
	uint8_t key[KEY_MAX];
	uint16_t length = (uint16_t)write_key(key, name, order->skip);
	size_t at, item;

	if (order->keys.length > UINT32_MAX - KEY_MAX - 8)
		return -EFBIG;
	at = zone_bytes_add(&order->keys, sizeof length + length);
	memcpy(order->keys.bytes + at, &length, sizeof length);
	memcpy(order->keys.bytes + at + sizeof length, key, length);
	item = zone_bytes_add(&order->list, sizeof(struct zone_ordered));
	*(struct zone_ordered *)(void *)(order->list.bytes +
					 item) = (struct zone_ordered){
	    .head = head_of(key, length), .key = (uint32_t)at, .what = what};
	order->n++;
	return 0;
}

static int compare(const void *a, const void *b, void *keys)
{
	const struct zone_ordered *x = a, *y = b;
	const uint8_t *x_key, *y_key;
	uint16_t x_length, y_length;
	int order;

	if (x->head != y->head)
		return x->head < y->head ? -1 : 1;
	x_key = (const uint8_t *)keys + x->key;
	y_key = (const uint8_t *)keys + y->key;
	memcpy(&x_length, x_key, sizeof x_length);
	memcpy(&y_length, y_key, sizeof y_length);
	order = memcmp(x_key + sizeof x_length, y_key + sizeof y_length,
	    x_length < y_length ? x_length : y_length);
	return order ? order : x_length - y_length;
}

/* Files are often sorted already, and so are generated names. */
static bool is_sorted(const struct zone_order *order)
{
	for (uint32_t i = 1; i < order->n; i++)
		if (compare(zone_order_at(order, i - 1),
			zone_order_at(order, i), order->keys.bytes) > 0)
			return false;
	return true;
}

void zone_order_sort(struct zone_order *order)
{
	if (!is_sorted(order))
		qsort_r(order->list.bytes, order->n,
		    sizeof(struct zone_ordered), compare, order->keys.bytes);
}
