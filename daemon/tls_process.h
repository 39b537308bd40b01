/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What all TLS contexts of the process share: the cache of sessions, and the
 * keys of session tickets, which change by the hour.
 *
 *      rotate ──> next set ──published──> workers: contexts of their plan
 *                 [o o o o N . . .]       (those of older plans keep theirs)
 *
 * Sets are plain data and never move; one is written over TLS_KEY_SETS - 1
 * rotations after it was superseded. By then no handshake points to it:
 * contexts of the plan in force are told at once, and those of older plans
 * have only handshakes left that began before, at most timeout.handshake ago.
 * (With that at more than TLS_KEY_SETS - 1 hours such a handshake would get
 * newer keys, which are as good.)
 *
 * Thread:  prepare: main at boot, then the clerk. rotate: control. keys: any.
 *          inherit, end: main, alone.
 * Memory:  embedded in struct daemon; zeroed at first.
 */
#include "conf/conf.h"
#include "io/tls_cache.h"
#include "io/tls_ticket.h"

#define TLS_KEY_SETS 8
#define TLS_ROTATE_NS (INT64_C(3600) * 1000 * 1000 * 1000)

struct tls_process {
	struct tls_cache *cache; /* NULL: nothing terminates TLS yet */
	struct tls_ticket_keys *keys; /* atomic; in force, of sets; or NULL */
	struct tls_ticket_keys sets[TLS_KEY_SETS];
};

/* Makes the cache and the first keys when the configuration terminates TLS
 * and there are none yet. */
int tls_process_prepare(
    struct tls_process *process, const struct conf *conf) BR_MUST_CHECK;
/* Ticket keys of an older generation, so that clients can resume what it has
 * begun; before tls_process_prepare(). Its session cache stays behind.
 * BR_E_PROTOCOL: these are none. */
int tls_process_inherit(struct tls_process *process, const void *bytes,
    size_t length) BR_MUST_CHECK;
void tls_process_end(struct tls_process *process);
/* Those in force, NULL when there are none. */
const struct tls_ticket_keys *tls_process_keys(
    const struct tls_process *process);
/* Puts the next set in force if the present one is an hour old, or the clock
 * was set back. True: workers are to be told. */
bool tls_process_rotate(struct tls_process *process, int64_t now_wall_ns);
