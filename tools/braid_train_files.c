/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_train.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"

/* Files of the trainer, read line by line and written whole. */

enum line_end { LINE_READ, LINE_NONE, LINE_LONG, LINE_FAILED };

/* A line without its end, of at most ROW_LINE_BYTES_MAX bytes. */
static enum line_end read_line(FILE *file, char *line, size_t *ret_length)
{
	size_t n = 0;
	int c;

	while ((c = getc_unlocked(file)) != EOF && c != '\n') {
		if (n == ROW_LINE_BYTES_MAX)
			return LINE_LONG;
		line[n++] = (char)c;
	}
	if (ferror(file))
		return LINE_FAILED;
	*ret_length = n;
	return c == EOF && !n ? LINE_NONE : LINE_READ;
}

static int complain(const char *path, unsigned long number, const char *what)
{
	fprintf(stderr, "%s:%lu: %s\n", path, number, what);
	return TRAIN_DATA;
}

static int read_rows(
    struct row_reader *reader, const char *path, FILE *file, char *line)
{
	enum line_end end;
	size_t length = 0;
	bool has_header = false;

	for (unsigned long number = 1;; number++) {
		int err;

		end = read_line(file, line, &length);
		if (end != LINE_READ)
			break;
		if (!length)
			continue;
		err = has_header ? row_reader_row(reader, line, length)
				 : row_reader_header(reader, line, length);
		if (err)
			return complain(path, number, reader->error);
		has_header = true;
		continue;
	}
	if (end == LINE_LONG) {
		fprintf(stderr, "%s: a line is longer than %u bytes\n", path,
		    ROW_LINE_BYTES_MAX);
		return TRAIN_DATA;
	}
	if (end == LINE_FAILED) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return TRAIN_NO_INPUT;
	}
	return has_header ? TRAIN_OK : complain(path, 1, "the file is empty");
}

int train_read_files(struct row_reader *reader, char *const *paths, uint32_t n)
{
	char *line = malloc(ROW_LINE_BYTES_MAX + 1);
	int code = TRAIN_OK;

	if (!line)
		br_out_of_memory("a line", ROW_LINE_BYTES_MAX);
	for (uint32_t i = 0; !code && i < n; i++) {
		FILE *file = fopen(paths[i], "re");

		if (!file) {
			fprintf(stderr, "braid-train: %s: %s\n", paths[i],
			    strerror(errno));
			code = TRAIN_NO_INPUT;
			break;
		}
		code = read_rows(reader, paths[i], file, line);
		fclose(file);
	}
	free(line);
	if (!code && !reader->data.n_rows) {
		fprintf(stderr, "braid-train: there are no rows\n");
		code = TRAIN_DATA;
	}
	return code;
}

/* 0 or -errno. */
static int check_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	struct stat st;
	int n = snprintf(folder, sizeof folder, "%.*s",
	    slash ? (int)(slash - path + 1) : 1, slash ? path : ".");

	if (n >= (int)sizeof folder)
		return -ENAMETOOLONG;
	if (stat(folder, &st) || access(folder, W_OK | X_OK))
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static bool is_same_file(const char *path, const struct stat *other)
{
	struct stat st;

	return !stat(path, &st) && st.st_dev == other->st_dev &&
	       st.st_ino == other->st_ino;
}

int train_check_output(const char *option, const char *path, bool renames,
    char *const *inputs, uint32_t n)
{
	struct stat st;
	bool exists = !stat(path, &st);
	int err = 0;

	for (uint32_t i = 0; exists && S_ISREG(st.st_mode) && i < n; i++) {
		if (!is_same_file(inputs[i], &st))
			continue;
		fprintf(stderr,
		    "braid-train: %s %s would write over the rows of %s\n",
		    option, path, inputs[i]);
		return TRAIN_USAGE;
	}
	if (exists && S_ISDIR(st.st_mode))
		err = -EISDIR;
	else if (renames || !exists)
		err = check_folder(path);
	if (!err)
		return TRAIN_OK;
	fprintf(stderr, "braid-train: %s %s: %s%s\n", option, path,
	    err == -EISDIR ? "" : "its folder: ", strerror(-err));
	return TRAIN_FAILED;
}

int train_write_file(const char *path, const char *bytes, size_t length)
{
	FILE *file = fopen(path, "we");
	bool written = file && fwrite(bytes, 1, length, file) == length;

	/* Closing writes what is still in the buffer. */
	if (file && fclose(file))
		written = false;
	if (written)
		return TRAIN_OK;
	fprintf(stderr, "braid-train: %s: %s\n", path, strerror(errno));
	return TRAIN_FAILED;
}
