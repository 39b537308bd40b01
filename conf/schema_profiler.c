/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the flow profiler. */
#include "base/assert.h"
#include "conf/schema_table.h"

#define AT(member) .offset = offsetof(struct conf, profiler.member)
#define POS(member) .pos_offset = offsetof(struct conf, profiler.member)

static const struct schema_choice profiler_modes[] = {
    {"off", CONF_PROFILER_OFF, SCHEMA_NOW},
    {"observe", CONF_PROFILER_OBSERVE, SCHEMA_NOW},
    {"act", CONF_PROFILER_ACT, SCHEMA_NOW},
    {0},
};

static const struct schema_choice flow_classes[] = {
#define X(id, name, help) {name, CONF_PIN(FLOW_CLASS_##id), SCHEMA_NOW},
    FLOW_CLASS_LIST(X)
#undef X
	{0},
};

/* "unknown, request, ... " */
#define CLASS_COMMA(id, name, help) name ", "
#define CLASS_NAMES FLOW_CLASS_LIST(CLASS_COMMA)

/* A key of profiler.pin. */
#define PIN(key, member, text)                                                 \
	{                                                                      \
		.path = "profiler.pin." key, .type = SCHEMA_ENUM,              \
		AT(pins.member), .choices = flow_classes, .example = "bulk",   \
		.help = text, .in_parent = true                                \
	}

static const struct schema_choice record_addresses[] = {
    {"network", CONF_RECORD_NETWORK, SCHEMA_NOW},
    {"full", CONF_RECORD_FULL, SCHEMA_NOW},
    {0},
};

static const struct schema_row rows[] = {
    {
	.path = "profiler",
	.type = SCHEMA_OBJECT,
	.help = "Tells what kind of flow each connection is, by its first "
		"bytes and early behaviour, and how its bytes are best moved.",
    },
    {
	.path = "profiler.mode",
	.type = SCHEMA_ENUM,
	AT(mode),
	.choices = profiler_modes,
	.fallback = "off",
	.example = "observe",
	.help = "observe classifies flows and shows the verdicts in the access "
		"log and in braidctl flows; act also follows them, and has "
		"bulk take turns so that small flows of a busy worker go "
		"first. Whatever the verdict, every byte arrives.",
    },
    {
	.path = "profiler.model",
	.type = SCHEMA_STRING,
	AT(model),
	POS(model_pos),
	.min = 1,
	.max = 4000,
	.fallback = "builtin",
	.example = "/var/lib/braid/model.so",
	.help =
	    "builtin, the model that comes with this version; none, with which "
	    "classes stay unknown and flows can still be recorded; or the path "
	    "of a model that braid-train has compiled "
	    "(fit --so). The file and all folders of its path must belong to root "
	    "or to the user that braidd runs as (to root where it is "
	    "started as root), and be writable by nobody else. It is checked "
	    "with mode: off, too. A reload "
	    "reads it anew and swaps it under the flows.",
    },
    {
	.path = "profiler.record",
	.type = SCHEMA_PATH,
	AT(record),
	POS(record_pos),
	.max = 4000,
	.example = "/var/lib/braid/flows.csv",
	.help = "Writes what was known of sampled flows at each verdict, and "
		"what became of them, to this file, as braid-train reads it. "
		"A full one is renamed to NAME.1, in place of the one before; "
		"one that is moved away is begun anew. Its folder must be "
		"there, and the user that braidd runs as be able to write "
		"in it. A row that cannot be written is counted and lost, "
		"and the log says why.",
    },
    {
	.path = "profiler.record_share",
	.type = SCHEMA_INTEGER,
	AT(record_share),
	.min = 1,
	.max = 1000000,
	.fallback = "100",
	.example = "1",
	.help = "One flow in this many is recorded.",
    },
    {
	.path = "profiler.record_size",
	.type = SCHEMA_SIZE,
	AT(record_bytes),
	.min = 1u << 16,
	.max = UINT64_C(1) << 40,
	.fallback = "64MiB",
	.example = "1GiB",
	.help = "The size at which the recorded file is full. There are at "
		"most two, so twice of this and a little more.",
    },
    {
	.path = "profiler.record_addresses",
	.type = SCHEMA_ENUM,
	AT(record_addresses),
	.choices = record_addresses,
	.fallback = "network",
	.example = "full",
	.help = "How much of a client's address is recorded: network cuts it "
		"to 24 bits of IPv4 and 48 of IPv6; full keeps all of it, "
		"which makes the file personal data in many countries.",
    },
    {
	.path = "profiler.pin",
	.type = SCHEMA_OBJECT,
	.example = "{ssh: interactive, rsync: bulk}",
	.help = "The class of flows by your word in place of the model's, a "
		"line each, PROTOCOL: CLASS. Protocols are those of "
		"listeners.*.routes.*.protocol, told by the first read from "
		"the client, or from the server where that tells nothing; "
		"unknown means flows of no known protocol, any all whose "
		"protocol is not named here. Classes are " CLASS_NAMES
		"where unknown stands for no verdict at all. With mode: "
		"observe it is only shown. A reload changes it for new flows.",
    },
#define X(id, name, kind, first, ports)                                        \
	PIN(name, by_protocol[PROTOCOL_##id],                                  \
	    "The class of flows of " name "."),
    PROTOCOL_LIST(X)
#undef X
	PIN("unknown", by_protocol[PROTOCOL_UNKNOWN],
	    "The class of flows of no known protocol."),
    PIN("any", any, "The class of flows whose protocol has no pin of its own."),
    {0},
};

const struct schema_block schema_profiler = {rows, BR_COUNT(rows) - 1};
