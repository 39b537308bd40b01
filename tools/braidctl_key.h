/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * `braidctl dns key`: makes the key of a zone, with no braidd.
 *
 * Thread:  the only one.
 * Errors:  an exit code, with a line on stderr.
 */

#include <stdbool.h>

/* ZONE FILE: the key goes to a new file of mode 0600; the DS record, for the
 * parent zone, is printed; as JSON in the form of braidd's answers. */
int key_run(bool json, int argc, char **argv);
