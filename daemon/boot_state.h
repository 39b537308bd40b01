/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What boot has made so far, for the steps of boot.c (what to run with),
 * boot_open.c (sockets and folders) and boot_threads.c.
 *
 * Thread:  main.
 * Memory:  one, on the heap while the process lives.
 */
#include "daemon/api.h"
#include "daemon/boot.h"
#include "daemon/clerk.h"
#include "daemon/control_state.h"
#include "daemon/generations.h"
#include "daemon/limits.h"
#include "daemon/load.h"
#include "daemon/privileges.h"
#include "daemon/worker_loop.h"

#define BOOT_WARNINGS_MAX 16

struct boot {
	struct daemon daemon;
	struct control control;
	struct clerk clerk;
	struct resolver *resolver;
	struct gate gate;
	struct worker_loop *loops; /* [n_workers] */
	struct load_files files; /* until the plan has them */
	struct conf *conf; /* until the plan takes it */
	struct plan *plan; /* the first; later ones are control's */
	struct generations generations;
	struct inherit *inherit; /* NULL: started by nobody's upgrade */
	struct privileges privileges;
	struct lb_limits limits;
	int signal_fd, control_fd, api_fd,
	    agent_fd; /* -1: not open (any more) */
	dev_t control_device;
	ino_t control_inode;
	uint32_t n_warnings;
	char warnings[BOOT_WARNINGS_MAX][256];
};

/* "braidd: ..." on stderr; returns `code`. */
int boot_fail(int code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Said after start, when the log is ready. */
void boot_warn(struct boot *boot, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

int boot_open(struct boot *boot) BR_MUST_CHECK;
void boot_close(struct boot *boot);

/* Asks for the names of servers and makes the plan anew with what is known;
 * waits a bounded time. The privileges are dropped by now. */
int boot_names(struct boot *boot) BR_MUST_CHECK;
/* Starts all threads, waits for their end; an exit code. */
int boot_threads(struct boot *boot) BR_MUST_CHECK;
