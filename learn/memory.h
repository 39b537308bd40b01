/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Arrays of the heap for training, which happens in tools and on threads of
 * its own, never beside traffic.
 *
 * Thread:  any.
 * Memory:  free() gives an array back.
 * Errors:  out of memory ends the process with a message.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/assert.h"

/* n zeroed elements; an array of none has an address, too. */
static inline void *memory_array(size_t n, size_t bytes)
{
	void *array = calloc(n ? n : 1, bytes);

	if (!array)
		br_out_of_memory("training", n);
	return array;
}

/* The array with room for n elements; what is new is undefined. */
static inline void *memory_grown(void *array, size_t n, size_t bytes)
{
	void *grown = n <= SIZE_MAX / bytes ? realloc(array, n * bytes) : NULL;

	if (!grown)
		br_out_of_memory("training", n);
	return grown;
}
