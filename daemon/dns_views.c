/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dns_views.h"

#include "base/assert.h"
#include "daemon/dns_pops.h"
#include "daemon/dns_shares.h"
#include "daemon/dns_store.h"
#include "dnsd/policy.h"
#include "dnsd/zone_set.h"

#include <stdlib.h>

static struct policy *make_policy(const struct dns_store *store,
    const struct conf *conf, struct board *board, uint64_t epoch)
{
	struct pop_facts facts[CONF_POPS_MAX];
	struct policy_input input = {.conf = conf,
	    .pops = dns_store_pops(store),
	    .facts = facts,
	    .epoch = epoch};

	dns_pops_facts(conf, board, facts);
	return policy_build(&input, wall_now());
}

struct dns_published *dns_published_new(struct dns_store *store,
    const struct conf *conf, struct board *board, uint64_t epoch)
{
	const struct conf_dns *dns = &conf->dns;
	struct dns_published *new = calloc(1, sizeof *new);

	if (!new)
		br_out_of_memory("DNS", sizeof *new);
	new->epoch = epoch;
	if (!store) {
		/* Connections from before `dns` went may still ask. */
		new->no_zones = zone_set_new(0);
		new->view.zones = new->no_zones;
		return new;
	}
	dns_shares_keep();
	new->store = dns_store_ref(store);
	new->proxies = &dns->tcp_proxies;
	new->policy = make_policy(store, conf, board, epoch);
	new->view = (struct dns_view){
	    .zones = dns_store_zones(store),
	    .policy = new->policy,
	    .regions = dns_store_regions(store),
	    .cookies = dns_store_cookies(store),
	    .nsid = dns->nsid,
	    .chaos_version = dns->chaos_version,
	    .chaos_id = dns->chaos_id,
	    .nocookie_max = dns->nocookie_max,
	    .ecs = dns->ecs,
	    .transfers = dns_store_transfers(store),
	};
	new->view.keys = dns_store_keys(store, &new->view.n_keys);
	return new;
}

void dns_published_free(struct dns_published *published)
{
	policy_free(published->policy);
	dns_store_unref(published->store);
	zone_set_free(published->no_zones);
	free(published);
}

struct dns_server_limits dns_limits_of(const struct conf_dns *conf)
{
	return (struct dns_server_limits){
	    .rrl_rate = conf->rrl_rate,
	    .rrl_slip = conf->rrl_slip,
	    .tcp_idle_ms = conf->tcp_idle_ms,
	    .tcp_connections = conf->tcp_connections,
	    .tcp_per_source = conf->tcp_per_source,
	};
}
