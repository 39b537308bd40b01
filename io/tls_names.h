/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Which certificates answer to a name: a table from DNS name, or "*." and the
 * rest of it, to the set of certificates that have it, one of each kind of
 * key. Inside of tls_server only.
 *
 * Thread:  building: clerk. Looking up: any.
 * Memory:  tables and names from the arena; certificates are borrowed.
 * Limits:  names of TLS_NAME_MAX bytes, longer ones are never found.
 * Source:  RFC 6125 6.4.3: a wildcard stands for exactly one label, the first.
 */
#include "base/arena.h"
#include "base/hash.h"
#include "io/tls_load.h"

#define TLS_NAME_MAX 255u
#define TLS_KINDS_MAX 6u

struct tls_names {
	uint32_t n;
	const struct tls_certificate *certificates[TLS_KINDS_MAX];
};

/* Adds all names of the certificate; returns the set of the first of them, or
 * NULL when it has none. */
struct tls_names *tls_names_add(struct arena *arena, struct strmap *map,
    const struct tls_certificate *certificate);
/* Adds a certificate to a set, unless one of its kind is there. */
void tls_names_join(
    struct tls_names *names, const struct tls_certificate *certificate);
/* NULL: nobody has that name. */
const struct tls_names *tls_names_find(
    const struct strmap *map, const char *name);
