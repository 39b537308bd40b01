/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The event log: one line per event in logfmt or JSON, to stderr. Lines are
 * composed on the calling thread and queued; the clerk writes them, so no
 * other thread ever blocks on a slow terminal or full disk. Before
 * log_start_queue() and after log_stop_queue() they are written at once.
 *
 *     log_event(LOG_WARN, "server down", "pool=%s server=%s cause=%s", ...)
 *
 * The pairs are given as a format whose "key=%x" words become fields. What it
 * gives is read back as pairs: a bare value reaches to the next blank that is
 * followed by "word=", or to the end; so free text that may hold such words
 * or quotes is appended with log_field() and passed as "%s", and plain text
 * may be written key="%s". Values are quoted and escaped when printed, so no
 * value can break a line. In JSON a bare number stays a number, all else is
 * a string. Words before the first key become detail="...".
 *
 *     ts=2026-01-02T03:04:05.678Z level=warn msg="server down" pool=web
 *     {"ts":"2026-01-02T03:04:05.678Z","level":"warn","msg":"server down",...
 *
 * Rates: log_event_limited() lets a site print 10 lines per 10 s and says how
 * many it suppressed.
 *
 * Thread:  any; the queue is a bounded multi-producer ring (ck_ring mpmc).
 *          Overflow drops the line and counts it, as does a descriptor
 *          that takes no more (EAGAIN, ENOSPC, EPIPE). log_drain() by one
 *          thread; start and stop while no other thread logs.
 * Limits:  LOG_LINE_MAX bytes a line with its newline; longer ones are cut
 *          at a character, quotes and braces closed.
 * Layers:  below daemon/ nothing logs above LOG_DEBUG.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_LOGFMT, LOG_JSON };

#define LOG_LINE_MAX 1024
#define LOG_LINE_MIN 128

void log_configure(enum log_format format, enum log_level level);
enum log_format log_format_current(void);
bool log_enabled(enum log_level level);
bool log_level_parse(const char *text, enum log_level *ret);
bool log_format_parse(const char *text, enum log_format *ret);

void log_event(enum log_level level, const char *message, const char *fields,
    ...) __attribute__((format(printf, 3, 4)));

struct log_limit {
	int64_t window_start_ns;
	uint32_t printed, suppressed;
};
/* As log_event(), limited per site; `limit` is static at the call site and
 * used by one thread. */
void log_event_limited(struct log_limit *limit, enum log_level level,
    const char *message, const char *fields, ...)
    __attribute__((format(printf, 4, 5)));

/* Whether a line may be printed at `now`; on the first one of a new window
 * also how many were suppressed in the last, else 0. */
bool log_limit_pass(
    struct log_limit *limit, struct mono now, uint32_t *ret_suppressed);

/* Queueing: room for at least `lines`, 0 or -ENOMEM. Lines wait until
 * log_drain() writes them (clerk). */
int log_start_queue(uint32_t lines) BR_MUST_CHECK;
void log_stop_queue(void); /* writes what is still there */
/* Writes what is queued; returns how many lines were taken. */
uint32_t log_drain(void);
/* For who merges the queued lines with others by their stamps (the same
 * thread): how many wait now, the next of them without taking it (false: none;
 * the text has its newline and stays until log_drop()), and taking it. */
uint32_t log_waiting(void);
bool log_peek(struct wall *ret_at, const char **ret_text, size_t *ret_length);
void log_drop(void);
/* Lines lost to a full queue or descriptor since the process began. */
uint64_t log_dropped(void);
/* Writes complete lines at once, past the queue (clerk: the access log). What
 * the descriptor does not take is lost and counted, and said in the log itself
 * once there is room again; never waits. */
void log_write_lines(const char *bytes, size_t length);
/* A descriptor other than stderr (tests). */
void log_set_fd(int fd);
/* Composes one line in the current format into ret (with its newline) and
 * returns its length: for the access log, which has its own queue. The result
 * is not terminated; room must be at least LOG_LINE_MIN. `level` and `fields`
 * may be NULL. */
int log_compose(char *ret, int room, struct wall now, const char *level,
    const char *message, const char *fields);
/* Appends key=value to a terminated fields string under construction, quoting
 * where needed, so that it reads back as exactly this text (a string in JSON,
 * also when it looks like a number; numbers are printed by the caller). What
 * does not fit is cut. Returns the new length (never beyond room - 1). */
int log_field(
    char *fields, int length, int room, const char *key, const char *value);
