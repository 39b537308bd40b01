/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/responder.h"

#include "base/assert.h"
#include "dnsd/responder_part.h"
#include "dnsd/zone_set.h"

#include <string.h>

#define CLASS_IN 1
#define CLASS_CH 3

/* -- errors ------------------------------------------------------------ */

void responder_fail(struct responder *r, enum wire_rcode rcode, int error)
{
	r->rcode = (uint16_t)rcode;
	r->reply.error = (int16_t)error;
	r->facts->kind = DNS_KIND_error;
}

/* RFC 6891 sections 6.1.1 and 7: the OPT of a message that makes no sense, or
 * that we know nothing of, is answered with one that says nothing. */
static void fail_unread(struct responder *r, enum wire_rcode rcode)
{
	r->edns = (struct edns){
	    .present = r->query.has_opt,
	    .udp_size = r->query.opt_class,
	};
	responder_fail(r, rcode, EDNS_ERROR_NONE);
}

/* -- EDNS -------------------------------------------------------------- */

/* RFC 7873 section 5.2: whoever sends a client cookie gets a server cookie,
 * also with an error. Without a valid one the query is answered all the same
 * (section 5.2.3, the third choice), with less over UDP. */
static void answer_cookie(struct responder *r)
{
	const struct cookie_secrets *secrets = r->view->cookies;
	const struct edns *edns = &r->edns;
	bool fresh = false, valid;

	if (!secrets || !edns->cookie_length)
		return;
	valid = cookie_check(secrets, edns->cookie, edns->cookie_length,
	    &r->client->source, r->client->now, &fresh);
	r->facts->cookie = valid ? DNS_COOKIE_valid
			   : edns->cookie_length > COOKIE_CLIENT_BYTES
			       ? DNS_COOKIE_invalid
			       : DNS_COOKIE_client;
	r->reply.cookie = true;
	if (fresh)
		memcpy(r->reply.cookie_bytes, edns->cookie, COOKIE_BYTES);
	else
		cookie_make(secrets, edns->cookie, &r->client->source,
		    r->client->now, r->reply.cookie_bytes);
}

static void answer_options(struct responder *r)
{
	const struct edns *edns = &r->edns;
	bool tcp = r->client->transport == DNS_TCP;

	if (edns->has_nsid)
		r->reply.nsid = r->view->nsid;
	/* RFC 7828 section 3.3.1: not over UDP. */
	if (edns->has_keepalive && tcp) {
		r->reply.keepalive = true;
		r->reply.keepalive_100ms = r->client->tcp_idle_100ms;
	}
	/* RFC 7871 section 7.2.1: answered whenever it is used at all. */
	if (edns->has_subnet && r->view->ecs) {
		r->reply.subnet = true;
		r->facts->ecs = true;
		r->facts->ecs_source = edns->subnet.source;
	}
	answer_cookie(r);
}

/* False: there is an error to answer. */
static bool read_edns(struct responder *r)
{
	const struct wire_query *query = &r->query;

	if (!query->has_opt)
		return true;
	if (!edns_read(
		&r->edns, query->opt_class, query->opt_ttl, query->opt)) {
		r->facts->edns = true;
		fail_unread(r, WIRE_FORMERR);
		return false;
	}
	r->facts->edns = true;
	r->facts->dnssec_ok = r->edns.dnssec_ok;
	/* Of all versions that are to come (RFC 8906 section 8.2). */
	r->reply.dnssec_ok = r->edns.dnssec_ok;
	/* RFC 6891 section 6.1.3. */
	if (r->edns.version) {
		responder_fail(r, WIRE_BADVERS, EDNS_ERROR_NONE);
		return false;
	}
	answer_options(r);
	return true;
}

/* -- size -------------------------------------------------------------- */

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t limit_of(const struct responder *r, size_t room)
{
	size_t limit = 512; /* RFC 1035 section 4.2.1 */

	if (r->client->transport == DNS_TCP)
		return min_size(room, WIRE_MESSAGE_MAX);
	if (r->edns.present && r->edns.udp_size > limit)
		limit = min_size(r->edns.udp_size, RESPONDER_UDP_MAX);
	if (r->facts->cookie != DNS_COOKIE_valid)
		limit = min_size(limit, r->view->nocookie_max);
	return min_size(room, limit);
}

/* -- class CH ---------------------------------------------------------- */

static bool is_name(const struct responder *r, const char *wire, size_t size)
{
	return r->query.name_size == size &&
	       dname_equal(r->query.name, (const uint8_t *)wire);
}

static const char *chaos_text(const struct responder *r)
{
	if (is_name(r, "\7version\4bind", 14) ||
	    is_name(r, "\7version\6server", 16))
		return r->view->chaos_version;
	if (is_name(r, "\2id\6server", 11) ||
	    is_name(r, "\10hostname\4bind", 15))
		return r->view->chaos_id;
	return NULL;
}

/* RFC 4892; a TXT of one string that fits in one. */
static void answer_chaos(struct responder *r)
{
	const char *text = chaos_text(r);
	struct wire_owner owner = {r->query.name, WIRE_HEADER_BYTES};
	uint8_t rdata[256];

	if (!text) {
		responder_fail(r, WIRE_REFUSED, EDNS_ERROR_PROHIBITED);
		return;
	}
	r->facts->kind = DNS_KIND_special;
	r->authoritative = true;
	if (r->query.type != TYPE_TXT && r->query.type != TYPE_ANY)
		return;
	rdata[0] = (uint8_t)min_size(strlen(text), 255);
	memcpy(rdata + 1, text, rdata[0]);
	r->writer.class = CLASS_CH;
	if (!wire_put_record(&r->writer, WIRE_ANSWER, &owner, TYPE_TXT, 0,
		rdata, (uint16_t)(rdata[0] + 1)))
		r->facts->truncated = true;
}

/* -- what is asked ----------------------------------------------------- */

/* Performed by the caller, if the name is right. */
static bool is_transfer(const struct responder *r)
{
	uint16_t type = r->query.type;

	return (type == TYPE_AXFR || type == TYPE_IXFR) && r->view->transfers &&
	       r->client->transport == DNS_TCP;
}

/* AXFR is for streams (RFC 5936 section 4.2). IXFR over UDP could be answered
 * with a lone SOA (RFC 1995 section 2), which any query for the SOA gets; but
 * a source address proves nothing over UDP, so no list of addresses can be
 * held against it. Both are refused, and tried again over TCP. */
static void answer_transfer(struct responder *r)
{
	if (!is_transfer(r)) {
		responder_fail(r, WIRE_REFUSED, EDNS_ERROR_PROHIBITED);
		return;
	}
	dname_key_of(&r->key, r->query.name, r->query.name_size,
	    zone_set_seed(r->view->zones));
	const struct zone *zone = zone_set_find(r->view->zones, &r->key);

	/* RFC 5936 section 2.2.1: of a zone we have, by its apex. */
	if (!zone || !dname_equal(zone_apex(zone), r->query.name)) {
		responder_fail(r, WIRE_NOTAUTH, EDNS_ERROR_NOT_AUTHORITATIVE);
		return;
	}
	r->facts->zone = zone;
	r->facts->kind = DNS_KIND_transfer;
}

/* Types that no record has (RFC 6895 section 3.1). True: answered. */
static bool answer_meta(struct responder *r)
{
	switch (r->query.type) {
	case TYPE_OPT:
	case TYPE_TSIG:
	case TYPE_NXNAME: /* RFC 9824 section 3.5 */
		responder_fail(r, WIRE_FORMERR, EDNS_ERROR_INVALID_QUERY_TYPE);
		return true;
	case TYPE_TKEY:
	case TYPE_MAILA:
	case TYPE_MAILB:
		responder_fail(r, WIRE_NOTIMP, EDNS_ERROR_NOT_SUPPORTED);
		return true;
	case TYPE_AXFR:
	case TYPE_IXFR:
		answer_transfer(r);
		return true;
	default:
		return false;
	}
}

static void answer_question(struct responder *r)
{
	if (r->query.class == CLASS_CH) {
		answer_chaos(r);
		return;
	}
	/* RFC 8906 section 3.1.3: of a class that is not served. */
	if (r->query.class != CLASS_IN) {
		responder_fail(r, WIRE_REFUSED, EDNS_ERROR_NOT_AUTHORITATIVE);
		return;
	}
	if (!answer_meta(r))
		responder_zone_answer(r);
}

/* RFC 7873 section 5.4: a query without a question asks for a cookie. */
static void answer_no_question(struct responder *r)
{
	if (!r->reply.cookie) {
		responder_fail(r, WIRE_FORMERR, EDNS_ERROR_NONE);
		return;
	}
	r->facts->kind = DNS_KIND_special;
	if (r->facts->cookie == DNS_COOKIE_invalid)
		responder_fail(r, WIRE_BADCOOKIE, EDNS_ERROR_NONE);
}

/* -- the message ------------------------------------------------------- */

/* Reads what must be known before a byte of the answer is written. True: the
 * question is to be answered, false: there is an error already. */
static bool prepare(struct responder *r, enum wire_result result)
{
	if (result == WIRE_MALFORMED) {
		fail_unread(r, WIRE_FORMERR);
		return false;
	}
	/* RFC 8906 section 3.1.4. NOTIFY and UPDATE are among them: we are
	 * nobody's secondary, and zones change by their files. */
	if (r->query.opcode) {
		fail_unread(r, WIRE_NOTIMP);
		return false;
	}
	if (!read_edns(r))
		return false;
	/* A transfer signs all of its messages, so it checks for itself. */
	return !r->query.tsig_at || is_transfer(r) || responder_tsig_read(r);
}

/* NSID is the one option without a bound that the smallest message holds. */
static bool reserve_opt(struct responder *r, size_t *ret_size)
{
	*ret_size = 0;
	if (!r->edns.present)
		return true;
	/* What the answer decides: an error may yet be said. */
	*ret_size = edns_reply_size(&r->edns, &r->reply) + EDNS_ERROR_BYTES;
	if (wire_reserve(&r->writer, *ret_size))
		return true;
	r->reply.nsid = NULL;
	*ret_size = edns_reply_size(&r->edns, &r->reply) + EDNS_ERROR_BYTES;
	return wire_reserve(&r->writer, *ret_size);
}

/* RFC 8945 section 5.3: whatever is left out, the signature is not. Names of
 * keys and algorithms that leave no room for a question are nobody's. */
static size_t reserve_tsig(struct responder *r)
{
	size_t size;

	if (!r->has_tsig)
		return 0;
	size = responder_tsig_size(r);
	if (wire_reserve(&r->writer, size))
		return size;
	r->has_tsig = false;
	responder_fail(r, WIRE_FORMERR, EDNS_ERROR_NONE);
	return 0;
}

static uint16_t flags_of(const struct responder *r)
{
	unsigned flags = r->query.flags & WIRE_OPCODE;

	/* RFC 1035 section 4.1.1. What the bits mean elsewhere is not known
	 * (RFC 8906 section 8.1.4). */
	if (!r->query.opcode)
		flags |= r->query.flags & WIRE_RD;
	if (r->authoritative)
		flags |= WIRE_AA;
	if (r->facts->truncated)
		flags |= WIRE_TC;
	return (uint16_t)flags;
}

static size_t finish(struct responder *r, size_t opt_size, size_t limit)
{
	struct wire_writer *w = &r->writer;
	size_t length;

	r->facts->rcode = r->rcode;
	r->facts->ecs_scope = r->reply.scope;
	if (r->edns.present) {
		/* RFC 7830 section 6: whether the way is encrypted, a TLS
		 * listener in front knows; over UDP it never is. */
		bool padded =
		    r->edns.has_padding && r->client->transport == DNS_TCP;

		wire_release(w, opt_size);
		r->reply.rcode = r->rcode;
		edns_reply_write(
		    &r->edns, &r->reply, padded ? limit : 0, &w->out);
		w->counts[WIRE_ADDITIONAL]++;
	}
	length = wire_end(w, r->query.id, flags_of(r), r->rcode);
	if (r->has_tsig)
		length =
		    tsig_sign(&r->tsig, w->out.base, length, r->client->now);
	return length;
}

static size_t answer(
    struct responder *r, enum wire_result result, void *out, size_t room)
{
	bool go_on = prepare(r, result);
	size_t opt_size, tsig_size, limit = limit_of(r, room);

	if (!wire_begin(&r->writer, out, limit, &r->query) ||
	    !reserve_opt(r, &opt_size)) {
		r->facts->drop = DNS_DROP_room;
		r->facts->kind = DNS_KIND_none;
		return 0;
	}
	tsig_size = reserve_tsig(r);
	go_on = go_on && r->rcode == WIRE_NOERROR;
	if (go_on && r->query.name)
		answer_question(r);
	else if (go_on)
		answer_no_question(r);
	if (r->facts->kind == DNS_KIND_transfer)
		return 0;
	return finish(r, opt_size, limit - tsig_size);
}

size_t responder_answer(const struct dns_view *view,
    const struct dns_client *client, const uint8_t *query, size_t query_length,
    uint8_t *out, size_t room, struct query_facts *ret)
{
	struct responder r;
	enum wire_result result =
	    wire_query_read(&r.query, query, query_length);

	*ret = (struct query_facts){.pop = QUERY_NO_POP,
	    .counter = QUERY_NO_COUNTER,
	    .name = r.query.name,
	    .type = r.query.type,
	    .class = r.query.class,
	    .opcode = r.query.opcode};
	if (result == WIRE_SHORT || result == WIRE_RESPONSE) {
		ret->drop =
		    result == WIRE_SHORT ? DNS_DROP_short : DNS_DROP_response;
		return 0;
	}
	r.view = view;
	r.client = client;
	r.facts = ret;
	r.rcode = WIRE_NOERROR;
	r.authoritative = r.has_tsig = false;
	r.edns = (struct edns){0};
	r.reply = (struct edns_reply){.error = EDNS_ERROR_NONE};
	return answer(&r, result, out, room);
}
