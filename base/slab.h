/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Fixed-size objects in one reserved address range. The range is mapped at
 * boot for the limit; pages are touched only when an object in them is first
 * used, and an object freed last is used first, so memory follows the load.
 *
 * Thread:  the owner. Statistics may be read by others (relaxed).
 * Memory:  objects live until slab_free(); slab_fini() unmaps all.
 * Errors:  slab_new() returns NULL at the limit.
 * Limits:  2^31 objects. Objects are aligned to 64 bytes when the size is a
 *          multiple of 64, else to 16.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct slab {
	char *base;
	void *free_head;
	size_t object_bytes;
	uint32_t limit;
	uint32_t touched; /* objects ever handed out */
	uint32_t used;
	const char *name;
};

int slab_init(struct slab *slab, const char *name, size_t object_bytes,
    uint32_t limit) BR_MUST_CHECK;
void slab_fini(struct slab *slab);
/* Contents are undefined (the previous user's, or zero). */
void *slab_new(struct slab *slab);
void slab_free(struct slab *slab, void *object);
/* Gives the memory back to the kernel when nothing is in use. */
void slab_trim(struct slab *slab);
/* Touches the memory of the first n objects (pre-fault at boot). */
void slab_prefault(struct slab *slab, uint32_t n);
/* Test seam: the n-th call of slab_new() from now (1 = the next) returns
 * NULL; 0 switches it off. Counted over all slabs of the thread. */
void slab_fail_nth(uint32_t n);
