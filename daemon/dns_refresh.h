/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Control's side of what the responder answers from, between reloads: weights
 * that follow what is known about POPs, and zones that are loaded anew.
 *
 *      a POP's health, drain, weight ─┐                       clerk
 *      the policy is due ─────────────┼─> request ──job──> new view
 *      braidctl dns reload ZONE ──────┘                       │
 *                         publish <─────────────────job───────┘
 *
 * One job at a time; what changes meanwhile is looked at by the next. A job
 * whose plan is not in force any more when it comes back is thrown away: the
 * plan that is has been made from what is known since.
 *
 * Thread:  control; dns_refresh_do() the clerk.
 * Memory:  a job is allocated by control and freed by the clerk.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/timer.h"

struct control;
struct daemon;
struct dns_job;
struct dns_published;

/* One line a problem, as of a reload; valid during the call. */
typedef void dns_reload_on_done(
    void *context, bool accepted, const char *const *lines, uint32_t n_lines);

struct dns_refresh {
	struct dns_job *job; /* under way; NULL: none */
	bool again; /* something has changed since it began */
	uint64_t epoch; /* of the last policy that was asked for */
	struct timer timer; /* the policy in force is due */
	struct timer soon; /* loads have changed */
};

void dns_refresh_init(struct control *control);
/* What is known about POPs has changed. */
void dns_refresh_request(struct control *control);
/* Their load has changed: not at once, so that many of them cost one job. */
void dns_refresh_soon(struct control *control);
/* Loads one zone of the plan in force anew. -EBUSY: a reload or another of
 * these is under way; on_done is not called then, else exactly once, later. */
int dns_refresh_zone(struct control *control, uint32_t zone,
    dns_reload_on_done *on_done, void *context) BR_MUST_CHECK;
/* Whether a zone is being loaded or signed anew: then no reload starts. */
bool dns_refresh_loads(const struct control *control);
/* The context is about to die. */
void dns_refresh_forget(struct control *control, void *context);
/* All threads have ended: frees a job that was under way. */
void dns_refresh_end(struct control *control);
/* A plan is published, and this with it. */
void dns_refresh_publish(struct control *control, struct dns_published *next);
/* A job is back (DAEMON_DNS_DONE). */
void dns_refresh_on_done(struct control *control, struct dns_job *job);

/* -- the clerk -- */
void dns_refresh_do(struct daemon *daemon, struct dns_job *job);
/* Frees a job that control is done with, with what it replaced. */
void dns_refresh_drop(struct dns_job *job);
/* Frees what is not in force any more. */
void dns_refresh_free(struct daemon *daemon, struct dns_published *published);
