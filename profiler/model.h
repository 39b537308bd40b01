/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The classifier in force: the built-in one, or a shared object that
 * braid-train has compiled. Checked before it is ever asked.
 *
 *     file ──> model_load() ──> struct model ──> model_classify()
 *              model_file.h, ABI, features, classes
 *     model_default.c ──> model_builtin() ──┘
 *
 * model_default.c is what braid-train has made of profiler/data (ninja
 * retrain); model_default.md beside it says how good it is.
 *
 * Thread:  model_load(), model_free(): one that may block; model_classify():
 *          any.
 * Memory:  a model lives until model_free(), which unloads the object: its
 *          owner waits until no worker can be inside.
 * Errors:  -errno of the file; BR_E_MODEL with the reason as text.
 * Limits:  MODEL_CLASSES_MAX classes; classes of other names than those of
 *          profile.h are refused. A descriptor for each loaded object.
 */
#include <stdint.h>

#include "base/error.h"

struct braid_model;
struct model_why;

#define MODEL_CLASSES_MAX 16
#define MODEL_HASH_BUILTIN 1u

struct model {
	const struct braid_model *abi;
	void *object; /* of dlopen(); NULL: built in */
	int fd; /* of the object's copy in memory; with an object only */
	uint64_t hash; /* of the object's bytes; MODEL_HASH_BUILTIN */
	uint8_t class_of[MODEL_CLASSES_MAX]; /* enum flow_class */
};

/* Checks and takes what is in this process already. */
int model_bind(struct model *ret, const struct braid_model *abi, char *ret_why,
    uint32_t why_room) BR_MUST_CHECK;
/* The one that comes with Braid. It fails only in a build whose features have
 * changed since it was trained. */
int model_builtin(
    struct model *ret, char *ret_why, uint32_t why_room) BR_MUST_CHECK;
/* It becomes code of this process: model_file.h says whose files are taken.
 * The file may be replaced, overwritten or deleted afterwards. */
int model_load(struct model *ret, const char *path, char *ret_why,
    uint32_t why_room) BR_MUST_CHECK;
/* The object of a copy (model_file.h), as it is: who asks it has still to look
 * at what model_bind() looks at. The descriptor, which may
 * become another, stays open as long as it. */
int model_object_open(int *fd, const struct model_why *why, void **ret_object,
    const struct braid_model **ret_abi) BR_MUST_CHECK;
void model_free(struct model *model);
/* The class as in profile.h, and in *ret_confidence 1/10000. */
uint8_t model_classify(const struct model *model, const int32_t *features,
    uint16_t *ret_confidence);
