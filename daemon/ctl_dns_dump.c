/* SPDX-License-Identifier: Apache-2.0 */
/* `dns dump ZONE`: its records, as it is served. */
#include "daemon/ctl_command.h"

#include <stdlib.h>

#include "base/assert.h"
#include "dnsd/resource.h"
#include "dnsd/zone.h"
#include "dnsd/zone_print.h"

/* Below what braidctl takes as one answer. */
#define DUMP_BYTES_MAX (128u << 20)

struct dump {
	struct zone *zone; /* held: a reload may come between */
	uint32_t node;
	struct strbuf line;
	struct json *json;
};

static void end(struct ctl_call *call)
{
	struct dump *dump = call->state;

	zone_unref(dump->zone);
	strbuf_fini(&dump->line);
	free(dump);
	call->state = NULL;
}

static void put_line(struct dump *dump)
{
	/* Without the line feed. */
	json_string_n(
	    dump->json, NULL, strbuf_text(&dump->line), dump->line.length - 1);
	strbuf_clear(&dump->line);
}

static bool on_record(void *context, const struct dns_record *record)
{
	struct dump *dump = context;

	zone_print_record(&dump->line, record);
	put_line(dump);
	return true;
}

static void step(struct ctl_call *call)
{
	struct dump *dump = call->state;
	uint32_t n = zone_n_nodes(dump->zone);

	for (uint32_t i = 0; i < CTL_STEP_ROWS && dump->node < n; i++)
		(void)zone_walk_node(dump->zone,
		    zone_node_at(dump->zone, dump->node++), on_record, dump);
	if (call->text.length > DUMP_BYTES_MAX) {
		end(call);
		ctl_fail(call, CTL_FAILED,
		    "the zone is too large to be printed: its records are "
		    "more than %u MiB",
		    DUMP_BYTES_MAX >> 20);
		return;
	}
	if (dump->node < n) {
		ctl_continue(call, step);
		return;
	}
	end(call);
	json_array_end(&call->json);
	ctl_end(call);
}

/* What answers for them is not among the records. */
static void put_resources(struct ctl_call *call, const struct conf_zone *conf)
{
	json_array_begin(&call->json, "resources");
	for (uint32_t i = 0; i < conf->n_resources; i++)
		json_string(&call->json, NULL, conf->resources[i].name);
	json_array_end(&call->json);
}

void ctl_dns_dump(struct ctl_call *call)
{
	const struct plan *plan = control_plan(call->control);
	char apex[DNAME_TEXT_MAX];
	const struct zone *zone;
	struct dump *dump;
	uint32_t number;

	zone = ctl_find_zone(call, &number);
	if (!zone)
		return;
	dump = calloc(1, sizeof *dump);
	if (!dump)
		br_out_of_memory("DNS", sizeof *dump);
	/* Counted by whoever holds it. */
	dump->zone = zone_ref((struct zone *)(uintptr_t)zone);
	dump->json = &call->json;
	strbuf_init(&dump->line);
	call->state = dump;
	call->on_abandon = end;
	ctl_begin(call);
	(void)dname_to_text(zone_apex(zone), apex);
	json_string(&call->json, "zone", apex);
	json_uint(&call->json, "serial", zone_serial(zone));
	put_resources(call, &plan->conf->dns.zones[number]);
	json_array_begin(&call->json, "records");
	step(call);
}
