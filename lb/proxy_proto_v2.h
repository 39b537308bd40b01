/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The binary header of version 2 (PP 2.2): its layout, and reading it, for
 * lb/proxy_proto*.c alone.
 *
 * Thread:  any (pure).
 */
#include "lb/proxy_proto.h"

#define PROXY_V2_SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define PROXY_V2_HEAD_BYTES 16
#define PROXY_V2_UNIX_BYTES 108
#define PROXY_V2_LENGTH_AT 14 /* of the 16-bit length of what follows */

enum { PROXY_V2_LOCAL = 0x20, PROXY_V2_PROXY = 0x21 };
enum proxy_v2_family {
	PROXY_V2_UNSPEC,
	PROXY_V2_INET,
	PROXY_V2_INET6,
	PROXY_V2_UNIX,
};
enum { PROXY_V2_STREAM = 1, PROXY_V2_DGRAM = 2 };

/* As proxy_parse(), for bytes that begin as the signature does. */
enum proxy_result proxy_v2_parse(const uint8_t *bytes, size_t length,
    struct proxy_header *ret, uint32_t *ret_need,
    enum proxy_cause *ret_cause) BR_MUST_CHECK;
