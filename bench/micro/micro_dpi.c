/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/micro/micro.h"

#include "base/assert.h"
#include "profiler/dpi.h"

#include <string.h>

/* One flow, from nothing to the verdict. */
struct sample {
	const char *bytes;
	size_t length;
	enum protocol protocol;
};

#define SAMPLE(id, text)                                                       \
	{                                                                      \
		(text), sizeof(text) - 1, PROTOCOL_##id                        \
	}

/* Exactly 100 bytes. */
#define REQUEST                                                                \
	"GET /index.html HTTP/1.1\r\nHost: www.example.com\r\n"                \
	"User-Agent: program/7.88.121\r\nAccept: text/html\r\n\r\n"

#define HELLO_200                                                              \
	"\x16\x03\x01\0\xc3\1\0\0\xbf\x03\x03"                                 \
	"0123456789abcdef0123456789abcdef"                                     \
	"\0\0\2\x13\1\1\0\0\x94\0\0\0\x14\0\x12\0\0\x0fwww.example.com\0\x10"  \
	"\0\x0e\0\x0c\2h2\x08http/1.1\0\x15\0\x66"

static const struct sample samples[] = {
    SAMPLE(HTTP, REQUEST),
    SAMPLE(SSH, "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"),
    SAMPLE(POSTGRESQL, "\0\0\0\x16\0\3\0\0user\0postgres\0\0"),
    SAMPLE(REDIS, "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n"),
    SAMPLE(UNKNOWN, "\xc3\x91\x2f\x03\x77\x10\xee\xa3\x42\x42\x99\x01"),
};

static struct client_hello hello;

static void *bench_open(uint32_t n)
{
	(void)n;
	return &hello;
}

static void bench_close(void *state)
{
	(void)state;
}

static uint64_t classify(const void *bytes, size_t length)
{
	struct dpi_verdict verdict;
	struct dpi dpi;

	dpi_start(&dpi);
	(void)!dpi_read(&dpi, bytes, length, NULL, 0, &hello, &verdict);
	return verdict.protocol;
}

static void run_sample(const struct sample *sample, uint64_t n)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < n; i++) {
		/* The bytes are looked at anew each time. */
		__asm__ volatile("" : : "r"(sample->bytes) : "memory");
		sum += classify(sample->bytes, sample->length);
	}
	br_assert(sum == n * sample->protocol);
}

static void run_http(void *state, uint64_t n)
{
	(void)state;
	_Static_assert(sizeof(REQUEST) - 1 == 100, "the name says so");
	run_sample(&samples[0], n);
}

static void run_ssh(void *state, uint64_t n)
{
	(void)state;
	run_sample(&samples[1], n);
}

static void run_postgresql(void *state, uint64_t n)
{
	(void)state;
	run_sample(&samples[2], n);
}

static void run_redis(void *state, uint64_t n)
{
	(void)state;
	run_sample(&samples[3], n);
}

static void run_unknown(void *state, uint64_t n)
{
	(void)state;
	run_sample(&samples[4], n);
}

/* 200 bytes, padded as browsers do. */
static void run_tls(void *state, uint64_t n)
{
	uint8_t bytes[200] = HELLO_200;
	struct sample sample = {
	    (const char *)bytes, sizeof(bytes), PROTOCOL_TLS};

	(void)state;
	run_sample(&sample, n);
}

#define CASE(what, run_it)                                                     \
	{                                                                      \
		.name = "dpi: " what, .open = bench_open, .run = run_it,       \
		.close = bench_close                                           \
	}

static const struct micro_case cases[] = {
    CASE("an HTTP request of 100 bytes", run_http),
    CASE("a ClientHello of 200 bytes, with its names", run_tls),
    CASE("an SSH banner", run_ssh),
    CASE("PostgreSQL's first packet", run_postgresql),
    CASE("a Redis command", run_redis),
    CASE("12 bytes that are nobody's", run_unknown),
};

int main(int argc, char **argv)
{
	return micro_main(argc, argv, cases, BR_COUNT(cases));
}
