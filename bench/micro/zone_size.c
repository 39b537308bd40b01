/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a large zone costs: how long it takes until it is ready, from its file
 * to the last check, and how many bytes it then has a name; and the same for
 * a signed one, by the number of threads.
 *
 *     zone_size          1,000,000 names, 100,000 signed ones
 *     zone_size --once   1,000 of each: a smoke test
 */
#include "base/assert.h"
#include "base/clock.h"
#include "dnsd/dnskey.h"
#include "dnsd/sign.h"
#include "dnsd/zone_builder.h"
#include "dnsd/zone_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const uint8_t apex[] = "\7example\3com";

static void write_file(const char *path, uint32_t names)
{
	FILE *file = fopen(path, "w");

	br_assert(file);
	(void)fprintf(file, "$ORIGIN example.com.\n$TTL 300\n"
			    "@ SOA ns hostmaster 1 7200 900 1209600 300\n"
			    "@ NS ns\nns A 192.0.2.1\n");
	/* In no order, as from a database. */
	for (uint32_t i = 1; i < names - 1; i++) {
		uint32_t which = (uint32_t)((i * UINT64_C(7368787)) % names);

		(void)fprintf(file, "h%u A 10.%u.%u.%u\n", which,
		    which >> 16 & 255, which >> 8 & 255, which & 255);
	}
	br_assert(!fclose(file));
}

static bool on_record(void *context, const struct dns_record *record)
{
	zone_builder_add(context, record);
	return true;
}

static void on_error(
    void *context, const struct zone_text_where *where, const char *text)
{
	(void)context;
	(void)fprintf(stderr, "%u: %s\n", where->line, text);
}

static struct zone *load(const char *path, struct zone_report *report)
{
	struct zone_builder *builder = zone_builder_new(apex, 1, report);
	struct zone_text_sink sink = {builder, on_record, on_error, NULL};

	br_assert(!zone_text_read(path, apex, 300, &sink));
	return zone_builder_finish(builder);
}

/* Wall and CPU time, of all threads. */
struct since {
	struct mono wall;
	double cpu;
};

static double cpu_s(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) /
		   1e6;
}

static struct since since_now(void)
{
	struct rusage usage;

	br_assert(!getrusage(RUSAGE_SELF, &usage));
	return (struct since){mono_now(), cpu_s(&usage)};
}

static void print(
    const char *what, const struct zone *zone, const struct since *since)
{
	uint32_t n = zone_n_nodes(zone);
	struct rusage usage;

	br_assert(!getrusage(RUSAGE_SELF, &usage));
	printf("%-18s %8u names %6.2f s, of CPU %6.2f s %6.1f bytes a name, "
	       "peak %ld MiB\n",
	    what, n,
	    (double)mono_diff_ns(mono_now(), since->wall) / (double)NS_PER_S,
	    cpu_s(&usage) - since->cpu, (double)zone_bytes(zone) / n,
	    usage.ru_maxrss / 1024);
}

static struct zone *load_and_print(const char *path, uint32_t names)
{
	struct zone_report report;
	struct since start;
	struct zone *zone;

	write_file(path, names);
	zone_report_init(&report);
	start = since_now();
	zone = load(path, &report);
	br_assert(zone);
	br_assert(zone_n_nodes(zone) == names);
	print("loaded", zone, &start);
	zone_report_fini(&report);
	return zone;
}

static void sign_and_print(
    struct zone *zone, const struct dnskey *key, uint32_t threads)
{
	struct sign_options options = {
	    .key = key, .now = wall_now(), .threads = threads};
	struct since start = since_now();
	struct zone_report report;
	struct zone *done;
	char what[64];

	zone_report_init(&report);
	done = sign_zone(zone, &options, &report);
	br_assert(done);
	(void)snprintf(what, sizeof what, "signed, threads: %u", threads);
	print(what, done, &start);
	zone_unref(done);
	zone_report_fini(&report);
}

int main(int argc, char **argv)
{
	bool once = argc > 1 && !strcmp(argv[1], "--once");
	char path[] = "/tmp/zone_size.XXXXXX";
	int fd = mkstemp(path);
	struct dnskey *key;
	struct zone *zone;

	br_assert(fd >= 0);
	(void)close(fd);
	zone_unref(load_and_print(path, once ? 1000 : 1000000));
	zone = load_and_print(path, once ? 1000 : 100000);
	(void)unlink(path);
	br_assert(!dnskey_generate(&key));
	sign_and_print(zone, key, 1);
	sign_and_print(zone, key, 2);
	dnskey_free(key);
	zone_unref(zone);
	return 0;
}
