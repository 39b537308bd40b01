/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The kinds of flows that the profiler tells apart: their names in the
 * configuration, in logs, metrics and models. How they are told apart stands in
 * profiler/profile.h.
 *
 * Thread:  any (constant).
 */
#include <stdbool.h>

/* X(id, name, help) */
#define FLOW_CLASS_LIST(X)                                                     \
	X(UNKNOWN, "unknown", "nothing was seen yet, or the model is unsure")  \
	X(REQUEST, "request", "many small turns: requests and answers")        \
	X(BULK, "bulk", "as many bytes as the network carries")                \
	X(STREAM, "stream", "paced media")                                     \
	X(INTERACTIVE, "interactive", "small and irregular, latency counts")   \
	X(PUSH, "push", "long idle, a little now and then")

enum flow_class {
#define X(id, name, help) FLOW_CLASS_##id,
	FLOW_CLASS_LIST(X)
#undef X
	    N_FLOW_CLASSES
};

const char *flow_class_name(enum flow_class class);
/* What flows of it are like, for an operator. */
const char *flow_class_text(enum flow_class class);
/* False, and *ret untouched, when there is none of that name. */
bool flow_class_find(const char *name, enum flow_class *ret);
