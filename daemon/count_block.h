/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The counters of one generation in an anonymous file that the next ones hold
 * too: they can be read while that process lives and after it has died, in
 * whatever way.
 *
 *      page 0: sequence, length, connections, left   text of /metrics from page 1
 *
 * The writer makes the sequence odd, writes, makes it even; a reader that
 * finds it odd or changed has read nothing.
 *
 * Thread:  one writer; readers any, each call on its own.
 * Memory:  count_block_new/open() .. count_block_close(), which closes the
 *          descriptor.
 * Errors:  -errno; -EAGAIN the writer is at work, BR_E_PROTOCOL no such file.
 * Limits:  COUNT_BLOCK_MAX bytes of text.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

#define COUNT_BLOCK_MAX (256u << 20)

struct count_head;

struct count_block {
	int fd; /* -1: none */
	struct count_head *head;
};

int count_block_new(struct count_block *ret) BR_MUST_CHECK;
/* Takes the descriptor over, also after an error. */
int count_block_open(struct count_block *ret, int fd) BR_MUST_CHECK;
void count_block_close(struct count_block *block);

int count_block_write(
    struct count_block *block, const char *text, size_t length) BR_MUST_CHECK;
/* Replaces what is in ret on success. */
int count_block_read(
    const struct count_block *block, struct strbuf *ret) BR_MUST_CHECK;
/* Client connections that are open now: a word of its own, written more
 * often than the text. */
void count_block_set_connections(struct count_block *block, uint64_t n);
uint64_t count_block_connections(const struct count_block *block);
/* Likewise: its process takes nothing new any more, not from queues either. */
void count_block_set_left(struct count_block *block);
bool count_block_has_left(const struct count_block *block);
