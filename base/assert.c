/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Straight to the descriptor: the log's own state may be what is broken. */
_Noreturn void br_assert_failed(
    const char *expression, const char *file, int line)
{
	(void)dprintf(STDERR_FILENO, "braid: assertion failed: %s (%s:%d)\n",
	    expression, file, line);
	abort();
}

_Noreturn void br_out_of_memory(const char *what, size_t bytes)
{
	(void)dprintf(STDERR_FILENO, "braid: out of memory: %zu bytes for %s\n",
	    bytes, what);
	abort();
}
