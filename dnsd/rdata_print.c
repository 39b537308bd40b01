/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/rdata.h"

#include "base/assert.h"
#include "base/rfc4648.h"
#include "dnsd/dname.h"
#include "dnsd/escape.h"
#include "dnsd/rdata_field.h"
#include "dnsd/svcb.h"

#include <arpa/inet.h>
#include <time.h>

static uint32_t number_at(const uint8_t *at, size_t bytes)
{
	uint32_t v = 0;

	for (size_t i = 0; i < bytes; i++)
		v = v << 8 | at[i];
	return v;
}

static void print_quoted(
    struct strbuf *out, const uint8_t *bytes, size_t length)
{
	char text[ESCAPE_MAX];

	strbuf_addc(out, '"');
	for (size_t i = 0; i < length; i++)
		strbuf_add(
		    out, text, escape_write(bytes[i], "\"\\", true, text));
	strbuf_addc(out, '"');
}

static void print_strings(struct strbuf *out, const uint8_t *at, size_t left)
{
	const char *blank = "";

	for (; left; left -= 1u + *at, at += 1u + *at) {
		strbuf_adds(out, blank);
		print_quoted(out, at + 1, *at);
		blank = " ";
	}
}

/* RFC 4034 section 3.2: seconds since 1970 modulo 2^32; here those of its
 * first round. */
static void print_date(struct strbuf *out, uint32_t seconds)
{
	time_t at = (time_t)seconds;
	char text[32];
	struct tm tm;

	br_assert(gmtime_r(&at, &tm));
	br_assert(strftime(text, sizeof text, "%Y%m%d%H%M%S", &tm));
	strbuf_adds(out, text);
}

static void print_type(struct strbuf *out, uint16_t type)
{
	char text[RR_TEXT_MAX];

	strbuf_add(out, text, rr_type_to_text(type, text));
}

static void print_window(
    struct strbuf *out, unsigned window, const uint8_t *bits, size_t bytes)
{
	for (size_t i = 0; i < bytes * 8; i++)
		if (bits[i / 8] & (0x80 >> i % 8)) {
			strbuf_addc(out, ' ');
			print_type(out, (uint16_t)(window << 8 | i));
		}
}

static void print_types(struct strbuf *out, const uint8_t *at, size_t left)
{
	for (; left; left -= 2u + at[1], at += 2u + at[1])
		print_window(out, at[0], at + 2, at[1]);
}

static void print_address(struct strbuf *out, int family, const uint8_t *at)
{
	char text[INET6_ADDRSTRLEN];

	br_assert(inet_ntop(family, at, text, sizeof text));
	strbuf_adds(out, text);
}

/* RFC 7043: pairs of digits with hyphens. */
static void print_eui(struct strbuf *out, const uint8_t *at, size_t length)
{
	for (size_t i = 0; i < length; i++)
		strbuf_addf(out, "%s%02x", i ? "-" : "", at[i]);
}

static void print_name(struct strbuf *out, const uint8_t *name)
{
	char text[DNAME_TEXT_MAX];

	strbuf_add(out, text, dname_to_text(name, text));
}

static void print_counted(
    struct strbuf *out, enum rr_field kind, const uint8_t *at)
{
	switch (kind) {
	case RR_FIELD_STRING:
		print_quoted(out, at + 1, *at);
		return;
	case RR_FIELD_TAG:
		strbuf_add(out, (const char *)at + 1, *at);
		return;
	case RR_FIELD_HASH:
		rfc4648_add(out, RFC4648_BASE32HEX, at + 1, *at);
		return;
	default:
		br_assert(kind == RR_FIELD_SALT);
		/* RFC 5155 section 3.3: no salt is a hyphen. */
		if (*at)
			rfc4648_add(out, RFC4648_HEX, at + 1, *at);
		else
			strbuf_addc(out, '-');
	}
}

static void print_rest(
    struct strbuf *out, enum rr_field kind, const uint8_t *at, size_t length)
{
	switch (kind) {
	case RR_FIELD_STRINGS:
		print_strings(out, at, length);
		return;
	case RR_FIELD_TEXT:
	case RR_FIELD_QUOTED:
		print_quoted(out, at, length);
		return;
	case RR_FIELD_HEX:
		rfc4648_add(out, RFC4648_HEX, at, length);
		return;
	case RR_FIELD_BASE64:
		rfc4648_add(out, RFC4648_BASE64, at, length);
		return;
	case RR_FIELD_TYPES:
		print_types(out, at, length);
		return;
	case RR_FIELD_PARAMS:
		svcb_params_to_text(out, at, length);
		return;
	default:
		print_counted(out, kind, at);
	}
}

static void print_field(
    struct strbuf *out, enum rr_field kind, const uint8_t *at, size_t length)
{
	switch (kind) {
	case RR_FIELD_NAME_PACKED:
	case RR_FIELD_NAME_LOWER:
	case RR_FIELD_NAME:
		print_name(out, at);
		return;
	case RR_FIELD_U8:
	case RR_FIELD_ALGORITHM:
	case RR_FIELD_U16:
	case RR_FIELD_CERT_TYPE:
	case RR_FIELD_U32:
	case RR_FIELD_PERIOD:
		strbuf_addf(out, "%u", number_at(at, length));
		return;
	case RR_FIELD_TYPE:
		print_type(out, (uint16_t)number_at(at, length));
		return;
	case RR_FIELD_DATE:
		print_date(out, number_at(at, length));
		return;
	case RR_FIELD_IPV4:
		print_address(out, AF_INET, at);
		return;
	case RR_FIELD_IPV6:
		print_address(out, AF_INET6, at);
		return;
	case RR_FIELD_EUI48:
	case RR_FIELD_EUI64:
		print_eui(out, at, length);
		return;
	case RR_FIELD_LOC:
		rdata_loc_to_text(out, at);
		return;
	default:
		print_rest(out, kind, at, length);
	}
}

/* RFC 3597 section 5. */
static void print_generic(
    struct strbuf *out, const uint8_t *rdata, uint16_t length)
{
	strbuf_addf(out, "\\# %u", length);
	if (length)
		strbuf_addc(out, ' ');
	rfc4648_add(out, RFC4648_HEX, rdata, length);
}

/* These begin with a blank where there is anything of them. */
static bool begins_with_blank(enum rr_field kind)
{
	return kind == RR_FIELD_TYPES || kind == RR_FIELD_PARAMS;
}

void rdata_to_text(
    struct strbuf *out, uint16_t type, const uint8_t *rdata, uint16_t length)
{
	const char *fields = rr_type_fields(type);
	size_t at = 0, n = 0;

	if (!fields || rdata_wrong(type, rdata, length)) {
		print_generic(out, rdata, length);
		return;
	}
	for (; *fields; fields++, at += n) {
		enum rr_field kind = (enum rr_field) * fields;
		const char *wrong =
		    rdata_field_measure(kind, rdata + at, length - at, &n);

		br_assert(!wrong);
		if (at && !begins_with_blank(kind))
			strbuf_addc(out, ' ');
		print_field(out, kind, rdata + at, n);
	}
}
