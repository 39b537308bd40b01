/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/address_hint.h"

#include "base/addr.h"
#include "base/assert.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Longer ones are no addresses with an obvious slip. */
#define ADDRESS_HINT_MAX 107

struct address {
	const char *text;
	/* What stands before the last colon, and the port behind it. */
	char host[ADDRESS_HINT_MAX + 1];
	const char *port; /* NULL: no colon */
	bool peer;
	uint16_t port_else; /* without one; 0: it must be there */
};

/* In examples. */
static unsigned address_usual_port(const struct address *a)
{
	return a->port_else ? a->port_else : 80;
}

static bool address_is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

static bool address_is_ip(const char *text, int family)
{
	struct addr ip;

	return addr_parse_ip(&ip, text) == 0 && ip.sa.sa_family == family;
}

/* "http://192.0.2.1:80" */
static bool address_hint_scheme(struct strbuf *sb, const struct address *a)
{
	if (!strstr(a->text, "://"))
		return false;
	strbuf_addf(sb,
	    ": want only an address and a port, as in 192.0.2.1:%u, not a URL",
	    address_usual_port(a));
	return true;
}

static bool address_hint_unix(struct strbuf *sb, const struct address *a)
{
	if (a->text[0] != '/' && strncmp(a->text, "unix:", 5) != 0)
		return false;
	if (a->port_else)
		strbuf_adds(sb, ": want an IP address, not a path");
	else if (a->text[0] == '/')
		strbuf_addf(
		    sb, ": want unix: before a path, as in unix:%s", a->text);
	else
		strbuf_adds(sb, ": want an absolute path behind unix:, as in "
				"unix:/run/web.sock");
	return true;
}

/* "*:80", ":80" or just "80": all addresses of the machine. */
static bool address_hint_any(struct strbuf *sb, const struct address *a)
{
	const char *port = a->port ? a->port : a->text;
	bool star = strcmp(a->host, "*") == 0;

	if (!address_is_number(port) || (a->port && a->host[0] && !star))
		return false;
	if (a->peer)
		strbuf_addf(sb,
		    ": want the server's IP address before the "
		    "port, as in 192.0.2.1:%s",
		    port);
	else
		strbuf_addf(sb,
		    ": for all addresses want \"0.0.0.0:%s\" "
		    "(IPv4), \"[::]:%s\" (IPv6), or a list of both",
		    port, port);
	return true;
}

static bool address_hint_no_port(struct strbuf *sb, const struct address *a)
{
	size_t length = strlen(a->text);

	if (address_is_ip(a->text, AF_INET))
		strbuf_addf(sb, ": no port, as in %s:80", a->text);
	else if (length && a->text[length - 1] == ':' &&
		 (address_is_ip(a->host, AF_INET) || a->host[0] == '['))
		strbuf_addf(sb, ": no port behind the colon, as in \"%s:%u\"",
		    a->host, address_usual_port(a));
	else if (a->text[0] == '[' && address_is_ip(a->text, AF_INET6))
		strbuf_addf(sb, ": no port, as in \"%s:80\"", a->text);
	else
		return false;
	return true;
}

/* Without brackets nobody knows where the address ends: "2001:db8::1:80". */
static bool address_hint_brackets(struct strbuf *sb, const struct address *a)
{
	if (a->text[0] == '[')
		return false;
	if (a->port && address_is_number(a->port) &&
	    address_is_ip(a->host, AF_INET6))
		strbuf_addf(sb,
		    ": an IPv6 address wants brackets and then its "
		    "port, as in \"[%s]:%s\"",
		    a->host, a->port);
	else if (address_is_ip(a->text, AF_INET6))
		strbuf_addf(sb,
		    ": an IPv6 address wants brackets and then its "
		    "port, as in \"[%s]:%u\"",
		    a->text, address_usual_port(a));
	else
		return false;
	return true;
}

/* "192.0.2.1:80:90", "192.0.2.1:http", "192.0.2.1:80-90" */
static bool address_hint_port(struct strbuf *sb, const struct address *a)
{
	struct addr whole;

	if (!a->port)
		return false;
	if (addr_parse(&whole, a->host) == 0 && !addr_is_unix(&whole))
		strbuf_addf(sb, ": more than one port, want \"%s\"", a->host);
	else if (address_is_ip(a->host, AF_INET) ||
		 (a->host[0] == '[' && address_is_ip(a->host, AF_INET6)))
		strbuf_adds(sb, ": the port must be one number from 1 to "
				"65535");
	else
		return false;
	return true;
}

/* "127.0.0.256:80", "10.0.0:80", "127.0.0.256" */
static bool address_hint_ipv4(struct strbuf *sb, const struct address *a)
{
	const char *host = a->port ? a->host : a->text;

	if (!isdigit((unsigned char)host[0]) ||
	    host[strspn(host, "0123456789.")] != '\0')
		return false;
	strbuf_addf(sb,
	    ": an IPv4 address is four numbers from 0 to 255 without leading "
	    "zeros, as in 192.0.2.1:%u",
	    address_usual_port(a));
	return true;
}

static bool address_is_name(const char *host)
{
	if (!isalpha((unsigned char)host[0]))
		return false;
	for (; *host; host++)
		if (!isalnum((unsigned char)*host) && !strchr(".-_", *host))
			return false;
	return true;
}

/* Where a server's name would do. */
static void address_hint_server(struct strbuf *sb, const struct address *a)
{
	if (!a->port)
		strbuf_addf(sb, ": no port, as in %s:80", a->text);
	else if (!address_is_number(a->port))
		strbuf_adds(sb, ": the port must be one number from 1 to "
				"65535");
	else
		strbuf_adds(sb, strtoul(a->port, NULL, 10) - 1 < 65535
				    ? ": no host has such a name"
				    : ": the port must be 1 to 65535");
}

static bool address_hint_name(struct strbuf *sb, const struct address *a)
{
	if (!address_is_name(a->port ? a->host : a->text))
		return false;
	if (a->port_else)
		strbuf_addf(sb,
		    ": host names are not resolved, want an IP address such as "
		    "192.0.2.1, or with a port, 192.0.2.1:%u",
		    a->port_else);
	else if (a->peer)
		address_hint_server(sb, a);
	else
		strbuf_adds(sb, ": host names are not resolved, want an IP "
				"address and port such as 192.0.2.1:80, or "
				"unix:/path");
	return true;
}

/* "srv:_http._tcp.example.com:80" */
static bool address_hint_service(struct strbuf *sb, const struct address *a)
{
	if (!a->peer || strncmp(a->text, "srv:", 4) != 0)
		return false;
	strbuf_adds(sb, ": want a name without a port behind srv:, as in "
			"srv:_http._tcp.example.com");
	return true;
}

typedef bool address_hinter(struct strbuf *sb, const struct address *a);

/* The first that knows what to say. */
static address_hinter *const address_hinters[] = {
    address_hint_scheme,
    address_hint_unix,
    address_hint_service,
    address_hint_any,
    address_hint_no_port,
    address_hint_brackets,
    address_hint_port,
    address_hint_ipv4,
    address_hint_name,
};

/* What a hint repeats must not break its line or reach a terminal raw. */
static bool address_hint_may_repeat(const char *text)
{
	size_t length = strlen(text);

	if (length > ADDRESS_HINT_MAX)
		return false;
	for (size_t i = 0; i < length; i++)
		if (iscntrl((unsigned char)text[i]))
			return false;
	return true;
}

bool address_hint(
    struct strbuf *sb, const char *text, bool peer, uint16_t port_else)
{
	struct address a = {.text = text, .peer = peer, .port_else = port_else};
	const char *colon = strrchr(text, ':');

	if (!address_hint_may_repeat(text))
		return false;
	if (colon) {
		memcpy(a.host, text, (size_t)(colon - text));
		a.port = colon + 1;
	}
	for (size_t i = 0; i < BR_COUNT(address_hinters); i++)
		if (address_hinters[i](sb, &a))
			return true;
	return false;
}
