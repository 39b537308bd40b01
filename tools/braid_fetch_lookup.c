/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_lookup.h"

#include "base/assert.h"
#include "base/strbuf.h"
#include "tools/braid_fetch_wire.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define TRY_MS 2000
#define TRIES 3
/* As DNS Flag Day 2020 has it: fits without fragments everywhere. */
#define EDNS_BYTES 1232
/* RFC 8305 section 3 waits 50 ms for the other family. HTTPS records say
 * which POP is the best, so they are worth more. */
#define MOMENT_NS (300 * NS_PER_MS)

struct question {
	struct fetch_lookup *lookup;
	uint8_t name[DNAME_MAX];
	uint16_t type;
	bool asked, done;
	struct fetch_answer answer;
};

struct fetch_lookup {
	const struct fetch_say *say;
	struct fetch_wire *wire; /* `direct`; else */
	ares_channel channel; /* NULL: it cannot be opened */
	bool system;
	bool has_addr; /* in this run */
	uint32_t n, n_open;
	struct question *questions[FETCH_QUESTIONS_MAX];
};

/* -- the channel ------------------------------------------------------- */

static bool set_servers(
    struct fetch_lookup *lookup, const struct addr *servers, uint32_t n)
{
	struct strbuf list;
	char text[ADDR_TEXT_MAX];
	int err;

	strbuf_init(&list);
	for (uint32_t i = 0; i < n; i++) {
		addr_format(&servers[i], text);
		strbuf_addf(&list, "%s%s", i ? "," : "", text);
	}
	err = ares_set_servers_ports_csv(lookup->channel, strbuf_text(&list));
	strbuf_fini(&list);
	return !err;
}

static void open_channel(
    struct fetch_lookup *lookup, const struct addr *servers, uint32_t n_servers)
{
	struct ares_options options = {
	    .flags = ARES_FLAG_EDNS,
	    .timeout = TRY_MS,
	    .tries = TRIES,
	    .ednspsz = EDNS_BYTES,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
		   ARES_OPT_EDNSPSZ;

	lookup->system = n_servers == 0;
	if (ares_init_options(&lookup->channel, &options, mask)) {
		lookup->channel = NULL;
	} else if (n_servers && !set_servers(lookup, servers, n_servers)) {
		ares_destroy(lookup->channel);
		lookup->channel = NULL;
	}
}

struct fetch_lookup *fetch_lookup_new(const struct addr *servers,
    uint32_t n_servers, bool direct, const struct fetch_say *say)
{
	struct fetch_lookup *lookup = calloc(1, sizeof *lookup);

	if (!lookup)
		br_out_of_memory("a lookup", sizeof *lookup);
	lookup->say = say;
	if (direct)
		lookup->wire = fetch_wire_new(servers, n_servers);
	else
		open_channel(lookup, servers, n_servers);
	return lookup;
}

void fetch_lookup_free(struct fetch_lookup *lookup)
{
	if (!lookup)
		return;
	if (lookup->channel)
		ares_destroy(lookup->channel);
	fetch_wire_free(lookup->wire);
	for (uint32_t i = 0; i < lookup->n; i++)
		free(lookup->questions[i]);
	free(lookup);
}

/* -- answers ----------------------------------------------------------- */

static void say_record(
    const struct question *q, const struct fetch_record *record)
{
	const struct fetch_say *say = q->lookup->say;
	char target[DNAME_TEXT_MAX], type[RR_TEXT_MAX];

	(void)rr_type_to_text(record->type, type);
	if (record->type == RR_A || record->type == RR_AAAA) {
		fetch_say(say, "answer", record->owner, &record->addr,
		    "%s, ttl %u s", type, record->ttl_s);
		return;
	}
	(void)dname_to_text(record->target, target);
	if (record->type != RR_HTTPS)
		fetch_say(say, "answer", record->owner, NULL, "%s %s, ttl %u s",
		    type, target, record->ttl_s);
	else
		fetch_say(say, "answer", record->owner, NULL,
		    "HTTPS %u %s%s%s%s%s, ttl %u s", record->service.priority,
		    target, record->service.http2 ? " h2" : "",
		    record->service.http1 ? " http/1.1" : "",
		    record->service.n_hints ? " with hints" : "",
		    record->service.unusable ? " (not usable)" : "",
		    record->ttl_s);
}

static void finish(struct question *q)
{
	char type[RR_TEXT_MAX];

	q->done = true;
	q->lookup->n_open--;
	(void)rr_type_to_text(q->type, type);
	if (q->answer.wrong || q->answer.rcode || !q->answer.n)
		fetch_say(q->lookup->say, "answer", q->name, NULL, "%s: %s",
		    type,
		    q->answer.wrong || q->answer.rcode
			? fetch_answer_verdict(&q->answer)
			: "no such record");
	for (uint32_t i = 0; i < q->answer.n; i++) {
		const struct fetch_record *record = &q->answer.records[i];

		say_record(q, record);
		if (record->type == RR_A || record->type == RR_AAAA)
			q->lookup->has_addr = true;
	}
}

static void on_message(
    void *context, int status, int timeouts, unsigned char *bytes, int length)
{
	struct question *q = context;

	(void)timeouts;
	if (q->done || status == ARES_EDESTRUCTION)
		return;
	if (bytes && length > 0 &&
	    (status == ARES_SUCCESS || status == ARES_ENODATA ||
		status == ARES_ENOTFOUND))
		(void)fetch_answer_read(
		    bytes, (size_t)length, q->name, q->type, &q->answer);
	else
		q->answer.wrong = ares_strerror(status);
	finish(q);
}

static void on_carried(
    void *context, const uint8_t *bytes, size_t length, const char *wrong)
{
	struct question *q = context;

	if (q->done)
		return;
	if (bytes)
		(void)fetch_answer_read(
		    bytes, length, q->name, q->type, &q->answer);
	else
		q->answer.wrong = wrong;
	finish(q);
}

/* -- the system's file of hosts ---------------------------------------- */

static void take_host(struct question *q, const struct hostent *host)
{
	for (char **at = host->h_addr_list;
	     *at && q->answer.n < FETCH_RECORDS_MAX; at++) {
		struct fetch_record *record = &q->answer.records[q->answer.n++];
		struct addr *addr = &record->addr;

		memset(record, 0, sizeof *record);
		record->type = q->type;
		(void)dname_copy(record->owner, q->name);
		if (q->type == RR_A) {
			addr->in.sin_family = AF_INET;
			addr->length = sizeof addr->in;
			memcpy(&addr->in.sin_addr, *at, 4);
		} else {
			addr->in6.sin6_family = AF_INET6;
			addr->length = sizeof addr->in6;
			memcpy(&addr->in6.sin6_addr, *at, 16);
		}
	}
}

static bool in_hosts(struct question *q, const char *name, int family)
{
	struct hostent *host;
	bool ours = family == (q->type == RR_A ? AF_INET : AF_INET6);

	if (ares_gethostbyname_file(q->lookup->channel, name, family, &host))
		return false;
	if (ours)
		take_host(q, host);
	ares_free_hostent(host);
	return true;
}

/* A name that is there is answered for both families, and has no HTTPS
 * records. */
static bool ask_hosts(struct question *q, const char *text)
{
	char name[DNAME_TEXT_MAX];
	size_t length = strlen(text);
	bool ipv4, ipv6;

	if (!q->lookup->system || length < 2)
		return false;
	memcpy(name, text, length + 1);
	name[length - 1] = 0; /* its last dot */
	ipv4 = in_hosts(q, name, AF_INET);
	ipv6 = in_hosts(q, name, AF_INET6);
	if (!ipv4 && !ipv6)
		return false;
	finish(q);
	return true;
}

/* -- asking ------------------------------------------------------------ */

static void ask(struct question *q)
{
	char text[DNAME_TEXT_MAX], type[RR_TEXT_MAX];

	q->asked = true;
	q->lookup->n_open++;
	(void)dname_to_text(q->name, text);
	if (!q->lookup->channel && !q->lookup->wire) {
		q->answer.wrong = "the DNS cannot be asked";
		finish(q);
		return;
	}
	if (ask_hosts(q, text))
		return;
	(void)rr_type_to_text(q->type, type);
	fetch_say(q->lookup->say, "ask", q->name, NULL, "%s", type);
	if (q->lookup->wire)
		fetch_wire_ask(
		    q->lookup->wire, q->name, q->type, on_carried, q);
	else
		ares_query(
		    q->lookup->channel, text, ns_c_in, q->type, on_message, q);
}

const struct fetch_answer *fetch_lookup_find(
    struct fetch_lookup *lookup, const uint8_t *name, uint16_t type)
{
	static const struct fetch_answer too_many = {
	    .wrong = "too many questions"};
	struct question *q;

	for (uint32_t i = 0; i < lookup->n; i++) {
		q = lookup->questions[i];
		if (q->type == type && dname_equal(q->name, name))
			return q->done ? &q->answer : NULL;
	}
	if (lookup->n == FETCH_QUESTIONS_MAX)
		return &too_many;
	q = calloc(1, sizeof *q);
	if (!q)
		br_out_of_memory("a question", sizeof *q);
	q->lookup = lookup;
	q->type = type;
	(void)dname_copy(q->name, name);
	lookup->questions[lookup->n++] = q;
	return NULL;
}

static void wait_for_ares(struct fetch_lookup *lookup, int64_t ns)
{
	ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
	struct pollfd polled[ARES_GETSOCK_MAXNUM];
	/* Not by the library's macros, whose last shift reaches the sign. */
	uint32_t bits = (uint32_t)ares_getsock(
	    lookup->channel, sockets, ARES_GETSOCK_MAXNUM);
	struct timeval most = {
	    .tv_sec = ns / NS_PER_S, .tv_usec = ns % NS_PER_S / NS_PER_US};
	struct timeval next, *timeout;
	nfds_t n = 0;
	int ms;

	for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		short events =
		    (short)((bits >> i & 1 ? POLLIN : 0) |
			    (bits >> (i + ARES_GETSOCK_MAXNUM) & 1 ? POLLOUT
								   : 0));

		if (events)
			polled[n++] =
			    (struct pollfd){.fd = sockets[i], .events = events};
	}
	timeout = ares_timeout(lookup->channel, &most, &next);
	ms = (int)(timeout->tv_sec * 1000 + timeout->tv_usec / 1000 + 1);
	(void)poll(polled, n, ms);
	for (nfds_t i = 0; i < n; i++) {
		short events = polled[i].revents;

		if (events)
			ares_process_fd(lookup->channel,
			    events & ~POLLOUT ? polled[i].fd : ARES_SOCKET_BAD,
			    events & POLLOUT ? polled[i].fd : ARES_SOCKET_BAD);
	}
	ares_process_fd(lookup->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

/* Until something happens, or the time is there. */
static void wait_for(struct fetch_lookup *lookup, int64_t ns)
{
	if (lookup->wire)
		fetch_wire_turn(lookup->wire, ns);
	else
		wait_for_ares(lookup, ns);
}

static void give_up(struct fetch_lookup *lookup)
{
	for (uint32_t i = 0; i < lookup->n; i++) {
		struct question *q = lookup->questions[i];

		if (q->done)
			continue;
		q->answer.wrong = "not waited for any longer";
		finish(q);
	}
}

bool fetch_lookup_run(struct fetch_lookup *lookup, struct mono deadline)
{
	bool any = false, hurried = false;

	lookup->has_addr = false;
	for (uint32_t i = 0; i < lookup->n; i++) {
		if (lookup->questions[i]->asked)
			continue;
		ask(lookup->questions[i]);
		any = true;
	}
	while (lookup->n_open) {
		struct mono now = mono_now();
		int64_t left;

		if (lookup->has_addr && !hurried) {
			struct mono soon = mono_add_ns(now, MOMENT_NS);

			hurried = true;
			if (mono_diff_ns(deadline, soon) > 0)
				deadline = soon;
		}
		left = mono_diff_ns(deadline, now);
		if (left <= 0) {
			give_up(lookup);
			break;
		}
		wait_for(lookup, left);
	}
	return any;
}
