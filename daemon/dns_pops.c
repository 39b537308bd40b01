/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dns_pops.h"

#include <stdio.h>
#include <string.h>

/* A Host header may have a port, which the name of a certificate has not. */
static const char *sni_of(const struct conf_health *health)
{
	return health->host && !strchr(health->host, ':') ? health->host : NULL;
}

struct pool *dns_pops_pool_new(const struct conf_pop *pop, struct board *board)
{
	char texts[CONF_POP_ADDRESSES_MAX][ADDR_TEXT_MAX];
	struct conf_server servers[CONF_POP_ADDRESSES_MAX] = {{0}};
	char name[DNS_POPS_NAME_MAX];
	struct conf_pool conf = {
	    .name = name,
	    .servers = servers,
	    .n_servers = pop->n_addresses,
	    .health = pop->health,
	    .agent = pop->agent,
	    .slow_start_ms = pop->slow_start_ms,
	    .tls = {.sni = sni_of(&pop->health)},
	};

	(void)snprintf(name, sizeof name, DNS_POPS_PREFIX "%s", pop->name);
	conf.agent.reports = true;
	/* Which POPs are believed to be down is for the weights to decide. */
	conf.health.fail_open_percent = 0;
	for (uint32_t i = 0; i < pop->n_addresses; i++) {
		addr_format(&pop->addresses[i], texts[i]);
		servers[i] = (struct conf_server){
		    .name = texts[i],
		    .addr = pop->addresses[i],
		    .weight = DNS_POPS_WEIGHT,
		};
	}
	return pool_new(&conf, board);
}

bool dns_pops_is(const char *pool_name)
{
	return !strncmp(
	    pool_name, DNS_POPS_PREFIX, sizeof(DNS_POPS_PREFIX) - 1);
}

const char *dns_pops_name(const struct pool *pool)
{
	return pool->name + sizeof(DNS_POPS_PREFIX) - 1;
}

static void add_own(struct dns_pops_state *s, const struct board_facts *facts)
{
	s->set_out |= facts->admin != BOARD_READY;
	if (facts->leaves_ns)
		s->leaves_ns = facts->leaves_ns;
	if (facts->weight_override != BOARD_WEIGHT_NONE)
		s->weight = facts->weight_override;
	if (facts->health != BOARD_UNKNOWN)
		s->known = true;
	if (facts->health == BOARD_DOWN)
		return;
	if (!s->up || facts->returned_ns < s->returned_ns)
		s->returned_ns = facts->returned_ns;
	s->up = true;
}

struct dns_pops_state dns_pops_state(const struct pool *pool, struct mono now)
{
	struct dns_pops_state s = {.weight = POP_WEIGHT_CONFIGURED};
	struct board_facts facts;

	for (uint32_t i = 0; i < pool->n_servers; i++) {
		board_read(pool->servers[i].row, &facts);
		add_own(&s, &facts);
		if (pool->agent.port)
			pop_report_add(&s.report, &facts.agent, now);
	}
	s.own = !s.known ? POP_CHECKS_NONE
		: s.up   ? POP_CHECKS_UP
			 : POP_CHECKS_DOWN;
	s.up = pop_report_judge(s.own, &s.report);
	s.differs = pop_report_differs(s.own, &s.report);
	s.drained = s.set_out || pop_report_drains(&s.report);
	s.known |= s.report.n > 0;
	return s;
}

bool dns_pops_is_out(const struct dns_pops_state *state)
{
	return !state->up || state->drained;
}

void dns_pops_note(struct pool *pool, struct mono now)
{
	struct board_pool *row = pool->row;
	struct dns_pops_state s = dns_pops_state(pool, now);
	bool out = dns_pops_is_out(&s);

	if (!out && row->out)
		__atomic_store_n(&row->returned_ns, now.ns, __ATOMIC_RELAXED);
	row->out = out;
}

/* A moment of the monotonic clock on that of the wall; 0 stays 0. */
static struct wall wall_of(int64_t mono_ns, struct mono now)
{
	if (!mono_ns)
		return (struct wall){0};
	return (struct wall){wall_now().ns + mono_ns - now.ns};
}

int64_t dns_pops_leaves(const struct pool *pool)
{
	return dns_pops_state(pool, mono_now()).leaves_ns;
}

void dns_pops_read(const struct pool *pool, struct pop_facts *ret)
{
	struct mono now = mono_now();
	struct dns_pops_state s = dns_pops_state(pool, now);
	/* After an upgrade only the rows tell. */
	int64_t returned_ns =
	    __atomic_load_n(&pool->row->returned_ns, __ATOMIC_RELAXED);

	if (!returned_ns)
		returned_ns = s.returned_ns;
	*ret = pop_facts_default();
	ret->known = s.known;
	ret->up = s.up;
	ret->draining = s.drained;
	ret->weight_override = s.weight;
	ret->leaves = wall_of(s.leaves_ns, now);
	ret->load_percent = pop_report_percent(&s.report);
	ret->returned = wall_of(returned_ns ? returned_ns : s.returned_ns, now);
	if (s.report.n)
		ret->until = wall_of(pop_report_until(&s.report).ns, now);
}

void dns_pops_facts(
    const struct conf *conf, struct board *board, struct pop_facts *ret)
{
	for (uint32_t i = 0; i < conf->n_pops; i++) {
		struct pool *pool = dns_pops_pool_new(&conf->pops[i], board);

		dns_pops_read(pool, &ret[i]);
		pool_free(pool, board);
	}
}
