/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The fingerprint of an ordered list of features. A model is only asked about
 * vectors whose list has the fingerprint it was trained with.
 *
 * Thread:  any.
 */
#include <stddef.h>
#include <stdint.h>

/* FNV-1a, 64 bits, of the names joined by '\n', without one at the end. */
uint64_t feature_names_hash(const char *const *names, size_t n);
