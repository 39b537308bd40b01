/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * `braidctl top`: rates of a running braidd, renewed each second. On a terminal
 * it takes the screen until q or Ctrl-C and then gives it back; elsewhere it
 * prints one plain block a second.
 *
 * Thread:  the only one.
 * Errors:  exit codes, as braidctl_client.
 * Limits:  rates are differences of two answers, so the first screen has none.
 */
#include <stdbool.h>
#include <stdint.h>

struct top_options {
	const char *socket;
	uint32_t count; /* screens; 0: until told to end */
	bool colour;
};

int top_run(const struct top_options *options);
