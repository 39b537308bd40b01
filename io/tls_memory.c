/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_memory.h"

#include "base/assert.h"
#include "base/metric.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define TLS_MEMORY_CHECKED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TLS_MEMORY_CHECKED 1
#endif
#endif

#ifdef TLS_MEMORY_CHECKED
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)0)
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)0)
#endif

#define RANGE_BYTES_MAX (UINT64_C(64) << 30)
#define RANGE_BYTES_MIN (UINT64_C(64) << 20)
#define SPAN_NONE UINT32_MAX
/* Empty spans that a pool keeps, so that a lull is not paid for twice. */
#define EMPTY_SPANS_MAX 16u
#define GRAIN 16u

/* The upper ones are what a span divides into. */
static const uint16_t class_bytes[] = {16, 32, 48, 64, 80, 96, 112, 128, 160,
    192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024, 1280, 1536, 1792,
    2048, 2560, 3072, 3584, 4096, 5456, 6544, 8192, 10912, 13104, 16384,
    TLS_MEMORY_BLOCK_MAX};
#define N_CLASSES BR_COUNT(class_bytes)

struct block {
	struct block *next;
};

/* One row a span, beside the range: a span holds nothing but blocks. */
struct span {
	struct block *free; /* blocks given back */
	uint32_t next, previous; /* in a list of its pool, or of the free */
	uint16_t used, fresh; /* blocks; fresh were never handed out */
	uint16_t pool;
	uint8_t class;
	bool listed; /* has room and is in its class's list */
};

struct pool {
	uint32_t partial[N_CLASSES]; /* spans with room */
	uint32_t empty, n_empty; /* spans of no class */
	uint32_t attached;
	struct counter live_bytes, live_blocks, spans, allocations, refusals;
	/* Pushed by other threads. */
	struct block *remote __attribute__((aligned(64)));
} __attribute__((aligned(64)));

static struct {
	char *base, *end;
	struct span *spans;
	uint32_t limit; /* spans in the range */
	uint32_t cap; /* atomic; spans that may be taken */
	uint32_t taken; /* atomic; by pools */
	uint32_t touched; /* atomic; spans that were ever taken */
	/* atomic; spans given back: a change count above the first's index,
	 * so that a span popped and pushed between is noticed. */
	uint64_t free;
	uint8_t class_of[TLS_MEMORY_BLOCK_MAX / GRAIN + 1];
	struct pool pools[TLS_MEMORY_POOLS];
} heap;

static _Thread_local struct pool *mine;
static _Thread_local uint32_t fail_in;
static _Thread_local bool fail_all;

/* -- spans, shared by all pools ---------------------------------------- */

static uint32_t heap_pop_free(void)
{
	uint64_t head = __atomic_load_n(&heap.free, __ATOMIC_ACQUIRE);

	for (;;) {
		uint32_t first = (uint32_t)head, next;

		if (first == SPAN_NONE)
			return SPAN_NONE;
		next =
		    __atomic_load_n(&heap.spans[first].next, __ATOMIC_RELAXED);
		if (__atomic_compare_exchange_n(&heap.free, &head,
			((head >> 32) + 1) << 32 | next, false,
			__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return first;
	}
}

static void heap_push_free(uint32_t index)
{
	uint64_t head = __atomic_load_n(&heap.free, __ATOMIC_RELAXED);

	do {
		__atomic_store_n(
		    &heap.spans[index].next, (uint32_t)head, __ATOMIC_RELAXED);
	} while (!__atomic_compare_exchange_n(&heap.free, &head,
	    ((head >> 32) + 1) << 32 | index, false, __ATOMIC_RELEASE,
	    __ATOMIC_RELAXED));
}

static char *span_start(uint32_t index)
{
	return heap.base + (size_t)index * TLS_MEMORY_SPAN_BYTES;
}

/* SPAN_NONE at the cap. */
static uint32_t heap_take_span(void)
{
	uint32_t index;

	if (__atomic_fetch_add(&heap.taken, 1, __ATOMIC_RELAXED) >=
	    __atomic_load_n(&heap.cap, __ATOMIC_RELAXED)) {
		__atomic_fetch_sub(&heap.taken, 1, __ATOMIC_RELAXED);
		return SPAN_NONE;
	}
	index = heap_pop_free();
	if (index != SPAN_NONE)
		return index;
	index = __atomic_fetch_add(&heap.touched, 1, __ATOMIC_RELAXED);
	if (index < heap.limit)
		return index;
	/* Another thread holds the last free span between two of its steps. */
	__atomic_fetch_sub(&heap.touched, 1, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&heap.taken, 1, __ATOMIC_RELAXED);
	return SPAN_NONE;
}

static void heap_give_span(uint32_t index)
{
	ASAN_UNPOISON_MEMORY_REGION(span_start(index), TLS_MEMORY_SPAN_BYTES);
	madvise(span_start(index), TLS_MEMORY_SPAN_BYTES, MADV_DONTNEED);
	heap_push_free(index);
	__atomic_fetch_sub(&heap.taken, 1, __ATOMIC_RELAXED);
}

/* -- one pool ---------------------------------------------------------- */

static void pool_list(struct pool *pool, uint32_t index)
{
	struct span *span = &heap.spans[index];
	uint32_t *first = &pool->partial[span->class];

	span->previous = SPAN_NONE;
	__atomic_store_n(&span->next, *first, __ATOMIC_RELAXED);
	if (*first != SPAN_NONE)
		heap.spans[*first].previous = index;
	*first = index;
	span->listed = true;
}

static void pool_unlist(struct pool *pool, uint32_t index)
{
	struct span *span = &heap.spans[index];

	if (span->previous == SPAN_NONE)
		pool->partial[span->class] = span->next;
	else
		__atomic_store_n(&heap.spans[span->previous].next, span->next,
		    __ATOMIC_RELAXED);
	if (span->next != SPAN_NONE)
		heap.spans[span->next].previous = span->previous;
	span->listed = false;
}

/* A span for `class`, listed; false at the cap. */
static bool pool_add_span(struct pool *pool, uint8_t class)
{
	uint32_t index = pool->empty;
	struct span *span;

	if (index != SPAN_NONE) {
		pool->empty = heap.spans[index].next;
		pool->n_empty--;
	} else {
		index = heap_take_span();
		if (index == SPAN_NONE)
			return false;
		counter_inc(&pool->spans);
	}
	span = &heap.spans[index];
	span->free = NULL;
	span->used = 0;
	span->fresh = (uint16_t)(TLS_MEMORY_SPAN_BYTES / class_bytes[class]);
	span->pool = (uint16_t)(pool - heap.pools);
	span->class = class;
	ASAN_POISON_MEMORY_REGION(span_start(index), TLS_MEMORY_SPAN_BYTES);
	pool_list(pool, index);
	return true;
}

static void pool_drop_span(struct pool *pool, uint32_t index)
{
	pool_unlist(pool, index);
	if (pool->n_empty < EMPTY_SPANS_MAX) {
		__atomic_store_n(
		    &heap.spans[index].next, pool->empty, __ATOMIC_RELAXED);
		pool->empty = index;
		pool->n_empty++;
		return;
	}
	counter_sub(&pool->spans, 1);
	heap_give_span(index);
}

static void pool_free(struct pool *pool, struct block *block)
{
	uint32_t index =
	    (uint32_t)(((char *)block - heap.base) / TLS_MEMORY_SPAN_BYTES);
	struct span *span = &heap.spans[index];
	uint16_t bytes = class_bytes[span->class];

	br_assert(span->used > 0);
	ASAN_UNPOISON_MEMORY_REGION(block, sizeof(*block));
	block->next = span->free;
	ASAN_POISON_MEMORY_REGION(block, bytes);
	span->free = block;
	span->used--;
	counter_sub(&pool->live_bytes, bytes);
	counter_sub(&pool->live_blocks, 1);
	if (!span->listed)
		pool_list(pool, index);
	if (!span->used)
		pool_drop_span(pool, index);
}

static void pool_collect(struct pool *pool)
{
	struct block *block;

	if (!__atomic_load_n(&pool->remote, __ATOMIC_RELAXED))
		return;
	block = __atomic_exchange_n(&pool->remote, NULL, __ATOMIC_ACQUIRE);
	while (block) {
		struct block *next = block->next;

		pool_free(pool, block);
		block = next;
	}
}

/* By a thread that does not own the pool. */
static void pool_push_remote(struct pool *pool, struct block *block)
{
	struct block *head = __atomic_load_n(&pool->remote, __ATOMIC_RELAXED);

	ASAN_UNPOISON_MEMORY_REGION(block, sizeof(*block));
	do {
		block->next = head;
	} while (!__atomic_compare_exchange_n(&pool->remote, &head, block,
	    false, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

static void *pool_alloc(struct pool *pool, size_t bytes)
{
	uint8_t class = heap.class_of[(bytes + GRAIN - 1) / GRAIN];
	struct block *block;
	struct span *span;
	uint32_t index;

	if (pool->partial[class] == SPAN_NONE) {
		pool_collect(pool);
		if (pool->partial[class] == SPAN_NONE &&
		    !pool_add_span(pool, class)) {
			counter_inc(&pool->refusals);
			return NULL;
		}
	}
	index = pool->partial[class];
	span = &heap.spans[index];
	block = span->free;
	if (block) {
		ASAN_UNPOISON_MEMORY_REGION(block, sizeof(*block));
		span->free = block->next;
		ASAN_POISON_MEMORY_REGION(block, sizeof(*block));
	} else {
		span->fresh--;
		block = (void *)(span_start(index) +
				 (size_t)span->fresh * class_bytes[class]);
	}
	span->used++;
	if (!span->free && !span->fresh)
		pool_unlist(pool, index);
	counter_add(&pool->live_bytes, class_bytes[class]);
	counter_inc(&pool->live_blocks);
	counter_inc(&pool->allocations);
	ASAN_UNPOISON_MEMORY_REGION(block, bytes);
	return block;
}

/* -- what OpenSSL calls ------------------------------------------------ */

static bool heap_owns(const void *p)
{
	return (const char *)p >= heap.base && (const char *)p < heap.end;
}

/* The test seam: whether this allocation is to fail. */
static bool heap_must_fail(void)
{
	if (!fail_in)
		return false;
	if (fail_in > 1) {
		fail_in--;
		return false;
	}
	fail_in = fail_all ? 1 : 0;
	return true;
}

static void *heap_malloc(size_t bytes, const char *file, int line)
{
	(void)file;
	(void)line;
	if (!bytes || heap_must_fail())
		return NULL;
	if (mine && bytes <= TLS_MEMORY_BLOCK_MAX)
		return pool_alloc(mine, bytes);
	if (mine && tls_memory_pressed()) {
		counter_inc(&mine->refusals);
		return NULL;
	}
	return malloc(bytes);
}

static void heap_free(void *p, const char *file, int line)
{
	struct pool *pool;
	uint32_t index;

	(void)file;
	(void)line;
	if (!heap_owns(p)) {
		free(p);
		return;
	}
	index = (uint32_t)(((char *)p - heap.base) / TLS_MEMORY_SPAN_BYTES);
	pool = &heap.pools[heap.spans[index].pool];
	if (pool == mine)
		pool_free(pool, p);
	else
		pool_push_remote(pool, p);
}

static void *heap_realloc(void *p, size_t bytes, const char *file, int line)
{
	size_t room;
	void *moved;

	if (!p)
		return heap_malloc(bytes, file, line);
	if (!bytes) {
		heap_free(p, file, line);
		return NULL;
	}
	if (!heap_owns(p))
		return heap_must_fail() ? NULL : realloc(p, bytes);
	room = class_bytes
	    [heap.spans[((char *)p - heap.base) / TLS_MEMORY_SPAN_BYTES].class];
	if (bytes <= room && bytes > room / 2) {
		ASAN_UNPOISON_MEMORY_REGION(p, bytes);
		return p;
	}
	moved = heap_malloc(bytes, file, line);
	if (!moved)
		return NULL;
	/* The old block's length as asked for is not known: copying all of
	 * its room is harmless. */
	ASAN_UNPOISON_MEMORY_REGION(p, room);
	memcpy(moved, p, bytes < room ? bytes : room);
	heap_free(p, file, line);
	return moved;
}

/* -- control ----------------------------------------------------------- */

static void heap_prepare_classes(void)
{
	uint8_t class = 0;

	for (size_t i = 0; i < BR_COUNT(heap.class_of); i++) {
		while (class_bytes[class] < i * GRAIN)
			class ++;
		heap.class_of[i] = class;
	}
	for (size_t i = 0; i < TLS_MEMORY_POOLS; i++) {
		struct pool *pool = &heap.pools[i];

		for (size_t c = 0; c < N_CLASSES; c++)
			pool->partial[c] = SPAN_NONE;
		pool->empty = SPAN_NONE;
	}
}

/* Address space only: where it is rationed, less of it. */
static int heap_reserve(uint64_t cap_bytes)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	uint64_t least =
	    cap_bytes > RANGE_BYTES_MIN ? cap_bytes : RANGE_BYTES_MIN;
	uint64_t bytes = RANGE_BYTES_MAX;

	for (; bytes >= least; bytes /= 2) {
		size_t rows =
		    bytes / TLS_MEMORY_SPAN_BYTES * sizeof(struct span);
		char *range = mmap(NULL, bytes + TLS_MEMORY_SPAN_BYTES,
		    PROT_READ | PROT_WRITE, flags, -1, 0);

		if (range == MAP_FAILED)
			continue;
		heap.spans =
		    mmap(NULL, rows, PROT_READ | PROT_WRITE, flags, -1, 0);
		if (heap.spans == MAP_FAILED) {
			munmap(range, bytes + TLS_MEMORY_SPAN_BYTES);
			continue;
		}
		/* Aligned to a page is enough, since rows are found by
		 * offset; aligned to a span lets huge pages line up. */
		heap.base = range + (-(uintptr_t)range) % TLS_MEMORY_SPAN_BYTES;
		heap.end = heap.base + bytes;
		heap.limit = (uint32_t)(bytes / TLS_MEMORY_SPAN_BYTES);
		return 0;
	}
	return -ENOMEM;
}

int tls_memory_install(uint64_t cap_bytes)
{
	int rc;

	if (heap.base)
		return -EALREADY;
	rc = heap_reserve(cap_bytes);
	if (rc)
		return rc;
	heap_prepare_classes();
	heap.free = SPAN_NONE;
	tls_memory_set_cap(cap_bytes);
	if (!CRYPTO_set_mem_functions(heap_malloc, heap_realloc, heap_free))
		return -EALREADY;
	return 0;
}

int tls_memory_attach(uint32_t index)
{
	uint32_t expected = 0;

	if (!heap.base || index >= TLS_MEMORY_POOLS)
		return -ENOSPC;
	br_assert(!mine);
	if (!__atomic_compare_exchange_n(&heap.pools[index].attached, &expected,
		1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return -EBUSY;
	mine = &heap.pools[index];
	return 0;
}

void tls_memory_detach(void)
{
	struct pool *pool = mine;

	if (!pool)
		return;
	pool_collect(pool);
	mine = NULL;
	__atomic_store_n(&pool->attached, 0, __ATOMIC_RELEASE);
}

void tls_memory_collect(void)
{
	if (mine)
		pool_collect(mine);
}

bool tls_memory_pressed(void)
{
	uint64_t cap = __atomic_load_n(&heap.cap, __ATOMIC_RELAXED);
	uint64_t held;

	if (!mine || __atomic_load_n(&heap.taken, __ATOMIC_RELAXED) <
			 TLS_MEMORY_PRESSURE(cap))
		return false;
	pool_collect(mine);
	/* Sessions that have gone leave room in the spans that we hold. */
	held = counter_read(&mine->spans) * TLS_MEMORY_SPAN_BYTES;
	return counter_read(&mine->live_bytes) >= held - held / 4;
}

void tls_memory_read(uint32_t index, struct tls_memory_stats *ret)
{
	const struct pool *pool = &heap.pools[index];

	br_assert(index < TLS_MEMORY_POOLS);
	ret->live_bytes = counter_read(&pool->live_bytes);
	ret->live_blocks = counter_read(&pool->live_blocks);
	ret->span_bytes = counter_read(&pool->spans) * TLS_MEMORY_SPAN_BYTES;
	ret->allocations = counter_read(&pool->allocations);
	ret->refusals = counter_read(&pool->refusals);
}

uint64_t tls_memory_used_bytes(void)
{
	return (uint64_t)__atomic_load_n(&heap.taken, __ATOMIC_RELAXED) *
	       TLS_MEMORY_SPAN_BYTES;
}

uint64_t tls_memory_cap_bytes(void)
{
	return (uint64_t)__atomic_load_n(&heap.cap, __ATOMIC_RELAXED) *
	       TLS_MEMORY_SPAN_BYTES;
}

void tls_memory_set_cap(uint64_t cap_bytes)
{
	uint64_t spans = cap_bytes / TLS_MEMORY_SPAN_BYTES;

	if (!cap_bytes || spans > heap.limit)
		spans = heap.limit;
	__atomic_store_n(&heap.cap, (uint32_t)spans, __ATOMIC_RELAXED);
}

void tls_memory_fail_nth(uint32_t n, bool all)
{
	fail_in = n;
	fail_all = all;
}
