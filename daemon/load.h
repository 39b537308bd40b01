/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The blocking part of a reload, done by the clerk in two steps: read and
 * check the file; then, when its names have been asked for (daemon/resolver),
 * compare it with the plan in force and build the next plan. Control owns the
 * job before and after; in between it leaves board references alone.
 *
 * Thread:  load_job_new/free: control; load_start/finish: clerk.
 * Memory:  `plan` and `published` are the reload's to publish; all else goes
 *          with the job.
 */
#include "base/arena.h"
#include "daemon/daemon.h"
#include "fleet/name_view.h"

/* What makes the next plan: the file, or names that stand for other addresses
 * while the file is as it was read. */
enum load_kind { LOAD_FILE, LOAD_NAMES };

/* What a configuration names, read and checked. */
struct load_files {
	struct tls_store *tls;
	struct dns_store *dns; /* NULL: no DNS */
};

struct load_job {
	enum load_kind kind;
	struct daemon *daemon;
	const struct plan *before;
	struct mono started;
	uint64_t dns_epoch; /* of the weights that it makes */
	/* -- answers -- */
	struct plan *plan; /* NULL: refused, or `same` */
	struct dns_published *published; /* with the plan */
	bool same; /* LOAD_NAMES: nothing has changed */
	struct conf_errors errors;
	struct plan_error plan_error; /* text "": the file itself is wrong */
	struct arena *arena; /* of the diff */
	struct conf_diff diff;
	struct board_row **reweighted;
	uint32_t n_reweighted;
	char summary[768];
	/* -- between the two steps -- */
	struct conf *conf; /* as read, without addresses of names */
	struct load_files files;
};

/* Reads and checks a configuration and the files that it names; what did not
 * change of those is shared with `before`, which may be NULL. Errors as of
 * conf_load(). */
int load_config(const char *file, const struct plan *before,
    struct conf_errors *errors, struct conf **ret_conf,
    struct load_files *ret_files) BR_MUST_CHECK;
void load_files_free(struct load_files *files);
struct load_job *load_job_new(
    struct daemon *daemon, const struct plan *before, enum load_kind kind);
void load_job_free(struct load_job *job);
/* Reads and checks. Whether load_finish() follows at once: otherwise it was
 * refused, as the answers say. */
bool load_start(struct load_job *job);
/* Compares and builds, with the addresses of names that `view` has. */
void load_finish(struct load_job *job, const struct name_view *view);
/* Says which servers with a name have no address (any more), or again. At the
 * start `before` and `diff` are NULL. */
void load_log_addresses(const struct conf *before, const struct conf *after,
    const struct conf_diff *diff, struct arena *arena);
/* The configuration as it was read, which a plan's was derived from. */
struct conf *load_origin(const struct plan *plan);
