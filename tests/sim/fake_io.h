/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A kernel in memory: every symbol of io/ring.h, io/sock.h and io/pipe.h over
 * sockets, pipes and a clock that the test owns. lb/ links against it instead
 * of io/ and does not notice.
 *
 *      test: peers             fake                     lb/ under test
 *      write, read  ──> fake_conn: two bounded  <── ring_*, sock_*, pipe_*
 *      fin, reset          byte queues                      │
 *      fake_at() ─────────> virtual clock <── ring_turn() ──┘
 *
 * ring_turn() submits, completes what can be completed, and when nothing can
 * moves the clock to the next event or to the end of the wait. With `random`
 * set, transfers are short, completions change order (never those of one
 * operation) and operations that could go on sometimes do not yet.
 *
 * With `ktls` a socket can be given keys, and then makes TLS records of what is
 * sent (fake_ktls.c, a model of the kernel's net/tls).
 *
 * It asserts what a kernel would punish: a descriptor closed with operations
 * in flight, a buffer given back twice, two sends at once on one socket, a
 * send after the end was passed on, an owner that is gone.
 *
 * Thread:  the test's only one.
 * Memory:  everything until fake_fini(); connections are never reused within
 *          one run, descriptors are (the lowest first, as a kernel does).
 * Units:   nanoseconds of virtual time, bytes.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "io/ring.h"
#include "io/sock.h"

#define FAKE_FDS 512
#define FAKE_FIRST_FD 1000
#define FAKE_CONNS 4096
#define FAKE_OPS 2048
/* RFC 8446 5.1. */
#define TLS_RECORD_DATA 23

struct fake_queue {
	uint8_t *bytes;
	uint32_t room, head, length;
};

/* One connection: the proxy's end is a descriptor, the peer's the test. */
/* The address of every client, as fake sock_peer() says. */
#define FAKE_CLIENT "198.51.100.1"

struct fake_conn {
	int fd; /* -1: not accepted yet, or closed by the proxy */
	uint32_t id;
	struct fake_queue to_proxy, to_peer;
	bool peer_fin; /* behind to_proxy */
	bool peer_gone; /* closed: what is sent to it brings a reset */
	bool peer_reset;
	bool error_told; /* by a send; a receive then sees an end */
	bool proxy_fin; /* behind to_peer */
	bool proxy_reset;
	bool reset_on_close, silent_close;
	uint32_t unsent_bytes; /* TCP_NOTSENT_LOWAT, 0: as it was */
	uint64_t pacing_bps; /* 0: none */
	bool ack_waits; /* the server knows nothing of the connection yet */
	struct fake_ktls *ktls; /* NULL: the socket has no TLS */
	bool corked; /* the last bytes wait for more, or for the end */
	void *user;
};

enum fake_op_kind {
	FAKE_RECV,
	FAKE_RECV_MANY,
	FAKE_SEND_NOW,
	FAKE_SEND_WAIT,
	FAKE_ACCEPT,
	FAKE_CONNECT,
	FAKE_POLL,
	FAKE_POLL_MANY,
	FAKE_CANCEL_FD,
	FAKE_CANCEL,
	FAKE_CLOSE,
};

struct fake_op {
	enum fake_op_kind kind;
	struct ring *ring;
	struct op_owner *owner;
	unsigned tag;
	int fd;
	const char *bytes;
	uint32_t length, done;
	uint32_t events;
	bool no_poll_first, fails;
	bool some; /* a send that ends with any success */
	struct sockaddr_storage to;
	int64_t ready_ns; /* connect: INT64_MAX never */
	int32_t verdict; /* connect */
};

/* What a connect meets: 0 or -errno after *ret_delay_ns; INT64_MAX: it hangs.
 * `conn` is the new connection, its fd is set. */
typedef int fake_on_connect(struct fake_conn *conn, const struct sockaddr *to,
    struct op_owner *owner, int64_t *ret_delay_ns);
/* A cancel has found this operation; what happens now comes before it. */
typedef void fake_on_cancel(const struct fake_op *op);

struct fake {
	struct rng rng;
	int64_t now_ns;
	bool random;
	bool slow_acks; /* a peer acknowledges only what it reads */
	bool loud_sends; /* no silent success: an older kernel */
	uint32_t recv_max, send_max; /* of one transfer; 0: no bound */
	/* Kernel TLS: there is some; a record's plaintext, at most (0:
	 * 16384). */
	bool ktls;
	uint32_t ktls_record_max;
	uint32_t queue_room; /* of each way of new connections */
	uint32_t fd_limit; /* descriptors at most */
	uint32_t open_fds;
	uint32_t buffers_taken;
	/* The n-th from now fails; 0: none. Reaching 0 is remembered. */
	uint32_t fail_op, fail_call;
	int accept_error; /* what every accept says while it is not 0 */
	bool has_failed;
	fake_on_connect *on_connect;
	fake_on_cancel *on_cancel;
	void *context; /* the test's */
	/* What happened, for assertions. */
	uint64_t ops, cancels, inline_short, enobufs;
	uint64_t ktls_stuck; /* records that did not fit when they were sent */
};

extern struct fake fake;

void fake_init(uint64_t seed);
/* Everything must be closed. */
void fake_fini(void);

/* Runs `run` in `delay_ns` of virtual time. */
void fake_at(int64_t delay_ns, void (*run)(void *context), void *context);
void fake_forget_events(void);
/* True when this call of the kernel is the one to fail. */
bool fake_call_fails(void);
bool fake_op_fails(void);
uint32_t fake_some(uint32_t n); /* 1..n: n, or in random mode fewer */
bool fake_chance(uint32_t one_in); /* random mode only */

/* -- the proxy's descriptors -- */
int fake_listener(void);
int fake_open(struct fake_conn *conn);
struct fake_conn *fake_conn_of(int fd);
void fake_close_fd(int fd);
/* One accepted descriptor, or -EAGAIN, -EMFILE. */
int fake_take_accepted(int listener_fd);
/* Bytes, 0 at the end, -EAGAIN, -errno. */
int32_t fake_recv(struct fake_conn *conn, void *ret, uint32_t room);
int32_t fake_send(struct fake_conn *conn, const void *bytes, uint32_t n);
/* poll(2) events that are there, of those asked for. */
uint32_t fake_poll_events(const struct fake_conn *conn, uint32_t asked);
/* The same for a descriptor, which may be a listener's. */
uint32_t fake_poll_fd(int fd, uint32_t asked);
struct fake_conn *fake_conn_new(void);

/* -- kernel TLS, fake_ktls.c -- */
/* Whether what is sent on it is encrypted. */
bool fake_ktls_on(const struct fake_conn *conn);
int32_t fake_ktls_send(
    struct fake_conn *conn, uint8_t type, const void *bytes, uint32_t n);
/* The peer has read: what did not fit goes out soon. */
void fake_ktls_room(struct fake_conn *conn);
/* No more can be sent: what did not fit is lost, as with the kernel. */
void fake_ktls_end(struct fake_conn *conn);
void fake_ktls_free(struct fake_conn *conn);
/* Appends ciphertext: how much fits. */
uint32_t fake_put(struct fake_conn *conn, const uint8_t *bytes, uint32_t n);

/* -- the peers -- */
struct fake_conn *fake_client(int listener_fd);
uint32_t fake_peer_write(struct fake_conn *conn, const void *bytes, uint32_t n);
uint32_t fake_peer_read(struct fake_conn *conn, void *ret, uint32_t room);
void fake_peer_fin(struct fake_conn *conn);
void fake_peer_close(struct fake_conn *conn);
void fake_peer_reset(struct fake_conn *conn);
/* The proxy's clean end has been read. */
bool fake_peer_sees_fin(const struct fake_conn *conn);
bool fake_peer_sees_reset(const struct fake_conn *conn);

/* -- the ring's inside -- */
/* Completes what waits on fd and can go on (for on_cancel). */
void fake_poke(int fd);
/* Operations in flight, not yet delivered completions included. */
uint32_t fake_in_flight(const struct op_owner *owner);
uint32_t fake_pending(int fd);
bool fake_pending_kind(int fd, enum fake_op_kind kind);
/* Takes ring buffers away from the kernel until fake_give_buffers(). */
void fake_take_buffers(struct ring *ring, uint32_t leave);
void fake_give_buffers(struct ring *ring);
/* The next event's time, INT64_MAX: none; runs those that are due. */
int64_t fake_next_event_ns(void);
void fake_run_events(void);
