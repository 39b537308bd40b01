/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A scripted server for tests: accepts on loopback or a unix path, reads a
 * request, answers as told. It runs in the test's own loop (one call of
 * script_server_turn() a turn), so the order of events is the test's. All in
 * the header, since every test is one source.
 */
#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "io/sock.h"
#include "tests/unit/base/port_slots.h"

#define SCRIPT_PORTS 32
#define SCRIPT_CONNECTIONS_MAX 64

enum script_kind {
	SCRIPT_SILENT, /* reads, never answers */
	SCRIPT_ANSWER, /* after a whole request, in pieces */
	SCRIPT_BANNER, /* at once, without a request */
	SCRIPT_CLOSE, /* closes when it has a request */
};

struct script_connection {
	int fd; /* -1: free */
	uint32_t sent;
	bool requested;
};

struct script_server {
	struct addr addr;
	int fd;
	enum script_kind kind;
	const char *answer;
	uint32_t piece; /* bytes a turn; 0: all */
	uint32_t accepted, resets, ends;
	struct addr last_peer;
	char last_request[1024];
	struct script_connection connections[SCRIPT_CONNECTIONS_MAX];
};

/* Taken before the first test, since each counts its descriptors; used in
 * turn, so that a port that a test has closed stays closed in it. */
static uint16_t script_ports[SCRIPT_PORTS];

static inline void script_ports_take(void)
{
	for (int i = 0; i < SCRIPT_PORTS; i++)
		script_ports[i] = port_take();
}

static inline int script_listen(struct addr *addr)
{
	struct sock_listen_options options = {.backlog = 64};
	static uint32_t next;
	int fd = -EADDRINUSE;

	if (addr_is_unix(addr))
		return sock_listen(addr, &options);
	/* A test may have some of them open. */
	for (int i = 0; i < SCRIPT_PORTS && fd < 0; i++) {
		addr_set_port(addr, script_ports[next++ % SCRIPT_PORTS]);
		fd = sock_listen(addr, &options);
	}
	return fd;
}

/* On a port of 127.0.0.1 that is this test's, or on a unix path. */
static inline void script_server_open(
    struct script_server *server, const char *unix_path)
{
	if (unix_path) {
		server->addr.un.sun_family = AF_UNIX;
		ck_assert_uint_lt(
		    strlen(unix_path), sizeof(server->addr.un.sun_path));
		memcpy(
		    server->addr.un.sun_path, unix_path, strlen(unix_path) + 1);
		server->addr.length =
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				strlen(unix_path) + 1);
	} else {
		ck_assert_int_eq(addr_parse(&server->addr, "127.0.0.1:1"), 0);
	}
	for (int i = 0; i < SCRIPT_CONNECTIONS_MAX; i++)
		server->connections[i].fd = -1;
	server->fd = script_listen(&server->addr);
	ck_assert_int_ge(server->fd, 0);
}

static inline void script_connection_close(struct script_connection *connection)
{
	close(connection->fd);
	connection->fd = -1;
}

static inline void script_server_close(struct script_server *server)
{
	for (int i = 0; i < SCRIPT_CONNECTIONS_MAX; i++) {
		if (server->connections[i].fd >= 0)
			script_connection_close(&server->connections[i]);
	}
	close(server->fd);
}

static inline void script_accept(struct script_server *server)
{
	for (int i = 0; i < SCRIPT_CONNECTIONS_MAX; i++) {
		struct script_connection *connection = &server->connections[i];

		if (connection->fd >= 0)
			continue;
		server->last_peer.length = sizeof(server->last_peer.un);
		connection->fd = accept4(server->fd, &server->last_peer.sa,
		    &server->last_peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (connection->fd < 0)
			return;
		connection->sent = 0;
		connection->requested = false;
		server->accepted++;
	}
}

/* Reads; false when the connection is over. */
static inline bool script_receive(
    struct script_server *server, struct script_connection *connection)
{
	char bytes[sizeof(server->last_request)];
	ssize_t n = recv(connection->fd, bytes, sizeof(bytes) - 1, 0);

	if (n < 0 && errno == EAGAIN)
		return true;
	if (n <= 0) {
		if (n < 0)
			server->resets++;
		else
			server->ends++;
		return false;
	}
	bytes[n] = '\0';
	memcpy(server->last_request, bytes, (size_t)n + 1);
	connection->requested |= strstr(bytes, "\r\n\r\n") != NULL;
	return true;
}

/* Writes the next piece; false when the script ends the connection. */
static inline bool script_send(
    struct script_server *server, struct script_connection *connection)
{
	uint32_t length = server->answer ? (uint32_t)strlen(server->answer) : 0;
	uint32_t left = length - connection->sent;

	if (server->kind == SCRIPT_SILENT)
		return true;
	if (server->kind != SCRIPT_BANNER && !connection->requested)
		return true;
	if (server->piece && left > server->piece)
		left = server->piece;
	if (left > 0) {
		ssize_t n = send(connection->fd,
		    server->answer + connection->sent, left, MSG_NOSIGNAL);

		if (n > 0)
			connection->sent += (uint32_t)n;
	}
	return server->kind != SCRIPT_CLOSE || connection->sent < length;
}

static inline void script_server_turn(struct script_server *server)
{
	script_accept(server);
	for (int i = 0; i < SCRIPT_CONNECTIONS_MAX; i++) {
		struct script_connection *connection = &server->connections[i];

		if (connection->fd >= 0 &&
		    (!script_receive(server, connection) ||
			!script_send(server, connection)))
			script_connection_close(connection);
	}
}
