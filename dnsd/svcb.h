/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * SvcParams: the parameters at the end of SVCB and HTTPS records (RFC 9460
 * section 2), in text and on the wire, where each key stands once and in
 * ascending order.
 *
 *     1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1
 *     │ │ └──────────────── SvcParams ─────────┘
 *     │ └ target: "." is the owner itself (section 2.5)
 *     └── priority: 0 is an alias, which has no SvcParams (section 2.4.2)
 *
 * Thread:  any; svcb_params_to_text() not on workers (it calls the heap).
 * Memory:  the caller's.
 * Errors:  as in rdata.h.
 * Limits:  SVCB_KEYS_MAX keys in a record that is read from text.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "dnsd/zone_scan.h"

#define SVCB_KEYS_MAX 64u

/* RFC 9460 section 14.3.2; dohpath RFC 9461; ohttp RFC 9540. */
#define SVCB_KEY_LIST(X)                                                       \
	X(MANDATORY, 0, "mandatory")                                           \
	X(ALPN, 1, "alpn")                                                     \
	X(NO_DEFAULT_ALPN, 2, "no-default-alpn")                               \
	X(PORT, 3, "port")                                                     \
	X(IPV4HINT, 4, "ipv4hint")                                             \
	X(ECH, 5, "ech")                                                       \
	X(IPV6HINT, 6, "ipv6hint")                                             \
	X(DOHPATH, 7, "dohpath")                                               \
	X(OHTTP, 8, "ohttp")

enum svcb_key {
#define X(name, number, text) SVCB_##name = number,
	SVCB_KEY_LIST(X)
#undef X
	    SVCB_INVALID = 65535, /* reserved (section 14.3.2) */
};

/* What a record is made of that somebody makes without text. Lists may be
 * empty, and are then not in the record. */
struct svcb_fields {
	uint16_t priority; /* 0: an alias, with nothing but the target */
	uint16_t port; /* 0: the scheme's own */
	const uint8_t *target; /* in wire form */
	const char *const *alpn; /* protocol ids of 1 to 255 bytes */
	uint32_t n_alpn;
	const uint8_t (*ipv4)[4];
	uint32_t n_ipv4;
	const uint8_t (*ipv6)[16];
	uint32_t n_ipv6;
};

/* The wire data of a SVCB or HTTPS record; returns its length, 0 when there
 * is no room for it. */
size_t svcb_write(const struct svcb_fields *fields, uint8_t *ret, size_t room);

/* Reads parameters up to the end of the entry, which is consumed. */
int svcb_params_read(
    struct zone_scan *scan, struct cursor_out *out) BR_MUST_CHECK;
/* Appends them, each after a blank. They must be right. */
void svcb_params_to_text(
    struct strbuf *out, const uint8_t *params, size_t length);
/* What is wrong with them, NULL: nothing. */
const char *svcb_params_wrong(
    const uint8_t *params, size_t length) BR_MUST_CHECK;
