/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A model as C: nested branches, the side that more rows took first, whole
 * numbers only. It answers exactly as forest_classify() does, without memory
 * of its own, and the same model gives the same text.
 *
 *     preamble            what declares struct braid_model
 *     tree_0(f) ...       if (f[2] <= 17) { ... return 3u << 16 | 9120u; }
 *     classify(f)         the tree itself, or the sum over the trees
 *     const struct braid_model SYMBOL = {...}
 *
 * Thread:  any.
 * Memory:  borrows everything; appends to the caller's buffer.
 * Limits:  those of tree.h and dataset.h. Names may hold any byte.
 */
#include "base/strbuf.h"
#include "learn/forest.h"

struct emit_model {
	const struct forest *forest;
	const char *const *feature_names, *const *class_names;
	const char *name; /* of the model */
	const char *preamble;
	const char *symbol;
};

void emit_c(const struct emit_model *model, struct strbuf *ret_text);
