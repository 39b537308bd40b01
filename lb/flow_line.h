/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The line of the access log that a flow's record becomes; its fields are
 * explained in docs/access-log.md.
 *
 *     ts=... level=info msg="flow" id=42 listener=web client=192.0.2.7:51234
 *     pool=origins server=a ... worker=1 [only some flows: to=, tried=, sni=]
 *     [error="what happened"]
 *
 * Thread:  the clerk; flow_client_format(): any.
 * Memory:  the caller's room.
 * Limits:  as base/log_line.h: what does not fit is left out.
 */
#include <stddef.h>

struct flow_client;
struct flow_record;

#define FLOW_CLIENT_TEXT_MAX 64

/* In the log's format, with its newline and not terminated; room as for
 * log_line_begin(). Returns the length. */
int flow_line_compose(const struct flow_record *record, char *ret, int room);
/* "192.0.2.1:4711", "[2001:db8::1]:80", "unix" or "-", terminated. Returns the
 * length. */
size_t flow_client_format(
    const struct flow_client *client, char ret[FLOW_CLIENT_TEXT_MAX]);
