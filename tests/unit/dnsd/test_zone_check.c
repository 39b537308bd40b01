/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_check.h"

#include "tests/unit/base/check_main.h"
#include "tests/unit/dnsd/zone_made.h"

/* The problems of a zone, one a line, errors with "!" before them. */
static const char *said(struct zone_report *report)
{
	static char text[8192];
	size_t n = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < report->n_problems; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s\n",
		    report->problems[i].severity == ZONE_ERROR ? "!" : "",
		    report->problems[i].text);
	return text;
}

static void checks(const char *lines, const char *expected)
{
	struct zone_report report;
	struct zone *zone;

	zone_report_init(&report);
	zone = zone_made("e.", lines, &report);
	ck_assert_str_eq(said(&report), expected);
	ck_assert_int_eq(zone == NULL, strchr(expected, '!') != NULL);
	zone_unref(zone);
	zone_report_fini(&report);
}

START_TEST(test_apex)
{
	checks("@ NS ns\nns A 192.0.2.1\n", "!e.: the zone has no SOA\n");
	checks("@ SOA a b 1 2 3 4 5\n", "!e.: the zone has no NS\n");
	checks("", "!e.: the zone has no SOA\n!e.: the zone has no NS\n");
	checks(MADE_BASE "@ SOA a b 1 2 3 4 5\n",
	    "!made:4: e. SOA: 2 different records, but there may be only "
	    "one\n");
	checks(MADE_BASE "a SOA a b 1 2 3 4 5\n",
	    "!made:4: a.e. SOA: is not at the apex\n");
	checks(MADE_BASE "a.f. A 192.0.2.1\n",
	    "!made:4: a.f. A: lies outside of the zone e.\n");
	checks(MADE_BASE "@ DS 1 13 99 00\n",
	    "!made:4: e. DS: belongs into the parent zone, not to the apex\n");
}
END_TEST

START_TEST(test_alias)
{
	checks(MADE_BASE "a CNAME b\nA TXT x\n",
	    "!made:5: a.e. TXT: stands beside a CNAME (made:4), whose owner "
	    "has no other data\n");
	checks(MADE_BASE "a CNAME b\na CNAME c\n",
	    "!made:5: a.e. CNAME: 2 different records, but there may be only "
	    "one\n");
	/* The same twice is one record (RFC 2181 section 5). */
	checks(MADE_BASE "a CNAME b\na CNAME B\n",
	    "made:5: a.e. CNAME: the same record stands at made:4 already\n");
	checks(MADE_BASE "a CNAME b\na NSEC b CNAME\n", "");
}
END_TEST

START_TEST(test_sets)
{
	checks(MADE_BASE "a 50 A 192.0.2.1\na 70 A 192.0.2.2\n",
	    "made:5: a.e. A: TTL 70, but 50 elsewhere in the set; the lowest "
	    "is taken\n");
	checks(MADE_BASE "a A 192.0.2.1\na A 192.0.2.1\n",
	    "made:5: a.e. A: the same record stands at made:4 already\n");
	checks(MADE_BASE "a MX 1 Ns\na MX 1 nS\n",
	    "made:5: a.e. MX: the same record stands at made:4 already\n");
}
END_TEST

START_TEST(test_delegations)
{
	checks(MADE_BASE "d NS ns\nd DS 1 13 99 00\n", "");
	checks(MADE_BASE "d DS 1 13 99 00\n",
	    "made:4: d.e. DS: is not at a delegation: there is no NS\n");
	checks(MADE_BASE "d NS ns.d\n",
	    "made:4: d.e. NS: ns.d.e. needs glue (A or AAAA) to be reached at "
	    "all\n");
	checks(MADE_BASE "d NS ns.d\nns.d A 192.0.2.1\n", "");
	checks(MADE_BASE "d NS none\n",
	    "made:4: d.e. NS: none.e. has no address\n");
	checks(MADE_BASE "d NS elsewhere.\n", "");
	checks(MADE_BASE "d NS ns\nx.d TXT lost\n",
	    "made:5: x.d.e. TXT: lies below the delegation of d.e. and is "
	    "never answered\n");
	checks(MADE_BASE "*.d NS ns\n",
	    "!made:4: *.d.e. NS: may not be at a wildcard\n");
}
END_TEST

START_TEST(test_dname)
{
	checks(MADE_BASE "d DNAME x.\na.d A 192.0.2.1\n",
	    "!made:5: a.d.e.: lies below a DNAME (made:4), where nothing may "
	    "exist\n");
	checks(MADE_BASE "d DNAME x.\nd NS ns\n",
	    "!made:4: d.e. DNAME: stands beside NS, which delegates the name "
	    "elsewhere\n");
	checks(MADE_BASE "d DNAME x.\nd DNAME y.\n",
	    "!made:5: d.e. DNAME: 2 different records, but there may be only "
	    "one\n");
	checks(MADE_BASE "*.d DNAME x.\n",
	    "!made:4: *.d.e. DNAME: may not be at a wildcard\n");
	checks(MADE_BASE "@ DNAME x.\n",
	    "!made:3: ns.e.: lies below a DNAME (made:4), where nothing may "
	    "exist\n");
}
END_TEST

START_TEST(test_targets)
{
	checks("@ SOA a b 1 2 3 4 5\n@ NS c\nc CNAME ns\nns A 192.0.2.1\n",
	    "!made:2: e. NS: c.e. is an alias, which it may not be\n");
	checks("@ SOA a b 1 2 3 4 5\n@ NS none\n",
	    "!made:2: e. NS: none.e. has no address\n");
	checks(MADE_BASE "@ MX 1 none\n",
	    "made:4: e. MX: none.e. has no address\n");
	checks(MADE_BASE "@ MX 1 c\nc CNAME ns\n",
	    "made:4: e. MX: c.e. is an alias, which it may not be\n");
	/* RFC 7505: no mail. */
	checks(MADE_BASE "@ MX 0 .\n", "");
	checks(MADE_BASE "@ MX 1 mail.w\n*.w A 192.0.2.1\n", "");
	checks(MADE_BASE "@ MX 1 a.d\nd DNAME x.\n",
	    "made:4: e. MX: a.d.e. lies below a DNAME\n");
	/* RFC 2782. */
	checks(MADE_BASE "_s SRV 1 1 1 c\nc CNAME ns\n",
	    "!made:4: _s.e. SRV: c.e. is an alias, which it may not be\n");
	checks(MADE_BASE "_s SRV 1 1 1 none\n",
	    "made:4: _s.e. SRV: none.e. has no address\n");
}
END_TEST

START_TEST(test_nsec3)
{
	checks(MADE_BASE "@ NSEC3PARAM 1 0 0 -\n",
	    "!made:4: e. NSEC3PARAM: zones signed with NSEC3 are not served; "
	    "use NSEC, or the unsigned file and dnssec.key\n");
}
END_TEST

/* Records that were refused may be those that seem to be missing. */
START_TEST(test_partial)
{
	struct zone_report report;

	zone_report_init(&report);
	zone_report_add(&report, ZONE_ERROR, NULL, "a line of no meaning");
	ck_assert_ptr_null(
	    zone_made("e.", "@ MX 1 none\na CNAME b\na CNAME c\n", &report));
	ck_assert_str_eq(said(&report),
	    "!a line of no meaning\n"
	    "!made:3: a.e. CNAME: 2 different records, but there may be only "
	    "one\n");
	zone_report_fini(&report);
}
END_TEST

START_TEST(test_wrong_records)
{
	static const struct dns_record any = {
	    .owner = (const uint8_t *)"\1e",
	    .type = RR_ANY,
	    .place = {.file = "f", .line = 3},
	};
	struct zone_report report;
	struct zone_builder *builder;
	struct dns_record a = any;

	zone_report_init(&report);
	builder = zone_builder_new(name_made("e.", NULL), MADE_SEED, &report);
	lines_made(builder, "e.", MADE_BASE);
	zone_builder_add(builder, &any);
	a.type = RR_A;
	a.rdata = (const uint8_t *)"abc";
	a.length = 3;
	a.place.line = 0;
	zone_builder_add(builder, &a);
	ck_assert_ptr_null(zone_builder_finish(builder));
	ck_assert_uint_eq(report.n_errors, 2);
	ck_assert_str_eq(report.problems[0].text,
	    "f:3: e. ANY: no zone may hold records of this type");
	ck_assert_int_eq(strncmp(report.problems[1].text, "f: e. A: ", 9), 0);
	zone_report_fini(&report);
}
END_TEST

/* A set that fits into no message could never be answered whole. Of many
 * small records most of it is not data. */
static void checks_large(
    uint16_t type, uint16_t length, uint32_t n, const char *expected)
{
	static uint8_t rdata[RDATA_MAX];
	struct zone_report report;
	struct zone_builder *builder;
	struct dns_record record = {.owner = (const uint8_t *)"\1a\1e",
	    .type = type,
	    .rdata = rdata,
	    .length = length,
	    .place = {.file = "f", .line = 9}};

	zone_report_init(&report);
	builder = zone_builder_new(name_made("e.", NULL), MADE_SEED, &report);
	lines_made(builder, "e.", MADE_BASE);
	for (uint32_t i = 0; i < n; i++) {
		memcpy(rdata, &i, sizeof i);
		zone_builder_add(builder, &record);
	}
	zone_unref(zone_builder_finish(builder));
	ck_assert_str_eq(said(&report), expected);
	zone_report_fini(&report);
}

START_TEST(test_large_set)
{
	checks_large(65280, 30000, 2, "");
	checks_large(65280, 30000, 3,
	    "!f:9: a.e. TYPE65280: 3 records are more than a message can "
	    "hold\n");
	checks_large(RR_A, 4, 4000, "");
	checks_large(RR_A, 4, 4001,
	    "!f:9: a.e. A: 4001 records are more than a message can hold\n");
}
END_TEST

START_TEST(test_report_is_bounded)
{
	struct zone_report report;

	zone_report_init(&report);
	for (int i = 0; i < 1000; i++)
		zone_report_add(&report, ZONE_WARNING, NULL, "%d", i);
	zone_report_add(&report, ZONE_ERROR,
	    &(struct dns_place){.file = "f", .line = 2}, "heard");
	ck_assert_uint_eq(report.n_warnings, 1000);
	ck_assert_uint_eq(report.n_errors, 1);
	ck_assert_uint_eq(report.n_problems, ZONE_REPORT_MAX + 1);
	ck_assert_str_eq(report.problems[ZONE_REPORT_MAX].text, "f:2: heard");
	zone_report_fini(&report);
}
END_TEST

/* -- resources --------------------------------------------------------- */

static struct zone_resource resource_made(
    const char *owner, bool alias, uint32_t line)
{
	struct zone_resource resource = {
	    .owner = name_made(owner, name_made("e.", NULL)),
	    .name = owner,
	    .alias = alias,
	    .n_types = 2,
	    .types = {RR_A, RR_AAAA},
	    .place = {.file = "conf", .line = line},
	};

	return resource;
}

static void checks_resources(const char *lines,
    const struct zone_resource *resources, uint32_t n, const char *target,
    const char *expected)
{
	static uint8_t rdata[RDATA_MAX];
	const uint8_t *apex = name_made("e.", NULL);
	struct zone_report report;
	struct zone_builder *builder;
	struct dns_record record = {0};
	struct zone *zone;

	zone_report_init(&report);
	builder = zone_builder_new(apex, MADE_SEED, &report);
	lines_made(builder, "e.", lines);
	for (uint32_t i = 0; i < n; i++) {
		zone_builder_add_resource(builder, &resources[i]);
		if (!target)
			continue;
		record_made(target, apex, rdata, &record);
		zone_builder_add_target(builder, &resources[i], &record);
	}
	zone = zone_builder_finish(builder);
	ck_assert_str_eq(said(&report), expected);
	zone_unref(zone);
	zone_report_fini(&report);
}

START_TEST(test_resources)
{
	struct zone_resource alias = resource_made("r", true, 7),
			     plain = resource_made("r", false, 7),
			     two[] = {alias, resource_made("R", false, 8)},
			     apex = resource_made("@", true, 7),
			     root = resource_made("@", false, 7),
			     below = resource_made("x.d", false, 7),
			     outside = resource_made("x.", false, 7);

	checks_resources(MADE_BASE, &alias, 1, "r--p A 192.0.2.1", "");
	checks_resources(MADE_BASE "r TXT x\n", &alias, 1, NULL,
	    "!conf:7: r.e. TXT: stands at made:4, but the resource \"r\" is an "
	    "alias there, which has no other data\n");
	checks_resources(MADE_BASE "r TXT x\nr A 192.0.2.1\n", &plain, 1, NULL,
	    "!conf:7: r.e. A: stands at made:5, but the resource \"r\" "
	    "answers for this type itself\n");
	checks_resources(MADE_BASE "r CNAME x\n", &plain, 1, NULL,
	    "!conf:7: r.e. CNAME: stands at made:4, but the resource \"r\" is "
	    "there, which is no alias\n");
	checks_resources(MADE_BASE, &apex, 1, NULL,
	    "!conf:7: e.: the resource \"@\" is an alias and cannot be the "
	    "apex, which has SOA and NS: use mode rank or addrs\n");
	checks_resources(MADE_BASE, &root, 1, NULL, "");
	checks_resources(MADE_BASE "d NS ns\n", &below, 1, NULL,
	    "!conf:7: x.d.e.: the resource \"x.d\" lies at or below a "
	    "delegation and would never be asked\n");
	checks_resources(MADE_BASE, &outside, 1, NULL,
	    "!conf:7: x.: lies outside of the zone e.\n");
	checks_resources(MADE_BASE, two, 2, NULL,
	    "!conf:8: R.e.: the resources \"r\" (conf:7) and \"R\" have one "
	    "name\n");
	checks_resources(MADE_BASE "_s SRV 1 1 1 r\n", &alias, 1, NULL,
	    "!made:4: _s.e. SRV: r.e. is an alias, which it may not be\n");
	checks_resources(MADE_BASE "@ MX 1 r\n", &plain, 1, NULL, "");
}
END_TEST

START_TEST(test_collisions)
{
	struct zone_resource two[] = {
	    resource_made("r", true, 7), resource_made("q", true, 8)};

	checks_resources(MADE_BASE "t A 192.0.2.1\n", two, 1, "t A 192.0.2.2",
	    "!t.e.: is a target of the resource \"r\" (conf:7), and collides "
	    "with made:4\n");
	checks_resources(MADE_BASE, two, 2, "t A 192.0.2.2",
	    "conf:8: t.e. A: the same record stands at conf:7 already\n"
	    "!t.e.: is a target of the resource \"r\" (conf:7), and collides "
	    "with conf:8\n");
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("zone_check");

	tcase_add_test(tcase, test_apex);
	tcase_add_test(tcase, test_alias);
	tcase_add_test(tcase, test_sets);
	tcase_add_test(tcase, test_delegations);
	tcase_add_test(tcase, test_dname);
	tcase_add_test(tcase, test_targets);
	tcase_add_test(tcase, test_nsec3);
	tcase_add_test(tcase, test_partial);
	tcase_add_test(tcase, test_wrong_records);
	tcase_add_test(tcase, test_large_set);
	tcase_add_test(tcase, test_report_is_bounded);
	tcase_add_test(tcase, test_resources);
	tcase_add_test(tcase, test_collisions);
	return check_main(tcase);
}
