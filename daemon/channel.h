/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Messages between two generations of braidd, with descriptors beside them:
 * a pair of unix sockets that keeps the bounds of messages. Long texts go in
 * sealed anonymous files instead, so that no message is ever too long.
 *
 *      old                               new
 *       ├─ HELLO  + manifest file ──────> │  protocol, what is passed
 *       ├─ SOCKETS + descriptors ───────> │  as many messages as needed
 *       │ <──────────── READY, REFUSED ───┤  listening: which it took; why not
 *       ├─ COMMIT + state file ─────────> │  the control socket is yours
 *       │ <─────────────────── SERVING ───┤
 *       │ <──────────── TERM, STOP ───────┤  later: the end of the whole
 *       └─ end of file: that generation has ended
 *
 * Thread:  any; one reader and one writer of an end at a time.
 * Memory:  descriptors received are the caller's, close-on-exec, and closed
 *          by channel_drop() while they are in the message.
 * Errors:  -errno; BR_E_CLOSED the other side is gone, BR_E_PROTOCOL what came
 *          is no message of ours, BR_E_VERSION another protocol, -ETIMEDOUT.
 * Limits:  CHANNEL_BYTES_MAX and CHANNEL_FDS_MAX (SCM_MAX_FD is 253).
 */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Bumped when the messages or the manifest change for older readers. */
#define CHANNEL_PROTOCOL 1
#define CHANNEL_BYTES_MAX 16384u
#define CHANNEL_FDS_MAX 200u
#define CHANNEL_FILE_MAX (256u << 20)

enum channel_type {
	CHANNEL_HELLO = 1,
	CHANNEL_SOCKETS,
	CHANNEL_READY,
	CHANNEL_REFUSED,
	CHANNEL_COMMIT,
	CHANNEL_SERVING,
	CHANNEL_TERM,
	CHANNEL_STOP,
};

struct channel_message {
	enum channel_type type;
	uint32_t n_bytes, n_fds;
	uint8_t bytes[CHANNEL_BYTES_MAX];
	int fds[CHANNEL_FDS_MAX];
};

/* Both ends close-on-exec and non-blocking. */
int channel_pair(int ret[2]) BR_MUST_CHECK;
int channel_send(int fd, enum channel_type type, const void *bytes,
    uint32_t n_bytes, const int *fds, uint32_t n_fds) BR_MUST_CHECK;
/* Waits at most timeout_ms (0: not at all). */
int channel_receive(
    int fd, int timeout_ms, struct channel_message *ret) BR_MUST_CHECK;
/* Closes what descriptors the message still has. */
void channel_drop(struct channel_message *message);

/* A sealed file with these bytes: a descriptor, or -errno. */
int channel_file_new(
    const char *name, const void *bytes, size_t length) BR_MUST_CHECK;
/* Its bytes in new memory; only a file that cannot change is read. */
int channel_file_read(int fd, void **ret, size_t *ret_length) BR_MUST_CHECK;
