/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The profiler as a configuration wants it: its model, checked and in memory,
 * and how many flows are recorded. One of a plan; workers hold it from adopt
 * to adopt, so it is unloaded when all workers have left the plan.
 *
 * Two plans with the same file share the object in memory by the loader's own
 * count. A model that was replaced is another file (rename(2), as braid-train
 * does) and stands beside the old one until that is unused.
 *
 * There is no built-in model yet: with it classes stay unknown, and flows are
 * recorded to train one.
 *
 * Thread:  the clerk, or main at boot.
 * Memory:  profiling_open() to profiling_close().
 * Errors:  a line in `errors` for what the file names.
 */
#include "conf/conf.h"
#include "lb/flow_profile.h"

struct profiling_open {
	struct profiling profiling;
	struct model model;
};

/* Whether the model of this configuration can be used: 0 or BR_E_CONFIG. */
int profiling_check(
    const struct conf *conf, struct conf_errors *errors) BR_MUST_CHECK;
/* NULL in *ret where the profiler is off. -errno or BR_E_MODEL, with a text. */
int profiling_open(const struct conf *conf, struct profiling_open **ret,
    char *ret_why, uint32_t why_room) BR_MUST_CHECK;
void profiling_close(struct profiling_open *open);
