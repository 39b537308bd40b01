/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/shares.h"

#include "fleet/board_table.h"

#include <stdlib.h>
#include <string.h>

#define SCALE_MAX 1024u

/* Weights of one kind of server, not scaled. */
struct tally {
	uint64_t full; /* of those that are ready */
	uint64_t usable;
	uint32_t n_ready, n_usable, n_ejected; /* but for that, usable */
};

/* -- slow start -------------------------------------------------------- */

static bool in_use(const struct board_facts *facts)
{
	return board_admin_now(facts) == BOARD_READY &&
	       board_health_now(facts) != BOARD_DOWN &&
	       !facts->ejected_until_ns;
}

void shares_note_return(
    const struct board_facts *before, struct board_facts *after, int64_t now_ns)
{
	if (in_use(after) && !in_use(before))
		after->returned_ns = now_ns;
}

uint32_t shares_slow_start_percent(
    const struct pool *pool, const struct board_facts *facts, int64_t now_ns)
{
	int64_t all_ns = (int64_t)pool->slow_start_ms * NS_PER_MS;
	int64_t for_ns = now_ns - facts->returned_ns;
	int64_t grown;

	if (!all_ns || !facts->returned_ns || for_ns >= all_ns)
		return 100;
	if (for_ns < 0)
		for_ns = 0;
	grown = (100 - SHARES_SLOW_START_FIRST_PERCENT) * for_ns / all_ns;
	return SHARES_SLOW_START_FIRST_PERCENT + (uint32_t)grown;
}

/* Rounded up: a server that may have one connection has one. */
static uint32_t limit_at(uint32_t limit, uint32_t percent)
{
	return (uint32_t)(((uint64_t)limit * percent + 99) / 100);
}

/* -- who is usable ----------------------------------------------------- */

static void read_facts(
    const struct pool *pool, uint32_t i, int64_t now_ns, struct share *ret)
{
	const struct server *server = &pool->servers[i];
	struct board_facts facts;

	board_read(server->row, &facts);
	memset(ret, 0, sizeof *ret);
	ret->configured = server_weight_in_force(server, &facts);
	ret->full =
	    board_admin_now(&facts) == BOARD_READY ? ret->configured : 0;
	ret->healthy = board_health_now(&facts) != BOARD_DOWN;
	ret->ejected = facts.ejected_until_ns != 0;
	ret->percent = (uint8_t)shares_slow_start_percent(pool, &facts, now_ns);
	ret->limit = limit_at(server_limit_now(server, &facts), ret->percent);
}

static void tally_add(struct tally *tally, const struct share *share)
{
	if (!share->full)
		return;
	tally->full += share->full;
	tally->n_ready++;
	if (!share->healthy)
		return;
	if (share->ejected) {
		tally->n_ejected++;
		return;
	}
	tally->usable += share->full;
	tally->n_usable++;
}

static bool too_few(const struct pool *pool, const struct tally *tally)
{
	return tally->usable * 100 <
	       tally->full * pool->health.fail_open_percent;
}

/* What is left of the facts once it is settled who serves. */
struct choice {
	bool backups, fails_open, ejected_too;
};

static struct choice choose(const struct pool *pool, const struct tally *first,
    const struct tally *backups)
{
	struct choice choice = {.backups = false};

	if (first->n_ready && !backups->n_usable && too_few(pool, first)) {
		choice.fails_open = true;
		return choice;
	}
	if (first->n_usable)
		return choice;
	if (backups->n_usable) {
		choice.backups = true;
		choice.fails_open = !first->n_ready && too_few(pool, backups);
		return choice;
	}
	choice.ejected_too = true;
	choice.backups = !first->n_ejected;
	choice.fails_open =
	    choice.backups && !first->n_ready && too_few(pool, backups);
	return choice;
}

static bool is_usable(const struct choice *choice, const struct share *share)
{
	if (!share->full)
		return false;
	if (choice->fails_open)
		return true;
	return share->healthy && (!share->ejected || choice->ejected_too);
}

static struct choice settle(
    const struct pool *pool, int64_t now_ns, struct share *ret)
{
	struct tally tallies[2] = {{0}};
	struct choice choice;

	for (uint32_t i = 0; i < pool->n_servers; i++) {
		read_facts(pool, i, now_ns, &ret[i]);
		tally_add(&tallies[pool->servers[i].backup], &ret[i]);
	}
	choice = choose(pool, &tallies[false], &tallies[true]);
	for (uint32_t i = 0; i < pool->n_servers; i++) {
		ret[i].usable = pool->servers[i].backup == choice.backups &&
				is_usable(&choice, &ret[i]);
		if (choice.fails_open)
			ret[i].percent = 100;
	}
	return choice;
}

/* -- how much ---------------------------------------------------------- */

/* Usable weight times percent near and far, and what the own zone has in
 * all, drained servers included: they are capacity that is missing. */
struct zones {
	uint64_t near, far, near_all;
	double share; /* of the own zone */
};

static struct zones weigh_zones(
    const struct pool *pool, bool backups, const struct share *shares)
{
	struct zones zones = {.share = 1};

	for (uint32_t i = 0; i < pool->n_servers; i++) {
		const struct server *server = &pool->servers[i];
		uint64_t weight = (uint64_t)shares[i].full * shares[i].percent;

		if (server->backup != backups)
			continue;
		if (server->local)
			zones.near_all += (uint64_t)shares[i].configured * 100;
		if (shares[i].usable && server->local)
			zones.near += weight;
		else if (shares[i].usable)
			zones.far += weight;
	}
	if (!zones.near)
		zones.share = 0;
	else if (zones.far)
		zones.share = (double)zones.near / (double)zones.near_all *
			      SHARES_ZONE_FACTOR_PERCENT / 100;
	if (zones.share > 1)
		zones.share = 1;
	return zones;
}

/* So that the own zone has its share and the sum is as before. */
static double zone_factor(const struct zones *zones, bool near)
{
	double all = (double)zones->near + (double)zones->far;

	if (near && zones->share >= 1)
		return 1; /* exact weights in the usual case */
	if (near)
		return zones->share * all / (double)zones->near;
	return (1 - zones->share) * all / (double)zones->far;
}

static uint32_t scale_for(const struct pool *pool, const struct share *shares)
{
	uint64_t total = pool->n_servers;
	uint32_t scale = SCALE_MAX;

	for (uint32_t i = 0; i < pool->n_servers; i++)
		total += shares[i].full;
	while (scale > 1 && total * scale > UINT32_MAX)
		scale /= 2;
	return scale;
}

static uint32_t scaled(
    const struct share *share, double factor, uint32_t scale, uint32_t room)
{
	double weight =
	    (double)share->full * share->percent / 100 * factor * scale;

	if (weight < 1)
		weight = 1;
	return weight > room ? room : (uint32_t)weight;
}

static void weigh(const struct pool *pool, const struct zones *zones,
    struct share *ret, struct shares_summary *summary)
{
	uint32_t room = UINT32_MAX;

	for (uint32_t i = 0; i < pool->n_servers; i++) {
		const struct server *server = &pool->servers[i];
		struct share *share = &ret[i];
		double factor = 1;

		if (!share->usable)
			continue;
		summary->n_usable++;
		if (pool->zoned && zones->share > 0 && zones->far)
			factor = zone_factor(zones, server->local);
		share->reserve = factor <= 0;
		if (share->reserve)
			factor = 1;
		share->weight = scaled(share, factor, summary->scale, room);
		if (!share->reserve)
			room -= share->weight;
	}
}

static int64_t next_step_ns(
    const struct pool *pool, const struct share *shares, int64_t now_ns)
{
	int64_t step =
	    (int64_t)pool->slow_start_ms * NS_PER_MS / SHARES_SLOW_START_STEPS;

	for (uint32_t i = 0; i < pool->n_servers; i++)
		if (shares[i].percent < 100)
			return now_ns + step;
	return INT64_MAX;
}

void shares_now(const struct pool *pool, int64_t now_ns, struct share *ret,
    struct shares_summary *ret_summary)
{
	struct choice choice = settle(pool, now_ns, ret);
	struct zones zones = weigh_zones(pool, choice.backups, ret);

	*ret_summary = (struct shares_summary){
	    .scale = scale_for(pool, ret),
	    .fails_open = choice.fails_open,
	    .local_percent = 100,
	    .next_ns = next_step_ns(pool, ret, now_ns),
	};
	if (pool->zoned)
		ret_summary->local_percent = (uint32_t)(zones.share * 100);
	weigh(pool, &zones, ret, ret_summary);
	ret_summary->backups = choice.backups && ret_summary->n_usable;
}

void shares_summarize(
    const struct pool *pool, int64_t now_ns, struct shares_summary *ret_summary)
{
	size_t bytes = ((size_t)pool->n_servers + 1) * sizeof(struct share);
	struct share *shares = board_alloc(bytes);

	shares_now(pool, now_ns, shares, ret_summary);
	free(shares);
}

bool pool_fails_open(const struct pool *pool)
{
	struct tally tallies[2] = {{0}};

	if (pool->health.fail_open_percent == 0)
		return false;
	for (uint32_t i = 0; i < pool->n_servers; i++) {
		struct share share;

		read_facts(pool, i, INT64_MAX, &share);
		tally_add(&tallies[pool->servers[i].backup], &share);
	}
	return choose(pool, &tallies[false], &tallies[true]).fails_open;
}
