/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_prefer.h"

#include "base/assert.h"
#include "base/prefix.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* RFC 6724 section 3.1, by the numbers of multicast scopes (RFC 4291). */
enum scope {
	SCOPE_LINK = 2,
	SCOPE_SITE = 5,
	SCOPE_GLOBAL = 14,
};

/* RFC 6724 section 2.1; the longest prefix counts. IPv4 addresses are looked
 * up as mapped ones. */
static const struct policy {
	uint8_t bytes[16], bits, precedence, label;
} policies[] = {
    {{[15] = 1}, 128, 50, 0}, /* ::1 */
    {{[10] = 0xff, [11] = 0xff}, 96, 35, 4}, /* ::ffff:0:0 */
    {{0}, 96, 1, 3}, /* ::, of old IPv4-compatible ones */
    {{0x20, 0x01}, 32, 5, 5}, /* Teredo */
    {{0x20, 0x02}, 16, 30, 2}, /* 6to4 */
    {{0x3f, 0xfe}, 16, 1, 12}, /* 6bone */
    {{0xfe, 0xc0}, 10, 1, 11}, /* site-local */
    {{0xfc}, 7, 3, 13}, /* unique local */
    {{0}, 0, 40, 1}, /* all others */
};

/* What one address is judged by. */
struct merit {
	struct addr addr;
	bool usable, same_scope, same_label;
	uint8_t precedence, scope;
};

static struct prefix as_ipv6(const struct addr *addr)
{
	struct prefix p, mapped = {.family = AF_INET6, .bits = 128};

	br_assert(prefix_of_addr(&p, addr));
	if (p.family == AF_INET6)
		return p;
	mapped.bytes[10] = mapped.bytes[11] = 0xff;
	memcpy(mapped.bytes + 12, p.bytes, 4);
	return mapped;
}

static const struct policy *policy_of(const struct prefix *addr)
{
	for (size_t i = 0;; i++) {
		struct prefix outer = {
		    .family = AF_INET6, .bits = policies[i].bits};

		memcpy(outer.bytes, policies[i].bytes, sizeof outer.bytes);
		if (prefix_covers(&outer, addr))
			return &policies[i];
	}
}

/* RFC 6724 section 3.2: private IPv4 addresses are of global scope. */
static uint8_t scope_of(const struct addr *addr)
{
	struct prefix p;

	br_assert(prefix_of_addr(&p, addr));
	if (p.family == AF_INET)
		return p.bytes[0] == 127 ||
			       (p.bytes[0] == 169 && p.bytes[1] == 254)
			   ? SCOPE_LINK
			   : SCOPE_GLOBAL;
	if (p.bytes[0] == 0xff)
		return p.bytes[1] & 15;
	if (p.bytes[0] == 0xfe && (p.bytes[1] & 0xc0) == 0x80)
		return SCOPE_LINK;
	if (p.bytes[0] == 0xfe && (p.bytes[1] & 0xc0) == 0xc0)
		return SCOPE_SITE;
	if (policy_of(&p)->precedence == 50) /* ::1 */
		return SCOPE_LINK;
	return SCOPE_GLOBAL;
}

static struct merit merit_of(
    const struct addr *addr, fetch_source_of *source_of, void *context)
{
	struct prefix to = as_ipv6(addr), from;
	const struct policy *policy = policy_of(&to);
	struct merit merit = {.addr = *addr,
	    .precedence = policy->precedence,
	    .scope = scope_of(addr)};
	struct addr source;

	merit.usable = source_of(context, addr, &source);
	if (!merit.usable)
		return merit;
	from = as_ipv6(&source);
	merit.same_scope = scope_of(&source) == merit.scope;
	merit.same_label = policy_of(&from)->label == policy->label;
	return merit;
}

/* Rules 1, 2, 5, 6, 8 and, by itself, 10. */
static bool is_better(const struct merit *a, const struct merit *b)
{
	if (a->usable != b->usable)
		return a->usable;
	if (a->same_scope != b->same_scope)
		return a->same_scope;
	if (a->same_label != b->same_label)
		return a->same_label;
	if (a->precedence != b->precedence)
		return a->precedence > b->precedence;
	return a->scope < b->scope;
}

void fetch_prefer_sort(
    struct fetch_place *place, fetch_source_of *source_of, void *context)
{
	struct merit merits[FETCH_ADDRS_MAX];

	for (uint32_t i = 0; i < place->n; i++) {
		struct merit merit =
		    merit_of(&place->addrs[i], source_of, context);
		uint32_t at = i;

		for (; at && is_better(&merit, &merits[at - 1]); at--)
			merits[at] = merits[at - 1];
		merits[at] = merit;
	}
	for (uint32_t i = 0; i < place->n; i++)
		place->addrs[i] = merits[i].addr;
}

bool fetch_prefer_source(void *context, const struct addr *to, struct addr *ret)
{
	int fd = socket(to->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct addr local = {.length = sizeof local.in6};
	bool ok;

	(void)context;
	if (fd < 0)
		return false;
	ok = !connect(fd, &to->sa, to->length) &&
	     !getsockname(fd, &local.sa, &local.length);
	close(fd);
	if (ok)
		*ret = local;
	return ok;
}
