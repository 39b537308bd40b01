/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A check's dialogue inside TLS: between the bytes that its socket carries
 * and struct talk. It moves nothing itself but says what is to be moved.
 *
 *      socket ──in──> session ──plain──> talk
 *      socket <──out── session <──plain── talk
 *
 * Thread:  the owner of the context (control).
 * Memory:  embedded in the check; the session's own from OpenSSL, between
 *          init and fini.
 * Limits:  a step costs at most a handshake's computing, some 100 us to 1 ms.
 */
#include "io/tls_session.h"
#include "probe/talk.h"

#define CHECK_TLS_BYTES 4096

struct check_tls {
	struct tls_session session;
	struct tls_in in;
	enum talk_next next; /* of the dialogue, once established */
	bool established, ended;
	uint32_t taken; /* of talk->out */
	uint32_t n_out; /* to be sent */
	uint8_t in_bytes[CHECK_TLS_BYTES], out_bytes[CHECK_TLS_BYTES];
};

int check_tls_init(struct check_tls *tls, struct tls_context *context,
    const struct tls_peer *peer) BR_MUST_CHECK;
void check_tls_fini(struct check_tls *tls);

/* As far as it goes. TALK_SEND: send out_bytes [n_out], all of it, and call
 * again; TALK_RECEIVE: receive into in_bytes, tell it by check_tls_received()
 * and call again; TALK_ENDED: talk has the result. */
enum talk_next check_tls_step(struct check_tls *tls, struct talk *talk);
/* n bytes, 0: the end. */
void check_tls_received(struct check_tls *tls, uint32_t n);
/* What it waits for, for a timeout; false: that is for talk to say. */
bool check_tls_in_handshake(const struct check_tls *tls);
