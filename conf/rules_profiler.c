/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/rules.h"

#include <string.h>

void rules_profiler(struct draft *draft)
{
	const struct conf_profiler *profiler = &draft->conf->profiler;
	const struct schema_row *pin = schema_find("profiler.pin");
	const struct conf_pins none = {0};

	if (strcmp(profiler->model, "builtin") != 0 &&
	    strcmp(profiler->model, "none") != 0 && profiler->model[0] != '/')
		draft_error(draft, &draft->file, schema_find("profiler.model"),
		    profiler->model_pos,
		    "want builtin, none, or an absolute path such as "
		    "/var/lib/braid/model.so");
	if (profiler->record && profiler->mode == CONF_PROFILER_OFF)
		draft_warning(draft, &draft->file,
		    schema_find("profiler.record"), profiler->record_pos,
		    "nothing is recorded while profiler.mode is off");
	if (profiler->record && profiler->record[0] &&
	    profiler->record[strlen(profiler->record) - 1] == '/')
		draft_error(draft, &draft->file, schema_find("profiler.record"),
		    profiler->record_pos,
		    "want a file, but \"%s\" ends as a folder does",
		    profiler->record);
	if (memcmp(&profiler->pins, &none, sizeof none) != 0 &&
	    profiler->mode == CONF_PROFILER_OFF)
		draft_warning(draft, &draft->file, pin,
		    *draft_seen(&draft->file, pin),
		    "no class is pinned while profiler.mode is off");
}
