/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * How threads start together or not at all: each arrives with the result of
 * its own preparations and waits; boot sees all results and says go or not.
 *
 *      worker 0 ──ok──┐
 *      worker 1 ──ok──┼─> boot ──go──> all run
 *      control  ──err─┘        └─no──> all end
 *
 * Thread:  gate_arrive(): each starting thread once; the rest: boot.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct gate {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	uint32_t arrived;
	int error; /* the first of those that arrived */
	bool decided, go;
};

void gate_init(struct gate *gate);
void gate_fini(struct gate *gate);
/* Waits for boot's verdict: whether to go on. */
bool gate_arrive(struct gate *gate, int error);
/* Waits until n have arrived; the first error among them, or 0. */
int gate_wait(struct gate *gate, uint32_t n);
void gate_decide(struct gate *gate, bool go);
