/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The only zone of a configuration that is given as text, loaded as the
 * daemon does it.
 *
 * Thread:  a test's.
 * Memory:  zone_loaded_fini() frees all but the zone, which must be gone
 *          before: its resources point into the POPs.
 */
#include <check.h>
#include <string.h>

#include "base/arena.h"
#include "dnsd/zone_load.h"

#define LOADED_SEED 7u

struct zone_loaded {
	struct conf *conf;
	struct arena *arena;
	struct zone_report report;
	struct zone *zone; /* NULL: see the report */
	bool includes;
};

static inline void zone_loaded_init(
    struct zone_loaded *loaded, const char *text, struct wall now)
{
	struct zone_load_input input = {
	    .conf_file = "braid.yaml", .seed = LOADED_SEED, .now = now};
	struct conf_errors errors;

	conf_errors_init(&errors);
	ck_assert_msg(!conf_parse("braid.yaml", text, strlen(text),
			  &loaded->conf, &errors),
	    "%s", errors.n_errors ? errors.errors[0].text : "");
	conf_errors_fini(&errors);
	loaded->arena = arena_new();
	input.conf = &loaded->conf->dns.zones[0];
	input.pops =
	    pops_new(loaded->arena, loaded->conf->pops, loaded->conf->n_pops);
	input.threads = 2;
	loaded->includes = false;
	zone_report_init(&loaded->report);
	loaded->zone = zone_load(&input, &loaded->report, &loaded->includes);
}

static inline void zone_loaded_fini(struct zone_loaded *loaded)
{
	zone_report_fini(&loaded->report);
	arena_free(loaded->arena);
	conf_free(loaded->conf);
}
