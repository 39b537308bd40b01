/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the responder answers from, as it is published to the workers: the
 * zones of a configuration (daemon/dns_store) and the weights that hold now.
 *
 *      plan ───────── store ──┐
 *      POPs' health ─ policy ─┴─> struct dns_published ──> daemon->dns
 *                                                            │ snapshot
 *                                  workers, one look a turn <┘
 *
 * A new one is made when a configuration is loaded, when a zone is loaded
 * anew, and when what is known about POPs has changed; each time by the clerk,
 * and control publishes it. What was in force before goes back to the clerk,
 * who frees it when no worker can be inside any more.
 *
 * Thread:  new and free: the clerk, or main at boot and at the end.
 * Memory:  holds a reference to its store, and owns its policy.
 */
#include "base/clock.h"
#include "conf/conf.h"
#include "dnsd/dns_server.h"
#include "dnsd/responder.h"

struct board;
struct dns_store;

struct dns_published {
	struct dns_view view;
	struct dns_store *store; /* NULL: there is no DNS */
	struct zone_set *no_zones; /* what is answered from then, or NULL */
	struct policy *policy; /* NULL: there is no resource */
	uint64_t epoch; /* of the policy: 1, 2, ... */
	/* Of the configuration: peers that speak for others; NULL: none. */
	const struct conf_prefixes *proxies;
};

/* `store`, which may be NULL, is that of the configuration; one more reference
 * is taken. The weights are those of what the board says now. */
struct dns_published *dns_published_new(struct dns_store *store,
    const struct conf *conf, struct board *board, uint64_t epoch);
/* No thread can be inside any more. */
void dns_published_free(struct dns_published *published);

/* What the sockets keep to. */
struct dns_server_limits dns_limits_of(const struct conf_dns *conf);
