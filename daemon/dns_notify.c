/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dns_notify.h"

#include "base/assert.h"
#include "base/cursor.h"
#include "base/list.h"
#include "base/log.h"
#include "base/rng.h"
#include "daemon/dns_store.h"
#include "dnsd/transfer.h"
#include "dnsd/zone_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A name, an SOA with two more and a signature. */
#define MESSAGE_MAX 2048u
#define NOTIFY_ANSWER 0xa000u /* QR and opcode 4 */
#define NOTIFY_OPCODE 0xf800u

struct notice {
	struct list_node link;
	uint8_t apex[DNAME_MAX];
	struct addr to, from; /* from: length 0 the kernel's choice */
	uint8_t message[MESSAGE_MAX];
	size_t length;
	uint32_t tries;
	struct mono due;
	int fd; /* -1: not begun */
};

struct dns_notify {
	struct list notices; /* struct notice, oldest first */
	uint32_t n, n_sockets;
	struct rng rng;
};

struct dns_notify *dns_notify_new(void)
{
	struct dns_notify *notify = calloc(1, sizeof *notify);

	if (!notify)
		br_out_of_memory("DNS", sizeof *notify);
	list_init(&notify->notices);
	rng_seed_random(&notify->rng);
	return notify;
}

static struct notice *notice_of(struct list_node *node)
{
	return br_container_of(node, struct notice, link);
}

static void drop(struct dns_notify *notify, struct notice *notice)
{
	if (notice->fd >= 0) {
		close(notice->fd);
		notify->n_sockets--;
	}
	list_remove(&notice->link);
	notify->n--;
	free(notice);
}

void dns_notify_free(struct dns_notify *notify)
{
	LIST_FOREACH_SAFE (node, following, &notify->notices)
		drop(notify, notice_of(node));
	free(notify);
}

/* -- who is told what -------------------------------------------------- */

static void forget(struct dns_notify *notify, const uint8_t *apex)
{
	LIST_FOREACH_SAFE (node, following, &notify->notices)
		if (dname_equal(notice_of(node)->apex, apex))
			drop(notify, notice_of(node));
}

static void add(struct dns_notify *notify,
    const struct dns_store_transfer *transfer, const struct addr *to,
    const struct addr *from)
{
	struct notice *notice;

	if (notify->n == DNS_NOTIFY_MAX) {
		log_event(LOG_WARN, "a secondary is not told of a change",
		    "cause=\"too many at a time\" max=%u", DNS_NOTIFY_MAX);
		return;
	}
	notice = calloc(1, sizeof *notice);
	if (!notice)
		br_out_of_memory("DNS", sizeof *notice);
	(void)dname_copy(notice->apex, zone_apex(transfer->zone));
	notice->to = *to;
	notice->from = *from;
	notice->fd = -1;
	notice->length = transfer_notify(transfer->zone,
	    (uint16_t)rng_u64(&notify->rng), transfer->key, wall_now(),
	    notice->message, sizeof notice->message);
	list_push_back(&notify->notices, &notice->link);
	notify->n++;
}

/* RFC 1982: secondaries take it for older than what they have, as after the end
 * of signing, which adds to the serial. */
static void warn_of_fall(const struct zone *old, const struct zone *zone)
{
	uint32_t before = zone_serial(old), now = zone_serial(zone);
	char name[DNAME_TEXT_MAX];

	if ((int32_t)(now - before) >= 0)
		return;
	(void)dname_to_text(zone_apex(zone), name);
	log_event(LOG_WARN,
	    "the serial of a zone has fallen, secondaries keep what they have",
	    "zone=%s serial=%u before=%u", name, now, before);
}

void dns_notify_changed(struct dns_notify *notify,
    const struct dns_store *before, const struct dns_store *now)
{
	const struct zone_set *set = now ? dns_store_zones(now) : NULL;

	for (uint32_t i = 0; set && i < zone_set_count(set); i++) {
		const struct zone *zone = zone_set_at(set, i), *old = NULL;
		const struct dns_store_transfer *transfer =
		    dns_store_transfer(now, zone);

		if (!transfer->n_notify)
			continue;
		if (before)
			old = zone_set_get(
			    dns_store_zones(before), zone_apex(zone));
		if (old && zone_serial(old) == zone_serial(zone))
			continue;
		if (old)
			warn_of_fall(old, zone);
		forget(notify, zone_apex(zone));
		for (uint32_t k = 0; k < transfer->n_notify; k++)
			add(notify, transfer, &transfer->notify[k],
			    dns_store_source(now, &transfer->notify[k]));
	}
}

/* -- telling ----------------------------------------------------------- */

static void say(
    const struct notice *notice, enum log_level level, const char *cause)
{
	char name[DNAME_TEXT_MAX], to[ADDR_TEXT_MAX];

	(void)dname_to_text(notice->apex, name);
	addr_format(&notice->to, to);
	log_event(level,
	    level == LOG_WARN ? "a secondary is not told of a change"
			      : "a secondary is told of a change",
	    "zone=%s address=%s tries=%u%s%s%s", name, to, notice->tries,
	    cause ? " cause=\"" : "", cause ? cause : "", cause ? "\"" : "");
}

static int open_socket(const struct notice *notice)
{
	int fd = socket(notice->to.sa.sa_family,
	    SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	if ((notice->from.length &&
		bind(fd, &notice->from.sa, notice->from.length)) ||
	    connect(fd, &notice->to.sa, notice->to.length)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* Whether it is over. */
static bool try_once(
    struct dns_notify *notify, struct notice *notice, struct mono now)
{
	if (notice->tries == DNS_NOTIFY_TRIES) {
		say(notice, LOG_WARN, "no answer");
		return true;
	}
	if (notice->fd < 0) {
		if (notify->n_sockets == DNS_NOTIFY_SOCKETS)
			return false;
		notice->fd = open_socket(notice);
		if (notice->fd < 0) {
			say(notice, LOG_WARN, br_strerror(notice->fd));
			notice->fd = -1;
			return true;
		}
		notify->n_sockets++;
	}
	/* What fails here (a port that was closed a moment ago) is tried again
	 * like what is lost on the way. */
	(void)!send(notice->fd, notice->message, notice->length, MSG_NOSIGNAL);
	notice->due =
	    mono_add_ms(now, (int64_t)DNS_NOTIFY_FIRST_MS << notice->tries);
	notice->tries++;
	return false;
}

/* An answer to the message, from whom it went to (the socket is connected). */
static bool is_answer(const struct notice *notice, const uint8_t *bytes,
    size_t length, uint16_t *ret_rcode)
{
	struct cursor in = cursor_of(bytes, length);
	uint16_t id, flags;

	if (!cursor_be16(&in, &id) || !cursor_be16(&in, &flags))
		return false;
	*ret_rcode = flags & 15u;
	return !memcmp(bytes, notice->message, sizeof id) &&
	       (flags & NOTIFY_OPCODE) == NOTIFY_ANSWER;
}

/* Whether it is over. */
static bool hear(const struct notice *notice)
{
	uint8_t bytes[MESSAGE_MAX];
	uint16_t rcode;

	for (uint32_t i = 0; notice->fd >= 0 && i < DNS_NOTIFY_TRIES; i++) {
		ssize_t n = recv(notice->fd, bytes, sizeof bytes, 0);

		if (n < 0)
			return false;
		if (!is_answer(notice, bytes, (size_t)n, &rcode))
			continue;
		if (rcode)
			say(notice, LOG_WARN, "it answered with an error");
		else
			say(notice, LOG_DEBUG, NULL);
		return true;
	}
	return false;
}

void dns_notify_turn(struct dns_notify *notify, struct mono now)
{
	LIST_FOREACH_SAFE (node, following, &notify->notices) {
		struct notice *notice = notice_of(node);

		if (hear(notice) || (mono_diff_ns(now, notice->due) >= 0 &&
					try_once(notify, notice, now)))
			drop(notify, notice);
	}
}
