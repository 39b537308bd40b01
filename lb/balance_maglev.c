/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maglev hashing (lb/balance_table.h) with a table that stays: it is over all
 * configured servers and their configured weights, and does not follow
 * health. A client whose place belongs to a server that is away, full or was
 * tried goes on to another place, by the next hash of its key:
 *
 *      hash(key, 0) -> place -> s4, down
 *      hash(key, 1) -> place -> s9, full
 *      hash(key, 2) -> place -> s2           the same for every worker
 *
 * So exactly the clients of a server that leaves move, by weight to all
 * others, and they return with it, and nothing is built when health changes.
 * (A table built anew moves many more; docs/performance.md has both.)
 *
 * A server with less weight than the table gives it, against the others
 * (slow start, zones, braidctl weight), takes only that share of the clients
 * that meet it, told by other bits of the same hash. While it grows, clients
 * join it and none leaves. A server with more (braidctl weight) has besides
 * its places a part of all clients, told before the table is asked, that is
 * as large as what it has too much of the sum of weights: so clients of all
 * others go to it, and nowhere else.
 */
#include "lb/balance.h"

#include "base/hash.h"
#include "lb/balance_table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* With nine of ten servers away one client in 850 needs more; those are
 * settled by rendezvous hashing. */
#define MAGLEV_PROBES 64

/* Tells who is captured by a raised server; no number of a probe. */
#define MAGLEV_CAPTURE UINT64_MAX

struct maglev_server {
	uint64_t accepts; /* this many of 2^32 clients that meet it */
	double excess; /* weight beyond the table's */
	uint32_t place; /* in the view */
	uint32_t raised; /* of the i-th: place of the i-th raised server */
};

struct maglev {
	uint64_t captures; /* this many of 2^32 clients go to raised servers */
	uint32_t n_raised;
	struct maglev_server servers[]; /* by index */
};

static int maglev_init(struct balance *b)
{
	b->maglev =
	    calloc(1, sizeof *b->maglev + ((size_t)b->pool->n_servers + 1) *
					      sizeof(struct maglev_server));
	return b->maglev ? 0 : -ENOMEM;
}

static void maglev_fini(struct balance *b)
{
	free(b->maglev);
	b->maglev = NULL;
}

/* Its weight against what it has of the table. */
static double maglev_ratio(const struct balance_entry *entry)
{
	return (double)entry->weight / balance_table_weight(entry->server);
}

/* The largest ratio of those whose weight is not above the file's; of all
 * when there is none. */
static double maglev_full_ratio(const struct balance *b)
{
	double most = 0, any = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		const struct server *server = b->view[i].server;
		double ratio = maglev_ratio(&b->view[i]);

		any = ratio > any ? ratio : any;
		if (b->shares[server->index].full <=
			balance_table_weight(server) &&
		    ratio > most)
			most = ratio;
	}
	return most > 0 ? most : any;
}

static void maglev_rebuild(struct balance *b)
{
	struct maglev *m = b->maglev;
	double full = maglev_full_ratio(b), excess = 0, sum = 0;

	memset(m->servers, 0, b->pool->n_servers * sizeof *m->servers);
	m->n_raised = 0;
	for (uint32_t i = 0; i < b->n; i++) {
		const struct balance_entry *entry = &b->view[i];
		struct maglev_server *server =
		    &m->servers[entry->server->index];
		double part = maglev_ratio(entry) / full;

		server->place = i;
		server->accepts = (uint64_t)((part < 1 ? part : 1) * 0x1p32);
		sum += entry->weight;
		if (part <= 1)
			continue;
		server->excess =
		    entry->weight - full * balance_table_weight(entry->server);
		excess += server->excess;
		m->servers[m->n_raised++].raised = i;
	}
	m->captures = b->n ? (uint64_t)(excess / sum * 0x1p32) : 0;
}

/* Among those with too much for the table by rendezvous hashing, as in
 * balance_source.c; they are few. */
static uint32_t maglev_captured(
    const struct balance *b, const struct balance_ask *ask)
{
	const struct maglev *m = b->maglev;
	uint32_t best = BALANCE_NONE;
	double least = HUGE_VAL;

	if ((uint32_t)hash_u64(ask->key, MAGLEV_CAPTURE) >= m->captures)
		return BALANCE_NONE;
	for (uint32_t i = 0; i < m->n_raised; i++) {
		uint32_t place = m->servers[i].raised;
		uint32_t index = b->view[place].server->index;
		double draw = balance_draw(ask->key, b->table->seeds[index]) /
			      m->servers[index].excess;

		if (draw >= least || !balance_eligible(&b->view[place], ask))
			continue;
		least = draw;
		best = place;
	}
	return best;
}

static uint32_t maglev_pick(
    struct balance *b, const struct balance_ask *ask, struct rng *rng)
{
	const struct balance_table *table = b->table;
	uint32_t captured = maglev_captured(b, ask);

	(void)rng;
	if (captured != BALANCE_NONE)
		return captured;
	for (uint32_t i = 0; i < MAGLEV_PROBES; i++) {
		uint64_t hash = hash_u64(ask->key, i);
		uint64_t place = (hash >> 32) * table->n_places >> 32;
		const struct maglev_server *met =
		    &b->maglev->servers[table->places[place]];

		if ((uint32_t)hash < met->accepts &&
		    balance_eligible(&b->view[met->place], ask))
			return met->place;
	}
	return balance_rendezvous(b, 0, b->n, ask);
}

const struct balance_ops balance_maglev = {
    .name = "maglev",
    .init = maglev_init,
    .fini = maglev_fini,
    .rebuild = maglev_rebuild,
    .pick = maglev_pick,
};
