/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The part of an upgrade that may block, on a thread of its own that lives as
 * long: start the new process, hand over, wait for it.
 *
 *      job                            control
 *       spawn, HELLO, SOCKETS
 *       READY came ──────event──────>  stops accepting commands
 *       api paused, counters written <──go──┘
 *       COMMIT, SERVING came
 *       done ────────────event──────>  drains; or goes on as before
 *
 * Thread:  upgrade_job_start/go/abort/join/end: control; the rest its own.
 * Memory:  upgrade_job_start() .. upgrade_job_end(), which waits for the
 *          thread; answers are control's to read once `phase` says so.
 * Errors:  in `err` and, for people, in `text`. After an error the new process
 *          is dead, waited for, and nothing of it is left.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "daemon/channel.h"
#include "daemon/daemon.h"

enum upgrade_phase { UPGRADE_STARTING, UPGRADE_READY, UPGRADE_DONE };

/* Flags in the first byte of READY; the bits of passed_taken() follow. */
#define UPGRADE_TOOK_CONTROL 1u
#define UPGRADE_TOOK_API 2u

struct upgrade_job {
	/* -- given -- */
	struct daemon *daemon;
	const struct plan *plan;
	const char *binary;
	uint64_t timeout_ms;
	int event_fd; /* written when the phase changes */
	/* -- both -- */
	sem_t go;
	_Atomic bool aborted;
	_Atomic int phase; /* enum upgrade_phase */
	pthread_t thread;
	/* -- answers -- */
	int err;
	char text[1024];
	pid_t pid;
	int channel; /* to the new process; -1 after an error */
	uint32_t taken_flags;
	uint32_t n_sockets;
	uint8_t taken[CHANNEL_BYTES_MAX]; /* as passed_taken() */
	bool joined; /* control's */
	/* -- its own -- */
	bool api_paused;
	struct channel_message message;
};

/* NULL: the thread cannot be made. */
struct upgrade_job *upgrade_job_start(struct daemon *daemon,
    const struct plan *plan, const char *binary, uint64_t timeout_ms,
    int event_fd);
/* Control has done its part of UPGRADE_READY. */
void upgrade_job_go(struct upgrade_job *job);
/* Before UPGRADE_READY; it ends soon. */
void upgrade_job_abort(struct upgrade_job *job);
bool upgrade_job_took(const struct upgrade_job *job, uint32_t socket);
/* Waits for the thread, which after UPGRADE_DONE has only its event to write:
 * before that it must keep the descriptor. */
void upgrade_job_join(struct upgrade_job *job);
/* Likewise, and frees; the channel is the caller's by then. */
void upgrade_job_end(struct upgrade_job *job);
