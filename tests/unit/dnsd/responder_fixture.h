/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A responder over zones that have something of everything, for its tests.
 * The answer is read strictly, and what must hold for every answer is checked
 * each time (fixture_check()).
 *
 * Thread:  one at a time.
 * Memory:  one fixture at a time, static.
 * Errors:  end the test.
 */
#include "dnsd/responder.h"
#include "dnsd/wire.h"
#include "dnsd/zone_set.h"
#include "tests/unit/dnsd/dns_packet.h"

extern struct dns_view view;
extern struct dns_client client;
extern struct packet query;
extern struct packet_answer answer;
extern struct query_facts facts;
extern uint8_t out[65536];

void fixture_open(void);
void fixture_close(void);
/* The answer to `query` in `answer`; 0: there is none. */
size_t fixture_ask_packet(void);
/* An answer that must be there. */
void fixture_ask(const char *name, unsigned type);
/* The same with an OPT record of that size. */
void fixture_ask_edns(
    const char *name, unsigned type, unsigned size, bool dnssec_ok);
/* What holds for every answer; ends the process. */
void fixture_check(size_t length);

/* How many records of the type are in the section (all types: 0). */
uint32_t fixture_count(unsigned section, unsigned type);
/* The i-th record of a section. */
const struct packet_record *fixture_record(unsigned section, uint32_t i);
/* Whether it has this owner, type and rdata; rdata NULL: any. A name in rdata
 * is compared with `target`, if that is given. */
bool fixture_is(const struct packet_record *record, const char *owner,
    unsigned type, const char *target);
