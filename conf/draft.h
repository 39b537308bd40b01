/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A configuration while it is being read: the tree under construction and,
 * beside it, what only the checks need: where each key stood and which names
 * were referred to.
 *
 *      scope file ── scope "listeners.*" web ──> struct conf_listener
 *           └─────── scope "pools.*" origins ──> struct conf_pool
 *                         └── scope "pools.*.servers.*" a ──> struct conf_server
 *
 * Thread:  one at a time.
 * Memory:  all in the scratch arena, but what belongs to the struct conf.
 */
#include "conf/report.h"
#include "conf/schema_table.h"

struct yaml_stream;

struct scope {
	const struct schema_row *row; /* an SCHEMA_ENTRY; NULL: the file */
	struct scope *parent;
	const char *name;
	struct conf_pos pos;
	/* Where each key below was given, by schema_id() from the row's on;
	 * line 0: was not. */
	struct conf_pos *seen;
	void *element;
	/* A value was refused, so that its default stands in its place. */
	bool bad;
	/* A required key that was probably meant by an unknown one. */
	const struct schema_row *guess;
	const char *ref; /* of a listener: its pool's name */
	/* Its entries of each map in the list of all: of a pool its servers. */
	struct {
		uint32_t first, n;
	} below[SCHEMA_MAPS];
};

struct scope_list {
	struct scope **at;
	uint32_t n, room;
	bool overflow; /* said already */
};

struct draft {
	struct conf *conf;
	struct arena *scratch;
	struct report report;
	struct yaml_stream *stream;
	struct scope file;
	/* While blocks end one after the other: lines before the first. */
	bool closing;
	uint32_t lines_before;
	struct scope_list entries[SCHEMA_MAPS];
	void *templates[SCHEMA_MAPS]; /* elements with all defaults */
};

void draft_init(struct draft *draft, struct conf *conf, struct arena *scratch);
struct scope *draft_scope_new(struct draft *draft, struct scope *parent,
    const struct schema_row *row, const char *name, struct conf_pos pos);
/* A second scope for the file as a whole, with defaults, to be dropped. */
struct scope *draft_file_copy(struct draft *draft);
/* Where the key of that row was given in the scope; line 0: was not. */
struct conf_pos *draft_seen(
    const struct scope *scope, const struct schema_row *row);
/* "pools.origins.servers.a.weight"; the row may be NULL for the file. */
const char *draft_path(struct draft *draft, const struct scope *scope,
    const struct schema_row *row);
void draft_error(struct draft *draft, const struct scope *scope,
    const struct schema_row *row, struct conf_pos pos, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void draft_warning(struct draft *draft, const struct scope *scope,
    const struct schema_row *row, struct conf_pos pos, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Sets the defaults of what lies below the row (NULL: of the file), without
 * blocks whose defaults wait for the block. */
void draft_defaults(
    struct draft *draft, const struct schema_row *row, void *element);
