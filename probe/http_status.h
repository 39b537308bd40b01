/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The status of an HTTP/1 answer, from its first bytes (RFC 9112 section 4).
 * Interim answers (1xx but 101) before the final one are passed over.
 *
 * It judges as early as it can: the first byte that cannot belong to a status
 * line ends it, so a server that speaks another protocol need not send a
 * whole line. A bare LF ends a line too, and the blank before an empty reason
 * may be missing, because servers do both.
 *
 * Thread:  any (pure).
 * Memory:  reads the caller's bytes, keeps nothing.
 * Errors:  BR_E_PROTOCOL: this is not HTTP/1.
 */
#include <stddef.h>

#include "base/error.h"

#define HTTP_STATUS_PARTIAL 0

/* 100..999 once the final status line is complete; HTTP_STATUS_PARTIAL when
 * more bytes are needed (call again with all bytes so far); or an error. */
int http_status_parse(const char *bytes, size_t length) BR_MUST_CHECK;
