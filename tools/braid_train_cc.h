/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * C into a shared object by the system's compiler, `cc`, without a shell.
 *
 * Thread:  the only one; waits for the compiler.
 * Errors:  an exit status, with a sentence already said on stderr; the object
 *          that was there is then as it was.
 */
#include <stddef.h>

#include "base/error.h"

/* The object appears whole, under its name, or not at all: a daemon that has
 * the old one mapped keeps it. */
int train_compile(
    const char *source, size_t length, const char *object) BR_MUST_CHECK;
