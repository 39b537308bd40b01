/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * From servers with names to servers with addresses: a configuration as it
 * was read, and what is known about its names, give the configuration that a
 * plan is built from. Each address of a server becomes an *instance* of it,
 * which counts as a server of its own from there on.
 *
 *      a: {address: "origin.example.com:80"}      a/192.0.2.1:80
 *                                          ──>    a/192.0.2.2:80
 *      b: {address: "198.51.100.7:80"}            b
 *
 * An instance keeps the name of its server and has its address besides, so
 * its board row (pool, server, address) outlives every change of the others.
 * Instances stand in order of their addresses: records that come in another
 * order are no change. A name of which no address is known becomes one server
 * without address, so that it is seen.
 *
 * Of SRV (RFC 2782): the lowest priority is used, the others are backups; the
 * weight is the record's times the server's own.
 *
 * Thread:  clerk, or main at boot. Pure.
 * Memory:  the result lives in an arena of its own and holds a reference to
 *          `origin`, into which it points.
 * Limits:  resolve.max addresses a server, CONF_SERVERS_MAX in all: what is
 *          beyond is left out.
 */
#include "conf/conf.h"
#include "fleet/name_table.h"

struct conf *name_expand(struct conf *origin, const struct name_view *view);
/* What the configuration asks for; its texts are the configuration's. Returns
 * how many; *ret is malloc'ed. Several of them may be the same. */
uint32_t name_wants_of(const struct conf *conf, struct name_want **ret);
