/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the user_data of a ring operation points to. Every object that hands
 * operations to the kernel begins with a struct op_owner and is aligned to 64
 * bytes; the low bits of user_data are a tag of the owner's choosing that says
 * which of its operations completed, and one bit of the ring's own.
 *
 *      user_data = (struct op_owner *) | inline send? | tag
 *                       │
 *                       └─ magic checked, then owner->class->on_complete()
 *
 * Who completes, exactly once: every operation submitted through io/ring
 * gives exactly one terminal completion (OP_MORE clear) to its owner, also
 * when it is cancelled; multishot operations give any number with OP_MORE set
 * before. The owner counts its operations in flight and is freed only when
 * the count is zero.
 *
 * Thread:  the one that owns the ring.
 */
#include <stdint.h>

#define OP_TAG_MASK 31u
#define OP_INLINE_SEND 32u
#define OP_OWNER_ALIGN 64u

/* Flags of a completion. */
#define OP_MORE 1u /* multishot: more completions will follow */
#define OP_BUFFER 2u /* `buffer` names a ring buffer, now ours */
#define OP_NONEMPTY 4u /* the socket had more to read */

struct op_owner;

struct op_result {
	int32_t res; /* >= 0, or -errno */
	uint32_t flags;
	uint16_t buffer; /* with OP_BUFFER */
};

struct op_class {
	uint32_t magic;
	const char *name;
	void (*on_complete)(
	    struct op_owner *owner, unsigned tag, struct op_result result);
};

struct op_owner {
	uint32_t magic;
	uint32_t in_flight; /* kept by io/ring */
	const struct op_class *class;
};
