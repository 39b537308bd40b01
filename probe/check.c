/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "io/sock.h"
#include "probe/http_status.h"

#define CHECK_MAGIC 0x43484b21u /* "CHK!" */
#define EXCERPT_BYTES 24

enum check_state {
	CHECK_CONNECTING, /* in flight: connect */
	CHECK_SENDING, /* in flight: send */
	CHECK_READING, /* in flight: receive */
	CHECK_ENDED, /* in flight: one of them, cancelled, or none */
};

/* What a check was doing when its time was up. */
static const char *const state_doing[] = {
    [CHECK_CONNECTING] = "connecting",
    [CHECK_SENDING] = "sending the request",
    [CHECK_READING] = "waiting for the status line",
};

struct check {
	struct op_owner owner;
	struct timer timeout;
	struct checker *checker;
	void *target;
	enum check_state state;
	int fd;
	uint64_t timeout_ms;
	enum conf_health_type type;
	uint32_t n_status;
	uint16_t status_low[CONF_STATUS_RANGES_MAX];
	uint16_t status_high[CONF_STATUS_RANGES_MAX];
	struct addr to;
	/* First the request, then, from the start, what is received. */
	uint32_t bytes_used;
	char bytes[CHECK_BYTES_MAX];
} __attribute__((aligned(OP_OWNER_ALIGN)));

static void check_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result);

static const struct op_class check_class = {
    .magic = CHECK_MAGIC,
    .name = "health check",
    .on_complete = check_on_complete,
};

int checker_init(struct checker *checker, uint32_t checks_max)
{
	checker->in_flight = 0;
	return slab_init(
	    &checker->slab, "health checks", sizeof(struct check), checks_max);
}

void checker_fini(struct checker *checker)
{
	br_assert(checker->in_flight == 0);
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

static void check_on_timeout(struct timer *timer, struct mono now)
{
	struct check *check = br_container_of(timer, struct check, timeout);

	(void)now;
	br_assert(check->owner.magic == CHECK_MAGIC);
	br_assert(check->state != CHECK_ENDED);
	check_end(check, -ETIMEDOUT, "timeout after %llu ms while %s",
	    (unsigned long long)check->timeout_ms, state_doing[check->state]);
}

/* -- http -------------------------------------------------------------- */

static bool status_is_wanted(const struct check *check, int status)
{
	for (uint32_t i = 0; i < check->n_status; i++) {
		if (status >= check->status_low[i] &&
		    status <= check->status_high[i])
			return true;
	}
	return false;
}

/* "not HTTP" with the first bytes as far as they can be printed. */
static void check_end_not_http(struct check *check)
{
	char excerpt[EXCERPT_BYTES + 1];
	uint32_t length = check->bytes_used;

	if (length > EXCERPT_BYTES)
		length = EXCERPT_BYTES;
	for (uint32_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)check->bytes[i];

		excerpt[i] = byte >= 0x20 && byte < 0x7f && byte != '"'
				 ? (char)byte
				 : '.';
	}
	excerpt[length] = '\0';
	check_end(check, BR_E_PROTOCOL, "not HTTP: \"%s\"", excerpt);
}

static void check_receive(struct check *check)
{
	ring_recv_into(check->checker->ring, &check->owner, CHECK_READING,
	    check->fd, check->bytes + check->bytes_used,
	    CHECK_BYTES_MAX - check->bytes_used);
}

static void check_on_received(struct check *check, int received)
{
	int status;

	if (received < 0) {
		check_end(
		    check, received, "receive: %s", br_strerror(received));
		return;
	}
	if (received == 0) {
		check_end(check, BR_E_CLOSED,
		    check->bytes_used ? "closed within the status line"
				      : "closed without an answer");
		return;
	}
	check->bytes_used += (uint32_t)received;
	status = http_status_parse(check->bytes, check->bytes_used);
	if (status < 0)
		check_end_not_http(check);
	else if (status != HTTP_STATUS_PARTIAL)
		check_end(check,
		    status_is_wanted(check, status) ? 0 : BR_E_STATUS,
		    "status %d", status);
	else if (check->bytes_used == CHECK_BYTES_MAX)
		check_end(check, BR_E_PROTOCOL,
		    "not HTTP: no status line within %d bytes",
		    CHECK_BYTES_MAX);
	else
		check_receive(check);
}

static void check_on_sent(struct check *check, int sent)
{
	if (sent < 0) {
		check_end(check, sent, "send: %s", br_strerror(sent));
		return;
	}
	if ((uint32_t)sent < check->bytes_used) {
		check_end(check, BR_E_CLOSED, "send: the request was cut off");
		return;
	}
	check->state = CHECK_READING;
	check->bytes_used = 0;
	check_receive(check);
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
	if (check->type == CONF_HEALTH_TCP) {
		check_end(check, 0, "connected");
		return;
	}
	check->state = CHECK_SENDING;
	ring_send_wait(check->checker->ring, &check->owner, CHECK_SENDING,
	    check->fd, check->bytes, check->bytes_used);
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
	case CHECK_SENDING:
		check_on_sent(check, result.res);
		break;
	case CHECK_READING:
		check_on_received(check, result.res);
		break;
	case CHECK_ENDED:
		break;
	}
}

/* -- the start --------------------------------------------------------- */

static int check_compose(
    struct check *check, const struct check_request *request)
{
	const struct conf_health *health = request->health;
	char address[ADDR_TEXT_MAX];
	const char *host = health->host;
	int length;

	if (!host && addr_is_unix(&request->to)) {
		host = "localhost";
	} else if (!host) {
		addr_format(&request->to, address);
		host = address;
	}
	length = snprintf(check->bytes, sizeof(check->bytes),
	    "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: braid-check\r\n"
	    "Connection: close\r\nAccept: */*\r\n\r\n",
	    health->path ? health->path : "/", host);
	if (length < 0 || (size_t)length >= sizeof(check->bytes))
		return -EMSGSIZE;
	check->bytes_used = (uint32_t)length;
	return 0;
}

static int check_init(struct check *check, struct checker *checker,
    const struct check_request *request)
{
	const struct conf_health *health = request->health;

	br_assert(health->type != CONF_HEALTH_NONE);
	check->owner = (struct op_owner){
	    .magic = CHECK_MAGIC,
	    .class = &check_class,
	};
	timer_init(&check->timeout, check_on_timeout);
	check->checker = checker;
	check->state = CHECK_CONNECTING;
	check->timeout_ms = health->timeout_ms;
	check->type = health->type;
	check->to = request->to;
	check->bytes_used = 0;
	check->n_status = health->n_status;
	br_assert(check->n_status <= CONF_STATUS_RANGES_MAX);
	for (uint32_t i = 0; i < check->n_status; i++) {
		check->status_low[i] = health->status[i].low;
		check->status_high[i] = health->status[i].high;
	}
	if (health->type == CONF_HEALTH_HTTP)
		return check_compose(check, request);
	return 0;
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
