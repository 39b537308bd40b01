/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A model's file, looked at before it becomes code of this process, and copied
 * to memory that has no name: what happens to the file afterwards (another in
 * its place, one written over it, cut off, deleted) changes nothing here, and
 * each load is an object of its own to the dynamic loader, which otherwise
 * takes a name that it knows for what it has in memory.
 *
 *      file ──open──> owner, mode, folders ──copy──> ELF whole? ──> descriptor
 *
 * Whose files are taken: root's and those of who runs this; nobody else may be
 * able to write the file, or to put another in its place, at any folder of its
 * path. A sticky folder (/tmp) is none where others replace what is not
 * theirs. A symbolic link is not followed: what it names could be swapped
 * without a reload, and the folders that count would be others.
 *
 * The ELF check is for files that were cut off while they were copied: the
 * loader maps what the headers promise, and the process would die by SIGBUS.
 * It is no defence against who may write the file, as that is code.
 *
 * Thread:  one that may block.
 * Memory:  the copy lives as long as the descriptor or a mapping of it.
 * Errors:  -errno of the file; BR_E_MODEL with the reason as text.
 * Limits:  MODEL_FILE_MAX bytes.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define MODEL_FILE_MAX (64u << 20)

/* Why it was refused, for an operator. */
struct model_why {
	char *text;
	uint32_t room;
};

/* Says why, and returns BR_E_MODEL. */
int model_refuse(const struct model_why *why, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The descriptor of the copy, and a hash of its bytes. */
int model_file_open(const char *path, const struct model_why *why, int *ret_fd,
    uint64_t *ret_hash) BR_MUST_CHECK;
/* The same of a file of anybody's, also through a link: for who has named it
 * by hand and runs its code as himself. */
int model_file_open_any(const char *path, const struct model_why *why,
    int *ret_fd, uint64_t *ret_hash) BR_MUST_CHECK;
/* Whether these bytes are a shared object of this machine's kind with nothing
 * missing that its headers promise: 0 or BR_E_MODEL. */
int model_file_check(const uint8_t *bytes, size_t size,
    const struct model_why *why) BR_MUST_CHECK;
