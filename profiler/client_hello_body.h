/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The inside of a ClientHello, for profiler/client_hello.c alone.
 *
 * Thread:  any (pure).
 * Memory:  the result is a copy.
 * Errors:  a cause; *ret may then be filled in part.
 */
#include "profiler/client_hello.h"

/* `bytes` is the message without its header. */
enum client_hello_cause client_hello_body_read(const uint8_t *bytes,
    size_t length, struct client_hello *ret) BR_MUST_CHECK;
/* The same of its first part: what the extensions say that are whole; versions
 * is 0 until there are theirs. False: it does not get as far, or is malformed. */
bool client_hello_body_begun(const uint8_t *bytes, size_t length,
    struct client_hello *ret) BR_MUST_CHECK;
