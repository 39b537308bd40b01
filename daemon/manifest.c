/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/manifest.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/cursor.h"
#include "fleet/outlier.h"

#include <stdlib.h>
#include <string.h>

enum record {
	RECORD_PROCESS = 1,
	RECORD_CONTROL,
	RECORD_API,
	RECORD_SOCKETS,
	RECORD_OLDER,
	RECORD_SERVER,
	RECORD_LOG = MANIFEST_OPTIONAL,
	RECORD_TLS,
	RECORD_NAME,
};

void manifest_init(struct manifest *manifest)
{
	memset(manifest, 0, sizeof *manifest);
}

void manifest_fini(struct manifest *manifest)
{
	free(manifest->sockets);
	free(manifest->servers);
	if (manifest->names)
		name_view_unref(manifest->names);
	manifest_init(manifest);
}

static void *grow(void *array, uint32_t n, uint32_t *room, size_t bytes)
{
	if (n < *room)
		return array;
	*room = *room ? *room * 2 : 64;
	array = realloc(array, *room * bytes);
	if (!array)
		br_out_of_memory("a manifest", *room * bytes);
	return array;
}

void manifest_add_sockets(
    struct manifest *manifest, const struct manifest_sockets *sockets)
{
	manifest->sockets = grow(manifest->sockets, manifest->n_sockets,
	    &manifest->room_sockets, sizeof *sockets);
	manifest->sockets[manifest->n_sockets++] = *sockets;
}

void manifest_add_server(
    struct manifest *manifest, const struct manifest_server *server)
{
	manifest->servers = grow(manifest->servers, manifest->n_servers,
	    &manifest->room_servers, sizeof *server);
	manifest->servers[manifest->n_servers++] = *server;
}

uint64_t manifest_fds(const struct manifest *manifest)
{
	uint64_t n = 1;

	n += manifest->control.length != 0;
	n += manifest->api.length != 0;
	n += 2 * (uint64_t)manifest->n_older;
	for (uint32_t i = 0; i < manifest->n_sockets; i++)
		n += manifest->sockets[i].n_fds;
	return n;
}

/* -- writing ----------------------------------------------------------- */

static void put_number(struct strbuf *out, uint64_t value, uint32_t bytes)
{
	char text[8];

	for (uint32_t i = 0; i < bytes; i++)
		text[i] = (char)(value >> (8 * (bytes - 1 - i)) & 0xff);
	strbuf_add(out, text, bytes);
}

static void put_text(struct strbuf *out, const char *text)
{
	size_t length = strlen(text);

	br_assert(length <= 255);
	put_number(out, length, 1);
	strbuf_add(out, text, length);
}

static void put_addr(struct strbuf *out, const struct addr *addr)
{
	char text[ADDR_TEXT_MAX];

	addr_format(addr, text);
	put_text(out, text);
}

/* Where its length is to be filled in. */
static size_t begin(struct strbuf *out, enum record type)
{
	put_number(out, type, 1);
	put_number(out, 0, 4);
	return out->length;
}

static void end(struct strbuf *out, size_t from)
{
	size_t length = out->length - from;

	for (uint32_t i = 0; i < 4; i++)
		out->text[from - 4 + i] =
		    (char)(length >> (8 * (3 - i)) & 0xff);
}

static void put_process(struct strbuf *out, enum record type,
    const struct manifest_process *process)
{
	size_t from = begin(out, type);

	put_number(out, process->pid, 4);
	put_number(out, process->number, 4);
	put_number(out, (uint64_t)process->started_ns, 8);
	put_text(out, process->version);
	end(out, from);
}

static void put_place(
    struct strbuf *out, enum record type, const struct addr *addr)
{
	size_t from;

	if (!addr->length)
		return;
	from = begin(out, type);
	put_addr(out, addr);
	end(out, from);
}

static void put_sockets(
    struct strbuf *out, const struct manifest_sockets *sockets)
{
	size_t from = begin(out, RECORD_SOCKETS);

	put_addr(out, &sockets->addr);
	put_number(out, sockets->device, 8);
	put_number(out, sockets->inode, 8);
	put_number(out, sockets->n_fds, 2);
	put_number(out, sockets->use, 1);
	end(out, from);
}

static void put_agent(struct strbuf *out, const struct board_agent *agent)
{
	put_number(out, agent->admin, 1);
	put_number(out, agent->down, 1);
	put_number(out, agent->has_percent, 1);
	put_number(out, agent->has_maxconn, 1);
	put_number(out, agent->percent, 4);
	put_number(out, agent->maxconn, 4);
	put_number(out, (uint64_t)agent->heard_ns, 8);
	put_number(out, (uint64_t)agent->since_ns, 8);
	put_text(out, agent->said);
}

static void put_ejection(struct strbuf *out, const struct board_facts *facts)
{
	put_number(out, (uint64_t)facts->ejected_ns, 8);
	put_number(out, (uint64_t)facts->ejected_until_ns, 8);
	put_number(out, facts->eject_steps, 4);
	put_number(out, (uint32_t)-facts->eject_error, 4);
}

static void put_server(struct strbuf *out, const struct manifest_server *server)
{
	const struct board_facts *facts = &server->facts;
	size_t from = begin(out, RECORD_SERVER);

	put_text(out, server->pool);
	put_text(out, server->server);
	put_addr(out, &server->addr);
	put_number(out, server->weight, 4);
	put_number(out, facts->health, 1);
	put_number(out, facts->admin, 1);
	put_number(out, facts->weight_override, 4);
	put_number(out, (uint64_t)facts->health_since_ns, 8);
	put_number(out, (uint64_t)facts->admin_since_ns, 8);
	put_number(out, (uint64_t)facts->checked_ns, 8);
	put_number(out, (uint64_t)facts->returned_ns, 8);
	put_number(out, facts->check_us, 4);
	put_text(out, facts->cause);
	put_agent(out, &facts->agent);
	put_ejection(out, facts);
	put_number(out, (uint64_t)facts->leaves_ns, 8);
	end(out, from);
}

static void put_log(struct strbuf *out, const struct manifest_log *log)
{
	size_t from;

	if (!log->known)
		return;
	from = begin(out, RECORD_LOG);
	put_number(out, log->configured, 1);
	put_number(out, log->now, 1);
	end(out, from);
}

static void put_record(
    struct strbuf *out, enum name_type type, const struct name_record *record)
{
	if (type == NAME_SRV) {
		put_number(out, record->priority, 2);
		put_number(out, record->weight, 2);
		put_number(out, record->port, 2);
		put_text(out, record->target);
	} else if (type == NAME_A) {
		strbuf_add(out, (const char *)&record->addr.in.sin_addr, 4);
	} else {
		strbuf_add(out, (const char *)&record->addr.in6.sin6_addr, 16);
	}
}

static void put_name(struct strbuf *out, const struct name_view_row *row)
{
	size_t from = begin(out, RECORD_NAME);

	put_number(out, row->type, 1);
	put_text(out, row->host);
	put_number(out, row->last, 1);
	put_number(out, row->ttl_s, 4);
	put_number(out, (uint64_t)row->answered.ns, 8);
	put_number(out, (uint64_t)row->absent_since.ns, 8);
	put_number(out, row->n, 2);
	for (uint32_t i = 0; i < row->n; i++)
		put_record(out, row->type, &row->records[i]);
	end(out, from);
}

static void put_names(struct strbuf *out, const struct name_view *names)
{
	uint32_t n =
	    names->n < MANIFEST_NAMES_MAX ? names->n : MANIFEST_NAMES_MAX;

	/* What was never answered is not known. */
	for (uint32_t i = 0; i < n; i++)
		if (names->rows[i].asked)
			put_name(out, &names->rows[i]);
}

void manifest_encode(const struct manifest *manifest, struct strbuf *ret)
{
	put_process(ret, RECORD_PROCESS, &manifest->process);
	put_place(ret, RECORD_CONTROL, &manifest->control);
	put_place(ret, RECORD_API, &manifest->api);
	for (uint32_t i = 0; i < manifest->n_sockets; i++)
		put_sockets(ret, &manifest->sockets[i]);
	for (uint32_t i = 0; i < manifest->n_older; i++)
		put_process(ret, RECORD_OLDER, &manifest->older[i]);
	for (uint32_t i = 0; i < manifest->n_servers; i++)
		put_server(ret, &manifest->servers[i]);
	put_log(ret, &manifest->log);
	if (manifest->n_tls) {
		size_t from = begin(ret, RECORD_TLS);

		strbuf_add(ret, (const char *)manifest->tls, manifest->n_tls);
		end(ret, from);
	}
	if (manifest->names)
		put_names(ret, manifest->names);
}

/* -- reading ----------------------------------------------------------- */

/* A text without control characters, terminated. */
static bool take_text(struct cursor *in, char *ret, size_t room)
{
	uint8_t length;

	if (!cursor_u8(in, &length) || length >= room ||
	    !cursor_copy(in, ret, length))
		return false;
	ret[length] = '\0';
	for (uint32_t i = 0; i < length; i++)
		if ((unsigned char)ret[i] < 0x20 || ret[i] == 0x7f)
			return false;
	return true;
}

static bool take_addr(struct cursor *in, struct addr *ret)
{
	char text[ADDR_TEXT_MAX];

	/* Those of POPs have no port. */
	return take_text(in, text, sizeof text) &&
	       (!addr_parse(ret, text) || !addr_parse_ip(ret, text));
}

static bool take_ns(struct cursor *in, int64_t *ret)
{
	uint64_t value;

	if (!cursor_be64(in, &value) || value > INT64_MAX)
		return false;
	*ret = (int64_t)value;
	return true;
}

static bool take_process(struct cursor *in, struct manifest_process *ret)
{
	return cursor_be32(in, &ret->pid) && cursor_be32(in, &ret->number) &&
	       take_ns(in, &ret->started_ns) &&
	       take_text(in, ret->version, sizeof ret->version) &&
	       ret->pid > 0 && ret->pid <= INT32_MAX && ret->number > 0;
}

/* A version without the responder says nothing of it. */
static bool take_use(struct cursor *in, enum manifest_use *ret)
{
	uint8_t use = MANIFEST_LISTENER;

	if (cursor_left(in) && !cursor_u8(in, &use))
		return false;
	*ret = (enum manifest_use)use;
	return use < MANIFEST_USES;
}

static bool take_sockets(struct manifest *ret, struct cursor *in)
{
	struct manifest_sockets sockets;
	uint16_t n;

	if (ret->n_sockets == MANIFEST_SOCKETS_MAX ||
	    !take_addr(in, &sockets.addr) ||
	    !cursor_be64(in, &sockets.device) ||
	    !cursor_be64(in, &sockets.inode) || !cursor_be16(in, &n) ||
	    !take_use(in, &sockets.use))
		return false;
	sockets.n_fds = n;
	if (n == 0 || n > CONF_WORKERS_MAX)
		return false;
	manifest_add_sockets(ret, &sockets);
	return true;
}

static bool take_facts(struct cursor *in, struct board_facts *ret)
{
	uint8_t health, admin;

	if (!cursor_u8(in, &health) || health > BOARD_DOWN ||
	    !cursor_u8(in, &admin) || admin > BOARD_MAINT)
		return false;
	ret->health = (enum board_health)health;
	ret->admin = (enum board_admin)admin;
	return cursor_be32(in, &ret->weight_override) &&
	       take_ns(in, &ret->health_since_ns) &&
	       take_ns(in, &ret->admin_since_ns) &&
	       take_ns(in, &ret->checked_ns) &&
	       take_ns(in, &ret->returned_ns) &&
	       cursor_be32(in, &ret->check_us) &&
	       take_text(in, ret->cause, sizeof ret->cause);
}

static bool take_flag(struct cursor *in, bool *ret)
{
	uint8_t value;

	if (!cursor_u8(in, &value) || value > 1)
		return false;
	*ret = value;
	return true;
}

static bool take_agent(struct cursor *in, struct board_agent *ret)
{
	uint8_t admin;

	if (!cursor_u8(in, &admin) || admin > BOARD_MAINT)
		return false;
	ret->admin = (enum board_admin)admin;
	return take_flag(in, &ret->down) && take_flag(in, &ret->has_percent) &&
	       take_flag(in, &ret->has_maxconn) &&
	       cursor_be32(in, &ret->percent) &&
	       cursor_be32(in, &ret->maxconn) && take_ns(in, &ret->heard_ns) &&
	       take_ns(in, &ret->since_ns) &&
	       take_text(in, ret->said, sizeof ret->said);
}

/* An older version says nothing of it. */
static bool take_ejection(struct cursor *in, struct board_facts *ret)
{
	uint32_t error;

	if (!cursor_left(in))
		return true;
	if (!take_ns(in, &ret->ejected_ns) ||
	    !take_ns(in, &ret->ejected_until_ns) ||
	    !cursor_be32(in, &ret->eject_steps) || !cursor_be32(in, &error) ||
	    ret->eject_steps > OUTLIER_STEPS_MAX || error > INT32_MAX)
		return false;
	ret->eject_error = -(int32_t)error;
	return true;
}

/* Likewise. */
static bool take_leave(struct cursor *in, struct board_facts *ret)
{
	return !cursor_left(in) || take_ns(in, &ret->leaves_ns);
}

static bool take_server(struct manifest *ret, struct cursor *in)
{
	struct manifest_server server = {.weight = 0};

	if (ret->n_servers == MANIFEST_SERVERS_MAX ||
	    !take_text(in, server.pool, sizeof server.pool) ||
	    !take_text(in, server.server, sizeof server.server) ||
	    !take_addr(in, &server.addr) || !cursor_be32(in, &server.weight) ||
	    !take_facts(in, &server.facts) ||
	    !take_agent(in, &server.facts.agent) ||
	    !take_ejection(in, &server.facts) || !take_leave(in, &server.facts))
		return false;
	manifest_add_server(ret, &server);
	return true;
}

static bool take_log(struct manifest_log *ret, struct cursor *in)
{
	uint8_t configured, now;

	if (!cursor_u8(in, &configured) || !cursor_u8(in, &now) ||
	    configured > LOG_DEBUG || now > LOG_DEBUG)
		return false;
	*ret = (struct manifest_log){
	    true, (enum log_level)configured, (enum log_level)now};
	return true;
}

static bool take_address(
    struct cursor *in, enum name_type type, struct addr *ret)
{
	memset(ret, 0, sizeof *ret);
	if (type == NAME_A) {
		ret->in.sin_family = AF_INET;
		ret->length = sizeof ret->in;
		return cursor_copy(in, &ret->in.sin_addr, 4);
	}
	ret->in6.sin6_family = AF_INET6;
	ret->length = sizeof ret->in6;
	return cursor_copy(in, &ret->in6.sin6_addr, 16);
}

static bool take_host(struct cursor *in, char ret[NAME_HOST_MAX + 1])
{
	return take_text(in, ret, NAME_HOST_MAX + 1) && ret[0];
}

static bool take_name_record(
    struct cursor *in, enum name_type type, struct name_record *ret)
{
	if (type != NAME_SRV)
		return take_address(in, type, &ret->addr);
	return cursor_be16(in, &ret->priority) &&
	       cursor_be16(in, &ret->weight) && cursor_be16(in, &ret->port) &&
	       take_host(in, ret->target);
}

static bool take_name_records(
    struct cursor *in, struct arena *arena, struct name_view_row *row)
{
	struct name_record *records =
	    arena_alloc(arena, row->n * sizeof *records + 1);

	row->records = records;
	for (uint32_t i = 0; i < row->n; i++)
		if (!take_name_record(in, row->type, &records[i]))
			return false;
	return true;
}

static struct name_view_row *next_name(struct manifest *manifest)
{
	struct name_view *names = manifest->names;
	struct name_view_row *rows;

	if (!names)
		names = manifest->names = name_view_new();
	if (names->n == manifest->room_names) {
		manifest->room_names =
		    manifest->room_names ? manifest->room_names * 2 : 64;
		rows = arena_alloc(
		    names->arena, manifest->room_names * sizeof *rows);
		if (names->n)
			memcpy(rows, names->rows, names->n * sizeof *rows);
		names->rows = rows;
	}
	return &names->rows[names->n];
}

/* Kinds of questions that are not known are passed over. */
static bool take_name(struct manifest *ret, struct cursor *in)
{
	char host[NAME_HOST_MAX + 1];
	struct name_view_row row = {.asked = true}, *next;
	uint8_t type, last;
	uint16_t n;

	if (!cursor_u8(in, &type))
		return false;
	if (type >= NAME_TYPES)
		return true;
	row.type = (enum name_type)type;
	if ((ret->names && ret->names->n == MANIFEST_NAMES_MAX) ||
	    !take_host(in, host) || !cursor_u8(in, &last) ||
	    !cursor_be32(in, &row.ttl_s) || !take_ns(in, &row.answered.ns) ||
	    !take_ns(in, &row.absent_since.ns) || !cursor_be16(in, &n) ||
	    n > NAME_RECORDS_MAX)
		return false;
	row.last = last < NAME_RESULTS ? (enum name_result)last : NAME_FAILED;
	row.n = n;
	next = next_name(ret);
	row.host = arena_strdup(ret->names->arena, host);
	if (!take_name_records(in, ret->names->arena, &row))
		return false;
	*next = row;
	ret->names->n++;
	return true;
}

static bool take_record(struct manifest *ret, uint8_t type, struct cursor *in)
{
	switch (type) {
	case RECORD_PROCESS:
		return !ret->process.pid && take_process(in, &ret->process);
	case RECORD_CONTROL:
		return take_addr(in, &ret->control);
	case RECORD_API:
		return take_addr(in, &ret->api);
	case RECORD_SOCKETS:
		return take_sockets(ret, in);
	case RECORD_OLDER:
		return ret->n_older < CONF_GENERATIONS_MAX &&
		       take_process(in, &ret->older[ret->n_older++]);
	case RECORD_SERVER:
		return take_server(ret, in);
	case RECORD_LOG:
		return take_log(&ret->log, in);
	case RECORD_TLS:
		ret->tls = in->at;
		ret->n_tls = (uint32_t)cursor_left(in);
		return ret->n_tls <= MANIFEST_TLS_MAX;
	case RECORD_NAME:
		return take_name(ret, in);
	default:
		return type >= MANIFEST_OPTIONAL;
	}
}

int manifest_decode(struct manifest *ret, const void *bytes, size_t length)
{
	struct cursor in = cursor_of(bytes, length);

	manifest_init(ret);
	while (cursor_left(&in)) {
		struct cursor record;
		uint32_t n;
		uint8_t type;

		if (!cursor_u8(&in, &type) || !cursor_be32(&in, &n) ||
		    !cursor_take(&in, n, &record) ||
		    !take_record(ret, type, &record)) {
			manifest_fini(ret);
			return BR_E_PROTOCOL;
		}
	}
	if (ret->process.pid)
		return 0;
	manifest_fini(ret);
	return BR_E_PROTOCOL;
}
