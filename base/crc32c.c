/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crc32c.h"

#include <string.h>

/* The remainders of four bits by the reflected polynomial 0x82f63b78. Two
 * look-ups a byte: only for machines without the instruction. */
static const uint32_t remainders[16] = {
    0x00000000,
    0x105ec76f,
    0x20bd8ede,
    0x30e349b1,
    0x417b1dbc,
    0x5125dad3,
    0x61c69362,
    0x7198540d,
    0x82f63b78,
    0x92a8fc17,
    0xa24bb5a6,
    0xb21572c9,
    0xc38d26c4,
    0xd3d3e1ab,
    0xe330a81a,
    0xf36e6f75,
};

#ifdef __x86_64__
/* The instruction that SSE 4.2 has for it: eight bytes a step. */
__attribute__((target("sse4.2"))) static uint32_t crc32c_by_instruction(
    uint32_t crc, const uint8_t *p, size_t length)
{
	uint64_t wide = crc;

	for (; length >= sizeof(wide); length -= sizeof(wide)) {
		uint64_t word;

		memcpy(&word, p, sizeof(word));
		wide = __builtin_ia32_crc32di(wide, word);
		p += sizeof(word);
	}
	crc = (uint32_t)wide;
	while (length--)
		crc = __builtin_ia32_crc32qi(crc, *p++);
	return crc;
}
#endif

static uint32_t crc32c_by_table(uint32_t crc, const uint8_t *p, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		crc ^= p[i];
		crc = crc >> 4 ^ remainders[crc & 15];
		crc = crc >> 4 ^ remainders[crc & 15];
	}
	return crc;
}

uint32_t crc32c(uint32_t before, const void *bytes, size_t length)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return ~crc32c_by_instruction(~before, bytes, length);
#endif
	return ~crc32c_by_table(~before, bytes, length);
}
