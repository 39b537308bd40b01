/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Reads the records of a message back, names in full, as zone files have
 * them: what the responder would send is shown that way to an operator.
 *
 *     message ──> on_record(answer, www.example. 300 A 192.0.2.1) ...
 *
 * Thread:  control and tools; not for workers.
 * Memory:  a record is valid during the call.
 * Errors:  BR_E_PROTOCOL when it is no whole message with one question.
 * Limits:  names compressed in rdata of the types of RFC 1035 only.
 */
#include <stddef.h>

#include "base/error.h"
#include "dnsd/dns_record.h"
#include "dnsd/wire.h"

/* OPT is left out. */
int wire_records_read(const uint8_t *message, size_t length,
    void (*on_record)(void *context, enum wire_section section,
	const struct dns_record *record),
    void *context) BR_MUST_CHECK;
