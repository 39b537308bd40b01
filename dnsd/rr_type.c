/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/rr_type.h"

#include "base/decimal.h"
#include "base/assert.h"

#include <string.h>
#include <strings.h>

struct row {
	const char *text;
	const char *fields;
	uint16_t number;
	uint8_t length; /* of the text */
};

enum {
#define X(name, number, fields) ROW_##name,
	RR_TYPE_LIST(X)
#undef X
};

static const struct row types[] = {
#define X(name, value, kinds)                                                  \
	{.text = #name,                                                        \
	    .fields = kinds,                                                   \
	    .number = value,                                                   \
	    .length = sizeof #name - 1},
    RR_TYPE_LIST(X)
#undef X
};

static const struct row classes[] = {
    {.text = "IN", .number = RR_CLASS_IN, .length = 2},
    {.text = "CH", .number = RR_CLASS_CH, .length = 2},
    {.text = "HS", .number = RR_CLASS_HS, .length = 2},
    {.text = "NONE", .number = RR_CLASS_NONE, .length = 4},
    {.text = "ANY", .number = RR_CLASS_ANY, .length = 3},
};

/* A table of jumps: the reader of a zone file asks for every record. */
static const struct row *type_row(uint16_t type)
{
	switch (type) {
#define X(name, number, fields)                                                \
	case number:                                                           \
		return &types[ROW_##name];
		RR_TYPE_LIST(X)
#undef X
	default:
		return NULL;
	}
}

const char *rr_type_fields(uint16_t type)
{
	const struct row *row = type_row(type);

	return row ? row->fields : NULL;
}

bool rr_type_is_data(uint16_t type)
{
	return type && type != RR_OPT && type != RR_MD && type != RR_MF &&
	       !(type >= 128 && type <= 255);
}

/* "TYPE17" behind its prefix; no sign, no leading blank. */
static bool number_from_text(const char *text, size_t length, uint16_t *ret)
{
	uint32_t value = 0;

	if (!length || length > 5)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint32_t)(text[i] - '0');
	}
	if (value > UINT16_MAX)
		return false;
	*ret = (uint16_t)value;
	return true;
}

static bool from_text(const struct row *rows, size_t n_rows, const char *prefix,
    const char *text, size_t length, uint16_t *ret)
{
	size_t n = strlen(prefix);

	for (size_t i = 0; i < n_rows; i++) {
		if (rows[i].length != length ||
		    strncasecmp(rows[i].text, text, length))
			continue;
		*ret = rows[i].number;
		return true;
	}
	return length > n && !strncasecmp(text, prefix, n) &&
	       number_from_text(text + n, length - n, ret);
}

static size_t to_text(const struct row *row, const char *prefix,
    uint16_t number, char ret[RR_TEXT_MAX])
{
	size_t n;

	if (row) {
		memcpy(ret, row->text, row->length + 1u);
		return row->length;
	}
	n = strlen(prefix);
	memcpy(ret, prefix, n);
	n += decimal_format(number, ret + n);
	ret[n] = '\0';
	return n;
}

bool rr_type_from_text(const char *text, size_t length, uint16_t *ret)
{
	return from_text(types, BR_COUNT(types), "TYPE", text, length, ret);
}

size_t rr_type_to_text(uint16_t type, char ret[RR_TEXT_MAX])
{
	return to_text(type_row(type), "TYPE", type, ret);
}

bool rr_class_from_text(const char *text, size_t length, uint16_t *ret)
{
	return from_text(
	    classes, BR_COUNT(classes), "CLASS", text, length, ret);
}

size_t rr_class_to_text(uint16_t rr_class, char ret[RR_TEXT_MAX])
{
	const struct row *row = NULL;

	for (size_t i = 0; i < BR_COUNT(classes) && !row; i++)
		if (classes[i].number == rr_class)
			row = &classes[i];
	return to_text(row, "CLASS", rr_class, ret);
}
