/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What one generation of braidd hands to the next, in writing: who it is,
 * which sockets come along and in which order, and what operators, health
 * checks and the DNS have said about servers.
 *
 *      record: type (1 byte) length (4) fields ...      big endian
 *
 *      descriptors, in this order:
 *        control | api | sockets by record | for each older
 *        generation its channel and its counters | own counters
 *
 * A reader skips records of types from MANIFEST_OPTIONAL on that it does not
 * know, and ignores what stands behind the fields that it knows; any other
 * surprise is an error, so that nothing is handed over by halves.
 *
 * Thread:  any (pure).
 * Memory:  manifest_init() .. manifest_fini(); arrays grow as records are
 *          added. `tls` points into the bytes that were decoded or given. A
 *          reference to `names` is the manifest's.
 * Units:   *_ns on the monotonic clock, which both processes share;
 *          started_ns on the wall clock.
 * Errors:  BR_E_PROTOCOL: these bytes are no manifest. BR_E_LIMIT: more than
 *          a configuration may have.
 * Limits:  those of conf/conf.h, fleet/name.h; MANIFEST_NAMES_MAX questions.
 */
#include "base/addr.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "fleet/board.h"
#include "fleet/name_view.h"

#define MANIFEST_OPTIONAL 128u
#define MANIFEST_VERSION_MAX 63
#define MANIFEST_SOCKETS_MAX (CONF_LISTENERS_MAX * CONF_BINDS_MAX)
#define MANIFEST_SERVERS_MAX                                                   \
	(CONF_SERVERS_MAX + CONF_POPS_MAX * CONF_POP_ADDRESSES_MAX)
/* With room for what stands before the name of a POP. */
#define MANIFEST_POOL_MAX (CONF_NAME_MAX + 1 + 8)
#define MANIFEST_TLS_MAX 65536u
#define MANIFEST_NAMES_MAX (4u * CONF_SERVERS_MAX)

struct manifest_process {
	uint32_t pid;
	uint32_t number; /* of the generation, 1 the first */
	int64_t started_ns;
	char version[MANIFEST_VERSION_MAX + 1];
};

/* What sockets are for: listeners of both kinds may have the same address. */
enum manifest_use {
	MANIFEST_LISTENER,
	MANIFEST_DNS_UDP,
	MANIFEST_DNS_TCP,
	MANIFEST_AGENT,
	MANIFEST_USES
};

/* The sockets of one address, one after the other. */
struct manifest_sockets {
	struct addr addr;
	enum manifest_use use;
	uint64_t device, inode; /* unix: the file at its path */
	uint32_t n_fds;
};

/* What outlives reloads, and upgrades. */
struct manifest_server {
	char pool[MANIFEST_POOL_MAX], server[CONF_NAME_MAX + 1];
	struct addr addr;
	uint32_t weight; /* configured */
	struct board_facts facts; /* without its counters */
};

struct manifest_log {
	bool known;
	enum log_level configured, now;
};

struct manifest {
	struct manifest_process process;
	struct addr control, api; /* length 0: not handed over */
	struct manifest_log log;
	uint32_t n_older, n_sockets, n_servers;
	uint32_t room_sockets, room_servers, room_names;
	struct manifest_process older[CONF_GENERATIONS_MAX];
	struct manifest_sockets *sockets;
	struct manifest_server *servers;
	/* Ticket keys and what else TLS keeps for the process, as its owner
	 * has put it together; secret. */
	const uint8_t *tls;
	uint32_t n_tls;
	/* What is known about names of servers: of each row the question, the
	 * last result, records and times; not its counts. NULL: nothing. */
	struct name_view *names;
};

void manifest_init(struct manifest *manifest);
void manifest_fini(struct manifest *manifest);
void manifest_add_sockets(
    struct manifest *manifest, const struct manifest_sockets *sockets);
void manifest_add_server(
    struct manifest *manifest, const struct manifest_server *server);
/* How many descriptors come with it. */
uint64_t manifest_fds(const struct manifest *manifest);

void manifest_encode(const struct manifest *manifest, struct strbuf *ret);
/* ret is initialised here, and empty after an error. */
int manifest_decode(
    struct manifest *ret, const void *bytes, size_t length) BR_MUST_CHECK;
