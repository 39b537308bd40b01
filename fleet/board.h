/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The board: shared facts about servers, kept apart from configuration. A row
 * is keyed (pool, server, address), outlives reloads, and is always read
 * live, so a drain or a health verdict survives a new file. A server that
 * one plan has left out and a later one has again starts with fresh facts (as
 * one that HAProxy has deleted and added), but its counters go on.
 *
 *     control ──writes facts──> row <──slots, load── workers
 *                                └──copies──> workers, api, braidctl
 *
 * Thread:  board_row_get/unref and the like: one thread, which builds and
 *          frees plans (boot, then the clerk). board_write(): control.
 *          board_read(): any. Slots and counters: as stated at each.
 * Memory:  a row lives while anybody holds a reference (one per pool object
 *          that has the server), and after that until BOARD_IDLE_ROWS_MAX
 *          younger ones have lost theirs, so that counters do not vanish.
 *          board_free() frees all rows, referred to or not; the pools
 *          (board_pool) must be gone by then.
 * Consistency: facts are copied under a sequence number (one writer), so a
 *          reader never sees half of an update; slots are single words.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/metric.h"

enum board_health {
	BOARD_UNKNOWN, /* no verdict yet: used as up */
	BOARD_UP,
	BOARD_DOWN,
};

enum board_admin {
	BOARD_READY,
	BOARD_DRAIN, /* no new flows; running ones stay */
	BOARD_MAINT, /* as drain, and health checks stop */
};

#define BOARD_CAUSE_MAX 160
#define BOARD_SAID_MAX 64
#define BOARD_IDLE_ROWS_MAX 65536
#define BOARD_IDLE_LISTENERS_MAX 4096
#define BOARD_WEIGHT_NONE UINT32_MAX

/* What the agent beside a server has said about it; all zero: nothing. */
struct board_agent {
	enum board_admin admin;
	bool down; /* whatever the checks say */
	bool has_percent, has_maxconn;
	/* It is for who weighs it with the checks (POPs): the state and health
	 * in force are without it. */
	bool reports;
	uint32_t percent; /* of the configured weight */
	uint32_t maxconn; /* 0: no limit */
	uint32_t asked, failed; /* of them, without a line that makes sense */
	int64_t heard_ns; /* monotonic, the last line; 0 never */
	int64_t since_ns; /* monotonic, since when it is down or not; 0 ever */
	char said[BOARD_SAID_MAX]; /* that line as understood, printable */
};

/* What the single writer (control) publishes; readers get a copy. */
struct board_facts {
	enum board_health health;
	enum board_admin admin;
	uint32_t weight_override; /* BOARD_WEIGHT_NONE: the configured one */
	uint32_t changes; /* of health, since the row exists */
	int64_t health_since_ns; /* monotonic */
	int64_t admin_since_ns; /* monotonic; 0: as it was at the start */
	int64_t checked_ns; /* monotonic, last check's end; 0 never */
	uint32_t check_us; /* duration of the last check */
	uint32_t checks, checks_failed;
	int64_t returned_ns; /* monotonic, came back into use; 0 never */
	int64_t leaves_ns; /* monotonic, will be drained; 0: not planned */
	int64_t ejected_ns, ejected_until_ns; /* monotonic; until 0: is not */
	uint32_t ejections; /* since the row exists */
	int32_t eject_error; /* the last failure before it, -errno */
	uint32_t eject_steps; /* how many times outlier.eject the last was */
	char cause[BOARD_CAUSE_MAX]; /* of the present health, printable */
	struct board_agent agent;
};

/* The state in force: what the operator has set goes before the agent. */
static inline enum board_admin board_admin_now(const struct board_facts *facts)
{
	return facts->admin != BOARD_READY || facts->agent.reports
		   ? facts->admin
		   : facts->agent.admin;
}
/* Whether an operator has set the same of both. */
static inline bool board_set_alike(
    const struct board_facts *a, const struct board_facts *b)
{
	return a->admin == b->admin && a->leaves_ns == b->leaves_ns &&
	       a->weight_override == b->weight_override;
}
/* Sets that of `from`, too. */
static inline void board_take_set(
    struct board_facts *facts, const struct board_facts *from)
{
	facts->admin = from->admin;
	facts->admin_since_ns = from->admin_since_ns;
	facts->leaves_ns = from->leaves_ns;
	facts->weight_override = from->weight_override;
}
/* The health in force: up only if neither checks nor agent say down. */
static inline enum board_health board_health_now(
    const struct board_facts *facts)
{
	return facts->agent.down && !facts->agent.reports ? BOARD_DOWN
							  : facts->health;
}
static inline int64_t board_health_since_ns(const struct board_facts *facts)
{
	return facts->agent.since_ns > facts->health_since_ns &&
		       !facts->agent.reports
		   ? facts->agent.since_ns
		   : facts->health_since_ns;
}

/* Counters of one worker about one server: one writer each. */
#define SERVER_METRIC_LIST(X)                                                  \
	X(flows, "Flows handed to this server")                                \
	X(connect_errors, "Connects that failed")                              \
	X(connect_timeouts, "Connects that took longer than connect.timeout")  \
	X(retries, "Flows that went to another server after a failed connect") \
	X(resets, "Flows that this server ended with a reset or error")        \
	X(failures, "Failures of flows that outlier.errors counts")            \
	X(bytes_to, "Bytes sent to this server")                               \
	X(bytes_from, "Bytes received from this server")

struct server_metrics {
#define X(name, help) struct counter name;
	SERVER_METRIC_LIST(X)
#undef X
} __attribute__((aligned(64)));

struct board_row {
	/* -- shared words, any worker -- */
	uint32_t slots_used; /* connections open or being opened, all workers */
	uint32_t references;
	uint64_t plan; /* control's: the last plan that was seen to have it */
	uint32_t failures; /* in a row, fleet/outlier */
	uint32_t outlier_trips; /* times the row was long enough */
	int32_t last_failure; /* -errno */
	uint32_t trips_seen; /* control's */
	/* -- sequence-protected, written by control -- */
	uint32_t sequence;
	struct board_facts facts;
	/* -- identity, constant -- */
	const char *pool, *server;
	struct addr addr;
	/* -- one block per worker -- */
	struct server_metrics *metrics; /* [workers] */
};

struct board;

struct board *board_new(uint32_t workers);
void board_free(struct board *board);
/* Finds or makes the row and takes a reference. Never NULL. */
struct board_row *board_row_get(struct board *board, const char *pool,
    const char *server, const struct addr *addr);
void board_row_unref(struct board *board, struct board_row *row);

void board_read(const struct board_row *row, struct board_facts *ret);
/* Replaces the facts. */
void board_write(struct board_row *row, const struct board_facts *facts);
/* As of a server that nobody has seen or touched; the change of health is
 * counted on. */
void board_reset(struct board_row *row);

/* Takes a connection slot if fewer than max are used (max 0: always). Never
 * above max, not even for a moment, and never refused while one is free: with
 * add and back-out a taker that is about to back out would turn away another,
 * who would then wait for a release that has already been. Both calls are
 * full barriers, so "release, then look for waiters" against "register as
 * waiter, then try again" misses nobody. */
bool board_slot_take(struct board_row *row, uint32_t max);
void board_slot_release(struct board_row *row);
static inline uint32_t board_slots_used(const struct board_row *row)
{
	return __atomic_load_n(&row->slots_used, __ATOMIC_RELAXED);
}

/*
 * What all pool objects of one name share: a reload that changes a pool makes
 * a new object, and flows that wait in the old one must hear of a server that
 * comes up as well.
 */
struct board_pool {
	const char *name;
	uint32_t references; /* control's */
	uint32_t generation; /* atomic; bumped after any change of a row */
	uint32_t outlier_trips; /* atomic; over the servers */
	uint32_t trips_seen; /* control's */
	int64_t next_return_ns; /* control's; of an ejected server, 0 none */
	/* Of the addresses of a POP together. */
	int64_t returned_ns; /* atomic; monotonic, came back; 0 never */
	bool out; /* control's; is not in service */
	bool reported, differs; /* control's; as last said in the log */
};

/* Control or boot; never NULL. Lives while it is referred to. */
struct board_pool *board_pool_get(struct board *board, const char *name);
void board_pool_unref(struct board *board, struct board_pool *row);

/* Per-listener counters outlive reloads too; keyed by listener name. */
#define LISTENER_METRIC_LIST(X)                                                \
	X(accepted, "Connections accepted; those that allow, deny or "         \
		    "per_source refused are among them")                       \
	X(refused, "Connections closed at once because a limit was reached")   \
	X(accept_pauses, "Times accepting paused for want of descriptors, "    \
			 "memory or connection slots")                         \
	X(closed, "Flows ended")                                               \
	X(bytes_in, "Bytes received from clients")                             \
	X(bytes_out, "Bytes sent to clients")                                  \
	X(denied, "Connections refused by allow or deny")                      \
	X(source_full, "Connections refused by per_source.connections")        \
	X(source_fast, "Connections refused by per_source.rate")               \
	X(source_gone, "Connections closed because the client had left "       \
		       "before its address was known to allow, deny or "       \
		       "per_source")                                           \
	X(source_evicted, "Sources whose excess over per_source.rate was "     \
			  "forgotten for want of room")                        \
	X(source_untracked, "Connections that per_source let in uncounted "    \
			    "for want of room")

struct listener_metrics {
#define X(name, help) struct counter name;
	LISTENER_METRIC_LIST(X)
#undef X
	/* The last that was refused, for the log: an IPv4 address, or the
	 * first 64 bits of an IPv6 address; 0 none. */
	struct counter refused_source;
} __attribute__((aligned(64)));

struct board_listener {
	const char *name;
	uint32_t number; /* 1, 2, ...: no other row of the board has it */
	uint32_t references;
	uint32_t connections; /* open now, all workers (shared word) */
	uint32_t
	    promised; /* may be accepted by the kernel on its own, as well */
	struct listener_metrics *metrics; /* [workers] */
};

struct board_listener *board_listener_get(
    struct board *board, const char *name);
void board_listener_unref(struct board *board, struct board_listener *row);

/* Walks all rows in order of creation, also those of servers that are gone
 * (their counters must not vanish from /metrics while the process lives).
 * Control may always call them; another thread (api) between board_enter()
 * and board_leave(), and the rows it met stay until it leaves. Readers wait
 * for nobody and hold up nobody: rows that control drops meanwhile are freed
 * later. References are control's; a reader does not look at them. */
void board_enter(struct board *board);
void board_leave(struct board *board);
void board_each(struct board *board,
    void (*on_row)(void *context, struct board_row *row), void *context);
void board_each_listener(struct board *board,
    void (*on_row)(void *context, struct board_listener *row), void *context);
