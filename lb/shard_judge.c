/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/shard_judge.h"

#include "base/hash.h"
#include "io/http1_range.h"

#include <string.h>
#include <strings.h>

/* Shapes of either head with which two readers may see two messages. */
#define SHAPES_UNCLEAR                                                         \
	(HTTP1_BARE_LF | HTTP1_FOLDED | HTTP1_LENGTH_AGAIN |                   \
	    HTTP1_HAS_CODING | HTTP1_LENGTH_AND_CODING | HTTP1_KNOWN_AGAIN |   \
	    HTTP1_UPGRADES)

static const char *const bar_names[] = {[SHARD_BAR_NONE] = "",
#define X(name, text) [SHARD_BAR_##name] = #name,
    SHARD_BAR_LIST(X)
#undef X
};

const char *shard_bar_name(enum shard_bar bar)
{
	return bar_names[bar];
}

/* Fields that matter here and nowhere else. */
#define JUDGED_FIELD_LIST(X)                                                   \
	X(ETAG, "etag")                                                        \
	X(LAST_MODIFIED, "last-modified")                                      \
	X(REPR_DIGEST, "repr-digest")                                          \
	X(DATE, "date")                                                        \
	X(CONTENT_ENCODING, "content-encoding")                                \
	X(CONTENT_RANGE, "content-range")                                      \
	X(ACCEPT_RANGES, "accept-ranges")                                      \
	X(IF_RANGE, "if-range")                                                \
	X(IF_MATCH, "if-match")                                                \
	X(IF_NONE_MATCH, "if-none-match")                                      \
	X(IF_MODIFIED_SINCE, "if-modified-since")                              \
	X(IF_UNMODIFIED_SINCE, "if-unmodified-since")

enum judged_field {
#define X(id, name) JUDGED_##id,
	JUDGED_FIELD_LIST(X)
#undef X
	    JUDGED_COUNT
};

struct judged {
	const char *bytes;
	struct http1_span value[JUDGED_COUNT];
	uint8_t seen[JUDGED_COUNT]; /* how often: 2 is many */
};

static const char *const judged_names[JUDGED_COUNT] = {
#define X(id, name) [JUDGED_##id] = name,
    JUDGED_FIELD_LIST(X)
#undef X
};

static void judged_read(
    struct judged *ret, const struct http1_head *head, const void *bytes)
{
	struct http1_span name, value;
	uint32_t at = head->fields_at;

	memset(ret, 0, sizeof *ret);
	ret->bytes = bytes;
	while (http1_field_next(head, bytes, &at, &name, &value)) {
		for (unsigned i = 0; i < JUDGED_COUNT; i++) {
			if (strlen(judged_names[i]) != name.length ||
			    strncasecmp(ret->bytes + name.at, judged_names[i],
				name.length) != 0)
				continue;
			ret->value[i] = value;
			if (ret->seen[i] < 2)
				ret->seen[i]++;
		}
	}
}

/* Its only value, or false. */
static bool judged_one(
    const struct judged *fields, enum judged_field id, struct http1_span *ret)
{
	*ret = fields->value[id];
	return fields->seen[id] == 1 && ret->length;
}

/* -- the request ------------------------------------------------------- */

bool shard_judge_request(const struct http1_head *request, const void *bytes)
{
	struct http1_range range =
	    http1_range_read(bytes, request->known[HTTP1_RANGE]);
	const char *method = (const char *)bytes + request->method.at;
	struct judged fields;

	if (request->method.length != 3 || memcmp(method, "GET", 3) != 0 ||
	    request->minor != 1 || request->content_length ||
	    request->known[HTTP1_EXPECT].length ||
	    request->shapes &
		(SHAPES_UNCLEAR | HTTP1_NO_HOST | HTTP1_HOST_AGAIN))
		return false;
	if (range.kind != HTTP1_RANGE_NONE &&
	    range.kind != HTTP1_RANGE_BOUNDED && range.kind != HTTP1_RANGE_OPEN)
		return false;
	judged_read(&fields, request, bytes);
	if (fields.seen[JUDGED_IF_MATCH] || fields.seen[JUDGED_IF_NONE_MATCH] ||
	    fields.seen[JUDGED_IF_MODIFIED_SINCE] ||
	    fields.seen[JUDGED_IF_UNMODIFIED_SINCE])
		return false;
	return !fields.seen[JUDGED_IF_RANGE] ||
	       (fields.seen[JUDGED_IF_RANGE] == 1 &&
		   http1_etag_is_strong(bytes, fields.value[JUDGED_IF_RANGE]));
}

/* -- home's answer ----------------------------------------------------- */

static bool order_keep(struct shard_order *order, const struct judged *fields,
    struct http1_span validator)
{
	if (validator.length > SHARD_VALIDATOR_MAX)
		return false;
	order->validator_bytes = (uint8_t)validator.length;
	memcpy(
	    order->validator, fields->bytes + validator.at, validator.length);
	return true;
}

/* RFC 9110 8.8.2.2: a date is a validator only where nothing can have changed
 * within the same second afterwards. */
static bool order_keep_date(
    struct shard_order *order, const struct judged *fields)
{
	struct http1_span modified, date;
	int64_t modified_s, date_s;

	if (!judged_one(fields, JUDGED_LAST_MODIFIED, &modified) ||
	    !judged_one(fields, JUDGED_DATE, &date) ||
	    !http1_date_read(fields->bytes, modified, &modified_s) ||
	    !http1_date_read(fields->bytes, date, &date_s) ||
	    date_s - modified_s < 1)
		return false;
	order->dated = true;
	return order_keep(order, fields, modified);
}

/* 0: none. False: what cannot be compared. */
static bool judged_coding(const struct judged *fields, uint64_t *ret)
{
	struct http1_span coding;

	*ret = 0;
	if (!fields->seen[JUDGED_CONTENT_ENCODING])
		return true;
	if (!judged_one(fields, JUDGED_CONTENT_ENCODING, &coding))
		return false;
	*ret = hash_bytes(fields->bytes + coding.at, coding.length, 0) | 1u;
	return true;
}

static bool order_validate(const struct conf_shard *conf,
    const struct judged *fields, struct shard_order *order)
{
	struct http1_span tag;

	if (!judged_coding(fields, &order->coding))
		return false;
	/* Such pools have tags that differ from server to server. What is
	 * coded on its way may have another length next time. */
	if (conf->validator == CONF_SHARD_SIZE_DATE)
		return !order->coding && order_keep_date(order, fields);
	return judged_one(fields, JUDGED_ETAG, &tag) &&
	       http1_etag_is_strong(fields->bytes, tag) &&
	       order_keep(order, fields, tag);
}

static bool order_of_200(const struct http1_head *answer,
    const struct judged *fields, struct shard_order *order)
{
	struct http1_span units;

	if (!judged_one(fields, JUDGED_ACCEPT_RANGES, &units) ||
	    !http1_list_has(fields->bytes, units, "bytes") ||
	    fields->seen[JUDGED_CONTENT_RANGE])
		return false;
	order->total = order->end = order->home_to = answer->content_length;
	return true;
}

/* Content-Range that tells all and fits the length of the answer. */
static bool judged_part(const struct http1_head *answer,
    const struct judged *fields, struct http1_content_range *ret)
{
	struct http1_span value;

	return answer->status == 206 &&
	       judged_one(fields, JUDGED_CONTENT_RANGE, &value) &&
	       http1_content_range_read(fields->bytes, value, ret) &&
	       !ret->unsatisfied && ret->total_known &&
	       answer->content_length == ret->last - ret->first + 1;
}

static bool order_of_206(const struct http1_head *answer,
    const struct judged *fields, const struct http1_range *asked,
    const struct shard_injection *injection, struct shard_order *order)
{
	struct http1_content_range part;
	uint64_t first = injection->injected ? 0 : asked->first;
	bool bounded =
	    injection->injected || asked->kind == HTTP1_RANGE_BOUNDED;
	uint64_t last = injection->injected ? injection->last : asked->last;

	if (!injection->injected && asked->kind == HTTP1_RANGE_NONE)
		return false;
	if (!judged_part(answer, fields, &part) || part.first != first ||
	    (bounded && part.last > last))
		return false;
	order->first = part.first;
	order->home_to = part.last + 1;
	order->end = injection->injected ? part.total : part.last + 1;
	order->total = part.total;
	order->injected = injection->injected;
	order->partial = !injection->injected;
	return true;
}

static bool judged_digest(
    const struct judged *fields, uint8_t ret[DIGEST_BYTES])
{
	struct http1_span value;

	return judged_one(fields, JUDGED_REPR_DIGEST, &value) &&
	       digest_read_field(fields->bytes + value.at, value.length, ret);
}

static bool answer_is_plain(const struct http1_head *answer)
{
	return answer->minor == 1 && answer->shapes & HTTP1_HAS_LENGTH &&
	       !(answer->shapes & SHAPES_UNCLEAR);
}

static enum shard_bar judge_order(const struct conf_shard *conf,
    const struct http1_range *asked, const struct shard_injection *injection,
    const struct http1_head *answer, const void *bytes, struct shard_order *ret)
{
	struct shard_order order = {0};
	struct judged fields;

	judged_read(&fields, answer, bytes);
	if (answer->status == 200
		? !order_of_200(answer, &fields, &order)
		: !order_of_206(answer, &fields, asked, injection, &order))
		return SHARD_BAR_ranges;
	if (!order_validate(conf, &fields, &order))
		return SHARD_BAR_validator;
	if (conf->verify == CONF_SHARD_REPR_DIGEST) {
		order.digested = judged_digest(&fields, order.digest);
		if (!order.digested || order.partial)
			return SHARD_BAR_digest;
	}
	order.close = answer->shapes & HTTP1_CLOSE;
	*ret = order;
	return SHARD_BAR_NONE;
}

/* Of a 200 or a 206. */
static enum shard_bar judge_bar(const struct conf_shard *conf,
    const struct http1_head *request, const void *request_bytes,
    const struct shard_injection *injection, const struct http1_head *answer,
    const void *bytes, struct shard_order *ret)
{
	struct http1_range asked;

	if (!answer_is_plain(answer))
		return SHARD_BAR_length;
	if (!injection->injected &&
	    answer->content_length < SHARD_SURVIVES_BYTES)
		return SHARD_BAR_small;
	if (!shard_judge_request(request, request_bytes))
		return SHARD_BAR_request;
	asked = http1_range_read(request_bytes, request->known[HTTP1_RANGE]);
	return judge_order(conf, &asked, injection, answer, bytes, ret);
}

struct shard_verdict shard_judge(const struct conf_shard *conf,
    const struct http1_head *request, const void *request_bytes,
    const struct shard_injection *injection, const struct http1_head *answer,
    const void *bytes, struct shard_order *ret)
{
	bool part = answer->status == 206;
	/* What was asked as a piece is of use as such, or not at all. */
	struct shard_verdict verdict = {
	    .worth = injection->injected && (part || answer->status == 416)
			 ? SHARD_ASK_AGAIN
			 : SHARD_NOT,
	};

	if (conf->range == CONF_SHARD_OFF || (!part && answer->status != 200))
		return verdict;
	verdict.bar = judge_bar(
	    conf, request, request_bytes, injection, answer, bytes, ret);
	if (verdict.bar)
		return verdict;
	if (ret->end - ret->first < conf->min_size)
		verdict.bar = SHARD_BAR_small;
	/* What is small is spliced, and cannot be verified. */
	if (verdict.bar && ret->digested && !injection->injected)
		verdict.worth = SHARD_NOT;
	else if (verdict.bar && ret->home_to == ret->end)
		verdict.worth = SHARD_SURVIVES;
	else
		/* Of what home was not asked for, somebody else has to be. */
		verdict = (struct shard_verdict){.worth = SHARD_SPLIT};
	return verdict;
}

/* -- a piece ----------------------------------------------------------- */

static bool piece_is_same(
    const struct shard_order *order, const struct judged *fields)
{
	struct http1_span validator;
	uint64_t coding;

	return judged_coding(fields, &coding) && coding == order->coding &&
	       judged_one(fields,
		   order->dated ? JUDGED_LAST_MODIFIED : JUDGED_ETAG,
		   &validator) &&
	       validator.length == order->validator_bytes &&
	       memcmp(fields->bytes + validator.at, order->validator,
		   validator.length) == 0;
}

enum shard_piece shard_judge_piece(const struct shard_order *order,
    uint64_t from, uint64_t to, const struct http1_head *answer,
    const void *bytes, uint64_t *ret_to)
{
	struct http1_content_range part;
	uint8_t digest[DIGEST_BYTES];
	struct judged fields;

	if (answer->status >= 500 || answer->status == 408 ||
	    answer->status == 429)
		return SHARD_PIECE_REFUSED;
	if (answer->status != 206 || !answer_is_plain(answer))
		return SHARD_PIECE_OTHER;
	judged_read(&fields, answer, bytes);
	if (order->digested && judged_digest(&fields, digest) &&
	    memcmp(digest, order->digest, DIGEST_BYTES) != 0)
		return SHARD_PIECE_OTHER;
	if (!judged_part(answer, &fields, &part) ||
	    part.total != order->total || part.first != from ||
	    part.last >= to || !piece_is_same(order, &fields))
		return SHARD_PIECE_OTHER;
	*ret_to = part.last + 1;
	return SHARD_PIECE_GOOD;
}
