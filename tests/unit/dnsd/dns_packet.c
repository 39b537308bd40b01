/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dnsd/dns_packet.h"

#include <string.h>

#define TYPE_OPT 41

/* -- making ------------------------------------------------------------ */

void packet_u8(struct packet *p, unsigned v)
{
	p->bytes[p->length++] = (uint8_t)v;
}

void packet_u16(struct packet *p, unsigned v)
{
	packet_u8(p, v >> 8 & 0xff);
	packet_u8(p, v & 0xff);
}

void packet_u32(struct packet *p, uint32_t v)
{
	packet_u16(p, v >> 16);
	packet_u16(p, v & 0xffff);
}

void packet_put(struct packet *p, const void *bytes, size_t length)
{
	memcpy(p->bytes + p->length, bytes, length);
	p->length += length;
}

void packet_name(struct packet *p, const char *name)
{
	while (*name && strcmp(name, ".") != 0) {
		size_t length = strcspn(name, ".");

		packet_u8(p, (unsigned)length);
		packet_put(p, name, length);
		name += length + (name[length] == '.');
	}
	packet_u8(p, 0);
}

void packet_header(struct packet *p, unsigned id, unsigned flags, unsigned qd,
    unsigned an, unsigned ns, unsigned ar)
{
	const unsigned words[] = {id, flags, qd, an, ns, ar};

	p->length = 0;
	for (int i = 0; i < 6; i++)
		packet_u16(p, words[i]);
}

void packet_query(struct packet *p, const char *name, unsigned type)
{
	packet_header(p, 0x1234, 0, 1, 0, 0, 0);
	packet_name(p, name);
	packet_u16(p, type);
	packet_u16(p, 1);
}

void packet_opt(struct packet *p, unsigned size, uint32_t ttl)
{
	p->bytes[11]++;
	packet_u8(p, 0);
	packet_u16(p, TYPE_OPT);
	packet_u16(p, size);
	packet_u32(p, ttl);
	p->opt_at = p->length;
	packet_u16(p, 0);
}

void packet_query_edns(
    struct packet *p, const char *name, unsigned type, unsigned size, bool dok)
{
	packet_query(p, name, type);
	packet_opt(p, size, dok ? 0x8000 : 0);
}

void packet_option(
    struct packet *p, unsigned code, const void *bytes, size_t length)
{
	uint8_t *at = p->bytes + p->opt_at;
	size_t total = (size_t)(at[0] << 8 | at[1]) + 4 + length;

	packet_u16(p, code);
	packet_u16(p, (unsigned)length);
	packet_put(p, bytes, length);
	at[0] = (uint8_t)(total >> 8);
	at[1] = (uint8_t)total;
}

/* -- reading ----------------------------------------------------------- */

static unsigned u16_at(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

size_t packet_read_name(
    const uint8_t *bytes, size_t length, size_t at, uint8_t ret[256])
{
	size_t size = 0, here = 0, start = at;

	for (;;) {
		if (at >= length)
			return 0;
		if (bytes[at] >= 0xc0) {
			size_t to;

			if (at + 1 >= length)
				return 0;
			to = u16_at(bytes + at) & 0x3fff;
			if (!here)
				here = at + 2 - start;
			/* Backwards only, so it ends. */
			if (to >= at || to < 12)
				return 0;
			at = to;
			continue;
		}
		size_t n = 1u + bytes[at];

		if (bytes[at] > 63 || at + n > length || size + n > 255)
			return 0;
		memcpy(ret + size, bytes + at, n);
		size += n;
		at += n;
		if (n == 1)
			return here ? here : at - start;
	}
}

static const char *read_record(
    struct packet_answer *a, size_t *at, struct packet_record *ret)
{
	size_t n = packet_read_name(a->bytes, a->length, *at, ret->owner);

	if (!n)
		return "an owner is malformed";
	ret->at = *at;
	*at += n;
	if (a->length - *at < 10)
		return "a record is cut off";
	ret->type = (uint16_t)u16_at(a->bytes + *at);
	ret->class = (uint16_t)u16_at(a->bytes + *at + 2);
	ret->ttl = (uint32_t)u16_at(a->bytes + *at + 4) << 16 |
		   u16_at(a->bytes + *at + 6);
	ret->length = (uint16_t)u16_at(a->bytes + *at + 8);
	*at += 10;
	if (a->length - *at < ret->length)
		return "rdata is cut off";
	ret->rdata = a->bytes + *at;
	ret->rdata_at = *at;
	*at += ret->length;
	return NULL;
}

static const char *read_question(struct packet_answer *a, size_t *at)
{
	size_t n = packet_read_name(a->bytes, a->length, *at, a->name);

	if (!n || a->length - *at < n + 4)
		return "the question is malformed";
	a->name_size = n;
	*at += n;
	a->type = (uint16_t)u16_at(a->bytes + *at);
	a->class = (uint16_t)u16_at(a->bytes + *at + 2);
	*at += 4;
	return NULL;
}

const char *packet_read(
    struct packet_answer *ret, const uint8_t *bytes, size_t length)
{
	size_t at = 12;

	ret->bytes = bytes;
	ret->length = length;
	ret->n = 0;
	ret->name_size = 0;
	if (length < 12)
		return "shorter than a header";
	ret->id = (uint16_t)u16_at(bytes);
	ret->flags = (uint16_t)u16_at(bytes + 2);
	ret->rcode = ret->flags & 15;
	for (int i = 0; i < 4; i++)
		ret->counts[i] = (uint16_t)u16_at(bytes + 4 + 2 * i);
	if (ret->counts[0] > 1)
		return "two questions";
	if (ret->counts[0]) {
		const char *wrong = read_question(ret, &at);

		if (wrong)
			return wrong;
	}
	for (uint8_t section = 1; section < 4; section++)
		for (unsigned i = 0; i < ret->counts[section]; i++) {
			struct packet_record *record = &ret->records[ret->n];
			const char *wrong;

			if (ret->n == PACKET_RECORDS_MAX)
				return "more records than the test takes";
			record->section = section;
			wrong = read_record(ret, &at, record);
			if (wrong)
				return wrong;
			ret->n++;
		}
	return at == length ? NULL : "bytes behind the message";
}

const struct packet_record *packet_find_opt(const struct packet_answer *a)
{
	for (uint32_t i = 0; i < a->n; i++)
		if (a->records[i].type == TYPE_OPT)
			return &a->records[i];
	return NULL;
}

const uint8_t *packet_find_option(
    const struct packet_answer *a, unsigned code, size_t *ret_length)
{
	const struct packet_record *opt = packet_find_opt(a);

	for (size_t at = 0; opt && at + 4 <= opt->length;) {
		size_t length = u16_at(opt->rdata + at + 2);

		*ret_length = length;
		if (u16_at(opt->rdata + at) == code)
			return opt->rdata + at + 4;
		at += 4 + length;
	}
	return NULL;
}

unsigned packet_rcode(const struct packet_answer *a)
{
	const struct packet_record *opt = packet_find_opt(a);

	return a->rcode | (opt ? opt->ttl >> 24 << 4 : 0);
}
