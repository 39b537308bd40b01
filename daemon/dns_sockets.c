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

static int probe(const struct addr *addr, int type, bool free_bind)
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
	if (free_bind)
		(void)setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof one);
	if (bind(fd, &addr->sa, addr->length))
		err = -errno;
	close(fd);
	return err;
}

int dns_sockets_probe(const struct addr *addr, bool free_bind)
{
	int err = 0;

	if (!passed_has(MANIFEST_DNS_UDP, addr))
		err = probe(addr, SOCK_DGRAM, free_bind);
	if (!err && !passed_has(MANIFEST_DNS_TCP, addr))
		err = probe(addr, SOCK_STREAM, free_bind);
	return err;
}

static int open_one(enum manifest_use use, const struct dns_sockets *sockets)
{
	if (use == MANIFEST_DNS_UDP)
		return datagram_open(&sockets->addr,
		    &(struct datagram_options){.reuse_port = true,
			.free_bind = sockets->free_bind,
			.receive_bytes = DNS_UDP_QUEUE_BYTES});
	return sock_listen(&sockets->addr,
	    &(struct sock_listen_options){.backlog = DNS_BACKLOG,
		.reuse_port = true,
		.free_bind = sockets->free_bind});
}

/* One that the generation before had, a copy of such a one until
 * dns_sockets_open_beside(), or one of our own. */
static int take_one(enum manifest_use use, const struct dns_sockets *sockets,
    const struct passed *passed, uint32_t i)
{
	int fd;

	if (i < passed->n)
		return passed->fds[i];
	if (!passed->n)
		return open_one(use, sockets);
	fd = fcntl(passed->fds[i % passed->n], F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

/* All of one kind: those that were handed over, then our own. How many, or
 * -errno, and then none is open. */
static int take_all(enum manifest_use use, const struct dns_sockets *sockets,
    uint32_t n_workers, int ret[CONF_WORKERS_MAX], uint32_t *ret_passed)
{
	struct passed passed = {.n = 0};
	uint32_t n, i;

	(void)passed_take(use, &sockets->addr, &passed);
	*ret_passed = passed.n;
	n = passed.n > n_workers ? passed.n : n_workers;
	for (i = 0; i < n; i++) {
		ret[i] = take_one(use, sockets, &passed, i);
		if (ret[i] < 0)
			break;
	}
	if (i == n)
		return (int)n;
	/* Every one that was handed over comes first, so it is in here. */
	for (uint32_t k = 0; k < i; k++)
		close(ret[k]);
	return ret[i];
}

static void *room_for(uint32_t n)
{
	void *array = calloc(n, sizeof(void *));

	if (!array)
		br_out_of_memory("DNS sockets", n * sizeof(void *));
	return array;
}

static void *or_abort(void *socket)
{
	if (!socket)
		br_out_of_memory("a DNS socket", 0);
	return socket;
}

static int open_udp(struct dns_sockets *sockets, uint32_t n_workers)
{
	int fds[CONF_WORKERS_MAX];
	int n = take_all(
	    MANIFEST_DNS_UDP, sockets, n_workers, fds, &sockets->n_udp_passed);

	if (n < 0)
		return n;
	sockets->udp = room_for((uint32_t)n);
	for (; sockets->n_udp < (uint32_t)n; sockets->n_udp++)
		sockets->udp[sockets->n_udp] =
		    or_abort(dns_udp_new(fds[sockets->n_udp]));
	return 0;
}

static int open_tcp(struct dns_sockets *sockets, uint32_t n_workers)
{
	int fds[CONF_WORKERS_MAX];
	int n = take_all(
	    MANIFEST_DNS_TCP, sockets, n_workers, fds, &sockets->n_tcp_passed);

	if (n < 0)
		return n;
	sockets->tcp = room_for((uint32_t)n);
	for (; sockets->n_tcp < (uint32_t)n; sockets->n_tcp++)
		sockets->tcp[sockets->n_tcp] =
		    or_abort(dns_tcp_new(fds[sockets->n_tcp]));
	return 0;
}

int dns_sockets_open(const struct addr *addr, bool free_bind,
    uint32_t n_workers, struct dns_sockets **ret)
{
	struct dns_sockets *sockets = calloc(1, sizeof *sockets);
	int err;

	if (!sockets)
		br_out_of_memory("DNS sockets", sizeof *sockets);
	sockets->addr = *addr;
	sockets->free_bind = free_bind;
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

/* Where this process may not bind, the copy stays. */
static void replace(
    enum manifest_use use, const struct dns_sockets *sockets, int fd)
{
	int own = open_one(use, sockets);

	if (own < 0)
		return;
	(void)dup3(own, fd, O_CLOEXEC);
	close(own);
}

void dns_sockets_open_beside(struct dns_sockets *sockets)
{
	uint32_t i;

	for (i = sockets->n_udp_passed; i && i < sockets->n_udp; i++)
		replace(MANIFEST_DNS_UDP, sockets, dns_udp_fd(sockets->udp[i]));
	for (i = sockets->n_tcp_passed; i && i < sockets->n_tcp; i++)
		replace(MANIFEST_DNS_TCP, sockets, dns_tcp_fd(sockets->tcp[i]));
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
