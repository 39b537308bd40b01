/* SPDX-License-Identifier: Apache-2.0 */
#include "io/datagram.h"

#include "base/assert.h"
#include "io/sock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* Buffers begin at different sets of the cache: at distances of a power of two
 * all first lines would share a few. */
#define CACHE_LINE 64u

union control {
	struct cmsghdr align;
	char v4[CMSG_SPACE(sizeof(struct in_pktinfo))];
	char v6[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct datagram_batch {
	uint32_t in_bytes, out_bytes;
	uint32_t in_stride, out_stride;
	uint32_t received, to_send;
	bool wildcard;
	struct mmsghdr in[DATAGRAM_BATCH];
	struct iovec in_at[DATAGRAM_BATCH];
	struct addr from[DATAGRAM_BATCH];
	union control control[DATAGRAM_BATCH];
	/* Dense: what has no answer takes no place. */
	struct mmsghdr out[DATAGRAM_BATCH];
	struct iovec out_at[DATAGRAM_BATCH];
	uint8_t *in_buffers, *out_buffers;
};

/* -- sockets ----------------------------------------------------------- */

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value) ? -errno : 0;
}

static int set_v4(int fd, const struct addr *at, bool free_bind)
{
	int err = set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);

	if (!err && addr_is_any(at))
		err = set(fd, IPPROTO_IP, IP_PKTINFO, 1);
	if (!err && free_bind)
		err = set(fd, IPPROTO_IP, IP_FREEBIND, 1);
	return err;
}

static int set_v6(int fd, const struct addr *at, bool free_bind)
{
	/* "[::]:53" and "0.0.0.0:53" may be two sockets. */
	int err = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);

	if (!err)
		err = set(
		    fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
	if (!err && addr_is_any(at))
		err = set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	if (!err && free_bind)
		err = set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
	return err;
}

static int prepare(
    int fd, const struct addr *at, const struct datagram_options *options)
{
	int err = at->sa.sa_family == AF_INET6
		      ? set_v6(fd, at, options->free_bind)
		      : set_v4(fd, at, options->free_bind);

	if (!err && options->reuse_port)
		err = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	/* Only a wish: the system's limit may be lower. */
	if (options->receive_bytes)
		(void)sock_set_receive_room(fd, options->receive_bytes);
	if (!err && bind(fd, &at->sa, at->length))
		err = -errno;
	return err;
}

int datagram_open(const struct addr *at, const struct datagram_options *options)
{
	int fd, err;

	if (at->sa.sa_family != AF_INET && at->sa.sa_family != AF_INET6)
		return -EAFNOSUPPORT;
	fd = socket(
	    at->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = prepare(fd, at, options);
	if (!err)
		return fd;
	close(fd);
	return err;
}

bool datagram_is_wildcard(int fd)
{
	struct addr at;

	return sock_local(fd, &at) || addr_is_any(&at);
}

/* -- batches ----------------------------------------------------------- */

/* An odd number of lines. */
static uint32_t stride_of(uint32_t bytes)
{
	uint32_t lines = (bytes + CACHE_LINE - 1) / CACHE_LINE;

	return (lines | 1) * CACHE_LINE;
}

struct datagram_batch *datagram_batch_new(uint32_t in_bytes, uint32_t out_bytes)
{
	struct datagram_batch *batch = calloc(1, sizeof *batch);

	if (!batch)
		return NULL;
	batch->in_bytes = in_bytes;
	batch->out_bytes = out_bytes;
	batch->in_stride = stride_of(in_bytes);
	batch->out_stride = stride_of(out_bytes);
	batch->in_buffers = aligned_alloc(
	    CACHE_LINE, (size_t)batch->in_stride * DATAGRAM_BATCH);
	batch->out_buffers = aligned_alloc(
	    CACHE_LINE, (size_t)batch->out_stride * DATAGRAM_BATCH);
	if (!batch->in_buffers || !batch->out_buffers) {
		datagram_batch_free(batch);
		return NULL;
	}
	for (uint32_t i = 0; i < DATAGRAM_BATCH; i++) {
		batch->in_at[i].iov_base =
		    batch->in_buffers + (size_t)i * batch->in_stride;
		batch->in_at[i].iov_len = in_bytes;
		batch->in[i].msg_hdr.msg_iov = &batch->in_at[i];
		batch->in[i].msg_hdr.msg_iovlen = 1;
		batch->in[i].msg_hdr.msg_name = &batch->from[i].sa;
		batch->out[i].msg_hdr.msg_iov = &batch->out_at[i];
		batch->out[i].msg_hdr.msg_iovlen = 1;
	}
	return batch;
}

void datagram_batch_free(struct datagram_batch *batch)
{
	if (!batch)
		return;
	free(batch->in_buffers);
	free(batch->out_buffers);
	free(batch);
}

/* The kernel writes these lengths; only those it wrote need setting anew. */
static void make_ready(struct datagram_batch *batch, bool wildcard)
{
	uint32_t n = batch->received;

	if (wildcard != batch->wildcard || !batch->in[0].msg_hdr.msg_namelen)
		n = DATAGRAM_BATCH;
	for (uint32_t i = 0; i < n; i++) {
		struct msghdr *head = &batch->in[i].msg_hdr;

		head->msg_namelen = sizeof batch->from[i].in6;
		head->msg_control = wildcard ? &batch->control[i] : NULL;
		head->msg_controllen = wildcard ? sizeof batch->control[i] : 0;
	}
	batch->wildcard = wildcard;
	batch->received = 0;
	batch->to_send = 0;
}

int datagram_receive(struct datagram_batch *batch, int fd, bool wildcard)
{
	int n;

	make_ready(batch, wildcard);
	n = recvmmsg(fd, batch->in, DATAGRAM_BATCH, MSG_DONTWAIT, NULL);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	batch->received = (uint32_t)n;
	for (uint32_t i = 0; i < batch->received; i++)
		batch->from[i].length = batch->in[i].msg_hdr.msg_namelen;
	return n;
}

const uint8_t *datagram_in(
    const struct datagram_batch *batch, uint32_t i, size_t *ret_length)
{
	*ret_length = batch->in[i].msg_len;
	return batch->in_at[i].iov_base;
}

const struct addr *datagram_from(const struct datagram_batch *batch, uint32_t i)
{
	return &batch->from[i];
}

uint8_t *datagram_out(struct datagram_batch *batch, uint32_t i)
{
	return batch->out_buffers + (size_t)i * batch->out_stride;
}

/* The control data that came with the question goes with the answer: its
 * address is then the answer's source (ip(7), ipv6(7)). The interface stays
 * only with a link-local address, which means nothing without; elsewhere the
 * way back may be another than the way here. */
static void set_source(struct cmsghdr *control)
{
	if (control->cmsg_level == IPPROTO_IP &&
	    control->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo *info =
		    (struct in_pktinfo *)(void *)CMSG_DATA(control);

		info->ipi_ifindex = 0;
	}
	if (control->cmsg_level == IPPROTO_IPV6 &&
	    control->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo *info =
		    (struct in6_pktinfo *)(void *)CMSG_DATA(control);

		if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
			info->ipi6_ifindex = 0;
	}
}

void datagram_set_out(struct datagram_batch *batch, uint32_t i, size_t length)
{
	struct msghdr *from = &batch->in[i].msg_hdr, *to;

	br_assert(i < batch->received && length <= batch->out_bytes);
	if (!length)
		return;
	batch->out_at[batch->to_send] =
	    (struct iovec){datagram_out(batch, i), length};
	to = &batch->out[batch->to_send++].msg_hdr;
	to->msg_name = from->msg_name;
	to->msg_namelen = from->msg_namelen;
	to->msg_control = NULL;
	to->msg_controllen = 0;
	if (!batch->wildcard || !CMSG_FIRSTHDR(from))
		return;
	set_source(CMSG_FIRSTHDR(from));
	to->msg_control = from->msg_control;
	to->msg_controllen = from->msg_controllen;
}

/* Beyond a full socket nothing goes; what one peer's answer failed of need not
 * be the next one's. */
struct datagram_sent datagram_send(struct datagram_batch *batch, int fd)
{
	struct datagram_sent ret = {0};
	uint32_t at = 0;

	while (at < batch->to_send) {
		int n = sendmmsg(
		    fd, batch->out + at, batch->to_send - at, MSG_DONTWAIT);

		if (n > 0) {
			ret.sent += (uint32_t)n;
			at += (uint32_t)n;
			continue;
		}
		if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
			ret.full = batch->to_send - at;
			break;
		}
		if (errno != EINTR) {
			ret.refused++;
			at++;
		}
	}
	batch->to_send = 0;
	return ret;
}
