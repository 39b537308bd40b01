/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/assert.h"
#include "dnsd/resource_parts.h"
#include "dnsd/rr_type.h"
#include "dnsd/svcb.h"

#include <stdio.h>
#include <string.h>

/* An HTTPS record: priority, a name, and parameters that the configuration
 * bounds: CONF_POP_ADDRESSES_MAX hints and a list of protocols. */
#define HTTPS_ROOM (64u * 1024u - 1)

/* -- names ------------------------------------------------------------- */

/* A pattern's text, filled in. */
struct filled {
	char text[DNAME_TEXT_MAX];
	size_t length;
	bool too_long;
};

static void append(struct filled *f, const char *text, size_t length)
{
	if (length >= sizeof f->text - f->length) {
		f->too_long = true;
		return;
	}
	memcpy(f->text + f->length, text, length);
	f->length += length;
	f->text[f->length] = '\0';
}

/* Labels of a service (RFC 2782) lose their underscore, which no host's name
 * has, and become one label with what follows: _sip._tcp is sip-tcp. What is
 * checked of the configuration (conf/rules_resources.c) is the same text. */
static void append_resource(struct filled *f, const struct resource *r)
{
	const char *name = strcmp(r->name, "@") ? r->name : "apex";

	while (*name == '_') {
		size_t length = strcspn(++name, ".");

		append(f, name, length);
		name += length;
		if (*name == '.') {
			append(f, "-", 1);
			name++;
		}
	}
	append(f, name, strlen(name));
}

static void fill_pattern(struct filled *f, const char *pattern,
    const struct resource *r, const struct pop *pop)
{
	static const char of_pop[] = "{pop}", of_resource[] = "{resource}";

	f->length = 0;
	f->too_long = false;
	while (*pattern) {
		if (!strncmp(pattern, of_pop, sizeof of_pop - 1)) {
			append(f, pop->name, strlen(pop->name));
			pattern += sizeof of_pop - 1;
		} else if (!strncmp(
			       pattern, of_resource, sizeof of_resource - 1)) {
			append_resource(f, r);
			pattern += sizeof of_resource - 1;
		} else {
			append(f, pattern++, 1);
		}
	}
}

static const char *target_wrong(
    const struct resource *r, uint32_t position, const uint8_t *name)
{
	if (dname_is_wildcard(name))
		return "is a wildcard";
	/* An alias of itself resolves to nothing. */
	if (dname_equal(name, r->owner))
		return "is the resource itself";
	for (uint32_t i = 0; i < position; i++)
		if (r->targets[i].name && dname_equal(name, r->targets[i].name))
			return "is another POP's as well";
	return NULL;
}

static void make_target(struct resource_maker *m, uint32_t position)
{
	struct resource *r = m->r;
	struct resource_target *target = &r->targets[position];
	const struct pop *pop = r->pop[position];
	uint8_t name[DNAME_MAX], *copy;
	const char *wrong = "is longer than 255 bytes";
	struct filled f;
	int rc = -1;

	fill_pattern(&f, m->options->conf->target, r, pop);
	if (!f.too_long)
		rc = dname_from_text(f.text, f.length, r->apex, name, &wrong);
	if (!rc)
		wrong = target_wrong(r, position, name);
	if (wrong) {
		resource_wrong(
		    m, "target \"%s\" of POP %s %s", f.text, pop->name, wrong);
		return;
	}
	target->size = (uint16_t)dname_size(name);
	copy = arena_alloc(m->arena, target->size);
	(void)dname_copy(copy, name);
	target->name = copy;
	/* The owner is what is asked for: a wildcard is no resource. */
	target->shared = (uint8_t)dname_common_labels(name, r->owner);
	target->in_zone = dname_is_within(name, r->apex);
}

void resource_targets_make(struct resource_maker *m)
{
	m->r->targets =
	    arena_alloc(m->arena, m->r->n_pops * sizeof *m->r->targets);
	for (uint32_t i = 0; i < m->r->n_pops; i++)
		make_target(m, i);
}

/* -- records ----------------------------------------------------------- */

struct resource_image resource_https_image(struct arena *arena,
    const struct resource *r, uint16_t priority, const uint8_t *target,
    const struct pop *pop)
{
	struct arena *scratch = arena_new();
	uint8_t *room = arena_alloc(scratch, HTTPS_ROOM), *rdata;
	struct svcb_fields fields = {
	    .priority = priority,
	    .port = r->port,
	    .target = target,
	    .alpn = r->alpn,
	    .n_alpn = r->n_alpn,
	};
	size_t length;

	if (pop) {
		fields.ipv4 = pop->ipv4;
		fields.n_ipv4 = pop->n_ipv4;
		fields.ipv6 = pop->ipv6;
		fields.n_ipv6 = pop->n_ipv6;
	}
	length = svcb_write(&fields, room, HTTPS_ROOM);
	br_assert(length);
	rdata = arena_alloc(arena, length);
	memcpy(rdata, room, length);
	arena_free(scratch);
	return (struct resource_image){rdata, (uint16_t)length};
}

/* A browser that sees an HTTPS record takes the site to want https (RFC 9460
 * section 9.5), so there is none unless the configuration speaks of it. In mode
 * rank the owner has them. */
static bool wants_https(const struct resource *r)
{
	return r->ops->alias && r->n_alpn;
}

void resource_records(const struct resource *r,
    void (*on_record)(void *context, const struct dns_record *record),
    void *context)
{
	static const uint8_t self[1];

	for (uint32_t i = 0; r->ops->has_targets && i < r->n_pops; i++) {
		const struct pop *pop = r->pop[i];
		struct dns_record record = {
		    .owner = r->targets[i].name, .ttl = RESOURCE_TARGET_TTL_S};

		if (!r->targets[i].in_zone)
			continue;
		record.type = RR_A;
		record.length = 4;
		for (uint32_t k = 0; k < pop->n_ipv4; k++) {
			record.rdata = pop->ipv4[k];
			on_record(context, &record);
		}
		record.type = RR_AAAA;
		record.length = 16;
		for (uint32_t k = 0; k < pop->n_ipv6; k++) {
			record.rdata = pop->ipv6[k];
			on_record(context, &record);
		}
		if (!wants_https(r))
			continue;
		struct arena *scratch = arena_new();
		struct resource_image image =
		    resource_https_image(scratch, r, 1, self, pop);

		record.type = RR_HTTPS;
		record.length = image.length;
		record.rdata = image.rdata;
		on_record(context, &record);
		arena_free(scratch);
	}
}
