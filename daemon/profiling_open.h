/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The profiler as a configuration wants it: its model, checked and in memory,
 * and how many flows are recorded. One of a plan; workers hold it from adopt
 * to adopt, so it is unloaded when all workers have left the plan.
 *
 * A reload of the file reads the model anew, whatever it was before: the old
 * one stands beside it until all workers have left its plan, which is soon and
 * does not wait for flows. A plan that only has other addresses of names shares
 * what the plan before it has: files change nothing then.
 *
 * Without one (model: none) classes stay unknown, and flows are recorded all the
 * same to train one.
 *
 * Thread:  the clerk, or main at boot.
 * Memory:  from profiling_open() until profiling_close() was called once for
 *          it and once for each profiling_share(). References are the clerk's.
 * Errors:  a line in `errors` for what the file names.
 */
#include "conf/conf.h"
#include "lb/flow_profile.h"

struct profiling_open {
	struct profiling profiling;
	struct model model;
	uint32_t references;
};

/* Whether the model of this configuration can be used, and flows be recorded
 * where it says: 0 or BR_E_CONFIG. */
int profiling_check(
    const struct conf *conf, struct conf_errors *errors) BR_MUST_CHECK;
/* NULL in *ret where the profiler is off. -errno or BR_E_MODEL, with a text. */
int profiling_open(const struct conf *conf, struct profiling_open **ret,
    char *ret_why, uint32_t why_room) BR_MUST_CHECK;
/* The same once more; NULL gives NULL. */
struct profiling_open *profiling_share(struct profiling_open *open);
void profiling_close(struct profiling_open *open);
/* Whether both classify by the same model; NULL: by none. */
bool profiling_same_model(
    const struct profiling_open *a, const struct profiling_open *b);
/* What it calls itself, and a number of its bytes: NULL and 0 where there is
 * none. */
const char *profiling_model_name(const struct profiling_open *open);
uint64_t profiling_model_hash(const struct profiling_open *open);
/* The model's file if this user may not read it, else NULL. */
const char *profiling_forbidden(const struct conf *conf);
/* Whether this user may not make files in the folder of recorded flows. */
bool profiling_cannot_record(const struct conf *conf);
