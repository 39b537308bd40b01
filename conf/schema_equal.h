/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Whether two elements (of struct conf, or of entries) hold the same values,
 * and the copy of a value from one to the other.
 *
 * Thread:  any.
 * Memory:  a copied text goes into the arena.
 */
#include "conf/schema_table.h"

/* One value. Not for maps, and not for the name of a pool, whose index means
 * something only within its tree: these are equal here. */
bool schema_value_equal(
    const struct schema_row *row, const void *a, const void *b);
/* One value that is a number, a text or one address. */
void schema_value_copy(const struct schema_row *row, void *to, const void *from,
    struct arena *arena);
/* All values below an entry's row, as above. */
bool schema_entry_equal(
    const struct schema_row *row, const void *a, const void *b);
