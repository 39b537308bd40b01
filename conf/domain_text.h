/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Names of a configuration that stand in the DNS: those of zones, of
 * resources, of TSIG keys. Only what everybody writes is taken: labels of
 * letters, digits, "-", "_" and, for classless reverse zones (RFC 2317), "/".
 * What a whole zone may hold is dnsd's to say.
 *
 * Thread:  any.
 * Memory:  results are constant texts.
 * Limits:  RFC 1035 section 2.3.4: 63 bytes a label, 255 in wire form, which
 *          are 253 characters without the last dot.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOMAIN_LABEL_MAX 63u
#define DOMAIN_CHARACTERS_MAX 253u

/* NULL, or what is wrong with it, for the end of a sentence. A dot at the end
 * is allowed, and the root, which is one alone. */
const char *domain_text_wrong(const char *text, size_t length);
/* The same of a name relative to a zone: "@", or labels without a dot at the
 * end. */
const char *owner_text_wrong(const char *text, size_t length);
/* The name in small letters and without the last dot, as texts are compared
 * (RFC 4343). ret has room for length + 1 bytes. */
void domain_text_plain(char *ret, const char *text, size_t length);
