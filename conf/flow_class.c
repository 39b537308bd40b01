/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/flow_class.h"

#include "base/assert.h"

#include <string.h>

static const char *const class_names[N_FLOW_CLASSES] = {
#define X(id, name, help) [FLOW_CLASS_##id] = name,
    FLOW_CLASS_LIST(X)
#undef X
};

static const char *const class_texts[N_FLOW_CLASSES] = {
#define X(id, name, help) [FLOW_CLASS_##id] = help,
    FLOW_CLASS_LIST(X)
#undef X
};

const char *flow_class_name(enum flow_class class)
{
	br_assert(class < N_FLOW_CLASSES);
	return class_names[class];
}

const char *flow_class_text(enum flow_class class)
{
	br_assert(class < N_FLOW_CLASSES);
	return class_texts[class];
}

bool flow_class_find(const char *name, enum flow_class *ret)
{
	for (unsigned i = 0; i < N_FLOW_CLASSES; i++) {
		if (strcmp(class_names[i], name) != 0)
			continue;
		*ret = (enum flow_class)i;
		return true;
	}
	return false;
}
