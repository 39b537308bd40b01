/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte says how many of the rest are the client's; the others are
 * the server's. In one piece and byte by byte: what is certain stays certain,
 * is one of what was possible, and nothing beyond the bytes is read.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "profiler/dpi.h"

#define SINGLE_BYTES_MAX 1500

static struct client_hello hello;

static const uint8_t *copy_of(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size + !size);

	br_assert(bytes);
	if (size)
		memcpy(bytes, data, size);
	return bytes;
}

static enum dpi_result read_some(struct dpi *dpi, const uint8_t *client,
    size_t client_size, const uint8_t *server, size_t server_size,
    struct dpi_verdict *verdict)
{
	const uint8_t *c = copy_of(client, client_size);
	const uint8_t *s = copy_of(server, server_size);
	enum dpi_result result =
	    dpi_read(dpi, c, client_size, s, server_size, &hello, verdict);

	br_assert(verdict->protocol < PROTOCOL_COUNT);
	br_assert(!(verdict->possible & ~PROTOCOL_ALL));
	br_assert(result != DPI_DONE || verdict->protocol);
	br_assert(
	    result != DPI_MORE || verdict->client_need || verdict->server_need);
	br_assert(
	    verdict->protocol
		? (verdict->possible & PROTOCOL_BIT(verdict->protocol)) != 0
		: (verdict->possible & PROTOCOL_BIT(PROTOCOL_UNKNOWN)) != 0);
	free((void *)c);
	free((void *)s);
	return result;
}

/* Only an HTTP request may still turn out to be something else. */
static bool same(enum protocol before, enum protocol now)
{
	return before == now ||
	       (before == PROTOCOL_HTTP && now == PROTOCOL_WEBSOCKET);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dpi_verdict verdict;
	enum protocol certain = PROTOCOL_UNKNOWN;
	protocol_set possible = PROTOCOL_ALL;
	struct dpi dpi;
	size_t client;

	if (!size)
		return 0;
	client = data[0] * 8u;
	data++;
	size--;
	if (client > size)
		client = size;
	dpi_start(&dpi);
	(void)!read_some(
	    &dpi, data, client, data + client, size - client, &verdict);
	if (size > SINGLE_BYTES_MAX)
		return 0;
	/* The client's side first, as before a server is chosen. */
	dpi_start(&dpi);
	for (size_t n = 1; n <= client; n++) {
		(void)!read_some(&dpi, data, n, NULL, 0, &verdict);
		br_assert(!certain || same(certain, verdict.protocol));
		br_assert(!(verdict.possible & ~possible));
		certain = verdict.protocol;
		possible = verdict.possible;
	}
	for (size_t n = 1; n <= size - client; n++) {
		(void)!read_some(
		    &dpi, data, client, data + client, n, &verdict);
		br_assert(!certain || same(certain, verdict.protocol));
		certain = verdict.protocol;
	}
	return 0;
}
