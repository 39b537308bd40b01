/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braidctl_key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "dnsd/dnskey.h"
#include "dnsd/dname.h"
#include "dnsd/rr_type.h"
#include "dnsd/zone_print.h"
#include "tools/braidctl_client.h"

/* RFC 4034 section 5.4 has days in its examples; parents choose their own. */
#define DS_TTL_S 86400u

static int save(const struct dnskey *key, const char *path)
{
	int err = dnskey_save(key, path);

	if (!err)
		return CLIENT_OK;
	fprintf(stderr, "braidctl: dns key: %s: %s\n", path,
	    err == -EEXIST ? "there is such a file, and it stays as it is"
			   : br_strerror(err));
	return err == -EACCES || err == -EPERM ? CLIENT_PERMISSION
					       : CLIENT_FAILED;
}

static void print_json(
    const char *zone, const char *file, const struct strbuf *ds)
{
	/* Without its line feed. */
	json_t *answer = json_pack("{s:i, s:n, s:{s:s, s:s, s:s%}}", "exit",
	    CLIENT_OK, "error", "data", "zone", zone, "file", file, "ds",
	    strbuf_text(ds), ds->length - 1);
	char *text = answer ? json_dumps(answer, JSON_INDENT(2)) : NULL;

	if (!text)
		br_out_of_memory("dns key", ds->length);
	puts(text);
	free(text);
	json_decref(answer);
}

static void format_ds(
    const struct dnskey *key, const uint8_t *zone, struct strbuf *ret)
{
	uint8_t ds[DNSKEY_DS_BYTES];
	struct dns_record record = {.owner = zone,
	    .type = RR_DS,
	    .ttl = DS_TTL_S,
	    .rdata = ds,
	    .length = sizeof ds};

	dnskey_ds(key, zone, ds);
	zone_print_record(ret, &record);
}

static void print_ds(
    bool json, const struct dnskey *key, const uint8_t *zone, const char *file)
{
	char name[DNAME_TEXT_MAX];
	struct strbuf ds;

	strbuf_init(&ds);
	format_ds(key, zone, &ds);
	(void)dname_to_text(zone, name);
	if (json)
		print_json(name, file, &ds);
	else
		fputs(strbuf_text(&ds), stdout);
	strbuf_fini(&ds);
}

int key_run(bool json, int argc, char **argv)
{
	uint8_t zone[DNAME_MAX];
	struct dnskey *key;
	const char *wrong;
	int code;

	if (argc != 2) {
		fprintf(stderr, "usage: braidctl dns key ZONE FILE\n");
		return CLIENT_USAGE;
	}
	if (dname_from_text(argv[0], strlen(argv[0]), NULL, zone, &wrong)) {
		fprintf(stderr, "braidctl: dns key: the name \"%s\" %s\n",
		    argv[0], wrong);
		return CLIENT_USAGE;
	}
	if (dnskey_generate(&key)) {
		fprintf(stderr, "braidctl: dns key: no key could be made\n");
		return CLIENT_FAILED;
	}
	code = save(key, argv[1]);
	if (!code)
		print_ds(json, key, zone, argv[1]);
	dnskey_free(key);
	return code;
}
