/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dnsd/dns_compared.h"

#include "base/assert.h"
#include "dnsd/sign.h"
#include "dnsd/zone_builder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED 7u
/* 2026-09-21. */
#define NOW_S INT64_C(1790000000)

enum { SOA = 6, OPT = 41, TC = 0x200 };

struct ref_world compared_world;
struct ref_answer compared_want;
const struct dnskey *compared_key;
struct compared_said compared_tcp, compared_udp;

const char *compared_say(const char *format, ...)
{
	static char wrong[200];
	va_list list;

	va_start(list, format);
	(void)vsnprintf(wrong, sizeof wrong, format, list);
	va_end(list);
	return wrong;
}

/* -- the zones --------------------------------------------------------- */

static struct zone *sign(struct zone *zone, struct zone_report *report)
{
	struct sign_options options = {
	    .key = compared_key, .now = {NOW_S * NS_PER_S}, .threads = 1};
	struct zone *ret = sign_zone(zone, &options, report);

	zone_unref(zone);
	return ret;
}

/* NULL: refused. */
static struct zone *build_zone(const struct ref_zone *from)
{
	struct zone_builder *builder;
	struct zone_report report;
	struct zone *zone;

	zone_report_init(&report);
	builder = zone_builder_new(from->apex.wire, SEED, &report);
	for (int i = 0; i < from->n; i++) {
		const struct ref_record *r = &from->records[i];
		struct dns_record record = {.owner = r->owner.wire,
		    .type = r->type,
		    .ttl = r->ttl,
		    .rdata = r->rdata,
		    .length = r->length};

		zone_builder_add(builder, &record);
	}
	zone = zone_builder_finish(builder);
	if (zone && compared_key)
		zone = sign(zone, &report);
	for (uint32_t i = 0; !zone && i < report.n_problems; i++)
		if (report.problems[i].severity == ZONE_ERROR)
			(void)compared_say("%s", report.problems[i].text);
	zone_report_fini(&report);
	return zone;
}

struct zone_set *compared_build(void)
{
	struct zone_set *set = zone_set_new(SEED);

	for (int i = 0; i < compared_world.n; i++) {
		struct zone *zone = build_zone(&compared_world.zones[i]);

		if (!zone) {
			zone_set_free(set);
			return NULL;
		}
		br_assert(zone_set_add(set, zone) == 0);
		zone_unref(zone);
	}
	return set;
}

/* -- asking ------------------------------------------------------------ */

/* Names in rdata spelled out. */
static bool read_record(
    struct ref_lines *lines, const struct compared_said *said, uint32_t i)
{
	const struct packet_record *r = &said->packet.records[i];
	int before, names = ref_names_in(r->type, &before);
	uint8_t rdata[REF_RDATA_MAX + 512];
	size_t at = (size_t)before, n = at, end = r->length;
	struct ref_name owner, name;

	if (lines->n == REF_LINES_MAX || end > REF_RDATA_MAX)
		return false;
	memcpy(rdata, r->rdata, at);
	while (names-- > 0) {
		uint8_t wire[256];

		at += packet_read_name(said->packet.bytes, said->packet.length,
		    r->rdata_at + at, wire);
		ref_name_of(&name, wire);
		memcpy(rdata + n, name.wire, name.size);
		n += name.size;
	}
	memcpy(rdata + n, r->rdata + at, end - at);
	/* A signed zone adds to the serial. */
	if (r->type == SOA && compared_key)
		memcpy(rdata + n, "\0\0\0\7", 4);
	ref_name_of(&owner, r->owner);
	ref_put(lines, &owner, r->type, r->ttl, rdata, n + end - at);
	return true;
}

const char *compared_ask(struct zone_set *set,
    const struct compared_question *question, const struct compared_way *way,
    struct compared_said *ret)
{
	struct dns_view view = {.zones = set, .nocookie_max = 1232};
	struct dns_client client = {.transport = way->transport};
	static struct packet query;
	struct query_facts facts;
	size_t length;
	const char *error;

	query.length = 0;
	packet_header(&query, 4711, 0, 1, 0, 0, 0);
	packet_put(&query, question->name.wire, question->name.size);
	packet_u16(&query, question->type);
	packet_u16(&query, 1);
	if (way->edns)
		packet_opt(&query, way->edns, way->dnssec_ok ? 0x8000 : 0);
	length = responder_answer(&view, &client, query.bytes, query.length,
	    ret->bytes, sizeof ret->bytes, &facts);
	if (!length)
		return "no answer";
	error = packet_read(&ret->packet, ret->bytes, length);
	if (error)
		return error;
	if (memcmp(ret->packet.name, question->name.wire,
		question->name.size) != 0 ||
	    ret->packet.type != question->type)
		return "another question";
	for (int i = 0; i < 3; i++)
		ret->section[i].n = 0;
	for (uint32_t i = 0; i < ret->packet.n; i++)
		if (ret->packet.records[i].type != OPT &&
		    !read_record(
			&ret->section[ret->packet.records[i].section - 1], ret,
			i))
			return "too much";
	for (int i = 0; i < 3; i++)
		ref_sort(&ret->section[i]);
	return NULL;
}

/* -- comparing --------------------------------------------------------- */

bool compared_same(const struct ref_lines *a, const struct ref_lines *b)
{
	return a->n == b->n && ref_is_part(a, b);
}

/* Bytes of the answer over TCP that have to be there: up to the end of the
 * authority section, or of the glue that stands first. */
static size_t needed(void)
{
	const struct packet_answer *a = &compared_tcp.packet;
	uint32_t first = a->counts[1] + (uint32_t)a->counts[2];
	uint32_t n = first + (uint32_t)compared_want.must.n;

	return n < a->n ? a->records[n].at : a->length;
}

const char *compared_cut(unsigned edns)
{
	size_t limit = edns < 512 ? 512 : edns > 1232 ? 1232 : edns;
	size_t opt = edns ? 11 : 0;
	bool is_cut = compared_udp.packet.flags & TC;
	const struct ref_lines *got = compared_udp.section;

	if (compared_udp.packet.length > limit)
		return compared_say(
		    "%zu bytes over UDP", compared_udp.packet.length);
	/* 6 bytes are kept for an extended error. */
	if (is_cut && needed() + opt + (edns ? 6 : 0) <= limit)
		return compared_say(
		    "TC, and %zu bytes would do", needed() + opt);
	if (!is_cut && needed() + opt > limit)
		return compared_say("no TC");
	if (!is_cut || (compared_want.referral && got[1].n))
		return compared_same(&got[0], &compared_tcp.section[0]) &&
			       compared_same(
				   &got[1], &compared_tcp.section[1]) &&
			       ref_is_part(&got[2], &compared_tcp.section[2]) &&
			       (is_cut ||
				   ref_is_part(&compared_want.must, &got[2]))
			   ? NULL
			   : compared_say("another answer over UDP");
	return got[0].n + got[1].n + got[2].n == 0 && !compared_udp.packet.rcode
		   ? NULL
		   : compared_say("something, and TC");
}

/* -- failing ----------------------------------------------------------- */

static void print_hex(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%02x", bytes[i]);
}

static void print_name(const struct ref_name *name)
{
	char text[DNAME_TEXT_MAX];

	(void)dname_to_text(name->wire, text);
	printf("%s", text);
}

static void print_lines(const char *what, const struct ref_lines *lines)
{
	printf("  %s: %d\n", what, lines->n);
	for (int i = 0; i < lines->n; i++) {
		struct ref_name owner;
		const struct ref_line *line = &lines->line[i];

		ref_name_of(&owner, line->bytes);
		printf("    ");
		print_name(&owner);
		printf(" TYPE%u ", line->type);
		print_hex(line->bytes + owner.size + 2,
		    line->length - owner.size - 2);
		printf("\n");
	}
}

static void print_world(void)
{
	for (int i = 0; i < compared_world.n; i++) {
		printf("zone ");
		print_name(&compared_world.zones[i].apex);
		printf("\n");
		for (int k = 0; k < compared_world.zones[i].n; k++) {
			const struct ref_record *r =
			    &compared_world.zones[i].records[k];

			printf("  ");
			print_name(&r->owner);
			printf(
			    " %u TYPE%u \\# %u ", r->ttl, r->type, r->length);
			print_hex(r->rdata, r->length);
			printf("\n");
		}
	}
}

static bool fails(
    const struct compared_question *question, compared_try *try_question)
{
	struct zone_set *set = compared_build();
	bool ret = set && try_question(set, question) != NULL;

	zone_set_free(set);
	return ret;
}

/* Leaves out each record without which it fails as well, until none is left
 * that could be; those of the apex stay. */
static void shrink(
    const struct compared_question *question, compared_try *try_question)
{
	bool again = true;

	while (again) {
		again = false;
		for (int z = 0; z < compared_world.n; z++)
			for (int i = compared_world.zones[z].n - 1; i >= 2;
			     i--) {
				static struct ref_zone before;
				struct ref_zone *zone =
				    &compared_world.zones[z];

				before = *zone;
				memmove(&zone->records[i],
				    &zone->records[i + 1],
				    (size_t)(--zone->n - i) *
					sizeof *zone->records);
				if (fails(question, try_question))
					again = true;
				else
					*zone = before;
			}
	}
}

_Noreturn void compared_give_up(int seed,
    const struct compared_question *question, compared_try *try_question)
{
	struct zone_set *set;
	const char *error;

	shrink(question, try_question);
	set = compared_build();
	error = try_question(set, question);
	print_world();
	printf("question ");
	print_name(&question->name);
	printf(" TYPE%u: %s\n", question->type, error);
	printf("  rcode %d, flags %x; wanted %d, AA %d\n",
	    compared_tcp.packet.rcode, compared_tcp.packet.flags,
	    compared_want.rcode, compared_want.aa);
	print_lines("answer", &compared_tcp.section[0]);
	print_lines("wanted", &compared_want.answer);
	print_lines("authority", &compared_tcp.section[1]);
	print_lines("wanted", &compared_want.authority);
	print_lines("additional", &compared_tcp.section[2]);
	print_lines("must", &compared_want.must);
	print_lines("may", &compared_want.may);
	zone_set_free(set);
	(void)fflush(stdout);
	(void)fprintf(stderr, "seed %d: in its smallest form above\n", seed);
	abort();
}
