/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What protocol a flow speaks, by the first bytes of either side.
 *
 *     first byte ──> set of candidates ──> each judges all bytes so far:
 *                    (one table a side)    no | more | maybe | yes
 *
 *     yes of a side                    that protocol
 *     both sides maybe, of one only    that protocol
 *     somebody wants more              DPI_MORE
 *     nobody is left                   DPI_UNKNOWN
 *
 * A detector (dpi_detect.h) is a pure function over the bytes of one side,
 * and says yes only when lengths, counts and words agree, never for a magic
 * byte alone: text and random bytes of other protocols must not be taken. A
 * port is no evidence. Where the client's bytes and the server's say
 * different things, the client's count: it is the client that is served.
 *
 * "Maybe" is what a greeting such as "220 host ready" says: it is SMTP's or
 * FTP's, and more bytes of that side do not help; the answer may.
 *
 * The protocol is known as soon as verdict.protocol says so, also while the
 * result is still MORE because the head or the ClientHello with its names is
 * not whole. `possible` tells who need not wait at all: a rule about SSH is
 * decided by a first byte that is no "S".
 *
 * Thread:  one at a time.
 * Memory:  the caller keeps the bytes and passes all of a side at each call,
 *          the same ones in front; they may move between calls. The verdict's
 *          spans are offsets into the client's (http) or the server's
 *          (answer) bytes. Nothing is allocated.
 * Errors:  a TLS connection whose ClientHello is malformed has `tls_cause`.
 * Limits:  DPI_BYTES_MAX bytes of a side are looked at, of a ClientHello
 *          CLIENT_HELLO_BYTES_MAX. An HTTP head that is longer is DONE with
 *          what was seen in it.
 */
#include "conf/protocol.h"
#include "io/http1_head.h"
#include "profiler/client_hello.h"

#define DPI_BYTES_MAX 1024u

/* Reserved: what a connection between two Braids will begin with. Not text, and
 * broken by a conversion of line ends, so that nothing else is taken for it. */
#define DPI_BRAID_PREFACE                                                      \
	"\xb7"                                                                 \
	"BRAID\r\n"
#define DPI_BRAID_PREFACE_BYTES 8

enum dpi_result {
	DPI_MORE, /* more bytes would tell more; see client_need, server_need */
	DPI_DONE, /* verdict.protocol, and all that belongs to it */
	DPI_UNKNOWN, /* none of those that it knows */
};

/* Opaque. */
struct dpi {
	protocol_set possible[2]; /* by side; all while it is silent */
	protocol_set open[2]; /* those that want more bytes of that side */
	uint32_t seen[2], need[2]; /* bytes judged; bytes before it helps */
	uint8_t yes[2]; /* enum protocol */
	bool heads_begun, head_done, answer_done, hello_done;
	bool hello_alone; /* only its reader can still say that it is TLS */
	uint8_t tls_cause;
	struct client_hello_reader reader;
	/* Hold once heads_begun; most flows have none. */
	struct http1_head head, answer;
};

struct dpi_verdict {
	enum protocol protocol; /* UNKNOWN while it is not certain */
	/* What it may still be, UNKNOWN included; one bit when certain. An HTTP
	 * request may turn out to be a WebSocket's until its head is whole. */
	protocol_set possible;
	/* When MORE: how many bytes in all of a side before another call can
	 * get on; 0: that side's will not help. */
	uint32_t client_need, server_need;
	/* HTTP, WebSocket: the request's head as far as it came, and the
	 * answer's. */
	const struct http1_head *head, *answer;
	/* TLS: NULL until the ClientHello is whole. */
	const struct client_hello *hello;
	/* enum client_hello_cause of what began as TLS (also when it is not
	 * certain to be it) and is malformed, or 0. */
	uint8_t tls_cause;
};

void dpi_start(struct dpi *dpi);
/* `hello` is where a ClientHello is put; it must stay as long as the verdict
 * is used. A side that has said nothing has length 0. */
enum dpi_result dpi_read(struct dpi *dpi, const uint8_t *client,
    size_t client_length, const uint8_t *server, size_t server_length,
    struct client_hello *hello, struct dpi_verdict *ret) BR_MUST_CHECK;
