/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Sockets: making them, their options, and the few calls that are made
 * directly because the ring would hand them to kernel threads (shutdown) or
 * has no operation for them.
 *
 * Thread:  any.
 * Errors:  descriptors or 0, else -errno.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/addr.h"
#include "base/error.h"

struct sock_listen_options {
	uint32_t backlog;
	bool reuse_port;
	/* Also accepts what the firewall hands to it that is meant for other
	 * addresses (IP_TRANSPARENT); the local address is the one meant. */
	bool transparent;
	bool free_bind; /* to an IP address that may be on no interface */
	uint64_t keepalive_ms; /* inherited by accepted sockets; 0 off */
	uint64_t user_timeout_ms; /* likewise; 0 the kernel's */
};

/* A bound, listening, non-blocking socket. TCP_NODELAY is set and inherited.
 * A stale unix socket (nobody accepts) is replaced. */
int sock_listen(const struct addr *at,
    const struct sock_listen_options *options) BR_MUST_CHECK;
/* A stream socket towards `to`, bound to `source` if it has a length. */
int sock_stream(const struct addr *to, const struct addr *source) BR_MUST_CHECK;
/* The same from an address that need not be ours (IP_TRANSPARENT), at a port of
 * the kernel's choice. -EPERM without CAP_NET_RAW and CAP_NET_ADMIN. */
int sock_stream_as(
    const struct addr *to, const struct addr *source) BR_MUST_CHECK;
/* Switches a socket's transparency: it may then bind to any address, and as a
 * listener accept for any. -EPERM as above. */
int sock_set_transparent(int fd, int family, bool on);
/* Whether this thread may use transparent sockets: 0 or -EPERM. */
int sock_may_be_transparent(void);
/* Unsent bytes above which the socket is not writable; 0: the system's. */
int sock_set_unsent(int fd, uint32_t bytes);
/* Bytes a second that leave at most; 0: no bound. */
int sock_set_pacing(int fd, uint64_t rate_bps);
/* What TCP has measured: smoothed round trip, and how fast data arrived there;
 * -ENOTSUP of other sockets. */
int sock_measured(int fd, uint32_t *ret_rtt_us, uint64_t *ret_delivery_bps);
int sock_set_nodelay(int fd);
/* Before connecting: the handshake's last packet waits for the first bytes and
 * goes with them, 200 ms at most (the kernel's bound). */
int sock_delay_ack(int fd);
/* What waits goes now; later ones do not wait. */
int sock_ack_now(int fd);
/* The next close() sends a reset (SO_LINGER with 0 s). */
int sock_set_reset_on_close(int fd);
/* The next close() shall not reach the peer: nothing is sent with
 * CAP_NET_ADMIN, else a reset that lives for one hop, so that only a peer on
 * the same network hears it. What the peer sends afterwards the kernel answers
 * with a reset in either case. */
int sock_set_silent_close(int fd);
int sock_shutdown_write(int fd);
/* One gathered send without waiting: bytes sent (maybe fewer), -EAGAIN when
 * the socket is full, or -errno. `last`: the caller ends the stream right
 * behind it, so the kernel may keep the bytes back for the FIN (MSG_MORE). */
int64_t sock_send_vector(
    int fd, const struct iovec *parts, uint32_t n, bool last);
/* TLS by the kernel, for what an established connection sends (io/ktls.h).
 * start: -ENOENT the kernel has none; the connection goes on as before.
 * keys: from its success on plaintext is sent, and only by sock_send_vector()
 * without `last`, ring_send_some() and splice: the kernel refuses other flags,
 * and a record that waits for more would wait for ever. */
int sock_ktls_start(int fd);
struct ktls_info;
int sock_ktls_keys(int fd, const struct ktls_info *info);
/* One record of another type than data, behind all that was sent: 0, or
 * -EAGAIN when the socket is full. */
int sock_ktls_record(int fd, uint8_t type, const void *bytes, size_t length);
/* What is there, without waiting: bytes received, 0 the end of the stream,
 * -EAGAIN nothing yet, or -errno. Only where no receive is in flight. */
int64_t sock_receive(int fd, void *ret, size_t room);
/* What a receive would find now, without taking it: > 0 bytes, 0 the end of
 * the stream, -EAGAIN nothing yet, or -errno. */
int sock_peek(int fd);
/* Copies what is there without taking it: as sock_receive(), and the next
 * receive finds the same again. */
int64_t sock_look(int fd, void *ret, size_t room);
/* Bytes that wait to be received; 0 of what cannot tell. */
uint32_t sock_waiting(int fd);
/* Before connecting: so many bytes may wait to be received without the peer
 * being held up. Beyond the system's limit only with CAP_NET_ADMIN. */
int sock_set_receive_room(int fd, uint32_t bytes);
/* What the kernel has granted, its own overhead included: about half of it is
 * for the peer's bytes (tcp(7)). 0 of what cannot tell. */
uint32_t sock_receive_room(int fd);
/* Bytes that the peer has not acknowledged yet. */
uint32_t sock_unsent(int fd);
/* Whether an error (a reset) waits on it; it is not taken. */
bool sock_has_error(int fd);
/* One connection from a listener's queue without waiting, or -errno. */
int sock_accept(int fd);
int sock_peer(int fd, struct addr *ret) BR_MUST_CHECK;
int sock_local(int fd, struct addr *ret) BR_MUST_CHECK;
/* SO_ERROR, as -errno or 0. */
int sock_error(int fd);
void sock_close(int fd);
