/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/svcb.h"

#include "base/assert.h"
#include "dnsd/dname.h"

#include <string.h>

/* -- checking ---------------------------------------------------------- */

/* RFC 9460 section 8: ascending keys, not itself. */
static const char *mandatory_wrong(struct cursor value)
{
	uint16_t key, last = SVCB_MANDATORY;

	if (!cursor_left(&value))
		return "has an empty mandatory";
	while (cursor_left(&value)) {
		if (!cursor_be16(&value, &key))
			return "has a mandatory that ends within a key";
		if (key <= last)
			return "has a mandatory that names mandatory, a key "
			       "twice or keys out of order";
		last = key;
	}
	return NULL;
}

/* RFC 9460 section 7.1.1, RFC 7301 section 3.1. */
static const char *alpn_wrong(struct cursor value)
{
	uint8_t length;

	if (!cursor_left(&value))
		return "has an empty alpn";
	while (cursor_u8(&value, &length))
		if (!length || !cursor_skip(&value, length))
			return "has an alpn with an empty or broken protocol";
	return NULL;
}

static const char *length_wrong(size_t length, size_t each, const char *why)
{
	return !length || length % each ? why : NULL;
}

/* RFC 9461 section 5: a relative template with the variable dns. */
static const char *dohpath_wrong(const uint8_t *value, size_t length)
{
	return length && *value == '/' && memmem(value, length, "{?dns", 5)
		   ? NULL
		   : "has a dohpath that is not like /dns-query{?dns}";
}

static const char *value_wrong(uint16_t key, struct cursor value)
{
	size_t length = cursor_left(&value);

	switch (key) {
	case SVCB_MANDATORY:
		return mandatory_wrong(value);
	case SVCB_ALPN:
		return alpn_wrong(value);
	case SVCB_NO_DEFAULT_ALPN:
		return length ? "has a no-default-alpn with a value" : NULL;
	case SVCB_PORT:
		return length == 2 ? NULL : "has a port that is not two bytes";
	case SVCB_IPV4HINT:
		return length_wrong(
		    length, 4, "has an ipv4hint that is not of IPv4 addresses");
	case SVCB_ECH:
		return length ? NULL : "has an empty ech";
	case SVCB_IPV6HINT:
		return length_wrong(length, 16,
		    "has an ipv6hint that is not of IPv6 addresses");
	case SVCB_DOHPATH:
		return dohpath_wrong(value.at, length);
	case SVCB_OHTTP: /* RFC 9540 section 4 */
		return length ? "has an ohttp with a value" : NULL;
	case SVCB_INVALID:
		return "has the key 65535, which is reserved";
	default:
		return NULL;
	}
}

/* The next parameter; false: there is none, or it is cut off, and then the
 * cursor has failed. */
static bool next_param(
    struct cursor *params, uint16_t *ret_key, struct cursor *ret_value)
{
	uint16_t length;

	return cursor_left(params) && cursor_be16(params, ret_key) &&
	       cursor_be16(params, &length) &&
	       cursor_take(params, length, ret_value);
}

static bool find_param(
    struct cursor params, uint16_t wanted, struct cursor *ret_value)
{
	uint16_t key;

	while (next_param(&params, &key, ret_value))
		if (key == wanted)
			return true;
	return false;
}

/* Rules between keys, each of which is right. */
static const char *keys_wrong(struct cursor params)
{
	struct cursor value, other;
	uint16_t key;

	/* RFC 9460 section 7.1.1. */
	if (find_param(params, SVCB_NO_DEFAULT_ALPN, &value) &&
	    !find_param(params, SVCB_ALPN, &value))
		return "has no-default-alpn without alpn";
	if (!find_param(params, SVCB_MANDATORY, &value))
		return NULL;
	/* RFC 9460 section 8. */
	while (cursor_be16(&value, &key))
		if (!find_param(params, key, &other))
			return "lacks a key that mandatory names";
	return NULL;
}

const char *svcb_params_wrong(const uint8_t *params, size_t length)
{
	struct cursor rest = cursor_of(params, length), value;
	const char *wrong = NULL;
	uint16_t key;
	int last = -1;

	/* RFC 9460 section 2.2: ascending, so none twice. */
	while (!wrong && next_param(&rest, &key, &value)) {
		if (key <= last)
			return "has a key twice or keys out of order";
		last = key;
		wrong = value_wrong(key, value);
	}
	if (wrong)
		return wrong;
	if (rest.failed)
		return "ends in the middle of a SvcParam";
	return keys_wrong(cursor_of(params, length));
}

/* -- making ------------------------------------------------------------ */

static void put_addresses(struct cursor_out *out, uint16_t key,
    const void *addresses, uint32_t n, size_t each)
{
	if (!n)
		return;
	if (n * each > UINT16_MAX)
		out->failed = true;
	cursor_put_be16(out, key);
	cursor_put_be16(out, (uint16_t)(n * each));
	cursor_put(out, addresses, n * each);
}

static void put_alpn(
    struct cursor_out *out, const char *const *alpn, uint32_t n)
{
	size_t length = 0;

	if (!n)
		return;
	for (uint32_t i = 0; i < n; i++) {
		size_t each = strlen(alpn[i]);

		br_assert(each && each <= UINT8_MAX);
		length += 1 + each;
	}
	if (length > UINT16_MAX)
		out->failed = true;
	cursor_put_be16(out, SVCB_ALPN);
	cursor_put_be16(out, (uint16_t)length);
	for (uint32_t i = 0; i < n; i++) {
		cursor_put_u8(out, (uint8_t)strlen(alpn[i]));
		cursor_put(out, alpn[i], strlen(alpn[i]));
	}
}

size_t svcb_write(const struct svcb_fields *fields, uint8_t *ret, size_t room)
{
	struct cursor_out out = cursor_out_of(ret, room);

	cursor_put_be16(&out, fields->priority);
	cursor_put(&out, fields->target, dname_size(fields->target));
	if (fields->priority) {
		put_alpn(&out, fields->alpn, fields->n_alpn);
		if (fields->port) {
			cursor_put_be16(&out, SVCB_PORT);
			cursor_put_be16(&out, sizeof fields->port);
			cursor_put_be16(&out, fields->port);
		}
		put_addresses(
		    &out, SVCB_IPV4HINT, fields->ipv4, fields->n_ipv4, 4);
		put_addresses(
		    &out, SVCB_IPV6HINT, fields->ipv6, fields->n_ipv6, 16);
	}
	return out.failed ? 0 : cursor_out_length(&out);
}
