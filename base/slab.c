/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slab.h"

#include "base/assert.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SLAB_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLAB_POISON 1
#endif
#endif

#define SLAB_LIMIT_MAX (UINT32_C(1) << 31)
#define SLAB_ALIGN 16

/* The head of a free object. */
struct link {
	struct link *next;
};

static _Thread_local uint32_t fail_countdown;

#ifdef SLAB_POISON
#include <sanitizer/asan_interface.h>

/* The link word stays accessible: the free list runs through it. */
static void poison(struct slab *slab, char *object)
{
	br_assert((size_t)(object - slab->base) % slab->object_bytes == 0);
	/* A poisoned object is free already. */
	br_assert(!__asan_address_is_poisoned(object + sizeof(struct link)));
	__asan_poison_memory_region(object + sizeof(struct link),
	    slab->object_bytes - sizeof(struct link));
}

static void unpoison(const char *bytes, size_t length)
{
	__asan_unpoison_memory_region(bytes, length);
}
#else
static void poison(struct slab *slab, char *object)
{
	(void)slab;
	(void)object;
}

static void unpoison(const char *bytes, size_t length)
{
	(void)bytes;
	(void)length;
}
#endif

/* The counts have one writer; others read them relaxed. */
static void count_set(uint32_t *count, uint32_t v)
{
	__atomic_store_n(count, v, __ATOMIC_RELAXED);
}

int slab_init(
    struct slab *slab, const char *name, size_t object_bytes, uint32_t limit)
{
	size_t bytes;
	void *base;

	if (!object_bytes || object_bytes > SIZE_MAX / 2 || !limit ||
	    limit > SLAB_LIMIT_MAX)
		return -EINVAL;
	object_bytes =
	    (object_bytes + SLAB_ALIGN - 1) & ~(size_t)(SLAB_ALIGN - 1);
	if (__builtin_mul_overflow(object_bytes, (size_t)limit, &bytes))
		return -ENOMEM;
	/* NORESERVE: the limit is an address range, not a promise of memory. */
	base = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return -errno;
	*slab = (struct slab){.base = base,
	    .object_bytes = object_bytes,
	    .limit = limit,
	    .name = name};
	return 0;
}

void slab_fini(struct slab *slab)
{
	if (!slab->base)
		return;
	/* The addresses may be mapped again by others. */
	unpoison(slab->base, slab->object_bytes * slab->touched);
	(void)munmap(slab->base, slab->object_bytes * slab->limit);
	*slab = (struct slab){0};
}

void slab_fail_nth(uint32_t n)
{
	fail_countdown = n;
}

void *slab_new(struct slab *slab)
{
	struct link *object = slab->free_head;

	if (__builtin_expect(fail_countdown != 0, 0) && --fail_countdown == 0)
		return NULL;
	if (object) {
		slab->free_head = object->next;
		unpoison((char *)object, slab->object_bytes);
	} else if (slab->touched < slab->limit) {
		object =
		    (void *)(slab->base + slab->object_bytes * slab->touched);
		count_set(&slab->touched, slab->touched + 1);
	} else {
		return NULL;
	}
	count_set(&slab->used, slab->used + 1);
	return object;
}

void slab_free(struct slab *slab, void *object)
{
	struct link *link = object;

	br_assert(
	    (char *)object >= slab->base &&
	    (char *)object < slab->base + slab->object_bytes * slab->touched);
	br_assert(slab->used > 0);
	poison(slab, object);
	link->next = slab->free_head;
	slab->free_head = link;
	count_set(&slab->used, slab->used - 1);
}

void slab_trim(struct slab *slab)
{
	size_t bytes = slab->object_bytes * slab->touched;

	if (slab->used || !bytes)
		return;
	/* The free list lies in the memory that goes. */
	unpoison(slab->base, bytes);
	slab->free_head = NULL;
	count_set(&slab->touched, 0);
	/* A refusal costs memory, not correctness. */
	(void)madvise(slab->base, bytes, MADV_DONTNEED);
}

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

/* Also pages of free, poisoned objects are touched; their bytes stay. */
__attribute__((no_sanitize("address"))) static void touch_pages(
    char *base, size_t bytes, size_t page_bytes)
{
	for (size_t at = 0; at < bytes; at += page_bytes) {
		volatile char *byte = base + at;

		*byte = *byte;
	}
}

void slab_prefault(struct slab *slab, uint32_t n)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	size_t bytes;

	if (n > slab->limit)
		n = slab->limit;
	bytes = slab->object_bytes * n;
	if (!bytes || madvise(slab->base, bytes, MADV_POPULATE_WRITE) == 0)
		return;
	touch_pages(slab->base, bytes, page_bytes);
}
