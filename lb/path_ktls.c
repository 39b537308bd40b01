/* SPDX-License-Identifier: Apache-2.0 */
/* A direction whose sink's TLS records the kernel makes: it sends plaintext, by
 * relay or splice. */
#include "base/assert.h"
#include "io/ktls.h"
#include "io/sock.h"
#include "lb/path.h"
#include "lb/tls_end.h"
#include "lb/worker.h"

#include <errno.h>

/* RFC 8446 5.1. */
#define RECORD_ALERT 21

static struct tls_session *ktls_session(
    struct flow *flow, const struct direction *d)
{
	return d->up ? &flow->side->server : &flow->side->client;
}

bool ktls_wanted(struct flow *flow, const struct direction *d)
{
	const struct tls_session *session = tls_sink(flow, d);

	return session && session->keys;
}

void ktls_begin(struct flow *flow, struct direction *d)
{
	struct worker_metrics *metrics = flow->worker->metrics;
	struct tls_session *session = ktls_session(flow, d);
	int fd = flow_sink_fd(flow, d), rc;
	struct ktls_info info;

	br_assert(direction_drained(d) && !d->ktls);
	rc = tls_session_offload(session, &info);
	/* Something is to be said before; later perhaps. */
	if (rc == -EAGAIN)
		return;
	if (!rc) {
		rc = sock_ktls_start(fd);
		if (!rc)
			rc = sock_ktls_keys(fd, &info);
		ktls_info_wipe(&info);
	}
	if (rc) {
		counter_inc(&metrics->ktls_refused);
		tls_session_drop_keys(session);
		return;
	}
	counter_inc(&metrics->ktls_directions);
	tls_session_set_offloaded(session);
	d->ktls = true;
	d->tls = tls_source(flow, d) != NULL;
}

int ktls_say_alert(struct flow *flow, struct direction *d)
{
	struct tls_session *session = ktls_session(flow, d);
	const uint8_t *alert = tls_session_alert(session);
	int rc;

	if (!alert)
		return 0;
	rc = sock_ktls_record(flow_sink_fd(flow, d), RECORD_ALERT, alert, 2);
	if (!rc)
		tls_session_alert_sent(session);
	return rc;
}

static bool ktls_look_again(struct flow *flow)
{
	flow_review_by(flow,
	    mono_add_ns(worker_now(flow->worker), DIRECTION_ENDING_LOOK_NS));
	return false;
}

/* A client that takes what the kernel holds for it is active. */
static bool ktls_wait(struct flow *flow, struct direction *d, uint32_t unacked)
{
	uint32_t *before = &flow->side->unacked[d->up];

	if (unacked != *before)
		flow->active_at = worker_now(flow->worker);
	*before = unacked;
	return ktls_look_again(flow);
}

/*
 * A send may succeed whose record the socket had room for only in part. The
 * kernel sends the rest when there is room again, but a FIN or a close in
 * between would discard it, and nothing tells that it waits. When all is
 * acknowledged, however, whatever still waits goes out within the next send:
 * this is the moment for close_notify.
 */
bool ktls_end(struct flow *flow, struct direction *d)
{
	struct tls_out none = {NULL, NULL};
	int fd = flow_sink_fd(flow, d), rc;
	uint32_t unacked = sock_unsent(fd);

	if (unacked && !sock_has_error(fd))
		return ktls_wait(flow, d, unacked);
	if (!d->end_said) {
		d->end_said = true;
		(void)tls_session_close(ktls_session(flow, d), &none);
	}
	rc = ktls_say_alert(flow, d);
	if (!rc)
		return true;
	if (rc == -EAGAIN || rc == -EINTR)
		return ktls_look_again(flow);
	if (d->up)
		flow_server_broke(flow, rc);
	else
		flow_fail_now(flow, 'C', rc);
	return false;
}
