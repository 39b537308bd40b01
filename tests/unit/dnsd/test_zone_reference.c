/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random zones and questions against a reference that only searches the list
 * of records, written from RFC 1034 section 4.3.2, RFC 4592, RFC 6672 and
 * RFC 4034.
 */
#include "dnsd/zone.h"

#include "base/rng.h"
#include "tests/unit/base/check_main.h"
#include "tests/unit/dnsd/zone_made.h"

#define RECORDS_MAX 40
#define ROUNDS 400
#define QUESTIONS 200

struct made_record {
	uint8_t owner[DNAME_MAX];
	uint16_t type;
};

struct made {
	struct made_record records[RECORDS_MAX];
	int n;
};

static const uint8_t apex[] = "\1z\7example";

/* -- the reference ----------------------------------------------------- */

static bool has(const struct made *made, const uint8_t *name, uint16_t type)
{
	for (int i = 0; i < made->n; i++)
		if (made->records[i].type == type &&
		    dname_equal(made->records[i].owner, name))
			return true;
	return false;
}

/* RFC 4592 section 2.2.2: a name exists if it or one below it owns data. */
static bool exists(const struct made *made, const uint8_t *name)
{
	for (int i = 0; i < made->n; i++)
		if (dname_is_within(made->records[i].owner, name))
			return true;
	return false;
}

struct expected {
	enum zone_match_kind kind;
	uint8_t node[DNAME_MAX];
	uint8_t encloser[DNAME_MAX];
};

static void expect(
    struct expected *ret, enum zone_match_kind kind, const uint8_t *node)
{
	ret->kind = kind;
	(void)dname_copy(ret->node, node);
}

static void reference(
    const struct made *made, const uint8_t *name, struct expected *ret)
{
	uint32_t from = dname_labels(apex), to = dname_labels(name), at;
	uint8_t wildcard[DNAME_MAX];

	for (at = to; !exists(made, dname_ancestor(name, at)); at--)
		;
	(void)dname_copy(ret->encloser, dname_ancestor(name, at));
	for (uint32_t i = from; i <= to; i++) {
		const uint8_t *above = dname_ancestor(name, i);

		if (i > from && has(made, above, RR_NS)) {
			expect(ret, ZONE_MATCH_DELEGATION, above);
			return;
		}
		if (i < to && has(made, above, RR_DNAME)) {
			expect(ret, ZONE_MATCH_DNAME, above);
			return;
		}
	}
	if (at == to) {
		expect(ret, ZONE_MATCH_EXACT, name);
		return;
	}
	(void)dname_join(
	    wildcard, (const uint8_t *)"\1*", dname_ancestor(name, at));
	if (exists(made, wildcard))
		expect(ret, ZONE_MATCH_WILDCARD, wildcard);
	else
		expect(ret, ZONE_MATCH_NONE, name);
}

/* -- what is made ------------------------------------------------------ */

static void random_name(struct rng *rng, uint8_t ret[DNAME_MAX])
{
	static const char *const labels[] = {
	    "\1a", "\1b", "\1A", "\1*", "\2aa", "\1\1", "\1~"};
	uint32_t depth = rng_below(rng, 5);

	(void)dname_copy(ret, apex);
	for (uint32_t i = 0; i < depth; i++) {
		uint8_t longer[DNAME_MAX];

		(void)dname_join(
		    longer, (const uint8_t *)labels[rng_below(rng, 7)], ret);
		(void)dname_copy(ret, longer);
	}
}

/* Leaves out what makes a zone be refused. */
static bool is_allowed(
    const struct made *made, const uint8_t *owner, uint16_t type)
{
	uint32_t labels = dname_labels(owner);

	if (dname_is_wildcard(owner) && (type == RR_NS || type == RR_DNAME))
		return false;
	if (type == RR_DNAME)
		for (int i = 0; i < made->n; i++)
			if (dname_is_within(made->records[i].owner, owner))
				return false;
	for (; labels > 0; labels--)
		if (has(made, dname_ancestor(owner, labels), RR_DNAME))
			return false;
	return true;
}

static void random_zone(struct rng *rng, struct made *made)
{
	static const uint16_t types[] = {
	    RR_A, RR_A, RR_A, RR_TXT, RR_NS, RR_DNAME};
	uint32_t wanted = 2 + rng_below(rng, RECORDS_MAX - 2);

	made->n = 0;
	for (int i = 0; i < 2; i++) {
		(void)dname_copy(made->records[i].owner, apex);
		made->records[made->n++].type = i ? RR_NS : RR_SOA;
	}
	for (uint32_t i = 2; i < wanted; i++) {
		struct made_record *record = &made->records[made->n];
		uint16_t type = types[rng_below(rng, 6)];

		random_name(rng, record->owner);
		if (!is_allowed(made, record->owner, type))
			continue;
		record->type = type;
		made->n++;
	}
}

static struct zone *build(const struct made *made)
{
	struct zone_report report;
	struct zone_builder *builder;
	struct zone *zone;

	zone_report_init(&report);
	builder = zone_builder_new(apex, MADE_SEED, &report);
	/* Backwards: the order of records must not matter. */
	for (int i = made->n; i-- > 0;) {
		uint16_t type = made->records[i].type;
		struct dns_record record = {
		    .owner = made->records[i].owner,
		    .type = type,
		    .rdata = (const uint8_t *)(type == RR_A     ? "\1\2\3\4"
					       : type == RR_TXT ? "\1t"
								: "\1x"),
		    .length = type == RR_A     ? 4
			      : type == RR_TXT ? 2
					       : 3,
		};
		uint8_t soa[26] = "\1x\0\1x";

		if (type == RR_SOA) {
			record.rdata = soa;
			record.length = sizeof soa;
		}
		zone_builder_add(builder, &record);
	}
	zone = zone_builder_finish(builder);
	ck_assert_msg(zone != NULL, "%s",
	    report.n_problems ? report.problems[0].text : "no zone");
	zone_report_fini(&report);
	return zone;
}

/* -- comparing --------------------------------------------------------- */

static void compare(
    const struct zone *zone, const struct made *made, const uint8_t *name)
{
	char text[DNAME_TEXT_MAX];
	struct dname_key key;
	struct zone_match match;
	struct expected expected;

	(void)dname_to_text(name, text);
	dname_key_of(&key, name, dname_size(name), MADE_SEED);
	zone_find(zone, &key, &match);
	reference(made, name, &expected);
	ck_assert_msg(match.kind == expected.kind, "%s: %d, not %d", text,
	    match.kind, expected.kind);
	ck_assert_msg(dname_equal(zone_node_name(zone, match.encloser),
			  expected.encloser),
	    "%s: encloser %s", text, node_text(zone, match.encloser));
	if (match.kind == ZONE_MATCH_NONE) {
		ck_assert_ptr_null(match.node);
		return;
	}
	ck_assert_msg(
	    dname_equal(zone_node_name(zone, match.node), expected.node),
	    "%s: node %s", text, node_text(zone, match.node));
	ck_assert_int_eq(match.exact, dname_equal(expected.node, name));
	for (uint16_t type = 1; type < 50; type++)
		ck_assert_int_eq(zone_rrset(zone, match.node, type) != NULL,
		    has(made, expected.node, type));
}

/* Every name once, in order, none that does not exist. */
static void compare_nodes(const struct zone *zone, const struct made *made)
{
	for (uint32_t i = 0; i < zone_n_nodes(zone); i++) {
		const struct zone_node *node = zone_node_at(zone, i);
		const uint8_t *name = zone_node_name(zone, node);

		ck_assert(exists(made, name));
		if (i)
			ck_assert_int_gt(
			    dname_compare(name, zone_node_name(zone,
						    zone_node_at(zone, i - 1))),
			    0);
		for (uint32_t j = i + 1; j < zone_n_nodes(zone); j++)
			ck_assert_int_eq(j < node->end,
			    dname_is_within(
				zone_node_name(zone, zone_node_at(zone, j)),
				name));
	}
	for (int i = 0; i < made->n; i++)
		ck_assert_ptr_nonnull(
		    zone_find_name(zone, made->records[i].owner));
}

START_TEST(test_against_reference)
{
	uint32_t seen[ZONE_MATCH_DNAME + 1] = {0};
	struct made made;
	struct rng rng;

	rng_seed(&rng, 20261121);
	for (int round = 0; round < ROUNDS; round++) {
		struct zone *zone;

		random_zone(&rng, &made);
		zone = build(&made);
		compare_nodes(zone, &made);
		for (int i = 0; i < QUESTIONS; i++) {
			uint8_t name[DNAME_MAX];
			struct expected expected;

			random_name(&rng, name);
			compare(zone, &made, name);
			reference(&made, name, &expected);
			seen[expected.kind]++;
		}
		zone_unref(zone);
	}
	/* Each kind of answer was among them, often. */
	for (int kind = 0; kind <= ZONE_MATCH_DNAME; kind++)
		ck_assert_uint_gt(seen[kind], 1000);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("zone_reference");

	tcase_add_test(tcase, test_against_reference);
	return check_main(tcase);
}
