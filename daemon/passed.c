/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/passed.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct item {
	enum manifest_use use;
	struct addr addr;
	bool taken;
	struct passed sockets;
};

static struct item *items;
static uint32_t n_items, room;

void passed_put(const struct manifest_sockets *sockets, const int *fds)
{
	struct item *item;

	br_assert(sockets->n_fds <= CONF_WORKERS_MAX);
	if (n_items == room) {
		room = room ? room * 2 : 16;
		items = realloc(items, room * sizeof *items);
		if (!items)
			br_out_of_memory("passed sockets", room);
	}
	item = &items[n_items++];
	*item = (struct item){.use = sockets->use,
	    .addr = sockets->addr,
	    .sockets = {.n = sockets->n_fds,
		.device = sockets->device,
		.inode = sockets->inode}};
	memcpy(item->sockets.fds, fds, sockets->n_fds * sizeof(int));
}

static struct item *find(enum manifest_use use, const struct addr *addr)
{
	for (uint32_t i = 0; i < n_items; i++)
		if (!items[i].taken && items[i].use == use &&
		    addr_equal(&items[i].addr, addr))
			return &items[i];
	return NULL;
}

bool passed_has(enum manifest_use use, const struct addr *addr)
{
	return find(use, addr) != NULL;
}

bool passed_take(
    enum manifest_use use, const struct addr *addr, struct passed *ret)
{
	struct item *item = find(use, addr);

	if (!item)
		return false;
	item->taken = true;
	*ret = item->sockets;
	return true;
}

uint32_t passed_taken(uint8_t *ret)
{
	uint32_t length = (n_items + 7) / 8;

	memset(ret, 0, length);
	for (uint32_t i = 0; i < n_items; i++)
		if (items[i].taken)
			ret[i / 8] |= (uint8_t)(1u << (i % 8));
	return length;
}

void passed_end(void)
{
	for (uint32_t i = 0; i < n_items; i++)
		for (uint32_t k = 0; !items[i].taken && k < items[i].sockets.n;
		     k++)
			close(items[i].sockets.fds[k]);
	free(items);
	items = NULL;
	n_items = room = 0;
}
