/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One record on its way from where it was read (a zone file, the
 * configuration, a resource) into a zone. Class IN.
 *
 * Thread:  one at a time.
 * Memory:  borrowed for the call that gets it: who keeps it copies.
 * Units:   TTL in seconds.
 */
#include <stdint.h>

struct dns_place {
	const char *file; /* NULL: from no file, such as a resource's target */
	uint32_t line; /* 1-based; 0: unknown */
};

struct dns_record {
	const uint8_t *owner; /* in full, case as written */
	uint16_t type;
	uint16_t length; /* of rdata */
	uint32_t ttl;
	const uint8_t *rdata; /* wire form, names uncompressed */
	struct dns_place place;
};
