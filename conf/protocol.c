/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/protocol.h"

#include "base/assert.h"

#include <string.h>

static const struct protocol_facts facts[PROTOCOL_COUNT] = {
    [PROTOCOL_UNKNOWN] = {.name = "unknown", .ports = ""},
#define X(id, text, what, who, usual)                                          \
	[PROTOCOL_##id] = {.name = (text),                                     \
	    .ports = (usual),                                                  \
	    .kind = PROTOCOL_##what,                                           \
	    .first = PROTOCOL_##who},
    PROTOCOL_LIST(X)
#undef X
};

const struct protocol_facts *protocol_facts(enum protocol protocol)
{
	br_assert(protocol < PROTOCOL_COUNT);
	return &facts[protocol];
}

const char *protocol_name(enum protocol protocol)
{
	return protocol_facts(protocol)->name;
}

enum protocol protocol_by_name(const char *name)
{
	for (unsigned i = PROTOCOL_UNKNOWN + 1; i < PROTOCOL_COUNT; i++) {
		if (!strcmp(facts[i].name, name))
			return (enum protocol)i;
	}
	return PROTOCOL_UNKNOWN;
}

protocol_set protocol_server_first(void)
{
	protocol_set set = 0;

	for (unsigned i = PROTOCOL_UNKNOWN + 1; i < PROTOCOL_COUNT; i++) {
		if (facts[i].first == PROTOCOL_SERVER)
			set |= PROTOCOL_BIT(i);
	}
	return set;
}
