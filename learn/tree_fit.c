/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/tree_fit.h"

#include "base/assert.h"
#include "learn/memory.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Gains nearer than this part of a node's weight are the same: else the order
 * of additions would choose between equal splits. */
#define GAIN_TOLERANCE 1e-10

/* What the scan over a node's rows needs of one, in one cache line. */
struct fit_row {
	double weight; /* with copies and class weight */
	uint32_t label, copies;
};

struct tree_fitter {
	const struct dataset *data;
	uint32_t n_classes;
	uint32_t **sorted; /* all rows by each feature */
	/* Of the fit that runs. */
	uint32_t **order; /* the rows that take part, node by node */
	uint32_t *aside;
	uint8_t *goes_left; /* by row */
	struct fit_row *rows;
	double *left, *right, *total; /* by class */
	uint32_t *features; /* to draw from */
};

/* One node while it grows: its rows stand at [begin, end) in each order. */
struct fit_node {
	uint32_t begin, end, depth;
	uint32_t parent; /* of a right child, to be told its index */
	bool is_right;
};

struct fit_split {
	double gain;
	int32_t feature, threshold;
	bool found;
};

/* Sums over the classes on one side: of squares, or of w log w. */
struct fit_side {
	double weight, sum;
	uint32_t n_rows;
};

#define DIGIT_BITS 8
#define DIGITS (1u << DIGIT_BITS)

/* Rows by value, those of one value in their order: a radix sort, from the
 * lowest digit, with the sign bit turned. */
static void sort_rows(
    const int32_t *values, uint32_t *rows, uint32_t *aside, uint32_t n)
{
	for (uint32_t shift = 0; shift < 32; shift += DIGIT_BITS) {
		uint32_t starts[DIGITS + 1] = {0};

#define DIGIT(row)                                                             \
	((((uint32_t)values[row] ^ 0x80000000u) >> shift) & (DIGITS - 1))
		for (uint32_t i = 0; i < n; i++)
			starts[DIGIT(rows[i]) + 1]++;
		for (uint32_t d = 0; d < DIGITS; d++)
			starts[d + 1] += starts[d];
		for (uint32_t i = 0; i < n; i++)
			aside[starts[DIGIT(rows[i])]++] = rows[i];
#undef DIGIT
		memcpy(rows, aside, n * sizeof *rows);
	}
}

struct tree_fitter *tree_fitter_new(
    const struct dataset *data, uint32_t n_classes)
{
	struct tree_fitter *fitter = memory_array(1, sizeof *fitter);
	uint32_t n = data->n_rows;

	br_assert(n_classes >= data->n_classes && n_classes > 0);
	fitter->data = data;
	fitter->n_classes = n_classes;
	fitter->sorted = memory_array(data->n_features, sizeof(uint32_t *));
	fitter->order = memory_array(data->n_features, sizeof(uint32_t *));
	fitter->features = memory_array(data->n_features, sizeof(uint32_t));
	fitter->aside = memory_array(n, sizeof(uint32_t));
	fitter->goes_left = memory_array(n, 1);
	fitter->rows = memory_array(n, sizeof *fitter->rows);
	fitter->left = memory_array(n_classes, sizeof(double));
	fitter->right = memory_array(n_classes, sizeof(double));
	fitter->total = memory_array(n_classes, sizeof(double));
	for (uint32_t f = 0; f < data->n_features; f++) {
		uint32_t *rows = memory_array(n, sizeof *rows);

		for (uint32_t i = 0; i < n; i++)
			rows[i] = i;
		sort_rows(data->columns[f], rows, fitter->aside, n);
		fitter->sorted[f] = rows;
		fitter->order[f] = memory_array(n, sizeof(uint32_t));
	}
	return fitter;
}

void tree_fitter_free(struct tree_fitter *fitter)
{
	if (!fitter)
		return;
	for (uint32_t f = 0; f < fitter->data->n_features; f++) {
		free(fitter->sorted[f]);
		free(fitter->order[f]);
	}
	free(fitter->sorted);
	free(fitter->order);
	free(fitter->features);
	free(fitter->aside);
	free(fitter->goes_left);
	free(fitter->rows);
	free(fitter->left);
	free(fitter->right);
	free(fitter->total);
	free(fitter);
}

const struct dataset *tree_fitter_data(const struct tree_fitter *fitter)
{
	return fitter->data;
}

uint32_t tree_fitter_classes(const struct tree_fitter *fitter)
{
	return fitter->n_classes;
}

/* How many rows take part. */
static uint32_t take_rows(struct tree_fitter *fitter, const uint32_t *copies,
    const double *class_weights)
{
	const struct dataset *data = fitter->data;
	uint32_t used = 0;

	for (uint32_t i = 0; i < data->n_rows; i++) {
		struct fit_row *row = &fitter->rows[i];

		row->label = data->labels[i];
		row->copies = copies ? copies[i] : 1;
		row->weight = data->weights[i] * row->copies;
		if (class_weights)
			row->weight *= class_weights[row->label];
		if (!(row->weight > 0))
			row->copies = 0;
		used += row->copies > 0;
	}
	for (uint32_t f = 0; f < data->n_features; f++) {
		uint32_t *to = fitter->order[f];

		for (uint32_t i = 0; i < data->n_rows; i++) {
			if (fitter->rows[fitter->sorted[f][i]].copies)
				*to++ = fitter->sorted[f][i];
		}
	}
	return used;
}

static double x_log_x(double x)
{
	return x > 0 ? x * log2(x) : 0;
}

static inline double term(double weight, bool entropy)
{
	return entropy ? x_log_x(weight) : weight * weight;
}

/* Purity in weight: what a split raises. Impurity is 1 - purity / weight with
 * the Gini, -purity / weight with the entropy. */
static inline double purity(const struct fit_side *side, bool entropy)
{
	if (!(side->weight > 0))
		return 0;
	return entropy ? side->sum - x_log_x(side->weight)
		       : side->sum / side->weight;
}

static double impurity(const struct fit_side *side, bool entropy)
{
	double part = purity(side, entropy) / side->weight;

	return fmax(0, entropy ? -part : 1 - part);
}

/* Moves a row's weight from one side's class to the other's. */
static inline void move_row(struct tree_fitter *fitter,
    const struct fit_row *row, struct fit_side *left, struct fit_side *right,
    bool entropy)
{
	double *l = &fitter->left[row->label], *r = &fitter->right[row->label];

	left->sum -= term(*l, entropy);
	right->sum -= term(*r, entropy);
	*l += row->weight;
	*r = fmax(0, *r - row->weight);
	left->sum += term(*l, entropy);
	right->sum += term(*r, entropy);
	left->weight += row->weight;
	right->weight = fmax(0, right->weight - row->weight);
	left->n_rows += row->copies;
	right->n_rows -= row->copies;
}

/* The best border between two values of one feature; `entropy` is constant in
 * each of the two callers, for the loop's sake. */
static inline __attribute__((always_inline)) void scan_feature(
    struct tree_fitter *fitter, const struct fit_node *node,
    const struct fit_side *all, uint32_t feature, uint32_t min_leaf,
    bool entropy, struct fit_split *best)
{
	const int32_t *values = fitter->data->columns[feature];
	const uint32_t *order = fitter->order[feature];
	struct fit_side left = {0}, right = *all;
	double before = purity(all, entropy);
	double tolerance = GAIN_TOLERANCE * all->weight;

	for (uint32_t c = 0; c < fitter->n_classes; c++) {
		fitter->left[c] = 0;
		fitter->right[c] = fitter->total[c];
	}
	for (uint32_t i = node->begin; i + 1 < node->end; i++) {
		int32_t value = values[order[i]], next = values[order[i + 1]];
		double gain;

		move_row(
		    fitter, &fitter->rows[order[i]], &left, &right, entropy);
		if (value == next || left.n_rows < min_leaf)
			continue;
		if (right.n_rows < min_leaf)
			break;
		gain =
		    purity(&left, entropy) + purity(&right, entropy) - before;
		if (best->found && gain <= best->gain + tolerance)
			continue;
		*best = (struct fit_split){.gain = gain,
		    .feature = (int32_t)feature,
		    .threshold = (int32_t)(value + ((int64_t)next - value) / 2),
		    .found = true};
	}
}

static bool is_constant(const struct tree_fitter *fitter,
    const struct fit_node *node, uint32_t feature)
{
	const int32_t *values = fitter->data->columns[feature];
	const uint32_t *order = fitter->order[feature];

	return values[order[node->begin]] == values[order[node->end - 1]];
}

static struct fit_split find_split(struct tree_fitter *fitter,
    const struct fit_node *node, const struct fit_side *all,
    const struct tree_params *params, struct rng *rng)
{
	uint32_t n = fitter->data->n_features, seen = 0;
	struct fit_split best = {0};

	for (uint32_t f = 0; f < n; f++)
		fitter->features[f] = f;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t *features = fitter->features;

		/* With a sample, the draws go on until one can split. */
		if (params->features_per_split) {
			uint32_t at = i + rng_below(rng, n - i);
			uint32_t feature = features[at];

			if (seen >= params->features_per_split && best.found)
				break;
			features[at] = features[i];
			features[i] = feature;
		}
		if (is_constant(fitter, node, features[i]))
			continue;
		seen++;
		if (params->criterion == TREE_ENTROPY)
			scan_feature(fitter, node, all, features[i],
			    params->min_leaf, true, &best);
		else
			scan_feature(fitter, node, all, features[i],
			    params->min_leaf, false, &best);
	}
	return best;
}

/* Sums of the node's rows, also by class into fitter->total. */
static struct fit_side sum_rows(
    struct tree_fitter *fitter, const struct fit_node *node, bool entropy)
{
	struct fit_side all = {0};

	for (uint32_t c = 0; c < fitter->n_classes; c++)
		fitter->total[c] = 0;
	for (uint32_t i = node->begin; i < node->end; i++) {
		const struct fit_row *row = &fitter->rows[fitter->order[0][i]];

		fitter->total[row->label] += row->weight;
		all.weight += row->weight;
		all.n_rows += row->copies;
	}
	for (uint32_t c = 0; c < fitter->n_classes; c++)
		all.sum += term(fitter->total[c], entropy);
	return all;
}

/* The node's index in the tree. */
static uint32_t add_node(struct tree_fitter *fitter, const struct fit_side *all,
    bool entropy, struct tree *tree)
{
	uint32_t at = tree_add(tree), class = 0;
	struct tree_node *node = &tree->nodes[at];

	for (uint32_t c = 0; c < fitter->n_classes; c++) {
		tree_shares(tree, at)[c] = fitter->total[c] / all->weight;
		if (fitter->total[c] > fitter->total[class])
			class = c;
	}
	node->class = class;
	node->n_rows = all->n_rows;
	node->weight = all->weight;
	node->impurity = impurity(all, entropy);
	return at;
}

static bool is_pure(const struct tree_fitter *fitter)
{
	uint32_t present = 0;

	for (uint32_t c = 0; c < fitter->n_classes; c++)
		present += fitter->total[c] > 0;
	return present < 2;
}

/* Stable, so each feature's order stays sorted within both parts. Returns
 * where the right part begins. */
static uint32_t partition(struct tree_fitter *fitter,
    const struct fit_node *node, const struct fit_split *split)
{
	const int32_t *values = fitter->data->columns[split->feature];
	uint32_t middle = node->begin;

	for (uint32_t i = node->begin; i < node->end; i++) {
		uint32_t row = fitter->order[split->feature][i];
		bool left = values[row] <= split->threshold;

		fitter->goes_left[row] = left;
		middle += left;
	}
	for (uint32_t f = 0; f < fitter->data->n_features; f++) {
		uint32_t *order = fitter->order[f];
		uint32_t *left = order + node->begin, *right = fitter->aside;

		for (uint32_t i = node->begin; i < node->end; i++) {
			uint32_t row = order[i];

			/* Both are written and one moves on: no branch to
			 * guess. */
			*left = row;
			*right = row;
			left += fitter->goes_left[row];
			right += !fitter->goes_left[row];
		}
		memcpy(order + middle, fitter->aside,
		    (node->end - middle) * sizeof *order);
	}
	return middle;
}

static void grow(struct tree_fitter *fitter, uint32_t n_used,
    const struct tree_params *params, struct rng *rng, struct tree *tree)
{
	bool entropy = params->criterion == TREE_ENTROPY;
	struct fit_node stack[TREE_DEPTH_MAX + 2];
	uint32_t n = 0;

	stack[n++] = (struct fit_node){.end = n_used};
	while (n > 0) {
		struct fit_node node = stack[--n];
		struct fit_side all = sum_rows(fitter, &node, entropy);
		uint32_t at = add_node(fitter, &all, entropy, tree), middle;
		struct fit_split split;

		if (node.is_right)
			tree->nodes[node.parent].right = at;
		if (node.depth == params->depth_max || is_pure(fitter))
			continue;
		split = find_split(fitter, &node, &all, params, rng);
		if (!split.found)
			continue;
		tree->nodes[at].feature = split.feature;
		tree->nodes[at].threshold = split.threshold;
		middle = partition(fitter, &node, &split);
		/* The left one is next, which makes the preorder. */
		br_assert(n + 2 <= BR_COUNT(stack));
		stack[n++] = (struct fit_node){.begin = middle,
		    .end = node.end,
		    .depth = node.depth + 1,
		    .parent = at,
		    .is_right = true};
		stack[n++] = (struct fit_node){.begin = node.begin,
		    .end = middle,
		    .depth = node.depth + 1};
	}
}

int tree_fit(struct tree_fitter *fitter, const uint32_t *copies,
    const struct tree_params *params, struct rng *rng, struct tree *ret)
{
	struct tree_params p = *params;
	uint32_t n_used = take_rows(fitter, copies, p.class_weights);

	if (!n_used)
		return -ENODATA;
	if (!p.depth_max || p.depth_max > TREE_DEPTH_MAX)
		p.depth_max = TREE_DEPTH_MAX;
	if (!p.min_leaf)
		p.min_leaf = 1;
	if (p.features_per_split >= fitter->data->n_features)
		p.features_per_split = 0;
	br_assert(rng || !p.features_per_split);
	tree_init(ret, fitter->data->n_features, fitter->n_classes);
	grow(fitter, n_used, &p, rng, ret);
	return 0;
}

void tree_balance(const struct dataset *data, const uint32_t *copies,
    uint32_t n_classes, double *ret_weights)
{
	uint32_t present = 0;
	double all = 0;

	for (uint32_t c = 0; c < n_classes; c++)
		ret_weights[c] = 0;
	for (uint32_t i = 0; i < data->n_rows; i++) {
		double weight = data->weights[i] * (copies ? copies[i] : 1);

		ret_weights[data->labels[i]] += weight;
		all += weight;
	}
	for (uint32_t c = 0; c < n_classes; c++)
		present += ret_weights[c] > 0;
	for (uint32_t c = 0; c < n_classes; c++) {
		if (ret_weights[c] > 0)
			ret_weights[c] = all / (present * ret_weights[c]);
	}
}
