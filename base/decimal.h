/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Numbers as text without the C library's printf, for what is printed a
 * hundred thousand times a second. Nothing here terminates its text.
 *
 * Thread:  any.
 * Memory:  the caller's room, of the stated size.
 */
#include <stddef.h>
#include <stdint.h>

/* Digits of the largest number. */
#define DECIMAL_MAX 20
/* An IPv4 address and port. */
#define DECIMAL_IPV4_MAX 21

/* 0 is "0"; no leading zeros. Returns the length. */
size_t decimal_format(uint64_t v, char ret[DECIMAL_MAX]);
/* Exactly `digits` of them, with leading zeros; higher ones are left out. */
void decimal_fixed(uint64_t v, char *ret, size_t digits);
/* "192.0.2.1" of the four bytes in network order. Returns the length. */
size_t decimal_ipv4(const uint8_t ip[4], char ret[DECIMAL_IPV4_MAX]);
