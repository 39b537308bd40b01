/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/1.1 load generator for latency. Debian's wrk sends the next request
 * when the last answer has come, so a proxy that stalls is asked less and its
 * stall is hardly seen. Here request i is due at start + i/rate whatever the
 * proxy does, and its latency counts from that moment (an open loop). With
 * rate 0 it is a closed loop, for the latency of one connection and for
 * finding a proxy's capacity.
 *
 * One connection carries one request at a time; a due request takes the
 * connection that has been idle longest, or waits for one.
 *
 * With ORIGIN_PORT it is the origin too, in the same thread. Two processes on
 * one core wait for each other's time slices, and at half load that is all a
 * p99 would show: direct 780 us as two processes, 20 us as one.
 *
 * usage: pacer ADDRESS PORT CONNECTIONS RATE SECONDS WARMUP_SECONDS
 *             [ORIGIN_PORT]
 * Prints one line of JSON; latencies in microseconds, without the warm-up.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/src/answer.h"

enum {
	CONNS_MAX = 4096,
	EVENTS_MAX = 256,
	ANSWER_MAX = 4096,
	SAMPLES_MAX = 8000000,
};

/* How long answers may still come after the last request was sent. */
#define TAIL_NS (2 * 1000000000ULL)

struct conn {
	int fd; /* -1 after an error */
	bool busy;
	uint64_t due_ns;
	size_t have;
	size_t want; /* of the answer in bytes, 0 while its head comes */
	char answer[ANSWER_MAX];
};

struct load {
	int epoll;
	double rate; /* requests per second, 0 closed loop */
	uint64_t start_ns, record_ns, end_ns;
	uint64_t sent, done, errors;
	struct conn *conns;
	uint32_t conn_count, alive;
	/* Idle connections, first in first out. */
	uint32_t idle[CONNS_MAX];
	uint32_t idle_head, idle_count;
	uint32_t *samples_ns;
	size_t sample_count;
};

static const char request[] = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void idle_push(struct load *l, uint32_t index)
{
	l->idle[(l->idle_head + l->idle_count++) % CONNS_MAX] = index;
}

static struct conn *idle_pop(struct load *l)
{
	uint32_t index = l->idle[l->idle_head];

	l->idle_head = (l->idle_head + 1) % CONNS_MAX;
	l->idle_count--;
	return &l->conns[index];
}

static void conn_fail(struct load *l, struct conn *c)
{
	l->errors++;
	l->alive--;
	close(c->fd);
	c->fd = -1;
}

static void conn_send(struct load *l, struct conn *c, uint64_t due_ns)
{
	ssize_t n;

	c->busy = true;
	c->due_ns = due_ns;
	c->have = 0;
	c->want = 0;
	l->sent++;
	n = send(c->fd, request, sizeof(request) - 1, MSG_NOSIGNAL);
	if (n != (ssize_t)sizeof(request) - 1)
		conn_fail(l, c);
}

/* Size of the whole answer once its head is here; 0 not yet, -1 not HTTP. */
static ssize_t answer_size(const struct conn *c)
{
	static const char key[] = "Content-Length:";
	const char *end = memmem(c->answer, c->have, "\r\n\r\n", 4);
	const char *at;
	long body;

	if (!end)
		return c->have == ANSWER_MAX ? -1 : 0;
	at = memmem(c->answer, (size_t)(end - c->answer), key, sizeof(key) - 1);
	if (!at || memcmp(c->answer, "HTTP/1.1 200", 12) != 0)
		return -1;
	body = strtol(at + sizeof(key) - 1, NULL, 10);
	if (body < 0 || body > ANSWER_MAX)
		return -1;
	return end + 4 - c->answer + body;
}

static void record(struct load *l, const struct conn *c)
{
	uint64_t ns = now_ns() - c->due_ns;

	l->done++;
	if (c->due_ns < l->record_ns || l->sample_count == SAMPLES_MAX)
		return;
	l->samples_ns[l->sample_count++] =
	    ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
}

static void on_readable(struct load *l, struct conn *c)
{
	ssize_t n = read(c->fd, c->answer + c->have, ANSWER_MAX - c->have);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || !c->busy) {
		conn_fail(l, c);
		return;
	}
	c->have += (size_t)n;
	if (!c->want) {
		ssize_t size = answer_size(c);

		if (size < 0) {
			conn_fail(l, c);
			return;
		}
		c->want = (size_t)size;
	}
	if (!c->want || c->have < c->want)
		return;
	record(l, c);
	c->busy = false;
	idle_push(l, (uint32_t)(c - l->conns));
}

/* When request number `i` is due. */
static uint64_t due_at(const struct load *l, uint64_t i)
{
	return l->start_ns + (uint64_t)((double)i * 1e9 / l->rate);
}

/* Sends what is due; returns the time of the next one to wait for. */
static uint64_t send_due(struct load *l)
{
	for (;;) {
		uint64_t now = now_ns();
		uint64_t due = l->rate > 0 ? due_at(l, l->sent) : now;

		if (due >= l->end_ns)
			return UINT64_MAX;
		if (due > now)
			return due;
		if (!l->idle_count)
			return l->end_ns;
		conn_send(l, idle_pop(l), due);
	}
}

static bool finished(const struct load *l, uint64_t next_ns)
{
	bool all_sent = next_ns == UINT64_MAX;

	if (!l->alive || (all_sent && l->done + l->errors >= l->sent))
		return true;
	return now_ns() > l->end_ns + TAIL_NS;
}

static void on_event(struct load *l, const struct epoll_event *ev)
{
	struct conn *c = ev->data.ptr;

	if (ev->data.u64 < ANSWER_FDS_MAX)
		answer_on_event(l->epoll, (int)ev->data.u64);
	else if (c->fd >= 0)
		on_readable(l, c);
}

static void run(struct load *l)
{
	struct epoll_event events[EVENTS_MAX];

	for (;;) {
		uint64_t next_ns = send_due(l);
		int n;

		if (finished(l, next_ns))
			return;
		/*
		 * The open loop never sleeps: a timer for each request costs
		 * more than the request, and fires late.
		 */
		n = epoll_wait(
		    l->epoll, events, EVENTS_MAX, l->rate > 0 ? 0 : 10);
		for (int i = 0; i < n; i++)
			on_event(l, &events[i]);
	}
}

static int connect_all(struct load *l, const struct sockaddr_in *to)
{
	for (uint32_t i = 0; i < l->conn_count; i++) {
		struct conn *c = &l->conns[i];
		struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
		int one = 1;

		c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (c->fd < 0 ||
		    connect(c->fd, (const struct sockaddr *)to, sizeof(*to)))
			return -errno;
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev))
			return -errno;
		l->alive++;
		idle_push(l, i);
	}
	return 0;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double quantile_us(const struct load *l, double q)
{
	size_t last = l->sample_count ? l->sample_count - 1 : 0;

	if (!l->sample_count)
		return -1;
	return l->samples_ns[(size_t)((double)last * q + 0.5)] / 1e3;
}

static void report(struct load *l, double seconds)
{
	qsort(l->samples_ns, l->sample_count, sizeof(uint32_t), by_value);
	printf("{\"sent\": %lu, \"done\": %lu, \"errors\": %lu, "
	       "\"per_second\": %.1f, \"samples\": %zu, \"p50_us\": %.2f, "
	       "\"p90_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": %.2f, "
	       "\"max_us\": %.2f}\n",
	    l->sent, l->done, l->errors, (double)l->done / seconds,
	    l->sample_count, quantile_us(l, 0.5), quantile_us(l, 0.9),
	    quantile_us(l, 0.99), quantile_us(l, 0.999), quantile_us(l, 1));
}

int main(int argc, char **argv)
{
	static struct load l;
	struct sockaddr_in to = {.sin_family = AF_INET};
	double seconds, warmup;
	int err = 0;

	if (argc < 7 || argc > 8 ||
	    inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: pacer ADDRESS PORT CONNECTIONS RATE "
				"SECONDS WARMUP_SECONDS [ORIGIN_PORT]\n");
		return 64;
	}
	to.sin_port = htons((unsigned short)atoi(argv[2]));
	l.conn_count = (uint32_t)atoi(argv[3]);
	l.rate = atof(argv[4]);
	seconds = atof(argv[5]);
	warmup = atof(argv[6]);
	if (!l.conn_count || l.conn_count > CONNS_MAX || seconds <= 0)
		return 64;
	l.conns = calloc(l.conn_count, sizeof(*l.conns));
	l.samples_ns = malloc(SAMPLES_MAX * sizeof(uint32_t));
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!l.conns || !l.samples_ns || l.epoll < 0)
		return 69;
	if (argc == 8)
		err = answer_open(
		    l.epoll, htonl(INADDR_LOOPBACK), (uint16_t)atoi(argv[7]));
	if (!err)
		err = connect_all(&l, &to);
	if (err) {
		fprintf(stderr, "pacer: %s\n", strerror(-err));
		return 69;
	}
	l.start_ns = now_ns();
	l.record_ns = l.start_ns + (uint64_t)(warmup * 1e9);
	l.end_ns = l.record_ns + (uint64_t)(seconds * 1e9);
	run(&l);
	report(&l, seconds + warmup);
	return l.errors ? 1 : 0;
}
