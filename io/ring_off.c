/* SPDX-License-Identifier: Apache-2.0 */
#include "io/ring_off.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[RING_OFF_N] = {
#define X(name, text) [RING_OFF_BIT_##name] = text,
    RING_OFF_LIST(X)
#undef X
};

const char *ring_off_name(uint32_t bit)
{
	return bit < RING_OFF_N ? names[bit] : "?";
}

static uint32_t ring_off_find(const char *word, size_t length)
{
	if (length == 3 && !memcmp(word, "all", 3))
		return (1u << RING_OFF_N) - 1;
	for (uint32_t i = 0; i < RING_OFF_N; i++)
		if (strlen(names[i]) == length &&
		    !memcmp(names[i], word, length))
			return 1u << i;
	return 0;
}

int ring_off_parse(const char *text, uint32_t *ret)
{
	uint32_t off = 0;
	int err = 0;

	while (*text) {
		size_t length = strcspn(text, ",");
		uint32_t found = ring_off_find(text, length);

		if (!found && length)
			err = -EINVAL;
		off |= found;
		text += length + (text[length] == ',');
	}
	*ret = off;
	return err;
}

uint32_t ring_off_environment(void)
{
	const char *text = getenv("BRAID_IO_OFF");
	uint32_t off = 0;

	if (text)
		(void)!ring_off_parse(text, &off);
	return off;
}
