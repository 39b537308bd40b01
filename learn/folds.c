/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/folds.h"

#include "base/assert.h"
#include "learn/memory.h"

#include <errno.h>

struct group {
	uint32_t id, rank; /* rank: where a shuffle put it */
	uint32_t begin, n_rows; /* in `rows` */
};

struct deal {
	const struct dataset *data;
	uint32_t n_groups, n_folds;
	struct group *groups;
	uint32_t *rows; /* group by group */
	double *in_all; /* the same over the folds */
	/* [fold][n_classes + 1]: rows of each class, and of all. */
	double *here;
};

/* Lists the rows that take part, group by group: a counting sort. Groups
 * without a row are dropped. */
static void gather(struct deal *deal, const uint32_t *copies)
{
	const struct dataset *data = deal->data;
	uint32_t at = 0, kept = 0;

	for (uint32_t i = 0; i < data->n_rows; i++) {
		if (copies && !copies[i])
			continue;
		deal->groups[data->groups[i]].n_rows++;
		deal->in_all[data->labels[i]]++;
		deal->in_all[data->n_classes]++;
	}
	for (uint32_t g = 0; g < data->n_groups; g++) {
		deal->groups[g].id = g;
		deal->groups[g].begin = at;
		at += deal->groups[g].n_rows;
		deal->groups[g].n_rows = 0;
	}
	for (uint32_t i = 0; i < data->n_rows; i++) {
		struct group *group = &deal->groups[data->groups[i]];

		if (!copies || copies[i])
			deal->rows[group->begin + group->n_rows++] = i;
	}
	for (uint32_t g = 0; g < data->n_groups; g++) {
		if (deal->groups[g].n_rows)
			deal->groups[kept++] = deal->groups[g];
	}
	deal->n_groups = kept;
}

static int largest_first(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->n_rows != y->n_rows)
		return x->n_rows > y->n_rows ? -1 : 1;
	return (x->rank > y->rank) - (x->rank < y->rank);
}

static void shuffle(struct deal *deal, struct rng *rng)
{
	struct group *groups = deal->groups;

	for (uint32_t i = deal->n_groups; i > 1; i--) {
		uint32_t other = rng_below(rng, i);
		struct group last = groups[i - 1];

		groups[i - 1] = groups[other];
		groups[other] = last;
	}
	for (uint32_t i = 0; i < deal->n_groups; i++)
		groups[i].rank = i;
	qsort(groups, deal->n_groups, sizeof *groups, largest_first);
}

/* What a group would add to a part; `counts` are its rows likewise. */
static double added(
    const struct deal *deal, const double *counts, uint32_t fold)
{
	uint32_t n = deal->data->n_classes + 1;
	const double *here = deal->here + (size_t)fold * n;
	double sum = 0;

	for (uint32_t c = 0; c < n; c++) {
		double all = deal->in_all[c];

		if (counts[c] > 0)
			sum +=
			    counts[c] * (2 * here[c] + counts[c]) / (all * all);
	}
	return sum;
}

static void deal_group(struct deal *deal, const struct group *group,
    double *counts, uint32_t *ret_folds)
{
	const struct dataset *data = deal->data;
	uint32_t n = data->n_classes + 1, best = 0;

	for (uint32_t c = 0; c < n; c++)
		counts[c] = 0;
	counts[data->n_classes] = group->n_rows;
	for (uint32_t i = 0; i < group->n_rows; i++)
		counts[data->labels[deal->rows[group->begin + i]]]++;
	for (uint32_t f = 1; f < deal->n_folds; f++) {
		if (added(deal, counts, f) < added(deal, counts, best))
			best = f;
	}
	for (uint32_t c = 0; c < n; c++)
		deal->here[(size_t)best * n + c] += counts[c];
	for (uint32_t i = 0; i < group->n_rows; i++)
		ret_folds[deal->rows[group->begin + i]] = best;
}

int folds_deal(const struct dataset *data, const uint32_t *copies,
    uint32_t n_folds, struct rng *rng, uint32_t *ret_folds, uint32_t *ret_n)
{
	struct deal deal = {.data = data, .n_groups = data->n_groups};
	double *counts = memory_array(data->n_classes + 1, sizeof *counts);
	int err = 0;

	br_assert(n_folds >= 2);
	deal.groups = memory_array(data->n_groups, sizeof *deal.groups);
	deal.rows = memory_array(data->n_rows, sizeof *deal.rows);
	deal.in_all = memory_array(data->n_classes + 1, sizeof(double));
	gather(&deal, copies);
	deal.n_folds = n_folds < deal.n_groups ? n_folds : deal.n_groups;
	deal.here = memory_array(
	    (size_t)deal.n_folds * (data->n_classes + 1), sizeof(double));
	if (deal.n_groups < 2) {
		err = -ERANGE;
	} else {
		shuffle(&deal, rng);
		for (uint32_t i = 0; i < data->n_rows; i++)
			ret_folds[i] = deal.n_folds;
		for (uint32_t g = 0; g < deal.n_groups; g++)
			deal_group(&deal, &deal.groups[g], counts, ret_folds);
		*ret_n = deal.n_folds;
	}
	free(deal.groups);
	free(deal.rows);
	free(deal.in_all);
	free(deal.here);
	free(counts);
	return err;
}

void folds_train(const struct dataset *data, const uint32_t *copies,
    const uint32_t *folds, uint32_t without, uint32_t *ret_copies)
{
	for (uint32_t i = 0; i < data->n_rows; i++) {
		uint32_t n = copies ? copies[i] : 1;

		ret_copies[i] = folds[i] == without ? 0 : n;
	}
}
