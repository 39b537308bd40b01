/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/side.h"

#include "base/assert.h"
#include "lb/http_flow.h"
#include "lb/worker.h"

#include <string.h>

#define FIRST_PAGE 4096u

bool side_new(struct flow *flow)
{
	struct side *side;

	if (flow->side)
		return true;
	side = slab_new(&flow->worker->side_slab);
	if (!side)
		return false;
	memset(side, 0, offsetof(struct side, name));
	side->name[0] = side->alpn[0] = '\0';
	side->route = UINT32_MAX;
	flow->side = side;
	return true;
}

struct first *side_first(struct flow *flow)
{
	struct worker *worker = flow->worker;
	struct side *side = flow->side;

	if (side->first)
		return side->first;
	side->first = slab_new(&worker->first_slab);
	if (!side->first)
		return NULL;
	side->first->start = side->first->end = FIRST_HEAD;
	side->first->header = side->first->charged = 0;
	side->hello_read = false;
	dpi_start(&side->first->dpi);
	return side->first;
}

bool side_charge_first(struct flow *flow, uint32_t end)
{
	struct first *first = flow->side->first;
	uint32_t bytes = (uint32_t)offsetof(struct first, bytes) + end;
	uint32_t pages = (bytes + FIRST_PAGE - 1) / FIRST_PAGE * FIRST_PAGE;

	if (end > FIRST_ROOM)
		return false;
	if (pages <= first->charged)
		return true;
	if (!worker_take_parked(flow->worker, pages - first->charged))
		return false;
	first->charged = pages;
	return true;
}

void side_drop_first(struct flow *flow)
{
	struct side *side = flow->side;

	if (!side || !side->first)
		return;
	worker_give_parked(flow->worker, side->first->charged);
	slab_free(&flow->worker->first_slab, side->first);
	side->first = NULL;
	side->hello_read = false;
}

void side_free(struct flow *flow)
{
	struct side *side = flow->side;

	if (!side)
		return;
	side_drop_first(flow);
	http_free(flow);
	if (side->client_tls)
		tls_session_fini(&side->client);
	if (side->server_tls)
		tls_session_fini(&side->server);
	slab_free(&flow->worker->side_slab, side);
	flow->side = NULL;
}

static uint8_t side_copy(char *ret, size_t max, const void *text, size_t length)
{
	size_t n = length < max ? length : max;

	memcpy(ret, text, n);
	ret[n] = '\0';
	return (uint8_t)n;
}

void side_set_name(struct side *side, const void *name, size_t length)
{
	side->name_length =
	    side_copy(side->name, CLIENT_HELLO_NAME_MAX, name, length);
}

void side_set_alpn(struct side *side, const void *alpn, size_t length)
{
	side->alpn_length = side_copy(side->alpn, SIDE_ALPN_MAX, alpn, length);
}
