/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Values with names in them: where a server is, and whom to ask.
 *
 *     "192.0.2.1:80"  "unix:/path"         an address
 *     "origin.example.com:80"              a name: A and AAAA
 *     "srv:_http._tcp.example.com"         a service: SRV
 *
 * Thread:  any.
 * Errors:  as of convert_scalar().
 */
#include "conf/convert.h"

/* As an element's `host`; what stands before and behind it is not part. */
struct server_name {
	const char *host; /* within the text; not terminated */
	size_t length;
	bool srv;
	uint16_t port; /* 0 of a service */
};

/* Whether the text is a name and not something else. */
bool server_name_parse(const char *text, struct server_name *ret);
int convert_origin(const struct convert *c);
int convert_resolver(const struct convert *c);
