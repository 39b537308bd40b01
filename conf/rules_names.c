/* SPDX-License-Identifier: Apache-2.0 */
/* References from one entry to another by name. */
#include "conf/rules.h"

#include "base/hash.h"
#include "conf/text.h"

#include <string.h>

/* Comparisons spent on "did you mean", over the whole file: so that a file
 * full of dangling references is still checked at once. */
#define RULES_GUESSES_MAX 200000

void rules_names_init(struct rules_names *names, struct draft *draft,
    const struct schema_row *map)
{
	const struct scope_list *list = &draft->entries[map->map];

	*names = (struct rules_names){
	    .draft = draft,
	    .map = map,
	    .by_name = strmap_new(draft->scratch),
	    .silent = !list->n &&
		      (map->required || draft_seen(&draft->file, map)->line),
	};
	for (uint32_t i = 0; i < list->n; i++)
		strmap_put(
		    names->by_name, list->at[i]->name, list->at[i]->element);
}

static void rules_dangling(struct rules_names *names, const struct scope *scope,
    const struct schema_row *row, struct conf_pos pos, const char *name)
{
	const struct scope_list *list = &names->draft->entries[names->map->map];
	struct text_nearest nearest;
	struct strbuf sb;

	text_nearest_init(&nearest, name);
	if (names->guesses + list->n <= RULES_GUESSES_MAX) {
		names->guesses += list->n;
		for (uint32_t i = 0; i < list->n; i++)
			text_nearest_offer(&nearest, list->at[i]->name);
	}
	strbuf_init(&sb);
	strbuf_addf(&sb, "no %s is called ", names->map->noun);
	text_quote(&sb, name, strlen(name));
	if (nearest.best)
		strbuf_addf(&sb, ", did you mean \"%s\"?", nearest.best);
	draft_error(names->draft, scope, row, pos, "%s", strbuf_text(&sb));
	strbuf_fini(&sb);
}

void *rules_names_find(struct rules_names *names, const struct scope *scope,
    const struct schema_row *row, struct conf_pos pos, const char *name)
{
	void *element = strmap_get(names->by_name, name);

	if (!element && !names->silent)
		rules_dangling(names, scope, row, pos, name);
	return element;
}
