/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A client's address as the key of `source` and `maglev`: the IP address
 * alone, because the port differs with each connection. An IPv4 client has
 * the same key on an IPv6 socket. Clients without an address (unix sockets)
 * are spread at random.
 *
 * The hash is not keyed by a secret: all Braids must agree on it. Who has very
 * many addresses can choose the server he meets.
 *
 * Thread:  any.
 */
#include "base/rng.h"
#include "lb/flow.h"

uint64_t balance_key(const struct flow_client *client, struct rng *rng);
