/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/flow_log.h"

#include "base/assert.h"
#include "base/error.h"
#include "io/sock.h"
#include "lb/listener.h"
#include "lb/side.h"
#include "lb/worker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct flow_log {
	uint32_t mask;
	struct flow_record *records;
	/* One writer each, on lines of their own. */
	uint32_t put __attribute__((aligned(64)));
	uint32_t taken __attribute__((aligned(64)));
};

struct flow_log *flow_log_new(uint32_t records)
{
	struct flow_log *log;

	br_assert(records && (records & (records - 1)) == 0);
	log = aligned_alloc(64, sizeof *log);
	if (!log)
		return NULL;
	memset(log, 0, sizeof *log);
	log->mask = records - 1;
	log->records = calloc(records, sizeof *log->records);
	if (log->records)
		return log;
	free(log);
	return NULL;
}

void flow_log_free(struct flow_log *log)
{
	if (!log)
		return;
	free(log->records);
	free(log);
}

bool flow_log_put(struct flow_log *log, const struct flow_record *record)
{
	uint32_t put = __atomic_load_n(&log->put, __ATOMIC_RELAXED);
	uint32_t taken = __atomic_load_n(&log->taken, __ATOMIC_ACQUIRE);

	if (put - taken > log->mask)
		return false;
	log->records[put & log->mask] = *record;
	__atomic_store_n(&log->put, put + 1, __ATOMIC_RELEASE);
	return true;
}

uint32_t flow_log_count(const struct flow_log *log)
{
	return __atomic_load_n(&log->put, __ATOMIC_ACQUIRE) -
	       __atomic_load_n(&log->taken, __ATOMIC_RELAXED);
}

const struct flow_record *flow_log_peek(const struct flow_log *log)
{
	uint32_t taken = __atomic_load_n(&log->taken, __ATOMIC_RELAXED);
	uint32_t put = __atomic_load_n(&log->put, __ATOMIC_ACQUIRE);

	return put == taken ? NULL : &log->records[taken & log->mask];
}

void flow_log_drop(struct flow_log *log)
{
	uint32_t taken = __atomic_load_n(&log->taken, __ATOMIC_RELAXED);

	__atomic_store_n(&log->taken, taken + 1, __ATOMIC_RELEASE);
}

bool flow_log_take(struct flow_log *log, struct flow_record *ret)
{
	const struct flow_record *next = flow_log_peek(log);

	if (!next)
		return false;
	*ret = *next;
	flow_log_drop(log);
	return true;
}

/* From one moment of the flow to a later one; -1 when it did not come. */
static int64_t flow_phase_ns(struct mono from, struct mono to)
{
	return from.ns && to.ns ? mono_diff_ns(to, from) : -1;
}

/* Where the client wanted to go: not always to an address of ours. */
static void flow_record_wanted(struct flow_client *ret, const struct flow *flow)
{
	struct addr addr;

	if (!flow->listener->transparent)
		return;
	if (flow->side && flow->side->destination.family)
		*ret = flow->side->destination;
	else if (!sock_local(flow->client_fd, &addr))
		flow_client_set(ret, &addr);
}

/* Names come from anybody: what could be mistaken for something else in a log
 * is left out of them. */
static void flow_name_copy(char *ret, size_t max, const char *name)
{
	static const char other[] = "-._:*/";
	size_t n = 0;

	for (; name[n] && n < max; n++) {
		char c = name[n];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || strchr(other, c);

		ret[n] = plain ? c : '?';
	}
	ret[n] = '\0';
}

static void flow_record_side(struct flow_record *ret, const struct flow *flow)
{
	const struct side *side = flow->side;

	ret->routed = flow->listener->n_routes && flow->upstream;
	ret->route = side->route;
	ret->tls_cause = side->tls_cause;
	ret->proxy = side->proxy;
	if (side->client_shaken) {
		struct tls_facts facts;

		tls_session_facts(&side->client, &facts);
		ret->tls = facts.version;
	}
	flow_name_copy(ret->sni, FLOW_RECORD_SNI_MAX, side->name);
	flow_name_copy(ret->alpn, FLOW_RECORD_ALPN_MAX, side->alpn);
}

void flow_record_fill(struct flow_record *ret, const struct flow *flow)
{
	*ret = (struct flow_record){
	    .id = flow->id,
	    .ended_at = wall_now(),
	    .listener = flow->listener,
	    .pool = flow->upstream ? flow->upstream->pool : NULL,
	    .server = flow->last_server,
	    .client = flow->client,
	    .worker = flow->worker->index,
	    .error = flow->error,
	    .end_by = flow->end_by,
	    .end_phase = flow->end_phase,
	    .retries = flow->retries,
	    .n_failed = flow->n_failed,
	    .spliced_up = flow->up.spliced,
	    .spliced_down = flow->down.spliced,
	    .queue_ns = flow_phase_ns(flow->accepted_at, flow->chosen_at),
	    .connect_ns = flow_phase_ns(flow->chosen_at, flow->connected_at),
	    .first_byte_ns =
		flow_phase_ns(flow->connected_at, flow->first_byte_at),
	    .total_ns =
		mono_diff_ns(worker_now(flow->worker), flow->accepted_at),
	    .bytes_up = flow->up.bytes,
	    .bytes_down = flow->down.bytes,
	};
	memcpy(ret->failed, flow->tried, sizeof ret->failed);
	flow_record_wanted(&ret->wanted, flow);
	if (flow->side)
		flow_record_side(ret, flow);
}

int flow_client_format(const struct flow_client *client, char *ret, int room)
{
	char ip[INET6_ADDRSTRLEN];
	bool six = client->family == AF_INET6;

	if (client->family == AF_UNIX)
		return snprintf(ret, (size_t)room, "unix");
	if (client->family != AF_INET && !six)
		return snprintf(ret, (size_t)room, "-");
	if (!inet_ntop(client->family, client->ip, ip, sizeof ip))
		return snprintf(ret, (size_t)room, "-");
	return snprintf(
	    ret, (size_t)room, six ? "[%s]:%u" : "%s:%u", ip, client->port);
}

/* Milliseconds with three decimals, "-" when the phase was not reached. */
static void flow_time_format(int64_t ns, char ret[24])
{
	if (ns < 0)
		snprintf(ret, 24, "-");
	else
		snprintf(ret, 24, "%.3f", (double)ns / 1e6);
}

static const char *flow_path_text(const struct flow_record *record)
{
	if (record->spliced_up && record->spliced_down)
		return "splice";
	if (record->spliced_up)
		return "splice-up";
	return record->spliced_down ? "splice-down" : "relay";
}

/* Braid's own deadlines have one errno between them: which it was is in the
 * termination code. A small letter is never the kernel's timeout. */
static const char *flow_cause_text(const struct flow_record *record)
{
	if (record->error == BR_E_TLS && record->tls_cause)
		return tls_cause_text(record->tls_cause);
	if (record->error != -ETIMEDOUT)
		return br_strerror(record->error);
	if (record->end_phase == 'P')
		return "no whole PROXY header within timeout.first_bytes";
	if (record->end_phase == 'F')
		return "no whole TLS ClientHello within timeout.first_bytes";
	if (record->end_phase == 'T')
		return "the TLS handshake took longer than timeout.handshake";
	if (record->end_phase == 'Q')
		return "no free connection slot within queue.timeout";
	if (record->end_phase == 'C')
		return "the server did not accept within connect.timeout";
	if (record->end_by == 'c')
		return "silence beyond timeout.idle or half_closed, the "
		       "client's turn";
	if (record->end_by == 's')
		return "silence beyond timeout.idle or half_closed, the "
		       "server's turn";
	return "the connection's other end is gone: nothing acknowledged";
}

/* Which servers refused or did not answer before the one in server=. */
static int flow_failed_format(
    const struct flow_record *record, char *ret, int room)
{
	int n = 0;

	for (uint32_t i = 0; i < record->n_failed && n < room; i++) {
		const struct server *server =
		    &record->pool->servers[record->failed[i]];

		n += snprintf(ret + n, (size_t)(room - n), "%s%s",
		    i ? "," : " tried=", server->name);
	}
	return n;
}

/* What only some flows have. */
static int flow_side_format(
    const struct flow_record *record, char *ret, int room)
{
	char proxy[64];
	int n = 0;

	if (record->proxy.family) {
		flow_client_format(&record->proxy, proxy, sizeof proxy);
		n += snprintf(ret + n, (size_t)(room - n), " proxy=%s", proxy);
	}
	if (record->tls && n < room)
		n += snprintf(
		    ret + n, (size_t)(room - n), " tls=%s", record->tls);
	if (record->sni[0] && n < room)
		n += snprintf(
		    ret + n, (size_t)(room - n), " sni=%s", record->sni);
	if (record->alpn[0] && n < room)
		n += snprintf(
		    ret + n, (size_t)(room - n), " alpn=%s", record->alpn);
	if (!record->routed || n >= room)
		return n;
	if (record->route < record->listener->n_routes)
		n += snprintf(ret + n, (size_t)(room - n), " route=%u",
		    record->route + 1);
	else
		n += snprintf(ret + n, (size_t)(room - n), " route=default");
	return n;
}

/* With whom TLS failed is in the termination code. */
static const char *flow_tls_peer(const struct flow_record *record)
{
	if (record->error != BR_E_TLS || !record->tls_cause)
		return "";
	return record->end_phase == 'C' || record->end_by == 'S'
		   ? "TLS with the server: "
		   : "TLS with the client: ";
}

int flow_record_format(const struct flow_record *record, char *ret, int room)
{
	char client[64], queue[24], connect[24], first[24], total[24];
	int n;

	flow_client_format(&record->client, client, sizeof client);
	flow_time_format(record->queue_ns, queue);
	flow_time_format(record->connect_ns, connect);
	flow_time_format(record->first_byte_ns, first);
	flow_time_format(record->total_ns, total);
	n = snprintf(ret, (size_t)room,
	    "id=%llu listener=%s client=%s pool=%s server=%s address=%s "
	    "end=%c%c retries=%u path=%s queue_ms=%s connect_ms=%s "
	    "first_byte_ms=%s total_ms=%s bytes_in=%llu bytes_out=%llu "
	    "worker=%u",
	    (unsigned long long)record->id, record->listener->name, client,
	    record->pool ? record->pool->name : "-",
	    record->server ? record->server->name : "-",
	    record->server ? record->server->addr_text : "-", record->end_by,
	    record->end_phase, record->retries, flow_path_text(record), queue,
	    connect, first, total, (unsigned long long)record->bytes_up,
	    (unsigned long long)record->bytes_down, record->worker);
	if (record->wanted.family && n < room) {
		flow_client_format(&record->wanted, client, sizeof client);
		n += snprintf(ret + n, (size_t)(room - n), " to=%s", client);
	}
	if (n < room)
		n += flow_failed_format(record, ret + n, room - n);
	if (n < room)
		n += flow_side_format(record, ret + n, room - n);
	if (record->error && n < room)
		n += snprintf(ret + n, (size_t)(room - n), " error=\"%s%s\"",
		    flow_tls_peer(record), flow_cause_text(record));
	return n < room ? n : room - 1;
}
