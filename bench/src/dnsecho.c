/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a datagram costs when nothing is thought about it: sends each back with
 * QR set, by recvmmsg and sendmmsg. The least any UDP server can need; the DNS
 * rows compare with it.
 *
 * usage: dnsecho ADDRESS PORT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BATCH = 64, DATAGRAM_BYTES = 1216 };

static void die(const char *what)
{
	fprintf(stderr, "dnsecho: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_at(const char *address, const char *port)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = 4 << 20;

	if (inet_pton(AF_INET, address, &at.sin_addr) != 1) {
		errno = EINVAL;
		die(address);
	}
	/* As much as the servers beside it have. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room))
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at))
		die("bind");
	return fd;
}

static void prepare(struct mmsghdr *messages, struct iovec *parts,
    struct sockaddr_in *from, uint8_t bytes[BATCH][DATAGRAM_BYTES])
{
	for (int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){bytes[i], DATAGRAM_BYTES};
		messages[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
		    .msg_namelen = sizeof from[i],
		    .msg_iov = &parts[i],
		    .msg_iovlen = 1};
	}
}

int main(int argc, char **argv)
{
	static uint8_t bytes[BATCH][DATAGRAM_BYTES];
	static struct mmsghdr messages[BATCH];
	static struct iovec parts[BATCH];
	static struct sockaddr_in from[BATCH];
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: dnsecho ADDRESS PORT\n");
		return 64;
	}
	fd = open_at(argv[1], argv[2]);
	prepare(messages, parts, from, bytes);
	for (;;) {
		int n = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);

		if (n < 0 && errno != EINTR)
			die("recvmmsg");
		for (int i = 0; i < n; i++) {
			bytes[i][2] |= 0x80;
			parts[i].iov_len = messages[i].msg_len;
		}
		for (int at = 0; at < n;) {
			int sent =
			    sendmmsg(fd, messages + at, (unsigned)(n - at), 0);

			if (sent < 0)
				break;
			at += sent;
		}
		for (int i = 0; i < n; i++) {
			parts[i].iov_len = DATAGRAM_BYTES;
			messages[i].msg_hdr.msg_namelen = sizeof from[i];
		}
	}
}
