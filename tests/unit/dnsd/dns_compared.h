/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The responder over a random world beside the reference: the zones are
 * built, perhaps signed, a question is put, and what was said lies there as
 * the reference has it. A world that shows something wrong is made smaller
 * before it is printed.
 *
 * Thread:  one at a time.
 * Memory:  static; the key is the caller's.
 * Errors:  compared_give_up() ends the test.
 */
#include "dnsd/dnskey.h"
#include "dnsd/responder.h"
#include "dnsd/zone_set.h"
#include "tests/unit/dnsd/dns_packet.h"
#include "tests/unit/dnsd/dns_reference.h"

struct compared_question {
	struct ref_name name;
	uint16_t type;
};

/* How it is put. `edns` is the size that is told; 0: none. */
struct compared_way {
	enum dns_transport transport;
	unsigned edns;
	bool dnssec_ok;
};

struct compared_said {
	struct packet_answer packet;
	uint8_t bytes[65536];
	struct ref_lines section[3]; /* without OPT; sorted */
};

/* What is wrong, or NULL. */
typedef const char *compared_try(
    struct zone_set *set, const struct compared_question *question);

extern struct ref_world compared_world;
extern struct ref_answer compared_want;
/* Zones are signed with it; NULL: they are not. */
extern const struct dnskey *compared_key;
/* The answer over TCP, the one that was tried last over UDP. */
extern struct compared_said compared_tcp, compared_udp;

/* The world as zones; NULL: one of them is refused. */
struct zone_set *compared_build(void);
const char *compared_ask(struct zone_set *set,
    const struct compared_question *question, const struct compared_way *way,
    struct compared_said *ret);
/* Both sorted. */
bool compared_same(const struct ref_lines *a, const struct ref_lines *b);
/* The answer that was cut to fit, if it was, against the one over TCP: RFC
 * 2181 section 9, RFC 9471 section 3. */
const char *compared_cut(unsigned edns);
/* A text that lasts until the next; never NULL. */
const char *compared_say(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
_Noreturn void compared_give_up(int seed,
    const struct compared_question *question, compared_try *try_question);
