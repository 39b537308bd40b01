/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slab.h"

#include "base/assert.h"
#include "tests/unit/base/check_main.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define POISONED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONED 1
#endif
#endif

START_TEST(test_objects_to_the_limit)
{
	struct slab slab;
	char *objects[100];

	ck_assert_int_eq(slab_init(&slab, "test", 72, 100), 0);
	for (int i = 0; i < 100; i++) {
		objects[i] = slab_new(&slab);
		ck_assert_ptr_nonnull(objects[i]);
		ck_assert_uint_eq((uintptr_t)objects[i] % 16, 0);
		memset(objects[i], i, 72);
	}
	ck_assert_ptr_null(slab_new(&slab));
	ck_assert_uint_eq(slab.used, 100);
	for (int i = 0; i < 100; i++) {
		for (int j = 0; j < 72; j++)
			ck_assert_int_eq(objects[i][j], i);
		slab_free(&slab, objects[i]);
	}
	ck_assert_uint_eq(slab.used, 0);
	slab_fini(&slab);
	slab_fini(&slab);
}
END_TEST

START_TEST(test_freed_last_is_used_first)
{
	struct slab slab;
	void *a, *b;

	ck_assert_int_eq(slab_init(&slab, "test", 64, 10), 0);
	a = slab_new(&slab);
	b = slab_new(&slab);
	ck_assert_uint_eq((uintptr_t)b % 64, 0);
	slab_free(&slab, a);
	slab_free(&slab, b);
	ck_assert_ptr_eq(slab_new(&slab), b);
	ck_assert_ptr_eq(slab_new(&slab), a);
	ck_assert_uint_eq(slab.touched, 2);
	slab_fini(&slab);
}
END_TEST

START_TEST(test_bad_sizes)
{
	struct slab slab;

	ck_assert_int_eq(slab_init(&slab, "test", 0, 1), -EINVAL);
	ck_assert_int_eq(slab_init(&slab, "test", 8, 0), -EINVAL);
	ck_assert_int_eq(slab_init(&slab, "test", 8, UINT32_MAX), -EINVAL);
	ck_assert_int_eq(slab_init(&slab, "test", SIZE_MAX / 4, 1000), -ENOMEM);
	ck_assert_int_eq(
	    slab_init(&slab, "test", (size_t)1 << 50, 100), -ENOMEM);
}
END_TEST

START_TEST(test_fail_nth)
{
	struct slab slab;

	ck_assert_int_eq(slab_init(&slab, "test", 16, 10), 0);
	slab_fail_nth(2);
	ck_assert_ptr_nonnull(slab_new(&slab));
	ck_assert_ptr_null(slab_new(&slab));
	ck_assert_ptr_nonnull(slab_new(&slab));
	slab_fail_nth(1);
	slab_fail_nth(0);
	ck_assert_ptr_nonnull(slab_new(&slab));
	ck_assert_uint_eq(slab.used, 3);
	slab_fini(&slab);
}
END_TEST

static size_t resident_pages(const struct slab *slab, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), resident = 0;
	size_t pages = (bytes + page - 1) / page;
	unsigned char seen[256];

	ck_assert_uint_le(pages, sizeof(seen));
	ck_assert_int_eq(mincore(slab->base, bytes, seen), 0);
	for (size_t i = 0; i < pages; i++)
		resident += seen[i] & 1;
	return resident;
}

START_TEST(test_memory_follows_the_use)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct slab slab;
	char *object;

	/* Small enough that no huge page is made of it. */
	ck_assert_int_eq(slab_init(&slab, "test", page, 64), 0);
	ck_assert_uint_eq(resident_pages(&slab, 64 * page), 0);
	slab_prefault(&slab, 16);
	ck_assert_uint_eq(resident_pages(&slab, 64 * page), 16);
	slab_prefault(&slab, 1000);
	ck_assert_uint_eq(resident_pages(&slab, 64 * page), 64);

	object = slab_new(&slab);
	memset(object, 0x5a, page);
	slab_trim(&slab);
	ck_assert_int_eq(object[page - 1], 0x5a);
	slab_free(&slab, object);
	slab_trim(&slab);
	ck_assert_uint_eq(resident_pages(&slab, page), 0);
	object = slab_new(&slab);
	ck_assert_ptr_nonnull(object);
	ck_assert_int_eq(object[page - 1], 0);
	ck_assert_uint_eq(slab.touched, 1);
	ck_assert_ptr_eq(slab_new(&slab), object + page);
	slab_fini(&slab);
}
END_TEST

START_TEST(test_prefault_keeps_what_is_there)
{
	struct slab slab;
	char *a, *b;

	ck_assert_int_eq(slab_init(&slab, "test", 4096, 8), 0);
	a = slab_new(&slab);
	b = slab_new(&slab);
	memset(a, 1, 4096);
	slab_free(&slab, b);
	slab_prefault(&slab, 8);
	ck_assert_int_eq(a[0], 1);
	ck_assert_int_eq(a[4095], 1);
	ck_assert_ptr_eq(slab_new(&slab), b);
	slab_fini(&slab);
}
END_TEST

static void free_foreign(void)
{
	static struct slab slab;
	static char elsewhere[64];

	br_assert(slab_init(&slab, "test", 64, 10) == 0);
	br_assert(slab_new(&slab) != NULL);
	slab_free(&slab, elsewhere);
}

START_TEST(test_freeing_what_is_not_ours_ends_the_process)
{
	char text[512];
	int status = run_in_child(free_foreign, text, sizeof(text));

	ck_assert(WIFSIGNALED(status));
	ck_assert_ptr_nonnull(strstr(text, "assertion failed"));
}
END_TEST

#ifdef POISONED
static void free_twice(void)
{
	static struct slab slab;
	void *object;

	br_assert(slab_init(&slab, "test", 64, 10) == 0);
	object = slab_new(&slab);
	br_assert(slab_new(&slab) != NULL);
	slab_free(&slab, object);
	slab_free(&slab, object);
}

static void use_after_free(void)
{
	static struct slab slab;
	volatile char *object;

	br_assert(slab_init(&slab, "test", 64, 10) == 0);
	object = slab_new(&slab);
	slab_free(&slab, (void *)object);
	object[20] = 1;
}

START_TEST(test_sanitizer_sees_misuse)
{
	char text[8192];

	ck_assert_int_ne(run_in_child(free_twice, text, sizeof(text)), 0);
	ck_assert_ptr_nonnull(strstr(text, "assertion failed"));
	ck_assert_int_ne(run_in_child(use_after_free, text, sizeof(text)), 0);
	ck_assert_ptr_nonnull(strstr(text, "use-after-poison"));
}
END_TEST
#endif

int main(void)
{
	TCase *tcase = tcase_create("slab");

	tcase_add_test(tcase, test_objects_to_the_limit);
	tcase_add_test(tcase, test_freed_last_is_used_first);
	tcase_add_test(tcase, test_bad_sizes);
	tcase_add_test(tcase, test_fail_nth);
	tcase_add_test(tcase, test_memory_follows_the_use);
	tcase_add_test(tcase, test_prefault_keeps_what_is_there);
	tcase_add_test(tcase, test_freeing_what_is_not_ours_ends_the_process);
#ifdef POISONED
	tcase_add_test(tcase, test_sanitizer_sees_misuse);
#endif
	return check_main(tcase);
}
