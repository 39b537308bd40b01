/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/flow_line.h"

#include "base/decimal.h"
#include "base/error.h"
#include "base/log_line.h"
#include "lb/flow_log.h"
#include "lb/listener.h"
#include "lb/proxy_proto.h"
#include "profiler/client_hello.h"
#include "profiler/profile.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static size_t flow_word(const char *word, char ret[FLOW_CLIENT_TEXT_MAX])
{
	size_t n = strlen(word);

	memcpy(ret, word, n + 1);
	return n;
}

size_t flow_client_format(
    const struct flow_client *client, char ret[FLOW_CLIENT_TEXT_MAX])
{
	size_t n;

	switch (client->family) {
	case AF_INET:
		n = decimal_ipv4(client->ip, ret);
		break;
	case AF_INET6:
		ret[0] = '[';
		if (!inet_ntop(AF_INET6, client->ip, ret + 1, INET6_ADDRSTRLEN))
			return flow_word("-", ret);
		n = 1 + strlen(ret + 1);
		ret[n++] = ']';
		break;
	case AF_UNIX:
		return flow_word("unix", ret);
	default:
		return flow_word("-", ret);
	}
	ret[n++] = ':';
	n += decimal_format(client->port, ret + n);
	ret[n] = '\0';
	return n;
}

static void flow_line_client(
    struct log_line *line, const char *key, const struct flow_client *client)
{
	char text[FLOW_CLIENT_TEXT_MAX];
	size_t n = flow_client_format(client, text);

	log_line_text_n(line, key, text, n);
}

static const char *flow_path_text(const struct flow_record *record)
{
	if (record->shards)
		return "shard";
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
	if (record->error == BR_E_TLS && record->cause)
		return tls_cause_text(record->cause);
	if (record->error == BR_E_PROXY_HEADER && record->cause)
		return proxy_cause_text(record->cause);
	if (record->error == BR_E_CLIENT_HELLO && record->cause)
		return client_hello_cause_text(record->cause);
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
static void flow_line_failed(
    struct log_line *line, const struct flow_record *record)
{
	char text[LOG_LINE_MAX];
	size_t n = 0;

	if (!record->n_failed)
		return;
	for (uint32_t i = 0; i < record->n_failed && n < sizeof text; i++) {
		const struct server *server =
		    &record->pool->servers[record->failed[i]];

		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s",
		    i ? "," : "", server->name);
	}
	log_line_text(line, "tried", text);
}

/* The verdict, where it was made, how sure it is in percent, and what it was
 * before. */
static void flow_line_profile(
    struct log_line *line, const struct flow_record *record)
{
	log_line_text(
	    line, "class", flow_class_name((enum flow_class)record->class));
	log_line_text(line, "class_at",
	    profile_origin_name(
		record->pinned, (enum profile_checkpoint)record->checkpoint));
	log_line_number(line, "sure", record->confidence / 100u);
	if (record->first_class != record->class)
		log_line_text(line, "class_first",
		    flow_class_name((enum flow_class)record->first_class));
}

static void flow_line_request(
    struct log_line *line, const struct flow_record *record)
{
	log_line_number(line, "request", record->request);
	log_line_text(line, "method", record->method);
	log_line_text(line, "target", record->target);
	if (record->status)
		log_line_number(line, "status", record->status);
	else
		log_line_text(line, "status", "-");
	if (record->bar)
		log_line_text(line, "unsplit",
		    shard_bar_name((enum shard_bar)record->bar));
	if (!record->shards)
		return;
	log_line_number(line, "shards", record->shards);
	log_line_number(line, "pieces", record->pieces);
	log_line_number(line, "migrations", record->migrations);
}

/* What only some flows have. */
static void flow_line_side(
    struct log_line *line, const struct flow_record *record)
{
	if (record->proxy.family)
		flow_line_client(line, "proxy", &record->proxy);
	if (record->tls)
		log_line_text(line, "tls", record->tls);
	if (record->sni[0])
		log_line_text(line, "sni", record->sni);
	if (record->alpn[0])
		log_line_text(line, "alpn", record->alpn);
	if (!record->routed)
		return;
	if (record->route < record->listener->n_routes)
		log_line_number(line, "route", record->route + 1);
	else
		log_line_text(line, "route", "default");
}

/* What the cause is about. With whom TLS failed is in the termination code. */
static const char *flow_cause_prefix(const struct flow_record *record)
{
	if (!record->cause)
		return "";
	if (record->error == BR_E_PROXY_HEADER)
		return "PROXY header: ";
	if (record->error == BR_E_CLIENT_HELLO)
		return "TLS ClientHello: ";
	if (record->error != BR_E_TLS)
		return "";
	return record->end_phase == 'C' || record->end_by == 'S'
		   ? "TLS with the server: "
		   : "TLS with the client: ";
}

static void flow_line_error(
    struct log_line *line, const struct flow_record *record)
{
	const char *cause = flow_cause_text(record);
	const char *prefix = flow_cause_prefix(record);
	char text[LOG_LINE_MAX];

	if (*prefix) {
		(void)snprintf(text, sizeof text, "%s%s", prefix, cause);
		cause = text;
	}
	log_line_text(line, "error", cause);
}

static void flow_line_times(
    struct log_line *line, const struct flow_record *record)
{
	log_line_ms(line, "queue_ms", record->queue_ns);
	log_line_ms(line, "connect_ms", record->connect_ns);
	log_line_ms(line, "first_byte_ms", record->first_byte_ns);
	log_line_ms(line, "total_ms", record->total_ns);
}

int flow_line_compose(const struct flow_record *record, char *ret, int room)
{
	const struct server *server = record->server;
	const char end[2] = {record->end_by, record->end_phase};
	struct log_line line;

	log_line_begin(&line, ret, room, record->ended_at, "info", "flow");
	log_line_number(&line, "id", record->id);
	log_line_text(&line, "listener", record->listener->name);
	flow_line_client(&line, "client", &record->client);
	log_line_text(&line, "pool", record->pool ? record->pool->name : "-");
	log_line_text(&line, "server", server ? server->name : "-");
	log_line_text(&line, "address", server ? server->addr_text : "-");
	log_line_text_n(&line, "end", end, sizeof end);
	log_line_number(&line, "retries", record->retries);
	log_line_text(&line, "path", flow_path_text(record));
	flow_line_times(&line, record);
	log_line_number(&line, "bytes_in", record->bytes_up);
	log_line_number(&line, "bytes_out", record->bytes_down);
	log_line_number(&line, "worker", record->worker);
	if (record->request)
		flow_line_request(&line, record);
	if (record->profiled)
		flow_line_profile(&line, record);
	if (record->wanted.family)
		flow_line_client(&line, "to", &record->wanted);
	flow_line_failed(&line, record);
	flow_line_side(&line, record);
	if (record->error)
		flow_line_error(&line, record);
	return log_line_end(&line);
}
