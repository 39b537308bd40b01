/* SPDX-License-Identifier: Apache-2.0 */
#include "profiler/client_hello.h"

#include "base/assert.h"
#include "base/cursor.h"
#include "profiler/client_hello_body.h"

/* RFC 8446 5.1, 4 */
#define RECORD_HEADER_BYTES 5
#define RECORD_BYTES_MAX 16384
#define RECORD_HANDSHAKE 22
#define MESSAGE_HEADER_BYTES 4
#define MESSAGE_CLIENT_HELLO 1

static const struct {
	const char *name, *text;
} causes[] = {
#define X(symbol, name, text) {name, text},
    CLIENT_HELLO_CAUSE_LIST(X)
#undef X
};

const char *client_hello_cause_name(unsigned cause)
{
	br_assert(cause < CLIENT_HELLO_N_CAUSES);
	return causes[cause].name;
}

const char *client_hello_cause_text(unsigned cause)
{
	br_assert(cause < CLIENT_HELLO_N_CAUSES);
	return causes[cause].text;
}

void client_hello_start(struct client_hello_reader *reader)
{
	*reader = (struct client_hello_reader){.need = 1};
}

static enum client_hello_result refuse(struct client_hello_reader *r,
    enum client_hello_result result, enum client_hello_cause cause)
{
	r->cause = (uint8_t)cause;
	return result;
}

static enum client_hello_result malformed(
    struct client_hello_reader *r, enum client_hello_cause cause)
{
	return refuse(r, CLIENT_HELLO_MALFORMED, cause);
}

static enum client_hello_result more(
    struct client_hello_reader *r, uint32_t need)
{
	r->need = need;
	return CLIENT_HELLO_MORE;
}

/* The first three bytes, as far as they are there: DONE when they begin a
 * handshake record, of any minor version (RFC 8446 5.1: to be ignored). */
static enum client_hello_result check_first(
    struct client_hello_reader *r, const uint8_t *bytes, size_t length)
{
	if (!length)
		return more(r, 1);
	/* RFC 6101 appendix E: an SSL 2 record of two header bytes. */
	if (bytes[0] & 0x80) {
		if (length < 3)
			return more(r, 3);
		return refuse(r, CLIENT_HELLO_NOT_TLS,
		    bytes[2] == MESSAGE_CLIENT_HELLO ? CLIENT_HELLO_CAUSE_SSL2
						     : CLIENT_HELLO_CAUSE_TYPE);
	}
	if (bytes[0] != RECORD_HANDSHAKE)
		return refuse(r, CLIENT_HELLO_NOT_TLS, CLIENT_HELLO_CAUSE_TYPE);
	if (length < 2)
		return more(r, 2);
	if (bytes[1] != 3)
		return refuse(
		    r, CLIENT_HELLO_NOT_TLS, CLIENT_HELLO_CAUSE_VERSION);
	return CLIENT_HELLO_DONE;
}

/* The header of the record at r->at. */
static enum client_hello_result read_record(struct client_hello_reader *r,
    const uint8_t *bytes, size_t length, uint32_t *ret_bytes)
{
	struct cursor c = cursor_of(bytes, length);
	uint8_t type, major, minor;
	uint16_t record;

	if (r->at + RECORD_HEADER_BYTES + 1 > CLIENT_HELLO_BYTES_MAX)
		return malformed(r, CLIENT_HELLO_CAUSE_LENGTH);
	(void)cursor_skip(&c, r->at);
	/* Judged as they come, so that nobody waits for the rest. */
	if (cursor_u8(&c, &type) && type != RECORD_HANDSHAKE)
		return malformed(r, CLIENT_HELLO_CAUSE_RECORD);
	if (cursor_u8(&c, &major) && major != 3)
		return malformed(r, CLIENT_HELLO_CAUSE_RECORD);
	(void)cursor_u8(&c, &minor);
	if (!cursor_be16(&c, &record))
		return more(r, r->at + RECORD_HEADER_BYTES);
	/* RFC 8446 5.1: no empty fragments of handshake messages. */
	if (!record || record > RECORD_BYTES_MAX)
		return malformed(r, CLIENT_HELLO_CAUSE_RECORD);
	*ret_bytes = record;
	return CLIENT_HELLO_DONE;
}

/* Puts the first `want` bytes of the message together; what has come is known
 * to hold them. */
static void gather(
    const uint8_t *bytes, size_t length, uint32_t want, struct cursor_out *ret)
{
	struct cursor c = cursor_of(bytes, length);

	while (want) {
		struct cursor piece;
		uint16_t record;
		uint32_t take;

		br_assert(cursor_skip(&c, 3) && cursor_be16(&c, &record));
		take = record < want ? record : want;
		br_assert(cursor_take(&c, take, &piece) &&
			  cursor_put(ret, piece.at, take));
		want -= take;
	}
}

/* The length of the message with its header, which may lie in up to four
 * records. */
static uint32_t message_bytes(const uint8_t *bytes, size_t length)
{
	uint8_t header[MESSAGE_HEADER_BYTES];
	struct cursor_out out = cursor_out_of(header, sizeof(header));

	gather(bytes, length, sizeof(header), &out);
	return MESSAGE_HEADER_BYTES + ((uint32_t)header[1] << 16 |
					  (uint32_t)header[2] << 8 | header[3]);
}

static enum client_hello_result finish(struct client_hello_reader *r,
    const uint8_t *message, uint32_t size, uint32_t end,
    struct client_hello *ret)
{
	struct client_hello hello = {.bytes = end};
	enum client_hello_cause cause =
	    client_hello_body_read(message + MESSAGE_HEADER_BYTES,
		size - MESSAGE_HEADER_BYTES, &hello);

	if (cause)
		return malformed(r, cause);
	*ret = hello;
	return CLIENT_HELLO_DONE;
}

/* For a message in several records only: 16 KiB of stack. */
__attribute__((noinline)) static enum client_hello_result finish_gathered(
    struct client_hello_reader *r, const uint8_t *bytes, size_t length,
    uint32_t size, uint32_t end, struct client_hello *ret)
{
	uint8_t message[CLIENT_HELLO_BYTES_MAX];
	struct cursor_out out = cursor_out_of(message, sizeof(message));

	gather(bytes, length, size, &out);
	return finish(r, message, size, end, ret);
}

/* The least that is needed in all when the message has `size` bytes, of which
 * r->have lie before this record of `record` bytes. */
static uint32_t least(
    const struct client_hello_reader *r, uint32_t record, uint32_t size)
{
	uint32_t begin = r->at + RECORD_HEADER_BYTES;

	if (size - r->have <= record)
		return begin + size - r->have;
	/* And at least one byte of another record. */
	return begin + record + RECORD_HEADER_BYTES + 1;
}

/* One record: DONE when the message is whole and read, MORE with r->at moved
 * when the record is used up, MORE with r->need otherwise. */
static enum client_hello_result read_fragment(struct client_hello_reader *r,
    const uint8_t *bytes, size_t length, uint32_t record,
    struct client_hello *ret)
{
	uint32_t begin = r->at + RECORD_HEADER_BYTES;
	uint32_t there = (uint32_t)(length - begin);
	uint32_t size = MESSAGE_HEADER_BYTES; /* at least */
	uint32_t need;

	if (there > record)
		there = record;
	if (!r->have && there && bytes[begin] != MESSAGE_CLIENT_HELLO)
		return malformed(r, CLIENT_HELLO_CAUSE_MESSAGE);
	if (r->have + there >= MESSAGE_HEADER_BYTES)
		size = message_bytes(bytes, length);
	if (size > CLIENT_HELLO_BYTES_MAX)
		return malformed(r, CLIENT_HELLO_CAUSE_LENGTH);
	need = least(r, record, size);
	if (need > CLIENT_HELLO_BYTES_MAX)
		return malformed(r, CLIENT_HELLO_CAUSE_LENGTH);
	if (r->have + there >= MESSAGE_HEADER_BYTES &&
	    r->have + there >= size) {
		if (!r->have)
			return finish(r, bytes + begin, size, need, ret);
		return finish_gathered(r, bytes, length, size, need, ret);
	}
	if (there == record) {
		r->have += record;
		r->at = begin + record;
	}
	return more(r, need);
}

enum client_hello_result client_hello_read(struct client_hello_reader *reader,
    const uint8_t *bytes, size_t length, struct client_hello *ret)
{
	enum client_hello_result result;

	br_assert(length <= UINT32_MAX);
	result = check_first(reader, bytes, length);
	/* Each round uses up a record, none of which is empty. */
	while (result == CLIENT_HELLO_DONE) {
		uint32_t record, at = reader->at;

		result = read_record(reader, bytes, length, &record);
		if (result != CLIENT_HELLO_DONE)
			break;
		result = read_fragment(reader, bytes, length, record, ret);
		if (result == CLIENT_HELLO_DONE)
			break;
		if (result == CLIENT_HELLO_MORE && reader->at != at)
			result = CLIENT_HELLO_DONE; /* the next record */
	}
	return result;
}

/* Not in who calls it: 16 KiB of stack. */
__attribute__((noinline)) bool client_hello_begun(
    const uint8_t *bytes, size_t length, struct client_hello *ret)
{
	uint8_t message[CLIENT_HELLO_BYTES_MAX];
	struct cursor_out out = cursor_out_of(message, sizeof(message));
	struct cursor c = cursor_of(bytes, length), piece;
	struct client_hello hello = {0};
	uint16_t record;

	/* Each round uses up a header. */
	while (cursor_skip(&c, 3) && cursor_be16(&c, &record)) {
		size_t take =
		    record < cursor_left(&c) ? record : cursor_left(&c);

		if (!cursor_take(&c, take, &piece) ||
		    !cursor_put(&out, piece.at, take))
			break;
	}
	if (cursor_out_length(&out) < MESSAGE_HEADER_BYTES ||
	    message[0] != MESSAGE_CLIENT_HELLO ||
	    !client_hello_body_begun(message + MESSAGE_HEADER_BYTES,
		cursor_out_length(&out) - MESSAGE_HEADER_BYTES, &hello))
		return false;
	*ret = hello;
	return true;
}

bool client_hello_alpn_next(const struct client_hello *hello, uint16_t *at,
    const uint8_t **ret_name, uint8_t *ret_length)
{
	if (*at >= hello->alpn_length)
		return false;
	*ret_length = hello->alpn[*at];
	*ret_name = &hello->alpn[*at + 1];
	*at = (uint16_t)(*at + 1 + *ret_length);
	return true;
}
