/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/outbox.h"

#include "base/assert.h"

void outbox_init(
    struct outbox *outbox, struct post_office *office, uint32_t from)
{
	outbox->office = office;
	outbox->from = from;
	outbox->n = 0;
}

/* Whether an earlier message to the same receiver waits: it must not be
 * overtaken. */
static bool outbox_holds(const struct outbox *outbox, uint32_t n, uint32_t to)
{
	for (uint32_t i = 0; i < n; i++)
		if (outbox->items[i].to == to)
			return true;
	return false;
}

void outbox_post(struct outbox *outbox, uint32_t to, struct message message)
{
	if (!outbox_holds(outbox, outbox->n, to) &&
	    !mailbox_post(outbox->office, outbox->from, to, message))
		return;
	br_assert(outbox->n < OUTBOX_MAX);
	outbox->items[outbox->n++] =
	    (struct outbox_item){.to = to, .message = message};
}

bool outbox_flush(struct outbox *outbox)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < outbox->n; i++) {
		struct outbox_item item = outbox->items[i];

		if (outbox_holds(outbox, kept, item.to) ||
		    mailbox_post(
			outbox->office, outbox->from, item.to, item.message))
			outbox->items[kept++] = item;
	}
	outbox->n = kept;
	return kept == 0;
}
