/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/side_listener.h"

#include <errno.h>
#include <poll.h>

#include "daemon/control.h"
#include "io/sock.h"

#define MAGIC 0xb1a1dc02
#define ACCEPT_RETRY_MS 100

static void on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result);

static const struct op_class class = {MAGIC, "side listener", on_complete};

void side_listener_more(struct side_listener *listener)
{
	if (!listener->stopping && !listener->held &&
	    !timer_armed(&listener->retry) && !listener->op.in_flight &&
	    listener->ops->has_room(listener))
		ring_poll(control_ring(listener->control), &listener->op, 0,
		    listener->fd, POLLIN);
}

static void on_retry(struct timer *timer, struct mono now)
{
	(void)now;
	side_listener_more(br_container_of(timer, struct side_listener, retry));
}

/* Out of descriptors, for example: the queue stays ready, so asking again at
 * once would spin. */
static void accept_later(struct side_listener *listener, int error)
{
	struct control *control = listener->control;

	log_event_limited(&listener->failed_limit, LOG_WARN,
	    listener->ops->trouble, "error=\"%s\"", br_strerror(error));
	timer_arm(control_wheel(control), &listener->retry,
	    mono_add_ms(control_now(control), ACCEPT_RETRY_MS));
}

static void accept_all(struct side_listener *listener)
{
	while (listener->ops->has_room(listener)) {
		int fd = sock_accept(listener->fd);

		if (fd == -EAGAIN)
			return;
		if (fd < 0) {
			accept_later(listener, fd);
			return;
		}
		listener->ops->on_accepted(listener, fd);
	}
}

static void listener_close(struct side_listener *listener)
{
	sock_close(listener->fd);
	listener->fd = -1;
}

static void on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result)
{
	struct side_listener *listener =
	    br_container_of(owner, struct side_listener, op);

	(void)tag;
	if (listener->stopping) {
		listener_close(listener);
		return;
	}
	if (listener->held)
		return;
	if (result.res == -ECANCELED)
		; /* held for a moment only */
	else if (result.res < 0)
		accept_later(listener, result.res);
	else
		accept_all(listener);
	side_listener_more(listener);
}

void side_listener_init(struct side_listener *listener,
    const struct side_listener_ops *ops, struct control *control, int fd)
{
	*listener = (struct side_listener){
	    .op = {.magic = MAGIC, .class = &class},
	    .ops = ops,
	    .control = control,
	    .fd = fd,
	};
	timer_init(&listener->retry, on_retry);
}

void side_listener_hold(struct side_listener *listener, bool hold)
{
	if (listener->held == hold || listener->stopping)
		return;
	listener->held = hold;
	if (!hold)
		side_listener_more(listener);
	else if (listener->op.in_flight)
		ring_cancel_fd(control_ring(listener->control), listener->fd);
}

void side_listener_stop(struct side_listener *listener)
{
	if (listener->stopping)
		return;
	listener->stopping = true;
	timer_disarm(control_wheel(listener->control), &listener->retry);
	if (listener->op.in_flight)
		ring_cancel_fd(control_ring(listener->control), listener->fd);
	else
		listener_close(listener);
}
