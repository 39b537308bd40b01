/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the responder and of zones as a whole. */
#include "conf/rules.h"

#include "base/hash.h"
#include "conf/domain_text.h"

#include <string.h>

static void dns_no_effect(
    struct draft *draft, const char *path, const char *without)
{
	const struct schema_row *row = schema_find(path);
	struct conf_pos pos = *draft_seen(&draft->file, row);

	if (pos.line)
		draft_warning(draft, &draft->file, row, pos,
		    "has no effect without %s", without);
}

/* With dns both may be absent, but listeners need pools all the same. */
static void dns_beside(struct draft *draft)
{
	const struct schema_row *listeners = schema_find("listeners");
	const struct schema_row *pools = schema_find("pools");
	bool listen = draft_seen(&draft->file, listeners)->line;

	if (listen && !draft_seen(&draft->file, pools)->line)
		draft_error(draft, &draft->file, NULL, draft->file.pos,
		    "\"pools\" is missing, which listeners need, as in pools: "
		    "%s",
		    pools->example);
	if (!listen)
		dns_no_effect(draft, "pools", "listeners");
}

/* Networks that others cannot forge their way out of are of no use to who
 * wants to flood somebody: RFC 1918, RFC 4193, and those of one host or
 * link. */
static bool dns_is_public(const struct addr *addr)
{
	static const char *const private[] = {"10.0.0.0/8", "172.16.0.0/12",
	    "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7",
	    "fe80::/10", "::1"};
	struct prefix at, network;

	if (!prefix_of_addr(&at, addr))
		return false;
	for (size_t i = 0; i < sizeof(private) / sizeof(private[0]); i++)
		if (prefix_parse(&network, private[i]) == 0 &&
		    prefix_covers(&network, &at))
			return false;
	return true;
}

static void dns_binds(struct draft *draft)
{
	const struct conf_dns *dns = &draft->conf->dns;
	const struct schema_row *row = schema_find("dns.bind");
	const struct conf_bind *public = NULL;
	char text[ADDR_TEXT_MAX];

	for (uint32_t i = 0; i < dns->n_binds; i++) {
		const struct conf_bind *bind = &dns->binds[i];

		if (addr_is_unix(&bind->addr))
			draft_error(draft, &draft->file, row, bind->pos,
			    "DNS is not spoken on unix sockets: want an IP "
			    "address");
		else if (!public && dns_is_public(&bind->addr))
		public = bind;
	}
	if (!public || dns->rrl_rate)
		return;
	addr_format(&public->addr, text);
	draft_warning(draft, &draft->file, row, public->pos,
	    "%s may be reached by everybody and dns.rrl.rate is 0: answers to "
	    "forged addresses are not limited; 20/s is a usual rate",
	    text);
}

/* A zone's name in small letters and without the last dot, to find it again
 * however it is written (RFC 4343). */
static char *dns_plain_name(struct draft *draft, const char *name)
{
	size_t length = strlen(name);
	char *plain = arena_alloc(draft->conf->arena, length + 1);

	domain_text_plain(plain, name, length);
	return plain;
}

/* A path from the folder of the configuration file. */
static void zone_file(struct draft *draft, struct conf_zone *zone)
{
	const char *file = draft->conf->file;
	const char *slash = strrchr(file, '/');

	if (zone->file && zone->file[0] != '/' && slash)
		zone->file = arena_printf(draft->conf->arena, "%.*s/%s",
		    (int)(slash - file), file, zone->file);
}

static void zone_sources(struct draft *draft, const struct scope *scope)
{
	const struct conf_zone *zone = scope->element;

	if (!zone->file && !zone->records.n && !scope->bad)
		draft_error(draft, scope, scope->row, scope->pos,
		    "a zone needs file or records, where its SOA and NS "
		    "stand");
}

static void rules_zone(
    struct draft *draft, struct strmap *names, struct scope *scope)
{
	struct conf_zone *zone = scope->element;
	char *plain = dns_plain_name(draft, zone->name);
	struct scope *before = strmap_put(names, plain, scope);

	if (before)
		draft_error(draft, scope, scope->row, scope->pos,
		    "the same zone as %s on line %u", before->name,
		    before->pos.line);
	/* However each server writes it. */
	if (!zone->salt)
		zone->salt = plain;
	zone_file(draft, zone);
	zone_sources(draft, scope);
}

void rules_dns(struct draft *draft)
{
	const struct scope_list *zones = &draft->entries[MAP_ZONES];
	struct conf_dns *dns = &draft->conf->dns;
	struct strmap *names = strmap_new(draft->scratch);

	dns->pos = *draft_seen(&draft->file, schema_find("dns"));
	dns->present = dns->pos.line != 0;
	if (!dns->present)
		return;
	dns_beside(draft);
	dns_binds(draft);
	for (uint32_t i = 0; i < zones->n; i++)
		rules_zone(draft, names, zones->at[i]);
	rules_resources(draft);
}
