/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A header comes in pieces: each prefix of the input is read. Once one has a
 * result, all longer ones have the same; what is asked for is never more than
 * it took; and what was read can be built and is read again as it was.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "lb/proxy_proto.h"

#define BYTES_MAX (PROXY_V2_BYTES_MAX + 64)

struct outcome {
	enum proxy_result result;
	enum proxy_cause cause;
	uint32_t need, bytes;
};

static void walk(const struct proxy_header *h)
{
	struct proxy_slice tlvs = h->tlvs, value;
	uint32_t sum = 0;
	uint8_t type;

	while (proxy_tlv_next(&tlvs, &type, &value)) {
		for (uint32_t i = 0; i < value.length; i++)
			sum += value.at[i];
	}
	br_assert(tlvs.length == 0 || sum == 0);
}

static bool same(struct proxy_slice a, struct proxy_slice b)
{
	return a.length == b.length &&
	       (!a.length || !memcmp(a.at, b.at, a.length));
}

static void rebuild(const struct proxy_header *h)
{
	struct proxy_out out = {.source = h->source,
	    .destination = h->destination,
	    .alpn = h->alpn,
	    .authority = h->authority,
	    .unique_id = h->unique_id,
	    .ssl = h->ssl,
	    .unix_addresses = true,
	    .crc32c = h->bytes & 1};
	static uint8_t bytes[PROXY_V2_BYTES_MAX];
	struct proxy_header again;
	enum proxy_cause cause;
	uint32_t need;
	int length = proxy_build_v2(bytes, sizeof(bytes), &out);

	/* A sum may be one too many. */
	if (length < 0)
		return;
	br_assert(proxy_parse(bytes, (size_t)length, &again, &need, &cause) ==
		  PROXY_DONE);
	br_assert(again.bytes == (uint32_t)length);
	/* Without addresses it is LOCAL, of which no TLV is read. */
	if (again.local)
		goto v1;
	br_assert(same(again.alpn, h->alpn));
	br_assert(same(again.authority, h->authority));
	br_assert(same(again.unique_id, h->unique_id));
	br_assert(same(again.ssl.cn, h->ssl.cn));
	br_assert(again.ssl.present == h->ssl.present);
v1:
	length = proxy_build_v1(bytes, sizeof(bytes), &out);
	br_assert(length > 0);
	br_assert(proxy_parse(bytes, (size_t)length, &again, &need, &cause) ==
		  PROXY_DONE);
}

static struct outcome read_prefix(const uint8_t *data, size_t length)
{
	/* A block of its own, so that reading beyond it is seen. */
	uint8_t *bytes = malloc(length + !length);
	struct outcome o = {.need = 0};
	struct proxy_header h;

	br_assert(bytes);
	if (length)
		memcpy(bytes, data, length);
	o.result = proxy_parse(bytes, length, &h, &o.need, &o.cause);
	if (o.result == PROXY_DONE) {
		o.bytes = h.bytes;
		br_assert(h.bytes <= length);
		walk(&h);
		rebuild(&h);
	} else if (o.result == PROXY_MALFORMED) {
		br_assert(*proxy_cause_text(o.cause));
	} else {
		br_assert(o.need > length);
	}
	free(bytes);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome last = {.result = PROXY_MORE};
	uint32_t need = 0;

	if (size > BYTES_MAX)
		return 0;
	for (size_t length = 0; length <= size; length++) {
		struct outcome now = read_prefix(data, length);

		br_assert(
		    last.result == PROXY_MORE ||
		    (now.result == last.result && now.bytes == last.bytes));
		if (now.result == PROXY_MORE)
			need = now.need > need ? now.need : need;
		else if (now.result == PROXY_DONE)
			br_assert(now.bytes >= need);
		last = now;
	}
	return 0;
}
