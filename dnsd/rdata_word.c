/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/rdata_field.h"

#include "base/assert.h"
#include "base/rfc4648.h"
#include "dnsd/dname.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

struct word {
	struct zone_scan *scan;
	const struct scan_token *token;
	const uint8_t *origin;
	struct cursor_out *out;
};

struct named_number {
	const char *name;
	uint16_t number;
};

/* RFC 4034 appendix A.1 and the registry of algorithms; as BIND and ldns
 * write them. */
static const struct named_number algorithms[] = {
    {"RSAMD5", 1},
    {"DH", 2},
    {"DSA", 3},
    {"RSASHA1", 5},
    {"NSEC3DSA", 6},
    {"DSA-NSEC3-SHA1", 6},
    {"NSEC3RSASHA1", 7},
    {"RSASHA1-NSEC3-SHA1", 7},
    {"RSASHA256", 8},
    {"RSASHA512", 10},
    {"ECCGOST", 12},
    {"ECC-GOST", 12},
    {"ECDSAP256SHA256", 13},
    {"ECDSAP384SHA384", 14},
    {"ED25519", 15},
    {"ED448", 16},
    {"INDIRECT", 252},
    {"PRIVATEDNS", 253},
    {"PRIVATEOID", 254},
};

/* RFC 4398 section 2.1. */
static const struct named_number cert_types[] = {
    {"PKIX", 1},
    {"SPKI", 2},
    {"PGP", 3},
    {"IPKIX", 4},
    {"ISPKI", 5},
    {"IPGP", 6},
    {"ACPKIX", 7},
    {"IACPKIX", 8},
    {"URI", 253},
    {"OID", 254},
};

static int refuse(struct word *w, const char *why)
{
	return zone_scan_refuse(w->scan, w->token, why);
}

static int refuse_number(struct word *w, uint32_t max)
{
	char why[64];

	(void)snprintf(why, sizeof why, "is not a number from 0 to %u", max);
	return refuse(w, why);
}

static int read_number(struct word *w, size_t bytes,
    const struct named_number *names, size_t n_names)
{
	uint32_t max = (uint32_t)((UINT64_C(1) << 8 * bytes) - 1);
	uint32_t value = 0;

	for (size_t i = 0; i < n_names; i++)
		if (strlen(names[i].name) == w->token->length &&
		    !strncasecmp(
			names[i].name, w->token->text, w->token->length))
			value = names[i].number;
	if (!value &&
	    !zone_scan_number(w->token->text, w->token->length, max, &value))
		return refuse_number(w, max);
	for (; bytes; bytes--)
		cursor_put_u8(w->out, (uint8_t)(value >> 8 * (bytes - 1)));
	return 0;
}

static int read_period(struct word *w)
{
	uint32_t seconds;

	if (!zone_scan_period(w->token->text, w->token->length, &seconds))
		return refuse(w, "is not a time such as 3600 or 1h30m");
	cursor_put_be32(w->out, seconds);
	return 0;
}

/* RFC 4034 section 3.2: YYYYMMDDHHmmSS in UTC, which cannot be mistaken for
 * seconds since 1970, as those have ten digits at most. */
static int read_date(struct word *w)
{
	static const char why[] = "is not a time as YYYYMMDDHHmmSS";
	struct tm tm = {0};
	char text[15];
	const char *end;
	time_t at;

	if (w->token->length != 14) {
		uint32_t seconds;

		if (!zone_scan_number(
			w->token->text, w->token->length, UINT32_MAX, &seconds))
			return refuse(w, why);
		cursor_put_be32(w->out, seconds);
		return 0;
	}
	memcpy(text, w->token->text, 14);
	text[14] = '\0';
	end = strspn(text, "0123456789") == 14
		  ? strptime(text, "%Y%m%d%H%M%S", &tm)
		  : NULL;
	if (!end || *end)
		return refuse(w, why);
	at = timegm(&tm);
	if (at < 0 || at > UINT32_MAX)
		return refuse(w, "is not a time from 1970 to 2106");
	cursor_put_be32(w->out, (uint32_t)at);
	return 0;
}

static int read_type(struct word *w)
{
	uint16_t type;

	if (!rr_type_from_text(w->token->text, w->token->length, &type))
		return refuse(w, "is not a type");
	cursor_put_be16(w->out, type);
	return 0;
}

static int read_name(struct word *w)
{
	uint8_t name[DNAME_MAX];
	const char *wrong;

	if (dname_from_text(
		w->token->text, w->token->length, w->origin, name, &wrong))
		return refuse(w, wrong);
	cursor_put(w->out, name, dname_size(name));
	return 0;
}

/* Four numbers; by hand, since zones are full of them. */
static bool ipv4_from_text(const char *text, size_t length, uint8_t ret[4])
{
	const char *end = text + length;

	for (unsigned i = 0; i < 4; i++) {
		const char *begin = text;
		unsigned value = 0;

		for (; text < end && *text >= '0' && *text <= '9'; text++)
			if ((value = value * 10 + (unsigned)(*text - '0')) >
			    255)
				return false;
		/* No leading zeros: to some they mean octal. */
		if (text == begin || (*begin == '0' && text - begin > 1))
			return false;
		ret[i] = (uint8_t)value;
		if (i < 3 && (text == end || *text++ != '.'))
			return false;
	}
	return text == end;
}

static int read_ipv4(struct word *w)
{
	uint8_t ip[4];

	if (!ipv4_from_text(w->token->text, w->token->length, ip))
		return refuse(w, "is not an IPv4 address");
	cursor_put(w->out, ip, sizeof ip);
	return 0;
}

static int read_ipv6(struct word *w)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t ip[16];

	if (w->token->length >= sizeof text)
		return refuse(w, "is not an IPv6 address");
	memcpy(text, w->token->text, w->token->length);
	text[w->token->length] = '\0';
	if (inet_pton(AF_INET6, text, ip) != 1)
		return refuse(w, "is not an IPv6 address");
	cursor_put(w->out, ip, sizeof ip);
	return 0;
}

static int read_eui(struct word *w, size_t bytes)
{
	struct rfc4648_reader hex = rfc4648_reader_of(RFC4648_HEX);
	bool right = w->token->length == 3 * bytes - 1;

	for (size_t i = 0; right && i < bytes; i++)
		right =
		    !rfc4648_read(&hex, w->token->text + 3 * i, 2, w->out) &&
		    (i + 1 == bytes || w->token->text[3 * i + 2] == '-');
	if (right)
		return 0;
	return refuse(w, bytes == 6 ? "is not like 00-00-5e-00-53-2a"
				    : "is not like 00-00-5e-ef-10-00-00-2a");
}

/* A length byte and bytes in hex or base32hex. */
static int read_counted_digits(struct word *w, enum rfc4648 kind)
{
	struct rfc4648_reader digits = rfc4648_reader_of(kind);
	uint8_t bytes[UINT8_MAX];
	struct cursor_out out = cursor_out_of(bytes, sizeof bytes);
	const char *wrong =
	    rfc4648_read(&digits, w->token->text, w->token->length, &out);

	if (!wrong)
		wrong = rfc4648_read_end(&digits);
	if (!wrong && out.failed)
		wrong = "is longer than 255 bytes";
	if (wrong)
		return refuse(w, wrong);
	cursor_put_u8(w->out, (uint8_t)cursor_out_length(&out));
	cursor_put(w->out, bytes, cursor_out_length(&out));
	return 0;
}

static int read_salt(struct word *w)
{
	/* RFC 5155 section 3.3. */
	if (w->token->length != 1 || *w->token->text != '-')
		return read_counted_digits(w, RFC4648_HEX);
	cursor_put_u8(w->out, 0);
	return 0;
}

int rdata_word_read(struct zone_scan *scan, const struct scan_token *token,
    enum rr_field kind, const uint8_t *origin, struct cursor_out *out)
{
	struct word word = {
	    .scan = scan, .token = token, .origin = origin, .out = out};
	struct word *w = &word;

	switch (kind) {
	case RR_FIELD_NAME_PACKED:
	case RR_FIELD_NAME_LOWER:
	case RR_FIELD_NAME:
		return read_name(w);
	case RR_FIELD_U8:
		return read_number(w, 1, NULL, 0);
	case RR_FIELD_U16:
		return read_number(w, 2, NULL, 0);
	case RR_FIELD_U32:
		return read_number(w, 4, NULL, 0);
	case RR_FIELD_ALGORITHM:
		return read_number(w, 1, algorithms, BR_COUNT(algorithms));
	case RR_FIELD_CERT_TYPE:
		return read_number(w, 2, cert_types, BR_COUNT(cert_types));
	case RR_FIELD_PERIOD:
		return read_period(w);
	case RR_FIELD_DATE:
		return read_date(w);
	case RR_FIELD_TYPE:
		return read_type(w);
	case RR_FIELD_IPV4:
		return read_ipv4(w);
	case RR_FIELD_IPV6:
		return read_ipv6(w);
	case RR_FIELD_EUI48:
		return read_eui(w, 6);
	case RR_FIELD_EUI64:
		return read_eui(w, 8);
	case RR_FIELD_SALT:
		return read_salt(w);
	default:
		br_assert(kind == RR_FIELD_HASH);
		return read_counted_digits(w, RFC4648_BASE32HEX);
	}
}
