/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "daemon/control_state.h"

/*
 * The end of a plan, in which control only passes messages on:
 *
 *   workers ──LEFT──> control ──RETIRE──> clerk: waits for its flows to end
 *      ^                 │ <────UNUSED──────┘
 *      └──────FENCE──────┤
 *   workers ──FENCED───> └─────FREE───> clerk: frees
 *
 * The fence makes sure that no message between workers that names an object
 * of the plan is still under way.
 */

/* n_left counts both rounds of answers, one after the other. */
static bool all_answered(struct control *control, struct plan *plan)
{
	br_assert(plan->n_left < control->daemon->n_workers);
	if (++plan->n_left < control->daemon->n_workers)
		return false;
	plan->n_left = 0;
	return true;
}

static void tell_clerk(struct control *control, uint32_t kind, void *plan)
{
	control_post(control, control->daemon->member_clerk,
	    (struct message){.kind = kind, .pointer = plan});
}

void retire_on_left(struct control *control, struct plan *plan)
{
	if (!all_answered(control, plan))
		return;
	list_remove(&plan->retired);
	tell_clerk(control, DAEMON_RETIRE, plan);
}

void retire_on_unused(struct control *control, struct plan *plan)
{
	control_post_workers(
	    control, (struct message){.kind = DAEMON_FENCE, .pointer = plan});
}

void retire_on_fenced(struct control *control, struct plan *plan)
{
	if (all_answered(control, plan))
		tell_clerk(control, DAEMON_FREE, plan);
}
