/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Walks the events of a file along the schema: every key finds its row, every
 * value its place in the draft. Whatever does not fit is reported and passed
 * over, so that one run finds all that is wrong.
 *
 * Thread:  one at a time.
 * Errors:  in draft->report.
 * Limits:  recursion is as deep as the schema, not as the file.
 */
#include "conf/draft.h"

/* Reads draft->stream to its end. False after a syntax error: then what
 * follows is unknown and checks that need the whole make no sense. */
bool fill_draft(struct draft *draft);
