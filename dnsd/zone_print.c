/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_print.h"

#include "dnsd/dname.h"
#include "dnsd/rdata.h"
#include "dnsd/rr_type.h"

void zone_print_record(struct strbuf *out, const struct dns_record *record)
{
	char owner[DNAME_TEXT_MAX], type[RR_TEXT_MAX];

	strbuf_add(out, owner, dname_to_text(record->owner, owner));
	rr_type_to_text(record->type, type);
	strbuf_addf(out, " %u IN %s ", record->ttl, type);
	rdata_to_text(out, record->type, record->rdata, record->length);
	strbuf_addc(out, '\n');
}
