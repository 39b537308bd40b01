/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP origin of the benches as a process of its own (answer.h). With
 * COUNT it listens at that many consecutive addresses: a pool of many servers
 * that are all there.
 *
 * usage: origin ADDRESS PORT [COUNT]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "bench/src/answer.h"

enum { EVENTS_MAX = 256 };

static int open_all(int epoll, struct in_addr first, uint16_t port, int count)
{
	for (int i = 0; i < count; i++) {
		uint32_t address = htonl(ntohl(first.s_addr) + (uint32_t)i);
		int err = answer_open(epoll, address, port);

		if (err)
			return err;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS_MAX];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct in_addr first;
	int err;

	if (argc < 3 || argc > 4 || inet_pton(AF_INET, argv[1], &first) != 1) {
		fprintf(stderr, "usage: origin ADDRESS PORT [COUNT]\n");
		return 64;
	}
	err = epoll < 0 ? -errno
			: open_all(epoll, first, (uint16_t)atoi(argv[2]),
			      argc == 4 ? atoi(argv[3]) : 1);
	if (err) {
		fprintf(stderr, "origin: cannot listen at %s:%s: %s\n", argv[1],
		    argv[2], strerror(-err));
		return 69;
	}
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS_MAX, -1);

		for (int i = 0; i < n; i++)
			answer_on_event(epoll, (int)events[i].data.u64);
	}
}
