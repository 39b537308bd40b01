/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A daemon's answer as people read it: one printer a command.
 *
 * Thread:  the only one.
 */
#include <jansson.h>

#include "tools/braidctl_table.h"

/* Appends the text of the answer's data to ret. */
void print_answer(
    const char *command, const json_t *data, bool colour, struct strbuf *ret);

/* The look of a server's state, for all who show it: "up", "down",
 * "unchecked", "drain, 3 left", "maint, empty". */
const char *health_word(
    const json_t *server, enum style *ret_style, char ret[HUMAN_MAX]);
/* "s" unless n is 1. */
const char *plural(unsigned long long n);
