/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The one table of all configuration keys. A row gives path, type, bounds,
 * default, unit, help text, where the value goes in struct conf, and whether
 * it exists in this version; from it come the parser, `braidctl explain`, the
 * JSON Schema, braid.yaml(5) and an example of all keys.
 *
 * Thread:  any (constant).
 */
#include <stdio.h>

#include "base/strbuf.h"
#include "conf/conf.h"

/* Text of one key ("pools.*.health.interval", or with a name in place of the
 * star) for `braidctl explain`; keys below it are listed. 0, or -ENOENT with
 * the nearest key's path in *ret_suggestion (NULL when nothing is near). */
int schema_explain(const char *key, struct strbuf *ret,
    const char **ret_suggestion) BR_MUST_CHECK;
/* JSON Schema (draft 2020-12) of the file. */
void schema_print_json_schema(struct strbuf *ret);
/* scdoc source of braid.yaml(5). */
void schema_print_man(struct strbuf *ret);
/* A file that loads, with every key of this version, its default and help. */
void schema_print_example(struct strbuf *ret);
