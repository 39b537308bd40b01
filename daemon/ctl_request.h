/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One request of the control socket, decoded and checked:
 *
 *     {"command":"weight","arguments":["origins","a","5"]}
 *
 * Members other than these two are refused, so that a misspelt one is not
 * silently without effect.
 *
 * Thread:  any (pure); control in practice.
 * Memory:  all copied into struct ctl_request; nothing to free.
 * Errors:  BR_E_SYNTAX with a sentence for the client.
 * Limits:  CTL_ARGUMENTS_MAX arguments of CTL_ARGUMENT_MAX bytes, of printable
 *          text without control characters.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CTL_ARGUMENTS_MAX 8
#define CTL_ARGUMENT_MAX 255
#define CTL_COMMAND_MAX 31

struct ctl_request {
	char command[CTL_COMMAND_MAX + 1];
	uint32_t n_arguments;
	char arguments[CTL_ARGUMENTS_MAX][CTL_ARGUMENT_MAX + 1];
};

#define CTL_REQUEST_ERROR_MAX 256

int ctl_request_parse(const char *text, size_t length, struct ctl_request *ret,
    char ret_error[CTL_REQUEST_ERROR_MAX]) BR_MUST_CHECK;
