/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dns_sockets.h"

#include "base/assert.h"
#include "daemon/passed.h"
#include "dnsd/dns_tcp.h"
#include "dnsd/dns_udp.h"
#include "io/datagram.h"
#include "io/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Connections of resolvers that wait to be accepted. */
#define DNS_BACKLOG 1024u

static int probe(const struct addr *addr, int type)
{
	int one = 1, err = 0;
	int fd = socket(addr->sa.sa_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (type == SOCK_STREAM)
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (addr->sa.sa_family == AF_INET6)
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (bind(fd, &addr->sa, addr->length))
		err = -errno;
	close(fd);
	return err;
}

int dns_sockets_probe(const struct addr *addr)
{
	int err = 0;

	if (!passed_has(MANIFEST_DNS_UDP, addr))
		err = probe(addr, SOCK_DGRAM);
	if (!err && !passed_has(MANIFEST_DNS_TCP, addr))
		err = probe(addr, SOCK_STREAM);
	return err;
}

static int open_one(enum manifest_use use, const struct addr *addr)
{
	if (use == MANIFEST_DNS_UDP)
		return datagram_open(
		    addr, &(struct datagram_options){.reuse_port = true,
			      .receive_bytes = DNS_UDP_QUEUE_BYTES});
	return sock_listen(
	    addr, &(struct sock_listen_options){
		      .backlog = DNS_BACKLOG, .reuse_port = true});
}

/* One that the generation before had, or one of our own. Where this process
 * may not bind there any more, one of those serves this worker, too. */
static int take_one(enum manifest_use use, const struct addr *addr,
    const struct passed *passed, uint32_t i)
{
	int fd;

	if (i < passed->n)
		return passed->fds[i];
	fd = open_one(use, addr);
	if (fd >= 0 || !passed->n)
		return fd;
	fd = fcntl(passed->fds[i % passed->n], F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

/* Room for the sockets of one kind, and those that were handed over. */
static void *begin(enum manifest_use use, const struct addr *addr,
    uint32_t n_workers, struct passed *ret_passed, uint32_t *ret_n)
{
	void *array;

	*ret_passed = (struct passed){.n = 0};
	(void)passed_take(use, addr, ret_passed);
	*ret_n = ret_passed->n > n_workers ? ret_passed->n : n_workers;
	array = calloc(*ret_n, sizeof(void *));
	if (!array)
		br_out_of_memory("DNS sockets", *ret_n * sizeof(void *));
	return array;
}

/* Those that nobody has taken yet, after a failure. */
static void close_rest(const struct passed *passed, uint32_t from)
{
	for (; from < passed->n; from++)
		close(passed->fds[from]);
}

static int open_udp(struct dns_sockets *sockets, uint32_t n_workers)
{
	struct passed passed;

	sockets->udp = begin(MANIFEST_DNS_UDP, &sockets->addr, n_workers,
	    &passed, &sockets->n_udp);
	for (uint32_t i = 0; i < sockets->n_udp; i++) {
		int fd = take_one(MANIFEST_DNS_UDP, &sockets->addr, &passed, i);

		if (fd >= 0)
			sockets->udp[i] = dns_udp_new(fd);
		if (fd < 0 || !sockets->udp[i]) {
			if (fd >= 0 && i >= passed.n)
				close(fd);
			close_rest(&passed, i);
			return fd < 0 ? fd : -ENOMEM;
		}
	}
	return 0;
}

static int open_tcp(struct dns_sockets *sockets, uint32_t n_workers)
{
	struct passed passed;

	sockets->tcp = begin(MANIFEST_DNS_TCP, &sockets->addr, n_workers,
	    &passed, &sockets->n_tcp);
	for (uint32_t i = 0; i < sockets->n_tcp; i++) {
		int fd = take_one(MANIFEST_DNS_TCP, &sockets->addr, &passed, i);

		if (fd >= 0)
			sockets->tcp[i] = dns_tcp_new(fd);
		if (fd < 0 || !sockets->tcp[i]) {
			if (fd >= 0 && i >= passed.n)
				close(fd);
			close_rest(&passed, i);
			return fd < 0 ? fd : -ENOMEM;
		}
	}
	return 0;
}

int dns_sockets_open(
    const struct addr *addr, uint32_t n_workers, struct dns_sockets **ret)
{
	struct dns_sockets *sockets = calloc(1, sizeof *sockets);
	int err;

	if (!sockets)
		br_out_of_memory("DNS sockets", sizeof *sockets);
	sockets->addr = *addr;
	sockets->references = 1;
	err = open_udp(sockets, n_workers);
	if (!err)
		err = open_tcp(sockets, n_workers);
	if (err)
		dns_sockets_unref(sockets);
	else
		*ret = sockets;
	return err;
}

void dns_sockets_unref(struct dns_sockets *sockets)
{
	br_assert(sockets->references > 0);
	if (--sockets->references)
		return;
	/* Closes the socket, too, if it was never started. */
	for (uint32_t i = 0; i < sockets->n_udp; i++)
		if (sockets->udp[i])
			dns_udp_free(sockets->udp[i]);
	for (uint32_t i = 0; i < sockets->n_tcp; i++)
		if (sockets->tcp[i])
			dns_tcp_free(sockets->tcp[i]);
	free(sockets->udp);
	free(sockets->tcp);
	free(sockets);
}
