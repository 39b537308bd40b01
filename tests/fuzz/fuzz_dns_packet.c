/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any packet for the whole responder, over zones that have something of
 * everything and resources of every mode. The first byte says who asks and
 * how. What holds for every answer, fixture_check() says; and an answer over
 * UDP without TC says the same as one that has all the room of TCP.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "tests/unit/dnsd/responder_fixture.h"

enum { TCP = 1, NO_COOKIES = 2, SMALL = 4, OTHER_SOURCE = 8, FULL = 16 };

static void set_up(uint8_t how)
{
	static const struct cookie_secrets *secrets;

	if (!view.zones) {
		fixture_open();
		secrets = view.cookies;
	}
	view.cookies = how & NO_COOKIES ? NULL : secrets;
	view.nocookie_max = how & SMALL ? 512 : RESPONDER_UDP_MAX;
	view.nsid = view.chaos_version = how & FULL ? "node-1" : NULL;
	view.chaos_id = view.nsid;
	view.transfers = how & FULL;
	view.ecs = !(how & NO_COOKIES);
	client.transport = how & TCP ? DNS_TCP : DNS_UDP;
	br_assert(
	    addr_parse_ip(&client.source,
		how & OTHER_SOURCE ? "2001:db8::77" : "203.0.113.7") == 0);
}

static void compare_with_tcp(void)
{
	uint16_t counts[4], rcode = facts.rcode;

	/* Transfers are refused over UDP whatever they are of. */
	if (facts.type == 251 || facts.type == 252)
		return;
	memcpy(counts, answer.counts, sizeof counts);
	client.transport = DNS_TCP;
	br_assert(fixture_ask_packet());
	br_assert(!facts.truncated && facts.rcode == rcode);
	br_assert(answer.counts[1] == counts[1]);
	br_assert(answer.counts[2] == counts[2]);
	br_assert(answer.counts[3] >= counts[3]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size || size > 4096)
		return 0;
	set_up(data[0]);
	query.length = size - 1;
	memcpy(query.bytes, data + 1, size - 1);
	if (fixture_ask_packet() && client.transport == DNS_UDP &&
	    !facts.truncated)
		compare_with_tcp();
	return 0;
}
