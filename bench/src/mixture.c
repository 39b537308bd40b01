/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mixture of flows, both ends of them in one process on the load's core:
 *
 *      echo thread:  clients ──64 bytes, each period──> proxy ──> echo origin
 *      bulk thread:  clients <═══ downloads, files, streams ═══ proxy <═══
 *                                                             origin
 *
 * Downloads take all they can get. Files of four sizes are asked
 * for at a constant rate, each on a connection of its own; streams get 32 KiB
 * each 40 ms. The answers are HTTP/1.1, those of files with their length.
 *
 * The bulk thread copies nothing (sendfile(2) of memory, receives with
 * MSG_TRUNC), and its origin may be a unix socket, which spares it the half of
 * TCP: so two cores are enough for a proxy that is busier than its load. The
 * echo thread goes before it (SCHED_FIFO, when started so; the bulk thread
 * leaves that class), so what an echo waits for is the proxy's doing and not
 * this core's queue. Its latency counts from when the key was due.
 *
 * usage: mixture ECHO_PORT ECHO_ORIGIN BULK_PORT BULK_ORIGIN SECONDS WARMUP
 *                [echoes=N] [period_ms=N] [downloads=N] [streams=N]
 *                [files=N a second]
 * BULK_ORIGIN is a port or the path of a unix socket. Prints one line of JSON.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	FLOWS_MAX = 1024,
	EVENTS_MAX = 64,
	KEY_BYTES = 64,
	SAMPLES_MAX = 4000000,
	MEMORY_BYTES = 1 << 20,
	HEAD_MAX = 256,
	STREAM_BYTES = 32 << 10,
	STREAM_MS = 40,
	TAIL_MS = 2000, /* files that were asked for may still come */
	/* Of one call: the echo thread may have to wait for it. */
	CHUNK_BYTES = 64 << 10,
};

enum role {
	LISTENER,
	ECHO_CLIENT,
	ECHO_ORIGIN,
	ASKED, /* the origin's end before it knows for what */
	SENDER,
	RECEIVER,
	STREAM,
};

static const uint64_t file_bytes[] = {64 << 10, 256 << 10, 1 << 20, 4 << 20};

struct end {
	enum role role;
	int fd;
	uint64_t due_ns; /* of the key under way or the next one; of a stream */
	uint32_t have; /* of a key's echo */
	bool waits; /* for an echo */
	uint64_t left; /* bytes of a file; UINT64_MAX: no end */
	struct end *next_free;
};

struct load {
	int epoll;
	bool echo;
	struct end listener, ends[4 * FLOWS_MAX], *free;
	uint32_t n_ends, n_clients, n_streams;
	struct end *streams[FLOWS_MAX];
	uint64_t files_begun, files_done;
};

static struct {
	uint64_t start_ns, record_ns, end_ns, period_ns;
	uint16_t echo_port, echo_origin, bulk_port;
	const char *bulk_origin;
	uint32_t echoes, downloads, streams;
	double files;
	int memory;
	uint32_t *samples_ns;
	size_t n_samples;
	uint64_t bytes, errors, late; /* late: keys due before the last echo */
} all;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "mixture: %s: %s\n", what, strerror(errno));
	exit(69);
}

static struct end *end_new(struct load *l)
{
	struct end *end = l->free;

	if (end)
		l->free = end->next_free;
	else if (l->n_ends < sizeof l->ends / sizeof l->ends[0])
		end = &l->ends[l->n_ends++];
	else
		die("too many flows");
	return end;
}

static struct end *end_add(struct load *l, enum role role, int fd)
{
	struct end *end = role == LISTENER ? &l->listener : end_new(l);
	struct epoll_event ev = {
	    .events = role == SENDER ? EPOLLOUT : EPOLLIN, .data.ptr = end};
	int one = 1;

	*end = (struct end){.role = role, .fd = fd, .left = UINT64_MAX};
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev))
		die("epoll");
	return end;
}

/* Nothing of it may be among the events of this turn any more. */
static void end_close(struct load *l, struct end *end)
{
	close(end->fd);
	end->fd = -1;
	end->next_free = l->free;
	l->free = end;
}

static struct sockaddr_in loopback(uint16_t port)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_port = htons(port)};

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return at;
}

static void listen_at(struct load *l, uint16_t port, const char *path)
{
	struct sockaddr_in in = loopback(port);
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(path ? AF_UNIX : AF_INET,
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
	    one = 1;
	bool good;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (path) {
		(void)unlink(path);
		(void)snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
		/* Braid runs as another user. */
		good = !bind(fd, (struct sockaddr *)&un, sizeof un) &&
		       !chmod(path, 0777);
	} else {
		good = !bind(fd, (struct sockaddr *)&in, sizeof in);
	}
	if (!good || listen(fd, 512))
		die("origin");
	end_add(l, LISTENER, fd);
}

static struct end *connect_to(struct load *l, uint16_t port, enum role role)
{
	struct sockaddr_in at = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&at, sizeof at))
		die("connect");
	return end_add(l, role, fd);
}

/* -- keys -------------------------------------------------------------- */

static void key_send(struct end *end)
{
	char key[KEY_BYTES] = {0};

	end->waits = true;
	end->have = 0;
	if (send(end->fd, key, sizeof key, MSG_NOSIGNAL) != sizeof key)
		all.errors++;
}

static void key_heard(struct end *end)
{
	char bytes[4096];
	ssize_t n = recv(end->fd, bytes, sizeof bytes, 0);
	uint64_t now;

	if (n <= 0) {
		die("an interactive flow has ended");
	}
	end->have += (uint32_t)n;
	if (end->have < KEY_BYTES)
		return;
	now = now_ns();
	if (end->due_ns >= all.record_ns && all.n_samples < SAMPLES_MAX)
		all.samples_ns[all.n_samples++] = (uint32_t)(now - end->due_ns);
	end->waits = false;
	end->due_ns += all.period_ns;
	if (end->due_ns < now)
		all.late++;
}

static void key_echo(struct end *end)
{
	char bytes[4096];
	ssize_t n = recv(end->fd, bytes, sizeof bytes, 0);

	if (n > 0 && send(end->fd, bytes, (size_t)n, MSG_NOSIGNAL) != n)
		all.errors++;
	if (n <= 0) {
		close(end->fd);
		end->fd = -1;
	}
}

/* Types what is due; returns when the next one is. */
static uint64_t keys_type(struct load *l)
{
	uint64_t next = all.end_ns, now = now_ns();

	for (uint32_t i = 0; i < l->n_clients; i++) {
		struct end *end = &l->ends[i];

		if (end->waits || end->due_ns >= all.end_ns)
			continue;
		if (end->due_ns <= now)
			key_send(end);
		else if (end->due_ns < next)
			next = end->due_ns;
	}
	return next;
}

/* -- bulk -------------------------------------------------------------- */

/* The answer's head; `bytes` UINT64_MAX: its length is not told. */
static uint64_t head_text(char head[HEAD_MAX], uint64_t bytes)
{
	int n = snprintf(head, HEAD_MAX,
	    "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n");

	if (bytes != UINT64_MAX)
		n += snprintf(head + n, HEAD_MAX - (size_t)n,
		    "Content-Length: %lu\r\n", bytes);
	n += snprintf(head + n, HEAD_MAX - (size_t)n, "\r\n");
	return (uint64_t)n;
}

static struct end *ask(
    struct load *l, const char *what, uint64_t bytes, enum role role)
{
	char text[HEAD_MAX];
	struct end *end = connect_to(l, all.bulk_port, role);
	int n = snprintf(text, sizeof text,
	    "GET /%s/%lu HTTP/1.1\r\nHost: bench\r\n\r\n", what, bytes);

	if (send(end->fd, text, (size_t)n, MSG_NOSIGNAL) != n)
		die("asking");
	if (bytes != UINT64_MAX)
		end->left = bytes + head_text(text, bytes);
	return end;
}

/* "GET /WHAT/BYTES", whole: it comes in one piece here. */
static void origin_asked(struct load *l, struct end *end)
{
	char text[HEAD_MAX + 1], what[16];
	ssize_t n = recv(end->fd, text, HEAD_MAX, 0);
	struct epoll_event ev = {.data.ptr = end};

	if (n <= 0)
		die("an origin was not asked");
	text[n] = 0;
	if (sscanf(text, "GET /%15[a-z]/%lu", what, &end->left) != 2)
		die("an origin did not understand");
	end->role = *what == 's' ? STREAM : SENDER;
	n = (ssize_t)head_text(text, end->left);
	if (send(end->fd, text, (size_t)n, MSG_NOSIGNAL) != n)
		die("answering");
	ev.events = end->role == SENDER ? EPOLLOUT : EPOLLIN;
	if (epoll_ctl(l->epoll, EPOLL_CTL_MOD, end->fd, &ev))
		die("epoll");
	if (end->role == STREAM) {
		end->due_ns = now_ns();
		l->streams[l->n_streams++] = end;
	}
}

static void bulk_send(struct load *l, struct end *end)
{
	size_t most = end->left < CHUNK_BYTES ? end->left : CHUNK_BYTES;
	off_t from = 0;
	ssize_t n = sendfile(end->fd, all.memory, &from, most);

	if (n < 0 && errno != EAGAIN)
		die("bulk");
	if (n > 0 && end->left != UINT64_MAX)
		end->left -= (uint64_t)n;
	if (!end->left)
		end_close(l, end);
}

static void bulk_receive(struct load *l, struct end *end)
{
	ssize_t n = recv(end->fd, NULL, CHUNK_BYTES, MSG_TRUNC | MSG_DONTWAIT);

	if (n < 0)
		return;
	if (now_ns() >= all.record_ns)
		all.bytes += (uint64_t)n;
	if (end->left == UINT64_MAX && n > 0)
		return;
	if (!n || (uint64_t)n > end->left)
		die("a bulk flow has ended too early or late");
	end->left -= (uint64_t)n;
	if (!end->left) {
		l->files_done++;
		end_close(l, end);
	}
}

static void stream_closed(struct load *l, struct end *end)
{
	(void)l;
	(void)end;
	die("a stream has ended");
}

/* What is due of streams and files; returns when the next is. */
static uint64_t bulk_due(struct load *l)
{
	uint64_t next = all.end_ns, now = now_ns();

	for (uint32_t i = 0; i < l->n_streams; i++) {
		struct end *end = l->streams[i];
		off_t from = 0;

		if (end->due_ns <= now) {
			end->due_ns += STREAM_MS * 1000000ULL;
			if (sendfile(end->fd, all.memory, &from,
				STREAM_BYTES) != STREAM_BYTES)
				all.errors++;
		}
		if (end->due_ns < next)
			next = end->due_ns;
	}
	while (all.files > 0) {
		uint64_t due =
		    all.start_ns +
		    (uint64_t)((double)l->files_begun * 1e9 / all.files);

		if (due > now || due >= all.end_ns)
			return due < next ? due : next;
		(void)ask(
		    l, "file", file_bytes[l->files_begun++ % 4], RECEIVER);
	}
	return next;
}

/* -- both -------------------------------------------------------------- */

static void on_accept(struct load *l)
{
	int fd = accept4(l->listener.fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		end_add(l, l->echo ? ECHO_ORIGIN : ASKED, fd);
}

static void on_event(struct load *l, struct end *end)
{
	switch (end->role) {
	case LISTENER:
		on_accept(l);
		break;
	case ECHO_CLIENT:
		key_heard(end);
		break;
	case ECHO_ORIGIN:
		key_echo(end);
		break;
	case ASKED:
		origin_asked(l, end);
		break;
	case SENDER:
		bulk_send(l, end);
		break;
	case RECEIVER:
		bulk_receive(l, end);
		break;
	case STREAM:
		stream_closed(l, end);
		break;
	}
}

/* An end is closed by its own event only, so those of one turn stay valid. */
static void run(struct load *l)
{
	struct epoll_event events[EVENTS_MAX];
	uint64_t tail_ns = all.end_ns + TAIL_MS * 1000000ULL;

	while (now_ns() < all.end_ns ||
	       (l->files_done < l->files_begun && now_ns() < tail_ns)) {
		struct timespec wait = {0};
		uint64_t next = l->echo ? keys_type(l) : bulk_due(l);
		uint64_t now = now_ns();
		int n;

		if (now >= all.end_ns)
			next = now + 1000000;
		if (next > now) {
			wait.tv_sec = (time_t)((next - now) / 1000000000);
			wait.tv_nsec = (long)((next - now) % 1000000000);
		}
		n = epoll_pwait2(l->epoll, events, EVENTS_MAX, &wait, NULL);
		for (int i = 0; i < n; i++)
			on_event(l, events[i].data.ptr);
	}
}

static void *echo_thread(void *context)
{
	struct load *l = context;

	listen_at(l, all.echo_origin, NULL);
	for (uint32_t i = 0; i < all.echoes; i++) {
		struct end *end = connect_to(l, all.echo_port, ECHO_CLIENT);

		/* Not all at once. */
		end->due_ns = now_ns() + 1000000 +
			      all.period_ns * (i * 7 % all.echoes) / all.echoes;
		l->n_clients++;
	}
	run(l);
	return NULL;
}

static void *bulk_thread(void *context)
{
	struct sched_param none = {0};
	struct load *l = context;

	(void)pthread_setschedparam(pthread_self(), SCHED_OTHER, &none);
	if (*all.bulk_origin == '/')
		listen_at(l, 0, all.bulk_origin);
	else
		listen_at(l, (uint16_t)atoi(all.bulk_origin), NULL);
	for (uint32_t i = 0; i < all.downloads; i++)
		(void)ask(l, "down", UINT64_MAX, RECEIVER);
	for (uint32_t i = 0; i < all.streams; i++)
		(void)ask(l, "stream", UINT64_MAX, RECEIVER);
	run(l);
	return NULL;
}

/* -- figures ----------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double quantile_us(double q)
{
	size_t last = all.n_samples ? all.n_samples - 1 : 0;

	return all.n_samples
		   ? all.samples_ns[(size_t)((double)last * q + 0.5)] / 1e3
		   : -1;
}

static void report(const struct load *bulk, double seconds)
{
	struct sched_param param;
	int policy;

	pthread_getschedparam(pthread_self(), &policy, &param);
	qsort(all.samples_ns, all.n_samples, sizeof *all.samples_ns, by_value);
	printf("{\"samples\": %zu, \"errors\": %lu, \"late\": %lu, "
	       "\"first\": %s, \"files\": %lu, \"missing\": %lu, "
	       "\"gbit_s\": %.3f, \"p50_us\": %.2f, \"p99_us\": %.2f, "
	       "\"p999_us\": %.2f, \"max_us\": %.2f}\n",
	    all.n_samples, all.errors, all.late,
	    policy == SCHED_FIFO ? "true" : "false", bulk->files_done,
	    bulk->files_begun - bulk->files_done,
	    (double)all.bytes * 8 / seconds / 1e9, quantile_us(0.5),
	    quantile_us(0.99), quantile_us(0.999), quantile_us(1));
}

static bool set_option(const char *text)
{
	static const struct {
		const char *name;
		uint32_t *value;
	} options[] = {
	    {"echoes", &all.echoes},
	    {"downloads", &all.downloads},
	    {"streams", &all.streams},
	};
	const char *value = strchr(text, '=');
	size_t length = value ? (size_t)(value - text) : 0;

	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
		if (length != strlen(options[i].name) ||
		    strncmp(text, options[i].name, length) != 0)
			continue;
		*options[i].value = (uint32_t)atoi(value + 1);
		return *options[i].value <= FLOWS_MAX;
	}
	if (length == 5 && strncmp(text, "files", 5) == 0)
		all.files = atof(value + 1);
	else if (length == 9 && strncmp(text, "period_ms", 9) == 0)
		all.period_ns = (uint64_t)(atof(value + 1) * 1e6);
	else
		return false;
	return true;
}

static int usage(void)
{
	fprintf(stderr,
	    "usage: mixture ECHO_PORT ECHO_ORIGIN BULK_PORT BULK_ORIGIN "
	    "SECONDS WARMUP [echoes=N] [period_ms=N] [downloads=N] "
	    "[streams=N] [files=N]\n");
	return 64;
}

static void prepare(struct load *echo, struct load *bulk)
{
	all.samples_ns = malloc(SAMPLES_MAX * sizeof *all.samples_ns);
	all.memory = memfd_create("bulk", MFD_CLOEXEC);
	echo->epoll = epoll_create1(EPOLL_CLOEXEC);
	bulk->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!all.samples_ns || all.memory < 0 ||
	    ftruncate(all.memory, MEMORY_BYTES) || echo->epoll < 0 ||
	    bulk->epoll < 0)
		die("start");
}

int main(int argc, char **argv)
{
	static struct load echo = {.echo = true}, bulk;
	pthread_t threads[2];
	double seconds;

	if (argc < 7)
		return usage();
	all.echo_port = (uint16_t)atoi(argv[1]);
	all.echo_origin = (uint16_t)atoi(argv[2]);
	all.bulk_port = (uint16_t)atoi(argv[3]);
	all.bulk_origin = argv[4];
	all.echoes = 8;
	all.period_ns = 10000000;
	seconds = atof(argv[5]);
	for (int i = 7; i < argc; i++)
		if (!set_option(argv[i]))
			return usage();
	if (!all.echoes || !all.period_ns || seconds <= 0)
		return usage();
	prepare(&echo, &bulk);
	all.start_ns = now_ns();
	all.record_ns = all.start_ns + (uint64_t)(atof(argv[6]) * 1e9);
	all.end_ns = all.record_ns + (uint64_t)(seconds * 1e9);
	if (pthread_create(&threads[0], NULL, echo_thread, &echo) ||
	    pthread_create(&threads[1], NULL, bulk_thread, &bulk))
		die("threads");
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	report(&bulk, seconds);
	return all.errors ? 1 : 0;
}
