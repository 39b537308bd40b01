/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/micro/micro.h"

#include "base/assert.h"
#include "base/strbuf.h"
#include "dnsd/dname.h"
#include "dnsd/zone_print.h"
#include "dnsd/zone_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RECORDS 1000000u

static const uint8_t origin[] = "\7example\3org";

/* A file in memory with that many records of a kind. */
struct bench {
	int fd;
	char path[64];
	uint64_t left; /* records to read in this run */
	uint32_t records;
};

static const char *const formats[] = {
    "h%06u A 10.0.0.1\n",
    "host-%u.example.org. 3600 IN AAAA 2001:db8::1:2\n",
    "h%06u 60 HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.1,192.0.2.2\n",
    "h%06u TXT \"v=spf1 include:_spf.example.com\" \"-all\"\n",
};

static void *bench_open(uint32_t kind)
{
	struct bench *b = micro_alloc(1, sizeof *b);
	struct strbuf text;

	b->records = RECORDS;
	strbuf_init(&text);
	for (uint32_t i = 0; i < RECORDS; i++)
		strbuf_addf(&text, formats[kind], i);
	b->fd = memfd_create("zone", MFD_CLOEXEC);
	br_assert(b->fd >= 0);
	for (size_t at = 0; at < text.length;) {
		ssize_t n = write(b->fd, text.text + at, text.length - at);

		br_assert(n > 0);
		at += (size_t)n;
	}
	strbuf_fini(&text);
	(void)snprintf(b->path, sizeof b->path, "/proc/self/fd/%d", b->fd);
	return b;
}

static void bench_close(void *state)
{
	struct bench *b = state;

	(void)close(b->fd);
	free(b);
}

static bool on_record(void *context, const struct dns_record *record)
{
	struct bench *b = context;

	micro_use(record->length);
	return --b->left;
}

static void on_error(
    void *context, const struct zone_text_where *where, const char *text)
{
	(void)context;
	(void)where;
	br_assert(!text);
}

static void run_read(void *state, uint64_t n)
{
	struct bench *b = state;
	struct zone_text_sink sink = {b, on_record, on_error, NULL};

	while (n) {
		uint64_t part = n < b->records ? n : b->records;
		int error;

		b->left = part;
		error = zone_text_read(b->path, origin, 3600, &sink);
		br_assert(!error || !b->left);
		br_assert(!b->left);
		n -= part;
	}
}

static bool on_print(void *context, const struct dns_record *record)
{
	struct strbuf *out = context;

	strbuf_clear(out);
	zone_print_record(out, record);
	return true;
}

/* One record from text and to text: what `dns explain` and a dump do. */
static void run_line(void *state, uint64_t n)
{
	struct zone_text_where where = {"bench", 1, 1};
	struct strbuf out;
	struct zone_text_sink sink = {&out, on_print, on_error, NULL};

	(void)state;
	strbuf_init(&out);
	while (n--)
		br_assert(!zone_text_line("www 60 HTTPS 1 . alpn=h2 port=8443",
		    &where, origin, 3600, &sink));
	strbuf_fini(&out);
}

#define READ(what, kind)                                                       \
	{                                                                      \
		.name = "zone text: a record of 1,000,000, " what,             \
		.open = bench_open, .run = run_read, .close = bench_close,     \
		.size = kind                                                   \
	}

static void *nothing_open(uint32_t size)
{
	return micro_alloc(1, size);
}

static const struct micro_case cases[] = {
    READ("A", 0),
    READ("AAAA, all written out", 1),
    READ("HTTPS", 2),
    READ("TXT", 3),
    {.name = "zone text: a line read and printed",
	.open = nothing_open,
	.run = run_line,
	.close = free,
	.size = 1},
};

int main(int argc, char **argv)
{
	return micro_main(argc, argv, cases, BR_COUNT(cases));
}
