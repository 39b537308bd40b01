/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Conversions of what refers to other entries, of records, and of values that
 * have a place each. For convert.c and fill.c.
 *
 * Thread:  any.
 * Memory:  into the arena of the struct convert.
 */
#include "conf/convert.h"

int convert_lines(const struct convert *c) BR_MUST_CHECK;
int convert_refs(const struct convert *c) BR_MUST_CHECK;
int convert_ips(const struct convert *c) BR_MUST_CHECK;
int convert_domain(const struct convert *c) BR_MUST_CHECK;
int convert_switch(const struct convert *c) BR_MUST_CHECK;
/* One name of a SCHEMA_PAIRS row with the text of its value, which is of the
 * row's type `pair`. */
int convert_pair(const struct convert *c, const char *name,
    struct conf_pos name_pos) BR_MUST_CHECK;
