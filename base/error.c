/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static const char *errno_text(int code)
{
	static _Thread_local char unknown[40];
	const char *text = NULL;

	if (code < 0 && code != INT_MIN)
		text = strerrordesc_np(-code);
	if (text)
		return text;
	(void)snprintf(unknown, sizeof(unknown), "unknown error %d", code);
	return unknown;
}

const char *br_strerror(int code)
{
	switch (code) {
	case 0:
		return "success";
#define X(name, value, text)                                                   \
	case value:                                                            \
		return text;
		BR_ERROR_LIST(X)
#undef X
	default:
		return errno_text(code);
	}
}
