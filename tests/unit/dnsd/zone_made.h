/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Zones for tests, of lines "owner [ttl] TYPE data": owners and names in data
 * are relative to the apex, the TTL is 300 unless it is given. Places are
 * "made:1" and so on.
 *
 * Thread:  a test's.
 * Memory:  zones are the caller's; what name_made() and key_made() give lives
 *          until they have been called 32 times more.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dnsd/rdata.h"
#include "dnsd/zone_builder.h"

#define MADE_SEED 7u
#define MADE_BASE "@ SOA ns hostmaster 5 6 7 8 60\n@ NS ns\nns A 192.0.2.53\n"

static inline const uint8_t *name_made(const char *text, const uint8_t *origin)
{
	static uint8_t names[256][DNAME_MAX];
	static unsigned turn;
	uint8_t *name = names[turn++ % 256];
	const char *wrong = "";

	ck_assert_msg(
	    !dname_from_text(text, strlen(text), origin, name, &wrong),
	    "%s: %s", text, wrong);
	return name;
}

static inline const struct dname_key *key_made(const char *text)
{
	static struct dname_key keys[32];
	static unsigned turn;
	struct dname_key *key = &keys[turn++ % 32];
	const uint8_t *name = name_made(text, NULL);

	dname_key_of(key, name, dname_size(name), MADE_SEED);
	return key;
}

/* Reads a line into `record`, whose owner and rdata are then in the given
 * rooms. */
static inline void record_made(const char *line, const uint8_t *apex,
    uint8_t rdata[RDATA_MAX], struct dns_record *record)
{
	char owner[300], ttl[16] = "", type[16], *data = NULL;
	const char *wrong;
	int n = 0;

	if (sscanf(line, "%299s %15[0-9] %15s %n", owner, ttl, type, &n) != 3 ||
	    !n) {
		ck_assert_msg(
		    sscanf(line, "%299s %15s %n", owner, type, &n) == 2,
		    "not a record: %s", line);
		ttl[0] = '\0';
	}
	data = strdup(line + n);
	record->owner = name_made(owner, apex);
	record->ttl = ttl[0] ? (uint32_t)atoi(ttl) : 300;
	ck_assert_msg(
	    rr_type_from_text(type, strlen(type), &record->type), "%s", type);
	wrong =
	    rdata_from_text(record->type, data, apex, rdata, &record->length);
	ck_assert_msg(!wrong, "%s: %s", line, wrong);
	record->rdata = rdata;
	free(data);
}

static inline void lines_made(
    struct zone_builder *builder, const char *apex_text, const char *lines)
{
	static uint8_t rdata[RDATA_MAX];
	uint8_t apex[DNAME_MAX];
	char *copy = strdup(lines), *rest = copy, *line;
	struct dns_record record = {.place = {.file = "made"}};

	(void)dname_copy(apex, name_made(apex_text, NULL));
	while ((line = strsep(&rest, "\n"))) {
		record.place.line++;
		if (!*line)
			continue;
		record_made(line, apex, rdata, &record);
		zone_builder_add(builder, &record);
	}
	free(copy);
}

/* NULL, and what is wrong in the report, or the zone. */
static inline struct zone *zone_made(
    const char *apex, const char *lines, struct zone_report *report)
{
	struct zone_builder *builder =
	    zone_builder_new(name_made(apex, NULL), MADE_SEED, report);

	lines_made(builder, apex, lines);
	return zone_builder_finish(builder);
}

/* One that is right. */
static inline struct zone *zone_good(const char *apex, const char *lines)
{
	struct zone_report report;
	struct zone *zone;

	zone_report_init(&report);
	zone = zone_made(apex, lines, &report);
	ck_assert_msg(zone != NULL, "%s",
	    report.n_problems ? report.problems[0].text : "no zone");
	zone_report_fini(&report);
	return zone;
}

static inline const char *node_text(
    const struct zone *zone, const struct zone_node *node)
{
	static char text[DNAME_TEXT_MAX];

	if (!node)
		return "none";
	(void)dname_to_text(zone_node_name(zone, node), text);
	return text;
}
