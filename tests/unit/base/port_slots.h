/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Ports of this test alone: the slots of tests/e2e/lib/ports.py, so that no
 * scenario that runs beside a unit test finds its closed port open or its free
 * one taken.
 *
 * Thread:  the main thread of a test program.
 * Memory:  a slot is a descriptor that stays open until the process ends.
 */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PORT_LOWEST 10000u
#define PORT_COUNT 22000u

/* An abstract unix socket of this name is the slot; -1: another test's. */
static inline int port_lock(uint16_t port)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int n = snprintf(name.sun_path + 1, sizeof name.sun_path - 1,
	    "braid-e2e-port-%u", port);

	ck_assert_int_ge(fd, 0);
	if (!bind(fd, (struct sockaddr *)&name,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			    (size_t)n)))
		return fd;
	close(fd);
	return -1;
}

/* Other programs know no slots. Nor is it in TIME-WAIT, which would refuse who
 * binds it without SO_REUSEADDR. */
static inline bool port_can_listen(uint16_t port)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool can;

	ck_assert_int_ge(fd, 0);
	can = !bind(fd, (struct sockaddr *)&at, sizeof at) && !listen(fd, 1);
	close(fd);
	return can;
}

static inline uint16_t port_take(void)
{
	static uint32_t next;

	if (!next)
		next = (uint32_t)getpid() * 61u;
	for (uint32_t tries = 0; tries < PORT_COUNT; tries++) {
		uint16_t port = (uint16_t)(PORT_LOWEST + next++ % PORT_COUNT);
		int lock = port_lock(port);

		if (lock < 0)
			continue;
		if (port_can_listen(port))
			return port;
		close(lock);
	}
	ck_abort_msg("no port is free");
	return 0;
}
