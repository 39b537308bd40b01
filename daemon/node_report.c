/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/node_report.h"

#include "base/assert.h"

#include <stdio.h>

static enum node_state of_server(const struct server *server)
{
	struct board_facts facts;

	server_read(server, &facts);
	if (server_weight_now(server, &facts))
		return NODE_UP;
	if (board_health_now(&facts) == BOARD_DOWN || facts.ejected_until_ns)
		return NODE_DOWN;
	return NODE_DRAINED;
}

enum node_state node_report_pool(const struct pool *pool)
{
	enum node_state best = NODE_DOWN;

	for (uint32_t i = 0; i < pool->n_servers && best != NODE_UP; i++) {
		enum node_state state = of_server(&pool->servers[i]);

		if (state < best)
			best = state;
	}
	return best;
}

size_t node_report_print(
    enum node_state state, uint32_t percent, char ret[NODE_REPORT_MAX])
{
	int n;

	if (state == NODE_DOWN)
		n = snprintf(ret, NODE_REPORT_MAX,
		    "down ready #no pool has a usable server\n");
	else
		n = snprintf(ret, NODE_REPORT_MAX, "up %s %u%%\n",
		    state == NODE_UP ? "ready" : "drain", percent);
	br_assert(n > 0 && n < NODE_REPORT_MAX);
	return (size_t)n;
}
