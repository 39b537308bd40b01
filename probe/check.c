/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "io/sock.h"
#include "probe/check_tls.h"
#include "probe/talk.h"

#define CHECK_MAGIC 0x43484b21u /* "CHK!" */
/* TLS costs computing. All checks together get this much of a turn, so that
 * control never keeps others waiting for 10 ms; the rest has the next turn. */
#define WORK_NS (4 * NS_PER_MS)

enum check_state {
	CHECK_CONNECTING, /* in flight: connect */
	CHECK_GREETING, /* in flight: send, of a PROXY header */
	CHECK_SENDING, /* in flight: send */
	CHECK_READING, /* in flight: receive */
	CHECK_WORKING, /* in flight: none; in the checker's list of work */
	CHECK_ENDED, /* in flight: one of them, cancelled, or none */
};

struct check {
	struct op_owner owner;
	struct timer timeout;
	struct list_node work; /* linked while working */
	struct checker *checker;
	void *target;
	enum check_state state;
	int fd;
	uint64_t timeout_ms;
	enum conf_proxy greeting;
	struct addr to;
	bool uses_tls;
	struct talk talk;
	struct check_tls tls;
} __attribute__((aligned(OP_OWNER_ALIGN)));

/* Headers of connections that stand for no client (PROXY protocol, 2.1 and
 * 2.2: UNKNOWN, and version 2 with the command LOCAL). */
static const char greeting_v1[] = "PROXY UNKNOWN\r\n";
static const char greeting_v2[] = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

static void check_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result);

static const struct op_class check_class = {
    .magic = CHECK_MAGIC,
    .name = "health check",
    .on_complete = check_on_complete,
};

static void checker_work(struct timer *timer, struct mono now);

int checker_init(struct checker *checker, uint32_t checks_max)
{
	checker->in_flight = 0;
	list_init(&checker->work);
	timer_init(&checker->work_timer, checker_work);
	return slab_init(
	    &checker->slab, "health checks", sizeof(struct check), checks_max);
}

void checker_fini(struct checker *checker)
{
	br_assert(checker->in_flight == 0);
	timer_disarm(checker->wheel, &checker->work_timer);
	slab_fini(&checker->slab);
}

bool check_is_local_trouble(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM ||
	       error == -ENOBUFS;
}

/* -- the end ----------------------------------------------------------- */

static void check_free(struct check *check)
{
	struct checker *checker = check->checker;

	br_assert(check->state == CHECK_ENDED);
	br_assert(check->owner.in_flight == 0);
	sock_close(check->fd);
	check->owner.magic = 0;
	slab_free(&checker->slab, check);
	checker->in_flight--;
	checker->on_room(checker->context);
}

static void check_leave(struct check *check)
{
	check->state = CHECK_ENDED;
	timer_disarm(check->checker->wheel, &check->timeout);
	list_remove(&check->work);
	/* Now and not when it is freed: its context may be gone by then. */
	if (check->uses_tls)
		check_tls_fini(&check->tls);
	check->uses_tls = false;
	if (check->owner.in_flight == 0)
		check_free(check);
	else
		ring_cancel_fd(check->checker->ring, check->fd);
}

void check_abandon(struct check *check)
{
	br_assert(check->owner.magic == CHECK_MAGIC);
	br_assert(check->state != CHECK_ENDED);
	check_leave(check);
}

static void check_end(struct check *check, int error, const char *cause, ...)
    __attribute__((format(printf, 3, 4)));

static void check_end(struct check *check, int error, const char *cause, ...)
{
	struct checker *checker = check->checker;
	struct check_result result = {.error = error};
	void *target = check->target;
	va_list arguments;

	va_start(arguments, cause);
	vsnprintf(result.cause, sizeof(result.cause), cause, arguments);
	va_end(arguments);
	/* The verdict first: what hears of room must find the target free. */
	checker->on_verdict(checker->context, target, &result);
	check_leave(check);
}

/* As the dialogue ended. */
static void check_conclude(struct check *check)
{
	struct checker *checker = check->checker;
	struct talk *talk = &check->talk;
	struct check_result result = {.error = talk->error};
	void *target = check->target;

	(void)snprintf(result.cause, sizeof(result.cause), "%s", talk->cause);
	if (talk->kind == TALK_AGENT && !talk->error)
		result.report = &talk->report;
	checker->on_verdict(checker->context, target, &result);
	check_leave(check);
}

static void check_explain_wait(
    const struct check *check, char *ret, size_t room)
{
	if (check->state == CHECK_CONNECTING)
		(void)snprintf(ret, room, "connecting");
	else if (check->state == CHECK_GREETING)
		(void)snprintf(ret, room, "sending the PROXY header");
	else if (check->uses_tls && check_tls_in_handshake(&check->tls))
		(void)snprintf(ret, room, "waiting for the TLS handshake");
	else
		talk_explain_wait(
		    &check->talk, check->state == CHECK_SENDING, ret, room);
}

static void check_on_timeout(struct timer *timer, struct mono now)
{
	struct check *check = br_container_of(timer, struct check, timeout);
	char doing[BOARD_CAUSE_MAX];

	(void)now;
	br_assert(check->owner.magic == CHECK_MAGIC);
	br_assert(check->state != CHECK_ENDED);
	/* The answer is here, and we had no time to look at it. */
	if (check->state == CHECK_WORKING) {
		check_end(check, -ENOBUFS, "no time for it here");
		return;
	}
	check_explain_wait(check, doing, sizeof(doing));
	check_end(check, -ETIMEDOUT, "timeout after %llu ms while %s",
	    (unsigned long long)check->timeout_ms, doing);
}

/* -- the dialogue ------------------------------------------------------ */

static void check_send(struct check *check, const void *bytes, uint32_t length)
{
	check->state = CHECK_SENDING;
	ring_send_wait(check->checker->ring, &check->owner, CHECK_SENDING,
	    check->fd, bytes, length);
}

static void check_receive(struct check *check, void *room, uint32_t length)
{
	check->state = CHECK_READING;
	ring_recv_into(check->checker->ring, &check->owner, CHECK_READING,
	    check->fd, room, length);
}

/* What the dialogue wants next, without TLS. */
static void check_go(struct check *check, enum talk_next next)
{
	uint32_t room;
	char *at;

	switch (next) {
	case TALK_SEND:
		check_send(check, check->talk.out, check->talk.out_bytes);
		break;
	case TALK_RECEIVE:
		at = talk_room(&check->talk, &room);
		check_receive(check, at, room);
		break;
	case TALK_ENDED:
		check_conclude(check);
		break;
	}
}

/* The same with TLS, once there is time for its computing. */
static void check_work(struct check *check)
{
	switch (check_tls_step(&check->tls, &check->talk)) {
	case TALK_SEND:
		check_send(check, check->tls.out_bytes, check->tls.n_out);
		break;
	case TALK_RECEIVE:
		check_receive(check, check->tls.in_bytes, CHECK_TLS_BYTES);
		break;
	case TALK_ENDED:
		check_conclude(check);
		break;
	}
}

static void check_plan_work(struct check *check)
{
	struct checker *checker = check->checker;

	check->state = CHECK_WORKING;
	list_push_back(&checker->work, &check->work);
	if (!timer_armed(&checker->work_timer))
		timer_arm(
		    checker->wheel, &checker->work_timer, (struct mono){0});
}

static void checker_work(struct timer *timer, struct mono now)
{
	struct checker *checker =
	    br_container_of(timer, struct checker, work_timer);
	int64_t until_ns = checker->work_clock().ns + WORK_NS;
	struct list_node *node;

	while ((node = list_pop_front(&checker->work))) {
		check_work(br_container_of(node, struct check, work));
		if (checker->work_clock().ns >= until_ns)
			break;
	}
	/* The next tick: what is due now would run within this turn. */
	if (!list_empty(&checker->work) && !timer_armed(timer))
		timer_arm(
		    checker->wheel, timer, mono_add_ns(now, TIMER_TICK_NS));
}

static void check_on_received(struct check *check, int received)
{
	if (received < 0) {
		check_end(
		    check, received, "receive: %s", br_strerror(received));
	} else if (check->uses_tls) {
		check_tls_received(&check->tls, (uint32_t)received);
		check_plan_work(check);
	} else if (received == 0) {
		check_go(check, talk_on_end(&check->talk));
	} else {
		check_go(
		    check, talk_on_received(&check->talk, (uint32_t)received));
	}
}

/* False after the end of the check. */
static bool check_sent_all(struct check *check, int sent, size_t wanted)
{
	if (sent < 0)
		check_end(check, sent, "send: %s", br_strerror(sent));
	else if ((size_t)sent < wanted)
		check_end(check, BR_E_CLOSED, "send: the request was cut off");
	else
		return true;
	return false;
}

static void check_on_sent(struct check *check, int sent)
{
	uint32_t wanted =
	    check->uses_tls ? check->tls.n_out : check->talk.out_bytes;

	if (!check_sent_all(check, sent, wanted))
		return;
	if (check->uses_tls)
		check_plan_work(check);
	else
		check_go(check, talk_on_sent(&check->talk));
}

static void check_begin(struct check *check)
{
	if (check->uses_tls)
		check_plan_work(check);
	else
		check_go(check, talk_begin(&check->talk));
}

/* -- the greeting ------------------------------------------------------ */

static const char *greeting_of(const struct check *check, uint32_t *ret_bytes)
{
	bool v1 = check->greeting == CONF_PROXY_V1;

	*ret_bytes = v1 ? sizeof(greeting_v1) - 1 : sizeof(greeting_v2) - 1;
	return v1 ? greeting_v1 : greeting_v2;
}

static void check_greet(struct check *check)
{
	uint32_t length;
	const char *bytes = greeting_of(check, &length);

	check->state = CHECK_GREETING;
	ring_send_wait(check->checker->ring, &check->owner, CHECK_GREETING,
	    check->fd, bytes, length);
}

static void check_on_greeted(struct check *check, int sent)
{
	uint32_t length;

	(void)greeting_of(check, &length);
	if (check_sent_all(check, sent, length))
		check_begin(check);
}

/* -- connect ----------------------------------------------------------- */

/* A connect to a free local port may get that very port as its own and so
 * reach itself (simultaneous open): nobody serves there. */
static bool check_reached_itself(const struct check *check)
{
	struct addr local;

	if (addr_is_unix(&check->to) || sock_local(check->fd, &local))
		return false;
	return addr_equal(&local, &check->to);
}

static void check_on_connected(struct check *check, int res)
{
	if (res == 0 && check_reached_itself(check))
		res = -ECONNREFUSED;
	if (res < 0) {
		check_end(check, res, "connect: %s", br_strerror(res));
		return;
	}
	if (check->greeting != CONF_PROXY_OFF)
		check_greet(check);
	else
		check_begin(check);
}

static void check_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result)
{
	struct check *check = br_container_of(owner, struct check, owner);

	br_assert(!(result.flags & OP_MORE));
	if (check->state == CHECK_ENDED) {
		check_free(check);
		return;
	}
	br_assert(tag == (unsigned)check->state);
	switch (check->state) {
	case CHECK_CONNECTING:
		check_on_connected(check, result.res);
		break;
	case CHECK_GREETING:
		check_on_greeted(check, result.res);
		break;
	case CHECK_SENDING:
		check_on_sent(check, result.res);
		break;
	case CHECK_READING:
		check_on_received(check, result.res);
		break;
	case CHECK_WORKING:
	case CHECK_ENDED:
		break;
	}
}

/* -- the start --------------------------------------------------------- */

static int check_init(struct check *check, struct checker *checker,
    const struct check_request *request)
{
	int err = 0;

	br_assert(!request->health != !request->agent);
	check->owner = (struct op_owner){
	    .magic = CHECK_MAGIC,
	    .class = &check_class,
	};
	timer_init(&check->timeout, check_on_timeout);
	list_node_init(&check->work);
	check->checker = checker;
	check->state = CHECK_CONNECTING;
	check->greeting = request->greeting;
	check->to = request->to;
	check->uses_tls = false;
	if (request->agent) {
		check->timeout_ms = request->agent->timeout_ms;
		talk_init_agent(&check->talk, request->agent);
	} else {
		check->timeout_ms = request->health->timeout_ms;
		err = talk_init_check(
		    &check->talk, request->health, &request->to, request->name);
	}
	return err;
}

/* The last that may fail, so that nobody has to undo it. */
static int check_init_tls(
    struct check *check, const struct check_request *request)
{
	int err;

	if (!request->tls)
		return 0;
	err = check_tls_init(&check->tls, request->tls, &request->peer);
	check->uses_tls = err == 0;
	return err;
}

static int check_open(struct check *check, const struct addr *source)
{
	static const struct addr none;
	int fd, err;

	/* An address to leave from means nothing to a unix socket. */
	fd = sock_stream(&check->to, addr_is_unix(&check->to) ? &none : source);
	if (fd < 0)
		return fd;
	check->fd = fd;
	/* Set before there is a connection, so that no way out forgets it. */
	err = sock_set_reset_on_close(fd);
	if (err)
		sock_close(fd);
	return err;
}

int check_start(struct checker *checker, const struct check_request *request,
    void *target, struct mono now, struct check **ret)
{
	struct check *check = slab_new(&checker->slab);
	int err;

	if (!check)
		return BR_E_LIMIT;
	check->target = target;
	err = check_init(check, checker, request);
	if (!err)
		err = check_open(check, &request->source);
	if (!err) {
		err = check_init_tls(check, request);
		if (err)
			sock_close(check->fd);
	}
	if (err) {
		check->owner.magic = 0;
		slab_free(&checker->slab, check);
		return err;
	}
	checker->in_flight++;
	timer_arm(checker->wheel, &check->timeout,
	    mono_add_ms(now, (int64_t)check->timeout_ms));
	ring_connect(checker->ring, &check->owner, CHECK_CONNECTING, check->fd,
	    &check->to.sa, check->to.length);
	*ret = check;
	return 0;
}
