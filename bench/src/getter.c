/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of the range shards' bench: downloads that are looked at closely,
 * and clients that are slow on purpose.
 *
 *   get    one connection, COUNT requests one after the other. The time of
 *          every read is taken: the longest gap between two reads of a body
 *          is the stall that a user would see. DIGEST is "sha256", which is
 *          computed of each body, or "none": the bytes are then dropped in the
 *          kernel and cost nearly nothing. Prints "mark" as soon as MARK bytes
 *          of a body are there, for somebody who wants to break something
 *          then, and one line of JSON for each body.
 *   slow   CONNECTIONS downloads at BYTES_PER_S each, for SECONDS. Prints
 *          "ready" when each has had its first bytes; JSON at the end, or
 *          when it is told to end (TERM).
 *
 * A body that ends early, or a status that is not 200, is reported as such and
 * the exit status is 1.
 *
 * usage: getter get ADDRESS PORT PATH COUNT MARK sha256|none
 *        getter slow ADDRESS PORT PATH CONNECTIONS BYTES_PER_S SECONDS
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	HEAD_MAX = 16 << 10,
	BLOCK_BYTES = 256 << 10,
	SLOW_MAX = 16384,
	SLOW_BUFFER_BYTES = 16 << 10,
	TICK_NS = 50 * 1000 * 1000,
};

/* No progress for so long is the end: nothing is waited for without bound. */
#define READ_TIMEOUT_S 30

struct body {
	int status;
	uint64_t length, got;
	bool by_length; /* else until the connection ends */
	uint64_t start_ns, first_ns, end_ns;
	uint64_t stall_ns,
	    stall_at; /* the longest gap, and before which byte */
	int error; /* errno of the read that failed */
};

static char block[BLOCK_BYTES];
static volatile sig_atomic_t ended;

static void die(const char *what)
{
	fprintf(stderr, "getter: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static int open_connection(char **argv, int buffer_bytes)
{
	struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[3]))};
	struct timeval limit = {.tv_sec = READ_TIMEOUT_S};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || inet_pton(AF_INET, argv[2], &to.sin_addr) != 1)
		die("socket");
	/* Before the connect, so that the window is small from the start. */
	if (buffer_bytes && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes,
				sizeof(buffer_bytes)))
		die("SO_RCVBUF");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("connect");
	return fd;
}

static void send_request(int fd, const char *path)
{
	char request[1024];
	int n = snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", path);

	if (n < 0 || (size_t)n >= sizeof(request) ||
	    send(fd, request, (size_t)n, MSG_NOSIGNAL) != n)
		die("request");
}

/* Looks at what is there before it takes it, so that no byte of the body comes
 * with the head. */
static void read_head(int fd, struct body *body)
{
	static const char key[] = "\r\nContent-Length:";
	char head[HEAD_MAX + 1];
	size_t have = 0;
	char *at;

	for (;;) {
		ssize_t n = recv(fd, head + have, HEAD_MAX - have, MSG_PEEK);
		char *end;
		size_t take;

		if (n <= 0)
			die(n ? "head" : "no answer");
		head[have + (size_t)n] = '\0';
		end = strstr(head, "\r\n\r\n");
		take = end ? (size_t)(end + 4 - head) - have : (size_t)n;
		if (recv(fd, head + have, take, 0) != (ssize_t)take)
			die("head");
		have += take;
		head[have] = '\0';
		if (end)
			break;
	}
	if (sscanf(head, "HTTP/1.%*d %d", &body->status) != 1)
		die("status line");
	at = strcasestr(head, key);
	body->by_length = at;
	body->length =
	    at ? strtoull(at + sizeof(key) - 1, NULL, 10) : UINT64_MAX;
}

static void note_read(struct body *body, uint64_t *last_ns, size_t n)
{
	uint64_t now = now_ns();

	if (!body->first_ns)
		body->first_ns = now;
	else if (now - *last_ns > body->stall_ns) {
		body->stall_ns = now - *last_ns;
		body->stall_at = body->got;
	}
	*last_ns = now;
	body->got += n;
}

static void read_body(
    int fd, struct body *body, uint64_t mark, EVP_MD_CTX *digest)
{
	uint64_t last_ns = 0;

	while (body->got < body->length) {
		uint64_t left = body->length - body->got;
		size_t want = left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES;
		ssize_t n = recv(fd, block, want, digest ? 0 : MSG_TRUNC);

		if (n <= 0) {
			body->error = n ? errno : 0;
			break;
		}
		if (body->got < mark && body->got + (uint64_t)n >= mark) {
			puts("mark");
			fflush(stdout);
		}
		note_read(body, &last_ns, (size_t)n);
		if (digest && EVP_DigestUpdate(digest, block, (size_t)n) != 1)
			die("digest");
	}
	body->end_ns = now_ns();
}

static void print_body(const struct body *body, EVP_MD_CTX *digest)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	bool whole = body->status == 200 &&
		     (!body->by_length || body->got == body->length) &&
		     !body->error;

	printf("{\"status\": %d, \"bytes\": %llu, \"whole\": %s, "
	       "\"error\": \"%s\", \"seconds\": %.6f, \"first_ms\": %.3f, "
	       "\"stall_ms\": %.3f, \"stall_at\": %llu, \"sha256\": \"",
	    body->status, (unsigned long long)body->got,
	    whole ? "true" : "false", body->error ? strerror(body->error) : "",
	    (double)(body->end_ns - body->start_ns) / 1e9,
	    body->first_ns ? (double)(body->first_ns - body->start_ns) / 1e6
			   : 0.0,
	    (double)body->stall_ns / 1e6, (unsigned long long)body->stall_at);
	if (digest && EVP_DigestFinal_ex(digest, sum, &n) != 1)
		die("digest");
	for (unsigned int i = 0; i < n; i++)
		printf("%02x", sum[i]);
	printf("\"}\n");
	fflush(stdout);
	if (!whole)
		exit(1);
}

static void run_get(char **argv)
{
	EVP_MD_CTX *digest =
	    strcmp(argv[7], "sha256") == 0 ? EVP_MD_CTX_new() : NULL;
	uint64_t mark = strtoull(argv[6], NULL, 10);
	int fd = open_connection(argv, 0);

	for (int i = atoi(argv[5]); i > 0; i--) {
		struct body body = {.start_ns = now_ns()};

		if (digest &&
		    EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1)
			die("digest");
		send_request(fd, argv[4]);
		read_head(fd, &body);
		read_body(fd, &body, mark, digest);
		print_body(&body, digest);
	}
	close(fd);
	EVP_MD_CTX_free(digest);
}

struct slow {
	int fd; /* -1: ended */
	uint64_t got;
};

/* At most `allowed` bytes, without waiting. */
static void read_some(struct slow *slow, size_t allowed, uint64_t *failed)
{
	ssize_t n =
	    recv(slow->fd, block, allowed < BLOCK_BYTES ? allowed : BLOCK_BYTES,
		MSG_DONTWAIT | MSG_TRUNC);

	if (n > 0) {
		slow->got += (uint64_t)n;
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	close(slow->fd);
	slow->fd = -1;
	++*failed;
}

static void sleep_until(uint64_t ns)
{
	struct timespec at = {.tv_sec = (time_t)(ns / 1000000000ULL),
	    .tv_nsec = (long)(ns % 1000000000ULL)};

	while (!ended &&
	       clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL))
		;
}

static void on_term(int number)
{
	ended = number;
}

static void run_slow(char **argv)
{
	static struct slow all[SLOW_MAX];
	int count = atoi(argv[5]);
	double rate = atof(argv[6]);
	uint64_t start, now, end, failed = 0, bytes = 0;
	bool ready = false;

	if (count < 1 || count > SLOW_MAX)
		die("CONNECTIONS");
	for (int i = 0; i < count; i++) {
		all[i].fd = open_connection(argv, SLOW_BUFFER_BYTES);
		send_request(all[i].fd, argv[4]);
	}
	start = now = now_ns();
	end = start + (uint64_t)(atof(argv[7]) * 1e9);
	signal(SIGTERM, on_term);
	while (now < end && !ended) {
		double due = rate * (double)(now - start) / 1e9;
		int begun = 0;

		for (int i = 0; i < count; i++) {
			double more = due - (double)all[i].got;

			if (all[i].fd >= 0 && more >= 1)
				read_some(&all[i], (size_t)more, &failed);
			begun += all[i].got > 0;
		}
		if (!ready && begun == count) {
			ready = true;
			puts("ready");
			fflush(stdout);
		}
		sleep_until(now + TICK_NS);
		now = now_ns();
	}
	for (int i = 0; i < count; i++)
		bytes += all[i].got;
	printf("{\"connections\": %d, \"failed\": %llu, \"bytes\": %llu, "
	       "\"ready\": %s}\n",
	    count, (unsigned long long)failed, (unsigned long long)bytes,
	    ready ? "true" : "false");
	if (failed)
		exit(1);
}

int main(int argc, char **argv)
{
	if (argc == 8 && strcmp(argv[1], "get") == 0)
		run_get(argv);
	else if (argc == 8 && strcmp(argv[1], "slow") == 0)
		run_slow(argv);
	else {
		fprintf(stderr,
		    "usage: getter get ADDRESS PORT PATH COUNT MARK "
		    "sha256|none\n"
		    "       getter slow ADDRESS PORT PATH CONNECTIONS "
		    "BYTES_PER_S SECONDS\n");
		return 64;
	}
	return 0;
}
