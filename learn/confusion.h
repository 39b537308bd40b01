/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a model said of rows whose class is known, and the usual figures of it.
 *
 *     precision(c)  of what was said to be c, the part that was
 *     recall(c)     of what was c, the part that was said to be
 *     F1(c)         2 / (1 / precision + 1 / recall)
 *
 * Thread:  one at a time.
 * Memory:  confusion_init() .. confusion_fini().
 * Units:   sums of the rows' weights; figures in 0..1. A figure without
 *          anything to divide by is 0.
 */
#include <stdbool.h>
#include <stdint.h>

struct confusion {
	uint32_t n_classes;
	double *weights; /* [actual][said] */
};

struct confusion_score {
	bool occurs; /* the class was there or was said */
	double precision, recall, f1;
	double actual; /* weight of the class's rows */
};

void confusion_init(struct confusion *confusion, uint32_t n_classes);
void confusion_fini(struct confusion *confusion);
void confusion_add(
    struct confusion *confusion, uint32_t actual, uint32_t said, double weight);
double confusion_weight(
    const struct confusion *confusion, uint32_t actual, uint32_t said);
struct confusion_score confusion_score(
    const struct confusion *confusion, uint32_t class);
double confusion_accuracy(const struct confusion *confusion);
/* The mean F1 of the classes that occur. */
double confusion_macro_f1(const struct confusion *confusion);
