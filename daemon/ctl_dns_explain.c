/* SPDX-License-Identifier: Apache-2.0 */
/* `dns explain`: the answer that a client would get now, and why. */
#include "daemon/ctl_command.h"

#include <netinet/in.h>
#include <string.h>

#include "base/assert.h"
#include "daemon/dns_views.h"
#include "dnsd/dns_metrics.h"
#include "dnsd/edns.h"
#include "dnsd/explain.h"
#include "dnsd/responder.h"
#include "dnsd/rr_type.h"
#include "dnsd/wire_records.h"
#include "dnsd/zone.h"
#include "dnsd/zone_print.h"

/* A header, a name, an OPT with a subnet. */
#define QUERY_MAX 512u

struct asked {
	uint8_t name[DNAME_MAX];
	uint16_t type;
	bool has_subnet;
	struct prefix subnet;
	struct dns_client client;
	struct query_facts facts;
	uint8_t query[QUERY_MAX];
	size_t query_length, length;
	uint8_t answer[WIRE_MESSAGE_MAX];
};

/* -- arguments --------------------------------------------------------- */

static bool read_type(struct ctl_call *call, const char *text, uint16_t *ret)
{
	if (rr_type_from_text(text, strlen(text), ret))
		return true;
	ctl_fail(call, CTL_USAGE, "\"%s\" is no type of records", text);
	return false;
}

/* An address asks itself; a prefix is what a resolver says of its client. */
static bool read_from(
    struct ctl_call *call, const char *text, struct asked *ret)
{
	int err;

	if (strchr(text, '/')) {
		err = prefix_parse(&ret->subnet, text);
		ret->has_subnet = true;
	} else {
		err = addr_parse_ip(&ret->client.source, text);
	}
	if (!err)
		return true;
	ctl_fail(call, CTL_USAGE,
	    "--from: \"%s\" is neither an address nor a prefix", text);
	return false;
}

static bool read_name(
    struct ctl_call *call, const char *text, struct asked *ret)
{
	const char *wrong;

	if (!dname_from_text(text, strlen(text), NULL, ret->name, &wrong))
		return true;
	ctl_fail(call, CTL_USAGE, "the name \"%s\" %s", text, wrong);
	return false;
}

/* NAME [TYPE] [--from ADDR|PREFIX] behind "explain". */
static bool read_arguments(struct ctl_call *call, struct asked *ret)
{
	uint32_t n = call->request.n_arguments;

	ret->type = RR_A;
	ret->client =
	    (struct dns_client){.transport = DNS_TCP, .now = wall_now()};
	br_assert(!addr_parse_ip(&ret->client.source, "127.0.0.1"));
	if (!read_name(call, ctl_argument(call, 1), ret))
		return false;
	for (uint32_t i = 2; i < n; i++) {
		const char *text = ctl_argument(call, i);

		if (strcmp(text, "--from") != 0) {
			if (i != 2) {
				ctl_usage(call);
				return false;
			}
			if (!read_type(call, text, &ret->type))
				return false;
			continue;
		}
		if (++i == n || i + 1 != n) {
			ctl_usage(call);
			return false;
		}
		if (!read_from(call, ctl_argument(call, i), ret))
			return false;
	}
	return true;
}

/* -- the question ------------------------------------------------------ */

/* RFC 7871 section 6. */
static bool put_subnet(struct cursor_out *out, const struct prefix *subnet)
{
	size_t bytes = (subnet->bits + 7u) / 8;

	return cursor_put_be16(out, EDNS_SUBNET) &&
	       cursor_put_be16(out, (uint16_t)(4 + bytes)) &&
	       cursor_put_be16(out, subnet->family == AF_INET ? 1 : 2) &&
	       cursor_put_u8(out, subnet->bits) && cursor_put_u8(out, 0) &&
	       cursor_put(out, subnet->bytes, bytes);
}

static void make_query(struct asked *asked)
{
	struct cursor_out out = cursor_out_of(asked->query, QUERY_MAX);
	size_t option =
	    asked->has_subnet ? 8u + (asked->subnet.bits + 7u) / 8 : 0;
	static const uint16_t head[] = {0, 0, 1, 0, 0, 1};
	bool ok = true;

	for (size_t i = 0; i < BR_COUNT(head); i++)
		ok &= cursor_put_be16(&out, head[i]);
	ok &= cursor_put(&out, asked->name, dname_size(asked->name)) &&
	      cursor_put_be16(&out, asked->type) &&
	      cursor_put_be16(&out, RR_CLASS_IN) && cursor_put_u8(&out, 0) &&
	      cursor_put_be16(&out, EDNS_TYPE) &&
	      cursor_put_be16(&out, EDNS_UDP_BYTES) &&
	      cursor_put_be32(&out, 0) &&
	      cursor_put_be16(&out, (uint16_t)option);
	if (asked->has_subnet)
		ok &= put_subnet(&out, &asked->subnet);
	br_assert(ok);
	asked->query_length = cursor_out_length(&out);
}

/* -- the answer -------------------------------------------------------- */

static const char *const section_names[] = {
    [WIRE_ANSWER] = "answer",
    [WIRE_AUTHORITY] = "authority",
    [WIRE_ADDITIONAL] = "additional",
};

struct section {
	struct json *json;
	enum wire_section at;
	struct strbuf line;
};

static void on_record(
    void *context, enum wire_section at, const struct dns_record *record)
{
	struct section *s = context;

	if (at != s->at)
		return;
	strbuf_clear(&s->line);
	zone_print_record(&s->line, record);
	/* Without the line feed. */
	json_string_n(s->json, NULL, strbuf_text(&s->line), s->line.length - 1);
}

static void put_sections(struct json *j, const struct asked *asked)
{
	struct section s = {.json = j};
	int err;

	strbuf_init(&s.line);
	for (s.at = WIRE_ANSWER; s.at <= WIRE_ADDITIONAL; s.at++) {
		json_array_begin(j, section_names[s.at]);
		err = wire_records_read(
		    asked->answer, asked->length, on_record, &s);
		/* What we write ourselves can be read. */
		br_assert(!err);
		json_array_end(j);
	}
	strbuf_fini(&s.line);
}

static const char *rcode_text(uint16_t rcode)
{
	switch (rcode) {
#define X(name, number)                                                        \
	case number:                                                           \
		return #name;
		DNS_RCODE_LIST(X)
#undef X
	default:
		return "other";
	}
}

/* What the resource decided, if one did. */
static void put_decision(struct ctl_call *call, const struct asked *asked,
    const struct dns_view *view)
{
	static struct explain explain;
	struct resource_client client = {.source = &asked->client.source};
	struct json *j = &call->json;
	struct strbuf text;

	if (!asked->facts.resource) {
		json_null(j, "decision");
		json_string(j, "text", "");
		return;
	}
	if (asked->has_subnet && view->ecs)
		client.subnet = &asked->subnet;
	explain_make(&explain, asked->facts.resource, view->policy,
	    view->regions, control_plan(call->control)->conf, &client,
	    asked->client.now);
	explain_json(&explain, j, "decision");
	strbuf_init(&text);
	explain_text(&explain, &text);
	json_string(j, "text", strbuf_text(&text));
	strbuf_fini(&text);
}

static void put(struct ctl_call *call, const struct asked *asked,
    const struct dns_view *view)
{
	char name[DNAME_TEXT_MAX], type[RR_TEXT_MAX];
	struct json *j = &call->json;

	(void)dname_to_text(asked->name, name);
	(void)rr_type_to_text(asked->type, type);
	json_string(j, "name", name);
	json_string(j, "type", type);
	if (asked->facts.zone) {
		(void)dname_to_text(zone_apex(asked->facts.zone), name);
		json_string(j, "zone", name);
	} else {
		json_null(j, "zone");
	}
	json_string(j, "rcode", rcode_text(asked->facts.rcode));
	json_string(j, "kind", dns_kind_name(asked->facts.kind));
	json_bool(j, "wildcard", asked->facts.wildcard);
	json_bool(j, "subnet_used", asked->has_subnet && view->ecs);
	put_decision(call, asked, view);
	put_sections(j, asked);
}

void ctl_dns_explain(struct ctl_call *call)
{
	const struct dns_published *now =
	    snapshot_current(control_daemon(call->control)->dns);
	static struct asked asked;

	memset(&asked, 0, sizeof asked);
	if (!read_arguments(call, &asked))
		return;
	make_query(&asked);
	asked.length = responder_answer(&now->view, &asked.client, asked.query,
	    asked.query_length, asked.answer, sizeof asked.answer,
	    &asked.facts);
	if (!asked.length) {
		ctl_fail(call, CTL_USAGE, "a transfer is not explained");
		return;
	}
	ctl_begin(call);
	put(call, &asked, &now->view);
	ctl_end(call);
}
