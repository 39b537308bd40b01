/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Schema (draft 2020-12) from the table, for editors. */
#include "conf/schema_text.h"

#include "base/json.h"
#include "conf/value.h"

#include <string.h>

#define NAME_PATTERN "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
#define LABEL_PATTERN "[A-Za-z0-9_/-]{1,63}"
#define DOMAIN_PATTERN "^" LABEL_PATTERN "([.]" LABEL_PATTERN ")*[.]?$"
#define OWNER_PATTERN "^(@|" LABEL_PATTERN "([.]" LABEL_PATTERN ")*)$"
#define STATUS_PATTERN                                                         \
	"^ *[1-5][0-9]{2}( *- *[1-5][0-9]{2})?"                                \
	"( *, *[1-5][0-9]{2}( *- *[1-5][0-9]{2})?)* *$"

static void schema_json_row(
    struct json *j, const char *key, const struct schema_row *row);
static void schema_json_value(struct json *j, const struct schema_row *row);

static void schema_json_types(struct json *j, const char *a, const char *b)
{
	json_array_begin(j, "type");
	json_string(j, NULL, a);
	json_string(j, NULL, b);
	json_array_end(j);
}

/* Numbers, or one word in their place. */
static void schema_json_integer(struct json *j, const struct schema_row *row)
{
	if (row->word) {
		schema_json_types(j, "integer", "string");
		json_string(j, "pattern", "^auto$");
	} else {
		json_string(j, "type", "integer");
	}
	json_uint(j, "minimum", row->min);
	json_uint(j, "maximum", row->max);
}

/* A number with a unit is a string to YAML; a bare one is an integer. */
static void schema_json_unit(struct json *j, const struct schema_row *row,
    const char *pattern, uint64_t bare_max)
{
	struct strbuf sb;

	strbuf_init(&sb);
	if (row->word)
		strbuf_addf(&sb, "^(%s|%s)$", pattern, row->word);
	else
		strbuf_addf(&sb, "^%s$", pattern);
	schema_json_types(j, "string", "integer");
	json_string(j, "pattern", strbuf_text(&sb));
	json_uint(j, "minimum", 0);
	json_uint(j, "maximum", bare_max);
	strbuf_fini(&sb);
}

static void schema_json_enum(struct json *j, const struct schema_row *row)
{
	json_array_begin(j, "enum");
	for (const struct schema_choice *at = row->choices; at->name; at++)
		if (at->when == SCHEMA_NOW)
			json_string(j, NULL, at->name);
	json_array_end(j);
}

static void schema_json_text(
    struct json *j, const struct schema_row *row, const char *pattern)
{
	json_string(j, "type", "string");
	if (pattern)
		json_string(j, "pattern", pattern);
	if (row->max)
		json_uint(j, "maxLength", row->max);
}

/* Digits alone are an integer to YAML. Escapes make a text longer than what it
 * stands for, so its length says nothing. */
static void schema_json_bytes(struct json *j, const struct schema_row *row)
{
	schema_json_types(j, "string", "integer");
	if (row->type == SCHEMA_HEX)
		json_string(j, "pattern", "^ *([0-9A-Fa-f]{2} *)+$");
	else
		json_string(j, "pattern",
		    "^([^\\\\]|\\\\([rnt0\\\\]|x[0-9A-Fa-f]{2}))+$");
}

static void schema_json_addresses(struct json *j, const struct schema_row *row)
{
	schema_json_types(j, "string", "array");
	json_object_begin(j, "items");
	json_string(j, "type", "string");
	json_object_end(j);
	json_uint(j, "minItems", 1);
	json_uint(j, "maxItems",
	    row->max && row->type != SCHEMA_LINES ? row->max : CONF_LIST_MAX);
}

static void schema_json_status(struct json *j)
{
	json_array_begin(j, "type");
	json_string(j, NULL, "string");
	json_string(j, NULL, "integer");
	json_string(j, NULL, "array");
	json_array_end(j);
	json_string(j, "pattern", STATUS_PATTERN);
	json_uint(j, "minimum", 100);
	json_uint(j, "maximum", 599);
	json_object_begin(j, "items");
	schema_json_types(j, "string", "integer");
	json_string(j, "pattern", STATUS_PATTERN);
	json_object_end(j);
	json_uint(j, "minItems", 1);
}

/* To YAML 1.1 on and off are truth values, to 1.2 they are texts. */
static void schema_json_switch(struct json *j)
{
	json_array_begin(j, "enum");
	json_string(j, NULL, "on");
	json_string(j, NULL, "off");
	json_bool(j, NULL, true);
	json_bool(j, NULL, false);
	json_array_end(j);
}

/* Names, each with a value of the row's second type. */
static void schema_json_pairs(struct json *j, const struct schema_row *row)
{
	struct schema_row value = *row;

	value.type = row->pair;
	json_string(j, "type", "object");
	json_object_begin(j, "propertyNames");
	json_string(j, "pattern", NAME_PATTERN);
	json_object_end(j);
	json_uint(j, "minProperties", 1);
	json_object_begin(j, "additionalProperties");
	schema_json_value(j, &value);
	json_object_end(j);
}

/* What is required, and what only where another key is not there. */
static void schema_json_required(
    struct json *j, const struct schema_row *row, bool always)
{
	const struct schema_row *child = NULL;

	json_array_begin(j, "required");
	while ((child = schema_next_child(row, child)))
		if (child->required && (!always || !child->unless))
			json_string(j, NULL, schema_key(child));
	json_array_end(j);
}

/* All that is required, or the key that stands for some of it and the rest. */
static void schema_json_unless(
    struct json *j, const struct schema_row *row, const char *unless)
{
	json_array_begin(j, "anyOf");
	json_object_begin(j, NULL);
	schema_json_required(j, row, false);
	json_object_end(j);
	json_object_begin(j, NULL);
	json_array_begin(j, "required");
	json_string(j, NULL, unless);
	json_array_end(j);
	json_object_end(j);
	json_array_end(j);
}

static void schema_json_properties(struct json *j, const struct schema_row *row)
{
	const struct schema_row *child = NULL;
	const char *unless = NULL;
	bool any = false;

	json_object_begin(j, "properties");
	while ((child = schema_next_child(row, child))) {
		schema_json_row(j, schema_key(child), child);
		any |= child->required && !child->unless;
		unless = child->unless ? child->unless : unless;
	}
	json_object_end(j);
	json_bool(j, "additionalProperties", false);
	if (any)
		schema_json_required(j, row, true);
	if (unless)
		schema_json_unless(j, row, unless);
}

static void schema_json_map(struct json *j, const struct schema_row *row)
{
	json_string(j, "type", "object");
	json_object_begin(j, "propertyNames");
	json_string(j, "pattern",
	    row->names == SCHEMA_NAMED_ZONE    ? DOMAIN_PATTERN
	    : row->names == SCHEMA_NAMED_OWNER ? OWNER_PATTERN
					       : NAME_PATTERN);
	json_object_end(j);
	json_uint(j, "minProperties", row->min);
	json_uint(j, "maxProperties", row->max);
	schema_json_row(
	    j, "additionalProperties", schema_next_child(row, NULL));
}

static void schema_json_listed(struct json *j, const struct schema_row *row)
{
	json_string(j, "type", "array");
	json_uint(j, "minItems", 1);
	json_uint(j, "maxItems", row->max);
	schema_json_row(j, "items", schema_next_child(row, NULL));
}

static void schema_json_value(struct json *j, const struct schema_row *row)
{
	switch (row->type) {
	case SCHEMA_OBJECT:
	case SCHEMA_ENTRY:
		json_string(j, "type", "object");
		schema_json_properties(j, row);
		return;
	case SCHEMA_MAP:
		if (row->listed)
			schema_json_listed(j, row);
		else
			schema_json_map(j, row);
		return;
	case SCHEMA_BOOL:
		json_string(j, "type", "boolean");
		return;
	case SCHEMA_INTEGER:
	case SCHEMA_PORT:
		schema_json_integer(j, row);
		return;
	case SCHEMA_BANDWIDTH:
		schema_json_unit(j, row, "[0-9]+[kMGT]?bit/s", 0);
		return;
	case SCHEMA_DECIMAL:
		json_string(j, "type", "number");
		json_uint(j, "minimum", row->min / 1000);
		json_uint(j, "maximum", row->max / 1000);
		return;
	case SCHEMA_SWITCH:
		schema_json_switch(j);
		return;
	case SCHEMA_PAIRS:
		schema_json_pairs(j, row);
		return;
	case SCHEMA_DOMAIN:
		schema_json_text(j, row, DOMAIN_PATTERN);
		return;
	case SCHEMA_SIZE:
		schema_json_unit(j, row, "[0-9]+(KiB|MiB|GiB)?", row->max);
		return;
	case SCHEMA_DURATION:
		schema_json_unit(j, row, "([0-9]+(ms|s|m|h)|0)", 0);
		return;
	case SCHEMA_PERCENT:
		schema_json_unit(j, row, "([0-9]+%|0)", 0);
		return;
	case SCHEMA_RATE:
		schema_json_unit(j, row, "([0-9]+/s|0)", 0);
		return;
	case SCHEMA_ENUM:
		schema_json_enum(j, row);
		return;
	case SCHEMA_TEXTS:
	case SCHEMA_NAMES:
	case SCHEMA_PROTOCOLS:
	case SCHEMA_PREFIXES:
	case SCHEMA_ADDRESSES:
	case SCHEMA_RESOLVERS:
	case SCHEMA_REFS:
	case SCHEMA_IPS:
	case SCHEMA_LINES:
		schema_json_addresses(j, row);
		return;
	case SCHEMA_STATUS:
		schema_json_status(j);
		return;
	case SCHEMA_BYTES:
	case SCHEMA_HEX:
		schema_json_bytes(j, row);
		return;
	case SCHEMA_PATH:
	case SCHEMA_URL_PATH:
		schema_json_text(j, row, "^/");
		return;
	case SCHEMA_POOL:
		schema_json_text(j, row, NAME_PATTERN);
		return;
	default:
		schema_json_text(j, row, NULL);
		return;
	}
}

static void schema_json_default(struct json *j, const struct schema_row *row)
{
	uint64_t number;

	if (row->type == SCHEMA_BOOL)
		json_bool(j, "default", strcmp(row->fallback, "true") == 0);
	else if (row->type == SCHEMA_DECIMAL &&
		 value_decimal(row->fallback, &number) == 0)
		json_uint(j, "default", number / 1000);
	else if (row->type == SCHEMA_INTEGER &&
		 value_integer(row->fallback, &number) == 0)
		json_uint(j, "default", number);
	else
		json_string(j, "default", row->fallback);
}

static void schema_json_row(
    struct json *j, const char *key, const struct schema_row *row)
{
	struct strbuf help;

	strbuf_init(&help);
	if (row->when == SCHEMA_LATER)
		strbuf_adds(&help, "Not in this version. ");
	strbuf_adds(&help, row->help);
	json_object_begin(j, key);
	json_string(j, "description", strbuf_text(&help));
	if (row->when == SCHEMA_LATER) {
		/* Known, so that an editor explains it, but never valid. */
		json_object_begin(j, "not");
		json_object_end(j);
	} else {
		schema_json_value(j, row);
		if (row->fallback)
			schema_json_default(j, row);
	}
	json_object_end(j);
	strbuf_fini(&help);
}

/* Breaks the compact text into indented lines: the file is kept under
 * version control, where one line a property makes changes readable. */
static void schema_json_indent(struct strbuf *to, const char *json)
{
	bool quoted = false;
	int depth = 0;

	for (const char *p = json; *p; p++) {
		bool open = !quoted && (*p == '{' || *p == '[');
		bool shut = !quoted && (*p == '}' || *p == ']');
		bool comma = !quoted && *p == ',';

		depth -= shut;
		if (shut && p[-1] != '{' && p[-1] != '[')
			strbuf_addf(to, "\n%*s", 2 * depth, "");
		strbuf_addc(to, *p);
		if (quoted && *p == '\\')
			strbuf_addc(to, *++p);
		else if (*p == '"')
			quoted = !quoted;
		else if (!quoted && *p == ':')
			strbuf_addc(to, ' ');
		depth += open;
		if (comma || (open && p[1] != '}' && p[1] != ']'))
			strbuf_addf(to, "\n%*s", 2 * depth, "");
	}
	strbuf_addc(to, '\n');
}

void schema_print_json_schema(struct strbuf *ret)
{
	struct strbuf compact;
	struct json j;

	strbuf_init(&compact);
	json_init(&j, &compact);
	json_object_begin(&j, NULL);
	json_string(
	    &j, "$schema", "https://json-schema.org/draft/2020-12/schema");
	json_string(&j, "title", "braid.yaml");
	json_string(&j, "type", "object");
	schema_json_properties(&j, NULL);
	json_object_end(&j);
	schema_json_indent(ret, strbuf_text(&compact));
	strbuf_fini(&compact);
}
