/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/check_tls.h"

#include <errno.h>
#include <stdio.h>

#include "base/assert.h"

/* Rounds of one step: each takes or gives bytes, or ends it. What is left
 * after them is for the next step. */
#define ROUNDS_MAX 64

int check_tls_init(struct check_tls *tls, struct tls_context *context,
    const struct tls_peer *peer)
{
	tls->in.at = tls->in.end = tls->in_bytes;
	tls->next = TALK_RECEIVE;
	tls->established = tls->ended = false;
	tls->taken = tls->n_out = 0;
	return tls_session_init_client(&tls->session, context, peer);
}

void check_tls_fini(struct check_tls *tls)
{
	tls_session_fini(&tls->session);
}

void check_tls_received(struct check_tls *tls, uint32_t n)
{
	br_assert(tls->in.at == tls->in.end && n <= CHECK_TLS_BYTES);
	tls->in.at = tls->in_bytes;
	tls->in.end = tls->in_bytes + n;
	tls->ended = n == 0;
}

bool check_tls_in_handshake(const struct check_tls *tls)
{
	return !tls->established;
}

static enum talk_next tls_failed(struct check_tls *tls, struct talk *talk)
{
	char why[BOARD_CAUSE_MAX - 8];

	talk->error =
	    tls->session.cause == TLS_CAUSE_memory ? -ENOMEM : BR_E_PROTOCOL;
	(void)tls_session_explain(&tls->session, why, sizeof(why));
	(void)snprintf(talk->cause, sizeof(talk->cause), "TLS: %s", why);
	return TALK_ENDED;
}

static enum talk_next tls_closed(struct talk *talk)
{
	talk->error = BR_E_CLOSED;
	(void)snprintf(talk->cause, sizeof(talk->cause),
	    "closed within the TLS handshake");
	return TALK_ENDED;
}

/* A step says MORE when another round is due. */
#define MORE (-1)

static int handshake_round(
    struct check_tls *tls, struct talk *talk, struct tls_out *out)
{
	struct tls_facts facts;

	switch (tls_session_handshake(&tls->session, &tls->in, out)) {
	case TLS_DONE:
		tls->established = true;
		tls->next = talk_begin(talk);
		if (talk->kind != TALK_NOTHING)
			return MORE;
		tls_session_facts(&tls->session, &facts);
		(void)snprintf(talk->cause, sizeof(talk->cause),
		    "TLS handshake done, %s",
		    facts.version ? facts.version : "unknown version");
		return MORE;
	case TLS_WANT_INPUT:
		return tls->ended ? (int)tls_closed(talk) : TALK_RECEIVE;
	case TLS_WANT_OUTPUT:
		return TALK_SEND;
	case TLS_MORE:
		return MORE;
	case TLS_CLOSED:
		return (int)tls_closed(talk);
	case TLS_FAILED:
		break;
	}
	return (int)tls_failed(tls, talk);
}

static int write_round(
    struct check_tls *tls, struct talk *talk, struct tls_out *out)
{
	size_t taken = 0;
	enum tls_status status = tls_session_write(&tls->session, out,
	    talk->out + tls->taken, talk->out_bytes - tls->taken, &taken);

	tls->taken += (uint32_t)taken;
	if (status == TLS_FAILED || status == TLS_CLOSED)
		return (int)tls_failed(tls, talk);
	if (status == TLS_DONE) {
		tls->taken = 0;
		tls->next = talk_on_sent(talk);
		return MORE;
	}
	return status == TLS_MORE ? MORE : TALK_SEND;
}

static int end_of_input(struct check_tls *tls, struct talk *talk)
{
	if (!tls->ended)
		return TALK_RECEIVE;
	if (tls_session_on_eof(&tls->session) != TLS_CLOSED)
		return (int)tls_failed(tls, talk);
	tls->next = talk_on_end(talk);
	return MORE;
}

static int read_round(
    struct check_tls *tls, struct talk *talk, struct tls_out *out)
{
	size_t length = 0;
	uint32_t room;
	char *plain = talk_room(talk, &room);
	enum tls_status status = tls_session_read(
	    &tls->session, &tls->in, out, plain, room, &length);

	if (length)
		tls->next = talk_on_received(talk, (uint32_t)length);
	/* Enough was heard: how the connection ends does not matter. */
	if (tls->next != TALK_RECEIVE)
		return MORE;
	switch (status) {
	case TLS_WANT_INPUT:
		return end_of_input(tls, talk);
	case TLS_WANT_OUTPUT:
		return TALK_SEND;
	case TLS_CLOSED:
		tls->next = talk_on_end(talk);
		return MORE;
	case TLS_FAILED:
		return (int)tls_failed(tls, talk);
	case TLS_DONE:
	case TLS_MORE:
		break;
	}
	return MORE;
}

static int one_round(
    struct check_tls *tls, struct talk *talk, struct tls_out *out)
{
	if (!tls->established)
		return handshake_round(tls, talk, out);
	switch (tls->next) {
	case TALK_SEND:
		return write_round(tls, talk, out);
	case TALK_RECEIVE:
		return read_round(tls, talk, out);
	case TALK_ENDED:
		break;
	}
	return TALK_ENDED;
}

enum talk_next check_tls_step(struct check_tls *tls, struct talk *talk)
{
	struct tls_out out = {
	    .at = tls->out_bytes, .end = tls->out_bytes + CHECK_TLS_BYTES};
	int next = MORE;

	for (int i = 0; i < ROUNDS_MAX && next == MORE; i++)
		next = one_round(tls, talk, &out);
	/* Nothing here takes that many rounds. */
	if (next == MORE)
		next = (int)tls_failed(tls, talk);
	tls->n_out = (uint32_t)(out.at - tls->out_bytes);
	/* What the server is still to hear (our Finished) goes first, but not
	 * after a failure, which nobody needs to be told about. */
	if (tls->n_out && !(next == TALK_ENDED && talk->error))
		return TALK_SEND;
	br_assert(next != TALK_SEND);
	return (enum talk_next)next;
}
