/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_places.h"

#include "base/assert.h"

#include <stdio.h>
#include <string.h>

#define HTTPS_PORT 443
/* Names that are looked at in all: an answer with many aliases at many names
 * would otherwise be exponential work. */
#define STEPS_MAX 256u

struct finding {
	const struct fetch_wanted *wanted;
	struct fetch_places *places;
	uint32_t *steps;
};

/* What the addresses of a name are found for. */
struct branch {
	uint16_t port;
	uint32_t rank;
	bool http1_only, is_last_resort;
};

static const struct fetch_answer *look(
    const struct finding *f, const uint8_t *name, uint16_t type)
{
	return f->wanted->look(f->wanted->context, name, type);
}

static void remark(
    const struct finding *f, const uint8_t *name, const char *text)
{
	if (f->wanted->remark)
		f->wanted->remark(f->wanted->context, name, text);
}

/* -- addresses --------------------------------------------------------- */

static struct fetch_place *place_of(
    const struct finding *f, const uint8_t *name, const struct branch *branch)
{
	struct fetch_places *places = f->places;
	struct fetch_place *place;

	for (uint32_t i = 0; i < places->n; i++) {
		place = &places->at[i];
		if (place->port == branch->port &&
		    dname_equal(place->name, name))
			return place;
	}
	if (places->n == FETCH_PLACES_MAX)
		return NULL;
	place = &places->at[places->n++];
	memset(place, 0, sizeof *place);
	(void)dname_copy(place->name, name);
	place->port = branch->port;
	place->rank = branch->rank;
	place->http1_only = branch->http1_only;
	place->is_last_resort = branch->is_last_resort;
	return place;
}

static void add_addr(const struct finding *f, const uint8_t *name,
    const struct branch *branch, const struct addr *addr)
{
	struct fetch_place *place = place_of(f, name, branch);
	struct addr with_port = *addr;

	if (!place || place->n == FETCH_ADDRS_MAX)
		return;
	addr_set_port(&with_port, branch->port);
	for (uint32_t i = 0; i < place->n; i++)
		if (addr_equal(&place->addrs[i], &with_port))
			return;
	place->addrs[place->n++] = with_port;
}

/* Addresses of `name`, from an answer that may have more of the way in it
 * than was asked for. Several aliases are that many ways. */
static uint32_t add_addrs(const struct finding *f, const uint8_t *name,
    uint16_t type, struct branch branch, const struct fetch_answer *answer,
    uint32_t depth)
{
	const struct fetch_record *at = NULL;
	uint32_t found = 0;

	if (depth == FETCH_DEPTH_MAX || ++*f->steps > STEPS_MAX) {
		remark(f, name, "too many aliases");
		return 0;
	}
	while ((at = fetch_answer_next(answer, at, name, type))) {
		add_addr(f, name, &branch, &at->addr);
		found++;
	}
	if (found)
		return found;
	while ((at = fetch_answer_next(answer, at, name, RR_CNAME))) {
		found +=
		    add_addrs(f, at->target, type, branch, answer, depth + 1);
		branch.rank++;
	}
	if (found || fetch_answer_next(answer, NULL, name, RR_CNAME))
		return found;
	/* The answer ends at this name. The same answer to the same question
	 * again would lead here again: the depth ends it. */
	answer = look(f, name, type);
	if (!answer || answer->wrong ||
	    (!fetch_answer_next(answer, NULL, name, type) &&
		!fetch_answer_next(answer, NULL, name, RR_CNAME)))
		return 0;
	return add_addrs(f, name, type, branch, answer, depth + 1);
}

static const struct fetch_answer no_answer;

static uint32_t find_addrs(
    const struct finding *f, const uint8_t *name, const struct branch *branch)
{
	uint32_t found = 0;

	/* Both are looked up at once: what is not there is asked for. */
	if (f->wanted->ipv6)
		found += add_addrs(f, name, RR_AAAA, *branch, &no_answer, 0);
	if (f->wanted->ipv4)
		found += add_addrs(f, name, RR_A, *branch, &no_answer, 0);
	return found;
}

/* -- HTTPS records ----------------------------------------------------- */

/* RFC 9460 section 9.1: of other ports than 443 below _port._https. */
static bool https_owner(
    const uint8_t *host, uint16_t port, uint8_t ret[DNAME_MAX])
{
	uint8_t prefix[DNAME_MAX];
	const char *wrong;
	char text[32];
	int length;

	if (port == HTTPS_PORT)
		return dname_copy(ret, host) > 0;
	length = snprintf(text, sizeof text, "_%u._https.", port);
	return !dname_from_text(text, (size_t)length, NULL, prefix, &wrong) &&
	       dname_join(ret, prefix, host) > 0;
}

static bool is_root(const uint8_t *name)
{
	return name[0] == 0;
}

static bool is_usable(
    const struct finding *f, const struct fetch_record *record)
{
	const struct fetch_service *service = &record->service;

	if (service->unusable) {
		remark(f, record->target, service->unusable);
		return false;
	}
	if (f->wanted->http1_only && !service->http1) {
		remark(f, record->target, "it does not speak HTTP/1.1");
		return false;
	}
	return true;
}

/* By priority; RFC 9460 section 2.4.1: equal ones in random order. */
static uint32_t sort_services(const struct finding *f,
    const struct fetch_answer *answer, const uint8_t *owner,
    const struct fetch_record *ret[FETCH_PLACES_MAX])
{
	const struct fetch_record *at = NULL;
	uint32_t n = 0, i;

	while (n < FETCH_PLACES_MAX - 1 &&
	       (at = fetch_answer_next(answer, at, owner, RR_HTTPS))) {
		if (!is_usable(f, at))
			continue;
		i = n++;
		ret[i] = at;
		if (i) { /* a shuffle as it grows (Fisher and Yates) */
			uint32_t j = rng_below(f->wanted->rng, n);

			ret[i] = ret[j];
			ret[j] = at;
		}
	}
	for (i = 1; i < n; i++) {
		at = ret[i];
		uint32_t j = i;

		for (; j && ret[j - 1]->service.priority > at->service.priority;
		     j--)
			ret[j] = ret[j - 1];
		ret[j] = at;
	}
	return n;
}

/* RFC 9460 section 7.3: hints stand in for addresses that are not known. */
static void add_hints(const struct finding *f, const uint8_t *target,
    const struct branch *branch, const struct fetch_service *service)
{
	bool any = false;

	for (uint32_t i = 0; i < service->n_hints; i++) {
		const struct addr *addr = &service->hints[i];
		bool is_ipv6 = addr->sa.sa_family == AF_INET6;

		if (is_ipv6 ? !f->wanted->ipv6 : !f->wanted->ipv4)
			continue;
		add_addr(f, target, branch, addr);
		any = true;
	}
	if (any)
		remark(f, target, "no addresses: the record's hints are taken");
}

static bool find_services(const struct finding *f,
    const struct fetch_answer *answer, const uint8_t *owner)
{
	const struct fetch_record *services[FETCH_PLACES_MAX];
	uint32_t n = sort_services(f, answer, owner, services);
	struct branch branch = {.rank = 0};

	for (uint32_t i = 0; i < n; i++) {
		const struct fetch_service *service = &services[i]->service;
		const uint8_t *target =
		    is_root(services[i]->target) ? owner : services[i]->target;

		if (!i ||
		    service->priority != services[i - 1]->service.priority)
			branch.rank = i + 1;
		branch.port = service->port ? service->port : f->wanted->port;
		branch.http1_only = !service->http2;
		if (!find_addrs(f, target, &branch))
			add_hints(f, target, &branch, service);
	}
	return n > 0;
}

/* RFC 9460 section 2.4.2: with an alias there, the rest does not count. */
static const uint8_t *alias_of(
    const struct fetch_answer *answer, const uint8_t *owner)
{
	const struct fetch_record *at = NULL;

	while ((at = fetch_answer_next(answer, at, owner, RR_HTTPS)))
		if (!at->service.priority)
			return at->target;
	return NULL;
}

void fetch_places_find(
    const struct fetch_wanted *wanted, struct fetch_places *ret)
{
	uint32_t steps = 0;
	struct finding f = {.wanted = wanted, .places = ret, .steps = &steps};
	struct branch branch = {.port = wanted->port, .rank = 1};
	uint8_t asked[DNAME_MAX];
	const uint8_t *host = wanted->host;
	const struct fetch_answer *answer;

	ret->n = 0;
	if (!wanted->https || !https_owner(host, wanted->port, asked)) {
		(void)find_addrs(&f, host, &branch);
		return;
	}
	for (uint32_t depth = 0; depth < FETCH_DEPTH_MAX; depth++) {
		const uint8_t *owner, *target;

		answer = look(&f, asked, RR_HTTPS);
		if (!answer || answer->wrong)
			break;
		owner = fetch_answer_follow(answer, asked);
		target = alias_of(answer, owner);
		if (!target) {
			branch.is_last_resort =
			    find_services(&f, answer, owner);
			break;
		}
		if (is_root(target)) { /* section 2.5.1: not offered */
			remark(&f, owner, "the service is not offered");
			return;
		}
		remark(&f, target, "the HTTPS record is an alias of this");
		host = target;
		(void)dname_copy(asked, target);
	}
	if (branch.is_last_resort)
		branch.rank = FETCH_PLACES_MAX;
	(void)find_addrs(&f, host, &branch);
}
