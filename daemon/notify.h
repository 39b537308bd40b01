/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a service manager is told: one datagram of lines to the socket that
 * NOTIFY_SOCKET names. Without that variable nothing is sent.
 *
 *      start   READY=1          reload   RELOADING=1 ... READY=1
 *      stop    STOPPING=1       upgrade  MAINPID=new (from the old process)
 *      WATCHDOG_USEC            WATCHDOG=1 twice in that time
 *
 * Thread:  notify_watchdog_ms() and notify_send(): any; both only read the
 *          environment, which nobody changes after boot.
 * Errors:  0 or -errno; nobody there is no reason not to serve, so callers
 *          ignore it.
 * Source:  sd_notify(3), systemd's sd_watchdog_enabled(3).
 */
#include <stdint.h>

#include "base/error.h"

#define NOTIFY_TEXT_MAX 512

/* Lines without a final newline, as printf(). */
int notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* RELOADING=1 with the time that systemd wants beside it. */
int notify_reloading(void);
/* How often WATCHDOG=1 is due, in ms; 0: nobody waits for it. */
uint64_t notify_watchdog_ms(void);
