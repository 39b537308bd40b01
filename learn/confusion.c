/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/confusion.h"

#include "base/assert.h"
#include "learn/memory.h"

void confusion_init(struct confusion *confusion, uint32_t n_classes)
{
	confusion->n_classes = n_classes;
	confusion->weights =
	    memory_array((size_t)n_classes * n_classes, sizeof(double));
}

void confusion_fini(struct confusion *confusion)
{
	free(confusion->weights);
	*confusion = (struct confusion){0};
}

static double *cell(
    const struct confusion *confusion, uint32_t actual, uint32_t said)
{
	br_assert(actual < confusion->n_classes && said < confusion->n_classes);
	return &confusion
		    ->weights[(size_t)actual * confusion->n_classes + said];
}

void confusion_add(
    struct confusion *confusion, uint32_t actual, uint32_t said, double weight)
{
	*cell(confusion, actual, said) += weight;
}

double confusion_weight(
    const struct confusion *confusion, uint32_t actual, uint32_t said)
{
	return *cell(confusion, actual, said);
}

static double part(double of, double all)
{
	return all > 0 ? of / all : 0;
}

struct confusion_score confusion_score(
    const struct confusion *confusion, uint32_t class)
{
	double right = *cell(confusion, class, class), actual = 0, said = 0;

	for (uint32_t c = 0; c < confusion->n_classes; c++) {
		actual += *cell(confusion, class, c);
		said += *cell(confusion, c, class);
	}
	return (struct confusion_score){
	    .occurs = actual > 0 || said > 0,
	    .precision = part(right, said),
	    .recall = part(right, actual),
	    .f1 = part(2 * right, actual + said),
	    .actual = actual,
	};
}

double confusion_accuracy(const struct confusion *confusion)
{
	double right = 0, all = 0;

	for (uint32_t a = 0; a < confusion->n_classes; a++) {
		right += *cell(confusion, a, a);
		for (uint32_t s = 0; s < confusion->n_classes; s++)
			all += *cell(confusion, a, s);
	}
	return part(right, all);
}

double confusion_macro_f1(const struct confusion *confusion)
{
	double sum = 0;
	uint32_t n = 0;

	for (uint32_t c = 0; c < confusion->n_classes; c++) {
		struct confusion_score score = confusion_score(confusion, c);

		n += score.occurs;
		sum += score.occurs ? score.f1 : 0;
	}
	return n ? sum / n : 0;
}
