/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of an OPT record, and first of all the client's subnet: what is
 * read and written again is the same bytes (RFC 7871 section 7.2.1), and what
 * was announced as the record's size is its size.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "dnsd/edns.h"

static void check_subnet(const uint8_t *bytes, size_t size)
{
	struct edns edns = {.present = true};
	struct edns_reply reply = {
	    .subnet = true, .scope = 9, .error = EDNS_ERROR_NONE};
	uint8_t out[64];
	struct cursor_out c = cursor_out_of(out, sizeof out);

	if (!edns_subnet_read(&edns.subnet, cursor_of(bytes, size)))
		return;
	br_assert(edns.subnet.source <= 128 && size <= 20);
	edns_reply_write(&edns, &reply, 0, &c);
	br_assert(cursor_out_length(&c) == EDNS_FIXED_BYTES + 4 + size);
	br_assert(out[EDNS_FIXED_BYTES + 4 + 3] == 9);
	out[EDNS_FIXED_BYTES + 4 + 3] = 0;
	br_assert(memcmp(out + EDNS_FIXED_BYTES + 4, bytes, size) == 0);
}

static void check_options(const uint8_t *bytes, size_t size)
{
	struct edns edns;
	struct edns_reply reply = {.error = EDNS_ERROR_NONE, .nsid = "node"};
	uint8_t out[2048];
	struct cursor_out c = cursor_out_of(out, sizeof out);

	if (!edns_read(
		&edns, size > 600 ? 100 : 1232, 0x8000, cursor_of(bytes, size)))
		return;
	br_assert(edns.udp_size >= 512 && edns.dnssec_ok);
	br_assert(edns.cookie_length == 0 || edns.cookie_length == 8 ||
		  (edns.cookie_length >= 16 && edns.cookie_length <= 40));
	br_assert(!edns.cookie_length ||
		  (edns.cookie >= bytes &&
		      edns.cookie + edns.cookie_length <= bytes + size));
	reply.subnet = edns.has_subnet;
	reply.cookie = edns.cookie_length;
	reply.keepalive = edns.has_keepalive;
	edns_reply_write(&edns, &reply, 0, &c);
	br_assert(cursor_out_length(&c) == edns_reply_size(&edns, &reply));
	if (edns.has_padding) {
		c = cursor_out_of(out, sizeof out);
		edns_reply_write(&edns, &reply, sizeof out, &c);
		br_assert(cursor_out_length(&c) % EDNS_PADDING_BLOCK == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A block of its own, so that reading beyond it is seen. */
	uint8_t *bytes = malloc(size ? size : 1);

	br_assert(bytes);
	memcpy(bytes, data, size);
	check_subnet(bytes, size);
	check_options(bytes, size);
	free(bytes);
	return 0;
}
