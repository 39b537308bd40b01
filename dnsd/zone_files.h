/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The files of a zone that are open, one within the other: the first one, and
 * what $INCLUDE adds from its folder.
 *
 *     /etc/braid/zones/ ──> folder    nothing outside of it is opened
 *         example.zone  ──> at[0]
 *         hosts/a       ──> at[1]     "hosts/a" in example.zone
 *         hosts/b       ──> at[2]     "b" in hosts/a
 *
 * The kernel holds them below the folder (openat2 with RESOLVE_BENEATH), also
 * where a name has "..", or a part of it is a symbolic link.
 *
 * Thread:  one at a time; it reads from disk.
 * Memory:  names of files live until zone_files_fini().
 * Errors:  -errno or BR_E_LIMIT, with a sentence for an operator.
 * Limits:  ZONE_FILES_MAX in all; regular files only, so that no pipe or
 *          device can hold up who reads.
 */
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "dnsd/dname.h"
#include "dnsd/zone_scan.h"

#define ZONE_FILES_DEPTH_MAX 8u /* beside the first one */
#define ZONE_FILES_MAX 1000u
#define ZONE_FILES_WHY_MAX 256u

struct zone_file {
	struct zone_scan scan;
	const char *name; /* as error texts show it */
	const char *below; /* from the folder */
	uint8_t origin[DNAME_MAX];
	dev_t device;
	ino_t inode;
	int fd;
};

struct zone_files {
	struct zone_file at[ZONE_FILES_DEPTH_MAX + 1];
	uint32_t n; /* that are open; the last one is read */
	uint32_t opened; /* so far */
	int folder; /* -1: not yet needed */
	const char *path; /* of the first */
	struct arena *names;
};

void zone_files_init(struct zone_files *files);
/* Closes all. */
void zone_files_fini(struct zone_files *files);
/* The first file. */
int zone_files_open(struct zone_files *files, const char *path,
    const uint8_t *origin, char ret_why[ZONE_FILES_WHY_MAX]) BR_MUST_CHECK;
/* One that the last one names. */
int zone_files_include(struct zone_files *files, const char *name,
    const uint8_t *origin, char ret_why[ZONE_FILES_WHY_MAX]) BR_MUST_CHECK;
/* A text in the place of a file. */
void zone_files_open_text(struct zone_files *files, const char *name,
    const char *text, uint32_t line, uint32_t column, const uint8_t *origin);
/* Closes the last one. */
void zone_files_pop(struct zone_files *files);
static inline struct zone_file *zone_files_last(struct zone_files *files)
{
	return &files->at[files->n - 1];
}
