/* SPDX-License-Identifier: Apache-2.0 */
/* Writes docs/generated and the example of all keys: gen_docs FOLDER EXAMPLES.
 * A unit test fails when what is checked in differs from what the table
 * yields. */
#include "conf/schema.h"

#include <stdio.h>

static int gen_write(
    const char *folder, const char *name, void (*print)(struct strbuf *ret))
{
	char path[4096];
	struct strbuf text;
	FILE *f;
	int failed;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	if (!f) {
		perror(path);
		return 1;
	}
	strbuf_init(&text);
	print(&text);
	failed = fputs(strbuf_text(&text), f) < 0;
	failed |= fclose(f) != 0;
	strbuf_fini(&text);
	if (failed)
		perror(path);
	return failed;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		(void)fputs("usage: gen_docs FOLDER EXAMPLES\n", stderr);
		return 64;
	}
	return gen_write(
		   argv[1], "braid.schema.json", schema_print_json_schema) |
	       gen_write(argv[1], "braid.yaml.5.scd", schema_print_man) |
	       gen_write(argv[2], "complete.yaml", schema_print_example);
}
