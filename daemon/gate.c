/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate.h"

void gate_init(struct gate *gate)
{
	*gate = (struct gate){.arrived = 0};
	(void)pthread_mutex_init(&gate->mutex, NULL);
	(void)pthread_cond_init(&gate->changed, NULL);
}

void gate_fini(struct gate *gate)
{
	(void)pthread_cond_destroy(&gate->changed);
	(void)pthread_mutex_destroy(&gate->mutex);
}

bool gate_arrive(struct gate *gate, int error)
{
	bool go;

	pthread_mutex_lock(&gate->mutex);
	gate->arrived++;
	if (error && !gate->error)
		gate->error = error;
	pthread_cond_broadcast(&gate->changed);
	while (!gate->decided)
		pthread_cond_wait(&gate->changed, &gate->mutex);
	go = gate->go;
	pthread_mutex_unlock(&gate->mutex);
	return go;
}

int gate_wait(struct gate *gate, uint32_t n)
{
	int error;

	pthread_mutex_lock(&gate->mutex);
	while (gate->arrived < n)
		pthread_cond_wait(&gate->changed, &gate->mutex);
	error = gate->error;
	pthread_mutex_unlock(&gate->mutex);
	return error;
}

void gate_decide(struct gate *gate, bool go)
{
	pthread_mutex_lock(&gate->mutex);
	gate->decided = true;
	gate->go = go;
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->mutex);
}
