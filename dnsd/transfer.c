/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/transfer.h"

#include "base/assert.h"
#include "dnsd/edns.h"
#include "dnsd/resource.h"
#include "dnsd/rr_type.h"

#include <stdlib.h>
#include <string.h>

#define OPCODE_NOTIFY 0x2000u
/* Most of a query that can ask for a transfer: question, OPT, TSIG. */
#define QUERY_BYTES_MAX 4096u
/* Records about the message itself. */
#define BEHIND_BYTES (EDNS_FIXED_BYTES + TSIG_RECORD_MAX)

/* The records one after the other, whatever they come from. */
struct record_walk {
	const struct zone *zone;
	uint32_t node;
	/* The rrset, or its RRSIGs, that is being given out. */
	const struct rrset *set; /* of the node; NULL before the first */
	const struct rrset *part;
	const uint8_t *at;
	uint32_t left;
	/* What a resource answers, when the node's sets are done. */
	uint32_t next_type;
	bool in_resource;
	struct answer_set answer;
	struct resource_choice choice;
};

enum transfer_step {
	TRANSFER_SOA_FIRST,
	TRANSFER_RECORDS,
	TRANSFER_SOA_LAST,
	TRANSFER_DONE,
	TRANSFER_REFUSAL, /* one message with an error */
};

struct transfer {
	struct dns_transfer base;
	struct zone *zone;
	enum transfer_step step;
	uint16_t rcode;
	bool is_first;
	bool has_pending;
	struct dns_record pending; /* had no room in the message before */
	struct tsig_key *tsig_key;
	struct tsig_session tsig;
	struct record_walk walk;
	struct wire_query query;
	struct dname_key key; /* of the apex */
	uint8_t query_bytes[QUERY_BYTES_MAX];
};

/* -- records ----------------------------------------------------------- */

static const struct zone_node *walk_node(const struct record_walk *walk)
{
	return zone_node_at(walk->zone, walk->node);
}

static void start_part(struct record_walk *walk, const struct rrset *part)
{
	walk->part = part;
	walk->at = rrset_records(part);
	walk->left = part->n;
}

static const struct rrset *variant_rrsig(const struct record_walk *walk)
{
	return zone_variant_signatures(walk->zone, walk_node(walk),
	    walk->answer.type, walk->answer.variant);
}

/* The records of the resource's next type, or its signature. */
static bool next_of_resource(struct record_walk *walk)
{
	const struct zone_node *node = walk_node(walk);
	const struct zone_dynamic *dynamic = zone_dynamic(walk->zone, node);
	const struct rrset *rrsig = NULL;

	if (!dynamic)
		return false;
	if (walk->in_resource) {
		walk->in_resource = false;
		rrsig = variant_rrsig(walk);
		if (rrsig) {
			start_part(walk, rrsig);
			return true;
		}
	}
	while (walk->next_type < dynamic->n_types) {
		if (!walk->next_type)
			resource_choose_heaviest(
			    dynamic->resource, &walk->choice);
		resource_answer(dynamic->resource, &walk->choice,
		    dynamic->types[walk->next_type++], &walk->answer);
		if (walk->answer.n) {
			/* RFC 4034 section 3: signature and records have one
			 * TTL. */
			rrsig = variant_rrsig(walk);
			if (rrsig)
				walk->answer.ttl = rrsig->ttl;
			walk->in_resource = true;
			walk->part = NULL;
			walk->left = walk->answer.n;
			return true;
		}
	}
	return false;
}

/* The next rrset, its RRSIGs behind it; then the resource; then the node
 * after it. */
static bool next_part(struct record_walk *walk)
{
	for (;;) {
		const struct zone_node *node = walk_node(walk);

		if (walk->set && walk->part == walk->set &&
		    rrset_signatures(walk->set)) {
			start_part(walk, rrset_signatures(walk->set));
			return true;
		}
		if (!walk->in_resource && !walk->next_type) {
			walk->set =
			    zone_next_rrset(walk->zone, node, walk->set);
			if (walk->set) {
				start_part(walk, walk->set);
				return true;
			}
		}
		if (next_of_resource(walk))
			return true;
		if (++walk->node == zone_n_nodes(walk->zone))
			return false;
		walk->set = walk->part = NULL;
		walk->next_type = 0;
	}
}

static bool next_record(struct record_walk *walk, struct dns_record *ret)
{
	struct answer_record record;
	bool is_answer;

	if (!walk->left && !next_part(walk))
		return false;
	is_answer = !walk->part;
	if (is_answer)
		record = walk->answer.records[walk->answer.n - walk->left];
	else
		record = rrset_take(&walk->at);
	walk->left--;
	*ret = (struct dns_record){
	    .owner = zone_node_name(walk->zone, walk_node(walk)),
	    .type = is_answer ? walk->answer.type : walk->part->type,
	    .ttl = is_answer ? walk->answer.ttl : walk->part->ttl,
	    .rdata = record.rdata,
	    .length = record.length,
	};
	return true;
}

static void soa_record(const struct zone *zone, struct dns_record *ret)
{
	const struct rrset *soa = zone_soa(zone);
	const uint8_t *at = rrset_records(soa);
	struct answer_record record = rrset_take(&at);

	*ret = (struct dns_record){.owner = zone_apex(zone),
	    .type = RR_SOA,
	    .ttl = soa->ttl,
	    .rdata = record.rdata,
	    .length = record.length};
}

/* -- messages ---------------------------------------------------------- */

static bool put(struct wire_writer *w, const struct dns_record *record)
{
	struct wire_owner owner = {record->owner, 0};

	return wire_put_record(w, WIRE_ANSWER, &owner, record->type,
	    record->ttl, record->rdata, record->length);
}

/* What comes next of the whole answer; the SOA of the walk is left out. */
static bool next_of_transfer(struct transfer *transfer, struct dns_record *ret)
{
	if (transfer->step == TRANSFER_SOA_FIRST) {
		transfer->step = TRANSFER_RECORDS;
		soa_record(transfer->zone, ret);
		return true;
	}
	if (transfer->step == TRANSFER_RECORDS) {
		while (next_record(&transfer->walk, ret))
			if (ret->type != RR_SOA)
				return true;
		transfer->step = TRANSFER_SOA_LAST;
	}
	if (transfer->step != TRANSFER_SOA_LAST)
		return false;
	transfer->step = TRANSFER_DONE;
	soa_record(transfer->zone, ret);
	return true;
}

/* Records until the message is full. The only one of a message always fits:
 * the zone has none that is larger (RRSET_BYTES_MAX). */
static void fill(struct transfer *transfer, struct wire_writer *w)
{
	struct dns_record record;

	while (cursor_out_length(&w->out) < TRANSFER_MESSAGE_BYTES) {
		if (transfer->has_pending)
			record = transfer->pending;
		else if (!next_of_transfer(transfer, &record))
			return;
		transfer->has_pending = !put(w, &record);
		if (transfer->has_pending) {
			br_assert(w->counts[WIRE_ANSWER]);
			transfer->pending = record;
			return;
		}
	}
}

/* RFC 6891 section 6.1.1: an OPT for an OPT. It stands in the first message
 * (RFC 5936 section 2.2.5), in room that was kept for it. */
static void put_opt(
    struct transfer *transfer, struct wire_writer *w, enum edns_error error)
{
	const struct edns none = {.present = true};
	const struct edns_reply reply = {.error = (int16_t)error};

	if (!transfer->query.has_opt)
		return;
	edns_reply_write(&none, &reply, 0, &w->out);
	w->counts[WIRE_ADDITIONAL]++;
}

static size_t finish(struct transfer *transfer, struct wire_writer *w,
    uint16_t flags, uint16_t rcode)
{
	size_t length = wire_end(w, transfer->query.id,
	    (uint16_t)(flags | (transfer->query.flags & WIRE_RD)), rcode);

	/* The time of sending: the receiver holds it against its clock. */
	if (transfer->query.tsig_at && transfer->tsig.error != TSIG_FORMERR)
		length =
		    tsig_sign(&transfer->tsig, w->out.base, length, wall_now());
	return length;
}

static size_t refuse(struct transfer *transfer, uint8_t *out, size_t room)
{
	struct wire_writer w;

	transfer->step = TRANSFER_DONE;
	br_assert(wire_begin(&w, out, room, &transfer->query));
	put_opt(transfer, &w,
	    transfer->rcode == WIRE_REFUSED ? EDNS_ERROR_PROHIBITED
					    : EDNS_ERROR_NONE);
	return finish(transfer, &w, 0, transfer->rcode);
}

/* The question is in the first message only (RFC 5936 section 2.2.1). */
static size_t on_next(struct dns_transfer *base, uint8_t *out, size_t room)
{
	struct transfer *transfer = (struct transfer *)(void *)base;
	static const struct wire_query no_question;
	struct wire_writer w;
	bool is_first = transfer->is_first;

	if (transfer->step == TRANSFER_REFUSAL)
		return refuse(transfer, out, room);
	if (transfer->step == TRANSFER_DONE && !transfer->has_pending)
		return 0;
	br_assert(wire_begin(
	    &w, out, room, is_first ? &transfer->query : &no_question));
	if (is_first)
		wire_set_key(&w, &transfer->key, zone_seed(transfer->zone));
	else
		w.seed = zone_seed(transfer->zone);
	transfer->is_first = false;
	br_assert(wire_reserve(&w, BEHIND_BYTES));
	fill(transfer, &w);
	wire_release(&w, EDNS_FIXED_BYTES);
	if (is_first)
		put_opt(transfer, &w, EDNS_ERROR_NONE);
	return finish(transfer, &w, WIRE_AA, WIRE_NOERROR);
}

static void on_end(struct dns_transfer *base)
{
	struct transfer *transfer = (struct transfer *)(void *)base;

	zone_unref(transfer->zone);
	tsig_key_free(transfer->tsig_key);
	free(transfer);
}

/* -- who may ----------------------------------------------------------- */

/* A query that is signed is answered with a signature, whoever asks: so it
 * can be told from what a stranger made up. */
static uint16_t judge(
    struct transfer *transfer, const struct transfer_options *options)
{
	bool is_signed = transfer->query.tsig_at != 0;

	if (is_signed) {
		switch (tsig_verify(&transfer->tsig, transfer->tsig_key,
		    &transfer->query, options->now)) {
		case TSIG_NONE:
			break;
		case TSIG_FORMERR:
			return WIRE_FORMERR;
		default:
			return WIRE_NOTAUTH;
		}
	}
	if (!options->is_allowed || (options->key && !is_signed))
		return WIRE_REFUSED;
	return WIRE_NOERROR;
}

struct dns_transfer *transfer_new(
    const struct transfer_options *options, const uint8_t *query, size_t length)
{
	struct transfer *transfer = calloc(1, sizeof *transfer);
	const uint8_t *apex = zone_apex(options->zone);

	if (!transfer)
		br_out_of_memory("a transfer", sizeof *transfer);
	transfer->base = (struct dns_transfer){.next = on_next, .end = on_end};
	transfer->zone = zone_ref(options->zone);
	transfer->tsig_key = tsig_key_copy(options->key);
	transfer->is_first = true;
	transfer->walk.zone = transfer->zone;
	dname_key_of(
	    &transfer->key, apex, dname_size(apex), zone_seed(transfer->zone));
	transfer->rcode = WIRE_FORMERR;
	if (length <= QUERY_BYTES_MAX) {
		memcpy(transfer->query_bytes, query, length);
		if (wire_query_read(&transfer->query, transfer->query_bytes,
			length) == WIRE_OK)
			transfer->rcode = judge(transfer, options);
	}
	if (transfer->rcode != WIRE_NOERROR)
		transfer->step = TRANSFER_REFUSAL;
	return &transfer->base;
}

/* -- notify ------------------------------------------------------------ */

size_t transfer_notify(const struct zone *zone, uint16_t id,
    const struct tsig_key *key, struct wall now, uint8_t *out, size_t room)
{
	uint8_t question[WIRE_HEADER_BYTES + DNAME_MAX + 4] = {0};
	const uint8_t *apex = zone_apex(zone);
	size_t size = dname_copy(question + WIRE_HEADER_BYTES, apex);
	struct wire_query about = {.bytes = question,
	    .name = question + WIRE_HEADER_BYTES,
	    .name_size = (uint8_t)size,
	    .question_end = (uint16_t)(WIRE_HEADER_BYTES + size + 4)};
	struct tsig_session session;
	struct dns_record soa;
	struct wire_writer w;
	struct dname_key apex_key;
	size_t length;

	question[WIRE_HEADER_BYTES + size + 1] = RR_SOA;
	question[WIRE_HEADER_BYTES + size + 3] = RR_CLASS_IN;
	br_assert(wire_begin(&w, out, room, &about));
	dname_key_of(&apex_key, apex, size, zone_seed(zone));
	wire_set_key(&w, &apex_key, zone_seed(zone));
	soa_record(zone, &soa);
	br_assert(wire_reserve(&w, TSIG_RECORD_MAX) && put(&w, &soa));
	length = wire_end(&w, id, OPCODE_NOTIFY | WIRE_AA, 0);
	/* It is a request: QR is not set. */
	out[2] &= 0x7f;
	if (!key)
		return length;
	tsig_start(&session, key);
	return tsig_sign(&session, out, length, now);
}
