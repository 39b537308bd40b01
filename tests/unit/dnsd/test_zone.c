/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone.h"

#include "base/assert.h"

#include "tests/unit/base/check_main.h"
#include "tests/unit/dnsd/zone_made.h"

static const char *match_text(const struct zone *zone, const char *name)
{
	static const char *const kinds[] = {
	    [ZONE_MATCH_EXACT] = "exact",
	    [ZONE_MATCH_WILDCARD] = "wildcard",
	    [ZONE_MATCH_NONE] = "none",
	    [ZONE_MATCH_DELEGATION] = "delegation",
	    [ZONE_MATCH_DNAME] = "dname",
	};
	static char text[3 * DNAME_TEXT_MAX];
	struct zone_match match;
	char node[DNAME_TEXT_MAX];

	zone_find(zone, key_made(name), &match);
	(void)snprintf(node, sizeof node, "%s", node_text(zone, match.node));
	(void)snprintf(text, sizeof text, "%s%s %s %s", kinds[match.kind],
	    match.kind == ZONE_MATCH_DELEGATION && match.exact ? "!" : "", node,
	    node_text(zone, match.encloser));
	return text;
}

#define FINDS(zone, name, text) ck_assert_str_eq(match_text(zone, name), text)

/* The zone and the questions of RFC 4592 section 2.2.1. */
START_TEST(test_wildcards_of_rfc_4592)
{
	struct zone *zone =
	    zone_good("example.", "@ SOA a b 1 2 3 4 5\n"
				  "@ NS ns.example.com.\n"
				  "@ NS ns.example.net.\n"
				  "* TXT \"this is a wildcard\"\n"
				  "* MX 10 host1\n"
				  "sub.* TXT \"this is not a wildcard\"\n"
				  "host1 A 192.0.2.1\n"
				  "_ssh._tcp.host1 SRV 0 0 22 host1\n"
				  "_ssh._tcp.host2 SRV 0 0 22 host1\n"
				  "subdel NS ns.example.com.\n"
				  "subdel NS ns.example.net.\n");

	FINDS(zone, "host3.example.", "wildcard *.example. example.");
	FINDS(zone, "foo.bar.example.", "wildcard *.example. example.");
	FINDS(zone, "host1.example.", "exact host1.example. host1.example.");
	FINDS(zone, "sub.*.example.", "exact sub.*.example. sub.*.example.");
	FINDS(zone, "_telnet._tcp.host1.example.",
	    "none none _tcp.host1.example.");
	FINDS(zone, "host.subdel.example.",
	    "delegation subdel.example. subdel.example.");
	FINDS(zone, "ghost.*.example.", "none none *.example.");
	/* Section 2.2.2: empty non-terminals exist. */
	FINDS(zone, "host2.example.", "exact host2.example. host2.example.");
	FINDS(zone, "x.host2.example.", "none none host2.example.");
	FINDS(zone, "*.example.", "exact *.example. *.example.");
	zone_unref(zone);
}
END_TEST

START_TEST(test_cuts)
{
	struct zone *zone = zone_good("e.",
	    MADE_BASE "Sub NS ns.sub\n"
		      "sub DS 1 13 2 00112233445566778899aabbccddeeff"
		      "00112233445566778899aabbccddeeff\n"
		      "ns.sub A 192.0.2.7\n"
		      "x.y.sub NS ns\n"
		      "*.sub A 192.0.2.8\n");
	const struct zone_node *cut = zone_find_name(
				   zone, name_made("sub.e.", NULL)),
			       *glue = zone_find_name(
				   zone, name_made("NS.sub.e.", NULL));

	FINDS(zone, "SUB.E.", "delegation! sub.e. sub.e.");
	FINDS(zone, "ns.sub.e.", "delegation sub.e. ns.sub.e.");
	FINDS(zone, "n.sub.e.", "delegation sub.e. sub.e.");
	/* The cut nearest to the apex answers. */
	FINDS(zone, "x.y.sub.e.", "delegation sub.e. x.y.sub.e.");
	FINDS(zone, "a.x.y.sub.e.", "delegation sub.e. x.y.sub.e.");
	FINDS(zone, "e.", "exact e. e.");
	FINDS(zone, "x.e.", "none none e.");
	ck_assert_uint_eq(cut->flags, ZONE_NODE_CUT);
	ck_assert_uint_eq(glue->flags, ZONE_NODE_OCCLUDED);
	ck_assert_ptr_nonnull(zone_rrset(zone, cut, RR_DS));
	/* Glue is reached by the index, without a search. */
	ck_assert_uint_eq(*rrset_targets(zone_rrset(zone, cut, RR_NS)),
	    zone_node_index(zone, glue));
	zone_unref(zone);
}
END_TEST

START_TEST(test_dnames)
{
	struct zone *zone =
	    zone_good("e.", MADE_BASE "d DNAME other.\nd A 192.0.2.1\n");

	FINDS(zone, "d.e.", "exact d.e. d.e.");
	FINDS(zone, "a.d.e.", "dname d.e. d.e.");
	FINDS(zone, "a.b.c.d.e.", "dname d.e. d.e.");
	FINDS(zone, "dd.e.", "none none e.");
	zone_unref(zone);
}
END_TEST

START_TEST(test_nodes_are_in_canonical_order)
{
	static const char *const order[] = {"e.", "a.e.", "x.a.e.", "y.x.a.e.",
	    "a\\000.e.", "b.e.", "\\000.b.e.", "\\001.b.e.", "*.b.e.", "c.b.e.",
	    "ns.e.", "z.e."};
	struct zone *zone = zone_good("e.",
	    MADE_BASE "z TXT z\n"
		      "c.b TXT c\n"
		      "*.b TXT w\n"
		      "\\001.b TXT o\n"
		      "\\000.B TXT o\n"
		      "b TXT b\n"
		      "y.x.A TXT y\n"
		      /* Not before x.a: labels count, not bytes. */
		      "a\\000 TXT z\n");

	ck_assert_uint_eq(zone_n_nodes(zone), BR_COUNT(order));
	for (uint32_t i = 0; i < BR_COUNT(order); i++)
		ck_assert_str_eq(
		    node_text(zone, zone_node_at(zone, i)), order[i]);
	ck_assert_uint_eq(zone_node_at(zone, 0)->end, BR_COUNT(order));
	ck_assert_uint_eq(zone_node_at(zone, 1)->end, 4);
	ck_assert_uint_eq(zone_node_at(zone, 3)->end, 4);
	ck_assert_uint_eq(zone_node_at(zone, 5)->end, 10);
	ck_assert_uint_eq(zone_node_at(zone, 3)->parent, 2);
	ck_assert_uint_eq(zone_node_at(zone, 2)->parent, 1);
	ck_assert_uint_eq(zone_node_at(zone, 2)->flags, ZONE_NODE_EMPTY);
	ck_assert_uint_eq(zone_node_at(zone, 5)->wildcard, 8);
	ck_assert_uint_eq(zone_node_at(zone, 0)->wildcard, ZONE_NONE);
	ck_assert_uint_eq(zone_node_at(zone, 8)->flags, ZONE_NODE_WILDCARD);
	zone_unref(zone);
}
END_TEST

START_TEST(test_rrsets)
{
	struct zone *zone =
	    zone_good("e.", MADE_BASE "a 50 A 192.0.2.9\n"
				      "A 40 A 192.0.2.10\n"
				      "a 60 A 192.0.2.9\n"
				      "a TXT t\n"
				      "a MX 10 NS\n"
				      "a MX 5 mail.example.org.\n");
	const struct zone_node *node =
	    zone_find_name(zone, name_made("a.e.", NULL));
	const struct rrset *set = zone_rrset(zone, node, RR_A);
	const uint8_t *at = rrset_records(set);
	struct answer_record first = rrset_take(&at), second = rrset_take(&at);

	/* The double is gone, the lowest TTL is the set's. */
	ck_assert_uint_eq(set->n, 2);
	ck_assert_uint_eq(set->ttl, 40);
	ck_assert_uint_eq(set->length, 12);
	ck_assert_uint_eq(first.length, 4);
	ck_assert_mem_eq(first.rdata, "\300\0\2\11", 4);
	ck_assert_mem_eq(second.rdata, "\300\0\2\12", 4);
	ck_assert_ptr_null(rrset_targets(set));
	ck_assert_ptr_null(rrset_signatures(set));
	set = zone_next_rrset(zone, node, set);
	ck_assert_uint_eq(set->type, RR_MX);
	at = rrset_records(set);
	first = rrset_take(&at);
	/* The case of names in data stays. */
	ck_assert_mem_eq(first.rdata, "\0\5\4mail\7example\3org", 20);
	ck_assert_mem_eq(rrset_take(&at).rdata, "\0\12\2NS\1e", 8);
	ck_assert_uint_eq(rrset_targets(set)[0], ZONE_NONE);
	ck_assert_uint_eq(rrset_targets(set)[1],
	    zone_node_index(
		zone, zone_find_name(zone, name_made("ns.e.", NULL))));
	set = zone_next_rrset(zone, node, set);
	ck_assert_uint_eq(set->type, RR_TXT);
	ck_assert_ptr_null(zone_next_rrset(zone, node, set));
	ck_assert_ptr_null(zone_rrset(zone, node, RR_AAAA));
	ck_assert_ptr_null(zone_find_name(zone, name_made("b.e.", NULL)));
	zone_unref(zone);
}
END_TEST

START_TEST(test_soa)
{
	struct zone *zone = zone_good("e.",
	    "@ 30 SOA ns h 4000000000 6 7 8 60\n@ NS ns\nns A 192.0.2.1\n");

	ck_assert_uint_eq(zone_serial(zone), 4000000000u);
	ck_assert_uint_eq(zone_negative_ttl(zone), 30);
	ck_assert_uint_eq(zone_soa(zone)->type, RR_SOA);
	ck_assert_ptr_eq(
	    zone_next_rrset(zone, zone_apex_node(zone), NULL), zone_soa(zone));
	ck_assert(!zone_is_signed(zone));
	zone_unref(zone);
	zone = zone_good(
	    "e.", "@ 90 SOA ns h 1 6 7 8 60\n@ NS ns\nns A 192.0.2.1\n");
	ck_assert_uint_eq(zone_negative_ttl(zone), 60);
	zone_unref(zone);
}
END_TEST

/* RFC 9460 section 2.5: "." as the target of an HTTPS is its owner. */
START_TEST(test_targets_of_services)
{
	struct zone *zone = zone_good(".",
	    "@ SOA a b 1 2 3 4 5\n@ NS ns.net.\nns.net. A 192.0.2.1\n"
	    "w HTTPS 1 . alpn=h2\nw A 192.0.2.1\n"
	    "v HTTPS 1 w\n"
	    "_s SRV 1 1 1 w\n"
	    "_n SRV 0 0 0 .\n");
	const struct zone_node *w = zone_find_name(zone, name_made("w.", NULL));
	const uint32_t index = zone_node_index(zone, w);

	ck_assert_uint_eq(*rrset_targets(zone_rrset(zone, w, RR_HTTPS)), index);
	ck_assert_uint_eq(
	    *rrset_targets(zone_rrset(
		zone, zone_find_name(zone, name_made("v.", NULL)), RR_HTTPS)),
	    index);
	ck_assert_uint_eq(
	    *rrset_targets(zone_rrset(
		zone, zone_find_name(zone, name_made("_s.", NULL)), RR_SRV)),
	    index);
	/* Of an SRV it says that there is no such service: the root. */
	ck_assert_uint_eq(
	    *rrset_targets(zone_rrset(
		zone, zone_find_name(zone, name_made("_n.", NULL)), RR_SRV)),
	    0);
	FINDS(zone, "org.", "none none .");
	zone_unref(zone);
}
END_TEST

/* -- signed elsewhere -------------------------------------------------- */

#define RRSIG(type, signer)                                                    \
	" RRSIG " type " 13 1 300 20300101000000 20200101000000 1 " signer     \
	" AAAA\n"

static const char signed_zone[] =
    MADE_BASE "@" RRSIG("SOA", "e.") "@" RRSIG("NS",
	"e.") "@ DNSKEY 257 3 13 AAAA\n"
	      "@ NSEC a.b NS SOA RRSIG NSEC DNSKEY\n"
	      "a.b A 192.0.2.1\n"
	      "a.b 30" RRSIG("A", "e.") "a.b NSEC d A RRSIG NSEC\n"
					"a.b" RRSIG("NSEC",
					    "e.") "d NS ns.d\n"
						  "ns.d A 192.0.2.3\n"
						  "d NSEC ns NS RRSIG NSEC\n"
						  "ns NSEC w A RRSIG NSEC\n"
						  "*.w TXT w\n"
						  "*.w NSEC @ TXT RRSIG NSEC\n";

static const char *denies(const struct zone *zone, const char *name)
{
	const struct dname_key *key = key_made(name);
	struct zone_match match;

	zone_find(zone, key, &match);
	return node_text(zone, zone_nsec_for(zone, key, &match));
}

START_TEST(test_denial)
{
	struct zone *zone = zone_good("e.", signed_zone);
	const struct zone_node *w =
	    zone_find_name(zone, name_made("w.e.", NULL));

	ck_assert(zone_is_signed(zone));
	ck_assert_str_eq(denies(zone, "e."), "e.");
	ck_assert_str_eq(denies(zone, "a.e."), "e.");
	/* An empty non-terminal has no NSEC: what covers it is before it. */
	ck_assert_str_eq(denies(zone, "b.e."), "e.");
	ck_assert_str_eq(denies(zone, "a.b.e."), "a.b.e.");
	ck_assert_str_eq(denies(zone, "0.a.b.e."), "a.b.e.");
	ck_assert_str_eq(denies(zone, "0.b.e."), "e.");
	ck_assert_str_eq(denies(zone, "c.b.e."), "a.b.e.");
	ck_assert_str_eq(denies(zone, "c.e."), "a.b.e.");
	/* Glue is no part of the chain. */
	ck_assert_str_eq(denies(zone, "d.e."), "d.e.");
	ck_assert_str_eq(denies(zone, "ns.d.e."), "d.e.");
	ck_assert_str_eq(denies(zone, "f.e."), "d.e.");
	ck_assert_str_eq(denies(zone, "w.e."), "ns.e.");
	ck_assert_str_eq(denies(zone, "x.w.e."), "*.w.e.");
	ck_assert_str_eq(denies(zone, "!.w.e."), "ns.e.");
	ck_assert_str_eq(denies(zone, "z.e."), "*.w.e.");
	ck_assert_str_eq(
	    node_text(zone, zone_nsec_for_wildcard(zone, w)), "*.w.e.");
	ck_assert_str_eq(
	    node_text(zone, zone_nsec_for_wildcard(zone, zone_apex_node(zone))),
	    "e.");
	zone_unref(zone);
}
END_TEST

START_TEST(test_signatures_are_of_their_set)
{
	struct zone *zone = zone_good("e.", signed_zone);
	const struct zone_node *node =
	    zone_find_name(zone, name_made("a.b.e.", NULL));
	const struct rrset *set = zone_rrset(zone, node, RR_A),
			   *rrsig = rrset_signatures(set);

	ck_assert_uint_eq(rrsig->type, RR_RRSIG);
	ck_assert_uint_eq(rrsig->n, 1);
	/* RFC 4034 section 3: the TTL is that of what it covers. */
	ck_assert_uint_eq(rrsig->ttl, 300);
	ck_assert_mem_eq(rrset_records(rrsig) + 2, "\0\1\15", 3);
	set = zone_next_rrset(zone, node, set);
	ck_assert_uint_eq(set->type, RR_NSEC);
	ck_assert_mem_eq(
	    rrset_records(rrset_signatures(set)) + 2, "\0\57\15", 3);
	ck_assert_ptr_null(zone_next_rrset(zone, node, set));
	ck_assert_ptr_null(zone_rrset(zone, node, RR_RRSIG));
	zone_unref(zone);
}
END_TEST

static bool count_record(void *context, const struct dns_record *record)
{
	uint32_t *counts = context;

	counts[record->type == RR_RRSIG]++;
	return counts[0] < 10;
}

START_TEST(test_walk)
{
	struct zone *zone = zone_good("e.", signed_zone);
	uint32_t counts[2] = {0};

	ck_assert(!zone_walk(zone, count_record, counts));
	ck_assert_uint_eq(counts[0], 10);
	ck_assert_uint_eq(counts[1], 4);
	zone_unref(zone);
}
END_TEST

/* -- resources --------------------------------------------------------- */

START_TEST(test_resource)
{
	struct zone_resource resource = {
	    .owner = name_made("r.e.", NULL),
	    .resource = (struct resource *)(void *)&resource,
	    .name = "r",
	    .n_types = 2,
	    .types = {RR_A, RR_HTTPS},
	};
	static uint8_t rdata[RDATA_MAX];
	struct zone_report report;
	struct zone_builder *builder;
	struct dns_record record = {0};
	const struct zone_dynamic *dynamic;
	const struct zone_node *node;
	const struct rrset *rrsig;
	struct zone *zone;

	zone_report_init(&report);
	builder = zone_builder_new(name_made("e.", NULL), MADE_SEED, &report);
	lines_made(builder, "e.", MADE_BASE "r TXT beside\n");
	zone_builder_add_resource(builder, &resource);
	record_made(
	    "r--pop A 192.0.2.9", name_made("e.", NULL), rdata, &record);
	zone_builder_add_target(builder, &resource, &record);
	record_made("r RRSIG HTTPS 13 2 9 20300101000000 20200101000000 1 e. "
		    "AAAA",
	    name_made("e.", NULL), rdata, &record);
	zone_builder_add_variant(builder, 2, &record);
	zone = zone_builder_finish(builder);
	ck_assert_msg(zone != NULL, "%s",
	    report.n_problems ? report.problems[0].text : "");
	node = zone_find_name(zone, name_made("r.e.", NULL));
	dynamic = zone_dynamic(zone, node);
	ck_assert_ptr_eq(dynamic->resource, (void *)&resource);
	ck_assert(zone_dynamic_has(dynamic, RR_HTTPS));
	ck_assert(!zone_dynamic_has(dynamic, RR_TXT));
	ck_assert_uint_eq(node->n_rrsets, 1);
	ck_assert_ptr_null(zone_variant_signatures(zone, node, RR_HTTPS, 1));
	ck_assert_ptr_null(zone_variant_signatures(zone, node, RR_HTTPS, 3));
	ck_assert_ptr_null(zone_variant_signatures(zone, node, RR_A, 2));
	rrsig = zone_variant_signatures(zone, node, RR_HTTPS, 2);
	ck_assert_mem_eq(rrset_records(rrsig) + 2, "\0\101\15", 3);
	ck_assert_ptr_nonnull(
	    zone_find_name(zone, name_made("r--pop.e.", NULL)));
	ck_assert_ptr_null(zone_dynamic(zone, zone_apex_node(zone)));
	zone_unref(zone);
	zone_report_fini(&report);
}
END_TEST

START_TEST(test_sizes)
{
	ck_assert_uint_eq(sizeof(struct zone_node), 32);
	ck_assert_uint_eq(sizeof(struct rrset), 20);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("zone");

	tcase_add_test(tcase, test_wildcards_of_rfc_4592);
	tcase_add_test(tcase, test_cuts);
	tcase_add_test(tcase, test_dnames);
	tcase_add_test(tcase, test_nodes_are_in_canonical_order);
	tcase_add_test(tcase, test_rrsets);
	tcase_add_test(tcase, test_soa);
	tcase_add_test(tcase, test_targets_of_services);
	tcase_add_test(tcase, test_denial);
	tcase_add_test(tcase, test_signatures_are_of_their_set);
	tcase_add_test(tcase, test_walk);
	tcase_add_test(tcase, test_resource);
	tcase_add_test(tcase, test_sizes);
	return check_main(tcase);
}
