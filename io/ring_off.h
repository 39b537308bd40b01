/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Features of io_uring that a ring uses when the kernel has them and does
 * without when it has not. BRAID_IO_OFF in the environment switches them off
 * by name, so that the ways around them are tested on any kernel:
 *
 *      BRAID_IO_OFF=silent_send,recv_many braidd -f braid.yaml
 *      BRAID_IO_OFF=all
 *
 * Thread:  any; read by ring_init(), never after.
 * Errors:  ring_off_parse() -EINVAL a name that is not known; the others
 *          count all the same.
 */
#include <stdint.h>

#include "base/error.h"

#define RING_OFF_LIST(X)                                                       \
	X(SILENT_SEND, "silent_send") /* every send has a completion */        \
	X(REGISTERED_RING, "registered_ring")                                  \
	X(RECV_MANY, "recv_many") /* multishot receives are one-shot */        \
	X(ACCEPT_MANY, "accept_many") /* likewise */                           \
	X(LARGE_PAGES, "large_pages")                                          \
	X(SHRINK, "shrink") /* old generations keep their rings as they are */

enum ring_off_bit {
#define X(name, text) RING_OFF_BIT_##name,
	RING_OFF_LIST(X)
#undef X
	    RING_OFF_N
};

enum ring_off {
#define X(name, text) RING_OFF_##name = 1 << RING_OFF_BIT_##name,
	RING_OFF_LIST(X)
#undef X
};

int ring_off_parse(const char *text, uint32_t *ret) BR_MUST_CHECK;
/* What the environment switches off; 0 if it says nothing. */
uint32_t ring_off_environment(void);
const char *ring_off_name(uint32_t bit);
