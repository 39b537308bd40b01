/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The address from which a pool with `source: client` connects to a server:
 * the client's own, at a port that the kernel chooses.
 *
 *      client 192.0.2.7:51234 ──> Braid ──> server
 *                                   └ from 192.0.2.7:(any)
 *
 * Not the client's port too: a client that comes back from the same port, or
 * two that a PROXY header places there, would meet their own old connection
 * to that server in TIME_WAIT, and a retry would as well.
 *
 * Thread:  any; no state.
 * Errors:  BR_E_CLIENT_ADDRESS: a unix socket, an address of another family
 *          than the server's, or one that is nobody's own (unspecified,
 *          multicast, broadcast): the kernel would put ours in its place, and
 *          link-local IPv6, whose zone is not kept.
 */
#include "lb/flow.h"

int client_source(const struct flow_client *client, sa_family_t family,
    struct addr *ret) BR_MUST_CHECK;
