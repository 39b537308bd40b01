/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Reads the ClientHello of a TLS connection that is passed through: server
 * name, ALPN and what else a route may ask for. Nothing is decrypted, nothing
 * is changed, and all bytes still go to the server.
 *
 *     record header 5 | handshake header 4 | ClientHello ...
 *     22 03 xx len 2    01 length 3          may go on in further records
 *
 * RFC 8446 4.1.2 (the message), 5.1 (records; a message may be spread over
 * several, none of them empty), RFC 6066 3 (server_name), RFC 7301 3.1 (ALPN).
 *
 * A client may send it byte by byte, and a record may hold one byte. The
 * reader therefore keeps where it stands in the chain of records, says how
 * many bytes it needs at least before it can get on, and takes the message
 * apart once, when it is whole: the work is linear in the bytes, however they
 * come.
 *
 * Encrypted ClientHello (draft-ietf-tls-esni): what is read is the outer one,
 * so the name is the public name of the client-facing server; `ech` tells.
 *
 * Thread:  one at a time.
 * Memory:  16 bytes of state beside the caller's bytes; the result is a copy
 *          and points nowhere. A message in several records, or one that is
 *          not whole, is put together on the stack (16 KiB).
 * Errors:  enum client_hello_cause.
 * Limits:  CLIENT_HELLO_BYTES_MAX with all record headers.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CLIENT_HELLO_BYTES_MAX 16384
#define CLIENT_HELLO_NAME_MAX 255
#define CLIENT_HELLO_ALPN_MAX 256

enum client_hello_result {
	CLIENT_HELLO_MORE,
	CLIENT_HELLO_DONE,
	/* The first bytes are another protocol's (also SSL 2): whether that is
	 * wrong is for the listener to say. */
	CLIENT_HELLO_NOT_TLS,
	/* It began as TLS: to be closed. */
	CLIENT_HELLO_MALFORMED,
};

/* Why it was not read. Up to `version` it is another protocol, which is no
 * failure; the others have a counter each. */
#define CLIENT_HELLO_CAUSE_LIST(X)                                             \
	X(NONE, "none", "no failure")                                          \
	X(TYPE, "type", "not a TLS handshake record")                          \
	X(SSL2, "ssl2", "an SSL 2 ClientHello")                                \
	X(VERSION, "version", "not a TLS record version")                      \
	X(RECORD, "record", "malformed TLS record")                            \
	X(MESSAGE, "message", "the first message is another one")              \
	X(LENGTH, "length", "longer than 16 KiB")                              \
	X(BODY, "body", "malformed before its extensions")                     \
	X(EXTENSIONS, "extensions", "malformed extensions")                    \
	X(SERVER_NAME, "server_name", "malformed server_name")                 \
	X(ALPN, "alpn", "malformed ALPN")                                      \
	X(VERSIONS, "versions", "malformed supported_versions")

enum client_hello_cause {
#define X(symbol, name, text) CLIENT_HELLO_CAUSE_##symbol,
	CLIENT_HELLO_CAUSE_LIST(X)
#undef X
	    CLIENT_HELLO_N_CAUSES
};
#define CLIENT_HELLO_CAUSES_COUNTED CLIENT_HELLO_CAUSE_RECORD /* from here */

/* Bits of client_hello.versions. */
#define CLIENT_HELLO_SSL3 0x01
#define CLIENT_HELLO_TLS10 0x02
#define CLIENT_HELLO_TLS11 0x04
#define CLIENT_HELLO_TLS12 0x08
#define CLIENT_HELLO_TLS13 0x10

struct client_hello {
	/* Host name in lower case, terminated, without a final dot; "" when
	 * there is none. */
	char name[CLIENT_HELLO_NAME_MAX + 1];
	uint8_t name_length;
	/* A name was sent that is no host name (other bytes than letters,
	 * digits, "-", "_" and ".", or empty labels). It is not refused, but no
	 * route can match it. */
	bool name_odd;
	bool alpn_cut; /* the list was longer; the first ones are here */
	bool ech; /* also when a client only pretends (GREASE) */
	bool session_id; /* as TLS 1.3 clients send it, too */
	bool ticket; /* RFC 5077, not empty */
	bool psk; /* resumes by TLS 1.3 */
	bool early_data;
	uint8_t versions; /* offered: CLIENT_HELLO_*; unknown ones left out */
	/* Protocols in the client's order, each with its length in front (the
	 * wire format of RFC 7301); see client_hello_alpn_next(). */
	uint16_t alpn_length;
	uint8_t alpn[CLIENT_HELLO_ALPN_MAX];
	uint32_t bytes; /* from the start to the end of the message */
};

/* Opaque but for `need` and `cause`. */
struct client_hello_reader {
	uint32_t at; /* of the record that is being read */
	uint32_t have; /* bytes of the message in the records before it */
	uint32_t need; /* bytes in all before another call can get on */
	uint8_t cause; /* enum client_hello_cause of the last result */
};

void client_hello_start(struct client_hello_reader *reader);
/* `bytes` is all that has come, from the start, the same as in earlier calls
 * and maybe more. MORE: reader->need > length. DONE: *ret is filled. The other
 * two: reader->cause. A call with fewer than `need` bytes costs little; it
 * cannot be DONE, but may find out earlier that this is no ClientHello. */
enum client_hello_result client_hello_read(struct client_hello_reader *reader,
    const uint8_t *bytes, size_t length,
    struct client_hello *ret) BR_MUST_CHECK;
/* What the first part of a ClientHello already says, for who does not wait for
 * the rest: `bytes` is all that client_hello_read() said MORE of. What stands in
 * extensions that are whole; versions is 0 until there are theirs. False: it
 * does not get as far. */
bool client_hello_begun(const uint8_t *bytes, size_t length,
    struct client_hello *ret) BR_MUST_CHECK;
/* "server_name": for metrics; and the text of the row. */
const char *client_hello_cause_name(unsigned cause);
const char *client_hello_cause_text(unsigned cause);
/* Walks the protocols: *at starts as 0. False at the end. */
bool client_hello_alpn_next(const struct client_hello *hello, uint16_t *at,
    const uint8_t **ret_name, uint8_t *ret_length);
