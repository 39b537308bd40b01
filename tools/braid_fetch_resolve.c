/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_resolve.h"

#include "tools/braid_fetch_lookup.h"
#include "tools/braid_fetch_prefer.h"

#include <string.h>

#define DNS_PORT 53
/* A target of an alias of an alias ..., each with HTTPS records. */
#define ROUNDS_MAX 16

struct resolving {
	const struct fetch_options *options;
	const struct fetch_say *say;
	struct mono deadline;
	struct fetch_lookup *general; /* the system's, or --dns */
	struct fetch_lookup *direct; /* the zone's own; or NULL */
};

/* -- the servers of the zone ------------------------------------------- */

static const struct fetch_answer *ask(
    struct resolving *r, const uint8_t *name, uint16_t type)
{
	const struct fetch_answer *answer =
	    fetch_lookup_find(r->general, name, type);

	if (!answer && fetch_lookup_run(r->general, r->deadline))
		answer = fetch_lookup_find(r->general, name, type);
	return answer;
}

/* The apex of the zone that `name` is in; NULL: nobody knows. */
static const uint8_t *find_zone(struct resolving *r, const uint8_t *name,
    const struct fetch_answer **ret_answer)
{
	for (uint32_t labels = dname_labels(name); labels > 0; labels--) {
		const uint8_t *apex = dname_ancestor(name, labels);
		const struct fetch_answer *answer = ask(r, apex, RR_NS);

		if (!answer || answer->wrong)
			continue;
		if (fetch_answer_next(answer, NULL, apex, RR_NS)) {
			*ret_answer = answer;
			return apex;
		}
	}
	return NULL;
}

static uint32_t add_server(struct resolving *r, const uint8_t *name,
    uint16_t type, uint32_t n, struct addr ret[FETCH_SERVERS_MAX])
{
	const struct fetch_answer *answer = ask(r, name, type);
	const struct fetch_record *at = NULL;

	if (!answer || answer->wrong)
		return n;
	while (n < FETCH_SERVERS_MAX &&
	       (at = fetch_answer_next(answer, at, name, type))) {
		ret[n] = at->addr;
		addr_set_port(&ret[n++], DNS_PORT);
	}
	return n;
}

static uint32_t find_servers(struct resolving *r, const uint8_t *host,
    struct addr ret[FETCH_SERVERS_MAX])
{
	const struct fetch_answer *answer;
	const uint8_t *apex = find_zone(r, host, &answer);
	const struct fetch_record *at = NULL;
	uint32_t n = 0;

	if (!apex)
		return 0;
	while ((at = fetch_answer_next(answer, at, apex, RR_NS))) {
		n = add_server(r, at->target, RR_A, n, ret);
		if (!n)
			n = add_server(r, at->target, RR_AAAA, n, ret);
	}
	for (uint32_t i = 0; i < n; i++)
		fetch_say(r->say, "zone", apex, &ret[i], "is asked directly");
	return n;
}

static bool go_direct(struct resolving *r, const uint8_t *host)
{
	struct addr servers[FETCH_SERVERS_MAX] = {r->options->dns};
	uint32_t n = 1;

	if (!r->options->literal)
		return true;
	if (!servers[0].length)
		n = find_servers(r, host, servers);
	if (n)
		r->direct = fetch_lookup_new(servers, n, true, r->say);
	return n > 0;
}

/* -- places ------------------------------------------------------------ */

/* What the zone's servers do not answer, such as targets elsewhere, is asked
 * of the others. */
static const struct fetch_answer *look(
    void *context, const uint8_t *name, uint16_t type)
{
	struct resolving *r = context;
	const struct fetch_answer *answer;

	if (r->direct) {
		answer = fetch_lookup_find(r->direct, name, type);
		if (!answer ||
		    (!answer->wrong && (answer->authoritative || answer->n)))
			return answer;
	}
	return fetch_lookup_find(r->general, name, type);
}

static void remark(void *context, const uint8_t *name, const char *text)
{
	const struct resolving *r = context;

	fetch_say(r->say, "resolve", name, NULL, "%s", text);
}

static void say_places(
    const struct resolving *r, const struct fetch_places *places)
{
	for (uint32_t i = 0; i < places->n; i++) {
		const struct fetch_place *place = &places->at[i];

		fetch_say(r->say, "place", place->name, NULL,
		    "rank %u, port %u, %u address%s%s", place->rank,
		    place->port, place->n, place->n == 1 ? "" : "es",
		    place->is_last_resort ? ", last resort" : "");
	}
}

static void find_places(
    struct resolving *r, struct fetch_wanted *wanted, struct fetch_places *ret)
{
	for (int round = 0; round < ROUNDS_MAX; round++) {
		bool asked = false;

		fetch_places_find(wanted, ret);
		if (r->direct)
			asked = fetch_lookup_run(r->direct, r->deadline);
		if (!fetch_lookup_run(r->general, r->deadline) && !asked)
			break;
	}
	wanted->remark = remark;
	fetch_places_find(wanted, ret);
	for (uint32_t i = 0; i < ret->n; i++)
		fetch_prefer_sort(&ret->at[i], fetch_prefer_source, NULL);
	say_places(r, ret);
}

/* An address in the place of a name: there is nothing to ask. */
static bool take_address(const struct fetch_origin *origin,
    const struct fetch_wanted *wanted, struct fetch_places *ret)
{
	struct fetch_place *place = &ret->at[0];
	struct addr addr;

	if (addr_parse_ip(&addr, origin->host))
		return false;
	addr_set_port(&addr, origin->port);
	memset(place, 0, sizeof *place);
	place->port = origin->port;
	place->rank = 1;
	place->addrs[0] = addr;
	place->n = 1;
	ret->n = addr.sa.sa_family == AF_INET ? wanted->ipv4 : wanted->ipv6;
	return true;
}

static int no_places(const struct resolving *r, const char *host)
{
	if (mono_diff_ns(r->deadline, mono_now()) <= 0)
		return fetch_say_error(r->say, FETCH_TIMEOUT,
		    "%s: the DNS did not answer in time", host);
	return fetch_say_error(
	    r->say, FETCH_RESOLVE, "%s: no address found", host);
}

static int resolve(struct resolving *r, const struct fetch_origin *origin,
    struct fetch_wanted *wanted, struct fetch_places *ret)
{
	const struct addr *dns = &r->options->dns;

	r->general = fetch_lookup_new(dns, dns->length > 0, false, r->say);
	if (!go_direct(r, wanted->host))
		return fetch_say_error(r->say, FETCH_RESOLVE,
		    "%s: the servers of its zone are not found", origin->host);
	find_places(r, wanted, ret);
	return ret->n ? FETCH_OK : no_places(r, origin->host);
}

int fetch_resolve(const struct fetch_options *options,
    const struct fetch_say *say, const struct fetch_origin *origin,
    struct mono deadline, struct rng *rng, struct fetch_places *ret)
{
	struct resolving r = {
	    .options = options, .say = say, .deadline = deadline};
	uint8_t host[DNAME_MAX];
	struct fetch_wanted wanted = {.host = host,
	    .port = origin->port,
	    .https = origin->https,
	    .http1_only = options->http1_only,
	    .ipv4 = options->ipv4,
	    .ipv6 = options->ipv6,
	    .look = look,
	    .context = &r,
	    .rng = rng};
	const char *wrong;
	int code;

	ret->n = 0;
	if (take_address(origin, &wanted, ret))
		return ret->n ? FETCH_OK : no_places(&r, origin->host);
	if (dname_from_text(
		origin->host, strlen(origin->host), NULL, host, &wrong))
		return fetch_say_error(
		    say, FETCH_URL, "%s: the name %s", origin->host, wrong);
	code = resolve(&r, origin, &wanted, ret);
	fetch_lookup_free(r.direct);
	fetch_lookup_free(r.general);
	return code;
}
