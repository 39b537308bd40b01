/* SPDX-License-Identifier: Apache-2.0 */
/* braid.yaml(5) from the table, as scdoc source. */
#include "conf/schema_text.h"

#include <string.h>

static const char man_head[] =
    "braid.yaml(5)\n"
    "\n"
    "# NAME\n"
    "\n"
    "braid.yaml - configuration of braidd\n"
    "\n"
    "# DESCRIPTION\n"
    "\n"
    "One YAML file says where braidd listens and which servers it uses. "
    "*braidd -c -f* _FILE_ checks one, prints everything that is wrong with "
    "it and exits with 0 or 78; *braidctl explain* _KEY_ prints what stands "
    "here about a key; *braidctl reload* takes up a changed file. This is "
    "enough:\n"
    "\n"
    "```\n"
    "listeners:\n"
    "  web: {bind: \"127.0.0.1:8080\", pool: origins}\n"
    "pools:\n"
    "  origins:\n"
    "    servers:\n"
    "      a: {address: \"127.0.0.1:9001\"}\n"
    "      b: {address: \"127.0.0.1:9002\"}\n"
    "```\n"
    "\n"
    "The file is read strictly: unknown keys, keys given twice, wrong units "
    "and names of pools that do not exist refuse it. Anchors, aliases, "
    "merge keys, tags and further documents are not supported.\n"
    "\n"
    "# VALUES\n"
    "\n"
    "Names are 1 to 63 of A-Z a-z 0-9 . \\_ - and begin with a letter or "
    "digit. In the paths below a \\* stands for a name.\n"
    "\n"
    "Times have a unit: *ms*, *s*, *m* or *h*, as in 500ms, 2s, 5m, 1h; only "
    "0 needs none.\n"
    "\n"
    "Sizes are bytes, or have a unit: *KiB*, *MiB* or *GiB*.\n"
    "\n"
    "Percentages end in *%*.\n"
    "\n"
    "Addresses are 192.0.2.1:80, \"[2001:db8::1]:80\" (in YAML an address "
    "that begins with a bracket needs quotes) or unix:/path. Names are not "
    "resolved.\n"
    "\n";

/* Fields and codes themselves stand in docs/access-log.md, which a test of lb
 * compares with the code; this folder does not know them. */
static const char man_tail[] =
    "# ACCESS LOG\n"
    "\n"
    "Unless *global.log.access* is false, each connection gives one line when "
    "it ends, with *msg=\"flow\"*: its id, listener, client, pool and server, the "
    "bytes each way, the time each phase took, and *end=*, two letters that "
    "say who ended it and in which phase. *end=--* is a normal end. In the "
    "first place C means the client, S the server, P a limit that Braid "
    "keeps, R a resource that it lacks, K that it was stopped, and the small "
    "letters c and s a timeout; in the second Q means in the queue, C while "
    "connecting, D while data flowed. The file _access-log.md_ of the "
    "documentation explains every field and code, with examples and with "
    "what to do about each.\n"
    "\n"
    "# FILES\n"
    "\n"
    "_/etc/braid/braid.yaml_\n"
    "\n"
    "# SEE ALSO\n"
    "\n"
    "*braidd*(8), *braidctl*(1)\n";

/* Text in which scdoc shall see no markup. */
static void man_add_escaped(struct strbuf *sb, const char *text)
{
	for (; *text; text++) {
		if (strchr("*_\\`~", *text))
			strbuf_addc(sb, '\\');
		strbuf_addc(sb, *text);
	}
}

static void man_add_row(struct strbuf *sb, const struct schema_row *row)
{
	struct strbuf summary;

	strbuf_init(&summary);
	schema_add_summary(&summary, row);
	strbuf_adds(sb, "*");
	man_add_escaped(sb, row->path);
	strbuf_adds(sb, "* (");
	man_add_escaped(sb, strbuf_text(&summary));
	strbuf_adds(sb, ")\n\t");
	man_add_escaped(sb, row->help);
	if (row->restart)
		strbuf_adds(sb, " A change needs a restart.");
	strbuf_adds(sb, "\n\n");
	if (row->example) {
		strbuf_adds(sb, "\tExample: ");
		man_add_escaped(sb, schema_key(row));
		strbuf_adds(sb, ": ");
		man_add_escaped(sb, row->example);
		strbuf_adds(sb, "\n\n");
	}
	strbuf_fini(&summary);
}

/* The topmost rows of what a later version brings. */
static void man_add_later(struct strbuf *sb)
{
	const struct schema_row *row = NULL;

	strbuf_adds(sb, "# KEYS OF LATER VERSIONS\n\n"
			"These are refused with \"not in this version\":\n\n");
	while ((row = schema_next_below(NULL, row))) {
		const struct schema_row *parent = schema_parent(row);

		if (!schema_is_later(row) ||
		    (parent && schema_is_later(parent)))
			continue;
		strbuf_adds(sb, "*");
		man_add_escaped(sb, row->path);
		strbuf_adds(sb, "*\n\t");
		man_add_escaped(sb, row->help);
		strbuf_adds(sb, "\n\n");
	}
}

void schema_print_man(struct strbuf *ret)
{
	const struct schema_row *row = NULL;

	strbuf_adds(ret, man_head);
	while ((row = schema_next_below(NULL, row))) {
		if (schema_is_later(row) || row->in_parent)
			continue;
		if (!strchr(row->path, '.')) {
			strbuf_adds(ret, "# ");
			for (const char *p = row->path; *p; p++)
				strbuf_addc(ret, (char)(*p - 'a' + 'A'));
			strbuf_adds(ret, "\n\n");
		}
		man_add_row(ret, row);
	}
	man_add_later(ret);
	strbuf_adds(ret, man_tail);
}
