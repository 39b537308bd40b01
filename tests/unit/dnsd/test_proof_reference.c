/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random signed zones and questions: answers are those of the reference, each
 * set that the zone has authority for comes with its signature, and the NSEC
 * records are as the zone has to have them, prove all that has to be proven,
 * and are not there for nothing.
 */
#include "base/assert.h"
#include "tests/unit/base/check_main.h"
#include "tests/unit/dnsd/dns_compared.h"
#include "tests/unit/dnsd/dns_proof.h"
#include "tests/unit/dnsd/dns_random.h"

#define WORLDS 1000
#define QUESTIONS 60

enum { NS = 2, CNAME = 5, SOA = 6, DNAME = 39, DS = 43, RRSIG = 46 };
enum { NSEC = 47, ANY = 255 };

static struct ref_lines plain[2];
static unsigned seen_covered, seen_no_type, seen_insecure, seen_secure,
    seen_wildcard, seen_cut;

static const struct ref_zone *zone_of(const struct ref_name *apex)
{
	for (int i = 0; i < compared_world.n; i++)
		if (ref_compare(&compared_world.zones[i].apex, apex) == 0)
			return &compared_world.zones[i];
	return NULL;
}

static bool same_owner(const struct ref_line *a, const struct ref_line *b)
{
	struct ref_name left, right;

	ref_name_of(&left, a->bytes);
	ref_name_of(&right, b->bytes);
	return ref_compare(&left, &right) == 0;
}

/* Another zone begins between a DNAME and a name below it. Its own name is
 * still the parent's when a DS is asked for. */
static bool is_other_zone(
    const struct ref_name *owner, const struct ref_name *above)
{
	bool is_ds = compared_tcp.packet.type == DS;

	for (int i = 0; i < compared_world.n; i++) {
		const struct ref_name *apex = &compared_world.zones[i].apex;

		if (apex->n > above->n && ref_is_within(owner, apex) &&
		    (!is_ds || apex->n < owner->n))
			return true;
	}
	return false;
}

/* NS of a delegation, and the CNAME that a DNAME made. */
static bool is_unsigned(
    const struct ref_lines *lines, const struct ref_line *line, int section)
{
	struct ref_name owner, above;

	if (section == 1 && line->type == NS)
		return compared_want.referral;
	if (line->type != CNAME)
		return false;
	ref_name_of(&owner, line->bytes);
	for (int i = 0; i < lines->n; i++) {
		ref_name_of(&above, lines->line[i].bytes);
		if (lines->line[i].type == DNAME && above.n < owner.n &&
		    ref_is_within(&owner, &above) &&
		    !is_other_zone(&owner, &above))
			return true;
	}
	return false;
}

/* Type covered, algorithm, labels; original TTL, times, tag; signer. */
static const char *check_signature(
    const struct ref_line *line, const struct ref_line *signature)
{
	const struct ref_zone *zone;
	struct ref_name owner, signer;
	const uint8_t *rdata;

	ref_name_of(&owner, line->bytes);
	rdata = signature->bytes + owner.size + 6;
	ref_name_of(&signer, rdata + 18);
	zone = zone_of(&signer);
	if (!zone || !ref_is_within(&owner, &signer))
		return compared_say("type %u: no zone's signer", line->type);
	if (line->type == NSEC && !proof_is_of_zone(zone, line))
		return compared_say("an NSEC that the zone does not have");
	if (rdata[3] != proof_labels(zone, &owner))
		return compared_say("type %u: %d labels", line->type, rdata[3]);
	return NULL;
}

/* How many signatures the line has; *ret_wrong says what is wrong with the last
 * one that is none. Of two zones' NSEC with one owner each has its own. */
static int count_signatures(const struct ref_lines *lines,
    const struct ref_line *line, bool *used, const char **ret_wrong)
{
	int n = 0;

	for (int i = 0; i < lines->n; i++) {
		const struct ref_line *other = &lines->line[i];
		struct ref_name owner;
		const uint8_t *rdata;
		const char *error;

		ref_name_of(&owner, other->bytes);
		rdata = other->bytes + owner.size + 6;
		if (other->type != RRSIG || !same_owner(other, line) ||
		    (rdata[0] << 8 | rdata[1]) != line->type)
			continue;
		error = check_signature(line, other);
		if (error)
			*ret_wrong = error;
		used[i] |= !error;
		n += !error;
	}
	return n;
}

static const char *check_signatures(int section)
{
	const struct ref_lines *lines = &compared_tcp.section[section];
	bool used[REF_LINES_MAX] = {false};

	for (int i = 0; i < lines->n; i++) {
		const struct ref_line *line = &lines->line[i];
		const char *error = "a wrong number of signatures";

		if (line->type == RRSIG)
			continue;
		if (count_signatures(lines, line, used, &error) !=
		    !is_unsigned(lines, line, section))
			return error;
	}
	for (int i = 0; i < lines->n; i++)
		if (lines->line[i].type == RRSIG && !used[i])
			return compared_say("a signature of nothing");
	return NULL;
}

/* Without RRSIG, and without NSEC and DS, which go with a referral. */
static void take_plain(int section)
{
	const struct ref_lines *lines = &compared_tcp.section[section];

	plain[section].n = 0;
	for (int i = 0; i < lines->n; i++)
		if (lines->line[i].type != RRSIG &&
		    (section == 0 || (lines->line[i].type != NSEC &&
					 lines->line[i].type != DS)))
			plain[section].line[plain[section].n++] =
			    lines->line[i];
}

static const char *check_proofs(void)
{
	const struct ref_lines *lines = &compared_tcp.section[1];
	bool has_ds = false, has_soa = false;

	for (int i = 0; i < compared_want.n_needs; i++)
		if (!proof_shows(lines, &compared_want.needs[i]))
			return compared_say("need %d of %d is not shown", i + 1,
			    compared_want.n_needs);
	for (int i = 0; i < lines->n; i++) {
		has_ds |= lines->line[i].type == DS;
		has_soa |= lines->line[i].type == SOA;
		if (lines->line[i].type == NSEC &&
		    !proof_is_needed(&lines->line[i], &compared_want))
			return compared_say("an NSEC for nothing");
	}
	seen_secure += has_ds;
	seen_insecure += compared_want.referral && !has_ds;
	seen_covered += has_soa && compared_want.rcode == 3;
	seen_no_type += has_soa && compared_want.rcode == 0;
	seen_wildcard +=
	    !has_soa && compared_want.n_needs > 0 && !compared_want.referral;
	return NULL;
}

static const char *check_whole(void)
{
	const char *error;

	if (compared_tcp.packet.rcode != compared_want.rcode)
		return compared_say("rcode %d", compared_tcp.packet.rcode);
	for (int i = 0; i < 2; i++)
		take_plain(i);
	if (compared_want.circle)
		return NULL;
	if (!compared_same(&plain[0], &compared_want.answer))
		return compared_say("answer");
	if (!compared_same(&plain[1], &compared_want.authority))
		return compared_say("authority");
	error = check_signatures(0);
	if (!error)
		error = check_signatures(1);
	return error ? error : check_proofs();
}

/* NULL, or what is wrong. */
static const char *try_question(
    struct zone_set *set, const struct compared_question *question)
{
	static const unsigned sizes[] = {512, 1232};
	struct compared_way way = {DNS_TCP, 1232, true};
	const char *error;

	ref_resolve(
	    &compared_world, &question->name, question->type, &compared_want);
	error = compared_ask(set, question, &way, &compared_tcp);
	if (!error)
		error = check_whole();
	way.transport = DNS_UDP;
	for (size_t i = 0; !error && i < BR_COUNT(sizes); i++) {
		way.edns = sizes[i];
		error = compared_ask(set, question, &way, &compared_udp);
		if (!error)
			error = compared_cut(sizes[i]);
		seen_cut += compared_udp.packet.flags >> 9 & 1;
	}
	return error;
}

START_TEST(test_every_proof)
{
	struct dnskey *key;

	ck_assert_int_eq(dnskey_generate(&key), 0);
	compared_key = key;
	int first = random_first_seed();

	for (int seed = first; seed < first + WORLDS; seed++) {
		struct zone_set *set;
		struct rng rng;

		rng_seed(&rng, (uint64_t)seed);
		random_world(&rng, &compared_world);
		set = compared_build();
		for (int i = 0; set && i < QUESTIONS; i++) {
			struct compared_question question;

			random_question(&rng, &compared_world, &question.name,
			    &question.type);
			/* One set of those there, among them the keys. */
			if (question.type == ANY)
				continue;
			if (try_question(set, &question))
				compared_give_up(seed, &question, try_question);
		}
		zone_set_free(set);
	}
	compared_key = NULL;
	dnskey_free(key);
	ck_assert_uint_gt(seen_covered, 1000);
	ck_assert_uint_gt(seen_no_type, 1000);
	ck_assert_uint_gt(seen_insecure, 100);
	ck_assert_uint_gt(seen_secure, 100);
	ck_assert_uint_gt(seen_wildcard, 100);
	ck_assert_uint_gt(seen_cut, 1000);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("proof_reference");

	tcase_set_timeout(tcase, 100);
	tcase_add_test(tcase, test_every_proof);
	return check_main(tcase);
}
