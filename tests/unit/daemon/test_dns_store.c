/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dns_store.h"

#include "dnsd/dnskey.h"
#include "dnsd/zone_set.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64], config[96], zone_file[96], key_file[96];
static struct conf *conf, *before;
static struct dns_store *store, *old;
static struct conf_errors errors;

static void write_file(const char *path, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void write_file(const char *path, const char *format, ...)
{
	FILE *f = fopen(path, "w");
	va_list args;

	ck_assert_ptr_nonnull(f);
	va_start(args, format);
	ck_assert_int_gt(vfprintf(f, format, args), 0);
	va_end(args);
	ck_assert_int_eq(fclose(f), 0);
}

/* Its file's records come behind an SOA and NS with this serial. */
static void write_zone(unsigned serial, const char *records)
{
	write_file(zone_file,
	    "$TTL 60\n@ SOA ns h %u 1 1 1 1\n@ NS ns\nns A 192.0.2.1\n%s",
	    serial, records);
}

/* `more` is of the zone with the file; the other has none. */
static void write_config(const char *more)
{
	write_file(config,
	    "dns:\n  bind: 127.0.0.1:5353\n  zones:\n"
	    "    a.example: {file: \"%s\"%s}\n"
	    "    b.example: {records: [\"@ SOA ns h 1 1 1 1 1\", \"@ NS ns\", "
	    "\"ns A 192.0.2.2\"]}\n",
	    zone_file, more);
}

static int load(void)
{
	struct conf_errors read;
	int err;

	conf_errors_init(&read);
	ck_assert_int_eq(conf_load(config, &conf, &read), 0);
	conf_errors_fini(&read);
	conf_errors_fini(&errors);
	conf_errors_init(&errors);
	err = dns_store_load(conf, old, before, &errors, &store);
	if (err) {
		conf_free(conf);
		conf = NULL;
	}
	return err;
}

/* The next load shares with what is there now. */
static void go_on(void)
{
	dns_store_unref(old);
	if (before)
		conf_free(before);
	old = store;
	before = conf;
	store = NULL;
	conf = NULL;
}

static void setup(void)
{
	(void)snprintf(folder, sizeof folder, "/tmp/test_dns_store.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(config, sizeof config, "%s/braid.yaml", folder);
	(void)snprintf(zone_file, sizeof zone_file, "%s/a.zone", folder);
	(void)snprintf(key_file, sizeof key_file, "%s/a.key", folder);
	conf_errors_init(&errors);
	write_zone(1, "");
	write_config("");
	ck_assert_int_eq(load(), 0);
}

static void teardown(void)
{
	go_on();
	go_on();
	conf_errors_fini(&errors);
	(void)unlink(config);
	(void)unlink(zone_file);
	(void)unlink(key_file);
	(void)rmdir(folder);
}

START_TEST(test_zones)
{
	ck_assert_uint_eq(zone_set_count(dns_store_zones(store)), 2);
	ck_assert_uint_eq(zone_serial(dns_store_zone(store, 0)), 1);
	ck_assert_ptr_nonnull(dns_store_cookies(store));
	ck_assert_ptr_null(dns_store_regions(store));
	ck_assert_uint_eq(dns_store_changed(store, NULL), 2);
}
END_TEST

START_TEST(test_same_is_shared)
{
	go_on();
	ck_assert_int_eq(load(), 0);
	ck_assert_ptr_eq(dns_store_zone(store, 0), dns_store_zone(old, 0));
	ck_assert_ptr_eq(dns_store_zone(store, 1), dns_store_zone(old, 1));
	ck_assert_ptr_eq(dns_store_cookies(store), dns_store_cookies(old));
	ck_assert_uint_eq(dns_store_changed(store, old), 0);
}
END_TEST

START_TEST(test_file_has_changed)
{
	go_on();
	write_zone(2, "www A 192.0.2.3\n");
	ck_assert_int_eq(load(), 0);
	ck_assert_uint_eq(zone_serial(dns_store_zone(store, 0)), 2);
	ck_assert_ptr_eq(dns_store_zone(store, 1), dns_store_zone(old, 1));
	ck_assert_uint_eq(dns_store_changed(store, old), 1);
}
END_TEST

START_TEST(test_configuration_has_changed)
{
	go_on();
	write_config(", records: [\"www A 192.0.2.3\"]");
	ck_assert_int_eq(load(), 0);
	ck_assert_ptr_ne(dns_store_zone(store, 0), dns_store_zone(old, 0));
	ck_assert_ptr_eq(dns_store_zone(store, 1), dns_store_zone(old, 1));
}
END_TEST

/* What other files bring cannot be told from the first one's date. */
/* Where secondaries look at the serial, which says that nothing is new. */
START_TEST(test_serial_stays)
{
	static const char allow[] = ", transfer: {allow: [192.0.2.0/24]}";

	go_on();
	write_zone(1, "www A 192.0.2.3\n");
	ck_assert_int_eq(load(), 0);
	ck_assert_uint_eq(errors.n_warnings, 0);
	/* Of another configuration, but the same name. */
	go_on();
	write_config(allow);
	write_zone(1, "www A 192.0.2.4\n");
	ck_assert_int_eq(load(), 0);
	ck_assert_uint_eq(errors.n_warnings, 1);
	ck_assert_ptr_nonnull(strstr(errors.errors[0].text,
	    "dns.zones.a.example: the records have changed and the serial 1 "
	    "has not: secondaries keep what they have"));
	/* Another TTL is another record; the same in another order is not. */
	go_on();
	write_zone(1, "w2 A 192.0.2.5\nwww 61 A 192.0.2.4\n");
	ck_assert_int_eq(load(), 0);
	ck_assert_uint_eq(errors.n_warnings, 1);
	go_on();
	write_zone(1, "; other bytes\nWWW 61 A 192.0.2.4\nw2 A 192.0.2.5\n");
	ck_assert_int_eq(dns_store_reload(before, old, 0, &errors, &store), 0);
	ck_assert_uint_eq(errors.n_warnings, 1);
	dns_store_unref(store);
	write_zone(2, "www A 192.0.2.6\n");
	ck_assert_int_eq(dns_store_reload(before, old, 0, &errors, &store), 0);
	ck_assert_uint_eq(errors.n_warnings, 1);
	dns_store_unref(store);
	write_zone(1, "www A 192.0.2.6\n");
	ck_assert_int_eq(dns_store_reload(before, old, 0, &errors, &store), 0);
	ck_assert_uint_eq(errors.n_warnings, 2);
	dns_store_unref(store);
	store = NULL;
	ck_assert_int_eq(load(), 0);
}
END_TEST

START_TEST(test_includes_are_read_anew)
{
	char path[96];

	(void)snprintf(path, sizeof path, "%s/more", folder);
	write_file(path, "x A 192.0.2.4\n");
	go_on();
	write_zone(2, "$INCLUDE more\n");
	ck_assert_int_eq(load(), 0);
	go_on();
	ck_assert_int_eq(load(), 0);
	ck_assert_ptr_ne(dns_store_zone(store, 0), dns_store_zone(old, 0));
	/* One without records is one as well. */
	write_file(path, "; later\n");
	go_on();
	ck_assert_int_eq(load(), 0);
	go_on();
	write_file(path, "x A 192.0.2.4\n");
	ck_assert_int_eq(load(), 0);
	ck_assert_ptr_ne(dns_store_zone(store, 0), dns_store_zone(old, 0));
	(void)unlink(path);
}
END_TEST

START_TEST(test_bad_zone)
{
	char want[160];

	go_on();
	write_zone(2, "www A 192.0.2.300\nwww A nonsense\n");
	ck_assert_int_eq(load(), BR_E_CONFIG);
	ck_assert_ptr_null(store);
	ck_assert_uint_eq(errors.n_errors, 2);
	(void)snprintf(want, sizeof want, "%s:5:", zone_file);
	ck_assert_ptr_nonnull(strstr(errors.errors[0].text, want));
	/* One zone alone: refused likewise, and the old one is still there. */
	ck_assert_int_eq(
	    dns_store_reload(before, old, 0, &errors, &store), BR_E_CONFIG);
	ck_assert_ptr_null(store);
	ck_assert_uint_eq(zone_serial(dns_store_zone(old, 0)), 1);
}
END_TEST

START_TEST(test_reload_one)
{
	go_on();
	write_zone(7, "");
	ck_assert_int_eq(dns_store_reload(before, old, 0, &errors, &store), 0);
	ck_assert_uint_eq(zone_serial(dns_store_zone(store, 0)), 7);
	ck_assert_ptr_eq(dns_store_zone(store, 1), dns_store_zone(old, 1));
	ck_assert_uint_eq(zone_set_count(dns_store_zones(store)), 2);
}
END_TEST

START_TEST(test_resign)
{
	struct dnskey *key;
	char more[128];
	uint32_t which = 9;

	ck_assert_int_eq(dns_store_due(store, &which).ns, INT64_MAX);
	go_on();
	ck_assert_int_eq(dnskey_generate(&key), 0);
	ck_assert_int_eq(dnskey_save(key, key_file), 0);
	dnskey_free(key);
	(void)snprintf(more, sizeof more, ", dnssec: {key: \"%s\"}", key_file);
	write_config(more);
	ck_assert_int_eq(load(), 0);
	ck_assert(zone_is_signed(dns_store_zone(store, 0)));
	ck_assert_int_gt(dns_store_due(store, &which).ns, wall_now().ns);
	ck_assert_uint_eq(which, 0);
	go_on();
	ck_assert_int_eq(dns_store_resign(before, old, 0, &errors, &store), 0);
	ck_assert_ptr_ne(dns_store_zone(store, 0), dns_store_zone(old, 0));
	ck_assert_ptr_eq(zone_base(dns_store_zone(store, 0)),
	    zone_base(dns_store_zone(old, 0)));
	ck_assert(zone_is_signed(dns_store_zone(store, 0)));
	dns_store_unref(store);
	store = NULL;
	/* Without its key it stays as it is. */
	(void)unlink(key_file);
	ck_assert_int_eq(
	    dns_store_resign(before, old, 0, &errors, &store), BR_E_CONFIG);
	ck_assert_ptr_null(store);
}
END_TEST

/* One that cannot be signed does not keep the others from it. */
START_TEST(test_put_off)
{
	struct dnskey *key;
	struct wall first, later;
	uint32_t which = 9, other;

	go_on();
	ck_assert_int_eq(dnskey_generate(&key), 0);
	ck_assert_int_eq(dnskey_save(key, key_file), 0);
	dnskey_free(key);
	write_file(config,
	    "dns:\n  bind: 127.0.0.1:5353\n  zones:\n"
	    "    a.example: {file: \"%s\", dnssec: {key: \"%s\"}}\n"
	    "    b.example: {records: [\"@ SOA ns h 1 1 1 1 1\", \"@ NS ns\", "
	    "\"ns A 192.0.2.2\"], dnssec: {key: \"%s\"}}\n",
	    zone_file, key_file, key_file);
	ck_assert_int_eq(load(), 0);
	first = dns_store_due(store, &which);
	later = (struct wall){.ns = INT64_MAX - 1};
	other = 1 - which;
	dns_store_put_off(store, which, later);
	ck_assert_int_ge(dns_store_due(store, &which).ns, first.ns);
	ck_assert_uint_eq(which, other);
	dns_store_put_off(store, which, later);
	ck_assert_int_eq(dns_store_due(store, &which).ns, later.ns);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dns_store");
	TCase *tcase = tcase_create("dns_store");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_zones);
	tcase_add_test(tcase, test_same_is_shared);
	tcase_add_test(tcase, test_file_has_changed);
	tcase_add_test(tcase, test_configuration_has_changed);
	tcase_add_test(tcase, test_serial_stays);
	tcase_add_test(tcase, test_includes_are_read_anew);
	tcase_add_test(tcase, test_bad_zone);
	tcase_add_test(tcase, test_reload_one);
	tcase_add_test(tcase, test_resign);
	tcase_add_test(tcase, test_put_off);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
