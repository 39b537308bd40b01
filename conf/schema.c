/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/schema.h"

#include "base/assert.h"
#include "conf/schema_table.h"

#include <string.h>

static const struct schema_block *const schema_blocks[] = {&schema_global,
    &schema_listeners, &schema_pools, &schema_shards, &schema_profiler,
    &schema_dns, &schema_pops, &schema_later};

const struct schema_type_info schema_types[SCHEMA_TYPES] = {
    [SCHEMA_OBJECT] = {"block", "a block of keys"},
    [SCHEMA_MAP] = {"block of names", "a block of names"},
    [SCHEMA_ENTRY] = {"block", "a block of keys"},
    [SCHEMA_LIST] = {"list", "a list"},
    [SCHEMA_STRING] = {"text", "a text"},
    [SCHEMA_PATH] = {"path", "an absolute path such as /run/braid/file"},
    [SCHEMA_URL_PATH] = {"URL path", "a path that begins with / and has no "
				     "blanks, such as /healthz"},
    [SCHEMA_HOST] = {"host name", "a host name such as www.example.com"},
    [SCHEMA_BOOL] = {"true or false", "true or false"},
    [SCHEMA_INTEGER] = {"whole number", "a whole number"},
    [SCHEMA_PORT] = {"port", "a port from 1 to 65535"},
    [SCHEMA_SIZE] = {"size", "a size in KiB, MiB or GiB, such as "
			     "64KiB, 16MiB, 1GiB"},
    [SCHEMA_DURATION] = {"time", "a time in ms, s, m or h, such as "
				 "500ms, 2s, 5m, 1h"},
    [SCHEMA_RATE] = {"rate", "a rate such as 100/s"},
    [SCHEMA_PERCENT] = {"percentage", "a percentage such as 20%"},
    [SCHEMA_ENUM] = {"choice", "one of the choices"},
    [SCHEMA_ADDRESS] = {"address", "an address such as 192.0.2.1:80, "
				   "\"[2001:db8::1]:80\" or unix:/path"},
    [SCHEMA_IP] = {"IP address",
	"an IP address without a port, such as 192.0.2.1 or 2001:db8::1"},
    [SCHEMA_ADDRESSES] = {"address or list of addresses",
	"an address such as 192.0.2.1:80, \"[2001:db8::1]:80\" or "
	"unix:/path, or a list of them"},
    [SCHEMA_POOL] = {"name of a pool", "the name of a pool"},
    [SCHEMA_ORIGIN] = {"address or name",
	"an address such as 192.0.2.1:80, \"[2001:db8::1]:80\" or "
	"unix:/path, a name such as origin.example.com:80, or a service "
	"such as srv:_http._tcp.example.com"},
    [SCHEMA_RESOLVERS] = {"IP address or list of them",
	"an IP address such as 192.0.2.53, with a port if it is not 53, or "
	"a list of them"},
    [SCHEMA_STATUS] = {"status ranges",
	"HTTP statuses such as 200, 200-399 or [200, 301-302]"},
    [SCHEMA_TEXTS] = {"text or list of texts",
	"a text of at most 255 characters, or a list of them"},
    [SCHEMA_NAMES] = {"server name or list of them",
	"a server name such as www.example.com, \"*.example.com\" or \"*\", "
	"or a list of them"},
    [SCHEMA_PROTOCOLS] = {"protocol or list of them",
	"a protocol such as http, tls, ssh or silent, or a list of them"},
    [SCHEMA_BYTES] = {"text with escapes",
	"a text in which \\r \\n \\t \\0 \\\\ and \\xHH stand for bytes"},
    [SCHEMA_HEX] = {"hexadecimal digits",
	"pairs of hexadecimal digits such as 50494e47 or \"0d 0a\""},
    [SCHEMA_BANDWIDTH] = {"bits per second",
	"bits per second in kbit/s, Mbit/s, Gbit/s or Tbit/s, such as "
	"10Gbit/s"},
    [SCHEMA_DECIMAL] = {"number",
	"a number with at most three places behind the point"},
    [SCHEMA_SWITCH] = {"on or off", "on or off"},
    [SCHEMA_DOMAIN] = {"domain name", "a domain name such as cdn.example"},
    [SCHEMA_FILE] = {"path", "a path such as /etc/braid/file"},
    [SCHEMA_LINES] = {"text or list of texts",
	"a text of one line, or a list of them"},
    [SCHEMA_REFS] = {"name or list of names", "a name or a list of them"},
    [SCHEMA_PAIRS] = {"block of names and values",
	"a block of names, each with a value"},
    [SCHEMA_IPS] = {"IP address or list of them",
	"an IP address without a port, such as 192.0.2.1 or 2001:db8::1, or "
	"a list of them"},
    [SCHEMA_PREFIXES] = {"address prefix or list of them",
	"an address prefix such as 10.0.0.0/8, 192.0.2.1 or "
	"\"2001:db8::/32\", or a list of them"},
};

/* The block that holds the row, and the number of rows before it. */
static uint32_t schema_block_of(
    const struct schema_row *row, uint32_t *ret_before)
{
	uint32_t before = 0, b;

	for (b = 0; b < BR_COUNT(schema_blocks); b++) {
		const struct schema_block *block = schema_blocks[b];

		if (row >= block->rows && row < block->rows + block->n) {
			before += (uint32_t)(row - block->rows);
			break;
		}
		before += block->n;
	}
	*ret_before = before;
	return b;
}

static bool schema_is_below(
    const struct schema_row *row, const struct schema_row *parent)
{
	size_t length = strlen(parent->path);

	return strncmp(row->path, parent->path, length) == 0 &&
	       row->path[length] == '.';
}

static const struct schema_row *schema_next_in_file(const struct schema_row *at)
{
	uint32_t number, block;

	if (!at)
		return schema_blocks[0]->rows;
	if (at[1].path)
		return at + 1;
	block = schema_block_of(at, &number) + 1;
	return block < BR_COUNT(schema_blocks) ? schema_blocks[block]->rows
					       : NULL;
}

const struct schema_row *schema_next_below(
    const struct schema_row *parent, const struct schema_row *at)
{
	const struct schema_row *next;

	if (!parent)
		return schema_next_in_file(at);
	next = schema_next_in_file(at ? at : parent);
	return next && schema_is_below(next, parent) ? next : NULL;
}

const struct schema_row *schema_next_child(
    const struct schema_row *parent, const struct schema_row *at)
{
	size_t skip = parent ? strlen(parent->path) + 1 : 0;

	while ((at = schema_next_below(parent, at)))
		if (!strchr(at->path + skip, '.'))
			return at;
	return NULL;
}

const struct schema_row *schema_child(
    const struct schema_row *parent, const char *key)
{
	size_t skip = parent ? strlen(parent->path) + 1 : 0;
	const struct schema_row *row = NULL;

	while ((row = schema_next_below(parent, row)))
		if (strcmp(row->path + skip, key) == 0 && !strchr(key, '.'))
			return row;
	return NULL;
}

const struct schema_row *schema_find(const char *path)
{
	const struct schema_row *row = NULL;

	while ((row = schema_next_below(NULL, row)))
		if (strcmp(row->path, path) == 0)
			return row;
	return NULL;
}

static const struct schema_row *schema_before(const struct schema_row *at)
{
	for (uint32_t b = 1; b < BR_COUNT(schema_blocks); b++) {
		const struct schema_block *before = schema_blocks[b - 1];

		if (schema_blocks[b]->rows == at)
			return before->rows + before->n - 1;
	}
	return at - 1;
}

const struct schema_row *schema_parent(const struct schema_row *row)
{
	/* In pre-order the parent is the nearest row before that is a prefix;
	 * a row with a dot always has one. */
	if (!strchr(row->path, '.'))
		return NULL;
	for (const struct schema_row *at = schema_before(row);;
	     at = schema_before(at))
		if (schema_is_below(row, at))
			return at;
}

uint32_t schema_id(const struct schema_row *row)
{
	uint32_t number;

	schema_block_of(row, &number);
	return number;
}

uint32_t schema_count(void)
{
	return schema_id(NULL);
}

uint32_t schema_span(const struct schema_row *row)
{
	uint32_t n = 0;

	for (const struct schema_row *at = NULL;
	     (at = schema_next_below(row, at));)
		n++;
	return n;
}

const char *schema_key(const struct schema_row *row)
{
	const char *dot = strrchr(row->path, '.');

	return dot ? dot + 1 : row->path;
}

bool schema_is_later(const struct schema_row *row)
{
	for (; row; row = schema_parent(row))
		if (row->when == SCHEMA_LATER)
			return true;
	return false;
}

bool schema_has_children(enum schema_type type)
{
	return type == SCHEMA_OBJECT || type == SCHEMA_MAP ||
	       type == SCHEMA_ENTRY;
}

bool schema_takes_list(enum schema_type type)
{
	return type == SCHEMA_ADDRESSES || type == SCHEMA_STATUS ||
	       type == SCHEMA_TEXTS || type == SCHEMA_NAMES ||
	       type == SCHEMA_PREFIXES || type == SCHEMA_RESOLVERS ||
	       type == SCHEMA_PROTOCOLS || type == SCHEMA_LINES ||
	       type == SCHEMA_REFS || type == SCHEMA_IPS;
}
