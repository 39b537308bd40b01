/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * CRC32C (Castagnoli), RFC 4960 appendix B, as a number: what goes on the wire
 * is its big-endian form in the PROXY protocol.
 *
 * Thread:  any (pure).
 */
#include <stddef.h>
#include <stdint.h>

/* Goes on from `before`, which is 0 for the first bytes. */
uint32_t crc32c(uint32_t before, const void *bytes, size_t length);
