/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load of the TLS rows: TLS 1.3, TLS_AES_128_GCM_SHA256, X25519, so that
 * every proxy does the same cryptography. wrk resumes no session and iperf3
 * speaks no TLS.
 *
 *   shake, resume   CONNECTIONS at a time for SECONDS: connect, handshake, one
 *                   small request, its answer, close. With resume each has
 *                   the ticket that the one before it received.
 *   up, down        BYTES over STREAMS connections. The origin, plain TCP at
 *                   ORIGIN_PORT, is in here too: it sends, or counts.
 *
 * A thread for each connection, blocking: all of them share a core with the
 * origin, and the proxy's CPU is what is measured.
 *
 * usage: tlsload shake|resume PORT CONNECTIONS SECONDS
 *        tlsload up|down PORT STREAMS BYTES ORIGIN_PORT
 * Prints one line of JSON. Any failure ends it with status 1.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 256, BLOCK_BYTES = 128 << 10 };

static const char request[] =
    "GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";

struct load {
	SSL_CTX *ctx;
	uint16_t port;
	bool resume, up;
	uint64_t end_ns; /* shake */
	uint64_t bytes; /* of each stream */
	int listener;
};

struct job {
	const struct load *load;
	pthread_t thread;
	uint64_t done, resumed;
};

static char zeros[BLOCK_BYTES];

static void die(const char *what)
{
	fprintf(stderr, "tlsload: %s: %s\n", what, strerror(errno));
	ERR_print_errors_fp(stderr);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in addr = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof addr))
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

static SSL *open_tls(const struct load *load, SSL_SESSION *session)
{
	SSL *ssl = SSL_new(load->ctx);

	if (!ssl || !SSL_set_fd(ssl, connect_to(load->port)) ||
	    (session && !SSL_set_session(ssl, session)))
		die("session");
	if (SSL_connect(ssl) != 1)
		die("handshake");
	return ssl;
}

static void close_tls(SSL *ssl)
{
	int fd = SSL_get_fd(ssl);

	SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
}

/* -- connections ------------------------------------------------------- */

/* All of the answer, to the proxy's close_notify. */
static void ask(SSL *ssl)
{
	char answer[4096];
	size_t all = 0, n;

	if (SSL_write(ssl, request, sizeof request - 1) <= 0)
		die("request");
	while (SSL_read_ex(ssl, answer, sizeof answer, &n))
		all += n;
	if (SSL_get_error(ssl, 0) != SSL_ERROR_ZERO_RETURN || !all)
		die("answer");
}

static void *shake(void *argument)
{
	struct job *job = argument;
	SSL_SESSION *session = NULL;

	while (now_ns() < job->load->end_ns) {
		SSL *ssl = open_tls(job->load, session);

		ask(ssl);
		job->done++;
		job->resumed += (uint64_t)SSL_session_reused(ssl);
		if (job->load->resume) {
			SSL_SESSION_free(session);
			session = SSL_get1_session(ssl);
		}
		close_tls(ssl);
	}
	SSL_SESSION_free(session);
	return NULL;
}

/* -- streams ----------------------------------------------------------- */

static void *serve(void *argument)
{
	struct job *job = argument;
	const struct load *load = job->load;
	char *block = malloc(BLOCK_BYTES);
	int fd = accept4(load->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0 || !block)
		die("accept");
	while (job->done < load->bytes) {
		uint64_t left = load->bytes - job->done;
		size_t most = left < BLOCK_BYTES ? left : BLOCK_BYTES;
		ssize_t n = load->up ? read(fd, block, BLOCK_BYTES)
				     : write(fd, zeros, most);

		if (n <= 0)
			die("origin");
		job->done += (uint64_t)n;
	}
	/* The client waits for this byte when it has sent all. */
	if (load->up && write(fd, "", 1) != 1)
		die("origin");
	close(fd);
	free(block);
	return NULL;
}

static void *stream(void *argument)
{
	struct job *job = argument;
	const struct load *load = job->load;
	char *block = malloc(BLOCK_BYTES);
	SSL *ssl = open_tls(load, NULL);
	size_t n;

	if (!block)
		die("memory");
	while (job->done < load->bytes) {
		uint64_t left = load->bytes - job->done;
		size_t most = left < BLOCK_BYTES ? left : BLOCK_BYTES;

		if (!(load->up ? SSL_write_ex(ssl, zeros, most, &n)
			       : SSL_read_ex(ssl, block, BLOCK_BYTES, &n)))
			die("stream");
		job->done += n;
	}
	if (load->up && !SSL_read_ex(ssl, block, 1, &n))
		die("the origin's word");
	close_tls(ssl);
	free(block);
	return NULL;
}

static int listen_at(uint16_t port)
{
	struct sockaddr_in addr = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof addr) ||
	    listen(fd, THREADS_MAX))
		die("listen");
	return fd;
}

/* -- both -------------------------------------------------------------- */

static void start(
    struct job *jobs, int n, const struct load *load, void *(*run)(void *))
{
	for (int i = 0; i < n; i++) {
		jobs[i].load = load;
		if (pthread_create(&jobs[i].thread, NULL, run, &jobs[i]))
			die("thread");
	}
}

static void join(struct job *jobs, int n)
{
	for (int i = 0; i < n; i++)
		pthread_join(jobs[i].thread, NULL);
}

static SSL_CTX *make_context(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) ||
	    !SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") ||
	    !SSL_CTX_set1_groups_list(ctx, "X25519"))
		die("context");
	SSL_CTX_set_session_cache_mode(
	    ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	return ctx;
}

static void report(const struct job *jobs, int n, uint64_t start_ns)
{
	double seconds = (double)(now_ns() - start_ns) / 1e9;
	uint64_t done = 0, resumed = 0;

	for (int i = 0; i < n; i++) {
		done += jobs[i].done;
		resumed += jobs[i].resumed;
	}
	printf("{\"done\": %llu, \"resumed\": %llu, \"seconds\": %.6f}\n",
	    (unsigned long long)done, (unsigned long long)resumed, seconds);
}

int main(int argc, char **argv)
{
	static struct job jobs[THREADS_MAX], origins[THREADS_MAX];
	struct load load = {0};
	uint64_t start_ns = now_ns(), amount;
	bool streams;
	int n;

	if (argc < 5 || argc > 6 || (n = atoi(argv[3])) < 1 ||
	    n > THREADS_MAX) {
		fprintf(stderr, "usage: see the source's head\n");
		return 64;
	}
	load.ctx = make_context();
	load.port = (uint16_t)atoi(argv[2]);
	load.resume = !strcmp(argv[1], "resume");
	load.up = !strcmp(argv[1], "up");
	streams = argc == 6;
	amount = strtoull(argv[4], NULL, 10);
	if (streams) {
		load.bytes = amount / (uint64_t)n;
		load.listener = listen_at((uint16_t)atoi(argv[5]));
		start(origins, n, &load, serve);
	} else {
		load.end_ns = start_ns + amount * 1000000000u;
	}
	start(jobs, n, &load, streams ? stream : shake);
	join(jobs, n);
	if (streams)
		join(origins, n);
	report(jobs, n, start_ns);
	SSL_CTX_free(load.ctx);
	return 0;
}
