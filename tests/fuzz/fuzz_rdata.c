/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two bytes of type, then any bytes as its data. Printing and reading is the
 * identity for what is right; what is wrong cannot be read back as that type.
 */
#include "dnsd/rdata.h"

#include "base/assert.h"
#include "dnsd/dname.h"

#include <stdlib.h>
#include <string.h>

static uint8_t again[RDATA_MAX];

static void check_text(
    uint16_t type, const uint8_t *rdata, uint16_t length, bool right)
{
	struct strbuf text;
	const char *wrong;
	uint16_t got;

	strbuf_init(&text);
	rdata_to_text(&text, type, rdata, length);
	for (const char *p = text.text; *p; p++)
		br_assert((unsigned char)*p >= ' ' && (unsigned char)*p < 0x7f);
	wrong = rdata_from_text(type, text.text, NULL, again, &got);
	br_assert(right == !wrong);
	if (right) {
		br_assert(got == length);
		br_assert(!memcmp(again, rdata, length));
	}
	strbuf_fini(&text);
}

static void check_names(uint16_t type, uint8_t *rdata, uint16_t length)
{
	struct rdata_name names[RDATA_NAMES_MAX];
	uint32_t n = rdata_names(type, rdata, length, names);

	br_assert(n <= RDATA_NAMES_MAX);
	for (uint32_t i = 0; i < n; i++) {
		br_assert(names[i].at < length);
		br_assert(
		    dname_measure(rdata + names[i].at, length - names[i].at));
		/* Who may be compressed is lower case in the canonical form. */
		br_assert(!names[i].packed || names[i].lower);
	}
	/* Canonical form is right as well, and the form of itself. */
	rdata_make_canonical(type, rdata, length);
	br_assert(!rdata_wrong(type, rdata, length));
	memcpy(again, rdata, length);
	rdata_make_canonical(type, again, length);
	br_assert(!memcmp(again, rdata, length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint16_t type, length;
	uint8_t *rdata;
	bool right;

	if (size < 2 || size - 2 > RDATA_MAX)
		return 0;
	type = (uint16_t)(data[0] << 8 | data[1]);
	length = (uint16_t)(size - 2);
	/* A block of its own, so that reading beyond it is seen. */
	rdata = malloc(length ? length : 1);
	br_assert(rdata);
	memcpy(rdata, data + 2, length);
	right = !rdata_wrong(type, rdata, length);
	check_text(type, rdata, length, right);
	if (right)
		check_names(type, rdata, length);
	free(rdata);
	return 0;
}
