/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A conversation in HTTP over the peers of a simulation: requests and their
 * answers, byte for byte, over as many connections to servers as it takes.
 *
 *      up    |request 0|request 1|request 2|   what the client says
 *      down  |answer 0|answer 1|answer 2|      what it must hear
 *
 * A server answers a request when it is whole, and must not be shown a byte of
 * the next before it has. It may end its connection before or behind any
 * answer: the next one hears on from there.
 *
 * Thread:  the test's only one.
 * Limits:  TALK_MAX exchanges, TALK_ROOM bytes each way.
 */
#include "tests/sim/sim.h"

#define TALK_MAX 32
#define TALK_ROOM (4u << 20)

/* What a server does about an exchange. */
enum talk_end {
	TALK_STAYS,
	TALK_CLOSES_BEHIND, /* an end behind the answer */
	TALK_RESETS_BEHIND,
	TALK_CLOSES_BEFORE, /* an end in place of the answer, once */
	TALK_RESETS_BEFORE,
};

struct talk {
	uint8_t *up, *down;
	uint32_t up_bytes, down_bytes, n;
	uint32_t up_end[TALK_MAX], down_end[TALK_MAX];
	enum talk_end end[TALK_MAX];
	bool opaque; /* nobody delimits: all may come at once */
	bool pipelines; /* else the client waits for each answer */
	uint32_t server_write_max; /* a step */
	struct sim_peer *client, *server; /* server: the last */
	/* Where the server's connection began in the conversation. */
	uint32_t up_start, down_start;
	uint32_t n_connections;
};

/* One at a time; it hooks sim->on_server. */
void talk_start(struct talk *talk);
void talk_free(struct talk *talk);
/* An exchange; of bodies that many bytes behind the texts. */
void talk_add(struct talk *talk, const char *request, uint32_t request_body,
    const char *answer, uint32_t answer_body);
/* The same of bytes with zeros in them. */
void talk_add_bytes(struct talk *talk, const void *request, uint32_t n_request,
    const void *answer, uint32_t n_answer);
/* All has been added: the client connects. */
void talk_begin(struct talk *talk, struct sim *sim);
/* Turns until the client has heard all, or an end, at most `most`. */
bool talk_run(struct talk *talk, struct sim *sim, uint32_t most);
