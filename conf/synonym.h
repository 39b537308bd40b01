/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Words that operators bring along from HAProxy, nginx and Envoy, and what
 * they are called here: asked before the nearest word by spelling is guessed.
 *
 *      balance: round_robin   -> did you mean "rr"?
 *      backends:              -> did you mean "pools"?
 *      mode: tcp              -> Braid is TCP only; leave it out
 *
 * Upper case, blanks, '-' and '_' make no difference.
 *
 * Thread:  any (constant).
 */
#include "conf/schema_table.h"

struct synonym {
	/* The block in which the word stands as a key ("" is the top of the
	 * file), or the key with choices whose value it is; NULL ends. */
	const char *where;
	const char *word; /* in small letters, without blanks, '-' and '_' */
	/* The key of the same block, or the choice, that is meant, maybe one of
	 * a later version; or NULL and a hint, which follows the message after
	 * a semicolon. */
	const char *meant, *hint;
};

extern const struct synonym synonyms[];

/* The synonym for a word found at that row (NULL: the top), or NULL. */
const struct synonym *synonym_find(
    const struct schema_row *where, const char *word);
/* The first row that the word means as a key or as a choice, or NULL. */
const struct schema_row *synonym_row(const char *word);
