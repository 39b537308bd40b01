/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/sim_talk.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

static struct talk *current;

void talk_start(struct talk *talk)
{
	memset(talk, 0, sizeof *talk);
	talk->server_write_max = UINT32_MAX;
	talk->up = malloc(TALK_ROOM);
	talk->down = malloc(TALK_ROOM);
	br_assert(talk->up && talk->down);
}

void talk_free(struct talk *talk)
{
	free(talk->up);
	free(talk->down);
	current = NULL;
}

static void add(uint8_t *to, uint32_t *bytes, const void *at, uint32_t n)
{
	br_assert(*bytes + n <= TALK_ROOM);
	memcpy(to + *bytes, at, n);
	*bytes += n;
}

/* A body that shows what is lost, doubled or moved. */
static void add_body(uint8_t *to, uint32_t *bytes, uint32_t n)
{
	br_assert(*bytes + n <= TALK_ROOM);
	for (uint32_t i = 0; i < n; i++)
		to[*bytes + i] = (uint8_t)((*bytes + i) * 2654435761u >> 13);
	*bytes += n;
}

static void note_exchange(struct talk *talk)
{
	br_assert(talk->n < TALK_MAX);
	talk->up_end[talk->n] = talk->up_bytes;
	talk->down_end[talk->n++] = talk->down_bytes;
}

void talk_add(struct talk *talk, const char *request, uint32_t request_body,
    const char *answer, uint32_t answer_body)
{
	add(talk->up, &talk->up_bytes, request, (uint32_t)strlen(request));
	add_body(talk->up, &talk->up_bytes, request_body);
	add(talk->down, &talk->down_bytes, answer, (uint32_t)strlen(answer));
	add_body(talk->down, &talk->down_bytes, answer_body);
	note_exchange(talk);
}

void talk_add_bytes(struct talk *talk, const void *request, uint32_t n_request,
    const void *answer, uint32_t n_answer)
{
	add(talk->up, &talk->up_bytes, request, n_request);
	add(talk->down, &talk->down_bytes, answer, n_answer);
	note_exchange(talk);
}

/* The exchanges that are over. */
static uint32_t answered(const struct talk *talk, uint64_t down)
{
	uint32_t n = 0;

	while (n < talk->n && talk->down_end[n] <= down)
		n++;
	return n;
}

static void on_server(struct sim *sim, struct sim_peer *server)
{
	struct talk *talk = current;
	uint32_t done = 0;

	(void)sim;
	if (talk->server) {
		done = answered(talk, talk->down_start + talk->server->sent);
		talk->server->deaf = true;
	}
	talk->server = server;
	talk->n_connections++;
	talk->up_start = done ? talk->up_end[done - 1] : 0;
	talk->down_start = done ? talk->down_end[done - 1] : 0;
	server->keeps_open = true;
	server->write_max = talk->server_write_max;
	server->hears = (struct sim_prefix){
	    talk->up + talk->up_start, talk->up_bytes - talk->up_start};
	server->says = (struct sim_prefix){
	    talk->down + talk->down_start, talk->down_bytes - talk->down_start};
}

void talk_begin(struct talk *talk, struct sim *sim)
{
	current = talk;
	sim->on_server = on_server;
	talk->client = sim_client(sim, 0);
	talk->client->keeps_open = true;
	talk->client->says = (struct sim_prefix){talk->up, talk->up_bytes};
	talk->client->hears = (struct sim_prefix){talk->down, talk->down_bytes};
}

static void end_server(struct talk *talk, bool reset)
{
	struct sim_peer *server = talk->server;

	if (server->fin_sent || server->reset_sent)
		return;
	/* A session may still hold a part of what it was given. */
	if (reset && !server->tls)
		sim_reset(server);
	else
		sim_fin(server);
}

/* What the server owes by what it has heard. */
static void step_server(struct talk *talk)
{
	struct sim_peer *server = talk->server;
	uint32_t heard, said, i;

	if (!server)
		return;
	heard = talk->up_start + (uint32_t)server->received;
	said = talk->down_start + (uint32_t)server->sent;
	i = answered(talk, said);
	/* An end behind the last. */
	if (i && talk->down_start < talk->down_end[i - 1] &&
	    (talk->end[i - 1] == TALK_CLOSES_BEHIND ||
		talk->end[i - 1] == TALK_RESETS_BEHIND)) {
		end_server(talk, talk->end[i - 1] == TALK_RESETS_BEHIND);
		return;
	}
	if (i == talk->n)
		return;
	br_assert(talk->opaque || heard <= talk->up_end[i]);
	if (heard < talk->up_end[i])
		return;
	if (talk->end[i] == TALK_CLOSES_BEFORE ||
	    talk->end[i] == TALK_RESETS_BEFORE) {
		end_server(talk, talk->end[i] == TALK_RESETS_BEFORE);
		talk->end[i] = TALK_STAYS;
		return;
	}
	if (!server->fin_sent && !server->reset_sent)
		server->to_send = talk->down_end[i] - talk->down_start;
}

static void step_client(struct talk *talk)
{
	struct sim_peer *client = talk->client;
	uint32_t i = answered(talk, client->received);

	if (client->fin_sent || client->reset_sent)
		return;
	if (talk->pipelines)
		client->to_send = talk->up_bytes;
	else if (i < talk->n)
		client->to_send = talk->up_end[i];
}

bool talk_run(struct talk *talk, struct sim *sim, uint32_t most)
{
	struct sim_peer *client = talk->client;

	for (uint32_t i = 0; i < most; i++) {
		step_client(talk);
		sim_turn(sim, 1);
		sim_steps(sim);
		step_server(talk);
		fake.now_ns += NS_PER_MS / 5;
		if (client->received == talk->down_bytes || client->got_fin ||
		    client->got_reset)
			return true;
	}
	return false;
}
