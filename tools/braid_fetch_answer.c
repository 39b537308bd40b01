/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_answer.h"

#include "base/assert.h"
#include "base/cursor.h"
#include "dnsd/svcb.h"

#include <string.h>

/* RFC 2181 section 8: a TTL with the top bit set counts as 0. */
#define TTL_MAX UINT32_C(0x7fffffff)
/* As many aliases as resolvers follow; those that turn in a ring end so. */
#define ALIASES_MAX 16

#define FLAG_RESPONSE 0x8000u
#define FLAG_OPCODE 0x7800u
#define FLAG_AUTHORITATIVE 0x0400u
#define FLAG_TRUNCATED 0x0200u

/* -- names ------------------------------------------------------------- */

/* Where a pointer leads, which must be before all that was read of the name
 * (RFC 1035 section 4.1.4): so it comes to an end. */
static bool jump(const uint8_t *base, const uint8_t **at, uint8_t high,
    const uint8_t **lowest)
{
	const uint8_t *to = base + (size_t)(((high & 0x3f) << 8) | (*at)[1]);

	if (to >= *lowest)
		return false;
	*lowest = *at = to;
	return true;
}

/* The name at the cursor, in lower case, which then stands behind it. */
static bool read_name(
    const uint8_t *base, struct cursor *in, uint8_t ret[DNAME_MAX])
{
	const uint8_t *at = in->at, *lowest = in->at, *behind = NULL;
	uint8_t name[DNAME_MAX];
	struct cursor_out out = cursor_out_of(name, sizeof name);

	while (at < in->end) {
		uint8_t length = *at;

		if (length >= 0xc0) {
			if (in->end - at < 2)
				return false;
			behind = behind ? behind : at + 2;
			if (!jump(base, &at, length, &lowest))
				return false;
			continue;
		}
		if (length > DNAME_LABEL_MAX || in->end - at <= length ||
		    !cursor_put(&out, at, 1u + length))
			return false;
		at += 1u + length;
		if (length)
			continue;
		in->at = behind ? behind : at;
		(void)dname_lower(ret, name);
		return true;
	}
	return false;
}

/* -- the data of HTTPS records ----------------------------------------- */

static void read_alpn(struct cursor value, struct fetch_service *ret)
{
	struct cursor id;
	uint8_t length;

	while (cursor_u8(&value, &length) && cursor_take(&value, length, &id)) {
		if (length == 2 && cursor_match(&id, "h2"))
			ret->http2 = true;
		else if (length == 8 && cursor_match(&id, "http/1.1"))
			ret->http1 = true;
	}
}

/* RFC 9460 section 8: who does not know all of these leaves the record. */
static void read_mandatory(struct cursor value, struct fetch_service *ret)
{
	uint16_t key;

	while (cursor_be16(&value, &key)) {
		if (key < SVCB_ALPN || key > SVCB_IPV6HINT || key == SVCB_ECH)
			ret->unusable = "it demands what is not known here";
	}
}

static void read_hints(
    struct cursor value, bool is_ipv6, struct fetch_service *ret)
{
	struct addr addr;

	for (uint32_t n = 0; cursor_left(&value) && n < FETCH_HINTS_MAX; n++) {
		memset(&addr, 0, sizeof addr);
		if (is_ipv6) {
			addr.in6.sin6_family = AF_INET6;
			addr.length = sizeof addr.in6;
			(void)cursor_copy(&value, &addr.in6.sin6_addr, 16);
		} else {
			addr.in.sin_family = AF_INET;
			addr.length = sizeof addr.in;
			(void)cursor_copy(&value, &addr.in.sin_addr, 4);
		}
		ret->hints[ret->n_hints++] = addr;
	}
}

/* RFC 9460 section 7.1: http/1.1 is the default protocol of HTTPS. */
static void judge_protocols(bool no_default, struct fetch_service *ret)
{
	if (!no_default)
		ret->http1 = true;
	if (!ret->http1 && !ret->http2 && !ret->unusable)
		ret->unusable = "it speaks neither HTTP/1.1 nor HTTP/2";
}

/* They have been checked by svcb_params_wrong(). */
static void read_params(struct cursor params, struct fetch_service *ret)
{
	bool no_default = false;
	uint16_t key, length;
	struct cursor value;

	while (cursor_be16(&params, &key) && cursor_be16(&params, &length) &&
	       cursor_take(&params, length, &value)) {
		switch (key) {
		case SVCB_MANDATORY:
			read_mandatory(value, ret);
			break;
		case SVCB_ALPN:
			read_alpn(value, ret);
			break;
		case SVCB_NO_DEFAULT_ALPN:
			no_default = true;
			break;
		case SVCB_PORT:
			(void)cursor_be16(&value, &ret->port);
			if (!ret->port)
				ret->unusable = "its port is 0";
			break;
		case SVCB_IPV4HINT:
		case SVCB_IPV6HINT:
			read_hints(value, key == SVCB_IPV6HINT, ret);
			break;
		default:
			break;
		}
	}
	judge_protocols(no_default, ret);
}

/* RFC 9460 section 2.2: the target is not compressed; a resolver that does
 * not know the type cannot, and we do not mind one that does. */
static bool read_service(
    const uint8_t *base, struct cursor data, struct fetch_record *ret)
{
	struct fetch_service *service = &ret->service;

	if (!cursor_be16(&data, &service->priority) ||
	    !read_name(base, &data, ret->target))
		return false;
	if (svcb_params_wrong(data.at, cursor_left(&data)))
		return false;
	if (service->priority)
		read_params(data, service);
	return true;
}

/* -- records ----------------------------------------------------------- */

static bool read_ip(struct cursor data, struct fetch_record *ret)
{
	struct addr *addr = &ret->addr;

	if (ret->type == RR_A) {
		addr->in.sin_family = AF_INET;
		addr->length = sizeof addr->in;
		return cursor_copy(&data, &addr->in.sin_addr, 4) &&
		       !cursor_left(&data);
	}
	addr->in6.sin6_family = AF_INET6;
	addr->length = sizeof addr->in6;
	return cursor_copy(&data, &addr->in6.sin6_addr, 16) &&
	       !cursor_left(&data);
}

/* False: of a type that is not looked at, or its data is wrong. */
static bool read_data(
    const uint8_t *base, struct cursor data, struct fetch_record *ret)
{
	switch (ret->type) {
	case RR_A:
	case RR_AAAA:
		return read_ip(data, ret);
	case RR_CNAME:
	case RR_NS:
		return read_name(base, &data, ret->target) &&
		       !cursor_left(&data);
	case RR_HTTPS:
		return read_service(base, data, ret);
	default:
		return false;
	}
}

static bool read_record(
    const uint8_t *base, struct cursor *in, struct fetch_answer *ret)
{
	struct fetch_record *record = &ret->records[ret->n];
	uint16_t rr_class, length;
	struct cursor data;

	memset(record, 0, sizeof *record);
	if (!read_name(base, in, record->owner) ||
	    !cursor_be16(in, &record->type) || !cursor_be16(in, &rr_class) ||
	    !cursor_be32(in, &record->ttl_s) || !cursor_be16(in, &length) ||
	    !cursor_take(in, length, &data))
		return false;
	if (record->ttl_s > TTL_MAX)
		record->ttl_s = 0;
	if (rr_class == RR_CLASS_IN && read_data(base, data, record))
		ret->n++;
	return true;
}

/* -- the message ------------------------------------------------------- */

/* An answer to something else is none. */
static bool read_question(
    const uint8_t *base, struct cursor *in, const uint8_t *name, uint16_t type)
{
	uint8_t asked[DNAME_MAX];
	uint16_t asked_type, asked_class;

	return read_name(base, in, asked) && cursor_be16(in, &asked_type) &&
	       cursor_be16(in, &asked_class) && dname_equal(asked, name) &&
	       asked_type == type && asked_class == RR_CLASS_IN;
}

const char *fetch_answer_read(const void *bytes, size_t length,
    const uint8_t *name, uint16_t type, struct fetch_answer *ret)
{
	struct cursor in = cursor_of(bytes, length);
	uint16_t id, flags, questions, counts[3];
	uint32_t left;

	ret->n = 0;
	ret->rcode = 0;
	ret->authoritative = false;
	ret->wrong = "it is no answer to the question";
	if (!cursor_be16(&in, &id) || !cursor_be16(&in, &flags) ||
	    !cursor_be16(&in, &questions) || !cursor_be16(&in, &counts[0]) ||
	    !cursor_be16(&in, &counts[1]) || !cursor_be16(&in, &counts[2]) ||
	    !(flags & FLAG_RESPONSE) || flags & FLAG_OPCODE || questions != 1 ||
	    !read_question(bytes, &in, name, type))
		return ret->wrong;
	ret->rcode = flags & 0xf;
	ret->authoritative = flags & FLAG_AUTHORITATIVE;
	ret->wrong = "it is cut short";
	if (flags & FLAG_TRUNCATED)
		return ret->wrong;
	left = (uint32_t)counts[0] + counts[1] + counts[2];
	for (; left && ret->n < FETCH_RECORDS_MAX; left--) {
		if (read_record(bytes, &in, ret))
			continue;
		ret->n = 0;
		ret->wrong = "a record in it cannot be read";
		return ret->wrong;
	}
	ret->wrong = NULL;
	return NULL;
}

const struct fetch_record *fetch_answer_next(const struct fetch_answer *answer,
    const struct fetch_record *from, const uint8_t *owner, uint16_t type)
{
	const struct fetch_record *end = answer->records + answer->n;

	for (from = from ? from + 1 : answer->records; from < end; from++) {
		if (from->type == type && dname_equal(from->owner, owner))
			return from;
	}
	return NULL;
}

const uint8_t *fetch_answer_follow(
    const struct fetch_answer *answer, const uint8_t *name)
{
	const struct fetch_record *alias;

	for (int i = 0; i < ALIASES_MAX; i++) {
		alias = fetch_answer_next(answer, NULL, name, RR_CNAME);
		if (!alias || fetch_answer_next(answer, alias, name, RR_CNAME))
			break;
		name = alias->target;
	}
	return name;
}

const char *fetch_answer_verdict(const struct fetch_answer *answer)
{
	static const char *const texts[] = {"no error", "format error",
	    "server failure", "no such name", "not implemented", "refused"};

	if (answer->wrong)
		return answer->wrong;
	return answer->rcode < BR_COUNT(texts) ? texts[answer->rcode]
					       : "failure";
}
