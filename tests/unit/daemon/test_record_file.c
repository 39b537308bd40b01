/* SPDX-License-Identifier: Apache-2.0 */
/* The file of recorded flows with two writers, as generations of an upgrade
 * are, and with an operator who moves it. */
#include "daemon/record_file.h"

#include "base/assert.h"
#include "profiler/record.h"
#include "tests/unit/base/check_main.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define LIMIT 4096

static char folder[64], path[128], old_path[160];
static struct record_file one, two;
static char header[RECORD_LINE_MAX];
static size_t header_size;

static void open_all(void)
{
	(void)snprintf(folder, sizeof folder, "/tmp/braid-record-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/flows.csv", folder);
	(void)snprintf(old_path, sizeof old_path, "%s.1", path);
	record_file_init(&one, path, LIMIT);
	record_file_init(&two, path, LIMIT);
	header_size = (size_t)record_format_header(header);
	ck_assert_uint_lt(header_size, LIMIT / 2);
}

static void close_all(void)
{
	record_file_fini(&one);
	record_file_fini(&two);
	(void)unlink(path);
	(void)unlink(old_path);
	(void)rmdir(folder);
}

static bool add(struct record_file *file, const char *lines)
{
	return record_file_append(file, lines, strlen(lines));
}

/* All of a file, behind the header if there is one. */
static const char *text_of(const char *name)
{
	static char text[4 * LIMIT];
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	n = read(fd, text, sizeof text - 1);
	close(fd);
	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	return strncmp(text, header, header_size) == 0 ? text + header_size
						       : text;
}

static void put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

START_TEST(test_two_writers)
{
	ck_assert(add(&one, "a\n"));
	ck_assert(add(&two, "b\n"));
	ck_assert(add(&one, "c\nd\n"));
	ck_assert_str_eq(text_of(path), "a\nb\nc\nd\n");
	/* Moved away under both. */
	ck_assert_int_eq(rename(path, old_path), 0);
	ck_assert(add(&two, "e\n"));
	ck_assert(add(&one, "f\n"));
	ck_assert_str_eq(text_of(path), "e\nf\n");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert(add(&one, "g\n"));
	ck_assert(add(&two, "h\n"));
	ck_assert_str_eq(text_of(path), "g\nh\n");
}
END_TEST

START_TEST(test_full)
{
	char line[LIMIT];

	memset(line, 'x', sizeof line);
	line[sizeof line - 1] = '\0';
	ck_assert(add(&one, "a\n"));
	ck_assert(add(&two, "b\n"));
	ck_assert(add(&one, line));
	ck_assert_int_eq(access(path, F_OK), -1);
	ck_assert(add(&two, "c\n"));
	ck_assert_str_eq(text_of(path), "c\n");
	ck_assert_int_eq(strncmp(text_of(old_path), "a\nb\nxxx", 7), 0);
}
END_TEST

START_TEST(test_locked)
{
	int fd;

	ck_assert(add(&one, "a\n"));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	ck_assert(!add(&one, "b\n"));
	ck_assert_ptr_nonnull(strstr(one.why, "locked"));
	ck_assert(!add(&two, "b\n"));
	close(fd);
	ck_assert(add(&two, "b\n"));
	ck_assert(add(&one, "c\n"));
	ck_assert_str_eq(text_of(path), "a\nb\nc\n");
}
END_TEST

/* Only a part fits: none of it stays, and nothing of the other's goes. */
START_TEST(test_no_room)
{
	struct rlimit before, less;

	ck_assert(add(&one, "a\n"));
	ck_assert(add(&two, "b\n"));
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	less = (struct rlimit){header_size + 8, before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &less), 0);
	ck_assert(!add(&one, "0123456789\n"));
	ck_assert_ptr_nonnull(strstr(one.why, "write: "));
	ck_assert(add(&two, "c\n"));
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert(add(&one, "d\n"));
	ck_assert_str_eq(text_of(path), "a\nb\nc\nd\n");
}
END_TEST

START_TEST(test_other_columns)
{
	static const char theirs[] = "_time,up,class\n1,1,bulk\n";

	put(path, theirs);
	ck_assert(add(&one, "a\n"));
	ck_assert_str_eq(text_of(old_path), theirs);
	ck_assert_str_eq(text_of(path), "a\n");
	/* A younger generation of another version has set ours aside. */
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(unlink(old_path), 0);
	put(path, theirs);
	ck_assert(!add(&one, "b\n"));
	ck_assert_ptr_nonnull(strstr(one.why, "other columns"));
	ck_assert_str_eq(text_of(path), theirs);
	ck_assert_int_eq(access(old_path, F_OK), -1);
	/* Two files that are not ours: neither is lost. */
	put(old_path, "kept\n");
	ck_assert(!add(&two, "b\n"));
	ck_assert_ptr_nonnull(strstr(two.why, "NAME.1 is there already"));
	ck_assert_str_eq(text_of(path), theirs);
	ck_assert_str_eq(text_of(old_path), "kept\n");
}
END_TEST

/* Whatever it is, it was not braidd that wrote it. */
START_TEST(test_somebodys_file_stays)
{
	static const char *const theirs[] = {
	    "precious\n", "up,class\n1,bulk\n", "_tim", "_time", "\n"};

	for (size_t i = 0; i < BR_COUNT(theirs); i++) {
		put(path, theirs[i]);
		ck_assert(!add(&one, "a\n"));
		ck_assert_ptr_nonnull(
		    strstr(one.why, "no file of recorded flows"));
		ck_assert_str_eq(text_of(path), theirs[i]);
		ck_assert_int_eq(access(old_path, F_OK), -1);
	}
	ck_assert_int_eq(unlink(path), 0);
	ck_assert(add(&one, "a\n"));
	ck_assert_str_eq(text_of(path), "a\n");
}
END_TEST

START_TEST(test_a_cut_line_is_set_aside)
{
	ck_assert(add(&one, "a\nhalf"));
	ck_assert(add(&two, "b\n"));
	ck_assert_str_eq(text_of(old_path), "a\nhalf");
	ck_assert_str_eq(text_of(path), "b\n");
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("record_file");

	tcase_add_checked_fixture(tcase, open_all, close_all);
	tcase_add_test(tcase, test_two_writers);
	tcase_add_test(tcase, test_full);
	tcase_add_test(tcase, test_locked);
	tcase_add_test(tcase, test_no_room);
	tcase_add_test(tcase, test_other_columns);
	tcase_add_test(tcase, test_somebodys_file_stays);
	tcase_add_test(tcase, test_a_cut_line_is_set_aside);
	return check_main(tcase);
}
