/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/wire_records.h"

#include <arpa/nameser.h>

#include "dnsd/rdata.h"

struct records {
	const uint8_t *message, *end;
	struct cursor at;
};

/* In full, wherever it points; the cursor goes behind it. */
static bool take_name(
    const struct records *r, struct cursor *at, uint8_t ret[DNAME_MAX])
{
	int n = ns_name_unpack(r->message, r->end, at->at, ret, DNAME_MAX);

	return n > 0 && cursor_skip(at, (size_t)n);
}

/* Fields before the names, and how many names: RFC 3597 section 4 lets no
 * other types have compressed ones. */
static void packed_names(uint16_t type, size_t *ret_before, unsigned *ret_n)
{
	const char *fields = rr_type_fields(type);

	*ret_before = 0;
	*ret_n = 0;
	if (fields && *fields == RR_FIELD_U16 &&
	    fields[1] == RR_FIELD_NAME_PACKED) {
		*ret_before = 2;
		fields++;
	}
	while (fields && fields[*ret_n] == RR_FIELD_NAME_PACKED)
		++*ret_n;
}

static bool unpack(const struct records *r, uint16_t type, struct cursor data,
    struct cursor_out *out)
{
	size_t before;
	unsigned names;

	packed_names(type, &before, &names);
	if (names) {
		const uint8_t *fixed = data.at;

		if (!cursor_skip(&data, before) ||
		    !cursor_put(out, fixed, before))
			return false;
	}
	for (unsigned i = 0; i < names; i++) {
		uint8_t name[DNAME_MAX];

		if (!take_name(r, &data, name) ||
		    !cursor_put(out, name, dname_size(name)))
			return false;
	}
	return cursor_put(out, data.at, cursor_left(&data));
}

static bool take_record(struct records *r, uint8_t owner[DNAME_MAX],
    uint8_t rdata[RDATA_MAX], struct dns_record *ret)
{
	struct cursor_out out = cursor_out_of(rdata, RDATA_MAX);
	uint16_t class, length;
	struct cursor data;

	if (!take_name(r, &r->at, owner) || !cursor_be16(&r->at, &ret->type) ||
	    !cursor_be16(&r->at, &class) || !cursor_be32(&r->at, &ret->ttl) ||
	    !cursor_be16(&r->at, &length) ||
	    !cursor_take(&r->at, length, &data) ||
	    !unpack(r, ret->type, data, &out))
		return false;
	ret->owner = owner;
	ret->rdata = rdata;
	ret->length = (uint16_t)cursor_out_length(&out);
	return true;
}

static bool skip_head(struct records *r, uint16_t counts[4])
{
	uint8_t name[DNAME_MAX];

	if (!cursor_skip(&r->at, 4))
		return false;
	for (int i = 0; i < 4; i++)
		if (!cursor_be16(&r->at, &counts[i]))
			return false;
	return counts[0] == 1 && take_name(r, &r->at, name) &&
	       cursor_skip(&r->at, 4);
}

int wire_records_read(const uint8_t *message, size_t length,
    void (*on_record)(void *context, enum wire_section section,
	const struct dns_record *record),
    void *context)
{
	static _Thread_local uint8_t rdata[RDATA_MAX];
	struct records r = {
	    message, message + length, cursor_of(message, length)};
	uint8_t owner[DNAME_MAX];
	uint16_t counts[4];

	if (!skip_head(&r, counts))
		return BR_E_PROTOCOL;
	for (enum wire_section s = WIRE_ANSWER; s <= WIRE_ADDITIONAL; s++) {
		for (uint32_t i = 0; i < counts[s]; i++) {
			struct dns_record record = {0};

			if (!take_record(&r, owner, rdata, &record))
				return BR_E_PROTOCOL;
			if (record.type != RR_OPT)
				on_record(context, s, &record);
		}
	}
	return cursor_left(&r.at) ? BR_E_PROTOCOL : 0;
}
