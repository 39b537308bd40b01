/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a configuration: conf_parse() must refuse or accept, and what
 * it says must hold together. A tree that was accepted is compared with
 * itself, which touches every value.
 *
 *     fuzz_conf -dict=tests/fuzz/seeds/conf.dict CORPUS tests/conf
 */
#include "conf/diff.h"

#include "base/arena.h"
#include "base/assert.h"

#include <stdint.h>
#include <string.h>

/* libFuzzer has no header for it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_conf_check_errors(int rc, const struct conf_errors *errors)
{
	br_assert(errors->n_warnings <= errors->n_errors);
	br_assert((rc == 0) == (errors->n_errors == errors->n_warnings));
	for (uint32_t i = 0; i < errors->n_errors; i++) {
		const struct conf_error *e = &errors->errors[i];

		br_assert(!strncmp(e->text, "fuzz:", 5));
		br_assert(!strpbrk(e->text, "\n\r"));
		br_assert(e->pos.line > 0);
		br_assert(
		    i == 0 || errors->errors[i - 1].pos.line <= e->pos.line);
	}
}

static void fuzz_conf_check_tree(const struct conf *conf)
{
	struct arena *arena = arena_new();
	struct conf_diff diff;

	br_assert(conf->n_listeners > 0 && conf->n_pools > 0);
	for (uint32_t i = 0; i < conf->n_listeners; i++) {
		br_assert(conf->listeners[i].n_binds > 0);
		br_assert(conf->listeners[i].pool < conf->n_pools);
	}
	for (uint32_t i = 0; i < conf->n_pools; i++)
		br_assert(conf->pools[i].n_servers > 0);
	conf_diff(conf, conf, arena, &diff);
	br_assert(diff.n_restart_keys == 0);
	br_assert(diff.n_pools_removed + diff.n_listeners_removed == 0);
	for (uint32_t i = 0; i < conf->n_pools; i++)
		br_assert(diff.pools[i] == CONF_SAME);
	for (uint32_t i = 0; i < conf->n_listeners; i++)
		br_assert(diff.listeners[i] == CONF_SAME);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_errors errors;
	struct conf *conf;
	int rc;

	conf_errors_init(&errors);
	rc = conf_parse("fuzz", (const char *)data, size, &conf, &errors);
	br_assert(rc == 0 || rc == BR_E_CONFIG);
	fuzz_conf_check_errors(rc, &errors);
	if (rc == 0) {
		fuzz_conf_check_tree(conf);
		conf_free(conf);
	}
	conf_errors_fini(&errors);
	return 0;
}
