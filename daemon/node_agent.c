/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/node_agent.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/prefix.h"
#include "daemon/control_state.h"
#include "daemon/headroom.h"
#include "daemon/limits.h"
#include "daemon/node_report.h"
#include "daemon/side_listener.h"
#include "io/sock.h"

#define MAGIC 0xb1a1dc03
#define LOOK_MS 1000

enum state {
	FREE,
	SENDING,
	ENDING, /* the line is sent, and the end behind it */
	CLOSING, /* an operation is still in flight */
};

struct asker {
	struct op_owner op;
	enum state state;
	int fd;
	struct node_agent *agent;
	struct timer timer;
	uint32_t discarded; /* bytes of the client */
	uint32_t length;
	char text[NODE_REPORT_MAX];
	char said[256]; /* by the client, thrown away */
} __attribute__((aligned(64)));

struct node_agent {
	struct side_listener listener;
	struct asker askers[NODE_AGENT_CONNECTIONS_MAX];
	struct control *control;
	struct headroom headroom;
	enum node_state pools; /* as looked at last */
	uint32_t taken; /* since then */
	struct timer look;
};

static struct node_agent *agent_of(struct side_listener *listener)
{
	return br_container_of(listener, struct node_agent, listener);
}

/* -- the line ---------------------------------------------------------- */

static int64_t cpu_now_ns(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage))
		return 0;
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * NS_PER_S +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * NS_PER_US;
}

/* The best of all pools: while one can be served there is something to do. */
static enum node_state look_at_pools(const struct plan *plan)
{
	enum node_state best = NODE_DOWN;

	if (!plan->n_upstreams)
		return NODE_UP;
	for (uint32_t i = 0; i < plan->n_upstreams && best != NODE_UP; i++) {
		enum node_state state =
		    node_report_pool(plan->upstreams[i]->pool);

		if (state < best)
			best = state;
	}
	return best;
}

static enum node_state state_now(const struct node_agent *agent)
{
	if (agent->control->drain.state != DRAIN_NONE)
		return NODE_DRAINED;
	return agent->pools;
}

static uint32_t percent_now(const struct node_agent *agent)
{
	return headroom_percent_now(&agent->headroom);
}

static void on_look(struct timer *timer, struct mono now)
{
	struct node_agent *agent =
	    br_container_of(timer, struct node_agent, look);
	struct control *control = agent->control;

	headroom_add(&agent->headroom, now, cpu_now_ns(),
	    control_connections(control), control->plan->conf->agent.smooth_ms);
	agent->pools = look_at_pools(control->plan);
	atomic_store(&control->daemon->agent_percent, percent_now(agent));
	agent->taken = 0;
	timer_arm(&control->wheel, timer, mono_add_ms(now, LOOK_MS));
	side_listener_more(&agent->listener);
}

/* -- one connection ---------------------------------------------------- */

static struct ring *ring_of(struct asker *a)
{
	return &a->agent->control->ring;
}

static void asker_release(struct asker *a)
{
	sock_close(a->fd);
	a->fd = -1;
	a->state = FREE;
	side_listener_more(&a->agent->listener);
}

static void asker_close(struct asker *a)
{
	timer_disarm(&a->agent->control->wheel, &a->timer);
	if (!a->op.in_flight) {
		asker_release(a);
		return;
	}
	a->state = CLOSING;
	ring_cancel_fd(ring_of(a), a->fd);
}

static void asker_read(struct asker *a)
{
	ring_recv_into(ring_of(a), &a->op, 0, a->fd, a->said, sizeof a->said);
}

static void on_sent(struct asker *a, int32_t res)
{
	if (res != (int32_t)a->length || sock_shutdown_write(a->fd)) {
		asker_close(a);
		return;
	}
	atomic_fetch_add(&a->agent->control->daemon->agent_answers, 1);
	a->state = ENDING;
	asker_read(a);
}

static void on_received(struct asker *a, int32_t res)
{
	if (res > 0)
		a->discarded += (uint32_t)res;
	if (res <= 0 || a->discarded >= NODE_AGENT_READ_MAX)
		asker_close(a);
	else
		asker_read(a);
}

static void asker_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result)
{
	struct asker *a = br_container_of(owner, struct asker, op);

	(void)tag;
	switch (a->state) {
	case SENDING:
		on_sent(a, result.res);
		return;
	case ENDING:
		on_received(a, result.res);
		return;
	case CLOSING:
		asker_release(a);
		return;
	case FREE:
		break;
	}
	br_assert(a->state == SENDING); /* what is free has no operations */
}

static const struct op_class asker_class = {
    MAGIC, "agent connection", asker_on_complete};

static void on_timeout(struct timer *timer, struct mono now)
{
	(void)now;
	asker_close(br_container_of(timer, struct asker, timer));
}

/* -- accepting --------------------------------------------------------- */

static bool is_allowed(const struct node_agent *agent, int fd)
{
	const struct conf_prefixes *allow =
	    &agent->control->plan->conf->agent.allow;
	struct prefix from;
	struct addr peer;

	if (!allow->n)
		return true;
	if (sock_peer(fd, &peer) || !prefix_of_addr(&from, &peer))
		return false;
	for (uint32_t i = 0; i < allow->n; i++)
		if (prefix_covers(&allow->at[i], &from))
			return true;
	return false;
}

static struct asker *find_free(struct node_agent *agent)
{
	for (uint32_t i = 0; i < NODE_AGENT_CONNECTIONS_MAX; i++) {
		if (agent->askers[i].state == FREE)
			return &agent->askers[i];
	}
	return NULL;
}

static bool has_room(struct side_listener *listener)
{
	struct node_agent *agent = agent_of(listener);

	return agent->taken < NODE_AGENT_A_SECOND_MAX && find_free(agent);
}

static void on_accepted(struct side_listener *listener, int fd)
{
	struct node_agent *agent = agent_of(listener);
	struct control *control = agent->control;
	struct asker *a = find_free(agent);

	agent->taken++;
	if (!is_allowed(agent, fd)) {
		atomic_fetch_add(&control->daemon->agent_refused, 1);
		sock_close(fd);
		return;
	}
	a->fd = fd;
	a->state = SENDING;
	a->discarded = 0;
	a->length = (uint32_t)node_report_print(
	    state_now(agent), percent_now(agent), a->text);
	timer_arm(&control->wheel, &a->timer,
	    mono_add_ms(control_now(control), NODE_AGENT_MS));
	ring_send_wait(&control->ring, &a->op, 0, fd, a->text, a->length);
}

static const struct side_listener_ops listener_ops = {
    "agent cannot accept", has_room, on_accepted};

/* -- the socket -------------------------------------------------------- */

int node_agent_start(struct control *control, int fd, struct node_agent **ret)
{
	struct node_agent *agent =
	    aligned_alloc(_Alignof(struct node_agent), sizeof *agent);
	uint32_t workers = control->daemon->n_workers, cpus = limits_cpus();

	if (!agent)
		return -ENOMEM;
	memset(agent, 0, sizeof *agent);
	agent->control = control;
	agent->headroom.cpus = workers < cpus ? workers : cpus;
	agent->headroom.connections_max =
	    control->daemon->shared.limits.max_connections;
	side_listener_init(&agent->listener, &listener_ops, control, fd);
	agent->listener.held = true;
	for (uint32_t i = 0; i < NODE_AGENT_CONNECTIONS_MAX; i++) {
		struct asker *a = &agent->askers[i];

		a->op =
		    (struct op_owner){.magic = MAGIC, .class = &asker_class};
		a->fd = -1;
		a->agent = agent;
		timer_init(&a->timer, on_timeout);
	}
	timer_init(&agent->look, on_look);
	on_look(&agent->look, control_now(control));
	*ret = agent;
	return 0;
}

void node_agent_hold(struct node_agent *agent, bool hold)
{
	if (agent)
		side_listener_hold(&agent->listener, hold);
}

void node_agent_stop(struct node_agent *agent)
{
	if (!agent || agent->listener.stopping)
		return;
	side_listener_stop(&agent->listener);
	timer_disarm(&agent->control->wheel, &agent->look);
	for (uint32_t i = 0; i < NODE_AGENT_CONNECTIONS_MAX; i++) {
		struct asker *a = &agent->askers[i];

		if (a->state != FREE && a->state != CLOSING)
			asker_close(a);
	}
}

bool node_agent_done(const struct node_agent *agent)
{
	if (!agent)
		return true;
	if (!side_listener_closed(&agent->listener))
		return false;
	for (uint32_t i = 0; i < NODE_AGENT_CONNECTIONS_MAX; i++) {
		if (agent->askers[i].state != FREE)
			return false;
	}
	return true;
}

void node_agent_free(struct node_agent *agent)
{
	br_assert(node_agent_done(agent));
	free(agent);
}

void node_agent_show(const struct node_agent *agent, struct json *j)
{
	const struct daemon *daemon;
	char text[NODE_REPORT_MAX], address[ADDR_TEXT_MAX];
	size_t length;

	if (!agent) {
		json_null(j, "agent");
		return;
	}
	daemon = agent->control->daemon;
	length = node_report_print(state_now(agent), percent_now(agent), text);
	text[length - 1] = '\0';
	addr_format(&daemon->agent_addr, address);
	json_object_begin(j, "agent");
	json_string(j, "listen", address);
	json_string(j, "says", text);
	json_double(j, "cpu_used_ratio", agent->headroom.cpu);
	json_double(j, "connections_used_ratio", agent->headroom.connections);
	json_uint(j, "answers", atomic_load(&daemon->agent_answers));
	json_uint(j, "refused", atomic_load(&daemon->agent_refused));
	json_object_end(j);
}
