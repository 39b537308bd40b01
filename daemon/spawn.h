/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Starts a braidd that takes over from this one: the channel is its descriptor
 * SPAWN_CHANNEL_FD, as SPAWN_ENVIRONMENT says; of all other descriptors it has
 * only stdin, stdout and stderr.
 *
 * Thread:  one that may block: the program is read from disk.
 * Errors:  -errno, among them those of execve(2).
 */
#include <sys/types.h>

#include "base/error.h"

#define SPAWN_ENVIRONMENT "BRAID_UPGRADE_FD"
#define SPAWN_CHANNEL_FD 3

int spawn_braidd(const char *binary, const char *config_file, int channel,
    pid_t *ret) BR_MUST_CHECK;
