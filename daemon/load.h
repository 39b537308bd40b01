/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The blocking part of a reload, done by the clerk: read and check the file,
 * compare it with the plan in force, build the next plan. Control owns the
 * job before and after; in between it leaves board references alone.
 *
 * Thread:  load_job_new/free: control; load_run: clerk.
 * Memory:  `plan` is the reload's to publish; all else goes with the job.
 */
#include "base/arena.h"
#include "daemon/daemon.h"

struct load_job {
	struct daemon *daemon;
	const struct plan *before;
	struct mono started;
	/* -- answers -- */
	struct plan *plan; /* NULL: refused */
	struct conf_errors errors;
	struct plan_error plan_error; /* text "": the file itself is wrong */
	struct arena *arena; /* of the diff */
	struct conf_diff diff;
	struct board_row **reweighted;
	uint32_t n_reweighted;
	char summary[768];
};

/* Reads and checks a configuration and the files that it names; what did not
 * change of those is shared with `before`, which may be NULL. Errors as of
 * conf_load(). */
int load_config(const char *file, const struct tls_store *before,
    struct conf_errors *errors, struct conf **ret_conf,
    struct tls_store **ret_tls) BR_MUST_CHECK;
struct load_job *load_job_new(struct daemon *daemon, const struct plan *before);
void load_job_free(struct load_job *job);
void load_run(struct load_job *job);
