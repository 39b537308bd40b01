/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/wire.h"

#include "base/assert.h"

#define TYPE_OPT 41
#define TYPE_TSIG 250
#define POINTER 0xc000u

/* -- reading ----------------------------------------------------------- */

/* RFC 1035 section 4.1.2. A pointer in the first name of a message has nothing
 * to point to, so dname_measure() takes none. */
static bool read_question(struct wire_query *query, struct cursor *c)
{
	const uint8_t *name = c->at;
	size_t size = dname_measure(name, cursor_left(c));

	if (!size || !cursor_skip(c, size) || !cursor_be16(c, &query->type) ||
	    !cursor_be16(c, &query->class))
		return false;
	query->name = name;
	query->name_size = (uint8_t)size;
	query->question_end = (uint16_t)(c->at - query->bytes);
	return true;
}

/* Passes an owner that may end in a pointer (RFC 1035 section 4.1.4), which
 * must point backwards, behind the header. */
static bool skip_owner(const struct wire_query *query, struct cursor *c)
{
	size_t size = 0, before = (size_t)(c->at - query->bytes);
	uint8_t length, low;

	do {
		if (!cursor_u8(c, &length))
			return false;
		if (length >= 0xc0) {
			if (!cursor_u8(c, &low))
				return false;
			size_t to = (size_t)(length & 0x3f) << 8 | low;

			return to >= WIRE_HEADER_BYTES && to < before;
		}
		size += 1u + length;
		if (length > DNAME_LABEL_MAX || size > DNAME_MAX ||
		    !cursor_skip(c, length))
			return false;
	} while (length);
	return true;
}

struct extra {
	uint16_t type, class;
	uint32_t ttl;
	struct cursor rdata;
};

static bool read_extra(
    const struct wire_query *query, struct cursor *c, struct extra *ret)
{
	uint16_t length;

	return skip_owner(query, c) && cursor_be16(c, &ret->type) &&
	       cursor_be16(c, &ret->class) && cursor_be32(c, &ret->ttl) &&
	       cursor_be16(c, &length) && cursor_take(c, length, &ret->rdata);
}

/* At most one OPT, owned by the root (RFC 6891 section 6.1.1), and at most one
 * TSIG, the last of all (RFC 8945 section 5.1). */
static bool read_extras(struct wire_query *query, struct cursor *c)
{
	uint32_t before = query->counts[WIRE_ANSWER] +
			  (uint32_t)query->counts[WIRE_AUTHORITY];
	uint32_t n = before + query->counts[WIRE_ADDITIONAL];

	if (n > WIRE_EXTRA_MAX)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *at = c->at;
		struct extra extra;

		if (!read_extra(query, c, &extra))
			return false;
		if (extra.type == TYPE_OPT) {
			if (i < before || query->has_opt || *at)
				return false;
			query->has_opt = true;
			query->opt_class = extra.class;
			query->opt_ttl = extra.ttl;
			query->opt = extra.rdata;
		} else if (extra.type == TYPE_TSIG) {
			if (i < before || i + 1 < n)
				return false;
			query->tsig_at = (uint16_t)(at - query->bytes);
		}
	}
	return !cursor_left(c);
}

static void read_header(struct wire_query *query, struct cursor *c)
{
	bool whole = cursor_be16(c, &query->id);

	whole = whole && cursor_be16(c, &query->flags);
	for (int i = 0; i < 4; i++)
		whole = whole && cursor_be16(c, &query->counts[i]);
	br_assert(whole);
	query->opcode = (uint8_t)((query->flags & WIRE_OPCODE) >> 11);
}

enum wire_result wire_query_read(
    struct wire_query *ret, const uint8_t *bytes, size_t length)
{
	struct cursor c = cursor_of(bytes, length);

	*ret = (struct wire_query){.bytes = bytes, .length = length};
	if (length < WIRE_HEADER_BYTES)
		return WIRE_SHORT;
	read_header(ret, &c);
	ret->question_end = WIRE_HEADER_BYTES;
	if (ret->flags & WIRE_QR)
		return WIRE_RESPONSE;
	/* RFC 9619: more than one question is malformed. */
	if (ret->counts[WIRE_QUESTION] > 1)
		return ret->opcode ? WIRE_OK : WIRE_MALFORMED;
	if (ret->counts[WIRE_QUESTION] && !read_question(ret, &c))
		return ret->opcode ? WIRE_OK : WIRE_MALFORMED;
	if (read_extras(ret, &c))
		return WIRE_OK;
	if (!ret->opcode)
		return WIRE_MALFORMED;
	ret->has_opt = false;
	ret->tsig_at = 0;
	return WIRE_OK;
}

/* -- names ------------------------------------------------------------- */

/* Where the ancestor of the question's name with so many labels stands, if it
 * is the same as the one of `key`. */
static uint32_t find_in_question(
    const struct wire_writer *w, const struct dname_key *key, uint32_t labels)
{
	const struct dname_key *question = w->question;

	if (!question || labels > question->labels ||
	    question->hash[labels] != key->hash[labels])
		return 0;
	size_t size = (size_t)key->size - key->at[labels];

	if ((size_t)question->size - question->at[labels] != size ||
	    memcmp(question->name + question->at[labels],
		key->name + key->at[labels], size) != 0)
		return 0;
	return WIRE_HEADER_BYTES + question->at[labels];
}

static inline uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* Whether the name written at `at` is `name`. What was written is ours, so
 * its pointers lead backwards to an end. */
static bool same_name(
    const struct wire_writer *w, uint32_t at, const uint8_t *name)
{
	const uint8_t *p = w->out.base + at;

	for (;;) {
		while (*p >= 0xc0)
			p = w->out.base + ((p[0] & 0x3fu) << 8 | p[1]);
		if (*p != *name)
			return false;
		if (!*p)
			return true;
		for (unsigned i = 1; i <= *name; i++)
			if (lower(p[i]) != name[i])
				return false;
		p += 1 + *p;
		name += 1 + *name;
	}
}

/* Where the ancestor of `key` with so many labels stands; 0: nowhere. */
static uint32_t find_name(
    const struct wire_writer *w, const struct dname_key *key, uint32_t labels)
{
	uint32_t at = find_in_question(w, key, labels);

	for (uint32_t i = 0; !at && i < w->n_names; i++)
		if (w->names[i].hash == key->hash[labels] &&
		    w->names[i].labels == labels &&
		    same_name(w, w->names[i].at, key->name + key->at[labels]))
			at = w->names[i].at;
	return at;
}

/* The name's labels that are not below `known` can be pointed to. */
static void remember(struct wire_writer *w, const struct dname_key *key,
    uint32_t known, size_t start)
{
	for (uint32_t i = key->labels; i > known; i--) {
		size_t at = start + key->at[i];

		if (at >= 0x4000 || w->n_names == WIRE_NAMES_MAX)
			return;
		w->names[w->n_names++] =
		    (struct wire_name){key->hash[i], (uint16_t)at, (uint16_t)i};
	}
}

bool wire_put_name(struct wire_writer *w, const uint8_t *name)
{
	size_t size = dname_size(name), start = cursor_out_length(&w->out);
	struct dname_key key;
	uint32_t labels, at = 0;

	dname_key_of(&key, name, size, w->seed);
	for (labels = key.labels; labels; labels--) {
		at = find_name(w, &key, labels);
		if (at)
			break;
	}
	if (!labels) {
		if (!cursor_put(&w->out, name, size))
			return false;
	} else if (!cursor_put(&w->out, name, key.at[labels]) ||
		   !cursor_put_be16(&w->out, (uint16_t)(POINTER | at))) {
		return false;
	}
	remember(w, &key, labels, start);
	return true;
}

/* -- records ----------------------------------------------------------- */

bool wire_begin(struct wire_writer *w, void *out, size_t room,
    const struct wire_query *query)
{
	static const uint8_t header[WIRE_HEADER_BYTES];

	w->out = cursor_out_of(out, room);
	w->question = NULL;
	w->seed = 0;
	w->n_names = 0;
	w->class = 1;
	for (int i = 0; i < 4; i++)
		w->counts[i] = 0;
	if (!cursor_put(&w->out, header, sizeof header))
		return false;
	if (!query->name)
		return true;
	w->counts[WIRE_QUESTION] = 1;
	return cursor_put(&w->out, query->bytes + WIRE_HEADER_BYTES,
	    (size_t)query->question_end - WIRE_HEADER_BYTES);
}

size_t wire_end(
    struct wire_writer *w, uint16_t id, uint16_t flags, uint16_t rcode)
{
	struct cursor_out header =
	    cursor_out_of(w->out.base, WIRE_HEADER_BYTES);

	(void)cursor_put_be16(&header, id);
	(void)cursor_put_be16(
	    &header, (uint16_t)(flags | WIRE_QR | (rcode & WIRE_RCODE)));
	for (int i = 0; i < 4; i++)
		(void)cursor_put_be16(&header, w->counts[i]);
	return cursor_out_length(&w->out);
}

bool wire_reserve(struct wire_writer *w, size_t bytes)
{
	if ((size_t)(w->out.end - w->out.at) < bytes)
		return false;
	w->out.end -= bytes;
	return true;
}

void wire_release(struct wire_writer *w, size_t bytes)
{
	w->out.end += bytes;
}

struct wire_mark wire_mark(const struct wire_writer *w)
{
	struct wire_mark mark = {.at = w->out.at, .n_names = w->n_names};

	for (int i = 0; i < 4; i++)
		mark.counts[i] = w->counts[i];
	return mark;
}

void wire_rewind(struct wire_writer *w, const struct wire_mark *mark)
{
	w->out.at = mark->at;
	w->out.failed = false;
	w->n_names = mark->n_names;
	for (int i = 0; i < 4; i++)
		w->counts[i] = mark->counts[i];
}

/* RFC 3597 section 4: names are compressed in rdata of the types that RFC 1035
 * defines and in no other, since who does not know a type copies it as it is. */
struct layout {
	uint8_t before; /* bytes in front of the names */
	uint8_t names;
};

static struct layout layout_of(uint16_t type)
{
	switch (type) {
	case 2: /* NS */
	case 3: /* MD */
	case 4: /* MF */
	case 5: /* CNAME */
	case 7: /* MB */
	case 8: /* MG */
	case 9: /* MR */
	case 12: /* PTR */
		return (struct layout){0, 1};
	case 6: /* SOA */
	case 14: /* MINFO */
		return (struct layout){0, 2};
	case 15: /* MX */
		return (struct layout){2, 1};
	default:
		return (struct layout){0, 0};
	}
}

/* The rdata and, before it, its length, which is known only then. */
static bool put_rdata(
    struct wire_writer *w, uint16_t type, const uint8_t *rdata, uint16_t length)
{
	struct layout layout = layout_of(type);
	const uint8_t *end = rdata + length;

	if (!layout.names)
		return cursor_put_be16(&w->out, length) &&
		       cursor_put(&w->out, rdata, length);
	struct cursor_out at = cursor_out_of(w->out.at, 2);

	if (!cursor_put_be16(&w->out, 0) ||
	    !cursor_put(&w->out, rdata, layout.before))
		return false;
	rdata += layout.before;
	for (uint8_t i = 0; i < layout.names; i++) {
		if (!wire_put_name(w, rdata))
			return false;
		rdata += dname_size(rdata);
	}
	if (!cursor_put(&w->out, rdata, (size_t)(end - rdata)))
		return false;
	return cursor_put_be16(&at, (uint16_t)(w->out.at - at.base - 2));
}

static bool put_owner(struct wire_writer *w, struct wire_owner *owner)
{
	size_t start = cursor_out_length(&w->out);

	if (owner->at)
		return cursor_put_be16(
		    &w->out, (uint16_t)(POINTER | owner->at));
	if (!wire_put_name(w, owner->name))
		return false;
	if (start < 0x4000)
		owner->at = (uint16_t)start;
	return true;
}

/* Type, class and TTL, which are the same for all records of a set. */
struct fixed {
	uint8_t bytes[8];
};

static struct fixed fixed_of(
    const struct wire_writer *w, uint16_t type, uint32_t ttl)
{
	return (struct fixed){{(uint8_t)(type >> 8), (uint8_t)type,
	    (uint8_t)(w->class >> 8), (uint8_t)w->class, (uint8_t)(ttl >> 24),
	    (uint8_t)(ttl >> 16), (uint8_t)(ttl >> 8), (uint8_t)ttl}};
}

static bool put_record(struct wire_writer *w, struct wire_owner *owner,
    uint16_t type, const struct fixed *fixed, const uint8_t *rdata,
    uint16_t length)
{
	return put_owner(w, owner) &&
	       cursor_put(&w->out, fixed->bytes, sizeof fixed->bytes) &&
	       put_rdata(w, type, rdata, length);
}

/* What to go back to when a set does not fit. */
struct start {
	struct wire_mark mark;
	struct wire_owner owner;
};

static bool settle(struct wire_writer *w, enum wire_section section,
    struct wire_owner *owner, const struct start *start, bool fits, uint32_t n)
{
	if (!fits) {
		wire_rewind(w, &start->mark);
		*owner = start->owner;
		return false;
	}
	w->counts[section] = (uint16_t)(w->counts[section] + n);
	return true;
}

bool wire_put_record(struct wire_writer *w, enum wire_section section,
    struct wire_owner *owner, uint16_t type, uint32_t ttl, const uint8_t *rdata,
    uint16_t length)
{
	struct start start = {wire_mark(w), *owner};
	struct fixed fixed = fixed_of(w, type, ttl);

	return settle(w, section, owner, &start,
	    put_record(w, owner, type, &fixed, rdata, length), 1);
}

static bool put_records(struct wire_writer *w, struct wire_owner *owner,
    uint16_t type, uint32_t ttl, uint32_t n, const uint8_t *records)
{
	struct fixed fixed = fixed_of(w, type, ttl);

	for (uint32_t i = 0; i < n; i++) {
		uint16_t length = (uint16_t)(records[0] << 8 | records[1]);

		if (!put_record(w, owner, type, &fixed, records + 2, length))
			return false;
		records += 2 + length;
	}
	return true;
}

bool wire_put_records(struct wire_writer *w, enum wire_section section,
    struct wire_owner *owner, uint16_t type, uint32_t ttl, uint32_t n,
    const uint8_t *records)
{
	struct start start = {wire_mark(w), *owner};

	return settle(w, section, owner, &start,
	    put_records(w, owner, type, ttl, n, records), n);
}

static bool put_set(struct wire_writer *w, struct wire_owner *owner,
    const struct answer_set *set)
{
	struct fixed fixed = fixed_of(w, set->type, set->ttl);

	for (uint32_t i = 0; i < set->n; i++)
		if (!put_record(w, owner, set->type, &fixed,
			set->records[i].rdata, set->records[i].length))
			return false;
	return true;
}

static bool put_alias(struct wire_writer *w, const struct answer_set *alias)
{
	struct fixed fixed = fixed_of(w, alias->type, alias->ttl);
	const struct answer_record *record = &alias->records[0];
	const struct dname_key *question = w->question;
	uint8_t at = question->at[alias->shared];
	/* What is not its own; the root is cheaper said than pointed to. */
	size_t tail = alias->shared ? (size_t)question->size - at : 0;
	size_t own = record->length - tail;
	bool fits;

	fits = cursor_put_be16(&w->out, POINTER | WIRE_HEADER_BYTES) &&
	       cursor_put(&w->out, fixed.bytes, sizeof fixed.bytes) &&
	       cursor_put_be16(&w->out, (uint16_t)(own + (tail ? 2 : 0))) &&
	       cursor_put(&w->out, record->rdata, own);
	if (!tail)
		return fits;
	return fits && cursor_put_be16(&w->out,
			   (uint16_t)(POINTER | (WIRE_HEADER_BYTES + at)));
}

bool wire_put_alias(struct wire_writer *w, enum wire_section section,
    const struct answer_set *alias)
{
	struct wire_owner owner = wire_owner_question(w);
	struct start start = {wire_mark(w), owner};

	br_assert(alias->is_alias && alias->n == 1 &&
		  alias->shared <= w->question->labels);
	return settle(w, section, &owner, &start, put_alias(w, alias), 1);
}

bool wire_put_set(struct wire_writer *w, enum wire_section section,
    struct wire_owner *owner, const struct answer_set *set)
{
	struct start start = {wire_mark(w), *owner};

	return settle(
	    w, section, owner, &start, put_set(w, owner, set), set->n);
}
