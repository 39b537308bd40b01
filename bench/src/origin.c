/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP origin of the benches as a process of its own (answer.h).
 *
 * usage: origin ADDRESS PORT
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "bench/src/answer.h"

enum { EVENTS_MAX = 256 };

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS_MAX];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int listener;

	if (argc != 3) {
		fprintf(stderr, "usage: origin ADDRESS PORT\n");
		return 64;
	}
	listener = epoll < 0 ? -errno : answer_open(epoll, argv[1], argv[2]);
	if (listener < 0) {
		fprintf(stderr, "origin: cannot listen at %s:%s: %s\n", argv[1],
		    argv[2], strerror(-listener));
		return 69;
	}
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS_MAX, -1);

		for (int i = 0; i < n; i++)
			answer_on_event(
			    epoll, listener, (int)events[i].data.u64);
	}
}
