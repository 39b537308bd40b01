/* SPDX-License-Identifier: Apache-2.0 */
#include "io/datagram.h"

#include "base/assert.h"
#include "io/sock.h"

#include <errno.h>
#include <netinet/udp.h>
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

/* What a message with several answers has besides. */
#define SEGMENT_SPACE CMSG_SPACE(sizeof(uint16_t))

union joined_control {
	struct cmsghdr align;
	char bytes[sizeof(union control) + SEGMENT_SPACE];
};

/* The largest datagram (RFC 768), less the headers of IPv6 and UDP. */
#define JOINED_BYTES_MAX (65535u - 40u - 8u)

struct datagram_batch {
	uint32_t in_bytes, out_bytes;
	uint32_t in_stride, out_stride;
	uint32_t received;
	uint32_t n_answers, n_messages;
	bool wildcard;
	bool never_joined;
	struct mmsghdr in[DATAGRAM_BATCH];
	struct iovec in_at[DATAGRAM_BATCH];
	struct addr from[DATAGRAM_BATCH];
	union control control[DATAGRAM_BATCH];
	/* Dense: what has no answer takes no place. A message has one answer
	 * or several that follow each other. */
	struct iovec out_at[DATAGRAM_BATCH];
	struct mmsghdr out[DATAGRAM_BATCH];
	uint32_t
	    asked_by[DATAGRAM_BATCH]; /* of a message: its first question */
	union joined_control joined[DATAGRAM_BATCH]; /* by that question */
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
	/* An answer goes from the address that was asked. One that is local by
	 * a route alone is refused as a source without this, IPv6 only. */
	if (!err && (free_bind || addr_is_any(at)))
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
	batch->n_answers = 0;
	batch->n_messages = 0;
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

static bool has_source(const struct datagram_batch *batch, uint32_t i)
{
	return batch->wildcard && CMSG_FIRSTHDR(&batch->in[i].msg_hdr);
}

/* A message with the one answer at `part` for who asked question `i`. */
static void put_alone(struct datagram_batch *batch, uint32_t message,
    uint32_t i, struct iovec *part)
{
	const struct msghdr *from = &batch->in[i].msg_hdr;
	struct msghdr *to = &batch->out[message].msg_hdr;

	batch->asked_by[message] = i;
	to->msg_name = from->msg_name;
	to->msg_namelen = from->msg_namelen;
	to->msg_iov = part;
	to->msg_iovlen = 1;
	to->msg_control = NULL;
	to->msg_controllen = 0;
	if (!has_source(batch, i))
		return;
	to->msg_control = from->msg_control;
	to->msg_controllen = from->msg_controllen;
}

/* -- answers joined ---------------------------------------------------- */

static bool same_way(const struct datagram_batch *batch, uint32_t i, uint32_t k)
{
	const struct msghdr *a = &batch->in[i].msg_hdr,
			    *b = &batch->in[k].msg_hdr;

	if (!addr_equal(&batch->from[i], &batch->from[k]))
		return false;
	return !batch->wildcard ||
	       (a->msg_controllen == b->msg_controllen &&
		   !memcmp(a->msg_control, b->msg_control, a->msg_controllen));
}

/* All segments are as long as the first, but the last may be shorter. */
static bool is_joined(
    const struct datagram_batch *batch, uint32_t i, size_t length)
{
	const struct msghdr *last;
	size_t n, size;

	if (batch->never_joined || !batch->n_messages)
		return false;
	last = &batch->out[batch->n_messages - 1].msg_hdr;
	n = last->msg_iovlen;
	size = last->msg_iov[0].iov_len;
	return length <= size && last->msg_iov[n - 1].iov_len == size &&
	       (n + 1) * size <= JOINED_BYTES_MAX &&
	       same_way(batch, batch->asked_by[batch->n_messages - 1], i);
}

/* Says where the kernel cuts: UDP_SEGMENT, udp(7). */
static void say_segments(struct datagram_batch *batch, uint32_t message)
{
	struct msghdr *head = &batch->out[message].msg_hdr;
	union joined_control *control =
	    &batch->joined[batch->asked_by[message]];
	size_t before = head->msg_controllen;
	struct cmsghdr *segment =
	    (struct cmsghdr *)(void *)(control->bytes + before);

	br_assert(before <= sizeof(union control));
	if (before)
		memcpy(control->bytes, head->msg_control, before);
	*segment = (struct cmsghdr){.cmsg_level = IPPROTO_UDP,
	    .cmsg_type = UDP_SEGMENT,
	    .cmsg_len = CMSG_LEN(sizeof(uint16_t))};
	*(uint16_t *)(void *)CMSG_DATA(segment) =
	    (uint16_t)head->msg_iov[0].iov_len;
	head->msg_control = control;
	head->msg_controllen = before + SEGMENT_SPACE;
}

/* Each answer of the message becomes a message of its own: there are never
 * more of those than answers, for which there is room. */
static void take_apart(struct datagram_batch *batch, uint32_t message)
{
	struct iovec *parts = batch->out[message].msg_hdr.msg_iov;
	uint32_t n = (uint32_t)batch->out[message].msg_hdr.msg_iovlen;
	uint32_t i = batch->asked_by[message];

	for (uint32_t k = batch->n_messages - 1; k > message; k--) {
		batch->out[k + n - 1] = batch->out[k];
		batch->asked_by[k + n - 1] = batch->asked_by[k];
	}
	for (uint32_t k = 0; k < n; k++)
		put_alone(batch, message + k, i, &parts[k]);
	batch->n_messages += n - 1;
}

/* -- sending ----------------------------------------------------------- */

void datagram_set_out(struct datagram_batch *batch, uint32_t i, size_t length)
{
	struct iovec *part = &batch->out_at[batch->n_answers];
	struct msghdr *last;

	br_assert(i < batch->received && length <= batch->out_bytes);
	if (!length)
		return;
	batch->n_answers++;
	*part = (struct iovec){datagram_out(batch, i), length};
	if (has_source(batch, i))
		set_source(CMSG_FIRSTHDR(&batch->in[i].msg_hdr));
	if (!is_joined(batch, i, length)) {
		put_alone(batch, batch->n_messages++, i, part);
		return;
	}
	last = &batch->out[batch->n_messages - 1].msg_hdr;
	if (last->msg_iovlen++ == 1)
		say_segments(batch, batch->n_messages - 1);
}

static uint32_t answers_in(
    const struct datagram_batch *batch, uint32_t from, uint32_t to)
{
	size_t n = 0;

	for (uint32_t i = from; i < to; i++)
		n += batch->out[i].msg_hdr.msg_iovlen;
	return (uint32_t)n;
}

/* Whether joined answers are to be tried one by one: a device may not be able
 * to make checksums (EIO: then it never will), and they have to fit into its
 * packets, where a single one may be fragmented (EINVAL, EMSGSIZE). */
static bool apart_goes(
    struct datagram_batch *batch, uint32_t message, int error)
{
	if (batch->out[message].msg_hdr.msg_iovlen == 1)
		return false;
	batch->never_joined |= error == EIO;
	take_apart(batch, message);
	return true;
}

/* Beyond a full socket nothing goes; what one peer's answer failed of need not
 * be the next one's. */
struct datagram_sent datagram_send(struct datagram_batch *batch, int fd)
{
	struct datagram_sent ret = {0};
	uint32_t at = 0;

	while (at < batch->n_messages) {
		int n = sendmmsg(
		    fd, batch->out + at, batch->n_messages - at, MSG_DONTWAIT);

		if (n > 0) {
			ret.sent += answers_in(batch, at, at + (uint32_t)n);
			at += (uint32_t)n;
			continue;
		}
		if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
			ret.full = answers_in(batch, at, batch->n_messages);
			break;
		}
		if (errno != EINTR && !apart_goes(batch, at, errno)) {
			ret.refused++;
			at++;
		}
	}
	batch->n_answers = 0;
	batch->n_messages = 0;
	return ret;
}
