/* SPDX-License-Identifier: Apache-2.0 */
/* Files that become models: whole ones, cut ones, and what is no file. */
#include "profiler/model_file.h"

#include "tests/unit/base/check_main.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/braid-model-XXXXXX";
static char path[128], text[300];
static const struct model_why why = {text, sizeof text};
static const uint8_t *self; /* this program: an ELF file that is whole */
static size_t self_size;

static void open_all(void)
{
	struct stat st;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	self_size = (size_t)st.st_size;
	self = mmap(NULL, self_size, PROT_READ, MAP_PRIVATE, fd, 0);
	ck_assert_ptr_ne(self, MAP_FAILED);
	close(fd);
	(void)snprintf(folder, sizeof folder, "/tmp/braid-model-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/m.so", folder);
	text[0] = '\0';
}

static void close_all(void)
{
	(void)munmap((void *)(uintptr_t)self, self_size);
	(void)unlink(path);
	(void)rmdir(folder);
}

static void put(const void *bytes, size_t size)
{
	int fd =
	    open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

static void refused(const char *words)
{
	uint64_t hash;
	int fd;

	ck_assert_int_eq(model_file_open(path, &why, &fd, &hash), BR_E_MODEL);
	ck_assert_msg(strstr(text, words) != NULL, "\"%s\" is not in \"%s\"",
	    words, text);
}

START_TEST(test_cut_anywhere)
{
	ck_assert_int_eq(model_file_check(self, self_size, &why), 0);
	for (size_t size = 0; size < self_size; size += 1 + size / 7)
		ck_assert_int_eq(
		    model_file_check(self, size, &why), BR_E_MODEL);
	ck_assert_int_eq(
	    model_file_check(self, self_size - 1, &why), BR_E_MODEL);
	ck_assert_ptr_nonnull(strstr(text, "cut off"));
}
END_TEST

/* Each byte of the header and of the table of segments: refused or not, never
 * read beyond the end. */
START_TEST(test_any_header)
{
	size_t size = 2048;
	uint8_t *bytes = malloc(size); /* its end is watched */

	ck_assert_ptr_nonnull(bytes);
	for (size_t at = 0; at < 512; at++)
		for (unsigned value = 0; value < 256; value += 15) {
			memcpy(bytes, self, size);
			bytes[at] = (uint8_t)value;
			(void)!model_file_check(bytes, size, &why);
		}
	free(bytes);
}
END_TEST

START_TEST(test_what_is_no_model)
{
	uint64_t hash;
	int fd;

	ck_assert_int_eq(model_file_open(path, &why, &fd, &hash), -ENOENT);
	put("", 0);
	refused("it is empty");
	put("\177EL", 3);
	refused("it is no shared object");
	put("up,down,class\n", 14);
	refused("it is no shared object");
	put(self, 40);
	refused("it is cut off");
	ck_assert_int_eq(truncate(path, (off_t)MODEL_FILE_MAX + 1), 0);
	refused("more than 64 MiB");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("/proc/self/exe", path), 0);
	refused("symbolic link");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	refused("not a regular file");
}
END_TEST

START_TEST(test_a_folder_further_up)
{
	char above[64];

	put(self, 64);
	(void)snprintf(above, sizeof above, "%s/in", folder);
	ck_assert_int_eq(mkdir(above, 0700), 0);
	(void)snprintf(path, sizeof path, "%s/m.so", above);
	put(self, 64);
	ck_assert_int_eq(chmod(folder, 0777), 0);
	refused(folder);
	ck_assert_ptr_nonnull(strstr(text, "writable by others (mode 777)"));
	/* Who cannot replace what is not theirs is no danger. */
	ck_assert_int_eq(chmod(folder, 01777), 0);
	refused("it is cut off");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(above), 0);
	(void)snprintf(path, sizeof path, "%s/m.so", folder);
}
END_TEST

/* What is loaded does not change with the file. */
START_TEST(test_the_copy_is_ours)
{
	uint64_t hash, again;
	uint8_t byte = 0;
	int fd, other;

	put(self, self_size);
	ck_assert_int_eq(model_file_open(path, &why, &fd, &hash), 0);
	ck_assert_int_eq(model_file_open(path, &why, &other, &again), 0);
	ck_assert_uint_eq(hash, again);
	close(other);
	ck_assert_int_eq(truncate(path, 0), 0);
	ck_assert_int_eq(pread(fd, &byte, 1, (off_t)self_size - 1), 1);
	ck_assert_uint_eq(byte, self[self_size - 1]);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(fd);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("model_file");

	tcase_add_checked_fixture(tcase, open_all, close_all);
	tcase_add_test(tcase, test_cut_anywhere);
	tcase_add_test(tcase, test_any_header);
	tcase_add_test(tcase, test_what_is_no_model);
	tcase_add_test(tcase, test_a_folder_further_up);
	tcase_add_test(tcase, test_the_copy_is_ours);
	return check_main(tcase);
}
