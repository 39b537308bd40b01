/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl_request.h"

#include <string.h>

#include "base/assert.h"

/* Requests of the control socket: whatever comes, an error has a sentence and
 * a request has terminated, printable texts within their bounds. */

static void check_text(const char *text, size_t room)
{
	br_assert(memchr(text, '\0', room));
	for (; *text; text++)
		br_assert((unsigned char)*text >= 0x20 && *text != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[CTL_REQUEST_ERROR_MAX] = "";
	struct ctl_request request;

	if (ctl_request_parse((const char *)data, size, &request, error)) {
		br_assert(error[0] && memchr(error, '\0', sizeof(error)));
		return 0;
	}
	check_text(request.command, sizeof(request.command));
	br_assert(request.command[0]);
	br_assert(request.n_arguments <= CTL_ARGUMENTS_MAX);
	for (uint32_t i = 0; i < request.n_arguments; i++)
		check_text(request.arguments[i], sizeof(request.arguments[i]));
	return 0;
}
