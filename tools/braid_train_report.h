/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a model is and how good it is, as text with Markdown tables. It holds
 * no time and no place, so that the same data gives the same report.
 *
 * Thread:  the only one.
 */
#include "base/strbuf.h"
#include "learn/row_reader.h"
#include "learn/validate.h"

struct train_report {
	const char *name;
	const struct row_reader *rows;
	const struct train_params *params;
	const struct validation *validation; /* NULL: none */
	const struct forest *forest;
	double alpha;
	const struct confusion *seen; /* on the rows it learned from */
};

void train_report_add(const struct train_report *report, struct strbuf *text);
/* Figures, those of each class, and who is taken for whom. */
void train_report_confusion(const struct confusion *confusion,
    const char *const *class_names, struct strbuf *text);
