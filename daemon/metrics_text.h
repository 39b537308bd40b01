/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The text of /metrics from a view: which family shows what.
 *
 * Thread:  as metrics_view.
 * Memory:  appends to the caller's strbuf: about 0.8 KiB a server.
 */
#include "daemon/metrics_view.h"

struct tally;

/* `more`: what other generations have counted, NULL: nothing. */
void metrics_text_print(const struct metrics_view *view,
    enum metrics_format format, struct tally *more, struct strbuf *ret);
