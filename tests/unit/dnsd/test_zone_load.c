/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_load.h"

#include "dnsd/dnskey.h"
#include "tests/unit/base/check_main.h"
#include "tests/unit/dnsd/zone_loaded.h"
#include "tests/unit/dnsd/zone_made.h"

#include <stdio.h>
#include <unistd.h>

static char folder[] = "/tmp/test_zone_load.XXXXXX";
static char zone_path[64], more_path[64], key_path[64];

#define POPS                                                                   \
	"pops:\n"                                                              \
	"  ams: {addresses: [192.0.2.20, \"2001:db8::20\"]}\n"                 \
	"  fra: {addresses: [192.0.2.30, \"2001:db8::30\"]}\n"

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* `keys` are those of the zone e.example, with their indentation. */
static void load(struct zone_loaded *loaded, const char *keys)
{
	static char text[4096];

	(void)snprintf(text, sizeof text,
	    "dns:\n  bind: [\"127.0.0.1:5300\"]\n  zones:\n    e.example:\n"
	    "%s" POPS,
	    keys);
	zone_loaded_init(loaded, text, wall_now());
}

static const char *problems(const struct zone_loaded *loaded)
{
	static char text[4096];
	size_t n = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < loaded->report.n_problems; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s\n",
		    loaded->report.problems[i].text);
	return text;
}

static const struct zone_node *node_of(
    const struct zone_loaded *loaded, const char *name)
{
	const struct zone_node *node = zone_find_name(
	    loaded->zone, name_made(name, name_made("e.example.", NULL)));

	ck_assert_msg(node != NULL, "%s", name);
	return node;
}

#define FILE_AND_ALL                                                           \
	"      file: %s\n"                                                     \
	"      ttl: 2m\n"                                                      \
	"      records: [\"mail A 192.0.2.5\", \"www TXT hello\"]\n"           \
	"      resources:\n"                                                   \
	"        cdn: {pops: [ams, fra], ttl: 30s}\n"                          \
	"        \"@\": {mode: addrs, pops: [ams, fra], n: 1}\n"

static void load_all(struct zone_loaded *loaded, const char *more)
{
	char keys[1024];
	int n = snprintf(keys, sizeof keys, FILE_AND_ALL, zone_path);

	(void)snprintf(keys + n, sizeof keys - (size_t)n, "%s", more);
	write_file(zone_path,
	    "@ SOA ns host 7 2h 1h 14d 30s\n@ NS ns\nns A 192.0.2.53\n"
	    "$INCLUDE more\n@ MX 5 mail\n");
	write_file(more_path, "www 60 A 192.0.2.80\n");
	load(loaded, keys);
}

START_TEST(test_all_sources)
{
	struct zone_loaded loaded;
	const struct zone_node *www;

	load_all(&loaded, "");
	ck_assert_str_eq(problems(&loaded), "");
	ck_assert_uint_eq(zone_serial(loaded.zone), 7);
	ck_assert(loaded.includes);
	www = node_of(&loaded, "www");
	ck_assert_uint_eq(zone_rrset(loaded.zone, www, RR_A)->ttl, 60);
	ck_assert_uint_eq(zone_rrset(loaded.zone, www, RR_TXT)->ttl, 120);
	ck_assert(zone_dynamic(loaded.zone, node_of(&loaded, "cdn"))->alias);
	ck_assert_ptr_nonnull(
	    zone_rrset(loaded.zone, node_of(&loaded, "cdn--ams"), RR_AAAA));
	ck_assert(zone_dynamic_has(
	    zone_dynamic(loaded.zone, zone_apex_node(loaded.zone)), RR_A));
	ck_assert(!zone_is_signed(loaded.zone));
	zone_unref(loaded.zone);
	zone_loaded_fini(&loaded);
}
END_TEST

START_TEST(test_signed)
{
	char more[128];
	struct zone_loaded loaded;
	struct dnskey *key;
	const struct zone_node *cdn;

	ck_assert_int_eq(dnskey_generate(&key), 0);
	ck_assert_int_eq(dnskey_save(key, key_path), 0);
	(void)snprintf(
	    more, sizeof more, "      dnssec: {key: %s}\n", key_path);
	load_all(&loaded, more);
	ck_assert_str_eq(problems(&loaded), "");
	ck_assert(zone_is_signed(loaded.zone));
	ck_assert_uint_gt(zone_serial(loaded.zone), 7);
	cdn = node_of(&loaded, "cdn");
	for (uint32_t variant = 0; variant < 2; variant++)
		ck_assert_ptr_nonnull(zone_variant_signatures(
		    loaded.zone, cdn, RR_CNAME, variant));
	ck_assert_ptr_nonnull(zone_variant_signatures(
	    loaded.zone, zone_apex_node(loaded.zone), RR_A, 0));
	zone_unref(loaded.zone);
	zone_loaded_fini(&loaded);
	dnskey_free(key);
	ck_assert_int_eq(unlink(key_path), 0);
}
END_TEST

START_TEST(test_problems)
{
	char keys[1024], expected[1024];
	struct zone_loaded loaded;

	write_file(zone_path,
	    "@ SOA ns host 7 2h 1h 14d 30s\n@ NS ns\nns A 192.0.2.300\n"
	    "cdn TXT x\ncdn--fra A 192.0.2.1\n");
	(void)snprintf(keys, sizeof keys, FILE_AND_ALL, zone_path);
	load(&loaded, keys);
	ck_assert_ptr_null(loaded.zone);
	(void)snprintf(expected, sizeof expected,
	    "%s:3:6: \"192.0.2.300\" is not an IPv4 address\n"
	    "braid.yaml:9: cdn--fra.e.example. A: TTL 300, but 120 elsewhere "
	    "in the set; the lowest is taken\n"
	    "braid.yaml:9: cdn.e.example. TXT: stands at %s:4, but the "
	    "resource \"cdn\" is an alias there, which has no other data\n"
	    "cdn--fra.e.example.: is a target of the resource \"cdn\" "
	    "(braid.yaml:9), and collides with %s:5\n",
	    zone_path, zone_path, zone_path);
	ck_assert_str_eq(problems(&loaded), expected);
	zone_loaded_fini(&loaded);
	/* A key that is not there. */
	load(&loaded,
	    "      records: [\"@ SOA a. b. 1 2 3 4 5\", \"@ NS a.\"]\n"
	    "      dnssec: {key: /nowhere/key.pem}\n");
	ck_assert_ptr_null(loaded.zone);
	ck_assert_str_eq(problems(&loaded),
	    "braid.yaml:6: the key file /nowhere/key.pem cannot be read: No "
	    "such file or directory\n");
	zone_loaded_fini(&loaded);
	/* A record of the configuration, by its column. */
	load(&loaded,
	    "      records: [\"@ SOA a. b. 1 2 3 4 5\", \"@ NS a.\", \"x A "
	    "y\"]\n");
	ck_assert_ptr_null(loaded.zone);
	ck_assert_str_eq(problems(&loaded),
	    "braid.yaml:5:58: \"y\" is not an IPv4 address\n");
	zone_loaded_fini(&loaded);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("zone_load");
	int rc;

	if (!mkdtemp(folder))
		return EXIT_FAILURE;
	(void)snprintf(zone_path, sizeof zone_path, "%s/zone", folder);
	(void)snprintf(more_path, sizeof more_path, "%s/more", folder);
	(void)snprintf(key_path, sizeof key_path, "%s/key", folder);
	tcase_add_test(tcase, test_all_sources);
	tcase_add_test(tcase, test_signed);
	tcase_add_test(tcase, test_problems);
	rc = check_main(tcase);
	(void)unlink(zone_path);
	(void)unlink(more_path);
	(void)unlink(key_path);
	(void)rmdir(folder);
	return rc;
}
