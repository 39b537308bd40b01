/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/feature_names.h"

/* http://www.isthe.com/chongo/tech/comp/fnv/. Part of the model ABI, so it
 * stands here and does not follow what base/hash does. */
#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

static uint64_t add_byte(uint64_t hash, char byte)
{
	return (hash ^ (uint8_t)byte) * FNV_PRIME;
}

uint64_t feature_names_hash(const char *const *names, size_t n)
{
	uint64_t hash = FNV_BASIS;

	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			hash = add_byte(hash, '\n');
		for (const char *c = names[i]; *c; c++)
			hash = add_byte(hash, *c);
	}
	return hash;
}
