/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_files.h"

#include "base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NONE (-1)
/* A pipe is opened without waiting for its other end, a terminal does not
 * become ours. */
#define FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

void zone_files_init(struct zone_files *files)
{
	files->n = 0;
	files->opened = 0;
	files->folder = NONE;
	files->path = NULL;
	files->names = arena_new();
}

void zone_files_fini(struct zone_files *files)
{
	while (files->n)
		zone_files_pop(files);
	if (files->folder != NONE)
		(void)close(files->folder);
	arena_free(files->names);
}

void zone_files_pop(struct zone_files *files)
{
	struct zone_file *file = zone_files_last(files);

	zone_scan_close(&file->scan);
	if (file->fd != NONE)
		(void)close(file->fd);
	files->n--;
}

/* Length of the folder in a path, its slash included. */
static size_t folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) + 1 : 0;
}

static struct zone_file *push(
    struct zone_files *files, int fd, const uint8_t *origin)
{
	struct zone_file *file = &files->at[files->n++];

	br_assert(files->n <= ZONE_FILES_DEPTH_MAX + 1);
	file->fd = fd;
	(void)dname_copy(file->origin, origin);
	return file;
}

void zone_files_open_text(struct zone_files *files, const char *name,
    const char *text, uint32_t line, uint32_t column, const uint8_t *origin)
{
	struct zone_file *file = push(files, NONE, origin);

	file->name = name;
	zone_scan_open_text(&file->scan, text, strlen(text), line, column);
}

/* Of an open file, which is closed when it is not one to read. */
static int push_file(struct zone_files *files, int fd, const char *name,
    const char *below, const uint8_t *origin, const char **ret_why)
{
	struct zone_file *file;
	struct stat st;
	int error = fstat(fd, &st) ? -errno : 0;

	*ret_why = NULL;
	if (!error && !S_ISREG(st.st_mode)) {
		error = -EINVAL;
		*ret_why = "is not a regular file";
	}
	for (uint32_t i = 0; !error && i < files->n; i++)
		if (files->at[i].device == st.st_dev &&
		    files->at[i].inode == st.st_ino) {
			error = -ELOOP;
			*ret_why = "would include itself";
		}
	if (error) {
		(void)close(fd);
		return error;
	}
	file = push(files, fd, origin);
	file->device = st.st_dev;
	file->inode = st.st_ino;
	file->name = name;
	file->below = below;
	files->opened++;
	zone_scan_open(&file->scan, fd);
	return 0;
}

static int explain(char *ret_why, const char *name, int error, const char *why)
{
	if (why)
		(void)snprintf(ret_why, ZONE_FILES_WHY_MAX, "%s %s", name, why);
	else
		(void)snprintf(ret_why, ZONE_FILES_WHY_MAX,
		    "%s cannot be opened: %s", name, br_strerror(error));
	return error;
}

int zone_files_open(struct zone_files *files, const char *path,
    const uint8_t *origin, char ret_why[ZONE_FILES_WHY_MAX])
{
	const char *why = NULL;
	const char *name = arena_strdup(files->names, path);
	int fd = open(path, FLAGS);
	int error = fd < 0 ? -errno : 0;

	files->path = name;
	if (!error)
		error = push_file(
		    files, fd, name, name + folder_length(name), origin, &why);
	return error ? explain(ret_why, "the file", error, why) : 0;
}

/* -- $INCLUDE ---------------------------------------------------------- */

static int open_folder(struct zone_files *files)
{
	size_t length = folder_length(files->path);
	const char *folder =
	    length ? arena_strndup(files->names, files->path, length) : ".";

	if (files->folder == NONE)
		files->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return files->folder == NONE ? -errno : 0;
}

/* There is no wrapper in the C library. */
static int open_below(int folder, const char *below)
{
	struct open_how how = {
	    .flags = FLAGS,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, folder, below, &how, sizeof how);

	return fd < 0 ? -errno : (int)fd;
}

static const char *limit_reached(const struct zone_files *files)
{
	if (files->n == ZONE_FILES_DEPTH_MAX + 1)
		return "is nested too deep: there are 8 files around it";
	if (files->opened == ZONE_FILES_MAX)
		return "is one file too many: 1000 have been read";
	return NULL;
}

int zone_files_include(struct zone_files *files, const char *name,
    const uint8_t *origin, char ret_why[ZONE_FILES_WHY_MAX])
{
	const struct zone_file *from = zone_files_last(files);
	const char *why = limit_reached(files);
	const char *below, *shown;
	int error, fd;

	if (why)
		return explain(ret_why, name, BR_E_LIMIT, why);
	if (*name == '/')
		return explain(ret_why, name, -EXDEV,
		    "must be named from the folder of the file that includes "
		    "it");
	below = arena_printf(files->names, "%.*s%s",
	    (int)folder_length(from->below), from->below, name);
	shown = arena_printf(files->names, "%.*s%s",
	    (int)folder_length(files->path), files->path, below);
	error = open_folder(files);
	if (error)
		return explain(ret_why, "its folder", error, NULL);
	fd = open_below(files->folder, below);
	if (fd == -EXDEV)
		return explain(ret_why, name, fd,
		    "lies outside of the folder of the zone's file");
	if (fd < 0)
		return explain(ret_why, name, fd, NULL);
	error = push_file(files, fd, shown, below, origin, &why);
	return error ? explain(ret_why, name, error, why) : 0;
}
