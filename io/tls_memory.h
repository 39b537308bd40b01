/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The memory of OpenSSL: pools without locks, one a worker, under one cap.
 *
 *      one address range, reserved at start
 *      ┌──────┬──────┬──────┬──────┬─ ─ ─
 *      │span A│span A│span B│ free │        64 KiB each, owned by one pool,
 *      └──────┴──────┴──────┴──────┴─ ─ ─   blocks of one size class
 *         │ freed by another thread: pushed on A's list, taken home by A
 *
 * A block has no header; an idle session costs what it asks for, rounded up
 * to its class (at most 1/4 more, mostly less). Spans without a block in use
 * go back to all.
 *
 * The cap counts spans, so it bounds real memory, fragments included. It is
 * met in two steps: from TLS_MEMORY_PRESSURE of it on, new handshakes are
 * refused before they allocate (tls_memory_pressed(), tls_session asks it);
 * at the cap allocations fail, which OpenSSL answers by failing the
 * connection. Sessions that are established go on in what remains.
 *
 * Threads without a pool (clerk, control: certificates, contexts) allocate
 * from libc, outside the cap; so do blocks beyond TLS_MEMORY_BLOCK_MAX, which
 * are refused under pressure. Either may free what the other allocated.
 *
 * Thread:  install: first in main(). attach, detach: the worker itself.
 *          Statistics: any.
 * Memory:  the range is reserved once and never given back; pages of free
 *          spans are.
 * Errors:  -EALREADY when OpenSSL has already allocated, -ENOMEM, -ENOSPC.
 * Limits:  TLS_MEMORY_POOLS pools.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define TLS_MEMORY_POOLS 256u
#define TLS_MEMORY_SPAN_BYTES (64u << 10)
#define TLS_MEMORY_BLOCK_MAX 21840u
/* Handshakes are refused when less than 1/8 of the cap remains. */
#define TLS_MEMORY_PRESSURE(cap) ((cap) - (cap) / 8)

struct tls_memory_stats {
	uint64_t live_bytes, live_blocks; /* handed out */
	uint64_t span_bytes; /* held by the pool */
	uint64_t allocations; /* ever */
	uint64_t refusals; /* allocations that met the cap */
};

/* Becomes OpenSSL's allocator, with a cap over all pools. */
int tls_memory_install(uint64_t cap_bytes) BR_MUST_CHECK;
/* The calling thread allocates from pool `index` from now on. A pool has one
 * thread at a time; its successor inherits what is still in use. */
int tls_memory_attach(uint32_t index) BR_MUST_CHECK;
void tls_memory_detach(void);
/* Whether the calling thread should start nothing new. Cheap. */
bool tls_memory_pressed(void);
/* Takes home what other threads freed; for idle moments, never needed. */
void tls_memory_collect(void);
void tls_memory_read(uint32_t index, struct tls_memory_stats *ret);
/* Spans of all pools, against the cap. */
uint64_t tls_memory_used_bytes(void);
uint64_t tls_memory_cap_bytes(void);
/* May be changed while running (reload); 0 is "no cap". At most the range
 * reserved at start, 64 GiB. */
void tls_memory_set_cap(uint64_t cap_bytes);
/* Test seam: the n-th allocation of this thread from now on fails (1: the
 * next), and with `all` every one after it; 0 switches it off. */
void tls_memory_fail_nth(uint32_t n, bool all);
