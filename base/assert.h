/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Assertions for our own bugs, also in release builds. Input from clients,
 * servers, config or the kernel is never asserted: it gets an error code.
 *
 * MAGIC: objects whose pointer comes back from the kernel or from another
 * thread start with a magic number, checked when they return.
 *
 * Thread:  any.
 */
#include <stddef.h>

_Noreturn void br_assert_failed(
    const char *expression, const char *file, int line);
/* For the few allocations of boot and clerk that have no sensible way on. */
_Noreturn void br_out_of_memory(const char *what, size_t bytes);

#define br_assert(expression)                                                  \
	(__builtin_expect(!!(expression), 1)                                   \
		? (void)0                                                      \
		: br_assert_failed(#expression, __FILE__, __LINE__))

#define br_container_of(pointer, type, member)                                 \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define BR_COUNT(array) (sizeof(array) / sizeof((array)[0]))
