/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The terminal while `top` has it: alternate screen, no cursor, no echo, keys
 * at once. Given back on every way out but SIGKILL.
 *
 * Thread:  the only one; signal handlers only set words.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"

enum screen_event { SCREEN_TICK, SCREEN_RESIZED, SCREEN_QUIT };

/* Whether there is a terminal to take. */
bool screen_possible(void);
/* Signals that end the program only set SCREEN_QUIT from now on. */
void screen_signals(void);
void screen_enter(void);
void screen_leave(void);
void screen_size(uint32_t *ret_columns, uint32_t *ret_rows);
/* Replaces what is shown by the lines of `text`. */
void screen_show(const struct strbuf *text);
/* Waits up to `ms`; keys are read only when there is a terminal. */
enum screen_event screen_wait(int ms, bool keys);
