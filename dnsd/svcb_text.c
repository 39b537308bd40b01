/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/svcb.h"

#include "base/assert.h"
#include "base/rfc4648.h"
#include "dnsd/escape.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 65535u
#define GENERIC "key"

static const struct {
	const char *text;
	uint16_t key;
} names[] = {
#define X(name, number, text) {text, number},
    SVCB_KEY_LIST(X)
#undef X
};

static const char *name_of(uint16_t key)
{
	for (size_t i = 0; i < BR_COUNT(names); i++)
		if (names[i].key == key)
			return names[i].text;
	return NULL;
}

/* -- reading ----------------------------------------------------------- */

struct param {
	uint16_t key;
	uint32_t at; /* of its value, among the values */
	uint32_t length;
};

struct reader {
	struct zone_scan *scan;
	struct scan_token token; /* the parameter that is read */
	struct param params[SVCB_KEYS_MAX];
	uint32_t n;
	struct cursor_out values;
};

static int refuse(struct reader *r, const char *why)
{
	return zone_scan_refuse(r->scan, &r->token, why);
}

/* RFC 9460 section 2.1: a registered name, or key<number> without leading
 * zeros. Names are lower case. */
static bool key_from_text(const char *text, size_t length, uint16_t *ret)
{
	uint32_t number;

	for (size_t i = 0; i < BR_COUNT(names); i++)
		if (strlen(names[i].text) == length &&
		    !memcmp(names[i].text, text, length)) {
			*ret = names[i].key;
			return true;
		}
	if (length <= 3 || memcmp(text, GENERIC, 3) ||
	    (length > 4 && text[3] == '0') ||
	    !zone_scan_number(text + 3, length - 3, UINT16_MAX, &number))
		return false;
	*ret = (uint16_t)number;
	return true;
}

/* The bytes of key=value, key="value" or key. */
static const char *value_of(
    const char *at, const char *end, struct cursor_out *ret)
{
	bool quoted = at < end && *at == '"';
	const char *wrong = NULL;
	bool escaped;
	uint8_t byte;

	at += quoted;
	while (at < end && !wrong) {
		/* The scanner has seen to it that there is a second one. */
		if (quoted && *at == '"')
			return at + 1 == end ? NULL : "goes on after its value";
		if (!quoted && *at == '"')
			return "has a quote in its value";
		wrong = escape_read(&at, end, &byte, &escaped);
		if (!wrong)
			cursor_put_u8(ret, byte);
	}
	return wrong;
}

/* RFC 9460 appendix A.1: a comma ends an item unless \ stands before it. */
static const char *next_item(
    struct cursor *list, struct cursor_out *ret, bool *ret_more)
{
	uint8_t byte = 0;

	*ret_more = false;
	while (!*ret_more && cursor_left(list)) {
		cursor_u8(list, &byte);
		if (byte == ',') {
			*ret_more = true;
			continue;
		}
		if (byte == '\\' && !cursor_u8(list, &byte))
			return "ends in the middle of an escape";
		cursor_put_u8(ret, byte);
	}
	return ret->failed ? "has an item of more than 255 bytes" : NULL;
}

static bool put_address(
    int family, const char *text, size_t length, struct cursor_out *out)
{
	uint8_t ip[16];

	if (strlen(text) != length || inet_pton(family, text, ip) != 1)
		return false;
	cursor_put(out, ip, family == AF_INET ? 4 : 16);
	return true;
}

static const char *put_item(
    uint16_t key, const char *text, size_t length, struct cursor_out *out)
{
	uint16_t number;

	switch (key) {
	case SVCB_ALPN:
		cursor_put_u8(out, (uint8_t)length);
		cursor_put(out, text, length);
		return length ? NULL : "has an empty protocol";
	case SVCB_MANDATORY:
		if (!key_from_text(text, length, &number))
			return "names a key that is not known";
		cursor_put_be16(out, number);
		return NULL;
	case SVCB_IPV4HINT:
		return put_address(AF_INET, text, length, out)
			   ? NULL
			   : "is not a list of IPv4 addresses";
	default:
		br_assert(key == SVCB_IPV6HINT);
		return put_address(AF_INET6, text, length, out)
			   ? NULL
			   : "is not a list of IPv6 addresses";
	}
}

static int compare_be16(const void *a, const void *b)
{
	return memcmp(a, b, 2);
}

static const char *put_list(
    uint16_t key, struct cursor list, struct cursor_out *out)
{
	uint8_t *begin = out->at;
	const char *wrong = NULL;
	bool more = true;

	while (!wrong && more) {
		char text[UINT8_MAX + 1];
		struct cursor_out item = cursor_out_of(text, UINT8_MAX);

		wrong = next_item(&list, &item, &more);
		text[cursor_out_length(&item)] = '\0';
		if (!wrong)
			wrong =
			    put_item(key, text, cursor_out_length(&item), out);
	}
	/* RFC 9460 section 8: ascending on the wire. */
	if (key == SVCB_MANDATORY)
		qsort(begin, (size_t)(out->at - begin) / 2, 2, compare_be16);
	return wrong;
}

static const char *put_port(struct cursor value, struct cursor_out *out)
{
	uint32_t port;

	if (!zone_scan_number(
		(const char *)value.at, cursor_left(&value), UINT16_MAX, &port))
		return "is not a port from 0 to 65535";
	cursor_put_be16(out, (uint16_t)port);
	return NULL;
}

static const char *put_ech(struct cursor value, struct cursor_out *out)
{
	struct rfc4648_reader digits = rfc4648_reader_of(RFC4648_BASE64);
	const char *wrong = rfc4648_read(
	    &digits, (const char *)value.at, cursor_left(&value), out);

	return wrong ? wrong : rfc4648_read_end(&digits);
}

static const char *put_value(
    uint16_t key, bool generic, struct cursor value, struct cursor_out *out)
{
	if (!generic)
		switch (key) {
		case SVCB_MANDATORY:
		case SVCB_ALPN:
		case SVCB_IPV4HINT:
		case SVCB_IPV6HINT:
			return put_list(key, value, out);
		case SVCB_PORT:
			return put_port(value, out);
		case SVCB_ECH:
			return put_ech(value, out);
		default:
			break;
		}
	cursor_put(out, value.at, cursor_left(&value));
	return NULL;
}

static int read_param(struct reader *r)
{
	const char *text = r->token.text, *end = text + r->token.length;
	const char *equals = memchr(text, '=', r->token.length);
	size_t length = (size_t)((equals ? equals : end) - text);
	uint8_t bytes[VALUE_MAX];
	struct cursor_out value = cursor_out_of(bytes, sizeof bytes);
	struct param *param = &r->params[r->n];
	const char *wrong;

	if (r->token.kind != SCAN_WORD)
		return refuse(r, "must not be quoted as a whole");
	if (!key_from_text(text, length, &param->key))
		return refuse(r, "is not a SvcParam of a key that is known; "
				 "others are written as key<number>=");
	if (r->n + 1 == SVCB_KEYS_MAX)
		return refuse(r, "is one SvcParam too many");
	wrong = equals ? value_of(equals + 1, end, &value) : NULL;
	param->at = (uint32_t)cursor_out_length(&r->values);
	/* RFC 9460 section 2.1: key<number> takes the value as it is also
	 * where the key has a name. */
	if (!wrong && equals)
		wrong = put_value(param->key, !memcmp(text, GENERIC, 3),
		    cursor_of(bytes, cursor_out_length(&value)), &r->values);
	if (!wrong && (value.failed || r->values.failed))
		wrong = "makes more than 65535 bytes";
	if (wrong)
		return refuse(r, wrong);
	param->length = (uint32_t)cursor_out_length(&r->values) - param->at;
	r->n++;
	return 0;
}

static int compare_params(const void *a, const void *b)
{
	return ((const struct param *)a)->key - ((const struct param *)b)->key;
}

static void put_params(struct reader *r, struct cursor_out *out)
{
	qsort(r->params, r->n, sizeof r->params[0], compare_params);
	for (uint32_t i = 0; i < r->n; i++) {
		cursor_put_be16(out, r->params[i].key);
		cursor_put_be16(out, (uint16_t)r->params[i].length);
		cursor_put(
		    out, r->values.base + r->params[i].at, r->params[i].length);
	}
}

int svcb_params_read(struct zone_scan *scan, struct cursor_out *out)
{
	uint8_t values[VALUE_MAX];
	struct reader r = {
	    .scan = scan, .values = cursor_out_of(values, sizeof values)};
	int error = 0;

	scan->pairs = true;
	while (!error) {
		zone_scan_next(scan, &r.token);
		if (r.token.kind == SCAN_FAILED)
			error = BR_E_SYNTAX;
		else if (r.token.kind != SCAN_WORD &&
			 r.token.kind != SCAN_QUOTED)
			break;
		else
			error = read_param(&r);
	}
	scan->pairs = false;
	if (!error)
		put_params(&r, out);
	return error;
}

/* -- printing ---------------------------------------------------------- */

static void print_key(struct strbuf *out, uint16_t key)
{
	const char *name = name_of(key);

	if (name)
		strbuf_adds(out, name);
	else
		strbuf_addf(out, GENERIC "%u", key);
}

static void print_escaped(
    struct strbuf *out, const uint8_t *bytes, size_t length)
{
	char text[ESCAPE_MAX];

	for (size_t i = 0; i < length; i++)
		strbuf_add(
		    out, text, escape_write(bytes[i], "\"\\", true, text));
}

/* Escaped twice: as an item of a list, then as a string. */
static void print_alpn(struct strbuf *out, struct cursor value)
{
	const char *comma = "";
	struct cursor item;
	uint8_t length;

	strbuf_addc(out, '"');
	while (
	    cursor_u8(&value, &length) && cursor_take(&value, length, &item)) {
		strbuf_adds(out, comma);
		for (; item.at < item.end; item.at++) {
			if (*item.at == ',' || *item.at == '\\')
				print_escaped(out, (const uint8_t *)"\\", 1);
			print_escaped(out, item.at, 1);
		}
		comma = ",";
	}
	strbuf_addc(out, '"');
}

static void print_mandatory(struct strbuf *out, struct cursor value)
{
	const char *comma = "";
	uint16_t key;

	while (cursor_be16(&value, &key)) {
		strbuf_adds(out, comma);
		print_key(out, key);
		comma = ",";
	}
}

static void print_addresses(
    struct strbuf *out, struct cursor value, int family, size_t each)
{
	char text[INET6_ADDRSTRLEN];
	const char *comma = "";
	struct cursor ip;

	while (cursor_left(&value) && cursor_take(&value, each, &ip)) {
		br_assert(inet_ntop(family, ip.at, text, sizeof text));
		strbuf_adds(out, comma);
		strbuf_adds(out, text);
		comma = ",";
	}
}

static void print_value(struct strbuf *out, uint16_t key, struct cursor value)
{
	switch (key) {
	case SVCB_MANDATORY:
		print_mandatory(out, value);
		return;
	case SVCB_ALPN:
		print_alpn(out, value);
		return;
	case SVCB_PORT:
		strbuf_addf(out, "%u", value.at[0] << 8 | value.at[1]);
		return;
	case SVCB_IPV4HINT:
		print_addresses(out, value, AF_INET, 4);
		return;
	case SVCB_IPV6HINT:
		print_addresses(out, value, AF_INET6, 16);
		return;
	case SVCB_ECH:
		rfc4648_add(out, RFC4648_BASE64, value.at, cursor_left(&value));
		return;
	default:
		strbuf_addc(out, '"');
		print_escaped(out, value.at, cursor_left(&value));
		strbuf_addc(out, '"');
	}
}

void svcb_params_to_text(
    struct strbuf *out, const uint8_t *params, size_t length)
{
	struct cursor rest = cursor_of(params, length), value;
	uint16_t key = 0, bytes = 0;

	while (cursor_left(&rest)) {
		cursor_be16(&rest, &key);
		cursor_be16(&rest, &bytes);
		br_assert(cursor_take(&rest, bytes, &value));
		strbuf_addc(out, ' ');
		print_key(out, key);
		if (!bytes)
			continue;
		strbuf_addc(out, '=');
		print_value(out, key, value);
	}
}
