/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A command whose answer is shown again four times a second: on a terminal it
 * takes the screen until q or Ctrl-C and then gives it back, elsewhere it
 * prints one block after the other.
 *
 * Thread:  the only one.
 * Errors:  exit codes, as braidctl_client.
 */
#include <stdbool.h>

struct watch_options {
	const char *socket, *command;
	bool colour;
};

int watch_run(const struct watch_options *options, int argc, char **argv);
