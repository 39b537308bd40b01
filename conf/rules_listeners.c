/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of listeners: each address once, each pool there. */
#include "conf/rules.h"

#include <string.h>

static const struct conf_listener *rules_listener(const struct scope *scope)
{
	return scope->element;
}

static void rules_taken(struct draft *draft, const struct scope *scope,
    const struct schema_row *row, const struct conf_bind *bind,
    const struct rules_bind *before)
{
	char text[ADDR_TEXT_MAX];
	const char *owner = draft_path(draft,
	    before->listener ? before->listener : &draft->file, before->row);

	addr_format(&bind->addr, text);
	if (before->pos.line)
		draft_error(draft, scope, row, bind->pos,
		    "%s is already taken by %s on line %u", text, owner,
		    before->pos.line);
	else
		draft_error(draft, scope, row, bind->pos,
		    "%s is already taken by the default of %s", text, owner);
}

/* The same port on all addresses of the family. */
static struct addr rules_wildcard(const struct addr *addr)
{
	struct addr any = *addr;

	if (addr->sa.sa_family == AF_INET)
		any.in.sin_addr.s_addr = htonl(INADDR_ANY);
	else if (addr->sa.sa_family == AF_INET6)
		any.in6.sin6_addr = in6addr_any;
	return any;
}

bool rules_overlap(const struct addr *alone, const struct addr *bind)
{
	struct addr any_alone, any_bind;

	if (!alone->length || alone->sa.sa_family != bind->sa.sa_family ||
	    addr_is_unix(alone))
		return false;
	any_alone = rules_wildcard(alone);
	any_bind = rules_wildcard(bind);
	return addr_equal(alone, bind) || (addr_equal(&any_alone, &any_bind) &&
					      (addr_equal(alone, &any_alone) ||
						  addr_equal(bind, &any_bind)));
}

/* Of the sockets of control that overlap with it; NULL: none does. */
static const char *rules_side_socket(
    const struct conf *conf, const struct addr *bind)
{
	if (rules_overlap(&conf->api.listen, bind))
		return "api.listen";
	return rules_overlap(&conf->agent.listen, bind) ? "agent.listen" : NULL;
}

static struct rules_bind *rules_bind_new(struct draft *draft,
    const struct scope *listener, const struct schema_row *row,
    struct conf_pos pos)
{
	struct rules_bind *bind = arena_alloc(draft->scratch, sizeof(*bind));

	*bind =
	    (struct rules_bind){.listener = listener, .row = row, .pos = pos};
	return bind;
}

static void rules_add_control(struct draft *draft, struct addr_map *map)
{
	const struct schema_row *row = schema_find("global.control");
	struct addr *addr = arena_alloc(draft->scratch, sizeof(*addr));
	const char *text = arena_printf(
	    draft->scratch, "unix:%s", draft->conf->global.control);

	if (addr_parse(addr, text) == 0)
		addr_map_add(map, addr,
		    rules_bind_new(
			draft, NULL, row, *draft_seen(&draft->file, row)));
}

/* Takes an address for a listener, or for DNS (NULL), unless it is taken. */
static void rules_add_bind(struct draft *draft, struct addr_map *map,
    const struct scope *listener, const struct schema_row *row,
    const struct conf_bind *bind)
{
	struct rules_bind *before = addr_map_add(
	    map, &bind->addr, rules_bind_new(draft, listener, row, bind->pos));

	const char *side = rules_side_socket(draft->conf, &bind->addr);

	if (!before && side) {
		const struct schema_row *taken = schema_find(side);

		before = rules_bind_new(
		    draft, NULL, taken, *draft_seen(&draft->file, taken));
	}
	if (before)
		rules_taken(draft, listener ? listener : &draft->file, row,
		    bind, before);
}

/* DNS over TCP listens too. */
static void rules_add_dns(struct draft *draft, struct addr_map *map)
{
	const struct conf_dns *dns = &draft->conf->dns;
	const struct schema_row *row = schema_find("dns.bind");

	for (uint32_t i = 0; i < dns->n_binds; i++)
		if (!addr_is_unix(&dns->binds[i].addr))
			rules_add_bind(draft, map, NULL, row, &dns->binds[i]);
}

static struct addr_map *rules_binds(struct draft *draft)
{
	const struct scope_list *list = &draft->entries[MAP_LISTENERS];
	const struct schema_row *row = schema_find("listeners.*.bind");
	struct addr_map *map;
	uint32_t n = 1 + draft->conf->dns.n_binds;

	for (uint32_t i = 0; i < list->n; i++)
		n += rules_listener(list->at[i])->n_binds;
	map = addr_map_new(draft->scratch, n);
	rules_add_control(draft, map);
	rules_add_dns(draft, map);
	for (uint32_t i = 0; i < list->n; i++) {
		const struct conf_listener *l = rules_listener(list->at[i]);

		for (uint32_t b = 0; b < l->n_binds; b++)
			rules_add_bind(
			    draft, map, list->at[i], row, &l->binds[b]);
	}
	return map;
}

/* The pool that the entry refers to goes into *ret as its index. */
static void rules_reference(struct draft *draft, struct rules_names *pools,
    const struct scope *scope, const struct schema_row *row,
    struct conf_pos pos, uint32_t *ret)
{
	const struct conf_pool *pool;

	if (!scope->ref)
		return;
	pool = rules_names_find(pools, scope, row, pos, scope->ref);
	if (pool)
		*ret = (uint32_t)(pool - draft->conf->pools);
}

static void rules_references(struct draft *draft)
{
	const struct scope_list *listeners = &draft->entries[MAP_LISTENERS];
	const struct scope_list *routes = &draft->entries[MAP_ROUTES];
	const struct schema_row *row = schema_find("listeners.*.pool");
	struct rules_names names;

	rules_names_init(&names, draft, schema_find("pools"));
	for (uint32_t i = 0; i < listeners->n; i++) {
		struct conf_listener *listener = listeners->at[i]->element;

		rules_reference(draft, &names, listeners->at[i], row,
		    listener->pool_pos, &listener->pool);
	}
	row = schema_find("listeners.*.routes.*.pool");
	for (uint32_t i = 0; i < routes->n; i++) {
		struct conf_route *route = routes->at[i]->element;

		rules_reference(draft, &names, routes->at[i], row,
		    route->pool_pos, &route->pool);
	}
}

/* What is asked about the first bytes must be there to be known. */
static void rules_route_protocols(struct draft *draft,
    const struct scope *scope, const struct conf_route *route)
{
	const struct conf_listener *listener = scope->parent->element;
	const struct schema_row *row =
	    schema_find("listeners.*.routes.*.protocol");

	if (!route->protocols)
		return;
	if (listener->tls.n_certificates)
		draft_error(draft, scope, row, route->protocols_pos,
		    "what is said inside TLS is not looked at in this version: "
		    "use alpn, or leave TLS to the servers");
	else if ((route->sni.n || route->alpn.n) &&
		 !(route->protocols & PROTOCOL_BIT(PROTOCOL_TLS)))
		draft_error(draft, scope, row, route->protocols_pos,
		    "can never be met: with sni or alpn it is tls");
}

/* Who is silent goes to the first route for them; behind one for any source,
 * none of the others has an effect on these. */
static void rules_route_silence(
    struct draft *draft, const struct scope *scope, const struct scope **before)
{
	const struct conf_route *route = scope->element;
	const struct conf_route *first;

	if (!(route->protocols & (PROTOCOL_SILENT | protocol_server_first())))
		return;
	if (!*before || (*before)->parent != scope->parent) {
		if (!route->source.n && !route->sni.n && !route->alpn.n)
			*before = scope;
		return;
	}
	first = (*before)->element;
	if (first->pool != route->pool)
		draft_warning(draft, scope,
		    schema_find("listeners.*.routes.*.protocol"),
		    route->protocols_pos,
		    "clients that wait for the server to begin go to route %s, "
		    "on line %u: nobody can tell which protocol they wait for",
		    first->name, first->pos.line);
}

/* A route without a condition would hide all behind it. */
static void rules_routes(struct draft *draft)
{
	const struct scope_list *routes = &draft->entries[MAP_ROUTES];
	const struct scope *silent = NULL;

	for (uint32_t i = 0; i < routes->n; i++) {
		const struct conf_route *route = routes->at[i]->element;

		rules_route_protocols(draft, routes->at[i], route);
		rules_route_silence(draft, routes->at[i], &silent);
		if (!route->sni.n && !route->alpn.n && !route->source.n &&
		    !route->protocols && !routes->at[i]->bad)
			draft_error(draft, routes->at[i], routes->at[i]->row,
			    route->pos,
			    "a route needs sni, alpn, source or protocol; for "
			    "all other connections there is the listener's pool");
	}
}

static void rules_no_effect(struct draft *draft, const struct scope *scope,
    const char *path, const char *without)
{
	const struct schema_row *row = schema_find(path);
	struct conf_pos pos = *draft_seen(scope, row);

	if (pos.line)
		draft_warning(draft, scope, row, pos,
		    "has no effect without %s", without);
}

/* Only IP packets can be meant for somebody else. */
static void rules_transparent(struct draft *draft, const struct scope *scope)
{
	const struct conf_listener *l = scope->element;

	for (uint32_t i = 0; i < l->n_binds && l->transparent; i++)
		if (addr_is_unix(&l->binds[i].addr))
			draft_error(draft, scope,
			    schema_find("listeners.*.bind"), l->binds[i].pos,
			    "a unix socket cannot be transparent");
}

static void rules_front(struct draft *draft, const struct scope *scope)
{
	const struct conf_listener *l = scope->element;
	const struct schema_row *row =
	    schema_find("listeners.*.proxy_protocol");

	if (l->proxy_in == CONF_PROXY_IN_OFF && !scope->bad)
		rules_no_effect(draft, scope, "listeners.*.proxy_from",
		    "proxy_protocol: accept");
	else if (!l->proxy_from.n && !scope->bad)
		draft_warning(draft, scope, row, *draft_seen(scope, row),
		    "without proxy_from any client may claim any address");
	if (!l->tls.client_ca && !scope->bad) {
		rules_no_effect(draft, scope, "listeners.*.tls.client_crl",
		    "tls.client_ca");
		rules_no_effect(draft, scope, "listeners.*.tls.client_verify",
		    "tls.client_ca");
	}
}

struct addr_map *rules_listeners(struct draft *draft)
{
	const struct scope_list *list = &draft->entries[MAP_LISTENERS];

	rules_references(draft);
	rules_routes(draft);
	for (uint32_t i = 0; i < list->n; i++) {
		rules_front(draft, list->at[i]);
		rules_transparent(draft, list->at[i]);
	}
	return rules_binds(draft);
}
