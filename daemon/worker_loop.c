/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker_loop.h"

#include "base/assert.h"
#include "daemon/flow_rows.h"
#include "daemon/profiling_open.h"
#include "io/tls.h"
#include "io/tls_memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A turn with something left to watch, and one without. */
#define WAIT_BUSY_NS (2 * NS_PER_MS)
#define WAIT_NS NS_PER_S
/* Killed flows end within some turns; a kernel that holds an operation back
 * must not hold up the end of the process. */
#define STOP_NS NS_PER_S

static void say(struct worker_loop *loop, uint32_t kind, void *pointer)
{
	outbox_post(&loop->outbox, loop->daemon->member_control,
	    (struct message){.kind = kind, .pointer = pointer});
}

/* -- plans ------------------------------------------------------------- */

/* Of the sockets of an address this worker has one, or more after an upgrade
 * from more workers: index, index + workers, ... */
static void start_all(struct worker_loop *loop, const struct plan_bind *bind)
{
	const struct plan_sockets *sockets = bind->sockets;
	uint32_t step = loop->daemon->n_workers;

	for (uint32_t i = loop->index; i < sockets->n_fds; i += step)
		acceptor_start(
		    sockets->acceptors[i], loop->worker, bind->listener);
}

static void stop_all(
    struct worker_loop *loop, const struct plan_sockets *sockets)
{
	uint32_t step = loop->daemon->n_workers;

	for (uint32_t i = loop->index; i < sockets->n_fds; i += step)
		acceptor_stop(sockets->acceptors[i]);
}

static bool all_done(
    const struct worker_loop *loop, const struct plan_sockets *sockets)
{
	uint32_t step = loop->daemon->n_workers;

	for (uint32_t i = loop->index; i < sockets->n_fds; i += step)
		if (!acceptor_done(sockets->acceptors[i]))
			return false;
	return true;
}

/* Contexts are the worker's: nobody else may change what they point to. */
static void take_ticket_keys(struct worker_loop *loop)
{
	const struct tls_ticket_keys *keys =
	    tls_process_keys(&loop->daemon->tls);
	const struct plan *plan = loop->plan;

	for (uint32_t i = 0; i < plan->n_listeners; i++)
		if (plan->listeners[i]->tls)
			tls_context_set_ticket_keys(
			    plan->listeners[i]->tls[loop->index], keys);
}

static void stop_dns(struct worker_loop *loop)
{
	for (uint32_t i = 0; i < loop->plan->n_dns_binds; i++)
		dns_worker_stop(&loop->dns, loop->plan->dns_binds[i].sockets);
	dns_worker_drain(&loop->dns);
}

static void adopt(struct worker_loop *loop, struct plan *plan, struct plan *old)
{
	loop->plan = plan;
	loop->worker->profiling =
	    plan->profiling ? &plan->profiling->profiling : NULL;
	/* Keys may have changed since the plan was built. */
	take_ticket_keys(loop);
	for (uint32_t i = 0; i < plan->n_binds; i++) {
		start_all(loop, &plan->binds[i]);
		/* The reload was under way when the drain began. */
		if (loop->draining)
			stop_all(loop, plan->binds[i].sockets);
	}
	dns_worker_adopt(&loop->dns, plan, old);
	if (loop->draining)
		stop_dns(loop);
	if (!old)
		return;
	for (uint32_t i = 0; i < old->n_gone; i++)
		stop_all(loop, old->gone[i]);
	for (uint32_t i = 0; i < old->n_dns_gone; i++)
		dns_worker_stop(&loop->dns, old->dns_gone[i]);
	say(loop, DAEMON_ADOPTED, plan);
	list_push_back(&loop->leaving, &old->leaving[loop->index].link);
}

static bool has_left(struct worker_loop *loop, const struct plan *old)
{
	for (uint32_t i = 0; i < old->n_gone; i++)
		if (!all_done(loop, old->gone[i]))
			return false;
	for (uint32_t i = 0; i < old->n_dns_gone; i++)
		if (!dns_worker_stopped(&loop->dns, old->dns_gone[i]))
			return false;
	return true;
}

static void check_leaving(struct worker_loop *loop)
{
	LIST_FOREACH_SAFE (node, following, &loop->leaving) {
		struct plan *old =
		    br_container_of(node, struct plan_leaving, link)->plan;

		if (!has_left(loop, old))
			continue;
		list_remove(node);
		say(loop, DAEMON_LEFT, old);
	}
}

static void drain(struct worker_loop *loop)
{
	if (loop->draining)
		return;
	loop->draining = true;
	for (uint32_t i = 0; i < loop->plan->n_binds; i++)
		stop_all(loop, loop->plan->binds[i].sockets);
	stop_dns(loop);
}

static bool all_stopped(struct worker_loop *loop)
{
	for (uint32_t i = 0; i < loop->plan->n_binds; i++)
		if (!all_done(loop, loop->plan->binds[i].sockets))
			return false;
	for (uint32_t i = 0; i < loop->plan->n_dns_binds; i++)
		if (!dns_worker_stopped(
			&loop->dns, loop->plan->dns_binds[i].sockets))
			return false;
	return list_empty(&loop->leaving);
}

/* After the first turn the kernel has the accepts. */
static void check_armed(struct worker_loop *loop)
{
	if (loop->armed_said)
		return;
	loop->armed_said = true;
	say(loop, DAEMON_ARMED, NULL);
}

/* An old generation whose flows are all with other workers. */
static void check_trim(struct worker_loop *loop)
{
	struct worker *worker = loop->worker;

	if (!loop->drained_said || loop->trimmed || !list_empty(&worker->flows))
		return;
	loop->trimmed = true;
	slab_trim(&worker->flow_slab);
	slab_trim(&worker->chunk_slab);
}

/* Flows that stayed behind need no more, and their rings count against what
 * the newest may lock. */
static void check_shrink(struct worker_loop *loop)
{
	if (loop->drained_said && !loop->shrunk)
		loop->shrunk = ring_shrink(&loop->worker->ring) != -EAGAIN;
}

static void check_drained(struct worker_loop *loop)
{
	if (!loop->draining || loop->drained_said || !all_stopped(loop))
		return;
	loop->drained_said = true;
	say(loop, DAEMON_DRAINED, NULL);
}

/* -- messages ---------------------------------------------------------- */

static void fence(struct worker_loop *loop, void *pointer)
{
	/* Answered when the mailbox is empty: only then is it known that
	 * what others sent before is handled. */
	br_assert(loop->n_fences < WORKER_LOOP_FENCES_MAX);
	loop->fences[loop->n_fences++] = pointer;
}

static void stop(struct worker_loop *loop)
{
	drain(loop);
	worker_kill_flows(loop->worker);
	dns_worker_kill(&loop->dns);
	loop->stopping = true;
	loop->stop_by = mono_add_ns(mono_now(), STOP_NS);
}

static void on_message(struct worker_loop *loop, const struct message *message)
{
	struct listing *listing;

	switch (message->kind) {
	case DAEMON_ADOPT:
		adopt(loop, message->pointer, message->pointer2);
		break;
	case DAEMON_LIST:
		listing = message->pointer;
		listing->fill(loop->worker, listing);
		say(loop, DAEMON_LISTED, listing);
		break;
	case DAEMON_KILL_FLOWS:
		flow_rows_kill(loop->worker, message->pointer);
		say(loop, DAEMON_KILLED, message->pointer);
		break;
	case DAEMON_TICKET_KEYS:
		take_ticket_keys(loop);
		break;
	case DAEMON_FENCE:
		fence(loop, message->pointer);
		break;
	case DAEMON_DRAIN:
		drain(loop);
		break;
	case DAEMON_KILL:
		worker_kill_flows(loop->worker);
		dns_worker_kill(&loop->dns);
		break;
	case DAEMON_STOP:
		stop(loop);
		break;
	default:
		br_assert(message->kind < WORKER_DAEMON);
		worker_on_message(loop->worker, message);
	}
}

static void watch_mail(struct worker_loop *loop)
{
	ring_read(&loop->worker->ring, &loop->op, 0,
	    mailbox_eventfd(loop->daemon->office, loop->index),
	    &loop->mail_count, sizeof loop->mail_count);
}

static void receive(struct worker_loop *loop)
{
	struct message message;

	loop->mail = false;
	while (mailbox_receive(loop->daemon->office, loop->index, &message))
		on_message(loop, &message);
	for (uint32_t i = 0; i < loop->n_fences; i++)
		say(loop, DAEMON_FENCED, loop->fences[i]);
	loop->n_fences = 0;
	watch_mail(loop);
}

static void on_mail(
    struct op_owner *owner, unsigned tag, struct op_result result)
{
	struct worker_loop *loop =
	    br_container_of(owner, struct worker_loop, op);

	(void)tag;
	(void)result; /* an error is answered by looking, too */
	loop->mail = true;
}

static const struct op_class worker_loop_class = {
    .magic = WORKER_LOOP_MAGIC,
    .name = "worker_loop",
    .on_complete = on_mail,
};

/* -- the loop ---------------------------------------------------------- */

static bool over(struct worker_loop *loop)
{
	if (!loop->stopping)
		return false;
	if (list_empty(&loop->worker->flows) && dns_worker_idle(&loop->dns) &&
	    all_stopped(loop))
		return true;
	/* Connections that were still in a queue came in meanwhile. */
	worker_kill_flows(loop->worker);
	dns_worker_kill(&loop->dns);
	return mono_diff_ns(mono_now(), loop->stop_by) >= 0;
}

static void run(struct worker_loop *loop)
{
	adopt(loop, loop->plan, NULL);
	receive(loop);
	while (!over(loop)) {
		bool busy = !outbox_flush(&loop->outbox) ||
			    !list_empty(&loop->leaving) || loop->stopping ||
			    (loop->draining && !loop->drained_said);
		int64_t wait_ns = busy ? WAIT_BUSY_NS : WAIT_NS;

		/* The first only submits. */
		worker_turn(loop->worker, loop->armed_said ? wait_ns : 0);
		dns_worker_turn_over(&loop->dns);
		if (loop->mail)
			receive(loop);
		check_armed(loop);
		check_leaving(loop);
		check_drained(loop);
		check_shrink(loop);
		check_trim(loop);
	}
	/* Closes that were prepared last are still to be submitted. */
	worker_turn(loop->worker, 0);
	dns_worker_turn_over(&loop->dns);
}

static void *worker_thread(void *argument)
{
	struct worker_loop *loop = argument;
	char name[16];
	int err;

	(void)snprintf(name, sizeof name, "braid-w%u", loop->index);
	(void)pthread_setname_np(pthread_self(), name);
	err = tls_memory_attach(loop->index);
	if (!err)
		err = worker_init(loop->worker, loop->index,
		    &loop->daemon->shared,
		    loop->daemon->flow_logs[loop->index]);
	if (!err)
		loop->worker->records = loop->daemon->row_queues[loop->index];
	if (!err)
		dns_worker_init(
		    &loop->dns, loop->daemon, loop->worker, loop->index);
	if (gate_arrive(loop->gate, err))
		run(loop);
	if (!err)
		dns_worker_fini(&loop->dns);
	/* Flows that would not end in time keep their memory: the process is
	 * about to end, and the kernel may still write there. */
	if (!err && list_empty(&loop->worker->flows))
		worker_fini(loop->worker);
	tls_thread_end();
	tls_memory_detach();
	return NULL;
}

int worker_loop_start(struct worker_loop *loop, struct daemon *daemon,
    uint32_t index, struct plan *plan, struct gate *gate)
{
	memset(loop, 0, sizeof *loop);
	loop->op.magic = WORKER_LOOP_MAGIC;
	loop->op.class = &worker_loop_class;
	loop->daemon = daemon;
	loop->worker = &daemon->workers[index];
	loop->index = index;
	loop->plan = plan;
	loop->gate = gate;
	list_init(&loop->leaving);
	outbox_init(&loop->outbox, daemon->office, index);
	return -pthread_create(&loop->thread, NULL, worker_thread, loop);
}

void worker_loop_join(struct worker_loop *loop)
{
	(void)pthread_join(loop->thread, NULL);
}
