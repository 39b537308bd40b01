/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as an address: what is accepted is printed and read again to the
 * same, what is refused leaves the output alone, and the hint for it is one
 * line. Then the same bytes as an address from the kernel, which may hold
 * anything.
 */
#include "base/addr.h"

#include <string.h>

#include "base/assert.h"
#include "conf/address_hint.h"

#define BYTES_MAX 512
#define UNTOUCHED 77

static void check_printable(const char *text)
{
	for (; *text; text++)
		br_assert((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void check_format(const struct addr *a, char ret[ADDR_TEXT_MAX])
{
	size_t length = addr_format(a, ret);

	br_assert(length > 0 && length < ADDR_TEXT_MAX);
	br_assert(strlen(ret) == length);
	check_printable(ret);
}

static void check_parsed(
    const struct addr *a, int (*parse)(struct addr *ret, const char *text))
{
	char text[ADDR_TEXT_MAX];
	struct addr again;

	check_format(a, text);
	/* Bytes that are not printed cannot come back. */
	if (addr_is_unix(a) && strchr(text, '?'))
		return;
	br_assert(parse(&again, text) == 0);
	br_assert(addr_equal(a, &again));
	br_assert(addr_hash(a, 1) == addr_hash(&again, 1));
}

static void check_refused(const char *text)
{
	struct strbuf sb;

	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return;
	for (int use = 0; use < 4; use++) {
		strbuf_init(&sb);
		if (address_hint(&sb, text, use & 1, use & 2 ? 53 : 0))
			br_assert(!strncmp(strbuf_text(&sb), ": ", 2));
		else
			br_assert(sb.length == 0);
		check_printable(strbuf_text(&sb));
		strbuf_fini(&sb);
	}
}

static void check_text(const char *text)
{
	struct addr a = {.length = UNTOUCHED};

	if (addr_parse(&a, text) == 0) {
		br_assert(addr_is_unix(&a) || addr_port(&a) > 0);
		check_parsed(&a, addr_parse);
	} else {
		br_assert(a.length == UNTOUCHED);
		check_refused(text);
	}
	a = (struct addr){.length = UNTOUCHED};
	if (addr_parse_ip(&a, text) == 0) {
		br_assert(!addr_is_unix(&a) && addr_port(&a) == 0);
		check_parsed(&a, addr_parse_ip);
	} else {
		br_assert(a.length == UNTOUCHED);
	}
}

/* accept() gives a family, a length within the room, and bytes. */
static void check_from_kernel(const uint8_t *data, size_t size)
{
	static const sa_family_t families[] = {AF_UNIX, AF_INET, AF_INET6};
	struct addr a = {0};
	char text[ADDR_TEXT_MAX];

	if (size > sizeof(a.un))
		size = sizeof(a.un);
	for (size_t i = 0; i < BR_COUNT(families); i++) {
		if (size)
			memcpy(&a.un, data, size);
		a.length = (socklen_t)size;
		if (families[i] == AF_INET)
			a.length = sizeof(a.in);
		else if (families[i] == AF_INET6)
			a.length = sizeof(a.in6);
		else if (size < sizeof(sa_family_t))
			a.length = sizeof(sa_family_t);
		a.sa.sa_family = families[i];
		check_format(&a, text);
		br_assert(addr_equal(&a, &a));
		(void)addr_is_loopback(&a);
		(void)addr_hash(&a, 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[BYTES_MAX + 1];

	if (size > BYTES_MAX)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	check_text(text);
	check_from_kernel(data, size);
	return 0;
}
