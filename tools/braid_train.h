/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the commands of `braid-train` share. Each is a main() of its own: its
 * options begin at argv[1].
 *
 * Thread:  the only one.
 * Errors:  an exit status, with a sentence already said on stderr.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "learn/row_reader.h"

enum train_exit {
	TRAIN_OK = 0,
	TRAIN_FAILED = 1,
	TRAIN_USAGE = 64,
	TRAIN_DATA = 65,
	TRAIN_NO_INPUT = 66,
	TRAIN_UNAVAILABLE = 69,
};

/* A row of the table in braid_train.c each. */
int train_fit_main(int argc, char **argv);
int train_eval_main(int argc, char **argv);
int train_dpi_main(int argc, char **argv);

/* The text of profiler/model_abi.h, made by the build. */
extern const char model_abi_text[];

/* Reads the files one after the other; the first line of each is its header.
 * Columns are as learn/row_reader.h says. */
int train_read_files(
    struct row_reader *reader, char *const *paths, uint32_t n) BR_MUST_CHECK;
/* Writes a whole file, or says why not. */
int train_write_file(
    const char *path, const char *bytes, size_t length) BR_MUST_CHECK;
/* Before the work: that `path` can be written at its end and is none of the
 * files that are read. A file that is put in place by a rename needs a folder
 * that can be written, whether it is there or not. */
int train_check_output(const char *option, const char *path, bool renames,
    char *const *inputs, uint32_t n) BR_MUST_CHECK;
/* An option's whole number from least to most. */
int train_option_number(const char *option, const char *text, uint64_t least,
    uint64_t most, uint64_t *ret) BR_MUST_CHECK;
