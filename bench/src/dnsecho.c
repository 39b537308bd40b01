/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a datagram costs when nothing is thought about it: sends each back with
 * QR set, by recvmmsg and sendmmsg. The DNS rows compare with it. With "join",
 * those of one length that come from one port one after the other go back as
 * one message (UDP_SEGMENT): the least any UDP server was found to need.
 *
 * usage: dnsecho ADDRESS PORT [join]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdbool.h>
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
	int no_path_mtu = IP_PMTUDISC_OMIT;

	if (inet_pton(AF_INET, address, &at.sin_addr) != 1) {
		errno = EINVAL;
		die(address);
	}
	/* As much as the servers beside it have. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room))
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	(void)setsockopt(
	    fd, IPPROTO_IP, IP_MTU_DISCOVER, &no_path_mtu, sizeof no_path_mtu);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at))
		die("bind");
	return fd;
}

static uint8_t bytes[BATCH][DATAGRAM_BYTES];
static struct sockaddr_in from[BATCH];
static struct mmsghdr in[BATCH], out[BATCH];
static struct iovec in_parts[BATCH], out_parts[BATCH];
static union {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(uint16_t))];
} sizes[BATCH];

static bool joins;

static int receive(int fd)
{
	for (int i = 0; i < BATCH; i++) {
		in_parts[i] = (struct iovec){bytes[i], DATAGRAM_BYTES};
		in[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
		    .msg_namelen = sizeof from[i],
		    .msg_iov = &in_parts[i],
		    .msg_iovlen = 1};
	}
	return recvmmsg(fd, in, BATCH, MSG_WAITFORONE, NULL);
}

static bool is_joined(int i)
{
	return joins && from[i].sin_port == from[i - 1].sin_port &&
	       from[i].sin_addr.s_addr == from[i - 1].sin_addr.s_addr &&
	       in[i].msg_len == in[i - 1].msg_len;
}

static void join(struct msghdr *head, struct cmsghdr *size)
{
	*size = (struct cmsghdr){.cmsg_level = IPPROTO_UDP,
	    .cmsg_type = UDP_SEGMENT,
	    .cmsg_len = CMSG_LEN(sizeof(uint16_t))};
	*(uint16_t *)(void *)CMSG_DATA(size) =
	    (uint16_t)head->msg_iov[0].iov_len;
	head->msg_iovlen++;
	head->msg_control = size;
	head->msg_controllen = sizeof sizes[0];
}

/* How many messages. */
static int answer(int n)
{
	int messages = 0;

	for (int i = 0; i < n; i++) {
		bytes[i][2] |= 0x80;
		out_parts[i] = (struct iovec){bytes[i], in[i].msg_len};
		if (i && is_joined(i)) {
			join(&out[messages - 1].msg_hdr,
			    &sizes[messages - 1].align);
			continue;
		}
		out[messages++].msg_hdr = (struct msghdr){.msg_name = &from[i],
		    .msg_namelen = sizeof from[i],
		    .msg_iov = &out_parts[i],
		    .msg_iovlen = 1};
	}
	return messages;
}

int main(int argc, char **argv)
{
	int fd;

	if (argc != 3 && (argc != 4 || strcmp(argv[3], "join"))) {
		fprintf(stderr, "usage: dnsecho ADDRESS PORT [join]\n");
		return 64;
	}
	joins = argc == 4;
	fd = open_at(argv[1], argv[2]);
	for (;;) {
		int n = receive(fd), messages;

		if (n < 0 && errno != EINTR)
			die("recvmmsg");
		messages = answer(n);
		for (int at = 0; at < messages;) {
			int sent = sendmmsg(
			    fd, out + at, (unsigned)(messages - at), 0);

			if (sent < 0)
				break;
			at += sent;
		}
	}
}
