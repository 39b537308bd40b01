/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/log.h"
#include "daemon/ctl_command.h"
#include "daemon/side_listener.h"
#include "io/sock.h"

#define CONNECTION_MAGIC 0xb1a1dc01
#define BACKLOG 64
/* An answer is sent in parts: the time limit is for each. */
#define PART_BYTES 65536u

enum connection_state {
	FREE,
	READING,
	RUNNING, /* a command has the call */
	SENDING,
	CLOSING, /* an operation is still in flight */
};

struct connection {
	struct op_owner op;
	enum connection_state state;
	int fd;
	struct ctl *ctl;
	struct timer timer;
	char *request; /* CTL_REQUEST_MAX */
	uint32_t received;
	size_t sent;
	struct ctl_call call;
} __attribute__((aligned(64)));

struct ctl {
	struct side_listener listener;
	struct connection connections[CTL_CONNECTIONS_MAX];
	struct control *control;
	struct log_limit denied_limit;
} __attribute__((aligned(64)));

static void connection_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result);

static const struct op_class connection_class = {
    CONNECTION_MAGIC, "control connection", connection_on_complete};

int ctl_listen(const char *path, uid_t uid, gid_t gid)
{
	struct sock_listen_options options = {.backlog = BACKLOG};
	char text[ADDR_TEXT_MAX];
	struct addr at;
	mode_t before;
	int fd, err;

	if (snprintf(text, sizeof(text), "unix:%s", path) >= (int)sizeof(text))
		return -ENAMETOOLONG;
	err = addr_parse(&at, text);
	if (err)
		return err;
	/* From the first moment nobody else can connect. */
	before = umask(0117);
	fd = sock_listen(&at, &options);
	(void)umask(before);
	if (fd < 0)
		return fd;
	if ((uid != geteuid() || gid != getegid()) && chown(path, uid, gid)) {
		err = -errno;
		sock_close(fd);
		return err;
	}
	return fd;
}

/* -- one connection -- */
static struct ring *ring_of(struct connection *c)
{
	return control_ring(c->ctl->control);
}

static void arm(struct connection *c)
{
	struct control *control = c->ctl->control;

	timer_arm(control_wheel(control), &c->timer,
	    mono_add_ms(control_now(control), CTL_IDLE_MS));
}

/* What remains when nothing is in flight any more. */
static void release(struct connection *c)
{
	br_assert(!c->op.in_flight);
	sock_close(c->fd);
	free(c->request);
	ctl_call_fini(&c->call);
	c->request = NULL;
	c->fd = -1;
	c->state = FREE;
	side_listener_more(&c->ctl->listener);
}

static void connection_close(struct connection *c)
{
	timer_disarm(control_wheel(c->ctl->control), &c->timer);
	if (c->state == RUNNING)
		ctl_abandon(&c->call);
	c->state = CLOSING;
	if (c->op.in_flight)
		ring_cancel_fd(ring_of(c), c->fd);
	else
		release(c);
}

static void send_part(struct connection *c)
{
	size_t left = c->call.text.length - c->sent;
	uint32_t part = left < PART_BYTES ? (uint32_t)left : PART_BYTES;

	arm(c);
	ring_send_wait(
	    ring_of(c), &c->op, 0, c->fd, c->call.text.text + c->sent, part);
}

static void on_answered(struct ctl_call *call)
{
	struct connection *c = br_container_of(call, struct connection, call);

	c->state = SENDING;
	send_part(c);
}

static void run(struct connection *c, size_t length)
{
	char error[CTL_REQUEST_ERROR_MAX];
	int err =
	    ctl_request_parse(c->request, length, &c->call.request, error);

	timer_disarm(control_wheel(c->ctl->control), &c->timer);
	c->state = RUNNING;
	if (err)
		ctl_fail(&c->call, CTL_USAGE, "%s", error);
	else
		ctl_run(&c->call);
}

static void read_more(struct connection *c)
{
	ring_recv_into(ring_of(c), &c->op, 0, c->fd, c->request + c->received,
	    CTL_REQUEST_MAX - c->received);
}

/* A request ends with its line or with the stream. The time limit is for the
 * whole of it: dribbling does not extend it. */
static void on_received(struct connection *c, int32_t res)
{
	const char *end;

	if (res < 0 || (res == 0 && c->received == 0)) {
		connection_close(c);
		return;
	}
	end = memchr(c->request + c->received, '\n', (size_t)res);
	c->received += (uint32_t)res;
	if (end) {
		run(c, (size_t)(end - c->request));
	} else if (res == 0) {
		run(c, c->received);
	} else if (c->received == CTL_REQUEST_MAX) {
		c->state = RUNNING;
		ctl_fail(&c->call, CTL_USAGE,
		    "the request is longer than %u bytes", CTL_REQUEST_MAX);
	} else {
		read_more(c);
	}
}

static void on_sent(struct connection *c, int32_t res)
{
	if (res > 0)
		c->sent += (uint32_t)res;
	if (res <= 0 || c->sent == c->call.text.length)
		connection_close(c);
	else
		send_part(c);
}

static void connection_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result)
{
	struct connection *c = br_container_of(owner, struct connection, op);

	(void)tag;
	switch (c->state) {
	case READING:
		on_received(c, result.res);
		return;
	case SENDING:
		on_sent(c, result.res);
		return;
	case CLOSING:
		release(c);
		return;
	case FREE:
	case RUNNING:
		break;
	}
	br_assert(c->state == READING); /* no other state has operations */
}

static void on_timeout(struct timer *timer, struct mono now)
{
	(void)now;
	connection_close(br_container_of(timer, struct connection, timer));
}

/* -- accepting -- */
/* Root and whom the daemon runs as: what the socket's mode lets in beyond
 * them (its group) may connect but not command. */
static bool is_allowed(int fd, uid_t *ret_uid)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	*ret_uid = (uid_t)-1;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length))
		return false;
	*ret_uid = peer.uid;
	return peer.uid == 0 || peer.uid == geteuid();
}

static void connection_start(struct ctl *ctl, struct connection *c, int fd)
{
	uid_t uid;

	c->fd = fd;
	c->received = 0;
	c->sent = 0;
	ctl_call_init(&c->call, ctl->control, on_answered);
	if (!is_allowed(fd, &uid)) {
		log_event_limited(&ctl->denied_limit, LOG_WARN,
		    "control connection refused", "uid=%u", (unsigned)uid);
		c->state = RUNNING;
		ctl_fail(&c->call, CTL_PERMISSION,
		    "user %u may not control this process: only root and the "
		    "user it runs as (%u) may",
		    (unsigned)uid, (unsigned)geteuid());
		return;
	}
	c->request = malloc(CTL_REQUEST_MAX);
	if (!c->request) {
		c->state = RUNNING;
		ctl_fail(&c->call, CTL_TEMPORARY, "out of memory");
		return;
	}
	c->state = READING;
	arm(c);
	read_more(c);
}

static struct connection *find_free(struct ctl *ctl)
{
	for (uint32_t i = 0; i < CTL_CONNECTIONS_MAX; i++) {
		if (ctl->connections[i].state == FREE)
			return &ctl->connections[i];
	}
	return NULL;
}

static struct ctl *ctl_of(struct side_listener *listener)
{
	return br_container_of(listener, struct ctl, listener);
}

static bool has_room(struct side_listener *listener)
{
	return find_free(ctl_of(listener)) != NULL;
}

static void on_accepted(struct side_listener *listener, int fd)
{
	struct ctl *ctl = ctl_of(listener);

	connection_start(ctl, find_free(ctl), fd);
}

static const struct side_listener_ops listener_ops = {
    "control socket cannot accept", has_room, on_accepted};

int ctl_start(struct control *control, int fd, struct ctl **ret)
{
	struct ctl *ctl = aligned_alloc(_Alignof(struct ctl), sizeof(*ctl));

	if (!ctl)
		return -ENOMEM;
	memset(ctl, 0, sizeof(*ctl));
	ctl->control = control;
	side_listener_init(&ctl->listener, &listener_ops, control, fd);
	for (uint32_t i = 0; i < CTL_CONNECTIONS_MAX; i++) {
		struct connection *c = &ctl->connections[i];

		c->op = (struct op_owner){
		    .magic = CONNECTION_MAGIC, .class = &connection_class};
		c->fd = -1;
		c->ctl = ctl;
		timer_init(&c->timer, on_timeout);
	}
	side_listener_more(&ctl->listener);
	*ret = ctl;
	return 0;
}

void ctl_hold(struct ctl *ctl, bool hold)
{
	side_listener_hold(&ctl->listener, hold);
}

void ctl_stop(struct ctl *ctl)
{
	side_listener_stop(&ctl->listener);
	for (uint32_t i = 0; i < CTL_CONNECTIONS_MAX; i++) {
		struct connection *c = &ctl->connections[i];

		if (c->state != FREE && c->state != CLOSING)
			connection_close(c);
	}
}

bool ctl_done(const struct ctl *ctl)
{
	if (!side_listener_closed(&ctl->listener))
		return false;
	for (uint32_t i = 0; i < CTL_CONNECTIONS_MAX; i++) {
		if (ctl->connections[i].state != FREE)
			return false;
	}
	return true;
}

void ctl_free(struct ctl *ctl)
{
	if (!ctl)
		return;
	br_assert(ctl_done(ctl));
	free(ctl);
}
