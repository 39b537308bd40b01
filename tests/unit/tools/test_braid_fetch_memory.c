/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_memory.h"

#include "tests/unit/base/check_main.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define NOW 1795000000

static struct fetch_memory memory;

static void read_text(const char *text)
{
	fetch_memory_read(&memory, text, strlen(text), NOW);
}

START_TEST(test_read_and_print)
{
	const char *text = "winner 1795000600 0 https://a:443@n 192.0.2.1:443\n"
			   "turn 1795000001 -2 https://a:443 pop1.\n";
	struct strbuf out;

	strbuf_init(&out);
	read_text(text);
	ck_assert_uint_eq(memory.n, 2);
	fetch_memory_print(&memory, &out);
	ck_assert_str_eq(strbuf_text(&out), text);
	strbuf_fini(&out);
}
END_TEST

START_TEST(test_what_makes_no_sense)
{
	char long_line[2000];

	read_text("winner 1795000600 0 a b c\nwinner 1795000600 0 a\n\n  \n"
		  "loser 1795000600 0 a b\nwinner x 0 a b\nwinner 1 0 a b\n"
		  "winner 1795000600 0  b\nwinner 1795000600 0 a \x80\n"
		  "winner 99999999999999999999 0 a b\n"
		  "winner 1799999999 0 a b\n" /* far in the future */
		  "winner 1795000600 0 ok good\n"
		  "winner 1795000600 0 half a-line");
	ck_assert_uint_eq(memory.n, 1);
	ck_assert_str_eq(memory.notes[0].key, "ok");
	memset(long_line, 'x', sizeof long_line);
	long_line[sizeof long_line - 2] = '\n';
	long_line[sizeof long_line - 1] = 0;
	read_text(long_line);
	ck_assert_uint_eq(memory.n, 0);
	fetch_memory_read(&memory, "winner 1795000600 0 a\0b c\n", 26, NOW);
	ck_assert_uint_eq(memory.n, 0);
}
END_TEST

START_TEST(test_notes)
{
	struct fetch_note *note;

	memory.n = 0;
	fetch_memory_put(&memory, NOTE_WINNER, "a", NULL, "one", 0, NOW + 600);
	fetch_memory_put(&memory, NOTE_WINNER, "a", NULL, "two", 0, NOW + 600);
	fetch_memory_put(&memory, NOTE_TURN, "a", "p1", "p1", 1, NOW + 600);
	fetch_memory_put(&memory, NOTE_TURN, "a", "p2", "p2", 2, NOW + 600);
	fetch_memory_put(&memory, NOTE_TURN, "a", "p1", "p1", 3, NOW + 600);
	ck_assert_uint_eq(memory.n, 3);
	note = fetch_memory_find(&memory, NOTE_WINNER, "a", NULL);
	ck_assert_str_eq(note->subject, "two");
	ck_assert_ptr_null(fetch_memory_find(&memory, NOTE_WINNER, "b", NULL));
	note = fetch_memory_find(&memory, NOTE_TURN, "a", "p1");
	ck_assert_int_eq(note->number, 3);
	fetch_memory_drop(&memory, note);
	ck_assert_ptr_null(fetch_memory_find(&memory, NOTE_TURN, "a", "p1"));
	ck_assert_ptr_nonnull(fetch_memory_find(&memory, NOTE_TURN, "a", "p2"));
	/* What would break the lines is not taken. */
	fetch_memory_put(&memory, NOTE_WINNER, "c d", NULL, "x", 0, NOW + 600);
	fetch_memory_put(&memory, NOTE_WINNER, "c", NULL, "x\ny", 0, NOW + 600);
	ck_assert_uint_eq(memory.n, 2);
}
END_TEST

START_TEST(test_the_oldest_make_room)
{
	char name[16];

	memory.n = 0;
	for (int i = 0; i <= (int)FETCH_NOTES_MAX; i++) {
		snprintf(name, sizeof name, "k%d", i);
		fetch_memory_put(&memory, NOTE_WINNER, name, NULL, "x", 0,
		    NOW + (i == 7 ? 1 : 600));
	}
	ck_assert_uint_eq(memory.n, FETCH_NOTES_MAX);
	ck_assert_ptr_null(fetch_memory_find(&memory, NOTE_WINNER, "k7", NULL));
	ck_assert_ptr_nonnull(
	    fetch_memory_find(&memory, NOTE_WINNER, name, NULL));
}
END_TEST

/* -- the file ---------------------------------------------------------- */

static bool count_up(void *context, struct fetch_memory *state)
{
	struct fetch_note *note = fetch_memory_find(state, NOTE_TURN, "k", "s");
	int64_t number = note ? note->number : 0;

	if (context)
		*(int64_t *)context = number;
	fetch_memory_put(state, NOTE_TURN, "k", "s", "s", number + 1, NOW + 99);
	return true;
}

static bool look(void *context, struct fetch_memory *state)
{
	*(uint32_t *)context = state->n;
	return false;
}

static void path_in(char ret[300], const char *folder, const char *name)
{
	snprintf(ret, 300, "%s/%s", folder, name);
}

START_TEST(test_file)
{
	char top[] = "/tmp/braid-fetch-XXXXXX", folder[200], path[300];
	struct stat st;
	int64_t number = -1;
	uint32_t n = 9;
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(top));
	snprintf(folder, sizeof folder, "%s/cache/braid-fetch", top);
	ck_assert_int_eq(fetch_memory_update(folder, NOW, look, &n), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(fetch_memory_update(folder, NOW, count_up, NULL), 0);
	path_in(path, folder, "state");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(stat(folder, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0700);
	/* Bytes that are nothing are as if there were no file. */
	fd = open(path, O_WRONLY | O_TRUNC);
	ck_assert_int_eq(write(fd, "\0\xff\xfeno\n\n", 7), 7);
	close(fd);
	ck_assert_int_eq(
	    fetch_memory_update(folder, NOW, count_up, &number), 0);
	ck_assert_int_eq(number, 0);
	/* Of one who was killed while he wrote. */
	path_in(path, folder, "state.new");
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	close(fd);
	ck_assert_int_eq(
	    fetch_memory_update(folder, NOW, count_up, &number), 0);
	ck_assert_int_eq(number, 1);
	ck_assert_int_ne(fetch_memory_update("/dev/null/x", NOW, look, &n), 0);
	path_in(path, folder, "state");
	unlink(path);
	ck_assert_int_eq(symlink("/dev/zero", path), 0);
	ck_assert_int_eq(fetch_memory_update(folder, NOW, look, &n), -ELOOP);
	unlink(path);
	path_in(path, folder, "lock");
	unlink(path);
	rmdir(folder);
	path_in(path, top, "cache");
	rmdir(path);
	ck_assert_int_eq(rmdir(top), 0);
}
END_TEST

/* None of the steps of several processes is lost. */
START_TEST(test_processes)
{
	enum { PROCESSES = 4, STEPS = 50 };
	char folder[] = "/tmp/braid-fetch-XXXXXX", path[300];
	int64_t number = -1;
	int status;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	for (int i = 0; i < PROCESSES; i++) {
		if (fork())
			continue;
		for (int k = 0; k < STEPS; k++)
			if (fetch_memory_update(folder, NOW, count_up, NULL))
				_exit(1);
		_exit(0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(
	    fetch_memory_update(folder, NOW, count_up, &number), 0);
	ck_assert_int_eq(number, PROCESSES * STEPS);
	path_in(path, folder, "state");
	unlink(path);
	path_in(path, folder, "lock");
	unlink(path);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("memory");

	tcase_add_test(tcase, test_read_and_print);
	tcase_add_test(tcase, test_what_makes_no_sense);
	tcase_add_test(tcase, test_notes);
	tcase_add_test(tcase, test_the_oldest_make_room);
	tcase_add_test(tcase, test_file);
	tcase_add_test(tcase, test_processes);
	return check_main(tcase);
}
