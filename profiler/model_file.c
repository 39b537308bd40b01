/* SPDX-License-Identifier: Apache-2.0 */
#include "profiler/model_file.h"

#include "base/hash.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int model_refuse(const struct model_why *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why->text, why->room, format, args);
	va_end(args);
	return BR_E_MODEL;
}

/* -- whose it is ------------------------------------------------------- */

static int check_owner(
    const struct stat *st, const char *what, const struct model_why *why)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return model_refuse(why, "%s belongs to user %u, want root%s",
		    what, st->st_uid,
		    geteuid() ? " or the user of braidd"
			      : ": braidd loads it as root");
	/* In a sticky folder nobody replaces what belongs to another. */
	if (st->st_mode & (S_IWGRP | S_IWOTH) &&
	    !(S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX))
		return model_refuse(why, "%s is writable by others (mode %03o)",
		    what, st->st_mode & 0777);
	return 0;
}

/* Who may write a folder of the path may put another file there. */
static int check_folders(const char *path, const struct model_why *why)
{
	char real[PATH_MAX], what[PATH_MAX + 16];
	struct stat st;
	char *slash;
	int err = 0;

	if (!realpath(path, real))
		return -errno;
	while (!err && (slash = strrchr(real, '/')) != NULL) {
		const char *folder = slash == real ? "/" : real;

		*slash = '\0';
		if (stat(folder, &st))
			return -errno;
		(void)snprintf(what, sizeof what, "its folder %s", folder);
		err = check_owner(&st, what, why);
	}
	return err;
}

static int check_kind(
    int fd, const struct model_why *why, size_t *ret_size, struct stat *ret)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return model_refuse(why, "it is not a regular file");
	if (st.st_size > MODEL_FILE_MAX)
		return model_refuse(
		    why, "it has more than %u MiB", MODEL_FILE_MAX >> 20);
	*ret_size = (size_t)st.st_size;
	*ret = st;
	return 0;
}

/* -- whether it is whole ----------------------------------------------- */

static int refuse_cut(const struct model_why *why, size_t size)
{
	return model_refuse(why,
	    "it is cut off: its headers promise more than its %zu bytes", size);
}

/* n entries of `each` bytes at `offset`. */
static bool is_inside(uint64_t offset, uint64_t n, uint64_t each, size_t size)
{
	return offset <= size && n * each <= size - offset;
}

static int check_segments(const uint8_t *bytes, size_t size,
    const ElfW(Ehdr) * head, const struct model_why *why)
{
	if (head->e_phentsize != sizeof(ElfW(Phdr)))
		return model_refuse(why, "it is no ELF file of this machine");
	if (!is_inside(
		head->e_phoff, head->e_phnum, sizeof(ElfW(Phdr)), size) ||
	    !is_inside(head->e_shoff, head->e_shnum, head->e_shentsize, size))
		return refuse_cut(why, size);
	for (unsigned i = 0; i < head->e_phnum; i++) {
		ElfW(Phdr) segment;

		memcpy(&segment, bytes + head->e_phoff + i * sizeof segment,
		    sizeof segment);
		if (!is_inside(segment.p_offset, 1, segment.p_filesz, size))
			return refuse_cut(why, size);
	}
	return 0;
}

int model_file_check(
    const uint8_t *bytes, size_t size, const struct model_why *why)
{
	ElfW(Ehdr) head;

	if (!size)
		return model_refuse(why, "it is empty");
	if (size < SELFMAG || memcmp(bytes, ELFMAG, SELFMAG) != 0)
		return model_refuse(why,
		    "it is no shared object: compile it with braid-train "
		    "fit --so");
	if (size < sizeof head)
		return refuse_cut(why, size);
	memcpy(&head, bytes, sizeof head);
	return check_segments(bytes, size, &head, why);
}

/* -- the copy ---------------------------------------------------------- */

/* All of it, into memory of its size. */
static int read_whole(int from, uint8_t *to, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = read(from, to + at, size - at);

		if (n < 0 && errno == EINTR)
			continue;
		/* It became shorter while it was read. */
		if (n <= 0)
			return n ? -errno : -EAGAIN;
		at += (size_t)n;
	}
	return 0;
}

static int fill_copy(int from, int to, size_t size, const struct model_why *why,
    uint64_t *ret_hash)
{
	uint8_t *bytes;
	int err;

	if (!size)
		return model_file_check(NULL, 0, why);
	if (ftruncate(to, (off_t)size))
		return -errno;
	bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, to, 0);
	if (bytes == MAP_FAILED)
		return -errno;
	err = read_whole(from, bytes, size);
	if (!err)
		err = model_file_check(bytes, size, why);
	if (!err)
		*ret_hash = hash_bytes(bytes, size, 0);
	(void)munmap(bytes, size);
	return err;
}

static int make_copy(int from, size_t size, const struct model_why *why,
    int *ret_fd, uint64_t *ret_hash)
{
	int fd = memfd_create("braid-model", MFD_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = fill_copy(from, fd, size, why, ret_hash);
	if (err)
		close(fd);
	else
		*ret_fd = fd;
	return err;
}

int model_file_open(const char *path, const struct model_why *why, int *ret_fd,
    uint64_t *ret_hash)
{
	/* A FIFO must not be waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	size_t size = 0;
	struct stat st;
	int err;

	if (fd < 0 && errno == ELOOP)
		return model_refuse(
		    why, "it is a symbolic link: name the file itself");
	if (fd < 0)
		return -errno;
	err = check_kind(fd, why, &size, &st);
	if (!err)
		err = check_owner(&st, "it", why);
	if (!err)
		err = check_folders(path, why);
	if (!err)
		err = make_copy(fd, size, why, ret_fd, ret_hash);
	close(fd);
	return err;
}

int model_file_open_any(const char *path, const struct model_why *why,
    int *ret_fd, uint64_t *ret_hash)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t size = 0;
	struct stat st;
	int err;

	if (fd < 0)
		return -errno;
	err = check_kind(fd, why, &size, &st);
	if (!err)
		err = make_copy(fd, size, why, ret_fd, ret_hash);
	close(fd);
	return err;
}
