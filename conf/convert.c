/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/convert.h"

#include "conf/convert_bytes.h"
#include "conf/convert_list.h"
#include "conf/convert_refs.h"

#include "base/assert.h"
#include "conf/address_hint.h"
#include "conf/convert_name.h"
#include "conf/synonym.h"
#include "conf/text.h"
#include "conf/value.h"
#include "conf/value_guess.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static void convert_put(const struct convert *c, const void *value, size_t size)
{
	memcpy((char *)c->element + c->row->offset, value, size);
}

static void *convert_field(const struct convert *c)
{
	return (char *)c->element + c->row->offset;
}

static void convert_add_quantity(
    struct strbuf *sb, enum schema_type type, uint64_t v)
{
	if (type == SCHEMA_DURATION)
		value_add_duration(sb, v);
	else if (type == SCHEMA_SIZE)
		value_add_size(sb, v);
	else if (type == SCHEMA_BANDWIDTH)
		value_add_bandwidth(sb, v);
	else if (type == SCHEMA_DECIMAL)
		value_add_decimal(sb, v);
	else
		strbuf_addf(sb, "%" PRIu64 "%s", v,
		    type == SCHEMA_PERCENT     ? "%"
		    : type == SCHEMA_RATE && v ? "/s"
					       : "");
}

void convert_add_bounds(struct strbuf *sb, const struct schema_row *row)
{
	enum schema_type type =
	    row->type == SCHEMA_PAIRS ? row->pair : row->type;

	convert_add_quantity(sb, type, row->min);
	strbuf_adds(sb, " to ");
	convert_add_quantity(sb, type, row->max);
}

static void convert_add_choices(struct strbuf *sb, const struct schema_row *row)
{
	bool later = schema_is_later(row);
	const char *comma = "";

	for (const struct schema_choice *at = row->choices; at->name; at++) {
		if (at->when == SCHEMA_LATER && !later)
			continue;
		strbuf_addf(sb, "%s%s", comma, at->name);
		comma = ", ";
	}
}

void convert_add_want(struct strbuf *sb, const struct schema_row *row)
{
	if (row->type == SCHEMA_ENUM) {
		strbuf_adds(sb, "one of ");
		convert_add_choices(sb, row);
	} else {
		strbuf_adds(sb, schema_types[row->type].want);
	}
	if (row->type == SCHEMA_INTEGER || row->type == SCHEMA_DECIMAL) {
		strbuf_adds(sb, " from ");
		convert_add_bounds(sb, row);
	}
	if (row->word)
		strbuf_addf(sb, ", or %s", row->word);
}

int convert_refuse(const struct convert *c)
{
	strbuf_adds(c->why, "want ");
	convert_add_want(c->why, c->row);
	strbuf_adds(c->why, ", not ");
	text_quote(c->why, c->text, c->length);
	return -EINVAL;
}

static int convert_refuse_range(const struct convert *c)
{
	strbuf_addf(
	    c->why, "%.*s is out of range, want ", TEXT_QUOTED_MAX, c->text);
	convert_add_bounds(c->why, c->row);
	if (c->row->zero_allowed)
		strbuf_adds(c->why, ", or 0");
	if (c->row->word)
		strbuf_addf(c->why, ", or %s", c->row->word);
	return -EINVAL;
}

static int convert_refuse_step(const struct convert *c)
{
	strbuf_addf(
	    c->why, "%.*s is no multiple of ", TEXT_QUOTED_MAX, c->text);
	convert_add_quantity(c->why, c->row->type, c->row->step);
	return -EINVAL;
}

static int convert_refuse_unit(const struct convert *c)
{
	strbuf_addf(
	    c->why, "%.*s has no unit, want ", TEXT_QUOTED_MAX, c->text);
	convert_add_want(c->why, c->row);
	return -EINVAL;
}

/* What was probably meant by "1m30s", "5 minutes" or "256MB". */
static int convert_refuse_number(const struct convert *c)
{
	uint64_t v = 0;

	convert_refuse(c);
	if (c->row->type == SCHEMA_DURATION ? !value_guess_duration(c->text, &v)
	    : c->row->type == SCHEMA_BANDWIDTH
		? !value_guess_bandwidth(c->text, &v)
	    : c->row->type == SCHEMA_SIZE ? !value_guess_size(c->text, &v)
					  : true)
		return -EINVAL;
	strbuf_adds(c->why, ", did you mean ");
	convert_add_quantity(c->why, c->row->type, v);
	strbuf_addc(c->why, '?');
	return -EINVAL;
}

static int convert_refuse_quoted(const struct convert *c)
{
	convert_refuse(c);
	strbuf_adds(c->why, " in quotes");
	return -EINVAL;
}

static void convert_put_number(const struct convert *c, uint64_t v)
{
	uint32_t v32 = (uint32_t)v;
	uint16_t v16 = (uint16_t)v;

	if (c->row->type == SCHEMA_DURATION || c->row->type == SCHEMA_SIZE ||
	    c->row->type == SCHEMA_BANDWIDTH)
		convert_put(c, &v, sizeof(v));
	else if (c->row->type == SCHEMA_PORT)
		convert_put(c, &v16, sizeof(v16));
	else
		convert_put(c, &v32, sizeof(v32));
}

static int convert_number(const struct convert *c)
{
	const struct schema_row *row = c->row;
	uint64_t v = 0;
	int rc;

	if (row->type == SCHEMA_DURATION)
		rc = value_duration(c->text, &v);
	else if (row->type == SCHEMA_SIZE)
		rc = value_size(c->text, &v);
	else if (row->type == SCHEMA_PERCENT)
		rc = value_percent(c->text, &v);
	else if (row->type == SCHEMA_RATE)
		rc = value_rate(c->text, &v);
	else if (row->type == SCHEMA_BANDWIDTH)
		rc = value_bandwidth(c->text, &v);
	else if (row->type == SCHEMA_DECIMAL)
		rc = value_decimal(c->text, &v);
	else
		rc = value_integer(c->text, &v);
	if (rc == -EINVAL)
		return convert_refuse_number(c);
	if (rc == -ENODATA)
		return convert_refuse_unit(c);
	if (!c->plain &&
	    (row->type == SCHEMA_INTEGER || row->type == SCHEMA_PORT ||
		row->type == SCHEMA_DECIMAL))
		return convert_refuse_quoted(c);
	if (rc == -ERANGE || v > row->max ||
	    (v < row->min && !(v == 0 && row->zero_allowed)))
		return convert_refuse_range(c);
	if (row->step && v % row->step)
		return convert_refuse_step(c);
	convert_put_number(c, v);
	return 0;
}

static int convert_bool(const struct convert *c)
{
	bool v = strcmp(c->text, "true") == 0;

	if (!v && strcmp(c->text, "false") != 0)
		return convert_refuse(c);
	if (!c->plain)
		return convert_refuse_quoted(c);
	convert_put(c, &v, sizeof(v));
	return 0;
}

/* Refuses a word that is no choice; `nearest` is the one most like it. */
static int convert_refuse_choice(const struct convert *c, const char *nearest)
{
	const struct synonym *synonym = synonym_find(c->row, c->text);
	const struct schema_choice *at = c->row->choices;

	convert_refuse(c);
	if (synonym && !synonym->meant) {
		strbuf_addf(c->why, "; %s", synonym->hint);
		return -EINVAL;
	}
	if (synonym)
		nearest = synonym->meant;
	if (!nearest)
		return -EINVAL;
	while (at->name && strcmp(at->name, nearest) != 0)
		at++;
	strbuf_addf(c->why, ", did you mean \"%s\"%s?", nearest,
	    at->when == SCHEMA_LATER ? " (not in this version)" : "");
	return -EINVAL;
}

static int convert_enum(const struct convert *c)
{
	struct text_nearest nearest;

	text_nearest_init(&nearest, c->text);
	for (const struct schema_choice *at = c->row->choices; at->name; at++) {
		if (at->when == SCHEMA_NOW)
			text_nearest_offer(&nearest, at->name);
		if (strcmp(c->text, at->name) != 0)
			continue;
		if (at->when == SCHEMA_LATER) {
			strbuf_addf(
			    c->why, "%s: not in this version, want ", at->name);
			convert_add_want(c->why, c->row);
			return -EINVAL;
		}
		convert_put(c, &at->value, sizeof(at->value));
		return 0;
	}
	return convert_refuse_choice(c, nearest.best);
}

/* Whether a text is one line of what its type allows. */
static bool convert_text_fits(const struct convert *c)
{
	enum schema_type type = c->row->type;

	if (strlen(c->text) != c->length)
		return false;
	for (const char *p = c->text; *p; p++) {
		unsigned char ch = (unsigned char)*p;

		if (ch < 0x20 || ch == 0x7f)
			return false;
		/* Both end up in the head of a request. */
		if ((type == SCHEMA_URL_PATH || type == SCHEMA_HOST) &&
		    (ch == ' ' || ch > 0x7e))
			return false;
		if (type == SCHEMA_HOST && strchr("/\\\"<>?#@,;", ch))
			return false;
	}
	if (type == SCHEMA_PATH || type == SCHEMA_URL_PATH)
		return c->text[0] == '/';
	return c->length > 0;
}

static int convert_string(const struct convert *c)
{
	const char *copy;

	if (!convert_text_fits(c))
		return convert_refuse(c);
	if (c->length > c->row->max) {
		strbuf_addf(c->why, "%zu characters, but at most %" PRIu64,
		    c->length, c->row->max);
		return -EINVAL;
	}
	copy = arena_strndup(c->arena, c->text, c->length);
	convert_put(c, &copy, sizeof(copy));
	return 0;
}

static int convert_pool(const struct convert *c)
{
	if (!convert_text_fits(c))
		return convert_refuse(c);
	*c->ret_ref = arena_strndup(c->arena, c->text, c->length);
	return 0;
}

/* Says what kind of address was given in place of one with a port. */
static int convert_refuse_address(const struct convert *c, int rc)
{
	if (rc == BR_E_VERSION) {
		strbuf_adds(c->why, "udp: not in this version");
		return -EINVAL;
	}
	text_quote(c->why, c->text, c->length);
	if (rc == -ERANGE)
		strbuf_adds(c->why, ": the port must be 1 to 65535");
	else if (rc == -ENAMETOOLONG)
		strbuf_addf(c->why,
		    ": the path is too long, the kernel takes %zu characters",
		    sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	else if (rc == -ENODEV)
		strbuf_adds(c->why, ": no such network interface");
	else if (strlen(c->text) != c->length ||
		 !address_hint(c->why, c->text, c->row->peer, c->row->port)) {
		strbuf_clear(c->why);
		convert_refuse(c);
	}
	return -EINVAL;
}

static int convert_parse_address(const struct convert *c, struct addr *ret)
{
	int rc = -EINVAL;

	if (convert_text_fits(c))
		rc = addr_parse(ret, c->text);
	if (rc && c->row->port && convert_text_fits(c) &&
	    addr_parse_ip(ret, c->text) == 0) {
		addr_set_port(ret, c->row->port);
		rc = 0;
	}
	return rc ? convert_refuse_address(c, rc) : 0;
}

int convert_address(const struct convert *c)
{
	struct addr addr;

	if (convert_parse_address(c, &addr) < 0)
		return -EINVAL;
	convert_put(c, &addr, sizeof(addr));
	return 0;
}

static int convert_ip(const struct convert *c)
{
	struct addr addr;

	if (!convert_text_fits(c) || addr_parse_ip(&addr, c->text) < 0)
		return convert_refuse(c);
	convert_put(c, &addr, sizeof(addr));
	return 0;
}

/* Appends to the list of binds, whose room is the next power of two. */
static int convert_bind(const struct convert *c)
{
	uint32_t *n = (void *)((char *)c->element + c->row->count_offset);
	struct conf_bind **binds = convert_field(c);
	struct conf_bind bind = {.pos = c->pos};

	if (convert_parse_address(c, &bind.addr) < 0)
		return -EINVAL;
	if (*n == c->row->max) {
		strbuf_addf(
		    c->why, "more than %" PRIu64 " addresses", c->row->max);
		return -EINVAL;
	}
	if ((*n & (*n - 1)) == 0)
		*binds = arena_grow(c->arena, *binds, *n * sizeof(bind),
		    (*n ? *n * 2 : 1) * sizeof(bind));
	(*binds)[(*n)++] = bind;
	return 0;
}

/* Three digits, and moves *text behind them and any blanks. */
static bool convert_status_code(const char **text, uint16_t *ret)
{
	const char *p = *text;

	for (int i = 0; i < 3; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	*ret = (uint16_t)((p[0] - '0') * 100 + (p[1] - '0') * 10 + p[2] - '0');
	for (p += 3; *p == ' ';)
		p++;
	*text = p;
	return *ret >= 100 && *ret <= 599;
}

/* Appends "200", "200-399" or several of these with commas. */
static int convert_status(const struct convert *c)
{
	struct conf_health *health = convert_field(c);
	const char *p = c->text;

	if (c->first)
		health->n_status = 0;
	for (;; p++) {
		uint16_t low, high;

		while (*p == ' ')
			p++;
		if (!convert_status_code(&p, &low))
			return convert_refuse(c);
		high = low;
		if (*p == '-') {
			p++;
			if (!convert_status_code(&p, &high) || high < low)
				return convert_refuse(c);
		}
		if (health->n_status == CONF_STATUS_RANGES_MAX) {
			strbuf_addf(c->why, "more than %d ranges",
			    CONF_STATUS_RANGES_MAX);
			return -EINVAL;
		}
		health->status[health->n_status].low = low;
		health->status[health->n_status++].high = high;
		if (*p == '\0')
			return 0;
		if (*p != ',')
			return convert_refuse(c);
	}
}

typedef int convert_type(const struct convert *c);

static convert_type *const converters[SCHEMA_TYPES] = {
    [SCHEMA_STRING] = convert_string,
    [SCHEMA_PATH] = convert_string,
    [SCHEMA_URL_PATH] = convert_string,
    [SCHEMA_HOST] = convert_string,
    [SCHEMA_BOOL] = convert_bool,
    [SCHEMA_INTEGER] = convert_number,
    [SCHEMA_PORT] = convert_number,
    [SCHEMA_SIZE] = convert_number,
    [SCHEMA_DURATION] = convert_number,
    [SCHEMA_RATE] = convert_number,
    [SCHEMA_PERCENT] = convert_number,
    [SCHEMA_ENUM] = convert_enum,
    [SCHEMA_ADDRESS] = convert_address,
    [SCHEMA_IP] = convert_ip,
    [SCHEMA_ADDRESSES] = convert_bind,
    [SCHEMA_POOL] = convert_pool,
    [SCHEMA_ORIGIN] = convert_origin,
    [SCHEMA_RESOLVERS] = convert_resolver,
    [SCHEMA_STATUS] = convert_status,
    [SCHEMA_TEXTS] = convert_texts,
    [SCHEMA_NAMES] = convert_names,
    [SCHEMA_PROTOCOLS] = convert_protocols,
    [SCHEMA_PREFIXES] = convert_prefixes,
    [SCHEMA_BANDWIDTH] = convert_number,
    [SCHEMA_DECIMAL] = convert_number,
    [SCHEMA_SWITCH] = convert_switch,
    [SCHEMA_DOMAIN] = convert_domain,
    [SCHEMA_FILE] = convert_string,
    [SCHEMA_LINES] = convert_lines,
    [SCHEMA_REFS] = convert_refs,
    [SCHEMA_IPS] = convert_ips,
    [SCHEMA_BYTES] = convert_escaped,
    [SCHEMA_HEX] = convert_hex,
};

/* A key with nothing behind it, or what YAML takes for nothing. */
static bool convert_is_null(const struct convert *c)
{
	return c->plain && (c->length == 0 || strcmp(c->text, "~") == 0 ||
			       strcasecmp(c->text, "null") == 0);
}

/* The word sets zero: of a number, or of the length of an address; of an IP
 * address, where none is there without the key, the family alone. */
static void convert_word(const struct convert *c)
{
	struct addr none = {0};

	if (c->row->type == SCHEMA_IP)
		none.length = sizeof(none.sa.sa_family);
	if (c->row->type == SCHEMA_ADDRESS || c->row->type == SCHEMA_IP)
		convert_put(c, &none, sizeof(none));
	else
		convert_put_number(c, 0);
}

int convert_scalar(const struct convert *c)
{
	convert_type *convert = converters[c->row->type];

	if (convert_is_null(c)) {
		strbuf_adds(c->why, "no value, want ");
		convert_add_want(c->why, c->row);
		return -EINVAL;
	}
	if (!convert)
		return convert_refuse(c);
	if (c->row->word && strcmp(c->text, c->row->word) == 0) {
		convert_word(c);
		return 0;
	}
	return convert(c);
}

void convert_default(
    const struct schema_row *row, void *element, struct arena *arena)
{
	struct strbuf why;
	int rc;

	strbuf_init(&why);
	rc = convert_scalar(&(struct convert){
	    .row = row,
	    .text = row->fallback,
	    .length = strlen(row->fallback),
	    .plain = true,
	    .first = true,
	    .element = element,
	    .arena = arena,
	    .why = &why,
	});
	br_assert(rc == 0);
	strbuf_fini(&why);
}
