/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What values of several keys look like in the tree of conf.h: positions,
 * lists, names that refer to other entries.
 *
 * Thread:  any (plain data).
 * Memory:  in the arena of the struct conf.
 * Limits:  CONF_LIST_MAX values in one list.
 */
#include <stdint.h>

#include "base/addr.h"
#include "base/prefix.h"

#define CONF_LIST_MAX 4096 /* texts or prefixes in one list */

/* Where a value stood: 1-based; line 0 when it is a default. */
struct conf_pos {
	uint32_t line, column;
};

struct conf_bind {
	struct addr addr;
	struct conf_pos pos;
};

/* Values that may be a list. */
struct conf_texts {
	const char **at;
	uint32_t n;
};

/* Bytes of any value, written as text with escapes or in hexadecimal. */
struct conf_bytes {
	const char *at; /* not terminated */
	uint32_t n;
};

struct conf_prefixes {
	struct prefix *at;
	uint32_t n;
};

/* Texts that may hold blanks, each with the place of its first byte, behind a
 * quote; column 0 where the file has it in other words (escapes). */
struct conf_lines {
	const char **at;
	struct conf_pos *pos;
	uint32_t n;
};

/* The name of another entry of the file. */
struct conf_ref {
	const char *name;
	struct conf_pos pos;
};

struct conf_refs {
	struct conf_ref *at;
	uint32_t n;
};

/* A name and a number: of a block whose keys are names. */
struct conf_pair {
	const char *name;
	struct conf_pos pos;
	uint64_t value; /* in the unit of the key's type */
};

struct conf_pairs {
	struct conf_pair *at;
	uint32_t n;
};
