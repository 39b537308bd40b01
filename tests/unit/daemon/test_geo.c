/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/geo.h"

#include "daemon/geo_file.h"

#include <check.h>
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The databases are written by geo_databases.pl, once for all tests. */
static char folder[64];
static char why[256];
static struct geo_facts facts;

static const char *path_of(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

/* -- a database by itself ------------------------------------------------ */

#define EMITTED_MAX 64

struct emitted {
	uint32_t n, asked;
	struct {
		char text[PREFIX_TEXT_MAX];
		uint32_t chosen;
	} at[EMITTED_MAX];
};

/* By the first letter of the country. */
static uint32_t by_letter(void *context, const struct geo_record *record)
{
	struct emitted *emitted = context;

	emitted->asked++;
	return record->country[0] ? (uint32_t)record->country[0] : GEO_NONE;
}

static uint32_t everybody(void *context, const struct geo_record *record)
{
	(void)context, (void)record;
	return 7;
}

static int collect(void *context, const struct prefix *prefix, uint32_t chosen)
{
	struct emitted *emitted = context;

	if (emitted->n == EMITTED_MAX)
		return BR_E_LIMIT;
	prefix_format(prefix, emitted->at[emitted->n].text);
	emitted->at[emitted->n++].chosen = chosen;
	return 0;
}

static int read_with(const char *name, struct emitted *ret,
    uint32_t (*choose)(void *, const struct geo_record *))
{
	struct geo_sink sink = {
	    .context = ret, .choose = choose, .emit = collect};

	memset(ret, 0, sizeof *ret);
	return geo_file_read(path_of(name), &sink, &facts, why, sizeof why);
}

static uint32_t chosen_for(const struct emitted *emitted, const char *text)
{
	struct prefix of, at;

	ck_assert_int_eq(prefix_parse(&of, text), 0);
	for (uint32_t i = 0; i < emitted->n; i++) {
		ck_assert_int_eq(prefix_parse(&at, emitted->at[i].text), 0);
		if (prefix_covers(&at, &of))
			return emitted->at[i].chosen;
	}
	return GEO_NONE;
}

START_TEST(what_is_alike_is_one_prefix)
{
	struct emitted e;

	ck_assert_int_eq(read_with("country.mmdb", &e, by_letter), 0);
	ck_assert(facts.places && !facts.networks);
	ck_assert_str_eq(facts.type, "country");
	ck_assert_uint_eq(chosen_for(&e, "192.0.2.1"), 'D');
	ck_assert_uint_eq(chosen_for(&e, "192.0.2.129"), 'F');
	ck_assert_uint_eq(chosen_for(&e, "203.0.113.1"), 'T');
	ck_assert_uint_eq(chosen_for(&e, "2001:db8::1"), 'D');
	ck_assert_uint_eq(chosen_for(&e, "2001:db8:8000::1"), 'U');
	ck_assert_uint_eq(chosen_for(&e, "192.0.3.1"), GEO_NONE);
	/* All that is in the file, and IPv4 once only: not again below
	 * ::ffff:0:0/96, 2002::/16 and 2001::/32, where the tree has it. */
	ck_assert_uint_eq(e.n, 9);
	ck_assert_uint_eq(chosen_for(&e, "2002:c000:201::1"), GEO_NONE);
	ck_assert_int_eq(read_with("country.mmdb", &e, everybody), 0);
	ck_assert_uint_eq(e.n, 6);
	ck_assert_str_eq(e.at[0].text, "10.0.0.0/8");
}
END_TEST

START_TEST(a_tree_for_ipv4)
{
	struct emitted e;

	ck_assert_int_eq(read_with("flat.mmdb", &e, by_letter), 0);
	ck_assert(facts.places && facts.networks);
	ck_assert_uint_eq(e.n, 2);
	ck_assert_uint_eq(chosen_for(&e, "192.0.2.1"), 'D');
	ck_assert_uint_eq(chosen_for(&e, "198.51.100.1"), 'U');
}
END_TEST

static uint32_t by_asn(void *context, const struct geo_record *record)
{
	(void)context;
	return record->asn ? record->asn : GEO_NONE;
}

START_TEST(numbers_of_networks)
{
	struct emitted e;

	ck_assert_int_eq(read_with("asn.mmdb", &e, by_asn), 0);
	ck_assert(!facts.places && facts.networks);
	ck_assert_uint_eq(chosen_for(&e, "198.51.100.200"), 3320);
	ck_assert_uint_eq(chosen_for(&e, "198.51.100.1"), GEO_NONE);
	ck_assert_uint_eq(chosen_for(&e, "2001:db8::1"), 4200000000u);
	ck_assert_int_eq(read_with("flat.mmdb", &e, by_asn), 0);
	ck_assert_uint_eq(chosen_for(&e, "192.0.2.1"), 3320);
	ck_assert_uint_eq(chosen_for(&e, "198.51.100.1"), 64500);
}
END_TEST

static int refuse_second(
    void *context, const struct prefix *prefix, uint32_t chosen)
{
	(void)prefix, (void)chosen;
	return ++*(int *)context == 2 ? BR_E_LIMIT : 0;
}

START_TEST(an_error_of_the_sink_ends_it)
{
	int n = 0;
	struct geo_sink sink = {
	    .context = &n, .choose = everybody, .emit = refuse_second};

	ck_assert_int_eq(geo_file_read(path_of("country.mmdb"), &sink, &facts,
			     why, sizeof why),
	    BR_E_LIMIT);
	ck_assert_int_eq(n, 2);
}
END_TEST

/* -- what is wrong with a file -------------------------------------------- */

static char *bytes;
static size_t length;

static void read_bytes(const char *name)
{
	FILE *f = fopen(path_of(name), "rb");

	ck_assert_ptr_nonnull(f);
	bytes = malloc(1 << 20);
	length = fread(bytes, 1, 1 << 20, f);
	(void)fclose(f);
	ck_assert_uint_gt(length, 500);
}

static void write_bytes(const char *name, size_t n)
{
	FILE *f = fopen(path_of(name), "wb");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(no_such_file)
{
	struct emitted e;

	ck_assert_int_eq(read_with("nowhere.mmdb", &e, by_letter), -ENOENT);
	ck_assert_str_eq(why, "No such file or directory");
	ck_assert_int_eq(read_with(".", &e, by_letter), BR_E_CONFIG);
	ck_assert_str_eq(why, "it is no file");
	bytes = strdup("nothing of the kind");
	write_bytes("other.mmdb", 10);
	ck_assert_int_eq(read_with("other.mmdb", &e, by_letter), BR_E_CONFIG);
	ck_assert_msg(
	    strstr(why, "it is no MaxMind database: ") == why, "%s", why);
	write_bytes("other.mmdb", 0);
	ck_assert_int_eq(read_with("other.mmdb", &e, by_letter), BR_E_CONFIG);
	free(bytes);
}
END_TEST

/* The metadata are at the end, so none of these opens. */
START_TEST(a_file_that_was_cut)
{
	struct emitted e;

	read_bytes("country.mmdb");
	for (size_t n = 1; n < length; n += 7) {
		write_bytes("cut.mmdb", n);
		ck_assert_int_ne(read_with("cut.mmdb", &e, by_letter), 0);
		ck_assert_str_ne(why, "");
	}
	free(bytes);
}
END_TEST

/* Whatever a byte is changed to, the walk ends. */
START_TEST(a_file_with_a_wrong_byte)
{
	uint32_t refused = 0;
	struct emitted e;
	char before;

	read_bytes("country.mmdb");
	for (size_t i = 0; i < length; i += 5) {
		before = bytes[i];
		bytes[i] = (char)(before ^ (1 << (i % 8)));
		write_bytes("flipped.mmdb", length);
		refused += read_with("flipped.mmdb", &e, by_letter) != 0;
		bytes[i] = before;
	}
	ck_assert_uint_gt(refused, 0);
	free(bytes);
}
END_TEST

/* The second node of a tree of 28 bits leads to itself, both ways. */
START_TEST(a_tree_with_a_loop)
{
	struct emitted e;

	read_bytes("country.mmdb");
	memcpy(bytes, "\0\0\1\0\0\0\1\0\0\1\0\0\0\1", 14);
	write_bytes("loop.mmdb", length);
	ck_assert_int_eq(read_with("loop.mmdb", &e, by_letter), BR_E_CONFIG);
	ck_assert_str_eq(why, "the file is damaged: its tree has a loop");
	free(bytes);
}
END_TEST

/* -- regions -------------------------------------------------------------- */

static struct conf *conf;
static struct conf_errors errors;
static struct region_map *map;

static int load(const char *regions)
{
	char text[2048];
	int n = snprintf(text, sizeof text,
	    "dns:\n  bind: 127.0.0.1\n  zones: {a.example: {file: /z}}\n%s",
	    regions);

	conf_errors_init(&errors);
	ck_assert_int_lt(n, (int)sizeof text);
	if (conf_parse("braid.yaml", text, (size_t)n, &conf, &errors))
		ck_abort_msg("%s", errors.errors[0].text);
	errors.n_errors = 0;
	return geo_load(conf, &errors, &map);
}

static void unload(void)
{
	if (map)
		region_map_free(map);
	map = NULL;
	conf_free(conf);
	conf_errors_fini(&errors);
}

static const char *region_of(const char *address)
{
	struct region_found found;
	struct prefix prefix;

	ck_assert_int_eq(prefix_parse(&prefix, address), 0);
	found = region_find(map, &prefix);
	return found.region == REGION_NONE ? "-"
					   : conf->regions[found.region].name;
}

START_TEST(without_regions)
{
	ck_assert_int_eq(load(""), 0);
	ck_assert_ptr_null(map);
	unload();
}
END_TEST

START_TEST(prefixes_alone)
{
	ck_assert_int_eq(load("regions:\n  a: {prefixes: 192.0.2.0/24}\n"
			      "  b: {prefixes: 192.0.2.64/26}\n"),
	    0);
	ck_assert_str_eq(region_of("192.0.2.1"), "a");
	ck_assert_str_eq(region_of("192.0.2.65"), "b");
	ck_assert_str_eq(region_of("192.0.3.1"), "-");
	unload();
}
END_TEST

static const char *with_databases(const char *regions)
{
	static char text[1024];

	(void)snprintf(text, sizeof text,
	    "geo: {file: %s/country.mmdb, asn: %s/asn.mmdb}\n%s", folder,
	    folder, regions);
	return text;
}

START_TEST(the_more_exact_word_goes_first)
{
	ck_assert_int_eq(load(with_databases(
			     "regions:\n"
			     "  eu: {geo: \"continent:EU\"}\n"
			     "  fr: {geo: [\"country:FR\", \"country:TR\"]}\n"
			     "  us: {geo: \"country:US\"}\n"
			     "  isp: {geo: \"asn:3320\"}\n"
			     "  lab: {prefixes: 198.51.100.128/26}\n")),
	    0);
	ck_assert_str_eq(region_of("192.0.2.1"), "eu");
	ck_assert_str_eq(region_of("192.0.2.129"), "fr");
	/* Of which only the registration is known. */
	ck_assert_str_eq(region_of("203.0.113.1"), "fr");
	/* Of another continent, but of that country. */
	ck_assert_str_eq(region_of("10.1.2.3"), "fr");
	ck_assert_str_eq(region_of("10.200.2.3"), "-");
	ck_assert_str_eq(region_of("198.51.100.1"), "us");
	ck_assert_str_eq(region_of("198.51.100.200"), "isp");
	ck_assert_str_eq(region_of("198.51.100.130"), "lab");
	ck_assert_str_eq(region_of("2001:db8::1"), "eu");
	ck_assert_str_eq(region_of("2001:db8:8000::1"), "us");
	ck_assert_str_eq(region_of("2a0f::1"), "eu");
	unload();
}
END_TEST

static void expect_refused(const char *regions, const char *what)
{
	ck_assert_int_eq(load(regions), BR_E_CONFIG);
	ck_assert_ptr_null(map);
	ck_assert_uint_eq(errors.n_errors, 1);
	ck_assert_msg(strstr(errors.errors[0].text, what) != NULL, "%s",
	    errors.errors[0].text);
	unload();
}

START_TEST(a_database_is_refused_as_a_whole)
{
	char text[512];

	expect_refused("geo: {file: /nowhere/country.mmdb}\n"
		       "regions: {eu: {geo: \"continent:EU\"}}\n",
	    "braid.yaml:4:13: geo.file: /nowhere/country.mmdb: No such file");
	(void)snprintf(text, sizeof text,
	    "geo: {file: %s/asn.mmdb}\n"
	    "regions: {eu: {geo: \"continent:EU\"}}\n",
	    folder);
	expect_refused(text, "it has no countries or continents (its type is "
			     "\"asn\")");
	(void)snprintf(text, sizeof text,
	    "geo: {asn: %s/country.mmdb}\n"
	    "regions: {eu: {geo: \"asn:1\"}}\n",
	    folder);
	expect_refused(text, "it has no autonomous systems (its type is "
			     "\"country\")");
	(void)snprintf(text, sizeof text,
	    "geo: {file: %s/empty.mmdb}\n"
	    "regions: {eu: {geo: \"continent:EU\"}}\n",
	    folder);
	expect_refused(text, "it has no countries");
}
END_TEST

START_TEST(both_databases_are_looked_at)
{
	ck_assert_int_eq(load("geo: {file: /a.mmdb, asn: /b.mmdb}\nregions: "
			      "{eu: {geo: [\"continent:EU\", \"asn:1\"]}}\n"),
	    BR_E_CONFIG);
	ck_assert_uint_eq(errors.n_errors, 2);
	unload();
}
END_TEST

static void run(char *const argv[])
{
	pid_t pid;
	int status;

	ck_assert_int_eq(
	    posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

static void make_databases(void)
{
	char script[512];

	(void)snprintf(folder, sizeof folder, "/tmp/braid-geo-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(script, sizeof script,
	    "%s/tests/unit/daemon/geo_databases.pl", getenv("BRAID_SOURCE"));
	run((char *[]){"perl", script, folder, NULL});
}

static void remove_databases(void)
{
	run((char *[]){"rm", "-r", folder, NULL});
}

int main(void)
{
	Suite *suite = suite_create("geo");
	TCase *tcase = tcase_create("geo");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 0);
	tcase_add_unchecked_fixture(tcase, make_databases, remove_databases);
	tcase_add_test(tcase, what_is_alike_is_one_prefix);
	tcase_add_test(tcase, a_tree_for_ipv4);
	tcase_add_test(tcase, numbers_of_networks);
	tcase_add_test(tcase, an_error_of_the_sink_ends_it);
	tcase_add_test(tcase, no_such_file);
	tcase_add_test(tcase, a_file_that_was_cut);
	tcase_add_test(tcase, a_file_with_a_wrong_byte);
	tcase_add_test(tcase, a_tree_with_a_loop);
	tcase_add_test(tcase, without_regions);
	tcase_add_test(tcase, prefixes_alone);
	tcase_add_test(tcase, the_more_exact_word_goes_first);
	tcase_add_test(tcase, a_database_is_refused_as_a_whole);
	tcase_add_test(tcase, both_databases_are_looked_at);
	suite_add_tcase(suite, tcase);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
