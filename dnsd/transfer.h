/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A whole zone to one that asks (AXFR, RFC 5936), over TCP, in as many
 * messages as it takes; or one message that refuses. Also the message that
 * tells others of a change (NOTIFY, RFC 1996).
 *
 *     SOA │ all other records, in canonical order of names │ SOA
 *
 * A resource goes as what its configured weights favour: a transfer has no
 * client to draw for. An IXFR gets the whole zone, too (RFC 1995 section 4):
 * there is no journal.
 *
 * Thread:  the worker whose connection it is.
 * Memory:  one block a transfer, which holds the zone and a copy of the key
 *          until end(): a reload may take both from the configuration.
 * Errors:  in the messages: REFUSED, NOTAUTH with a TSIG error, FORMERR.
 * Limits:  TRANSFER_MESSAGE_BYTES a message, so that names are compressed and
 *          none takes long; one larger record goes alone.
 */
#include "base/clock.h"
#include "dnsd/dns_server.h"
#include "dnsd/tsig.h"
#include "dnsd/zone.h"

#define TRANSFER_MESSAGE_BYTES 16384u

struct transfer_options {
	struct zone *zone; /* whose apex the query names */
	/* By the list of who may (transfer.allow). */
	bool is_allowed;
	/* If there is one, the query has to be signed with it, too. */
	const struct tsig_key *key;
	struct wall now;
};

/* `query` is one that was read before as an AXFR or IXFR for the apex of the
 * zone. Never NULL; begins with `next`, ends with `end`. Out of memory ends
 * the process. */
struct dns_transfer *transfer_new(const struct transfer_options *options,
    const uint8_t *query, size_t length);

/* RFC 1996 section 3: with the SOA in the answer section, so that who has it
 * already need not ask; signed if there is a key. Returns its size. */
size_t transfer_notify(const struct zone *zone, uint16_t id,
    const struct tsig_key *key, struct wall now, uint8_t *out, size_t room);
