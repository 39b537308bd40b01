/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/convert_name.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define LABEL_MAX 63
#define RESOLVER_PORT 53

/* RFC 1035, 2.3.4, and the characters that are in use: also "_". A last label
 * of digits would be an address with a slip in it. */
static bool host_is_well(const char *host, size_t length)
{
	size_t label = 0;
	bool letter = false;

	if (length && host[length - 1] == '.')
		length--;
	if (!length || length > CONF_HOST_MAX)
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)host[i];

		if (c == '.') {
			if (!label || host[i - 1] == '-')
				return false;
			label = 0;
			letter = false;
			continue;
		}
		if (c > 0x7f ||
		    (!isalnum(c) && c != '_' && (c != '-' || !label)))
			return false;
		letter |= !isdigit(c);
		if (++label > LABEL_MAX)
			return false;
	}
	return letter && host[length - 1] != '-';
}

static bool port_parse(const char *text, uint16_t *ret)
{
	uint32_t port = 0;

	if (!*text || strlen(text) > 5)
		return false;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text))
			return false;
		port = port * 10 + (uint32_t)(*text - '0');
	}
	*ret = (uint16_t)port;
	return port >= 1 && port <= UINT16_MAX;
}

bool server_name_parse(const char *text, struct server_name *ret)
{
	struct server_name name = {.host = text, .srv = false};
	const char *colon;

	if (!strncmp(text, "srv:", 4)) {
		name.srv = true;
		name.host = text + 4;
		name.length = strlen(name.host);
	} else {
		colon = strrchr(text, ':');
		if (!colon || !port_parse(colon + 1, &name.port))
			return false;
		name.length = (size_t)(colon - text);
	}
	if (!host_is_well(name.host, name.length))
		return false;
	*ret = name;
	return true;
}

int convert_origin(const struct convert *c)
{
	struct conf_server *server = c->element;
	struct server_name name;

	if (strlen(c->text) != c->length || !server_name_parse(c->text, &name))
		return convert_address(c);
	/* A dot at the end says that the name is complete. So it is with any
	 * other dot, and TLS wants the name without. */
	if (memchr(name.host, '.', name.length - 1) &&
	    name.host[name.length - 1] == '.')
		name.length--;
	server->host = arena_strndup(c->arena, name.host, name.length);
	server->srv = name.srv;
	server->host_port = name.port;
	return 0;
}

/* An IP address, and a port if it is another than 53. */
static bool resolver_parse(const char *text, struct addr *ret)
{
	if (addr_parse_ip(ret, text) == 0) {
		addr_set_port(ret, RESOLVER_PORT);
		return true;
	}
	return addr_parse(ret, text) == 0 && !addr_is_unix(ret);
}

int convert_resolver(const struct convert *c)
{
	struct conf_resolvers *list =
	    (void *)((char *)c->element + c->row->offset);
	struct addr addr;

	if (c->first)
		*list = (struct conf_resolvers){.n = 0};
	if (strlen(c->text) != c->length || !resolver_parse(c->text, &addr))
		return convert_refuse(c);
	if (list->n == CONF_RESOLVERS_MAX) {
		strbuf_addf(
		    c->why, "more than %d resolvers", CONF_RESOLVERS_MAX);
		return -EINVAL;
	}
	list->at[list->n++] = addr;
	return 0;
}
