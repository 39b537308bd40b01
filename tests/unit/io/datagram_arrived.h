/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Waits until datagrams have arrived at a socket. Loopback mostly delivers
 * within send(2), but a busy kernel leaves that to a thread of its own.
 *
 * Thread:  the main thread of a test program.
 */
#include <check.h>
#include <sched.h>
#include <sys/socket.h>

static inline void datagram_peek_from(int fd, int offset)
{
	ck_assert_int_eq(
	    setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof offset), 0);
}

/* Each look begins behind the bytes that were looked at, so empty ones do not
 * count. */
static inline void datagram_wait_arrived(int fd, uint32_t n)
{
	char bytes[2048];

	datagram_peek_from(fd, 0);
	while (n)
		if (recv(fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT) > 0)
			n--;
		else
			sched_yield();
	datagram_peek_from(fd, -1);
}
