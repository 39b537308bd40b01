/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The terminal while a command renews what it shows: alternate screen, no cursor, no echo, keys
 * at once. Given back on every way out but SIGKILL.
 *
 * Thread:  the only one; signal handlers only set words.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"

enum screen_event { SCREEN_TICK, SCREEN_RESIZED, SCREEN_QUIT };

/* Signals that end the program only set SCREEN_QUIT from now on. */
void screen_signals(void);
/* Takes the terminal, if there is one; what goes to stderr is kept until it is
 * given back. */
bool screen_enter(void);
void screen_leave(void);
void screen_size(uint32_t *ret_columns, uint32_t *ret_rows);
/* Replaces what is shown by the lines of `text`. */
void screen_show(const struct strbuf *text);
/* Waits up to `ms`; keys are read only when there is a terminal. */
enum screen_event screen_wait(int ms, bool keys);
