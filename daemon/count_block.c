/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/count_block.h"

#include "daemon/file_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT_MAGIC 0x4252434eu /* "BRCN" */
#define COUNT_TEXT_AT 4096

struct count_head {
	uint32_t magic;
	_Atomic uint32_t sequence;
	_Atomic uint64_t length;
	_Atomic uint64_t connections;
	/* An older version leaves it 0. */
	_Atomic uint32_t left;
};

static int map(struct count_block *block, int protection)
{
	void *head =
	    mmap(NULL, COUNT_TEXT_AT, protection, MAP_SHARED, block->fd, 0);

	if (head == MAP_FAILED)
		return -errno;
	block->head = head;
	return 0;
}

int count_block_new(struct count_block *ret)
{
	struct count_block block = {.fd = memfd_create("braid-counters",
					MFD_CLOEXEC | MFD_ALLOW_SEALING)};
	int err = 0;

	if (block.fd < 0)
		return -errno;
	/* It only grows, so a reader's page is always there. */
	if (ftruncate(block.fd, COUNT_TEXT_AT) ||
	    fcntl(block.fd, F_ADD_SEALS, F_SEAL_SHRINK))
		err = -errno;
	if (!err)
		err = map(&block, PROT_READ | PROT_WRITE);
	if (err) {
		count_block_close(&block);
		return err;
	}
	block.head->magic = COUNT_MAGIC;
	*ret = block;
	return 0;
}

int count_block_open(struct count_block *ret, int fd)
{
	struct count_block block = {.fd = fd};
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	int err = 0;

	if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(fd, &st) ||
	    st.st_size < COUNT_TEXT_AT)
		err = BR_E_PROTOCOL;
	if (!err)
		err = map(&block, PROT_READ);
	if (!err && block.head->magic != COUNT_MAGIC)
		err = BR_E_PROTOCOL;
	if (err) {
		count_block_close(&block);
		return err;
	}
	*ret = block;
	return 0;
}

void count_block_close(struct count_block *block)
{
	if (block->head)
		(void)munmap(block->head, COUNT_TEXT_AT);
	if (block->fd >= 0)
		close(block->fd);
	block->head = NULL;
	block->fd = -1;
}

int count_block_write(
    struct count_block *block, const char *text, size_t length)
{
	struct count_head *head = block->head;
	int err;

	if (length > COUNT_BLOCK_MAX)
		return -EFBIG;
	atomic_fetch_add(&head->sequence, 1);
	err = file_write_at(block->fd, text, length, COUNT_TEXT_AT);
	atomic_store(&head->length, err ? 0 : length);
	atomic_fetch_add(&head->sequence, 1);
	return err;
}

int count_block_read(const struct count_block *block, struct strbuf *ret)
{
	struct count_head *head = block->head;
	uint32_t sequence = atomic_load(&head->sequence);
	uint64_t length = atomic_load(&head->length);
	char *text;
	int err;

	if (sequence & 1)
		return -EAGAIN;
	if (length > COUNT_BLOCK_MAX)
		return BR_E_PROTOCOL;
	text = malloc(length + 1);
	if (!text)
		return -ENOMEM;
	err = file_read_at(block->fd, text, length, COUNT_TEXT_AT);
	if (!err && atomic_load(&head->sequence) != sequence)
		err = -EAGAIN;
	if (!err) {
		strbuf_clear(ret);
		strbuf_add(ret, text, length);
	}
	free(text);
	return err;
}

void count_block_set_connections(struct count_block *block, uint64_t n)
{
	atomic_store(&block->head->connections, n);
}

uint64_t count_block_connections(const struct count_block *block)
{
	return atomic_load(&block->head->connections);
}

void count_block_set_left(struct count_block *block)
{
	atomic_store(&block->head->left, 1);
}

bool count_block_has_left(const struct count_block *block)
{
	return atomic_load(&block->head->left) != 0;
}
