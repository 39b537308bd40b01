/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of whole blocks that a later version brings: known, so that a file
 * written for it is refused in clear words, and documented as such. */
#include "base/assert.h"
#include "conf/schema_table.h"

#define HOUR_MS (UINT64_C(3600) * 1000)

#define LATER(key, kind, ...)                                                  \
	{                                                                      \
		.path = key, .type = kind, .when = SCHEMA_LATER, __VA_ARGS__   \
	}

static const struct schema_row rows[] = {
    LATER("node", SCHEMA_OBJECT, .help = "This Braid among the others."),
    LATER("node.name", SCHEMA_STRING, .max = 255, .example = "n1",
	.help = "Its name, which the others list under nodes."),
    LATER("node.listen", SCHEMA_ADDRESS, .example = "192.0.2.1:9901",
	.help = "Where the others reach it."),
    LATER("node.role", SCHEMA_LIST, .example = "[ingress, relay]",
	.help = "Any of ingress, relay, egress."),
    LATER("node.tls", SCHEMA_OBJECT,
	.help = "How it proves its name to the others."),
    LATER("node.tls.cert", SCHEMA_PATH, .max = 4000,
	.example = "/etc/braid/node.pem", .help = "Its certificate."),
    LATER("node.tls.key", SCHEMA_PATH, .max = 4000,
	.example = "/etc/braid/node.key", .help = "The certificate's key."),
    LATER("node.tls.ca", SCHEMA_PATH, .max = 4000,
	.example = "/etc/braid/nodes.pem",
	.help = "Authority that signed all nodes' certificates."),
    LATER("nodes", SCHEMA_MAP, .noun = "node",
	.help = "The other Braids, by name."),
    LATER("nodes.*", SCHEMA_ENTRY, .noun = "node", .help = "One of them."),
    LATER("nodes.*.address", SCHEMA_ADDRESS, .example = "192.0.2.2:9901",
	.help = "Where it listens for nodes."),
    LATER("nodes.*.role", SCHEMA_LIST, .example = "[relay]",
	.help = "What it may be used for: ingress, relay, egress."),
    LATER("nodes.*.zone", SCHEMA_STRING, .max = 255, .example = "rack-2",
	.help = "Where it stands."),
    LATER("dis", SCHEMA_MAP, .noun = "DI",
	.help = "Destination identifiers: what clients connect to, by name."),
    LATER("dis.*", SCHEMA_ENTRY, .noun = "DI",
	.help = "One destination identifier."),
    LATER("dis.*.addresses", SCHEMA_LIST, .example = "[192.0.2.30]",
	.help = "Its addresses."),
    LATER("dis.*.listener", SCHEMA_STRING, .max = 255, .example = "web",
	.help = "Listener that serves it."),
    LATER("dis.*.home", SCHEMA_STRING, .max = 255, .example = "pop1",
	.help = "POP where it normally is."),
    LATER("dis.*.standby", SCHEMA_LIST, .example = "[pop2]",
	.help = "POPs that may hold its shadow."),
    LATER("predict", SCHEMA_OBJECT, .help = "Forecasts of demand."),
    LATER("predict.mode", SCHEMA_STRING, .max = 255, .fallback = "off",
	.example = "observe", .help = "off, observe or act."),
    LATER("predict.leader", SCHEMA_STRING, .max = 255, .example = "n1",
	.help = "Node that forecasts for all."),
    LATER("predict.step", SCHEMA_DURATION, .max = HOUR_MS, .fallback = "10s",
	.example = "10s", .help = "Interval at which nodes report demand."),
    LATER("predict.horizons", SCHEMA_LIST, .example = "[5m, 1h]",
	.help = "How far ahead."),
    LATER("predict.target", SCHEMA_STRING, .max = 255, .fallback = "0.8",
	.example = "0.7", .help = "Share of a POP's capacity to fill."),
    LATER("predict.series", SCHEMA_INTEGER, .max = 1000000, .fallback = "10000",
	.example = "5000", .help = "Most series kept."),
    LATER("predict.store", SCHEMA_OBJECT, .help = "Where the past is kept."),
    LATER("predict.store.size", SCHEMA_SIZE, .max = UINT64_C(1) << 44,
	.fallback = "2GiB", .example = "8GiB",
	.help = "Most disk space for it."),
    LATER("shadow", SCHEMA_OBJECT,
	.help = "Destination addresses held ready elsewhere."),
    LATER("shadow.lead", SCHEMA_DURATION, .max = 24 * HOUR_MS,
	.fallback = "15m", .example = "30m",
	.help = "How long before the need one is prepared."),
    LATER("shadow.hold", SCHEMA_DURATION, .max = 24 * HOUR_MS,
	.fallback = "30m", .example = "1h",
	.help = "How long it stays afterwards."),
    LATER("shadow.per_pop", SCHEMA_INTEGER, .max = 10000, .fallback = "16",
	.example = "32", .help = "Most shadows at one POP."),
    {0},
};

const struct schema_block schema_later = {rows, BR_COUNT(rows) - 1};
