/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/nsec.h"

#include <string.h>

void nsec_add(struct nsec_types *types, uint16_t type)
{
	uint8_t window = (uint8_t)(type >> 8);
	uint8_t byte = (uint8_t)((type & 0xff) / 8);

	types->bits[window][byte] |= (uint8_t)(0x80 >> type % 8);
	if (types->used[window] <= byte)
		types->used[window] = (uint8_t)(byte + 1);
}

/* Windows without types are left out, and so are zeros at the end. */
size_t nsec_write(
    struct nsec_types *types, const uint8_t *next, uint8_t ret[NSEC_RDATA_MAX])
{
	size_t n = dname_copy(ret, next);

	for (uint32_t window = 0; window < NSEC_WINDOWS; window++) {
		uint8_t used = types->used[window];

		if (!used)
			continue;
		ret[n++] = (uint8_t)window;
		ret[n++] = used;
		memcpy(ret + n, types->bits[window], used);
		n += used;
		memset(types->bits[window], 0, used);
		types->used[window] = 0;
	}
	return n;
}
