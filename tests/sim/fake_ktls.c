/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's net/tls for sockets that were given keys to send with:
 *
 *   setsockopt(TCP_ULP)  -ENOENT without TLS, -EEXIST twice, -ENOTCONN when the
 *                        connection is over
 *   setsockopt(TLS_TX)   -EINVAL for what it does not know, -EBUSY twice
 *   send, splice         a record for each 16384 bytes and for the rest; it is
 *                        encrypted at once, and where there is no room for all
 *                        of it the call succeeds all the same: the rest of the
 *                        record goes out later, or with the next send, and is
 *                        lost when the connection ends before
 *   flags                -EOPNOTSUPP for MSG_WAITALL (fake_ring.c)
 *   SIOCOUTQ             knows only of what TCP has
 */
#include "base/assert.h"
#include "io/ktls.h"
#include "tests/sim/fake_io.h"
#include "tests/unit/io/ktls_seal.h"

#include <errno.h>
#include <stdlib.h>

#define ALERT_CLOSE_NOTIFY 0

struct fake_ktls {
	struct ktls_seal seal;
	bool keyed, work_due;
	uint32_t start, end; /* of a record, or of its rest */
	uint8_t wire[5 + KTLS_SEAL_PLAIN_MAX + KTLS_SEAL_OVERHEAD_MAX];
};

bool fake_ktls_on(const struct fake_conn *conn)
{
	return conn->ktls && conn->ktls->keyed;
}

int sock_ktls_start(int fd)
{
	struct fake_conn *conn = fake_conn_of(fd);

	if (!fake.ktls || fake_call_fails())
		return -ENOENT;
	if (conn->peer_reset || conn->peer_fin || conn->proxy_fin)
		return -ENOTCONN;
	if (conn->ktls)
		return -EEXIST;
	conn->ktls = calloc(1, sizeof *conn->ktls);
	br_assert(conn->ktls);
	return 0;
}

int sock_ktls_keys(int fd, const struct ktls_info *info)
{
	struct fake_ktls *ktls = fake_conn_of(fd)->ktls;

	br_assert(ktls);
	br_assert(!fake_pending_kind(fd, FAKE_SEND_NOW));
	br_assert(!fake_pending_kind(fd, FAKE_SEND_WAIT));
	if (ktls->keyed)
		return -EBUSY;
	if (fake_call_fails() ||
	    !ktls_seal_begin(&ktls->seal, info->bytes, info->length))
		return -EINVAL;
	ktls->keyed = true;
	return 0;
}

/* False: something is left. */
static bool push(struct fake_conn *conn)
{
	struct fake_ktls *ktls = conn->ktls;

	ktls->start +=
	    fake_put(conn, ktls->wire + ktls->start, ktls->end - ktls->start);
	return ktls->start == ktls->end;
}

int32_t fake_ktls_send(
    struct fake_conn *conn, uint8_t type, const void *bytes, uint32_t n)
{
	struct fake_ktls *ktls = conn->ktls;
	uint32_t most =
	    fake.ktls_record_max ? fake.ktls_record_max : KTLS_SEAL_PLAIN_MAX;
	uint32_t sent = 0;

	while (sent < n) {
		uint32_t part = n - sent < most ? n - sent : most;

		if (!push(conn) || conn->to_peer.length == conn->to_peer.room)
			break;
		ktls->start = 0;
		ktls->end = (uint32_t)ktls_seal_record(&ktls->seal, type,
		    (const uint8_t *)bytes + sent, part, ktls->wire);
		sent += part;
		if (!push(conn))
			fake.ktls_stuck++;
	}
	return sent ? (int32_t)sent : -EAGAIN;
}

int sock_ktls_record(int fd, uint8_t type, const void *bytes, size_t length)
{
	struct fake_conn *conn = fake_conn_of(fd);
	int32_t sent;

	br_assert(fake_ktls_on(conn) && !conn->proxy_fin);
	/* Nothing may come behind the end. */
	if (((const uint8_t *)bytes)[1] == ALERT_CLOSE_NOTIFY)
		br_assert(!fake_pending_kind(fd, FAKE_SEND_WAIT));
	if (fake_call_fails())
		return -ENOMEM;
	if (conn->peer_reset)
		return -EPIPE;
	if (conn->peer_gone) {
		conn->peer_reset = true;
		return 0;
	}
	sent = fake_ktls_send(conn, type, bytes, (uint32_t)length);
	return sent < 0 ? sent : 0;
}

static void work(void *context)
{
	struct fake_conn *conn = context;

	conn->ktls->work_due = false;
	if (!conn->proxy_fin && !conn->proxy_reset && !conn->peer_reset)
		(void)push(conn);
}

/* From a kernel's work queue: some time later. */
void fake_ktls_room(struct fake_conn *conn)
{
	struct fake_ktls *ktls = conn->ktls;

	if (!ktls || ktls->start == ktls->end || ktls->work_due)
		return;
	ktls->work_due = true;
	fake_at(1 + rng_below(&fake.rng, 5 * NS_PER_MS), work, conn);
}

void fake_ktls_end(struct fake_conn *conn)
{
	if (conn->ktls)
		conn->ktls->start = conn->ktls->end = 0;
}

void fake_ktls_free(struct fake_conn *conn)
{
	free(conn->ktls);
	conn->ktls = NULL;
}
