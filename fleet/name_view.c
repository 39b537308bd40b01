/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/name_view.h"

#include "base/arena.h"
#include "base/assert.h"

#include <stdlib.h>
#include <strings.h>

struct name_view *name_view_new(void)
{
	struct arena *arena = arena_new();
	struct name_view *view = arena_alloc(arena, sizeof *view);

	view->arena = arena;
	view->references = 1;
	return view;
}

struct name_view *name_view_ref(struct name_view *view)
{
	__atomic_fetch_add(&view->references, 1, __ATOMIC_RELAXED);
	return view;
}

void name_view_unref(struct name_view *view)
{
	uint32_t before =
	    __atomic_fetch_sub(&view->references, 1, __ATOMIC_ACQ_REL);

	br_assert(before > 0);
	if (before == 1)
		arena_free(view->arena);
}

static int compare_rows(const void *a, const void *b)
{
	const struct name_view_row *x = a, *y = b;
	int order = strcasecmp(x->host, y->host);

	return order ? order : (int)x->type - (int)y->type;
}

void name_view_sort(struct name_view *view)
{
	if (view->n)
		qsort(view->rows, view->n, sizeof *view->rows, compare_rows);
}

bool name_view_failing(const struct name_view_row *row)
{
	if (!row->asked || row->last == NAME_ANSWER)
		return false;
	return row->last != NAME_NODATA || row->type == NAME_SRV || row->n;
}

const struct name_view_row *name_view_find(
    const struct name_view *view, const char *host, enum name_type type)
{
	struct name_view_row key = {.host = host, .type = type};

	if (!view->n)
		return NULL;
	return bsearch(
	    &key, view->rows, view->n, sizeof *view->rows, compare_rows);
}
