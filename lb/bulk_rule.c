/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/bulk_rule.h"

#include "conf/conf.h"

#define BOTH_WAYS(all)                                                         \
	{                                                                      \
		{UINT64_MAX, all}, {UINT64_MAX, all},                          \
	}

const struct bulk_rule bulk_rules[] = {
    [CONF_SPLICE_AUTO] = {.counter = PROFILE_COUNTER_DEFAULT},
    [CONF_SPLICE_ALWAYS] = {.known = BOTH_WAYS(true)},
    [CONF_SPLICE_NEVER] = {.known = BOTH_WAYS(false)},
};
