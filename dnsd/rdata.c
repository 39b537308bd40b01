/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/rdata.h"

#include "base/assert.h"
#include "dnsd/dname.h"
#include "dnsd/naptr_regexp.h"
#include "dnsd/rdata_field.h"
#include "dnsd/svcb.h"

#include <ctype.h>
#include <string.h>

/* -- fields ------------------------------------------------------------ */

/* Kinds whose length is always the same; 0 for the others. */
static size_t fixed_length(enum rr_field kind)
{
	switch (kind) {
	case RR_FIELD_U8:
	case RR_FIELD_ALGORITHM:
		return 1;
	case RR_FIELD_U16:
	case RR_FIELD_TYPE:
	case RR_FIELD_CERT_TYPE:
		return 2;
	case RR_FIELD_U32:
	case RR_FIELD_PERIOD:
	case RR_FIELD_DATE:
	case RR_FIELD_IPV4:
		return 4;
	case RR_FIELD_EUI48:
		return 6;
	case RR_FIELD_EUI64:
		return 8;
	case RR_FIELD_IPV6:
	case RR_FIELD_LOC:
		return 16;
	default:
		return 0;
	}
}

/* RFC 8659 section 4.1: letters and digits, at least one. */
static const char *tag_wrong(const uint8_t *tag)
{
	if (!*tag)
		return "has an empty tag";
	for (unsigned i = 1; i <= *tag; i++)
		if (!isalnum(tag[i]))
			return "has a tag that is not letters and digits";
	return NULL;
}

static const char *measure_strings(const uint8_t *at, size_t left)
{
	if (!left)
		return "has no string";
	while (left) {
		if (left < 1u + *at)
			return "ends in the middle of a string";
		left -= 1u + *at;
		at += 1u + *at;
	}
	return NULL;
}

/* RFC 4034 section 4.1.2: windows in ascending order, each of 1 to 32 bytes
 * without zeros at its end. */
static const char *types_wrong(const uint8_t *at, size_t left)
{
	int window = -1;

	while (left) {
		if (left < 2 || left < 2u + at[1])
			return "ends in the middle of a bitmap of types";
		if (at[0] <= window)
			return "has windows of types out of order";
		if (!at[1] || at[1] > 32 || !at[1 + at[1]])
			return "has a bitmap of types of a wrong length";
		window = at[0];
		left -= 2u + at[1];
		at += 2u + at[1];
	}
	return NULL;
}

static const char *measure_counted(
    enum rr_field kind, const uint8_t *at, size_t left, size_t *ret)
{
	if (!left || left < 1u + *at)
		return "ends in the middle of a field";
	*ret = 1u + *at;
	if (kind == RR_FIELD_TAG)
		return tag_wrong(at);
	/* RFC 5155 section 3.2: no hash has no length. */
	if (kind == RR_FIELD_HASH && !*at)
		return "has an empty hash";
	return NULL;
}

/* Fields that are all the rest. */
static const char *measure_rest(
    enum rr_field kind, const uint8_t *at, size_t left, size_t *ret)
{
	*ret = left;
	switch (kind) {
	case RR_FIELD_STRINGS:
		return measure_strings(at, left);
	case RR_FIELD_TYPES:
		return types_wrong(at, left);
	case RR_FIELD_PARAMS:
		return svcb_params_wrong(at, left);
	case RR_FIELD_HEX:
	case RR_FIELD_BASE64:
		return left ? NULL : "ends before its last field";
	default:
		br_assert(kind == RR_FIELD_TEXT || kind == RR_FIELD_QUOTED);
		return NULL;
	}
}

const char *rdata_field_measure(
    enum rr_field kind, const uint8_t *at, size_t left, size_t *ret)
{
	size_t fixed = fixed_length(kind);

	if (fixed) {
		*ret = fixed;
		if (left < fixed)
			return "ends in the middle of a field";
		return kind == RR_FIELD_LOC ? rdata_loc_wrong(at) : NULL;
	}
	switch (kind) {
	case RR_FIELD_NAME_PACKED:
	case RR_FIELD_NAME_LOWER:
	case RR_FIELD_NAME:
		*ret = dname_measure(at, left);
		return *ret ? NULL : "has a name that is not well formed";
	case RR_FIELD_STRING:
	case RR_FIELD_TAG:
	case RR_FIELD_SALT:
	case RR_FIELD_HASH:
		return measure_counted(kind, at, left, ret);
	default:
		return measure_rest(kind, at, left, ret);
	}
}

/* -- rules that span fields -------------------------------------------- */

/* Digests whose length their number fixes. */
static const char *digest_wrong(size_t length, size_t expected)
{
	return expected && length != expected
		   ? "has a digest of a wrong length for its type"
		   : NULL;
}

/* RFC 3658 and the registry of digest types. */
static const char *ds_wrong(const uint8_t *rdata, uint16_t length)
{
	static const uint8_t expected[] = {
	    [1] = 20, [2] = 32, [3] = 32, [4] = 48};
	uint8_t type = rdata[3];

	return digest_wrong(
	    length - 4u, type < BR_COUNT(expected) ? expected[type] : 0);
}

/* RFC 4255 section 3.1.2, RFC 6594. */
static const char *sshfp_wrong(const uint8_t *rdata, uint16_t length)
{
	static const uint8_t expected[] = {[1] = 20, [2] = 32};
	uint8_t type = rdata[1];

	return digest_wrong(
	    length - 2u, type < BR_COUNT(expected) ? expected[type] : 0);
}

/* RFC 8976 section 2.2.4: at least 12 bytes; SHA-384 and SHA-512. */
static const char *zonemd_wrong(const uint8_t *rdata, uint16_t length)
{
	static const uint8_t expected[] = {[1] = 48, [2] = 64};
	uint8_t type = rdata[5];

	if (length - 6u < 12)
		return "has a digest of less than 12 bytes";
	return digest_wrong(
	    length - 6u, type < BR_COUNT(expected) ? expected[type] : 0);
}

/* RFC 3403 section 4.1: two numbers, then flags, services and regexp. */
static const char *naptr_wrong(const uint8_t *rdata)
{
	const uint8_t *services = rdata + 4 + 1 + rdata[4];
	const uint8_t *regexp = services + 1 + *services;

	return naptr_regexp_wrong(regexp + 1, *regexp);
}

/* RFC 1183 section 3.1. */
static const char *x25_wrong(const uint8_t *rdata)
{
	for (unsigned i = 1; i <= *rdata; i++)
		if (rdata[i] < '0' || rdata[i] > '9')
			return "has an address that is not of digits";
	return *rdata < 4 ? "has an address of less than 4 digits" : NULL;
}

static const char *type_wrong(
    uint16_t type, const uint8_t *rdata, uint16_t length)
{
	switch (type) {
	case RR_DS:
	case RR_CDS:
	case RR_DLV:
		return ds_wrong(rdata, length);
	case RR_SSHFP:
		return sshfp_wrong(rdata, length);
	case RR_ZONEMD:
		return zonemd_wrong(rdata, length);
	case RR_NAPTR:
		return naptr_wrong(rdata);
	case RR_URI: /* RFC 7553 section 4.4 */
		return length == 4 ? "has an empty target" : NULL;
	case RR_X25:
		return x25_wrong(rdata);
	case RR_NSEC: /* RFC 4034 section 4.1.2 */
		return length == dname_size(rdata) ? "names no type" : NULL;
	default:
		return NULL;
	}
}

const char *rdata_wrong(uint16_t type, const uint8_t *rdata, uint16_t length)
{
	const char *fields = rr_type_fields(type);
	size_t at = 0, n = 0;

	if (!fields)
		return NULL;
	for (; *fields; fields++, at += n) {
		const char *wrong = rdata_field_measure(
		    (enum rr_field) * fields, rdata + at, length - at, &n);

		if (wrong)
			return wrong;
	}
	if (at < length)
		return "goes on after its last field";
	return type_wrong(type, rdata, length);
}

/* -- names ------------------------------------------------------------- */

static bool is_name(enum rr_field kind)
{
	return kind == RR_FIELD_NAME_PACKED || kind == RR_FIELD_NAME_LOWER ||
	       kind == RR_FIELD_NAME;
}

uint32_t rdata_names(uint16_t type, const uint8_t *rdata, uint16_t length,
    struct rdata_name ret[RDATA_NAMES_MAX])
{
	const char *fields = rr_type_fields(type);
	const char *wrong;
	uint32_t names = 0;
	size_t at = 0, n = 0;

	if (!fields || !strpbrk(fields, "CLK"))
		return 0;
	for (; *fields; fields++, at += n) {
		enum rr_field kind = (enum rr_field) * fields;

		wrong = rdata_field_measure(kind, rdata + at, length - at, &n);
		br_assert(!wrong);
		if (!is_name(kind))
			continue;
		br_assert(names < RDATA_NAMES_MAX);
		ret[names++] = (struct rdata_name){
		    .at = (uint16_t)at,
		    .packed = kind == RR_FIELD_NAME_PACKED,
		    .lower = kind != RR_FIELD_NAME,
		};
	}
	return names;
}

void rdata_make_canonical(uint16_t type, uint8_t *rdata, uint16_t length)
{
	struct rdata_name names[RDATA_NAMES_MAX];
	uint32_t n = rdata_names(type, rdata, length, names);

	for (uint32_t i = 0; i < n; i++) {
		uint8_t lower[DNAME_MAX];

		if (names[i].lower)
			memcpy(rdata + names[i].at, lower,
			    dname_lower(lower, rdata + names[i].at));
	}
}
