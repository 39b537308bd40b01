/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/rules.h"

#include <string.h>

void rules_profiler(struct draft *draft)
{
	const struct conf_profiler *profiler = &draft->conf->profiler;

	if (strcmp(profiler->model, "builtin") != 0 &&
	    profiler->model[0] != '/')
		draft_error(draft, &draft->file, schema_find("profiler.model"),
		    profiler->model_pos,
		    "want builtin or an absolute path such as "
		    "/var/lib/braid/model.so");
	if (profiler->record && profiler->mode == CONF_PROFILER_OFF)
		draft_warning(draft, &draft->file,
		    schema_find("profiler.record"), profiler->record_pos,
		    "nothing is recorded while profiler.mode is off");
}
