/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The line of version 1 (PP 2.1), for lb/proxy_proto.c alone.
 *
 * Thread:  any (pure).
 */
#include "lb/proxy_proto.h"

#define PROXY_V1_SIGNATURE "PROXY "

/* As proxy_parse(), for bytes that begin as the signature does. */
enum proxy_result proxy_v1_parse(const uint8_t *bytes, size_t length,
    struct proxy_header *ret, uint32_t *ret_need,
    enum proxy_cause *ret_cause) BR_MUST_CHECK;
