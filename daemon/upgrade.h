/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Handing over to a new process, seen from the old one. Whatever fails, this
 * process goes on as if nobody had asked.
 *
 *   request ─> STARTING ──────────> COMMITTING ─────────> GIVEN
 *              a job spawns and     commands and          this is an old
 *              hands over           /metrics pause        generation: drains
 *                 │ failed             │ failed
 *                 └────────────────────┴──────────> IDLE, and the cause in
 *                                                   answer and log
 *
 * From READY on each listening socket has an accept in the new process. Then
 * this one cancels its own, waits for their terminal completions, and takes
 * what is in the queues: a connection whose wake-up went to a cancelled accept
 * would otherwise lie there until the next one comes. No listener is shut
 * down, and no queue is lost by a close, since the new process has the same
 * sockets.
 *
 * Thread:  control; upgrade_leave(): boot.
 * Memory:  struct upgrade is embedded; struct upgrade_result and its text are
 *          valid during on_done only.
 * Limits:  one at a time, and none while a reload runs; UPGRADE_BINARY_MAX
 *          bytes of path.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/timer.h"

struct control;
struct upgrade_job;

#define UPGRADE_BINARY_MAX 4096

enum upgrade_state {
	UPGRADE_IDLE,
	UPGRADE_RUNNING,
	UPGRADE_COMMITTING,
	UPGRADE_GIVEN,
};

struct upgrade_result {
	bool done;
	const char *text; /* why not */
	pid_t pid; /* of the new process */
	uint32_t generation; /* its number */
	uint32_t flows_left; /* with this one */
	int64_t took_ms;
};

typedef void upgrade_on_done(
    void *context, const struct upgrade_result *result);

struct upgrade {
	enum upgrade_state state;
	struct upgrade_job *job;
	int event_fd; /* -1: no job */
	uint64_t events;
	int channel; /* to the next generation once there is one, else -1 */
	struct timer look; /* at older generations */
	struct mono alone_by; /* then they have left, whatever they say */
	struct mono started;
	upgrade_on_done *on_done; /* NULL: nobody waits */
	void *context;
	char binary[UPGRADE_BINARY_MAX];
};

void upgrade_init(struct control *control);
/* `binary` NULL: the program that was started, from where it was started.
 * on_done may be NULL. An error and its reason: on_done is not called then,
 * else exactly once, later, unless it is forgotten. */
int upgrade_request(struct control *control, const char *binary,
    upgrade_on_done *on_done, void *context,
    const char **ret_reason) BR_MUST_CHECK;
void upgrade_forget(struct control *control, const void *context);
/* From the request until its end, whichever. */
bool upgrade_running(const struct control *control);
/* The new process has been told to take over, or has: what falls due now is
 * for it to do. */
bool upgrade_hands_over(const struct control *control);
/* This process is an old generation. */
bool upgrade_given(const struct control *control);

/* -- routed by control.c -- */
void upgrade_on_event(struct control *control);
void upgrade_on_channel(struct control *control);
/* The process begins to end. */
void upgrade_on_drain(struct control *control);
/* It ends: waits for the job if there is one. */
void upgrade_fini(struct control *control);

/* -- boot, when all other threads have ended -- */
/* The newest generation takes the end of the channel for the end of all
 * counting: it comes after the last counters. */
void upgrade_leave(struct control *control);
