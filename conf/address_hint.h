/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What was probably meant by an address that addr_parse() does not take:
 *
 *      *:80  :80  80     ->  "0.0.0.0:80" and "[::]:80"
 *      192.0.2.1:80:90   ->  one port
 *      2001:db8::1:80    ->  "[2001:db8::1]:80"
 *      /run/a.sock       ->  unix:/run/a.sock
 *
 * Thread:  any.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"

/* Appends ": " and a sentence about the address, which has been quoted just
 * before; `peer` for one to connect to; `port_else`, where it is not 0, for
 * an IP address that has this port when none is given, and neither a name nor
 * a path will do. False, and nothing appended, when there is nothing better to
 * say than what is wanted. */
bool address_hint(
    struct strbuf *sb, const char *text, bool peer, uint16_t port_else);
