/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "daemon/boot_state.h"
#include "daemon/dns_store.h"
#include "daemon/dns_views.h"
#include "daemon/inherit.h"
#include "daemon/load.h"
#include "daemon/resolver.h"
#include "fleet/name_expand.h"

#include <stdlib.h>

/* The first plan has the sockets, whose ports may need root; it was made
 * before anything was asked, because what comes from the network is not read
 * as root. What is known now makes the plan that serves; no worker has seen
 * the one before. */
static int rebuild(struct boot *boot, struct conf *conf, struct arena *arena)
{
	struct daemon *daemon = &boot->daemon;
	struct plan *before = boot->plan;
	struct conf_diff diff;
	struct plan_error error;
	struct plan_source source = {.conf = conf,
	    .tls = tls_store_copy(before->tls),
	    .dns = dns_store_ref(before->dns),
	    .tls_process = &daemon->tls,
	    .diff = &diff};

	conf_diff(before->conf, conf, arena, &diff);
	if (plan_build(&source, before, daemon->board, daemon->n_workers,
		&boot->plan, &error)) {
		tls_store_free(source.tls);
		dns_store_unref(source.dns);
		conf_free(conf);
		return boot_fail(EXIT_CODE_UNAVAILABLE, "%s", error.text);
	}
	load_log_addresses(NULL, conf, NULL, arena);
	boot->plan->number = before->number;
	/* Those that have an address only now. */
	if (boot->inherit)
		inherit_servers(
		    &boot->inherit->manifest, boot->plan, true, NULL, NULL);
	(void)snapshot_publish(daemon->plan, boot->plan);
	dns_published_free(snapshot_publish(
	    daemon->dns, dns_published_new(boot->plan->dns, boot->plan->conf,
			     daemon->board, 1)));
	plan_free(before, daemon->board);
	return EXIT_CODE_OK;
}

int boot_names(struct boot *boot)
{
	struct daemon *daemon = &boot->daemon;
	struct conf *origin = load_origin(boot->plan);
	struct name_view *view;
	struct name_want *wants;
	struct arena *arena;
	int code, err = resolver_start(daemon, &boot->resolver);
	uint32_t n;

	if (err)
		return boot_fail(
		    EXIT_CODE_UNAVAILABLE, "resolver: %s", br_strerror(err));
	daemon->resolver = boot->resolver;
	n = name_wants_of(origin, &wants);
	free(wants);
	if (!n)
		return EXIT_CODE_OK;
	resolver_begin(boot->resolver, origin,
	    boot->inherit ? boot->inherit->manifest.names : NULL);
	resolver_await(boot->resolver, RESOLVER_WAIT_MS);
	view = resolver_view(boot->resolver);
	arena = arena_new();
	code = rebuild(boot, name_expand(origin, view), arena);
	arena_free(arena);
	name_view_unref(view);
	return code;
}
