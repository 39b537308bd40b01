/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random zones and questions: every answer of the responder is the one of the
 * reference, section by section, over TCP and cut as UDP has it.
 */
#include "base/assert.h"
#include "tests/unit/base/check_main.h"
#include "tests/unit/dnsd/dns_compared.h"
#include "tests/unit/dnsd/dns_random.h"

#include <stdio.h>
#include <string.h>

#define WORLDS 3000
#define QUESTIONS 40

enum { DNAME = 39, ANY = 255, AA = 0x400, TC = 0x200 };
enum { NOERROR = 0, NXDOMAIN = 3, REFUSED = 5, YXDOMAIN = 6 };

/* RFC 8482: one rrset of those that are there. */
static bool is_good_any(const struct ref_lines *got)
{
	for (int i = 1; i < got->n; i++)
		if (got->line[i].type != got->line[0].type)
			return compared_want.answer.n ==
			       2; /* a DNAME, its CNAME */
	return !got->n == !compared_want.answer.n &&
	       ref_is_part(got, &compared_want.answer);
}

static const char *compare_whole(const struct compared_question *question)
{
	const struct ref_lines *got = compared_tcp.section;

	if (compared_tcp.packet.rcode != compared_want.rcode)
		return compared_say("rcode %d, not %d",
		    compared_tcp.packet.rcode, compared_want.rcode);
	if ((compared_tcp.packet.flags & ~0xf) !=
	    (0x8000 | (compared_want.aa ? AA : 0)))
		return compared_say("flags %x, AA is %d",
		    compared_tcp.packet.flags, compared_want.aa);
	if (compared_want.circle)
		return got[0].n && !got[1].n &&
			       ref_is_part(&got[0], &compared_want.answer)
			   ? NULL
			   : compared_say("circle");
	if (question->type == ANY
		? !is_good_any(&got[0])
		: !compared_same(&got[0], &compared_want.answer))
		return compared_say("answer");
	if (!compared_same(&got[1], &compared_want.authority))
		return compared_say("authority");
	if (!ref_is_part(&compared_want.must, &got[2]))
		return compared_say("glue is missing");
	if (!ref_is_part(&got[2], &compared_want.may))
		return compared_say("additional");
	return NULL;
}

/* NULL, or what is wrong. */
static const char *try_question(
    struct zone_set *set, const struct compared_question *question)
{
	static const unsigned sizes[] = {0, 512, 700, 1232, 4096};
	struct compared_way way = {.transport = DNS_TCP};
	const char *error;

	ref_resolve(
	    &compared_world, &question->name, question->type, &compared_want);
	error = compared_ask(set, question, &way, &compared_tcp);
	if (!error)
		error = compare_whole(question);
	way.transport = DNS_UDP;
	for (size_t i = 0; !error && i < BR_COUNT(sizes); i++) {
		way.edns = sizes[i];
		error = compared_ask(set, question, &way, &compared_udp);
		if (!error)
			error = compared_cut(sizes[i]);
	}
	return error;
}

/* -- what came ---------------------------------------------------------- */

/* Each kind of answer was among them, often. */
static unsigned seen_data, seen_alias, seen_renamed, seen_wildcard, seen_nodata,
    seen_nxdomain, seen_referral, seen_refused, seen_too_long, seen_circle,
    seen_cut, seen_additional;

static bool has_dname(const struct ref_lines *lines)
{
	for (int i = 0; i < lines->n; i++)
		if (lines->line[i].type == DNAME)
			return true;
	return false;
}

static void count(void)
{
	const struct ref_answer *w = &compared_want;
	bool absent = w->authority.n && !w->referral;

	seen_data += w->answer.n && !w->authority.n;
	seen_alias += w->answer.n && w->authority.n;
	seen_renamed += has_dname(&w->answer);
	seen_wildcard += w->n_needs && w->rcode == NOERROR &&
			 w->needs[0].kind == REF_NEED_COVER;
	seen_nodata += absent && w->rcode == NOERROR;
	seen_nxdomain += w->rcode == NXDOMAIN;
	seen_referral += w->referral;
	seen_refused += w->rcode == REFUSED;
	seen_too_long += w->rcode == YXDOMAIN;
	seen_circle += w->circle;
	seen_cut += (compared_udp.packet.flags & TC) != 0;
	seen_additional += compared_tcp.section[2].n > 0;
}

static void check_seen(void)
{
	ck_assert_uint_gt(seen_data, 10000);
	ck_assert_uint_gt(seen_alias, 1000);
	ck_assert_uint_gt(seen_renamed, 1000);
	ck_assert_uint_gt(seen_wildcard, 1000);
	ck_assert_uint_gt(seen_nodata, 10000);
	ck_assert_uint_gt(seen_nxdomain, 10000);
	ck_assert_uint_gt(seen_referral, 1000);
	ck_assert_uint_gt(seen_refused, 100);
	ck_assert_uint_gt(seen_too_long, 20);
	ck_assert_uint_gt(seen_circle, 50);
	ck_assert_uint_gt(seen_cut, 100);
	ck_assert_uint_gt(seen_additional, 1000);
}

START_TEST(test_every_answer)
{
	unsigned refused = 0;

	int first = random_first_seed();

	for (int seed = first; seed < first + WORLDS; seed++) {
		struct zone_set *set;
		struct rng rng;

		rng_seed(&rng, (uint64_t)seed);
		random_world(&rng, &compared_world);
		set = compared_build();
		if (!set) {
			refused++;
			continue;
		}
		for (int i = 0; i < QUESTIONS; i++) {
			struct compared_question question;

			random_question(&rng, &compared_world, &question.name,
			    &question.type);
			if (try_question(set, &question))
				compared_give_up(seed, &question, try_question);
			count();
		}
		zone_set_free(set);
	}
	check_seen();
	/* An SRV that leads to an alias, which random zones may have. */
	ck_assert_uint_lt(refused, WORLDS / 20);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("answer_reference");

	tcase_set_timeout(tcase, 100);
	tcase_add_test(tcase, test_every_answer);
	return check_main(tcase);
}
