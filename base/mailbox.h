/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Messages between threads. A post office has N members; between each pair
 * lies one bounded single-producer single-consumer ring (ck_ring), and each
 * member has one eventfd that its loop waits on.
 *
 *      worker 0 ──ring──> worker 1      one eventfd a member:
 *          └──────ring──> control       written only when the receiver
 *                                       has said that it may sleep
 *
 * Thread:  mailbox_post() by the thread that is member `from`;
 *          mailbox_receive() by the thread that is member `to`.
 * Memory:  messages are copied (MAILBOX_MESSAGE words); pointers within
 *          belong to whom the two sides agree on.
 * Errors:  -EAGAIN ring full: the sender decides (retry next turn, or drop).
 * Order:   kept per pair.
 */
#include <stdint.h>

#include "base/error.h"

struct message {
	uint32_t kind;
	uint32_t from; /* filled in by mailbox_post() */
	uint64_t number;
	void *pointer;
	void *pointer2;
};

struct post_office;

/* ring_size: slots per pair, a power of two, one of which stays empty. NULL
 * on ENOMEM/EMFILE with errno set. */
struct post_office *post_office_new(uint32_t members, uint32_t ring_size);
void post_office_free(struct post_office *office);
uint32_t post_office_members(const struct post_office *office);

int mailbox_post(struct post_office *office, uint32_t from, uint32_t to,
    struct message message) BR_MUST_CHECK;
/* 1 and a message, or 0 when there is none. Takes from the pairs in turn. */
int mailbox_receive(
    struct post_office *office, uint32_t to, struct message *ret);
/* The descriptor that becomes readable on new messages. The owner reads it
 * (8 bytes) and then receives until 0: only then will it be written again. It
 * is a blocking descriptor, made to be read through a ring. */
int mailbox_eventfd(const struct post_office *office, uint32_t member);
