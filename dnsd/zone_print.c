/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_print.h"

#include "dnsd/dname.h"
#include "dnsd/rdata.h"
#include "dnsd/rr_type.h"
#include "dnsd/zone.h"

void zone_print_record(struct strbuf *out, const struct dns_record *record)
{
	char owner[DNAME_TEXT_MAX], type[RR_TEXT_MAX];

	strbuf_add(out, owner, dname_to_text(record->owner, owner));
	rr_type_to_text(record->type, type);
	strbuf_addf(out, " %u IN %s ", record->ttl, type);
	rdata_to_text(out, record->type, record->rdata, record->length);
	strbuf_addc(out, '\n');
}

struct printer {
	struct strbuf line;
	bool (*on_line)(void *context, const char *line, size_t length);
	void *context;
};

static bool on_record(void *context, const struct dns_record *record)
{
	struct printer *printer = context;

	strbuf_clear(&printer->line);
	zone_print_record(&printer->line, record);
	return printer->on_line(
	    printer->context, printer->line.text, printer->line.length);
}

bool zone_print(const struct zone *zone,
    bool (*on_line)(void *context, const char *line, size_t length),
    void *context)
{
	struct printer printer = {.on_line = on_line, .context = context};
	bool whole;

	strbuf_init(&printer.line);
	whole = zone_walk(zone, on_record, &printer);
	strbuf_fini(&printer.line);
	return whole;
}
