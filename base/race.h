/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What ThreadSanitizer has to be told about Concurrency Kit, whose atomics
 * are inline assembly that it cannot see. All of it compiles to nothing in
 * other builds.
 *
 * The slots of a ring are copied inside an ignored stretch; what the copied
 * pointers lead to stays checked, ordered by release before the push and
 * acquire after the pop.
 *
 * Thread:  any.
 */
#if defined(__SANITIZE_THREAD__)
#define BR_RACE_CHECKED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BR_RACE_CHECKED 1
#endif
#endif

#ifdef BR_RACE_CHECKED
void __tsan_acquire(void *address);
void __tsan_release(void *address);
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
#endif

/* All that this thread did before is visible to who acquires `address`. */
static inline void br_race_release(void *address)
{
#ifdef BR_RACE_CHECKED
	__tsan_release(address);
#else
	(void)address;
#endif
}

static inline void br_race_acquire(void *address)
{
#ifdef BR_RACE_CHECKED
	__tsan_acquire(address);
#else
	(void)address;
#endif
}

static inline void br_race_ignore_begin(void)
{
#ifdef BR_RACE_CHECKED
	AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
	AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
#endif
}

static inline void br_race_ignore_end(void)
{
#ifdef BR_RACE_CHECKED
	AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
	AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
#endif
}
