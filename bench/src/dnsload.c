/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load of the DNS rows: so many queries in flight over several sockets,
 * the next when one is answered (or at a fixed rate); over TCP they are
 * pipelined. Each answer is checked against what was asked. It differs from
 * dnsperf in that the client subnet changes from query to query, and in that
 * it counts where the answers lead.
 *
 * usage: dnsload udp|tcp ADDRESS PORT SECONDS WARMUP NAMES [key=value ...]
 *      sockets=8 window=200 rate=0   in flight over all; queries a second
 *      segments=0                    queries of a socket that go at once and
 *                                    have one length are one message, cut by
 *                                    the kernel (UDP_SEGMENT): the load takes
 *                                    a third of the CPU, the server gets the
 *                                    same datagrams
 *      ecs=0 ecs_base=10.0.0.0 ecs_count=65536 ecs_random=0
 *      edns=0 cookie=0 dnssec=0      OPT, a client cookie, DO
 *      count=0                       ends after so many queries (warmup 0)
 *      rcode=0                       what answers must have
 *      targets=0                     counts CNAME targets and addresses
 *      map=FILE                      with count: a byte for each query, in
 *                                    order: the number of its target
 *      timeout_ms=1000 seed=1
 * NAMES is a file of lines "NAME TYPE". Prints one line of JSON.
 *
 * What was sent in the warm-up counts for nothing. A query that is not answered
 * in time is lost, and its answer afterwards is late, not good.
 */
#include "bench/src/dns_query.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	SOCKETS_MAX = 256,
	SLOTS_MAX = 4096, /* of a socket; power of two */
	BATCH = 64,
	DATAGRAM_BYTES = 4160,
	STREAM_BYTES = 1 << 18,
	SUB_BITS = 5, /* a bucket of times is 3 % wide */
	BUCKETS = 40 << SUB_BITS,
	TARGETS_MAX = 4096,
};

/* One query in flight; the ID is its number and how often that was used. */
struct slot {
	uint64_t sent_ns; /* 0: free */
	uint64_t number; /* of all */
	uint32_t query;
	uint16_t id;
};

struct connection {
	int fd;
	uint32_t n_slots, n_free;
	struct slot *slots;
	uint32_t *free_slots;
	/* TCP */
	uint8_t *in, *out;
	size_t in_length, out_at, out_length;
};

struct target {
	char text[DNS_TARGET_MAX];
	uint64_t n;
	uint32_t number; /* in the order they were first seen */
};

static struct {
	bool tcp;
	struct sockaddr_in server;
	uint32_t n_sockets, window;
	double rate;
	uint64_t seconds_ns, warmup_ns, timeout_ns, count;
	unsigned rcode;
	bool targets, segments;
	const char *map_path;
	struct dns_query_options query;
} options = {.n_sockets = 8,
    .window = 200,
    .timeout_ns = 1000000000,
    .query = {.ecs_base = 0x0a000000, .ecs_count = 65536, .seed = 1}};

static struct {
	uint64_t queries, answers, lost, late, bad, wrong_rcode, truncated,
	    empty, records, reconnects, send_full;
	uint64_t rcodes[16];
	uint64_t times[BUCKETS];
} total;

static struct dns_queries *queries;
static struct connection connections[SOCKETS_MAX];
static struct target targets[TARGETS_MAX];
static uint32_t n_targets;
static uint8_t *map; /* of queries: which target; 0: none */
static uint64_t sent_all, counted_from_ns, sending_until_ns;

static void die(const char *what)
{
	fprintf(stderr, "dnsload: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* -- what is counted --------------------------------------------------- */

static uint32_t bucket_of(uint64_t ns)
{
	uint32_t octave;

	if (ns < 1 << SUB_BITS)
		return (uint32_t)ns;
	octave = 63 - (uint32_t)__builtin_clzll(ns) - SUB_BITS;
	return (octave + 1) << SUB_BITS |
	       (uint32_t)(ns >> octave & ((1 << SUB_BITS) - 1));
}

static double bucket_us(uint32_t bucket)
{
	uint32_t octave = bucket >> SUB_BITS,
		 sub = bucket & ((1 << SUB_BITS) - 1);
	double ns = octave ? (double)(UINT64_C(1) << (octave - 1)) *
				 ((1 << SUB_BITS) + sub + 0.5)
			   : sub;

	return ns / 1000;
}

static double quantile_us(double share)
{
	uint64_t n = 0, all = 0;

	for (uint32_t i = 0; i < BUCKETS; i++)
		all += total.times[i];
	for (uint32_t i = 0; i < BUCKETS; i++) {
		n += total.times[i];
		if (n && (double)n >= share * (double)all)
			return bucket_us(i);
	}
	return 0;
}

static void count_target(const uint8_t *answer, size_t length, uint64_t number)
{
	char text[DNS_TARGET_MAX];
	uint64_t hash = 1469598103934665603u;
	uint32_t at;

	if (!dns_answer_target(answer, length, text))
		return;
	for (const char *c = text; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 1099511628211u;
	for (at = (uint32_t)hash % TARGETS_MAX; targets[at].n;
	     at = (at + 1) % TARGETS_MAX)
		if (!strcmp(targets[at].text, text))
			break;
	if (!targets[at].n)
		targets[at].number = ++n_targets;
	memcpy(targets[at].text, text, sizeof text);
	targets[at].n++;
	if (map)
		map[number] = (uint8_t)targets[at].number;
}

static void count_answer(const struct slot *slot, uint64_t took_ns,
    const struct dns_answer *got, const uint8_t *answer, size_t length)
{
	uint32_t bucket = bucket_of(took_ns);

	total.answers++;
	total.times[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
	total.rcodes[got->rcode]++;
	total.wrong_rcode += got->rcode != options.rcode;
	total.truncated += got->truncated;
	total.records += got->answers;
	total.empty += !got->answers;
	if (options.targets)
		count_target(answer, length, slot->number);
}

static void on_answer(
    struct connection *c, const uint8_t *answer, size_t length, uint64_t now)
{
	struct dns_answer got;
	struct slot *slot;
	uint16_t id;

	if (length < DNS_HEADER) {
		total.bad++;
		return;
	}
	id = (uint16_t)(answer[0] << 8 | answer[1]);
	slot = &c->slots[(id & (SLOTS_MAX - 1)) % c->n_slots];
	if (!slot->sent_ns || slot->id != id) {
		total.late++;
		return;
	}
	if (dns_queries_check(queries, slot->query, answer, length, &got) ==
	    DNS_BAD)
		total.bad++;
	else if (slot->sent_ns >= counted_from_ns)
		count_answer(slot, now - slot->sent_ns, &got, answer, length);
	slot->sent_ns = 0;
	c->free_slots[c->n_free++] = (uint32_t)(slot - c->slots);
}

/* -- sending ----------------------------------------------------------- */

/* 0: nothing is to be sent. */
static size_t next_query(struct connection *c, uint8_t *out, uint64_t due)
{
	struct slot *slot;
	uint32_t at;

	if (!c->n_free || (options.count && sent_all == options.count))
		return 0;
	at = c->free_slots[--c->n_free];
	slot = &c->slots[at];
	/* The number below, the use above. */
	slot->id = (uint16_t)((slot->id / SLOTS_MAX + 1u) * SLOTS_MAX + at);
	slot->sent_ns = due;
	slot->number = sent_all++;
	total.queries += due >= counted_from_ns;
	return dns_queries_next(queries, slot->id, out, &slot->query);
}

/* One call's queries. */
struct sending {
	uint8_t bytes[BATCH][DNS_QUERY_MAX];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(uint16_t))];
	} sizes[BATCH];
};

static void add_message(struct sending *s, uint32_t at, struct iovec *part)
{
	struct msghdr *head = &s->messages[at].msg_hdr;
	struct cmsghdr *size = &s->sizes[at].align;

	*head = (struct msghdr){.msg_iov = part, .msg_iovlen = 1};
	if (!options.segments)
		return;
	head->msg_control = size;
	head->msg_controllen = sizeof s->sizes[at];
	*size = (struct cmsghdr){.cmsg_level = IPPROTO_UDP,
	    .cmsg_type = UDP_SEGMENT,
	    .cmsg_len = CMSG_LEN(sizeof(uint16_t))};
	*(uint16_t *)(void *)CMSG_DATA(size) = (uint16_t)part->iov_len;
}

/* How many messages. */
static uint32_t add_parts(struct sending *s, uint32_t n)
{
	uint32_t messages = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (options.segments && i &&
		    s->parts[i].iov_len == s->parts[i - 1].iov_len)
			s->messages[messages - 1].msg_hdr.msg_iovlen++;
		else
			add_message(s, messages++, &s->parts[i]);
	}
	return messages;
}

static uint32_t send_udp(struct connection *c, uint32_t most, uint64_t due)
{
	static struct sending s;
	uint32_t n = 0, messages;

	while (n < BATCH && n < most) {
		size_t length = next_query(c, s.bytes[n], due);

		if (!length)
			break;
		s.parts[n] = (struct iovec){s.bytes[n], length};
		n++;
	}
	messages = add_parts(&s, n);
	for (uint32_t at = 0; at < messages;) {
		int sent = sendmmsg(c->fd, s.messages + at, messages - at, 0);

		/* ICMP said that nobody listens: it shows as lost. */
		if (sent < 0 && errno != EINTR && errno != ECONNREFUSED) {
			total.send_full += messages - at;
			break;
		}
		at += sent > 0 ? (uint32_t)sent : 0;
	}
	return n;
}

static void flush_tcp(struct connection *c)
{
	while (c->out_at < c->out_length) {
		ssize_t n = send(c->fd, c->out + c->out_at,
		    c->out_length - c->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0)
			return; /* full, or found out by the next read */
		c->out_at += (size_t)n;
	}
	c->out_at = c->out_length = 0;
}

static uint32_t send_tcp(struct connection *c, uint32_t most, uint64_t due)
{
	uint32_t n = 0;

	while (n < most && c->out_length + DNS_QUERY_MAX + 2 <= STREAM_BYTES) {
		uint8_t *at = c->out + c->out_length;
		size_t length = next_query(c, at + 2, due);

		if (!length)
			break;
		at[0] = (uint8_t)(length >> 8);
		at[1] = (uint8_t)length;
		c->out_length += length + 2;
		n++;
	}
	flush_tcp(c);
	return n;
}

static uint32_t send_some(struct connection *c, uint32_t most, uint64_t due)
{
	return options.tcp ? send_tcp(c, most, due) : send_udp(c, most, due);
}

/* -- sockets ----------------------------------------------------------- */

static void open_socket(struct connection *c)
{
	int one = 1, room = 4 << 20;

	c->fd = socket(AF_INET,
	    (options.tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&options.server,
			     sizeof options.server))
		die("connect");
	if (options.tcp)
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	else if (setsockopt(
		     c->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room))
		(void)setsockopt(
		    c->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
}

static void open_sockets(void)
{
	uint32_t each = options.window / options.n_sockets;

	if (!each || each > SLOTS_MAX || options.n_sockets > SOCKETS_MAX) {
		errno = EINVAL;
		die("window and sockets");
	}
	for (uint32_t i = 0; i < options.n_sockets; i++) {
		struct connection *c = &connections[i];

		c->n_slots = each;
		c->slots = calloc(each, sizeof *c->slots);
		c->free_slots = calloc(each, sizeof *c->free_slots);
		if (options.tcp) {
			c->in = malloc(STREAM_BYTES);
			c->out = malloc(STREAM_BYTES);
		}
		if (!c->slots || !c->free_slots ||
		    (options.tcp && (!c->in || !c->out)))
			die("memory");
		for (uint32_t s = 0; s < each; s++)
			c->free_slots[c->n_free++] = s;
		open_socket(c);
	}
}

/* The server has closed it: what was in flight is lost. */
static void reopen(struct connection *c)
{
	total.reconnects++;
	c->n_free = 0;
	for (uint32_t s = 0; s < c->n_slots; s++) {
		total.lost += c->slots[s].sent_ns &&
			      c->slots[s].sent_ns >= counted_from_ns;
		c->slots[s].sent_ns = 0;
		c->free_slots[c->n_free++] = s;
	}
	c->in_length = c->out_at = c->out_length = 0;
	close(c->fd);
	open_socket(c);
}

static uint32_t receive_udp(struct connection *c)
{
	static uint8_t bytes[BATCH][DATAGRAM_BYTES];
	static struct iovec parts[BATCH];
	static struct mmsghdr messages[BATCH];
	uint64_t now;
	int n;

	for (int i = 0; i < BATCH && !parts[i].iov_base; i++) {
		parts[i] = (struct iovec){bytes[i], DATAGRAM_BYTES};
		messages[i].msg_hdr =
		    (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	n = recvmmsg(c->fd, messages, BATCH, MSG_DONTWAIT, NULL);
	if (n <= 0)
		return 0;
	now = now_ns();
	for (int i = 0; i < n; i++)
		on_answer(c, bytes[i], messages[i].msg_len, now);
	return (uint32_t)n;
}

static uint32_t receive_tcp(struct connection *c)
{
	ssize_t n = recv(c->fd, c->in + c->in_length,
	    STREAM_BYTES - c->in_length, MSG_DONTWAIT);
	uint64_t now = now_ns();
	uint32_t got = 0;
	size_t at = 0;

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0) {
		reopen(c);
		return 0;
	}
	c->in_length += (size_t)n;
	while (c->in_length - at >= 2) {
		size_t length = (size_t)(c->in[at] << 8 | c->in[at + 1]);

		if (c->in_length - at - 2 < length)
			break;
		on_answer(c, c->in + at + 2, length, now);
		at += 2 + length;
		got++;
	}
	memmove(c->in, c->in + at, c->in_length - at);
	c->in_length -= at;
	return got;
}

static uint32_t receive_some(struct connection *c)
{
	if (!options.tcp)
		return receive_udp(c);
	if (c->out_length)
		flush_tcp(c);
	return receive_tcp(c);
}

static void wait_for_some(uint64_t most_ns)
{
	static struct pollfd fds[SOCKETS_MAX];
	struct timespec t = {.tv_sec = (time_t)(most_ns / 1000000000),
	    .tv_nsec = (long)(most_ns % 1000000000)};

	for (uint32_t i = 0; i < options.n_sockets; i++) {
		fds[i] =
		    (struct pollfd){.fd = connections[i].fd, .events = POLLIN};
		if (connections[i].out_length)
			fds[i].events |= POLLOUT;
	}
	(void)ppoll(fds, options.n_sockets, &t, NULL);
}

/* -- the run ----------------------------------------------------------- */

/* Everything that was sent before: too old. */
static void give_up(uint64_t sent_before_ns)
{
	for (uint32_t i = 0; i < options.n_sockets; i++) {
		struct connection *c = &connections[i];

		for (uint32_t s = 0; s < c->n_slots; s++) {
			struct slot *slot = &c->slots[s];

			if (!slot->sent_ns || slot->sent_ns >= sent_before_ns)
				continue;
			total.lost += slot->sent_ns >= counted_from_ns;
			slot->sent_ns = 0;
			c->free_slots[c->n_free++] = s;
		}
	}
}

static uint32_t in_flight(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < options.n_sockets; i++)
		n += connections[i].n_slots - connections[i].n_free;
	return n;
}

/* The queries that are due by now, one socket after the other. Their time
 * counts from when they were due: a server that makes the load wait is not to
 * gain by it. Returns how long until the next. */
static uint64_t send_due(uint64_t start, uint64_t now)
{
	static uint32_t turn;
	double each_ns = 1e9 / options.rate;
	uint64_t due = (uint64_t)((double)(now - start) / each_ns);

	for (uint32_t full = 0; sent_all <= due && full < options.n_sockets;) {
		struct connection *c = &connections[turn++ % options.n_sockets];
		uint64_t at = start + (uint64_t)((double)sent_all * each_ns);

		full = send_some(c, 1, at) ? 0 : full + 1;
	}
	due = start + (uint64_t)((double)sent_all * each_ns);
	return due > now ? due - now : 0;
}

static void turn_of(struct connection *c, bool sending, uint32_t *idle)
{
	uint32_t got = receive_some(c);

	if (sending && options.rate == 0)
		got += send_some(c, c->n_free, now_ns());
	*idle += !got;
}

static bool is_sending(uint64_t now)
{
	return now < sending_until_ns &&
	       !(options.count && sent_all == options.count);
}

static void run(void)
{
	uint64_t start = now_ns(), now = start, looked = start, end;

	counted_from_ns = start + options.warmup_ns;
	sending_until_ns = counted_from_ns + options.seconds_ns;
	while (is_sending(now)) {
		uint64_t wait = 1000000;
		uint32_t idle = 0;

		if (options.rate > 0)
			wait = send_due(start, now);
		for (uint32_t i = 0; i < options.n_sockets; i++)
			turn_of(&connections[i], true, &idle);
		if (idle == options.n_sockets && wait)
			wait_for_some(wait);
		now = now_ns();
		if (now - looked > 50000000) {
			looked = now;
			give_up(now - options.timeout_ns);
		}
	}
	sending_until_ns = now;
	end = now + options.timeout_ns;
	while (in_flight() && now_ns() < end) {
		uint32_t idle = 0;

		for (uint32_t i = 0; i < options.n_sockets; i++)
			turn_of(&connections[i], false, &idle);
		if (idle == options.n_sockets)
			wait_for_some(1000000);
	}
	give_up(UINT64_MAX);
}

static void report(void)
{
	double seconds = (double)(sending_until_ns - counted_from_ns) / 1e9;
	const char *comma = "";

	printf("{\"seconds\": %.3f, \"queries\": %lu, \"answers\": %lu, "
	       "\"lost\": %lu, \"late\": %lu, \"bad\": %lu, "
	       "\"wrong_rcode\": %lu, \"truncated\": %lu, \"empty\": %lu, "
	       "\"records\": %lu, \"reconnects\": %lu, \"send_full\": %lu, "
	       "\"all\": %lu, \"per_s\": %.0f, \"p50_us\": %.1f, "
	       "\"p99_us\": %.1f, \"rcodes\": {",
	    seconds, total.queries, total.answers, total.lost, total.late,
	    total.bad, total.wrong_rcode, total.truncated, total.empty,
	    total.records, total.reconnects, total.send_full, sent_all,
	    (double)total.answers / seconds, quantile_us(0.5),
	    quantile_us(0.99));
	for (int i = 0; i < 16; i++)
		if (total.rcodes[i]) {
			printf("%s\"%d\": %lu", comma, i, total.rcodes[i]);
			comma = ", ";
		}
	printf("}, \"targets\": {");
	comma = "";
	for (uint32_t i = 0; i < TARGETS_MAX; i++)
		if (targets[i].n) {
			printf("%s\"%s\": [%u, %lu]", comma, targets[i].text,
			    targets[i].number, targets[i].n);
			comma = ", ";
		}
	printf("}}\n");
}

/* -- arguments --------------------------------------------------------- */

static bool set_option(const char *key, const char *value)
{
	double number = atof(value);
	struct in_addr base;

	if (!strcmp(key, "sockets"))
		options.n_sockets = (uint32_t)number;
	else if (!strcmp(key, "window"))
		options.window = (uint32_t)number;
	else if (!strcmp(key, "rate"))
		options.rate = number;
	else if (!strcmp(key, "count"))
		options.count = (uint64_t)number;
	else if (!strcmp(key, "rcode"))
		options.rcode = (unsigned)number;
	else if (!strcmp(key, "segments"))
		options.segments = number != 0;
	else if (!strcmp(key, "targets"))
		options.targets = number != 0;
	else if (!strcmp(key, "map"))
		options.map_path = value;
	else if (!strcmp(key, "timeout_ms"))
		options.timeout_ns = (uint64_t)(number * 1e6);
	else if (!strcmp(key, "seed"))
		options.query.seed = (uint64_t)number;
	else if (!strcmp(key, "edns"))
		options.query.edns = number != 0;
	else if (!strcmp(key, "cookie"))
		options.query.cookie = number != 0;
	else if (!strcmp(key, "dnssec"))
		options.query.dnssec = number != 0;
	else if (!strcmp(key, "ecs"))
		options.query.ecs_bits = (int)number;
	else if (!strcmp(key, "ecs_count"))
		options.query.ecs_count = (uint32_t)number;
	else if (!strcmp(key, "ecs_random"))
		options.query.ecs_random = number != 0;
	else if (!strcmp(key, "ecs_base") &&
		 inet_pton(AF_INET, value, &base) == 1)
		options.query.ecs_base = ntohl(base.s_addr);
	else
		return false;
	return true;
}

static void usage(void)
{
	fprintf(stderr, "usage: dnsload udp|tcp ADDRESS PORT SECONDS WARMUP "
			"NAMES [key=value ...]\n");
	exit(64);
}

static void parse(int argc, char **argv)
{
	if (argc < 7 || (strcmp(argv[1], "udp") && strcmp(argv[1], "tcp")))
		usage();
	options.tcp = argv[1][0] == 't';
	options.server = (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[3]))};
	if (inet_pton(AF_INET, argv[2], &options.server.sin_addr) != 1)
		usage();
	options.seconds_ns = (uint64_t)(atof(argv[4]) * 1e9);
	options.warmup_ns = (uint64_t)(atof(argv[5]) * 1e9);
	options.query.names_path = argv[6];
	for (int i = 7; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (!value)
			usage();
		*value++ = '\0';
		if (!set_option(argv[i], value))
			usage();
	}
	options.targets |= options.map_path != NULL;
	if (options.map_path && !options.count)
		usage();
	if (options.query.ecs_bits < 0 || options.query.ecs_bits > 32 ||
	    !options.query.ecs_count)
		usage();
}

static void write_map(void)
{
	FILE *f = fopen(options.map_path, "w");

	if (!f || fwrite(map, 1, options.count, f) != options.count ||
	    fclose(f))
		die(options.map_path);
}

int main(int argc, char **argv)
{
	parse(argc, argv);
	if (options.map_path && !(map = calloc(options.count, 1)))
		die("memory");
	/* A timer is due when it is due, not up to 50 us later. */
	(void)prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	queries = dns_queries_read(&options.query);
	open_sockets();
	run();
	if (map)
		write_map();
	report();
	return 0;
}
