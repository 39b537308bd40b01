/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/shard_flow.h"

#include "base/assert.h"

#include <errno.h>

const char *shard_step_name(unsigned step)
{
	static const char *const names[] = {
#define X(name, text) [SHARD_##name] = text,
	    SHARD_STEP_LIST(X)
#undef X
	};

	return step < BR_COUNT(names) ? names[step] : "?";
}

bool shard_edit_request(struct flow *flow, struct cursor_out *out)
{
	(void)flow;
	(void)out;
	return false;
}

enum shard_worth shard_judge_answer(struct flow *flow,
    const struct http1_head *answer, const void *bytes, struct shard_order *ret)
{
	(void)flow;
	(void)answer;
	(void)bytes;
	(void)ret;
	return SHARD_NOT;
}

bool shard_edit_answer(struct flow *flow, const struct shard_order *order,
    const struct http1_head *answer, const void *bytes, struct cursor_out *out)
{
	(void)flow;
	(void)order;
	(void)answer;
	(void)bytes;
	(void)out;
	return false;
}

int shard_begin(struct flow *flow, const struct shard_order *order)
{
	(void)flow;
	(void)order;
	return -ENOSYS;
}

void shard_sink_sent(struct flow *flow)
{
	(void)flow;
}

void shard_abort(struct flow *flow)
{
	(void)flow;
}

bool shard_quiet(const struct flow *flow)
{
	(void)flow;
	return true;
}

void shard_free(struct flow *flow)
{
	(void)flow;
}

bool shard_describe(const struct flow *flow, struct shard_view *ret)
{
	(void)flow;
	(void)ret;
	return false;
}
