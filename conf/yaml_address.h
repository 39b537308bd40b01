/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Finds an address that YAML takes for syntax because it is not in quotes:
 * "[::]:80" begins a list, "*:80" an alias, ":80" or "::1:80" in a flow a
 * pair without a key. Used to say so after a syntax error in that line.
 *
 * Thread:  any.
 * Limits:  looks at one line; a quote that was opened before is not known.
 */
#include <stddef.h>

/* The offset of the first one, and its length; `length` when there is none. */
size_t yaml_address_find(const char *line, size_t length, size_t *ret_length);
