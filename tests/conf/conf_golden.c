/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden tests: every FILE.yaml of a folder is parsed and what comes out is
 * compared with FILE.err (all lines, in order) or with FILE.ok (warnings,
 * then the whole tree with its defaults).
 *
 *     conf_golden FOLDER       compares
 *     conf_golden -u FOLDER    writes what comes out; to be read before it is
 *                              checked in
 */
#include "conf/conf.h"

#include "base/arena.h"
#include "base/strbuf.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GOLDEN_PATH_MAX 1024

static const char *const balance_names[] = {
    "rr", "least", "p2c", "maglev", "source", "first"};
static const char *const health_names[] = {
    "none", "tcp", "http", "tls", "send_expect"};
static const char *const mode_names[] = {
    "pick", "rank", "addrs", "srv", "literal"};
static const char *const health_tls_names[] = {"auto", "on", "off"};
static const char *const level_names[] = {"error", "warn", "info", "debug"};

static const char *dump_addr(const struct addr *addr)
{
	static char text[ADDR_TEXT_MAX];

	addr_format(addr, text);
	return text;
}

static void dump_pin(struct strbuf *out, const char *name, unsigned pin)
{
	if (pin)
		strbuf_addf(out, "pin %s=%s\n", name,
		    flow_class_name((enum flow_class)(pin - CONF_PIN(0))));
}

static void dump_pins(struct strbuf *out, const struct conf_pins *pins)
{
	for (unsigned i = 0; i < PROTOCOL_COUNT; i++)
		dump_pin(
		    out, protocol_name((enum protocol)i), pins->by_protocol[i]);
	dump_pin(out, "any", pins->any);
}

static void dump_prefixes(
    struct strbuf *out, const char *key, const struct conf_prefixes *prefixes)
{
	char text[PREFIX_TEXT_MAX];

	for (uint32_t i = 0; i < prefixes->n; i++) {
		prefix_format(&prefixes->at[i], text);
		strbuf_addf(out, "%s%s", i ? "," : key, text);
	}
}

static void dump_global(struct strbuf *out, const struct conf *conf)
{
	const struct conf_global *g = &conf->global;

	strbuf_addf(out, "global workers=%u max_connections=%u user=%s\n",
	    g->workers, g->max_connections, g->user);
	strbuf_addf(out, "global state_dir=%s control=%s drain=%" PRIu64 "ms\n",
	    g->state_dir, g->control, g->drain_ms);
	if (g->zone)
		strbuf_addf(out, "global zone=%s\n", g->zone);
	strbuf_addf(out, "global log format=%s level=%s access=%d\n",
	    g->log_format == LOG_JSON ? "json" : "logfmt",
	    level_names[g->log_level], g->log_access);
	strbuf_addf(out, "api listen=%s\n", dump_addr(&conf->api.listen));
	if (conf->agent.listen.length) {
		strbuf_addf(
		    out, "agent listen=%s", dump_addr(&conf->agent.listen));
		strbuf_addf(
		    out, " smooth=%" PRIu64 "ms", conf->agent.smooth_ms);
		dump_prefixes(out, " allow=", &conf->agent.allow);
		strbuf_addc(out, '\n');
	}
	if (g->resolvers.n) {
		strbuf_addf(out,
		    "resolve timeout=%" PRIu64 "ms retries=%u min_ttl=%" PRIu64
		    "ms max_ttl=%" PRIu64 "ms hold=%" PRIu64 "ms",
		    g->resolve_timeout_ms, g->resolve_retries,
		    g->resolve_min_ttl_ms, g->resolve_max_ttl_ms,
		    g->resolve_hold_ms);
		for (uint32_t i = 0; i < g->resolvers.n; i++)
			strbuf_addf(out, " %s", dump_addr(&g->resolvers.at[i]));
		strbuf_addc(out, '\n');
	}
	strbuf_addf(out, "limits parked_total=%" PRIu64 "\n",
	    conf->limits.parked_total_bytes);
	if (conf->limits.shard_connections)
		strbuf_addf(out,
		    "limits sharded_flows=%u shard_connections=%u "
		    "shard_kernel_bytes=%u%%\n",
		    conf->limits.sharded_flows, conf->limits.shard_connections,
		    conf->limits.shard_kernel_percent);
	if (conf->upgrade.drain_ms)
		strbuf_addf(out,
		    "upgrade drain=%" PRIu64 "ms generations=%u "
		    "timeout=%" PRIu64 "ms\n",
		    conf->upgrade.drain_ms, conf->upgrade.generations,
		    conf->upgrade.timeout_ms);
}

static void dump_texts(
    struct strbuf *out, const char *key, const struct conf_texts *texts)
{
	for (uint32_t i = 0; i < texts->n; i++)
		strbuf_addf(out, "%s%s", i ? "," : key, texts->at[i]);
}

static void dump_file(
    struct strbuf *out, const char *key, const char *path, struct conf_pos pos)
{
	if (path)
		strbuf_addf(
		    out, " %s=%s at %u:%u", key, path, pos.line, pos.column);
}

static void dump_listener_tls(
    struct strbuf *out, const struct conf_listener_tls *tls)
{
	for (uint32_t i = 0; i < tls->n_certificates; i++) {
		const struct conf_certificate *c = &tls->certificates[i];

		strbuf_addf(out, "  certificate %s at %u:%u", c->name,
		    c->pos.line, c->pos.column);
		dump_file(out, "cert", c->cert, c->cert_pos);
		dump_file(out, "key", c->key, c->key_pos);
		dump_file(out, "ocsp", c->ocsp, c->ocsp_pos);
		strbuf_addc(out, '\n');
	}
	if (!tls->n_certificates)
		return;
	strbuf_addf(out, "  tls verify=%d min=%d strict_sni=%d",
	    (int)tls->client_verify, (int)tls->min, tls->strict_sni);
	dump_file(out, "client_ca", tls->client_ca, tls->client_ca_pos);
	dump_file(out, "client_crl", tls->client_crl, tls->client_crl_pos);
	dump_texts(out, " alpn=", &tls->alpn);
	strbuf_addc(out, '\n');
}

/* What comes before a server is chosen; left out where it is the default. */
static void dump_protocols(struct strbuf *out, protocol_set set)
{
	const char *comma = " protocol=";

	for (unsigned i = 0; i < PROTOCOL_COUNT; i++) {
		if (!(set & PROTOCOL_BIT(i)))
			continue;
		strbuf_addf(
		    out, "%s%s", comma, protocol_name((enum protocol)i));
		comma = ",";
	}
	if (set & PROTOCOL_SILENT)
		strbuf_addf(out, "%s%s", comma, PROTOCOL_SILENT_NAME);
}

static void dump_front(
    struct strbuf *out, const struct conf *conf, const struct conf_listener *l)
{
	for (uint32_t i = 0; i < l->n_routes; i++) {
		const struct conf_route *r = &l->routes[i];

		strbuf_addf(out, "  route %s at %u:%u pool=%s at %u:%u",
		    r->name, r->pos.line, r->pos.column,
		    conf->pools[r->pool].name, r->pool_pos.line,
		    r->pool_pos.column);
		dump_texts(out, " sni=", &r->sni);
		dump_texts(out, " alpn=", &r->alpn);
		dump_prefixes(out, " source=", &r->source);
		dump_protocols(out, r->protocols);
		strbuf_addc(out, '\n');
	}
	if (l->n_routes)
		strbuf_addf(out,
		    "  wait=%" PRIu64 "ms first_bytes=%" PRIu64
		    "ms handshake=%" PRIu64 "ms\n",
		    l->wait_ms, l->first_bytes_ms, l->handshake_ms);
	if (l->allow.n || l->deny.n || l->refuse || l->source_connections ||
	    l->source_rate) {
		strbuf_addf(out, "  guard connections=%u rate=%u/s refuse=%u",
		    l->source_connections, l->source_rate, l->refuse);
		dump_prefixes(out, " allow=", &l->allow);
		dump_prefixes(out, " deny=", &l->deny);
		strbuf_addc(out, '\n');
	}
	if (l->transparent)
		strbuf_adds(out, "  transparent\n");
	if (l->proxy_in) {
		strbuf_adds(out, "  proxy_protocol=accept");
		dump_prefixes(out, " from=", &l->proxy_from);
		strbuf_addc(out, '\n');
	}
	dump_listener_tls(out, &l->tls);
}

static void dump_listener(
    struct strbuf *out, const struct conf *conf, const struct conf_listener *l)
{
	strbuf_addf(out, "listener %s at %u:%u pool=%s at %u:%u\n", l->name,
	    l->pos.line, l->pos.column, conf->pools[l->pool].name,
	    l->pool_pos.line, l->pool_pos.column);
	for (uint32_t i = 0; i < l->n_binds; i++)
		strbuf_addf(out, "  bind %s at %u:%u\n",
		    dump_addr(&l->binds[i].addr), l->binds[i].pos.line,
		    l->binds[i].pos.column);
	strbuf_addf(out,
	    "  backlog=%u max_connections=%u idle=%" PRIu64
	    "ms half_closed=%" PRIu64 "ms keepalive=%" PRIu64
	    "ms user_timeout=%" PRIu64 "ms\n",
	    l->backlog, l->max_connections, l->idle_ms, l->half_closed_ms,
	    l->keepalive_ms, l->user_timeout_ms);
	dump_front(out, conf, l);
}

static void dump_pool_tls(struct strbuf *out, const struct conf_pool *p)
{
	const struct conf_pool_tls *tls = &p->tls;

	if (p->proxy_out)
		strbuf_addf(out, "  proxy_protocol=v%d\n", (int)p->proxy_out);
	if (!tls->verify)
		return;
	strbuf_addf(out, "  tls verify=%d sni=%s", (int)tls->verify,
	    tls->sni ? tls->sni : "-");
	dump_file(out, "ca", tls->ca, tls->ca_pos);
	dump_file(out, "crl", tls->crl, tls->crl_pos);
	dump_file(out, "cert", tls->cert, tls->cert_pos);
	dump_file(out, "key", tls->key, tls->key_pos);
	dump_texts(out, " alpn=", &tls->alpn);
	strbuf_addc(out, '\n');
}

static void dump_bytes(
    struct strbuf *out, const char *name, const struct conf_bytes *bytes)
{
	if (!bytes->n)
		return;
	strbuf_addf(out, " %s=", name);
	for (uint32_t i = 0; i < bytes->n; i++)
		strbuf_addf(out, "%02x", (unsigned char)bytes->at[i]);
}

static void dump_steps(struct strbuf *out, const struct conf_health *health)
{
	if (health->tls != CONF_HEALTH_TLS_AUTO)
		strbuf_addf(out, "    tls %s\n", health_tls_names[health->tls]);
	for (uint32_t i = 0; i < health->n_steps; i++) {
		const struct conf_step *step = &health->steps[i];

		strbuf_addf(out, "    step %s at %u:%u", step->name,
		    step->pos.line, step->pos.column);
		dump_bytes(out, "send", &step->send);
		dump_bytes(out, "expect", &step->expect);
		strbuf_addc(out, '\n');
	}
}

static void dump_agent(struct strbuf *out, const struct conf_agent *agent)
{
	if (!agent->port)
		return;
	strbuf_addf(out,
	    "  agent port=%u interval=%" PRIu64 "ms timeout=%" PRIu64 "ms",
	    agent->port, agent->interval_ms, agent->timeout_ms);
	if (agent->address.length)
		strbuf_addf(out, " address=%s", dump_addr(&agent->address));
	dump_bytes(out, "send", &agent->send);
	strbuf_addc(out, '\n');
}

static void dump_checks(struct strbuf *out, const struct conf_pool *p)
{
	dump_steps(out, &p->health);
	dump_agent(out, &p->agent);
}

static void dump_health(struct strbuf *out, const struct conf_health *h)
{
	strbuf_addf(out, "  health %s", health_names[h->type]);
	if (h->type == CONF_HEALTH_NONE) {
		strbuf_addc(out, '\n');
		return;
	}
	strbuf_addf(out,
	    " interval=%" PRIu64 "ms timeout=%" PRIu64
	    "ms rise=%u fall=%u port=%u path=%s host=%s fail_open=%u%% status=",
	    h->interval_ms, h->timeout_ms, h->rise, h->fall, h->port, h->path,
	    h->host ? h->host : "-", h->fail_open_percent);
	for (uint32_t i = 0; i < h->n_status; i++)
		strbuf_addf(out, "%s%u-%u", i ? "," : "", h->status[i].low,
		    h->status[i].high);
	strbuf_addc(out, '\n');
}

/* What most pools do not set is left out. */
static void dump_pool_options(struct strbuf *out, const struct conf_pool *p)
{
	if (p->balance == CONF_BALANCE_MAGLEV)
		strbuf_addf(out, "  maglev table=%u\n", p->maglev_table);
	if (p->slow_start_ms)
		strbuf_addf(
		    out, "  slow_start=%" PRIu64 "ms\n", p->slow_start_ms);
	if (p->outlier.errors)
		strbuf_addf(out,
		    "  outlier errors=%u eject=%" PRIu64
		    "ms max_ejected=%u%%\n",
		    p->outlier.errors, p->outlier.eject_ms,
		    p->outlier.max_ejected_percent);
	if (p->shard.range != CONF_SHARD_OFF)
		strbuf_addf(out,
		    "  shard range=%d min_size=%" PRIu64 " piece=%" PRIu64
		    " max=%u validator=%d verify=%d\n",
		    (int)p->shard.range, p->shard.min_size, p->shard.piece,
		    p->shard.max, (int)p->shard.validator,
		    (int)p->shard.verify);
}

static void dump_pool(struct strbuf *out, const struct conf_pool *p)
{
	strbuf_addf(out, "pool %s at %u:%u balance=%s source=%s\n", p->name,
	    p->pos.line, p->pos.column, balance_names[p->balance],
	    conf_source_is_client(&p->source) ? "client"
					      : dump_addr(&p->source));
	strbuf_addf(out,
	    "  connect timeout=%" PRIu64 "ms retries=%u queue length=%u "
	    "timeout=%" PRIu64 "ms\n",
	    p->connect_timeout_ms, p->connect_retries, p->queue_length,
	    p->queue_timeout_ms);
	dump_pool_tls(out, p);
	dump_health(out, &p->health);
	dump_pool_options(out, p);
	dump_checks(out, p);
	for (uint32_t i = 0; i < p->n_servers; i++) {
		const struct conf_server *s = &p->servers[i];

		strbuf_addf(out,
		    "  server %s at %u:%u %s weight=%u max_connections=%u",
		    s->name, s->pos.line, s->pos.column, dump_addr(&s->addr),
		    s->weight, s->max_connections);
		if (s->health_address.length)
			strbuf_addf(
			    out, " health=%s", dump_addr(&s->health_address));
		strbuf_addc(out, '\n');
		if (s->host)
			strbuf_addf(out, "    %s %s port=%u family=%d max=%u\n",
			    s->srv ? "service" : "name", s->host, s->host_port,
			    (int)p->resolve_family, p->resolve_max);
		if (s->zone || s->backup)
			strbuf_addf(out, "    zone=%s%s backup=%d\n",
			    s->zone ? s->zone : "-", s->local ? " (own)" : "",
			    s->backup);
	}
}

static void dump_binds(struct strbuf *out, const char *key,
    const struct conf_bind *binds, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		strbuf_addf(out, "  %s %s at %u:%u\n", key,
		    dump_addr(&binds[i].addr), binds[i].pos.line,
		    binds[i].pos.column);
}

static void dump_resource(
    struct strbuf *out, const struct conf *conf, const struct conf_resource *r)
{
	strbuf_addf(out,
	    "    resource %s at %u:%u %s n=%u ttl=%" PRIu64
	    "ms target=%s port=%u ecs=%d",
	    r->name, r->pos.line, r->pos.column, mode_names[r->mode], r->n,
	    r->ttl_ms, r->target, r->port, r->ecs);
	dump_texts(out, " alpn=", &r->alpn);
	dump_prefixes(out, " allow=", &r->allow);
	strbuf_addc(out, '\n');
	for (uint32_t i = 0; i < r->n_pops; i++)
		strbuf_addf(out, "      %s weight=%u\n",
		    conf->pops[r->pops[i]].name, r->weights[i]);
}

static void dump_zone(
    struct strbuf *out, const struct conf *conf, const struct conf_zone *z)
{
	strbuf_addf(out, "  zone %s at %u:%u ttl=%" PRIu64 "ms salt=%s",
	    z->name, z->pos.line, z->pos.column, z->ttl_ms, z->salt);
	dump_file(out, "file", z->file, z->file_pos);
	dump_file(out, "key", z->key, z->key_pos);
	dump_file(out, "tsig", z->tsig_name, z->tsig_name_pos);
	dump_file(out, "tsig_key", z->tsig_key_file, z->tsig_key_file_pos);
	dump_prefixes(out, " transfer=", &z->transfer_to);
	strbuf_addc(out, '\n');
	dump_binds(out, "  notify", z->notify, z->n_notify);
	for (uint32_t i = 0; i < z->records.n; i++)
		strbuf_addf(out, "    record at %u:%u %s\n",
		    z->records.pos[i].line, z->records.pos[i].column,
		    z->records.at[i]);
	for (uint32_t i = 0; i < z->n_resources; i++)
		dump_resource(out, conf, &z->resources[i]);
}

static void dump_dns(struct strbuf *out, const struct conf *conf)
{
	const struct conf_dns *dns = &conf->dns;

	if (!dns->present)
		return;
	strbuf_addf(out,
	    "dns at %u:%u free_bind=%d ecs=%d rrl=%u/s slip=%u nsid=%s version=%s id=%s "
	    "nocookie_max=%u\n",
	    dns->pos.line, dns->pos.column, dns->free_bind, dns->ecs,
	    dns->rrl_rate, dns->rrl_slip, dns->nsid ? dns->nsid : "-",
	    dns->chaos_version ? dns->chaos_version : "-",
	    dns->chaos_id ? dns->chaos_id : "-", dns->nocookie_max);
	strbuf_addf(out,
	    "  tcp idle=%" PRIu64 "ms connections=%u per_source=%u",
	    dns->tcp_idle_ms, dns->tcp_connections, dns->tcp_per_source);
	dump_prefixes(out, " proxy_from=", &dns->tcp_proxies);
	dump_file(out, "secret", dns->cookie_secret, dns->cookie_secret_pos);
	strbuf_addc(out, '\n');
	dump_binds(out, "bind", dns->binds, dns->n_binds);
	for (uint32_t i = 0; i < dns->n_zones; i++)
		dump_zone(out, conf, &dns->zones[i]);
}

static void dump_pop(
    struct strbuf *out, const struct conf *conf, const struct conf_pop *p)
{
	strbuf_addf(out, "pop %s at %u:%u domain=%s", p->name, p->pos.line,
	    p->pos.column, p->domain ? p->domain : "-");
	for (uint32_t i = 0; i < p->n_addresses; i++)
		strbuf_addf(out, " %s", dump_addr(&p->addresses[i]));
	strbuf_addf(out,
	    "\n  bandwidth=%" PRIu64
	    " requests=%u connections=%u cost=%u slow_start=%" PRIu64
	    "ms default_rtt=%uus\n",
	    p->bandwidth_bps, p->requests, p->connections, p->cost_milli,
	    p->slow_start_ms, p->default_rtt_us);
	for (uint32_t i = 0; i < p->n_rtts; i++)
		strbuf_addf(out, "  rtt %s %uus\n",
		    conf->regions[p->rtts[i].region].name, p->rtts[i].us);
	dump_health(out, &p->health);
	dump_steps(out, &p->health);
	dump_agent(out, &p->agent);
}

static void dump_region(struct strbuf *out, const struct conf_region *r)
{
	strbuf_addf(
	    out, "region %s at %u:%u", r->name, r->pos.line, r->pos.column);
	dump_prefixes(out, " prefixes=", &r->prefixes);
	dump_texts(out, " geo=", &r->geo);
	strbuf_addc(out, '\n');
}

static void dump_places(struct strbuf *out, const struct conf *conf)
{
	for (uint32_t i = 0; i < conf->n_pops; i++)
		dump_pop(out, conf, &conf->pops[i]);
	for (uint32_t i = 0; i < conf->n_regions; i++)
		dump_region(out, &conf->regions[i]);
	if (!conf->geo.file && !conf->geo.asn)
		return;
	strbuf_adds(out, "geo");
	dump_file(out, "file", conf->geo.file, conf->geo.file_pos);
	dump_file(out, "asn", conf->geo.asn, conf->geo.asn_pos);
	strbuf_addc(out, '\n');
}

static void dump_conf(struct strbuf *out, const struct conf *conf)
{
	dump_global(out, conf);
	dump_pins(out, &conf->profiler.pins);
	for (uint32_t i = 0; i < conf->n_listeners; i++)
		dump_listener(out, conf, &conf->listeners[i]);
	for (uint32_t i = 0; i < conf->n_pools; i++)
		dump_pool(out, &conf->pools[i]);
	dump_dns(out, conf);
	dump_places(out, conf);
}

static int golden_read(const char *path, struct strbuf *ret)
{
	FILE *f = fopen(path, "r");
	char bytes[4096];
	size_t n;

	if (!f)
		return -errno;
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		strbuf_add(ret, bytes, n);
	(void)fclose(f);
	return 0;
}

/* Parses the file under its name without a folder. Returns the result of
 * conf_parse(). */
static int golden_run(
    const char *path, const char *name, struct strbuf *ret_out)
{
	struct conf_errors errors;
	struct conf *conf;
	struct strbuf text;
	int rc;

	strbuf_init(&text);
	rc = golden_read(path, &text);
	if (rc == 0) {
		conf_errors_init(&errors);
		rc = conf_parse(
		    name, strbuf_text(&text), text.length, &conf, &errors);
		for (uint32_t i = 0; i < errors.n_errors; i++)
			strbuf_addf(ret_out, "%s\n", errors.errors[i].text);
		if (rc == 0) {
			dump_conf(ret_out, conf);
			conf_free(conf);
		}
		conf_errors_fini(&errors);
	}
	strbuf_fini(&text);
	return rc;
}

static int golden_write(const char *path, const struct strbuf *out)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(strbuf_text(out), f) < 0 || fclose(f) != 0) {
		perror(path);
		return 1;
	}
	return 0;
}

/* 0 when what came out is what stands in the file. */
static int golden_compare(const char *path, const struct strbuf *out)
{
	struct strbuf want;
	int failed = 1;

	strbuf_init(&want);
	if (golden_read(path, &want) < 0)
		printf("%s: missing\n", path);
	else if (want.length != out->length ||
		 memcmp(strbuf_text(&want), strbuf_text(out), out->length) != 0)
		printf("%s: differs\n--- want\n%s--- got\n%s", path,
		    strbuf_text(&want), strbuf_text(out));
	else
		failed = 0;
	strbuf_fini(&want);
	return failed;
}

static int golden_case(const char *folder, const char *name, bool update)
{
	char path[GOLDEN_PATH_MAX], other[GOLDEN_PATH_MAX];
	int stem = (int)(strlen(name) - strlen(".yaml"));
	struct strbuf out;
	int rc, failed;

	strbuf_init(&out);
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	rc = golden_run(path, name, &out);
	(void)snprintf(path, sizeof(path), "%s/%.*s.%s", folder, stem, name,
	    rc == 0 ? "ok" : "err");
	(void)snprintf(other, sizeof(other), "%s/%.*s.%s", folder, stem, name,
	    rc == 0 ? "err" : "ok");
	failed = rc != 0 && rc != BR_E_CONFIG;
	if (failed)
		printf("%s: %s\n", path, br_strerror(rc));
	else
		failed = update ? golden_write(path, &out)
				: golden_compare(path, &out);
	if (access(other, F_OK) == 0) {
		printf("%s: must not be there\n", other);
		failed = 1;
	}
	strbuf_fini(&out);
	return failed;
}

static int golden_is_yaml(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && strcmp(dot, ".yaml") == 0;
}

int main(int argc, char **argv)
{
	bool update = argc == 3 && strcmp(argv[1], "-u") == 0;
	struct dirent **names;
	int n, failed = 0;

	if (argc != 2 && !update) {
		(void)fputs("usage: conf_golden [-u] FOLDER\n", stderr);
		return 64;
	}
	n = scandir(argv[argc - 1], &names, golden_is_yaml, alphasort);
	for (int i = 0; i < n; i++) {
		failed += golden_case(argv[argc - 1], names[i]->d_name, update);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	printf("%d files, %d failed\n", n, failed);
	return n <= 0 || failed;
}
