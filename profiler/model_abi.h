/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a compiled model is: the one symbol by which a shared object, or the
 * built-in model, gives its classifier to braidd. It includes nothing of Braid,
 * since braid-train prints it in front of each model that it compiles.
 *
 *     const struct braid_model braid_model;    exported by the shared object
 *
 * Who loads one checks magic, abi and features_hash before anything else:
 * features are handed over by position, so a model of other names, or of the
 * same in another order, would answer without sense and without a sign.
 *
 * Thread:  any; classify() is a pure function that never allocates.
 * Memory:  everything is static in the model, and goes with its dlclose().
 * Units:   confidence in 1/10000, at most BRAID_MODEL_SURE; of a forest the
 *          mean of its trees' leaves.
 * Limits:  classes are numbered from 0, below n_classes <= 65536.
 */
#include <stdint.h>

#define BRAID_MODEL_MAGIC UINT32_C(0x4252414d) /* "BRAM" */
/* Raised when this file's meaning changes: older objects are refused. */
#define BRAID_MODEL_ABI 1
#define BRAID_MODEL_SURE 10000

struct braid_model {
	uint32_t magic, abi;
	/* FNV-1a of the features' names (learn/feature_names.h). */
	uint64_t features_hash;
	uint32_t n_features, n_classes;
	const char *name;
	const char *const *classes; /* n_classes names */
	/* n_features values in order -> class << 16 | confidence. */
	uint32_t (*classify)(const int32_t *features);
};
