/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/manifest.h"

#include <string.h>

#include "base/assert.h"

/* The manifest of an upgrade: what is read is within the limits, and written
 * again it reads the same. */

static void check_text(const char *text, size_t room)
{
	br_assert(memchr(text, '\0', room));
	for (; *text; text++)
		br_assert((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void check_names(const struct name_view *names)
{
	br_assert(names->n <= MANIFEST_NAMES_MAX);
	for (uint32_t i = 0; i < names->n; i++) {
		const struct name_view_row *row = &names->rows[i];

		br_assert(row->type < NAME_TYPES && row->last < NAME_RESULTS);
		br_assert(row->host[0] && strlen(row->host) <= NAME_HOST_MAX);
		br_assert(row->n <= NAME_RECORDS_MAX);
		for (uint32_t k = 0; k < row->n; k++)
			check_text(row->records[k].target,
			    sizeof row->records[k].target);
	}
}

static void check(const struct manifest *manifest)
{
	br_assert(manifest->process.pid > 0 && manifest->process.number > 0);
	check_text(manifest->process.version, sizeof manifest->process.version);
	br_assert(manifest->n_older <= CONF_GENERATIONS_MAX);
	br_assert(manifest_fds(manifest) >= 1);
	for (uint32_t i = 0; i < manifest->n_sockets; i++)
		br_assert(manifest->sockets[i].n_fds > 0 &&
			  manifest->sockets[i].n_fds <= CONF_WORKERS_MAX);
	for (uint32_t i = 0; i < manifest->n_servers; i++) {
		const struct manifest_server *server = &manifest->servers[i];

		check_text(server->pool, sizeof server->pool);
		check_text(server->server, sizeof server->server);
		check_text(server->facts.cause, sizeof server->facts.cause);
		br_assert(server->facts.admin <= BOARD_MAINT);
	}
	if (manifest->names)
		check_names(manifest->names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct manifest first, second;
	struct strbuf once, twice;

	if (manifest_decode(&first, data, size)) {
		br_assert(!first.sockets && !first.servers && !first.names);
		return 0;
	}
	check(&first);
	strbuf_init(&once);
	strbuf_init(&twice);
	manifest_encode(&first, &once);
	br_assert(!manifest_decode(&second, once.text, once.length));
	manifest_encode(&second, &twice);
	br_assert(once.length == twice.length &&
		  !memcmp(once.text, twice.text, once.length));
	manifest_fini(&first);
	manifest_fini(&second);
	strbuf_fini(&once);
	strbuf_fini(&twice);
	return 0;
}
