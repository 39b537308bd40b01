/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the printers of answers (braidctl_print.h) share, and those of them
 * that have a file of their own.
 *
 * Thread:  the only one.
 */
#include <jansson.h>

#include "tools/braidctl_table.h"

struct printer {
	struct strbuf *out;
	bool colour;
};

/* Prints a table and frees it. */
void print_table(struct printer *p, struct table *table);
void cell_bytes(struct table *table, const json_t *object, const char *key);
void cell_count(struct table *table, const json_t *object, const char *key);
/* What ought to be 0. */
void cell_trouble(struct table *table, uint64_t count);
/* "12" or "12/100". */
void cell_of_limit(struct table *table, const json_t *object, const char *key,
    const char *limit_key);

void print_status(struct printer *p, const json_t *data);
void print_flows(struct printer *p, const json_t *data);
void print_dns(struct printer *p, const json_t *data);
void print_shards(struct printer *p, const json_t *data);
