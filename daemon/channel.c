/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/channel.h"

#include "daemon/file_io.h"

#include "base/assert.h"
#include "base/cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHANNEL_MAGIC 0x42524844u /* "BRHD" */
#define CHANNEL_HEAD_BYTES 8u
#define CHANNEL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

union channel_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(CHANNEL_FDS_MAX * sizeof(int))];
};

int channel_pair(int ret[2])
{
	return socketpair(AF_UNIX,
		   SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret)
		   ? -errno
		   : 0;
}

/* -- sending ----------------------------------------------------------- */

static void put_fds(struct msghdr *header, union channel_control *control,
    const int *fds, uint32_t n)
{
	struct cmsghdr *part;

	memset(control, 0, sizeof *control);
	header->msg_control = control;
	header->msg_controllen = CMSG_SPACE(n * sizeof(int));
	part = CMSG_FIRSTHDR(header);
	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(part), fds, n * sizeof(int));
}

int channel_send(int fd, enum channel_type type, const void *bytes,
    uint32_t n_bytes, const int *fds, uint32_t n_fds)
{
	uint8_t head[CHANNEL_HEAD_BYTES];
	struct cursor_out out = cursor_out_of(head, sizeof head);
	union channel_control control;
	struct iovec parts[2] = {
	    {head, sizeof head}, {(void *)(uintptr_t)bytes, n_bytes}};
	struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};

	br_assert(n_bytes <= CHANNEL_BYTES_MAX && n_fds <= CHANNEL_FDS_MAX);
	(void)cursor_put_be32(&out, CHANNEL_MAGIC);
	(void)cursor_put_be16(&out, CHANNEL_PROTOCOL);
	(void)cursor_put_be16(&out, (uint16_t)type);
	if (n_fds)
		put_fds(&header, &control, fds, n_fds);
	if (sendmsg(fd, &header, MSG_NOSIGNAL) < 0)
		return errno == EPIPE || errno == ECONNRESET ? BR_E_CLOSED
							     : -errno;
	return 0;
}

/* -- receiving --------------------------------------------------------- */

static int wait_readable(int fd, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	int n = poll(&poll_fd, 1, timeout_ms);

	if (n < 0)
		return errno == EINTR ? -ETIMEDOUT : -errno;
	return n ? 0 : -ETIMEDOUT;
}

static void take_fds(struct msghdr *header, struct channel_message *ret)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part;
	     part = CMSG_NXTHDR(header, part)) {
		size_t bytes = part->cmsg_len - CMSG_LEN(0);

		if (part->cmsg_level != SOL_SOCKET ||
		    part->cmsg_type != SCM_RIGHTS ||
		    bytes / sizeof(int) > CHANNEL_FDS_MAX - ret->n_fds)
			continue;
		memcpy(ret->fds + ret->n_fds, CMSG_DATA(part), bytes);
		ret->n_fds += (uint32_t)(bytes / sizeof(int));
	}
}

static int check_head(const uint8_t head[CHANNEL_HEAD_BYTES], uint16_t *ret)
{
	struct cursor in = cursor_of(head, CHANNEL_HEAD_BYTES);
	uint16_t protocol = 0;
	uint32_t magic = 0;

	(void)cursor_be32(&in, &magic);
	(void)cursor_be16(&in, &protocol);
	(void)cursor_be16(&in, ret);
	if (magic != CHANNEL_MAGIC)
		return BR_E_PROTOCOL;
	if (protocol != CHANNEL_PROTOCOL)
		return BR_E_VERSION;
	return *ret >= CHANNEL_HELLO && *ret <= CHANNEL_STOP ? 0
							     : BR_E_PROTOCOL;
}

int channel_receive(int fd, int timeout_ms, struct channel_message *ret)
{
	uint8_t head[CHANNEL_HEAD_BYTES];
	union channel_control control;
	struct iovec parts[2] = {
	    {head, sizeof head}, {ret->bytes, sizeof ret->bytes}};
	struct msghdr header = {.msg_iov = parts,
	    .msg_iovlen = 2,
	    .msg_control = &control,
	    .msg_controllen = sizeof control};
	uint16_t type = 0;
	ssize_t n;
	int err = wait_readable(fd, timeout_ms);

	if (err)
		return err;
	ret->n_fds = 0;
	n = recvmsg(fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN       ? -ETIMEDOUT
		       : errno == ECONNRESET ? BR_E_CLOSED
					     : -errno;
	if (n == 0)
		return BR_E_CLOSED;
	take_fds(&header, ret);
	err = n < (ssize_t)sizeof head || (header.msg_flags & MSG_TRUNC) ||
		      (header.msg_flags & MSG_CTRUNC)
		  ? BR_E_PROTOCOL
		  : check_head(head, &type);
	if (err) {
		channel_drop(ret);
		return err;
	}
	ret->type = (enum channel_type)type;
	ret->n_bytes = (uint32_t)n - CHANNEL_HEAD_BYTES;
	return 0;
}

void channel_drop(struct channel_message *message)
{
	for (uint32_t i = 0; i < message->n_fds; i++)
		close(message->fds[i]);
	message->n_fds = 0;
}

/* -- files ------------------------------------------------------------- */

int channel_file_new(const char *name, const void *bytes, size_t length)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int err;

	if (fd < 0)
		return -errno;
	err = file_write_at(fd, bytes, length, 0);
	if (!err && fcntl(fd, F_ADD_SEALS, CHANNEL_SEALS))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

int channel_file_read(int fd, void **ret, size_t *ret_length)
{
	struct stat st;
	char *bytes;
	int err;

	if (fcntl(fd, F_GET_SEALS) != CHANNEL_SEALS)
		return BR_E_PROTOCOL;
	if (fstat(fd, &st))
		return -errno;
	if (st.st_size < 0 || st.st_size > (off_t)CHANNEL_FILE_MAX)
		return BR_E_LIMIT;
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	err = file_read_at(fd, bytes, (size_t)st.st_size, 0);
	if (err) {
		free(bytes);
		return err;
	}
	*ret = bytes;
	*ret_length = (size_t)st.st_size;
	return 0;
}
