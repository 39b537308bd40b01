/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * From a file name to a serving process, and back to nothing:
 *
 *   configuration, limits, io_uring      plain messages, nothing is open yet
 *        │
 *   folders, control, api, listeners     as root, if we are
 *        │
 *   global.user                          for good
 *        │
 *   clerk, workers, control              all or none (gate)
 *        │
 *   serving ... control ends ... undone in reverse
 *
 * Thread:  main, which then sleeps until control has ended.
 * Memory:  all of it is freed before the return, also after a failure.
 * Errors:  an enum exit_code; what was missing and what to do about it has
 *          been said on stderr.
 */
#include "daemon/exit_code.h"

/* `braidd -c`: prints all errors and warnings, or a line of counts. */
int boot_check(const char *file);
int boot_run(const char *file);
