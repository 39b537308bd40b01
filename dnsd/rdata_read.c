/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/rdata.h"

#include "base/assert.h"
#include "base/rfc4648.h"
#include "dnsd/dname.h"
#include "dnsd/escape.h"
#include "dnsd/rdata_field.h"
#include "dnsd/svcb.h"

#include <stdio.h>
#include <string.h>

struct reader {
	struct zone_scan *scan;
	const uint8_t *origin;
	const char *fields; /* of the type; NULL: none */
	struct cursor_out out;
	uint16_t type;
	uint32_t n; /* fields that were read */
};

/* -- errors ------------------------------------------------------------ */

static int refuse(
    struct reader *r, const struct scan_token *token, const char *why)
{
	return zone_scan_refuse(r->scan, token, why);
}

static int refuse_end(struct reader *r, const struct scan_token *token)
{
	char type[RR_TEXT_MAX];

	rr_type_to_text(r->type, type);
	if (!r->n)
		return zone_scan_fail(
		    r->scan, token, "%s has no data here", type);
	return zone_scan_fail(r->scan, token,
	    "%s ends after %u of its %zu fields", type, r->n,
	    strlen(r->fields));
}

static int refuse_extra(struct reader *r, const struct scan_token *token)
{
	char type[RR_TEXT_MAX];
	char why[RR_TEXT_MAX + 64];

	rr_type_to_text(r->type, type);
	(void)snprintf(why, sizeof why, "is one field too many for %s", type);
	return refuse(r, token, why);
}

/* -- tokens ------------------------------------------------------------ */

static int next_field(struct reader *r, struct scan_token *ret)
{
	zone_scan_next(r->scan, ret);
	if (ret->kind == SCAN_FAILED)
		return BR_E_SYNTAX;
	return ret->kind == SCAN_END || ret->kind == SCAN_EOF
		   ? refuse_end(r, ret)
		   : 0;
}

/* Of what is left: *ret_more is whether there was one. */
static int next_of_rest(
    struct reader *r, struct scan_token *ret, bool *ret_more)
{
	zone_scan_next(r->scan, ret);
	*ret_more = ret->kind == SCAN_WORD || ret->kind == SCAN_QUOTED;
	return ret->kind == SCAN_FAILED ? BR_E_SYNTAX : 0;
}

/* -- strings ----------------------------------------------------------- */

static const char *unescape(
    const struct scan_token *token, struct cursor_out *out)
{
	const char *at = token->text, *end = at + token->length;
	const char *wrong = NULL;
	uint8_t byte;
	bool escaped;

	while (at < end && !wrong) {
		wrong = escape_read(&at, end, &byte, &escaped);
		if (!wrong)
			cursor_put_u8(out, byte);
	}
	return wrong;
}

static int read_string(struct reader *r, const struct scan_token *token)
{
	uint8_t bytes[UINT8_MAX];
	struct cursor_out out = cursor_out_of(bytes, sizeof bytes);
	const char *wrong = unescape(token, &out);

	if (!wrong && out.failed)
		wrong = "is longer than 255 bytes: split it into several "
			"strings";
	cursor_put_u8(&r->out, (uint8_t)cursor_out_length(&out));
	cursor_put(&r->out, bytes, cursor_out_length(&out));
	return wrong ? refuse(r, token, wrong) : 0;
}

static int read_text(struct reader *r, const struct scan_token *token)
{
	const char *wrong = unescape(token, &r->out);

	return wrong ? refuse(r, token, wrong) : 0;
}

static int read_strings(struct reader *r)
{
	struct scan_token token;
	bool more;
	int error = next_field(r, &token);

	for (more = true; !error && more;) {
		error = read_string(r, &token);
		if (!error)
			error = next_of_rest(r, &token, &more);
	}
	return error;
}

/* -- what is left ------------------------------------------------------ */

static int read_digits(struct reader *r, enum rfc4648 kind)
{
	struct rfc4648_reader digits = rfc4648_reader_of(kind);
	struct scan_token token, first;
	const char *wrong = NULL;
	bool more = true;
	int error = next_field(r, &token);

	first = token;
	while (!error && more) {
		wrong = token.kind == SCAN_QUOTED
			    ? "must not be quoted"
			    : rfc4648_read(
				  &digits, token.text, token.length, &r->out);
		error = wrong ? refuse(r, &token, wrong)
			      : next_of_rest(r, &token, &more);
	}
	if (error)
		return error;
	wrong = rfc4648_read_end(&digits);
	return wrong ? zone_scan_fail(
			   r->scan, &first, "what begins here %s", wrong)
		     : 0;
}

/* RFC 4034 section 4.1.2. */
static void put_window(
    struct cursor_out *out, unsigned window, const uint8_t *bits)
{
	size_t length = 32;

	while (length && !bits[length - 1])
		length--;
	if (!length)
		return;
	cursor_put_u8(out, (uint8_t)window);
	cursor_put_u8(out, (uint8_t)length);
	cursor_put(out, bits, length);
}

static int read_types(struct reader *r)
{
	uint8_t bits[256][32] = {0};
	struct scan_token token;
	uint16_t type;
	bool more;
	int error = next_of_rest(r, &token, &more);

	while (!error && more) {
		if (token.kind == SCAN_QUOTED ||
		    !rr_type_from_text(token.text, token.length, &type))
			return refuse(r, &token, "is not a type");
		bits[type >> 8][(type & 255) / 8] |=
		    (uint8_t)(0x80 >> type % 8);
		error = next_of_rest(r, &token, &more);
	}
	for (unsigned i = 0; !error && i < 256; i++)
		put_window(&r->out, i, bits[i]);
	return error;
}

/* Kinds that take the end of the entry with them. */
static int read_rest(struct reader *r, enum rr_field kind)
{
	switch (kind) {
	case RR_FIELD_STRINGS:
		return read_strings(r);
	case RR_FIELD_HEX:
		return read_digits(r, RFC4648_HEX);
	case RR_FIELD_BASE64:
		return read_digits(r, RFC4648_BASE64);
	case RR_FIELD_TYPES:
		return read_types(r);
	case RR_FIELD_PARAMS:
		return svcb_params_read(r->scan, &r->out);
	default:
		br_assert(kind == RR_FIELD_LOC);
		return rdata_loc_read(r->scan, &r->out);
	}
}

/* -- the whole --------------------------------------------------------- */

static bool takes_rest(enum rr_field kind)
{
	switch (kind) {
	case RR_FIELD_STRINGS:
	case RR_FIELD_HEX:
	case RR_FIELD_BASE64:
	case RR_FIELD_TYPES:
	case RR_FIELD_PARAMS:
	case RR_FIELD_LOC:
		return true;
	default:
		return false;
	}
}

static int read_one(
    struct reader *r, enum rr_field kind, const struct scan_token *token)
{
	if (kind == RR_FIELD_STRING || kind == RR_FIELD_TAG)
		return read_string(r, token);
	/* RFC 7553 section 4.4. */
	if (kind == RR_FIELD_QUOTED && token->kind != SCAN_QUOTED)
		return refuse(r, token, "must be quoted");
	if (kind == RR_FIELD_TEXT || kind == RR_FIELD_QUOTED)
		return read_text(r, token);
	if (token->kind == SCAN_QUOTED)
		return refuse(r, token, "must not be quoted");
	return rdata_word_read(r->scan, token, kind, r->origin, &r->out);
}

static int read_end(struct reader *r)
{
	struct scan_token token;
	bool more;
	int error = next_of_rest(r, &token, &more);

	return error ? error : more ? refuse_extra(r, &token) : 0;
}

static int read_fields(struct reader *r)
{
	struct scan_token token;
	int error;

	for (const char *kind = r->fields; *kind; kind++, r->n++) {
		if (takes_rest((enum rr_field) * kind))
			return read_rest(r, (enum rr_field) * kind);
		error = next_field(r, &token);
		if (!error)
			error = read_one(r, (enum rr_field) * kind, &token);
		if (error)
			return error;
	}
	return read_end(r);
}

/* RFC 3597 section 5: behind \\# the length, then the bytes, in words that
 * may break anywhere. */
static int read_generic(struct reader *r, const struct scan_token *begin)
{
	struct rfc4648_reader digits = rfc4648_reader_of(RFC4648_HEX);
	const char *wrong = NULL;
	struct scan_token token;
	uint32_t length;
	bool more;
	int error = next_field(r, &token);

	if (error)
		return error;
	if (!zone_scan_number(token.text, token.length, RDATA_MAX, &length))
		return refuse(r, &token, "is not a length from 0 to 65535");
	error = next_of_rest(r, &token, &more);
	while (!error && more) {
		wrong =
		    rfc4648_read(&digits, token.text, token.length, &r->out);
		error = wrong ? refuse(r, &token, wrong)
			      : next_of_rest(r, &token, &more);
	}
	if (error)
		return error;
	wrong = rfc4648_read_end(&digits);
	if (wrong)
		return zone_scan_fail(r->scan, begin, "the data %s", wrong);
	if (cursor_out_length(&r->out) != length)
		return zone_scan_fail(r->scan, begin,
		    "the data is said to have %u bytes and has %zu", length,
		    cursor_out_length(&r->out));
	return 0;
}

static int read_any(struct reader *r, struct scan_token *ret_begin)
{
	char type[RR_TEXT_MAX];

	r->fields = rr_type_fields(r->type);
	rr_type_to_text(r->type, type);
	zone_scan_next(r->scan, ret_begin);
	if (ret_begin->kind == SCAN_FAILED)
		return BR_E_SYNTAX;
	if (ret_begin->kind == SCAN_WORD && ret_begin->length == 2 &&
	    !memcmp(ret_begin->text, "\\#", 2)) {
		r->fields = "generic";
		return read_generic(r, ret_begin);
	}
	if (!r->fields)
		return zone_scan_fail(r->scan, ret_begin,
		    "%s has no form of its own here; write its data as "
		    "\\# LENGTH HEX",
		    type);
	zone_scan_unread(r->scan, ret_begin);
	return read_fields(r);
}

int rdata_read(struct zone_scan *scan, uint16_t type, const uint8_t *origin,
    uint8_t ret[RDATA_MAX], uint16_t *ret_length)
{
	struct reader r = {.scan = scan,
	    .origin = origin,
	    .out = cursor_out_of(ret, RDATA_MAX),
	    .type = type};
	struct scan_token begin;
	char text[RR_TEXT_MAX];
	const char *wrong;
	uint16_t length;
	int error = read_any(&r, &begin);

	if (error)
		return error;
	rr_type_to_text(type, text);
	if (r.out.failed)
		return zone_scan_fail(
		    scan, &begin, "%s has more than 65535 bytes of data", text);
	length = (uint16_t)cursor_out_length(&r.out);
	wrong = rdata_wrong(type, ret, length);
	if (wrong)
		return zone_scan_fail(
		    scan, &begin, "the data of %s %s", text, wrong);
	*ret_length = length;
	return 0;
}

const char *rdata_from_text(uint16_t type, const char *text,
    const uint8_t *origin, uint8_t ret[RDATA_MAX], uint16_t *ret_length)
{
	static _Thread_local char wrong[SCAN_WRONG_MAX];
	struct zone_scan scan;
	struct scan_token token;
	uint16_t length;
	int error;

	zone_scan_open_text(&scan, text, strlen(text), 1, 1);
	scan.fresh = false; /* what begins here is no owner */
	error = rdata_read(&scan, type, origin, ret, &length);
	if (!error) {
		zone_scan_next(&scan, &token);
		if (token.kind != SCAN_EOF)
			error = zone_scan_refuse(
			    &scan, &token, "begins a second line");
	}
	zone_scan_close(&scan);
	if (!error) {
		*ret_length = length;
		return NULL;
	}
	(void)snprintf(wrong, sizeof wrong, "%s", scan.wrong);
	return wrong;
}
