/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/proxy_proto.h"

#include "base/assert.h"
#include "base/cursor.h"
#include "lb/proxy_proto_v1.h"
#include "lb/proxy_proto_v2.h"

static const struct {
	const char *name, *text;
} causes[] = {
#define X(symbol, name, text) {name, text},
    PROXY_CAUSE_LIST(X)
#undef X
};

const char *proxy_cause_name(unsigned cause)
{
	br_assert(cause < PROXY_N_CAUSES);
	return causes[cause].name;
}

const char *proxy_cause_text(unsigned cause)
{
	br_assert(cause < PROXY_N_CAUSES);
	return causes[cause].text;
}

/* How the bytes begin, as far as they are there. */
static bool begins(
    const uint8_t *bytes, size_t length, const void *text, size_t text_length)
{
	return memcmp(bytes, text,
		   length < text_length ? length : text_length) == 0;
}

enum proxy_result proxy_parse(const uint8_t *bytes, size_t length,
    struct proxy_header *ret, uint32_t *ret_need, enum proxy_cause *ret_cause)
{
	if (!length) {
		*ret_need = 1;
		return PROXY_MORE;
	}
	/* The first byte tells the versions apart (PP 2.2). */
	if (begins(bytes, length, PROXY_V1_SIGNATURE,
		sizeof(PROXY_V1_SIGNATURE) - 1))
		return proxy_v1_parse(bytes, length, ret, ret_need, ret_cause);
	if (begins(bytes, length, PROXY_V2_SIGNATURE,
		sizeof(PROXY_V2_SIGNATURE) - 1))
		return proxy_v2_parse(bytes, length, ret, ret_need, ret_cause);
	*ret_cause = PROXY_CAUSE_SIGNATURE;
	return PROXY_MALFORMED;
}

bool proxy_tlv_next(
    struct proxy_slice *tlvs, uint8_t *ret_type, struct proxy_slice *ret_value)
{
	struct cursor c, value;
	uint16_t length;
	uint8_t type;

	/* Without any, `at` may be NULL. */
	if (!tlvs->length)
		return false;
	c = cursor_of(tlvs->at, tlvs->length);
	if (!cursor_u8(&c, &type) || !cursor_be16(&c, &length) ||
	    !cursor_take(&c, length, &value))
		return false;
	*ret_type = type;
	*ret_value = (struct proxy_slice){value.at, length};
	*tlvs = (struct proxy_slice){c.at, (uint32_t)cursor_left(&c)};
	return true;
}
