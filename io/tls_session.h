/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One TLS connection, without a socket: ciphertext goes in from spans that
 * the caller received, ciphertext comes out into chunks that the caller
 * sends.
 *
 *         ring buffer                        caller's buffer
 *      in ┌───────────┐   tls_session_read   ┌────────────┐
 *    ────>│ at     end│ ───────────────────> │ plaintext  │ ──>
 *         └───────────┘                      └────────────┘
 *     out ┌───────────┐   tls_session_write  ┌────────────┐
 *    <────│ at     end│ <─────────────────── │ plaintext  │ <──
 *         └───────────┘                      └────────────┘
 *         send chunk
 *
 * Input. A call takes bytes from in->at and moves it. Whatever it leaves,
 * between in->at and in->end, is the caller's to keep and to present again
 * first. TLS_WANT_INPUT means that it left nothing, so a ring buffer can go
 * back at once; a record that is not complete stays inside. Handshake done
 * (TLS_DONE) and TLS_MORE may leave bytes. A read with room for
 * (in->end - in->at) + TLS_RECORD_BYTES of plaintext is never stopped by its
 * room, only by TLS_RECORDS_PER_CALL.
 *
 * Output. A call writes at out->at and moves it. TLS_WANT_OUTPUT means that
 * the chunk is too small for what has to go out: send it, then call the same
 * function again with another one. Every call may leave output, also a read
 * (alerts, key updates), also one that failed (the alert says why): what is
 * in the chunk after any status is to be sent. Chunks may be of any size for
 * handshake and closing; a write needs TLS_OUT_ROOM_MIN to get anywhere,
 * since a record is made only where it fits as a whole: plaintext is never
 * half taken. An alert that does not fit waits inside for the next call.
 *
 * Copies. In: span to OpenSSL's record buffer, decrypted in place, record
 * buffer to the caller's plaintext: two. Out: plaintext to the record buffer,
 * encrypted in place, record buffer to the chunk: two. Handshake messages
 * have one more, in OpenSSL's write buffer. Record buffers (17 KB each way)
 * exist only while a record is incomplete.
 *
 * Ends. TLS_CLOSED is the peer's close_notify: an orderly end of its
 * direction, the other may go on (a FIN). The end of the stream without it
 * is not: tls_session_on_eof() then says TLS_FAILED with the cause
 * truncated, and the caller passes on a reset. tls_session_close() is our
 * close_notify.
 *
 * Kernel TLS. While ktls_is_on() the keys of what a session sends are kept,
 * and can be given to the socket: tls_session_offload(). From then on nothing
 * of the session goes into chunks. What it still says are alerts, which the
 * caller sends as records of their own; it reads on as before. The kernel
 * keeps its keys (those before 6.14 must): a peer that asks for others fails
 * the session with the cause rekey, since it must not go without an answer.
 *
 * Key updates (RFC 8446 4.6.3) are answered; renegotiation and early data
 * are refused, compression is off.
 *
 * Thread:  the worker of its context.
 * Memory:  the caller owns struct tls_session (for a slab); it does not move
 *          between init and fini. What OpenSSL needs comes from tls_memory.
 *          Spans, chunks and plaintext are borrowed for the call.
 * Errors:  TLS_FAILED; `cause` says why, for counters, tls_session_explain()
 *          in words. It is final: send what is in the chunk, flush, fini; any
 *          other call says TLS_FAILED again. OpenSSL's error queue is always left empty.
 * Limits:  TLS_RECORDS_PER_CALL records a call; names of 255 bytes. A peer that
 *          sends more key updates or tickets than TLS_MESSAGES_BURST allows fails
 *          the session with the cause message_flood.
 * Source:  RFC 8446, RFC 5246.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/tls.h"

struct ssl_st;
struct ssl_session_st;
struct ktls_info;
struct ktls_keys;
struct tls_context;
struct tls_names;

#define TLS_RECORD_BYTES 16384u /* plaintext in a record, at most */
#define TLS_RECORDS_PER_CALL 16u
/* Key updates and tickets of an established peer: so many at once, and ten a
 * second. */
#define TLS_MESSAGES_BURST 32
/* Header, nonce, tag and padding of the worst cipher, and some plaintext. */
#define TLS_OUT_ROOM_MIN 256u
/* What an alert may take that did not fit into a chunk. */
#define TLS_SPILL_BYTES 112u

struct tls_in {
	const uint8_t *at, *end;
};

struct tls_out {
	uint8_t *at, *end;
};

enum tls_status {
	TLS_DONE, /* handshake, write, close, flush: all of it is done */
	TLS_WANT_INPUT, /* `in` is used up */
	TLS_WANT_OUTPUT, /* the chunk is too small: call again with room */
	TLS_MORE, /* room or the bound stopped it: call again */
	TLS_CLOSED, /* read: close_notify, after all plaintext was given */
	TLS_FAILED,
};

/* The last session of one server, for the next connection to it: one per
 * (worker, server object), zeroed at first. */
struct tls_resume {
	struct ssl_session_st *session;
	uint64_t made_for; /* context and name: no other may resume it */
};

struct tls_session {
	struct ssl_st *ssl;
	struct tls_context *context;
	struct tls_in *in; /* during a call */
	struct tls_out *out; /* likewise */
	const struct tls_names *names; /* server: chosen by SNI */
	struct tls_resume *resume; /* client */
	struct ktls_keys *keys; /* of what is sent; NULL: not kept */
	uint64_t made_for; /* client: see struct tls_resume */
	int64_t messages_until_ns; /* see tls_messages.c */
	unsigned long detail; /* OpenSSL's code, verify result or alert */
	uint8_t cause; /* enum tls_cause */
	uint8_t overhead; /* of a record, at most */
	bool server : 1;
	bool established : 1; /* the handshake is done */
	bool close_sent : 1, close_received : 1;
	bool failed : 1;
	bool flooded : 1; /* too many messages since the handshake */
	bool offloaded : 1; /* the kernel makes our records */
	uint8_t n_spill; /* ciphertext that waits for the next chunk */
	uint8_t spill[TLS_SPILL_BYTES];
};

/* What an access log, a route or a PROXY header wants to know; all texts are
 * valid until fini, and NULL when there is none. */
struct tls_facts {
	const char *name; /* SNI */
	const char *alpn;
	uint8_t alpn_length; /* alpn is not terminated */
	const char *version; /* "TLSv1.3" */
	const char *cipher; /* "TLS_AES_128_GCM_SHA256" */
	bool resumed;
	bool peer_verified; /* a certificate was presented and accepted */
};

struct tls_peer {
	const char *sni; /* NULL: none is sent */
	/* The name, or the textual IP address, that the certificate must have;
	 * NULL only where the context does not verify. */
	const char *verify_name;
	struct tls_resume *resume; /* NULL: always a full handshake */
};

/* -ENOMEM: no memory, or the cap is near (struct needs no fini then). */
int tls_session_init_server(
    struct tls_session *session, struct tls_context *context) BR_MUST_CHECK;
/* -EINVAL: a name that cannot be one. `peer` is not kept, peer->resume is:
 * it must outlive the session. */
int tls_session_init_client(struct tls_session *session,
    struct tls_context *context, const struct tls_peer *peer) BR_MUST_CHECK;
void tls_session_fini(struct tls_session *session);

/* As far as it goes with this input. TLS_DONE: established (again when
 * called once more). A server's TLS_DONE may come with its tickets in `out`;
 * a client's Finished likewise. TLS_MORE is never said. */
enum tls_status tls_session_handshake(
    struct tls_session *session, struct tls_in *in, struct tls_out *out);

/* Plaintext into ret_plain; *ret_length is set always, also with TLS_CLOSED
 * and TLS_FAILED (what came before the bad record). */
enum tls_status tls_session_read(struct tls_session *session, struct tls_in *in,
    struct tls_out *out, void *ret_plain, size_t room, size_t *ret_length);

/* Takes *ret_taken bytes of plaintext: all of it (TLS_DONE), or what fits
 * into the chunk (TLS_WANT_OUTPUT) or the bound (TLS_MORE). Length 0 is a
 * flush. */
enum tls_status tls_session_write(struct tls_session *session,
    struct tls_out *out, const void *plain, size_t length, size_t *ret_taken);

/* What waits inside: the rest of an alert or of a handshake message. The one
 * call that is allowed, and useful, after TLS_FAILED. */
enum tls_status tls_session_flush(
    struct tls_session *session, struct tls_out *out);
/* Whether there is such a rest. */
bool tls_session_has_output(const struct tls_session *session);

/* Our close_notify, once; nothing can be written afterwards, reading goes
 * on. */
enum tls_status tls_session_close(
    struct tls_session *session, struct tls_out *out);

/* The transport has ended, and all input was read: TLS_CLOSED after a
 * close_notify, else TLS_FAILED. */
enum tls_status tls_session_on_eof(struct tls_session *session);

/* New keys for what we send; with `both`, the peer is asked to do the same
 * (RFC 8446 4.6.3). The message goes out with the next write or flush.
 * -EPROTO: not TLS 1.3, or not established. */
int tls_session_update_keys(
    struct tls_session *session, bool both) BR_MUST_CHECK;

/* What the socket is told to go on with, behind the records that were made so
 * far; all of them must have been given to it before. -ENOTSUP: never, for want
 * of keys or because they have changed. -EAGAIN: output waits inside. */
int tls_session_offload(
    struct tls_session *session, struct ktls_info *ret) BR_MUST_CHECK;
/* The socket has refused it: it is not tried again. */
void tls_session_drop_keys(struct tls_session *session);
/* The socket has taken it. */
void tls_session_set_offloaded(struct tls_session *session);
/* An alert that is to be sent as a record: level and description, until
 * tls_session_alert_sent(). NULL: none. */
const uint8_t *tls_session_alert(const struct tls_session *session);
void tls_session_alert_sent(struct tls_session *session);

/* After the handshake. */
void tls_session_facts(
    const struct tls_session *session, struct tls_facts *ret);
/* The subject of the peer's certificate by RFC 2253, or its common name;
 * terminated, cut to the room; its length, 0 when there is none. */
size_t tls_session_peer_dn(
    const struct tls_session *session, char *ret, size_t room);
size_t tls_session_peer_cn(
    const struct tls_session *session, char *ret, size_t room);
/* One sentence on `cause` and `detail`: "the peer refused our certificate:
 * unknown ca (alert 48)". */
size_t tls_session_explain(
    const struct tls_session *session, char *ret, size_t room);

void tls_resume_clear(struct tls_resume *resume);
