/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The PROXY header that a pool's servers get in front of a flow's bytes: the
 * client's address and the one it had connected to, and with version 2 what
 * is known of its TLS (name, ALPN, version, certificate) and the unique id of
 * a PROXY header that it came with.
 *
 * Thread:  the flow's worker.
 * Errors:  false: the flow has ended.
 */
#include "lb/flow.h"
#include "lb/proxy_proto.h"

/* The header itself; its length. */
uint32_t proxy_out_build(struct flow *flow, uint8_t ret[PROXY_V2_BYTES_MAX]);

/* Puts the header in front of what goes to the server; it is sent with what
 * follows, at the latest when the directions start. */
bool proxy_out_say(struct flow *flow);
