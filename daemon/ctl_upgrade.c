/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl_command.h"

#include "daemon/upgrade.h"

/* `upgrade`: waits for the new process, which may take as long as
 * upgrade.timeout says. */

static void on_done(void *context, const struct upgrade_result *result)
{
	struct ctl_call *call = context;
	struct json *j = &call->json;

	call->on_abandon = NULL;
	if (!result->done) {
		ctl_fail(call, CTL_FAILED, "upgrade failed: %s", result->text);
		return;
	}
	ctl_begin(call);
	json_int(j, "pid", result->pid);
	json_uint(j, "generation", result->generation);
	json_int(j, "old_pid", control_daemon(call->control)->pid);
	json_uint(j, "flows_left", result->flows_left);
	json_int(j, "took_ms", result->took_ms);
	ctl_end(call);
}

static void on_abandon(struct ctl_call *call)
{
	upgrade_forget(call->control, call);
}

void ctl_upgrade(struct ctl_call *call)
{
	const char *binary = ctl_argument(call, 0);
	const char *reason;
	int err;

	if (binary && binary[0] != '/') {
		ctl_fail(call, CTL_USAGE,
		    "upgrade: the program needs an absolute path");
		return;
	}
	err = upgrade_request(call->control, binary, on_done, call, &reason);
	if (err) {
		ctl_fail(call, CTL_TEMPORARY, "upgrade refused: %s", reason);
		return;
	}
	call->on_abandon = on_abandon;
}
