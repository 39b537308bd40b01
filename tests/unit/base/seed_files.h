/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The seeds of a fuzz target as samples for unit tests: real captures whose
 * file names begin with "real_".
 *
 * Thread:  the main thread of a test program.
 * Memory:  seed_files_each() owns the bytes while it calls back.
 */
#include <check.h>
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED_BYTES_MAX 65536

typedef void seed_fn(const char *name, const uint8_t *bytes, size_t length);

static inline size_t seed_file_read(
    const char *folder, const char *name, uint8_t ret[SEED_BYTES_MAX])
{
	const char *root = getenv("BRAID_SOURCE");
	char path[1024];
	size_t length;
	FILE *file;

	ck_assert_msg(root != NULL, "BRAID_SOURCE names the source tree");
	(void)snprintf(path, sizeof(path), "%s/tests/fuzz/seeds/%s/%s", root,
	    folder, name);
	file = fopen(path, "rb");
	ck_assert_msg(file != NULL, "%s", path);
	length = fread(ret, 1, SEED_BYTES_MAX, file);
	(void)fclose(file);
	return length;
}

/* Returns how many there were. */
static inline int seed_files_each(const char *folder, seed_fn *fn)
{
	static uint8_t bytes[SEED_BYTES_MAX];
	const char *root = getenv("BRAID_SOURCE");
	struct dirent *entry;
	char path[1024];
	int n = 0;
	DIR *dir;

	ck_assert_msg(root != NULL, "BRAID_SOURCE names the source tree");
	(void)snprintf(
	    path, sizeof(path), "%s/tests/fuzz/seeds/%s", root, folder);
	dir = opendir(path);
	ck_assert_msg(dir != NULL, "%s", path);
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "real_", 5) != 0)
			continue;
		fn(entry->d_name, bytes,
		    seed_file_read(folder, entry->d_name, bytes));
		n++;
	}
	(void)closedir(dir);
	return n;
}
