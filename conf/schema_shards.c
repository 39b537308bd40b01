/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a pool's shards: how one large transfer is split. They follow those
 * of schema_pools.c, to whose entries they belong. */
#include "base/assert.h"
#include "conf/schema_table.h"

#define AT(member) .offset = offsetof(struct conf_pool, shard.member)

#define HOUR_MS (UINT64_C(3600) * 1000)

static const struct schema_choice shard_ranges[] = {
    {"off", CONF_SHARD_OFF, SCHEMA_NOW},
    {"auto", CONF_SHARD_AUTO, SCHEMA_NOW},
    {"on", CONF_SHARD_ON, SCHEMA_NOW},
    {0},
};

static const struct schema_choice shard_streams[] = {
    {"off", 0, SCHEMA_LATER},
    {"auto", 1, SCHEMA_LATER},
    {"on", 2, SCHEMA_LATER},
    {0},
};

static const struct schema_choice shard_validators[] = {
    {"strong", CONF_SHARD_STRONG, SCHEMA_NOW},
    {"size+date", CONF_SHARD_SIZE_DATE, SCHEMA_NOW},
    {0},
};

static const struct schema_choice shard_verifies[] = {
    {"off", CONF_SHARD_UNVERIFIED, SCHEMA_NOW},
    {"repr-digest", CONF_SHARD_REPR_DIGEST, SCHEMA_NOW},
    {0},
};

/* Keys of a later version: known, refused, documented as such. */
#define LATER(key, kind, ...)                                                  \
	{                                                                      \
		.path = "pools.*.shard." key, .type = kind,                    \
		.when = SCHEMA_LATER, __VA_ARGS__                              \
	}

static const struct schema_row rows[] = {
    {
	.path = "pools.*.shard",
	.type = SCHEMA_OBJECT,
	.example = "{range: auto}",
	.help = "Splits large transfers over several servers. Off unless "
		"range says otherwise.",
    },
    {
	.path = "pools.*.shard.range",
	.type = SCHEMA_ENUM,
	AT(range),
	.choices = shard_ranges,
	.fallback = "off",
	.example = "auto",
	.help = "Range shards over stock HTTP servers: a large answer to a "
		"GET is fetched in byte ranges from several servers of the "
		"pool at once, and goes on from the others when one of them "
		"dies. The servers must hold the same files with the same "
		"ETags. Any setting but off says that a GET to this pool may "
		"be asked twice, and has Braid read the HTTP/1.1 of its "
		"connections; what is not HTTP/1.1 (h2, WebSocket) passes as "
		"it is. auto: as many shards as make a download faster, which "
		"is tried. on: at once as many as shard.max allows. Not with "
		"tls towards the servers in this version: then the "
		"connections are read, but nothing is split.",
    },
    LATER("stream", SCHEMA_ENUM, .choices = shard_streams, .fallback = "off",
	.example = "auto", .help = "Stream shards between two Braids."),
    {
	.path = "pools.*.shard.min_size",
	.type = SCHEMA_SIZE,
	AT(min_size),
	.min = 64u << 10,
	.max = UINT64_C(1) << 40,
	.fallback = "4MiB",
	.example = "16MiB",
	.help = "Smallest answer that is split. Smaller ones come from one "
		"server.",
    },
    {
	.path = "pools.*.shard.piece",
	.type = SCHEMA_SIZE,
	AT(piece),
	.min = 64u << 10,
	.max = 64u << 20,
	.fallback = "1MiB",
	.example = "4MiB",
	.help = "Largest range that one server is asked for at a time. Pieces "
		"wait for their turn in the kernel's receive buffers, so "
		"net.core.rmem_max bounds them too.",
    },
    {
	.path = "pools.*.shard.max",
	.type = SCHEMA_INTEGER,
	AT(max),
	.min = 1,
	.max = CONF_SHARDS_MAX,
	.fallback = "4",
	.example = "8",
	.help = "Most shards of one transfer. Each is a connection to a "
		"server of its own; where there are fewer servers than that, "
		"each gets two at most. 1 splits nothing, but a download "
		"still survives its server.",
    },
    {
	.path = "pools.*.shard.validator",
	.type = SCHEMA_ENUM,
	AT(validator),
	.choices = shard_validators,
	.fallback = "strong",
	.example = "size+date",
	.help = "What proves that two servers hold the same bytes. strong: a "
		"strong ETag. size+date: the total size and Last-Modified, "
		"where it is at least one second older than Date; for servers "
		"that make their ETags of inodes, so that those of replicas "
		"differ.",
    },
    {
	.path = "pools.*.shard.verify",
	.type = SCHEMA_ENUM,
	AT(verify),
	.choices = shard_verifies,
	.fallback = "off",
	.example = "repr-digest",
	.help = "repr-digest: where the server sends Repr-Digest (RFC 9530) "
		"the whole is checked against it; the last piece is held back "
		"until it matches, and a transfer that does not match is "
		"reset. Costs a copy of each byte. off: servers with the same "
		"ETag and other bytes are not noticed.",
    },
    LATER("egress", SCHEMA_LIST, .example = "[n2]",
	.help = "Nodes at which stream shards come together."),
    LATER("relays", SCHEMA_LIST, .example = "[n3, n4]",
	.help = "Nodes over which stream shards may go."),
    LATER("links", SCHEMA_LIST,
	.example = "[{source: 192.0.2.10}, {source: 198.51.100.10}]",
	.help = "Local addresses over which stream shards are spread."),
    LATER("window", SCHEMA_SIZE, .max = UINT64_C(1) << 30, .fallback = "4MiB",
	.example = "16MiB", .help = "Window of one stream-sharded flow."),
    LATER("orphan", SCHEMA_DURATION, .max = HOUR_MS, .fallback = "10s",
	.example = "30s",
	.help = "How long a flow outlives the loss of all its shards."),
    {0},
};

const struct schema_block schema_shards = {rows, BR_COUNT(rows) - 1};
