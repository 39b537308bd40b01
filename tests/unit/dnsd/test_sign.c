/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed zones, among others as dnssec-verify (BIND) and ldns-verify-zone see
 * them.
 */
#include "dnsd/sign.h"

#include "tests/unit/base/check_main.h"
#include "tests/unit/dnsd/zone_made.h"

#include <spawn.h>
#include <unistd.h>

#define NOW_S INT64_C(1790000000) /* 2026-09-21 */

static const char rich_zone[] =
    "@ 900 SOA Ns HostMaster 41 6 7 8 600\n"
    "@ 3600 NS Ns\n"
    "@ 3600 NS ns.other.\n"
    "Ns A 192.0.2.53\n"
    "Www 60 A 192.0.2.2\n"
    "www A 192.0.2.1\n"
    "www TXT \"Case stays\"\n"
    "mail MX 10 MX1\n"
    "mail MX 5 mx.Other.\n"
    "mx1 A 192.0.2.9\n"
    "*.Wild TXT w\n"
    "alias CNAME WWW\n"
    "a.b.c TXT \"below two names without data\"\n"
    "old DNAME New.\n"
    "_s._tcp SRV 1 2 3 www\n"
    "odd\\000name TXT x\n"
    "TYPES TYPE65280 \\# 2 0001\n"
    "sub NS ns.Sub\n"
    "sub NS ns.deep.sub\n"
    "sub DS 60485 8 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4"
    "469DA50A\n"
    "ns.sub A 192.0.2.77\n"
    "ns.deep.sub A 192.0.2.78\n"
    "insecure NS ns.other.\n";

/* -- resources as they might be ---------------------------------------- */

#define N_VARIANTS 3

/* The alias leads to one of three names; the other has two of three
 * addresses, in no order. */
static uint32_t fake_variants(const struct resource *resource, uint16_t type,
    void (*on_variant)(void *context, const struct answer_set *set),
    void *context)
{
	static const uint8_t names[N_VARIANTS][5] = {
	    "\1P\1E", "\1q\1e", "\1r\1e"};
	static const uint8_t addresses[N_VARIANTS][4] = {
	    {192, 0, 2, 30}, {192, 0, 2, 20}, {192, 0, 2, 10}};

	(void)resource;
	for (uint32_t i = 0; i < N_VARIANTS; i++) {
		struct answer_set set = {
		    .type = type, .n = 1, .ttl = 33, .variant = i};

		if (type == RR_CNAME) {
			set.records[0] = (struct answer_record){names[i], 5};
		} else {
			set.n = 2;
			set.records[0] =
			    (struct answer_record){addresses[i], 4};
			set.records[1] = (struct answer_record){
			    addresses[(i + 1) % N_VARIANTS], 4};
		}
		on_variant(context, &set);
	}
	return N_VARIANTS;
}

static struct zone *base_zone(bool with_resources)
{
	const uint8_t *apex = name_made("E.", NULL);
	struct zone_resource pick = {.owner = name_made("Pick", apex),
				 .name = "pick",
				 .alias = true,
				 .n_types = 1,
				 .types = {RR_CNAME}},
			     addrs = {.owner = name_made("addrs", apex),
				 .name = "addrs",
				 .n_types = 1,
				 .types = {RR_A}};
	struct zone_builder *builder;
	struct zone_report report;
	struct zone *zone;

	zone_report_init(&report);
	builder = zone_builder_new(apex, MADE_SEED, &report);
	lines_made(builder, "e.", rich_zone);
	if (with_resources) {
		zone_builder_add_resource(builder, &pick);
		zone_builder_add_resource(builder, &addrs);
	}
	zone = zone_builder_finish(builder);
	ck_assert_msg(zone != NULL, "%s", report.problems[0].text);
	zone_report_fini(&report);
	return zone;
}

static struct dnskey *key;

static struct zone *sign_at(struct zone *zone, int64_t now_s, uint32_t threads)
{
	struct sign_options options = {.key = key,
	    .now = {now_s * NS_PER_S},
	    .threads = threads,
	    .variants = fake_variants};
	struct zone_report report;
	struct zone *done;

	zone_report_init(&report);
	done = sign_zone(zone, &options, &report);
	ck_assert_msg(done != NULL, "%s",
	    report.n_problems ? report.problems[0].text : "");
	ck_assert_uint_eq(report.n_problems, 0);
	zone_report_fini(&report);
	return done;
}

/* -- what others say --------------------------------------------------- */

static char folder[] = "/tmp/test_sign.XXXXXX";
static char path[sizeof folder + 8];

static bool print_record(void *context, const struct dns_record *record)
{
	char owner[DNAME_TEXT_MAX];
	FILE *file = context;

	(void)dname_to_text(record->owner, owner);
	fprintf(file, "%s %u IN TYPE%u \\# %u ", owner, record->ttl,
	    record->type, record->length);
	for (uint32_t i = 0; i < record->length; i++)
		fprintf(file, "%02x", record->rdata[i]);
	fputc('\n', file);
	return true;
}

struct printing {
	FILE *file;
	const struct zone *zone;
	const struct zone_node *node;
	uint32_t variant;
};

static void print_variant(void *context, const struct answer_set *set)
{
	struct printing *printing = context;
	const struct rrset *rrsig;
	const uint8_t *at;
	struct dns_record record = {
	    .owner = zone_node_name(printing->zone, printing->node),
	    .ttl = set->ttl};
	struct answer_record data;

	if (set->variant != printing->variant)
		return;
	record.type = set->type;
	for (uint32_t i = 0; i < set->n; i++) {
		record.rdata = set->records[i].rdata;
		record.length = set->records[i].length;
		print_record(printing->file, &record);
	}
	rrsig = zone_variant_signatures(
	    printing->zone, printing->node, set->type, set->variant);
	at = rrset_records(rrsig);
	data = rrset_take(&at);
	record.type = RR_RRSIG;
	record.rdata = data.rdata;
	record.length = data.length;
	print_record(printing->file, &record);
}

/* The zone as its resources answer with that variant. */
static void print_zone(const struct zone *zone, uint32_t variant)
{
	struct printing printing = {
	    .file = fopen(path, "w"), .zone = zone, .variant = variant};

	ck_assert_ptr_nonnull(printing.file);
	ck_assert(zone_walk(zone, print_record, printing.file));
	for (uint32_t i = 0; i < zone_n_nodes(zone); i++) {
		const struct zone_dynamic *dynamic;

		printing.node = zone_node_at(zone, i);
		dynamic = zone_dynamic(zone, printing.node);
		for (int j = 0; dynamic && j < dynamic->n_types; j++)
			(void)fake_variants(
			    NULL, dynamic->types[j], print_variant, &printing);
	}
	ck_assert_int_eq(fclose(printing.file), 0);
}

/* The program's status; what it says goes to the test's output. */
static int run(char *const *words)
{
	extern char **environ;
	int status;
	pid_t pid;

	ck_assert_msg(!posix_spawnp(&pid, words[0], NULL, NULL, words, environ),
	    "%s is not installed", words[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void remove_files(void)
{
	(void)unlink(path);
	(void)rmdir(folder);
}

static int bind_says(void)
{
	char *const words[] = {
	    "dnssec-verify", "-q", "-z", "-o", "e.", path, NULL};

	return run(words);
}

static int ldns_says(void)
{
	char *const words[] = {"ldns-verify-zone", "-V", "1", path, NULL};

	return run(words);
}

/* Times are of now: verifiers have no other clock. */
START_TEST(test_verifiers_agree)
{
	struct zone *base = base_zone(true);
	struct zone *zone = sign_at(base, wall_now().ns / NS_PER_S, 2);
	FILE *file;

	for (uint32_t variant = 0; variant < N_VARIANTS; variant++) {
		print_zone(zone, variant);
		ck_assert_int_eq(bind_says(), 0);
		ck_assert_int_eq(ldns_says(), 0);
	}
	/* A name that is not in the chain: both complain. */
	file = fopen(path, "a");
	fputs("new.e. 300 IN A 192.0.2.1\n", file);
	fclose(file);
	ck_assert_int_ne(bind_says(), 0);
	ck_assert_int_ne(ldns_says(), 0);
	zone_unref(zone);
	zone_unref(base);
}
END_TEST

/* -- what is signed ---------------------------------------------------- */

static const struct zone_node *node_of(
    const struct zone *zone, const char *name)
{
	const struct zone_node *node =
	    zone_find_name(zone, name_made(name, name_made("e.", NULL)));

	ck_assert_msg(node != NULL, "%s", name);
	return node;
}

/* The first record of the type at a name. */
static struct answer_record record_of(
    const struct zone *zone, const char *name, uint16_t type)
{
	const struct rrset *set = zone_rrset(zone, node_of(zone, name), type);
	const uint8_t *at;

	ck_assert_msg(set != NULL, "%s %u", name, type);
	at = rrset_records(set);
	return rrset_take(&at);
}

static const uint8_t *rrsig_of(
    const struct zone *zone, const char *name, uint16_t type)
{
	const struct rrset *set = zone_rrset(zone, node_of(zone, name), type);

	ck_assert_msg(set && rrset_signatures(set), "%s %u", name, type);
	return rrset_records(rrset_signatures(set)) + 2;
}

START_TEST(test_what_is_signed)
{
	struct zone *base = base_zone(false), *zone = sign_at(base, NOW_S, 1);
	const struct zone_node *sub = node_of(zone, "sub"),
			       *glue = node_of(zone, "ns.sub"),
			       *empty = node_of(zone, "b.c");

	ck_assert(zone_is_signed(zone));
	ck_assert_ptr_eq(zone_base(zone), base);
	/* RFC 4035 section 2.2. */
	ck_assert_ptr_null(rrset_signatures(zone_rrset(zone, sub, RR_NS)));
	ck_assert_ptr_nonnull(rrset_signatures(zone_rrset(zone, sub, RR_DS)));
	ck_assert_ptr_null(rrset_signatures(zone_rrset(zone, glue, RR_A)));
	ck_assert_ptr_null(zone_rrset(zone, glue, RR_NSEC));
	ck_assert_uint_eq(empty->n_rrsets, 0);
	/* Labels: without the root, without the asterisk. */
	ck_assert_uint_eq(rrsig_of(zone, "a.b.c", RR_TXT)[3], 4);
	ck_assert_uint_eq(rrsig_of(zone, "*.wild", RR_TXT)[3], 2);
	ck_assert_uint_eq(rrsig_of(zone, "@", RR_SOA)[3], 1);
	/* The original TTL, of a set that was given several. */
	ck_assert_mem_eq(rrsig_of(zone, "www", RR_A) + 4, "\0\0\0\74", 4);
	/* Bitmaps: of a cut, of the apex, of a type far away. */
	ck_assert_mem_eq(record_of(zone, "sub", RR_NSEC).rdata,
	    "\5types\1e\0\0\6\x20\0\0\0\0\x13", 16);
	ck_assert_mem_eq(record_of(zone, "insecure", RR_NSEC).rdata,
	    "\4mail\1e\0\0\6\x20\0\0\0\0\3", 15);
	ck_assert_mem_eq(record_of(zone, "types", RR_NSEC).rdata,
	    "\1*\4wild\1e\0\0\6\0\0\0\0\0\3\xff\1\x80", 21);
	ck_assert_mem_eq(record_of(zone, "@", RR_NSEC).rdata,
	    "\2_s\4_tcp\1e\0\0\10\x22\0\0\0\0\3\x80\x18", 21);
	/* The TTL of a negative answer (RFC 9077). */
	ck_assert_uint_eq(
	    zone_rrset(zone, node_of(zone, "@"), RR_NSEC)->ttl, 600);
	zone_unref(zone);
	zone_unref(base);
}
END_TEST

START_TEST(test_keys_at_the_apex)
{
	struct zone *base = base_zone(false), *zone = sign_at(base, NOW_S, 1),
		    *leaving, *left;
	struct answer_record cds = record_of(zone, "@", RR_CDS);
	uint8_t ds[DNSKEY_DS_BYTES];

	dnskey_ds(key, name_made("e.", NULL), ds);
	ck_assert_mem_eq(cds.rdata, ds, sizeof ds);
	ck_assert_mem_eq(record_of(zone, "@", RR_DNSKEY).rdata,
	    dnskey_rdata(key), DNSKEY_RDATA_BYTES);
	ck_assert_mem_eq(record_of(zone, "@", RR_CDNSKEY).rdata,
	    dnskey_rdata(key), DNSKEY_RDATA_BYTES);
	zone_unref(zone);
	zone_unref(base);
	/* RFC 8078 section 4: this zone asks for the DS to be removed. */
	leaving = zone_good("e.", MADE_BASE "@ CDS 0 0 0 00\n");
	left = sign_at(leaving, NOW_S, 1);
	ck_assert_uint_eq(zone_rrset(left, zone_apex_node(left), RR_CDS)->n, 1);
	ck_assert_mem_eq(record_of(left, "@", RR_CDS).rdata, "\0\0\0\0\0", 5);
	ck_assert_ptr_null(zone_rrset(left, zone_apex_node(left), RR_CDNSKEY));
	zone_unref(left);
	zone_unref(leaving);
}
END_TEST

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	       (uint32_t)at[2] << 8 | at[3];
}

/* At no moment is less than SIGN_LEFT_S left, and each period raises the
 * serial by one. */
START_TEST(test_periods)
{
	struct zone *base = base_zone(false);
	const uint8_t *apex = zone_apex(base);
	uint32_t serial = 0;

	for (int64_t now_s = NOW_S; now_s < NOW_S + 30 * 86400;
	     now_s += 40000) {
		struct zone *zone = sign_at(base, now_s, 1), *again;
		const uint8_t *rrsig = rrsig_of(zone, "www", RR_A);
		int64_t due_s =
		    sign_due(apex, (struct wall){now_s * NS_PER_S}).ns /
		    NS_PER_S;
		uint32_t expires = be32(rrsig + 8), begins = be32(rrsig + 12);

		ck_assert_int_gt(due_s, now_s);
		ck_assert_int_le(due_s, now_s + SIGN_PERIOD_S);
		ck_assert_int_ge(expires, due_s + SIGN_LEFT_S);
		ck_assert_int_le(expires, due_s + SIGN_LEFT_S + SIGN_JITTER_S);
		ck_assert_int_le(begins, now_s - SIGN_SKEW_S);
		ck_assert_uint_eq(zone_serial(zone),
		    41 + sign_period(apex, (struct wall){now_s * NS_PER_S}));
		ck_assert(!serial || zone_serial(zone) == serial ||
			  zone_serial(zone) == serial + 1);
		serial = zone_serial(zone);
		/* Just when it is due, from the zone that is signed. */
		again = sign_at(zone, due_s, 1);
		ck_assert_uint_eq(zone_serial(again), serial + 1);
		ck_assert_ptr_eq(zone_base(again), base);
		zone_unref(zone);
		zone_unref(again);
	}
	zone_unref(base);
}
END_TEST

/* The operator switched to dnssec.key, but left the signed file. */
START_TEST(test_signed_elsewhere_before)
{
	struct sign_options options = {
	    .key = key, .now = {NOW_S * NS_PER_S}, .threads = 1};
	struct zone *base = zone_good("e.",
	    MADE_BASE "@ RRSIG SOA 13 1 9 20300101000000 20200101000000 1 e. "
		      "AAAA\n"
		      "@ NSEC x SOA NS\n"
		      "x NSEC @ RRSIG NSEC\n");
	struct zone_report report;
	struct zone *zone;

	zone_report_init(&report);
	zone = sign_zone(base, &options, &report);
	ck_assert_ptr_nonnull(zone);
	ck_assert_uint_eq(report.n_problems, 1);
	ck_assert_str_eq(report.problems[0].text,
	    "3 RRSIG and NSEC of an earlier signing are left out, since "
	    "dnssec.key signs anew");
	/* What only the old chain knew does not exist. */
	ck_assert_ptr_null(zone_find_name(zone, name_made("x.e.", NULL)));
	ck_assert_uint_eq(rrset_signatures(zone_soa(zone))->n, 1);
	zone_report_fini(&report);
	zone_unref(zone);
	zone_unref(base);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("sign");
	int rc;

	if (!mkdtemp(folder) || dnskey_generate(&key))
		return EXIT_FAILURE;
	(void)snprintf(path, sizeof path, "%s/zone", folder);
	tcase_add_test(tcase, test_verifiers_agree);
	tcase_add_test(tcase, test_what_is_signed);
	tcase_add_test(tcase, test_keys_at_the_apex);
	tcase_add_test(tcase, test_periods);
	tcase_add_test(tcase, test_signed_elsewhere_before);
	rc = check_main(tcase);
	dnskey_free(key);
	remove_files();
	return rc;
}
