/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/generations.h"

#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/metrics_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void generations_init(struct generations *generations, uint32_t pid)
{
	memset(generations, 0, sizeof *generations);
	(void)pthread_mutex_init(&generations->lock, NULL);
	generations->self = (struct manifest_process){
	    .pid = pid, .number = 1, .started_ns = wall_now().ns};
	(void)snprintf(generations->self.version,
	    sizeof generations->self.version, "%s", BRAID_VERSION);
	generations->dead = tally_new();
	generations->own.fd = -1;
}

static void close_one(struct generation *generation)
{
	if (generation->channel >= 0)
		close(generation->channel);
	count_block_close(&generation->counters);
	strbuf_fini(&generation->last);
}

void generations_fini(struct generations *generations)
{
	for (uint32_t i = 0; i < generations->n; i++)
		close_one(&generations->items[i]);
	tally_free(generations->dead);
	count_block_close(&generations->own);
	(void)pthread_mutex_destroy(&generations->lock);
}

static void set_count(struct generations *generations, uint32_t n)
{
	__atomic_store_n(&generations->n, n, __ATOMIC_RELAXED);
}

int generations_add(struct generations *generations,
    const struct manifest_process *who, int channel, int counters)
{
	struct generation *next = &generations->items[generations->n];
	struct count_block block;
	int err = count_block_open(&block, counters);

	if (!err && generations->n == CONF_GENERATIONS_MAX) {
		count_block_close(&block);
		err = BR_E_LIMIT;
	}
	if (err) {
		close(channel);
		return err;
	}
	*next = (struct generation){
	    .who = *who, .channel = channel, .counters = block};
	strbuf_init(&next->last);
	(void)pthread_mutex_lock(&generations->lock);
	set_count(generations, generations->n + 1);
	(void)pthread_mutex_unlock(&generations->lock);
	return 0;
}

/* -- their ends -------------------------------------------------------- */

/* An old generation says nothing; the end of the channel is its end. */
static bool has_ended(const struct generation *generation)
{
	char byte;
	ssize_t n = recv(
	    generation->channel, &byte, 1, MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC);

	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static void refresh(struct generation *generation)
{
	/* Torn or being written: what was read last still holds. */
	(void)!count_block_read(&generation->counters, &generation->last);
}

static void bury(struct generations *generations, uint32_t i)
{
	struct generation *generation = &generations->items[i];

	refresh(generation);
	tally_add(generations->dead, strbuf_text(&generation->last),
	    generation->last.length, false);
	log_event(LOG_INFO, "old generation ended",
	    "generation=%u pid=%u version=%s", generation->who.number,
	    generation->who.pid, generation->who.version);
	close_one(generation);
	memmove(generation, generation + 1,
	    (generations->n - i - 1) * sizeof *generation);
	set_count(generations, generations->n - 1);
}

void generations_look(struct generations *generations)
{
	/* What its counters were is the successor's to add up. */
	if (generations->frozen)
		return;
	for (uint32_t i = generations->n; i-- > 0;) {
		if (!has_ended(&generations->items[i]))
			continue;
		/* A page of /metrics is being composed: next time. */
		if (pthread_mutex_trylock(&generations->lock))
			return;
		bury(generations, i);
		(void)pthread_mutex_unlock(&generations->lock);
	}
}

void generations_tell(struct generations *generations, enum channel_type type)
{
	for (uint32_t i = 0; i < generations->n; i++)
		(void)!channel_send(
		    generations->items[i].channel, type, NULL, 0, NULL, 0);
}

void generations_note(const struct daemon *daemon)
{
	struct generations *generations = daemon->generations;

	if (atomic_load(&generations->handed_over))
		count_block_set_connections(&generations->own,
		    shared_read(&daemon->shared.connections));
}

void generations_leave(struct generations *generations)
{
	if (atomic_load(&generations->handed_over))
		count_block_set_left(&generations->own);
}

bool generations_have_left(const struct generations *generations)
{
	for (uint32_t i = 0; i < generations->n; i++)
		if (!count_block_has_left(&generations->items[i].counters))
			return false;
	return true;
}

void generations_give_up(struct generations *generations)
{
	(void)pthread_mutex_lock(&generations->lock);
	for (uint32_t i = 0; i < generations->n; i++)
		close_one(&generations->items[i]);
	set_count(generations, 0);
	(void)pthread_mutex_unlock(&generations->lock);
	atomic_store(&generations->handed_over, true);
}

/* -- counters ---------------------------------------------------------- */

struct tally *generations_tally(struct generations *generations, bool living)
{
	struct tally *sum = tally_new();

	(void)pthread_mutex_lock(&generations->lock);
	tally_merge(sum, generations->dead);
	for (uint32_t i = 0; living && i < generations->n; i++) {
		struct generation *generation = &generations->items[i];

		refresh(generation);
		tally_add(sum, strbuf_text(&generation->last),
		    generation->last.length, true);
	}
	(void)pthread_mutex_unlock(&generations->lock);
	return sum;
}

int generations_publish(struct daemon *daemon)
{
	struct generations *generations = daemon->generations;
	struct snapshot_reader *reader = snapshot_reader_new(daemon->plan);
	struct metrics_view view;
	struct strbuf text;
	struct tally *dead;
	int err;

	if (!reader)
		return -ENOMEM;
	dead = generations_tally(generations, false);
	strbuf_init(&text);
	metrics_view_init(&view, daemon, reader);
	metrics_text_print(&view, METRICS_OPENMETRICS, dead, &text);
	metrics_view_fini(&view);
	snapshot_reader_free(reader);
	tally_free(dead);
	err = count_block_write(
	    &generations->own, strbuf_text(&text), text.length);
	strbuf_fini(&text);
	return err;
}
