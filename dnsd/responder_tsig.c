/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/responder_part.h"
#include "dnsd/zone_set.h"

/* NULL: we share no key about the zone of the name. */
static const struct tsig_key *key_of(const struct responder *r)
{
	const struct dns_view *view = r->view;
	const struct zone *zone;
	struct dname_key name;

	if (!r->query.name)
		return NULL;
	dname_key_of(&name, r->query.name, r->query.name_size,
	    zone_set_seed(view->zones));
	zone = zone_set_find(view->zones, &name);
	for (uint32_t i = 0; i < view->n_keys; i++)
		if (view->keys[i].zone == zone)
			return view->keys[i].key;
	return NULL;
}

bool responder_tsig_read(struct responder *r)
{
	enum tsig_error error =
	    tsig_verify(&r->tsig, key_of(r), &r->query, r->client->now);

	if (error == TSIG_FORMERR) {
		responder_fail(r, WIRE_FORMERR, EDNS_ERROR_NONE);
		return false;
	}
	r->has_tsig = true;
	/* RFC 8945 section 5.2. */
	if (error != TSIG_NONE) {
		responder_fail(r, WIRE_NOTAUTH, EDNS_ERROR_NONE);
		return false;
	}
	return true;
}

size_t responder_tsig_size(const struct responder *r)
{
	/* Names of key and algorithm, the fields of the record, MAC, and the
	 * time that goes with BADTIME. */
	return dname_size(r->tsig.name) + 10 + dname_size(r->tsig.algorithm) +
	       16 + TSIG_MAC_BYTES + 6;
}
