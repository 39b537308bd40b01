/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_memory.h"

#include "base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than FETCH_NOTES_MAX of the longest lines. */
#define FILE_MAX (1 << 20)
#define NAME "state"
#define NAME_NEW "state.new"
#define NAME_LOCK "lock"
/* Nobody writes notes that hold longer; with a clock that was wrong once
 * they would never go. */
#define EXPIRES_AHEAD_MAX_S (7 * 86400)

static const char *const kind_texts[NOTE_KINDS] = {"winner", "turn"};

/* -- lines ------------------------------------------------------------- */

static bool is_word(const char *text, size_t room)
{
	size_t length = strlen(text);

	if (!length || length >= room)
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return true;
}

static bool read_number(const char *text, int64_t *ret)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || *end || end == text)
		return false;
	*ret = value;
	return true;
}

/* Splits at single blanks. */
static uint32_t split(char *line, char *words[5])
{
	uint32_t n = 0;

	while (line && n < 5) {
		words[n++] = line;
		line = strchr(line, ' ');
		if (line)
			*line++ = 0;
	}
	return line ? 0 : n;
}

static bool read_note(char *line, int64_t now_s, struct fetch_note *ret)
{
	char *words[5];
	uint32_t kind = 0;

	if (split(line, words) != 5)
		return false;
	while (kind < NOTE_KINDS && strcmp(words[0], kind_texts[kind]) != 0)
		kind++;
	if (kind == NOTE_KINDS || !read_number(words[1], &ret->expires_s) ||
	    !read_number(words[2], &ret->number) ||
	    !is_word(words[3], sizeof ret->key) ||
	    !is_word(words[4], sizeof ret->subject) ||
	    ret->expires_s <= now_s ||
	    ret->expires_s - EXPIRES_AHEAD_MAX_S > now_s)
		return false;
	ret->kind = kind;
	memcpy(ret->key, words[3], strlen(words[3]) + 1);
	memcpy(ret->subject, words[4], strlen(words[4]) + 1);
	return true;
}

void fetch_memory_read(
    struct fetch_memory *memory, const char *text, size_t length, int64_t now_s)
{
	const char *end = text + length, *stop;
	char line[FETCH_NOTE_KEY_MAX + FETCH_NOTE_SUBJECT_MAX + 64];

	memory->n = 0;
	for (; text < end && memory->n < FETCH_NOTES_MAX; text = stop + 1) {
		stop = memchr(text, '\n', (size_t)(end - text));
		if (!stop)
			return; /* a line that has no end is half a line */
		if ((size_t)(stop - text) >= sizeof line ||
		    memchr(text, 0, (size_t)(stop - text)))
			continue;
		memcpy(line, text, (size_t)(stop - text));
		line[stop - text] = 0;
		if (read_note(line, now_s, &memory->notes[memory->n]))
			memory->n++;
	}
}

void fetch_memory_print(const struct fetch_memory *memory, struct strbuf *out)
{
	for (uint32_t i = 0; i < memory->n; i++) {
		const struct fetch_note *note = &memory->notes[i];

		strbuf_addf(out, "%s %lld %lld %s %s\n", kind_texts[note->kind],
		    (long long)note->expires_s, (long long)note->number,
		    note->key, note->subject);
	}
}

/* -- notes ------------------------------------------------------------- */

struct fetch_note *fetch_memory_find(struct fetch_memory *memory,
    enum fetch_note_kind kind, const char *key, const char *subject)
{
	for (uint32_t i = 0; i < memory->n; i++) {
		struct fetch_note *note = &memory->notes[i];

		if (note->kind == kind && !strcmp(note->key, key) &&
		    (!subject || !strcmp(note->subject, subject)))
			return note;
	}
	return NULL;
}

static struct fetch_note *room_for_one(struct fetch_memory *memory)
{
	struct fetch_note *oldest = &memory->notes[0];

	if (memory->n < FETCH_NOTES_MAX)
		return &memory->notes[memory->n++];
	for (uint32_t i = 1; i < memory->n; i++)
		if (memory->notes[i].expires_s < oldest->expires_s)
			oldest = &memory->notes[i];
	return oldest;
}

void fetch_memory_put(struct fetch_memory *memory, enum fetch_note_kind kind,
    const char *key, const char *replaces, const char *subject, int64_t number,
    int64_t expires_s)
{
	struct fetch_note *note;

	if (!is_word(key, sizeof note->key) ||
	    !is_word(subject, sizeof note->subject))
		return;
	note = fetch_memory_find(memory, kind, key, replaces);
	if (!note)
		note = room_for_one(memory);
	note->kind = kind;
	note->number = number;
	note->expires_s = expires_s;
	memcpy(note->key, key, strlen(key) + 1);
	memcpy(note->subject, subject, strlen(subject) + 1);
}

void fetch_memory_drop(struct fetch_memory *memory, struct fetch_note *note)
{
	*note = memory->notes[--memory->n];
}

/* -- the file ---------------------------------------------------------- */

/* With all folders above it. */
static int make_folder(const char *folder)
{
	char path[4096];
	size_t length = strlen(folder);

	if (length >= sizeof path)
		return -ENAMETOOLONG;
	memcpy(path, folder, length + 1);
	for (char *at = path + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = 0;
		(void)!mkdir(path, 0700); /* the last one says what is wrong */
		*at = '/';
	}
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

static int read_file(int folder, struct fetch_memory *memory, int64_t now_s)
{
	int fd = openat(folder, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *text;
	ssize_t n;
	size_t length = 0;

	memory->n = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	text = malloc(FILE_MAX);
	if (!text)
		br_out_of_memory("the state of braid-fetch", FILE_MAX);
	while ((n = read(fd, text + length, FILE_MAX - length)) > 0)
		length += (size_t)n;
	close(fd);
	fetch_memory_read(memory, text, length, now_s);
	free(text);
	return 0;
}

static int write_all(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t n = write(fd, text, length);

		if (n < 0)
			return -errno;
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

static int write_file(int folder, const struct fetch_memory *memory)
{
	struct strbuf text;
	int fd, err;

	(void)!unlinkat(folder, NAME_NEW, 0); /* of one who was killed */
	fd = openat(folder, NAME_NEW,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	strbuf_init(&text);
	fetch_memory_print(memory, &text);
	err = write_all(fd, strbuf_text(&text), text.length);
	strbuf_fini(&text);
	if (close(fd) && !err)
		err = -errno;
	if (!err && renameat(folder, NAME_NEW, folder, NAME))
		err = -errno;
	if (err)
		(void)!unlinkat(folder, NAME_NEW, 0);
	return err;
}

static int update_locked(int folder, int64_t now_s, fetch_memory_change *change,
    void *context, struct fetch_memory *memory)
{
	int lock = openat(
	    folder, NAME_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int err;

	if (lock < 0)
		return -errno;
	if (flock(lock, LOCK_EX)) {
		err = -errno;
	} else {
		err = read_file(folder, memory, now_s);
		if (!err && change(context, memory))
			err = write_file(folder, memory);
	}
	close(lock);
	return err;
}

int fetch_memory_update(
    const char *path, int64_t now_s, fetch_memory_change *change, void *context)
{
	int err = make_folder(path), folder;
	struct fetch_memory *memory;

	if (err)
		return err;
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	memory = malloc(sizeof *memory);
	if (!memory)
		br_out_of_memory("the state of braid-fetch", sizeof *memory);
	err = update_locked(folder, now_s, change, context, memory);
	free(memory);
	close(folder);
	return err;
}
