/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/assert.h"
#include "base/race.h"

#include <ck_ring.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define QUEUE_LINES_MIN 16
#define QUEUE_LINES_MAX (UINT32_C(1) << 20)
#define BATCH_BYTES 65536
#define LIMIT_LINES 10
#define LIMIT_WINDOW_NS (10 * NS_PER_S)

struct slot {
	int length;
	struct wall at;
	char text[LOG_LINE_MAX];
};

/*
 *      unused ──take──> writer composes ──push──> filled ──drain──> unused
 *
 * Both rings hold pointers to slots and are larger than there are slots, so
 * a push cannot fail. A writer that is descheduled between the two
 * instructions by which ck_ring makes its slot visible delays writers behind
 * it for that long; the copying is outside. That is accepted: above debug
 * lines are rare.
 */
struct queue {
	ck_ring_t unused, filled;
	struct ck_ring_buffer *unused_slots, *filled_slots;
	struct slot *slots;
	struct slot *next; /* peeked at, the drainer's */
};

static struct queue *queue;
static int log_fd = STDERR_FILENO;
static int current_format = LOG_LOGFMT;
static int current_level = LOG_INFO;
static uint64_t dropped;
static uint64_t dropped_said; /* of them, those that the log speaks of */
static bool within_line; /* the last write ended in the middle of a line */

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *const format_names[] = {"logfmt", "json"};

void log_configure(enum log_format format, enum log_level level)
{
	__atomic_store_n(&current_format, (int)format, __ATOMIC_RELAXED);
	__atomic_store_n(&current_level, (int)level, __ATOMIC_RELAXED);
}

enum log_format log_format_current(void)
{
	return (enum log_format)__atomic_load_n(
	    &current_format, __ATOMIC_RELAXED);
}

bool log_enabled(enum log_level level)
{
	return (int)level <= __atomic_load_n(&current_level, __ATOMIC_RELAXED);
}

static bool name_index(
    const char *const *names, size_t count, const char *text, int *ret)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(names[i], text)) {
			*ret = (int)i;
			return true;
		}
	}
	return false;
}

bool log_level_parse(const char *text, enum log_level *ret)
{
	int i;

	if (!name_index(level_names, BR_COUNT(level_names), text, &i))
		return false;
	*ret = (enum log_level)i;
	return true;
}

bool log_format_parse(const char *text, enum log_format *ret)
{
	int i;

	if (!name_index(format_names, BR_COUNT(format_names), text, &i))
		return false;
	*ret = (enum log_format)i;
	return true;
}

/* Atomic because without a queue several threads may write. */
static void within_line_set(bool within)
{
	__atomic_store_n(&within_line, within, __ATOMIC_RELAXED);
}

static bool within_line_get(void)
{
	return __atomic_load_n(&within_line, __ATOMIC_RELAXED);
}

uint64_t log_dropped(void)
{
	return __atomic_load_n(&dropped, __ATOMIC_RELAXED);
}

void log_set_fd(int fd)
{
	__atomic_store_n(&log_fd, fd, __ATOMIC_RELAXED);
	within_line_set(false);
	__atomic_store_n(&dropped_said, log_dropped(), __ATOMIC_RELAXED);
}

static void count_dropped(uint64_t lines)
{
	__atomic_fetch_add(&dropped, lines, __ATOMIC_RELAXED);
}

/*
 * How much may be written now without blocking. Standard error is usually an
 * ordinary blocking descriptor that is not ours to change; a pipe that polls
 * writable takes PIPE_BUF bytes at once (pipe(7)), a regular file everything.
 */
static size_t writable_now(int fd, size_t length)
{
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	struct stat st;

	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		return length;
	if (poll(&ready, 1, 0) != 1)
		return 0;
	return length < PIPE_BUF ? length : PIPE_BUF;
}

/* write() whose SIGPIPE, if it brings one, is taken back: a closed pipe at
 * the log's end must not end the process. */
static ssize_t write_quietly(const char *bytes, size_t length)
{
	int fd = __atomic_load_n(&log_fd, __ATOMIC_RELAXED);
	const struct timespec at_once = {0};
	sigset_t pipe_set, pending, before;
	ssize_t n;
	int error;

	length = writable_now(fd, length);
	if (!length) {
		errno = EAGAIN;
		return -1;
	}
	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	sigemptyset(&pending);
	(void)sigpending(&pending);
	(void)pthread_sigmask(SIG_BLOCK, &pipe_set, &before);
	do {
		n = write(fd, bytes, length);
	} while (n < 0 && errno == EINTR);
	error = errno;
	if (n < 0 && error == EPIPE && !sigismember(&pending, SIGPIPE))
		(void)sigtimedwait(&pipe_set, NULL, &at_once);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return n;
}

static uint64_t lines_in(const char *bytes, size_t length)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < length; i++)
		lines += bytes[i] == '\n';
	return lines;
}

/* What stands before the next line: the end of one that was cut, and how many
 * were lost. Returns its length; room is PIPE_BUF. */
static size_t compose_head(char *ret, uint64_t n_lost)
{
	char fields[32];
	size_t length = 0;

	if (within_line_get())
		ret[length++] = '\n';
	if (!n_lost || !log_enabled(LOG_WARN))
		return length;
	(void)snprintf(fields, sizeof(fields), "lines=%" PRIu64, n_lost);
	return length + (size_t)log_compose(ret + length, LOG_LINE_MAX,
			    wall_now(), level_names[LOG_WARN], "log lines lost",
			    fields);
}

/* Writes that head together with the start of what follows: alone, it could
 * take the last free page of a pipe, which then no longer polls writable.
 * False: nothing of what follows was taken. */
static bool put_head(const char **bytes, size_t *length)
{
	uint64_t all = log_dropped();
	uint64_t said = __atomic_load_n(&dropped_said, __ATOMIC_RELAXED);
	char joined[PIPE_BUF];
	size_t head = compose_head(joined, all - said), part;
	ssize_t n;

	if (!head)
		return true;
	part = sizeof(joined) - head;
	if (part > *length)
		part = *length;
	memcpy(joined + head, *bytes, part);
	n = write_quietly(joined, head + part);
	if (n <= 0)
		return false;
	within_line_set(joined[n - 1] != '\n');
	if ((size_t)n < head)
		return false;
	__atomic_store_n(&dropped_said, all, __ATOMIC_RELAXED);
	*bytes += (size_t)n - head;
	*length -= (size_t)n - head;
	return true;
}

/* Whole lines. What the descriptor does not take now is lost: to wait for it
 * would block, to keep it would need a bound and end the same way. */
void log_write_lines(const char *bytes, size_t length)
{
	if (length && !put_head(&bytes, &length)) {
		count_dropped(lines_in(bytes, length));
		return;
	}
	while (length > 0) {
		ssize_t n = write_quietly(bytes, length);

		if (n <= 0)
			break;
		within_line_set(bytes[n - 1] != '\n');
		bytes += n;
		length -= (size_t)n;
	}
	count_dropped(lines_in(bytes, length));
}

static struct slot *slot_take(struct queue *q)
{
	struct slot *slot = NULL;
	bool taken;

	br_race_ignore_begin();
	taken = ck_ring_dequeue_spmc(&q->unused, q->unused_slots, &slot);
	br_race_ignore_end();
	if (!taken)
		return NULL;
	br_race_acquire(slot);
	return slot;
}

static void slot_push(struct queue *q, struct slot *slot)
{
	bool pushed;

	br_race_release(slot);
	br_race_ignore_begin();
	pushed = ck_ring_enqueue_mpsc(&q->filled, q->filled_slots, slot);
	br_race_ignore_end();
	br_assert(pushed);
}

static struct slot *slot_pop(struct queue *q)
{
	struct slot *slot = NULL;
	bool popped;

	br_race_ignore_begin();
	popped = ck_ring_dequeue_mpsc(&q->filled, q->filled_slots, &slot);
	br_race_ignore_end();
	if (!popped)
		return NULL;
	br_race_acquire(slot);
	return slot;
}

static void slot_give_back(struct queue *q, struct slot *slot)
{
	bool pushed;

	br_race_release(slot);
	br_race_ignore_begin();
	pushed = ck_ring_enqueue_spmc(&q->unused, q->unused_slots, slot);
	br_race_ignore_end();
	br_assert(pushed);
}

static void event(enum log_level level, const char *message, const char *fields)
{
	struct queue *q = __atomic_load_n(&queue, __ATOMIC_ACQUIRE);
	struct wall now = wall_now();
	char text[LOG_LINE_MAX];
	struct slot *slot;
	int length;

	if (!q) {
		length = log_compose(text, sizeof(text), now,
		    level_names[level], message, fields);
		log_write_lines(text, (size_t)length);
		return;
	}
	slot = slot_take(q);
	if (!slot) {
		count_dropped(1);
		return;
	}
	slot->at = now;
	slot->length = log_compose(slot->text, sizeof(slot->text), now,
	    level_names[level], message, fields);
	slot_push(q, slot);
}

void log_event(
    enum log_level level, const char *message, const char *fields, ...)
{
	char rendered[LOG_LINE_MAX];
	va_list args;

	if (!log_enabled(level))
		return;
	va_start(args, fields);
	(void)vsnprintf(rendered, sizeof(rendered), fields, args);
	va_end(args);
	event(level, message, rendered);
}

bool log_limit_pass(
    struct log_limit *limit, struct mono now, uint32_t *ret_suppressed)
{
	*ret_suppressed = 0;
	if (limit->printed == 0 ||
	    now.ns - limit->window_start_ns >= LIMIT_WINDOW_NS) {
		*ret_suppressed = limit->suppressed;
		*limit = (struct log_limit){.window_start_ns = now.ns};
	}
	if (limit->printed >= LIMIT_LINES) {
		limit->suppressed++;
		return false;
	}
	limit->printed++;
	return true;
}

void log_event_limited(struct log_limit *limit, enum log_level level,
    const char *message, const char *fields, ...)
{
	char rendered[LOG_LINE_MAX];
	uint32_t suppressed;
	size_t length = 0;
	va_list args;

	if (!log_enabled(level) ||
	    !log_limit_pass(limit, mono_now(), &suppressed))
		return;
	/* First, so that long fields cannot push it off the line. */
	if (suppressed)
		length = (size_t)snprintf(
		    rendered, sizeof(rendered), "suppressed=%u ", suppressed);
	va_start(args, fields);
	(void)vsnprintf(
	    rendered + length, sizeof(rendered) - length, fields, args);
	va_end(args);
	event(level, message, rendered);
}

static void queue_free(struct queue *q)
{
	if (!q)
		return;
	free(q->unused_slots);
	free(q->filled_slots);
	free(q->slots);
	free(q);
}

static struct queue *queue_new(uint32_t lines)
{
	struct queue *q = aligned_alloc(64, (sizeof(*q) + 63) & ~(size_t)63);

	if (!q)
		return NULL;
	*q = (struct queue){
	    .unused_slots = calloc(2 * lines, sizeof(*q->unused_slots)),
	    .filled_slots = calloc(2 * lines, sizeof(*q->filled_slots)),
	    .slots = calloc(lines, sizeof(*q->slots))};
	if (!q->unused_slots || !q->filled_slots || !q->slots) {
		queue_free(q);
		return NULL;
	}
	ck_ring_init(&q->unused, 2 * lines);
	ck_ring_init(&q->filled, 2 * lines);
	for (uint32_t i = 0; i < lines; i++)
		slot_give_back(q, &q->slots[i]);
	return q;
}

int log_start_queue(uint32_t lines)
{
	uint32_t room = QUEUE_LINES_MIN;
	struct queue *q;

	br_assert(!__atomic_load_n(&queue, __ATOMIC_ACQUIRE));
	while (room < lines && room < QUEUE_LINES_MAX)
		room *= 2;
	q = queue_new(room);
	if (!q)
		return -ENOMEM;
	__atomic_store_n(&queue, q, __ATOMIC_RELEASE);
	return 0;
}

void log_stop_queue(void)
{
	struct queue *q = __atomic_load_n(&queue, __ATOMIC_ACQUIRE);

	(void)log_drain();
	__atomic_store_n(&queue, NULL, __ATOMIC_RELEASE);
	queue_free(q);
}

uint32_t log_waiting(void)
{
	struct queue *q = __atomic_load_n(&queue, __ATOMIC_ACQUIRE);

	return q ? ck_ring_size(&q->filled) + (q->next ? 1 : 0) : 0;
}

bool log_peek(struct wall *ret_at, const char **ret_text, size_t *ret_length)
{
	struct queue *q = __atomic_load_n(&queue, __ATOMIC_ACQUIRE);

	if (q && !q->next)
		q->next = slot_pop(q);
	if (!q || !q->next)
		return false;
	*ret_at = q->next->at;
	*ret_text = q->next->text;
	*ret_length = (size_t)q->next->length;
	return true;
}

void log_drop(void)
{
	struct queue *q = __atomic_load_n(&queue, __ATOMIC_ACQUIRE);

	br_assert(q && q->next);
	slot_give_back(q, q->next);
	q->next = NULL;
}

/* Gathers lines into one write. Bounded by what was there at the start, so a
 * flood cannot keep the clerk here. */
uint32_t log_drain(void)
{
	static char batch[BATCH_BYTES];
	uint32_t waiting = log_waiting(), taken = 0;
	size_t length = 0, line_length;
	const char *line;
	struct wall at;

	while (taken < waiting && log_peek(&at, &line, &line_length)) {
		if (line_length > sizeof(batch) - length) {
			log_write_lines(batch, length);
			length = 0;
		}
		memcpy(batch + length, line, line_length);
		length += line_length;
		log_drop();
		taken++;
	}
	if (length)
		log_write_lines(batch, length);
	return taken;
}
