/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dns_serial.h"

#include "base/hash.h"
#include "dnsd/dname.h"
#include "dnsd/dns_record.h"
#include "dnsd/zone.h"

struct digest {
	uint64_t sum;
};

/* In any order: what is loaded from another file may come in another one. */
static bool add_record(void *context, const struct dns_record *record)
{
	struct digest *digest = context;
	uint8_t owner[DNAME_MAX];
	size_t length = dname_lower(owner, record->owner);
	uint64_t hash = hash_bytes(owner, length, record->type);

	hash = hash_u64(record->ttl, hash);
	digest->sum += hash_bytes(record->rdata, record->length, hash);
	return true;
}

/* Signatures are others each time; what they sign is meant. */
static uint64_t digest_of(const struct zone *zone)
{
	const struct zone *base = zone_base(zone);
	struct digest digest = {0};

	(void)zone_walk(base ? base : zone, add_record, &digest);
	return digest.sum;
}

void dns_serial_check(const struct conf *conf, const struct conf_zone *zone,
    const struct zone *before, const struct zone *now,
    struct conf_errors *errors)
{
	if (!before || before == now || !zone->transfer_to.n ||
	    zone_serial(before) != zone_serial(now) ||
	    digest_of(before) == digest_of(now))
		return;
	conf_errors_add(errors, conf->file, zone->pos, true,
	    "dns.zones.%s: the records have changed and the serial %u has not: "
	    "secondaries keep what they have",
	    zone->name, zone_serial(now));
}
