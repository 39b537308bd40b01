/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/name_answer.h"

#include "base/assert.h"
#include "base/cursor.h"

#include <arpa/nameser.h>
#include <string.h>
#include <strings.h>

/* RFC 2181, section 8: a TTL with the top bit set counts as 0. */
#define TTL_MAX UINT32_C(0x7fffffff)

struct reading {
	ns_msg message;
	enum name_type type;
	struct name_answer *ret;
	char name[NS_MAXDNAME]; /* whose records are looked for */
	uint32_t ttl_s; /* the shortest so far */
};

static const ns_type wire_types[NAME_TYPES] = {ns_t_a, ns_t_aaaa, ns_t_srv};
static const char *const type_texts[NAME_TYPES] = {"A", "AAAA", "SRV"};

const char *name_type_text(enum name_type type)
{
	return type_texts[type];
}

const char *name_result_text(enum name_result result)
{
	static const char *const texts[NAME_RESULTS] = {
#define X(name, text) text,
	    NAME_RESULT_LIST(X)
#undef X
	};

	return texts[result];
}

static void keep_shortest(struct reading *r, uint32_t ttl_s)
{
	if (ttl_s > TTL_MAX)
		ttl_s = 0;
	if (ttl_s < r->ttl_s)
		r->ttl_s = ttl_s;
}

static bool is_ours(const struct reading *r, ns_rr *rr, ns_type type)
{
	return ns_rr_class(*rr) == ns_c_in && ns_rr_type(*rr) == type &&
	       !strcasecmp(ns_rr_name(*rr), r->name);
}

/* A name within the message as text; without escapes, which no host has. */
static bool read_name(
    const struct reading *r, const uint8_t *at, char *ret, size_t room)
{
	char text[NS_MAXDNAME];
	int n = ns_name_uncompress(ns_msg_base(r->message),
	    ns_msg_end(r->message), at, text, sizeof text);

	if (n < 0 || strlen(text) >= room || strchr(text, '\\'))
		return false;
	memcpy(ret, text, strlen(text) + 1);
	return true;
}

/* -- aliases ----------------------------------------------------------- */

/* One step; false when the name is nobody's alias. */
static bool follow_alias(struct reading *r)
{
	ns_rr rr;

	for (int i = 0; i < ns_msg_count(r->message, ns_s_an); i++) {
		if (ns_parserr(&r->message, ns_s_an, i, &rr))
			return false;
		if (!is_ours(r, &rr, ns_t_cname))
			continue;
		if (!read_name(r, ns_rr_rdata(rr), r->name, sizeof r->name))
			return false;
		keep_shortest(r, ns_rr_ttl(rr));
		return true;
	}
	return false;
}

/* -- records ----------------------------------------------------------- */

static bool read_ip(
    const struct reading *r, struct cursor *data, struct name_record *record)
{
	struct addr *addr = &record->addr;

	if (r->type == NAME_A) {
		addr->in.sin_family = AF_INET;
		addr->length = sizeof addr->in;
		return cursor_copy(data, &addr->in.sin_addr, 4) &&
		       !cursor_left(data);
	}
	addr->in6.sin6_family = AF_INET6;
	addr->length = sizeof addr->in6;
	return cursor_copy(data, &addr->in6.sin6_addr, 16) &&
	       !cursor_left(data);
}

/* RFC 2782: a target of "." says that the service is not offered. */
static bool read_srv(
    const struct reading *r, struct cursor *data, struct name_record *record)
{
	return cursor_be16(data, &record->priority) &&
	       cursor_be16(data, &record->weight) &&
	       cursor_be16(data, &record->port) && cursor_left(data) &&
	       read_name(r, data->at, record->target, sizeof record->target) &&
	       record->target[0] && strcmp(record->target, ".") != 0 &&
	       record->port;
}

static void add_record(struct reading *r, ns_rr *rr)
{
	struct cursor data = cursor_of(ns_rr_rdata(*rr), ns_rr_rdlen(*rr));
	struct name_record *record = &r->ret->records[r->ret->n];

	if (r->ret->n == NAME_RECORDS_MAX)
		return;
	memset(record, 0, sizeof *record);
	if (!(r->type == NAME_SRV ? read_srv : read_ip)(r, &data, record))
		return;
	keep_shortest(r, ns_rr_ttl(*rr));
	r->ret->n++;
}

static bool add_records(struct reading *r)
{
	ns_rr rr;

	for (int i = 0; i < ns_msg_count(r->message, ns_s_an); i++) {
		if (ns_parserr(&r->message, ns_s_an, i, &rr))
			return false;
		if (is_ours(r, &rr, wire_types[r->type]))
			add_record(r, &rr);
	}
	return true;
}

/* RFC 2308, section 5: an absence holds for the lesser of the SOA's own TTL
 * and its last field. */
static uint32_t absence_ttl(struct reading *r)
{
	uint32_t minimum, ttl_s;
	ns_rr rr;

	for (int i = 0; i < ns_msg_count(r->message, ns_s_ns); i++) {
		if (ns_parserr(&r->message, ns_s_ns, i, &rr))
			return 0;
		if (ns_rr_type(rr) != ns_t_soa || ns_rr_rdlen(rr) < 22)
			continue;
		minimum =
		    (uint32_t)ns_get32(ns_rr_rdata(rr) + ns_rr_rdlen(rr) - 4);
		ttl_s = ns_rr_ttl(rr);
		if (minimum < ttl_s)
			ttl_s = minimum;
		return ttl_s > TTL_MAX ? 0 : ttl_s;
	}
	return 0;
}

static enum name_result result_of_rcode(int rcode)
{
	switch (rcode) {
	case ns_r_noerror:
		return NAME_ANSWER;
	case ns_r_nxdomain:
		return NAME_NXDOMAIN;
	case ns_r_servfail:
		return NAME_SERVFAIL;
	case ns_r_refused:
		return NAME_REFUSED;
	default:
		return NAME_FAILED;
	}
}

/* The question must be there, and be one for these records. */
static bool read_question(struct reading *r)
{
	ns_rr rr;

	if (!ns_msg_getflag(r->message, ns_f_qr) ||
	    ns_msg_count(r->message, ns_s_qd) != 1 ||
	    ns_parserr(&r->message, ns_s_qd, 0, &rr) ||
	    ns_rr_type(rr) != wire_types[r->type])
		return false;
	memcpy(r->name, ns_rr_name(rr), strlen(ns_rr_name(rr)) + 1);
	return true;
}

static enum name_result read_all(struct reading *r)
{
	enum name_result result =
	    result_of_rcode(ns_msg_getflag(r->message, ns_f_rcode));

	if (!read_question(r))
		return NAME_MALFORMED;
	if (result == NAME_ANSWER) {
		for (int i = 0; i < NAME_ALIASES_MAX && follow_alias(r); i++)
			;
		if (!add_records(r))
			return NAME_MALFORMED;
		if (!r->ret->n)
			result = NAME_NODATA;
	}
	if (result == NAME_NXDOMAIN || result == NAME_NODATA)
		r->ttl_s = absence_ttl(r);
	return result;
}

void name_answer_read(const void *bytes, size_t length, enum name_type type,
    struct name_answer *ret)
{
	struct reading r = {.type = type, .ret = ret, .ttl_s = TTL_MAX};

	br_assert(type < NAME_TYPES);
	ret->n = 0;
	ret->result = NAME_MALFORMED;
	if (length <= UINT16_MAX &&
	    !ns_initparse(bytes, (int)length, &r.message))
		ret->result = read_all(&r);
	if (ret->result != NAME_ANSWER)
		ret->n = 0;
	ret->ttl_s = ret->result <= NAME_NODATA ? r.ttl_s : 0;
}
