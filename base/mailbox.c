/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mailbox.h"

#include "base/assert.h"
#include "base/race.h"

#include <ck_ring.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define CACHE_LINE 64

CK_RING_PROTOTYPE(message, message)

struct pair {
	ck_ring_t ring;
	struct message *slots;
};

/*
 * No wake-up is lost. The two sides do, each in this order:
 *
 *      sender:    push;         full fence;  look at may_sleep
 *      receiver:  may_sleep=1;  full fence;  look at the rings; sleep
 *
 * Whatever the interleaving, one of the two looks comes after the other
 * side's store: either the sender sees may_sleep and writes the eventfd, or
 * the receiver sees the message and does not report 0. Both may happen; that
 * costs one wake-up for nothing. While the receiver has not reported 0 since
 * the last wake-up, may_sleep is 0 and a post makes no system call.
 */
struct member {
	uint32_t may_sleep;
	int fd;
	uint32_t turn; /* the pair to look at first; the receiver's */
} __attribute__((aligned(CACHE_LINE)));

struct post_office {
	uint32_t count;
	struct member *members;
	struct pair *pairs; /* [to * count + from] */
};

static struct pair *pair_of(
    struct post_office *office, uint32_t from, uint32_t to)
{
	return &office->pairs[(size_t)to * office->count + from];
}

/* Zeroed and aligned to cache lines. */
static void *lines_alloc(size_t count, size_t each)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(count, each, &bytes) ||
	    bytes > SIZE_MAX / 2) {
		errno = ENOMEM;
		return NULL;
	}
	bytes = (bytes + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
	p = aligned_alloc(CACHE_LINE, bytes);
	if (p)
		memset(p, 0, bytes);
	return p;
}

static int pairs_open(struct post_office *office, uint32_t ring_size)
{
	size_t count = (size_t)office->count * office->count;

	office->pairs = lines_alloc(count, sizeof(*office->pairs));
	if (!office->pairs)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct pair *pair = &office->pairs[i];

		ck_ring_init(&pair->ring, ring_size);
		pair->slots = lines_alloc(ring_size, sizeof(*pair->slots));
		if (!pair->slots)
			return -ENOMEM;
	}
	return 0;
}

static int members_open(struct post_office *office)
{
	office->members = lines_alloc(office->count, sizeof(*office->members));
	if (!office->members)
		return -ENOMEM;
	for (uint32_t i = 0; i < office->count; i++)
		office->members[i].fd = -1;
	for (uint32_t i = 0; i < office->count; i++) {
		/* Blocking: a ring read of a non-blocking descriptor would
		 * come back with EAGAIN. A write of 1 never blocks. */
		office->members[i].fd = eventfd(0, EFD_CLOEXEC);
		if (office->members[i].fd < 0)
			return -errno;
		office->members[i].may_sleep = 1;
	}
	return 0;
}

struct post_office *post_office_new(uint32_t members, uint32_t ring_size)
{
	struct post_office *office;
	int rc;

	br_assert(members > 0);
	br_assert(ring_size > 1 && (ring_size & (ring_size - 1)) == 0);
	office = calloc(1, sizeof(*office));
	if (!office)
		return NULL;
	office->count = members;
	rc = members_open(office);
	if (!rc)
		rc = pairs_open(office, ring_size);
	if (rc) {
		post_office_free(office);
		errno = -rc;
		return NULL;
	}
	return office;
}

void post_office_free(struct post_office *office)
{
	if (!office)
		return;
	for (uint32_t i = 0; office->members && i < office->count; i++) {
		if (office->members[i].fd >= 0)
			close(office->members[i].fd);
	}
	for (size_t i = 0;
	     office->pairs && i < (size_t)office->count * office->count; i++)
		free(office->pairs[i].slots);
	free(office->pairs);
	free(office->members);
	free(office);
}

uint32_t post_office_members(const struct post_office *office)
{
	return office->count;
}

static void wake(struct member *member)
{
	const uint64_t one = 1;
	ssize_t rc;

	/* Of several senders the one that takes the flag writes. */
	if (!__atomic_exchange_n(&member->may_sleep, 0, __ATOMIC_SEQ_CST))
		return;
	do {
		rc = write(member->fd, &one, sizeof(one));
	} while (rc < 0 && errno == EINTR);
	br_assert(rc == (ssize_t)sizeof(one));
}

int mailbox_post(struct post_office *office, uint32_t from, uint32_t to,
    struct message message)
{
	struct member *member;
	struct pair *pair;
	bool pushed;

	br_assert(from < office->count && to < office->count);
	member = &office->members[to];
	pair = pair_of(office, from, to);
	message.from = from;
	br_race_release(pair);
	br_race_ignore_begin();
	pushed =
	    ck_ring_enqueue_spsc_message(&pair->ring, pair->slots, &message);
	br_race_ignore_end();
	if (!pushed)
		return -EAGAIN;
	ck_pr_fence_memory();
	if (__atomic_load_n(&member->may_sleep, __ATOMIC_RELAXED))
		wake(member);
	return 0;
}

static bool pop(struct pair *pair, struct message *ret)
{
	bool popped;

	br_race_ignore_begin();
	popped = ck_ring_dequeue_spsc_message(&pair->ring, pair->slots, ret);
	br_race_ignore_end();
	if (popped)
		br_race_acquire(pair);
	return popped;
}

/* One look at each pair, beginning after the one that was served last. */
static bool look(struct post_office *office, uint32_t to, struct message *ret)
{
	struct member *member = &office->members[to];

	for (uint32_t i = 0; i < office->count; i++) {
		uint32_t from = member->turn;

		member->turn = from + 1 < office->count ? from + 1 : 0;
		if (pop(pair_of(office, from, to), ret))
			return true;
	}
	return false;
}

int mailbox_receive(
    struct post_office *office, uint32_t to, struct message *ret)
{
	struct member *member;

	br_assert(to < office->count);
	member = &office->members[to];
	if (look(office, to, ret))
		return 1;
	/* Still set: nothing was posted since the last time, or it will be
	 * seen by the look below. */
	__atomic_store_n(&member->may_sleep, 1, __ATOMIC_SEQ_CST);
	ck_pr_fence_memory();
	if (!look(office, to, ret))
		return 0;
	__atomic_store_n(&member->may_sleep, 0, __ATOMIC_SEQ_CST);
	return 1;
}

int mailbox_eventfd(const struct post_office *office, uint32_t member)
{
	br_assert(member < office->count);
	return office->members[member].fd;
}
