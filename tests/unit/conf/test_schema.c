/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/schema.h"

#include "base/arena.h"
#include "conf/convert.h"
#include "conf/schema_table.h"
#include "conf/synonym.h"

#include "tests/unit/conf/conf_check.h"

#include <errno.h>

#define EACH_ROW(row)                                                          \
	for (const struct schema_row *row = NULL;                              \
	     (row = schema_next_below(NULL, row));)

START_TEST(rows_are_in_preorder)
{
	uint32_t n = 0;

	EACH_ROW(row)
	{
		const struct schema_row *parent = schema_parent(row);
		size_t length = strlen(row->path) - strlen(schema_key(row));

		ck_assert_uint_eq(schema_id(row), n++);
		ck_assert_msg(schema_find(row->path) == row, "%s", row->path);
		if (length == 0) {
			ck_assert_ptr_null(parent);
			continue;
		}
		ck_assert_msg(strlen(parent->path) == length - 1 &&
				  !strncmp(parent->path, row->path, length - 1),
		    "%s", row->path);
		ck_assert(schema_child(parent, schema_key(row)) == row);
	}
	ck_assert_uint_eq(schema_count(), n);
}
END_TEST

START_TEST(rows_say_what_they_must)
{
	EACH_ROW(row)
	{
		bool entry = !strcmp(schema_key(row), "*");
		bool map = row->type == SCHEMA_MAP;

		ck_assert_msg(
		    row->help && strlen(row->help) > 5, "%s", row->path);
		ck_assert_msg(
		    entry == (row->type == SCHEMA_ENTRY), "%s", row->path);
		ck_assert_msg(!(entry || map) || row->noun, "%s", row->path);
		ck_assert_msg((row->type == SCHEMA_ENUM) == !!row->choices,
		    "%s", row->path);
		ck_assert_msg(
		    row->min <= row->max || !row->max, "%s", row->path);
		if (!schema_has_children(row->type))
			ck_assert_msg(row->example, "%s", row->path);
		if (map)
			ck_assert_str_eq(
			    schema_key(schema_next_child(row, NULL)), "*");
	}
}
END_TEST

static bool is_choice(const struct schema_row *row, const char *text)
{
	for (const struct schema_choice *at = row->choices; at->name; at++)
		if (!strcmp(at->name, text))
			return true;
	return false;
}

/* A default or example must be a value of its own row, of later ones too. */
static void try_value(const struct schema_row *row, const char *text)
{
	static union {
		char bytes[8192];
		uint64_t align;
	} element;
	struct arena *arena = arena_new();
	char bare[256];
	const char *ref;
	struct strbuf why;
	int rc;

	ck_assert_uint_lt(strlen(text), sizeof(bare));
	(void)snprintf(bare, sizeof(bare), "%s", text);
	if (text[0] == '"') {
		memmove(bare, bare + 1, strlen(bare));
		*strrchr(bare, '"') = '\0';
	}
	strbuf_init(&why);
	memset(&element, 0, sizeof(element));
	rc = convert_scalar(&(struct convert){
	    .row = row,
	    .text = bare,
	    .length = strlen(bare),
	    .plain = true,
	    .first = true,
	    .element = &element,
	    .arena = arena,
	    .ret_ref = &ref,
	    .why = &why,
	});
	if (row->type == SCHEMA_ENUM && schema_is_later(row))
		rc = is_choice(row, bare) ? 0 : -EINVAL;
	ck_assert_msg(
	    rc == 0, "%s: %s: %s", row->path, text, strbuf_text(&why));
	strbuf_fini(&why);
	arena_free(arena);
}

START_TEST(defaults_and_examples_are_values)
{
	EACH_ROW(row)
	{
		if (schema_has_children(row->type) ||
		    row->type == SCHEMA_LIST || row->type == SCHEMA_PAIRS)
			continue;
		if (row->fallback)
			try_value(row, row->fallback);
		if (row->example[0] != '[')
			try_value(row, row->example);
	}
}
END_TEST

START_TEST(later_keys_are_known)
{
	static const char *const later[] = {"node.listen",
	    "pools.*.shard.orphan", "limits.window_total", "node.role",
	    "nodes.*.zone", "predict.horizons", "pops.*.nodes", "dis.*.standby",
	    "shadow.per_pop"};

	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		const struct schema_row *row = schema_find(later[i]);

		ck_assert_msg(row && schema_is_later(row), "%s", later[i]);
	}
	ck_assert(!schema_is_later(schema_find("listeners.*.timeout.idle")));
}
END_TEST

static const char *explain(const char *key, struct strbuf *ret)
{
	const char *suggestion = NULL;

	strbuf_clear(ret);
	if (schema_explain(key, ret, &suggestion) == 0)
		return strbuf_text(ret);
	return suggestion ? suggestion : "-";
}

START_TEST(explain_keys)
{
	struct strbuf sb;
	const char *text;

	strbuf_init(&sb);
	text = explain("pools.*.health.interval", &sb);
	ck_assert_ptr_nonnull(strstr(text, "pools.*.health.interval\n"));
	ck_assert_ptr_nonnull(strstr(text, "default 2s"));
	ck_assert_ptr_nonnull(strstr(text, "10ms to 24h"));
	/* Names, also with dots, in place of the stars. */
	text = explain("pools.www.example.com.servers.a.weight", &sb);
	ck_assert_ptr_eq(strstr(text, "pools.*.servers.*.weight\n"), text);
	text = explain("listeners", &sb);
	ck_assert_ptr_nonnull(strstr(text, "Keys below it:\n  listeners.*\n"));
	text = explain("nodes", &sb);
	ck_assert_ptr_nonnull(strstr(text, "not in this version"));
	text = explain("global.workers", &sb);
	ck_assert_ptr_nonnull(strstr(text, "a change needs a restart"));
	text = explain("", &sb);
	ck_assert_ptr_nonnull(strstr(text, "  pools\n"));
	strbuf_fini(&sb);
}
END_TEST

START_TEST(explain_suggests)
{
	struct strbuf sb;

	strbuf_init(&sb);
	ck_assert_str_eq(explain("pools.x.servers.y.weigth", &sb),
	    "pools.*.servers.*.weight");
	ck_assert_str_eq(explain("idle", &sb), "listeners.*.timeout.idle");
	ck_assert_str_eq(explain("listners", &sb), "listeners");
	ck_assert_str_eq(explain("backends", &sb), "pools");
	ck_assert_str_eq(explain("p2c", &sb), "pools.*.balance");
	ck_assert_str_eq(explain("round-robin", &sb), "pools.*.balance");
	ck_assert_str_eq(explain("pools.x.servers.y.max_conns", &sb),
	    "pools.*.servers.*.max_connections");
	ck_assert_str_eq(explain("pools.x.colour", &sb), "-");
	ck_assert_str_eq(explain("...", &sb), "-");
	ck_assert_uint_eq(sb.length, 0);
	strbuf_fini(&sb);
}
END_TEST

static void expect_fresh(const char *name, void (*print)(struct strbuf *))
{
	struct strbuf file, fresh;

	strbuf_init(&file);
	strbuf_init(&fresh);
	conf_check_read(name, &file);
	print(&fresh);
	ck_assert_msg(!strcmp(strbuf_text(&file), strbuf_text(&fresh)),
	    "%s is stale: build the target generated-docs", name);
	strbuf_fini(&file);
	strbuf_fini(&fresh);
}

/* Each says something: where it stands exists, and so does what is meant. */
START_TEST(synonyms_lead_somewhere)
{
	for (const struct synonym *at = synonyms; at->where; at++) {
		const struct schema_row *row = schema_find(at->where);
		const char *text = at->word;
		bool anywhere = !strcmp(at->where, "*");

		ck_assert_msg(
		    row || !*at->where || anywhere, "%s: %s", at->where, text);
		ck_assert_msg(!at->meant != !at->hint, "%s", text);
		ck_assert_msg(!strpbrk(text, "-_ ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
		    "%s cannot be met", text);
		ck_assert_msg(anywhere || synonym_find(row, text) == at,
		    "%s: %s is there twice", at->where, text);
		if (row && row->choices)
			ck_assert_msg(!is_choice(row, text) && at->meant &&
					  is_choice(row, at->meant),
			    "%s: %s", at->where, text);
		else
			ck_assert_msg(
			    !schema_child(row, text) &&
				(at->hint || schema_child(row, at->meant)),
			    "%s: %s", at->where, text);
	}
}
END_TEST

START_TEST(generated_docs_are_fresh)
{
	expect_fresh(
	    "docs/generated/braid.schema.json", schema_print_json_schema);
	expect_fresh("docs/generated/braid.yaml.5.scd", schema_print_man);
	expect_fresh("conf/examples/complete.yaml", schema_print_example);
}
END_TEST

START_TEST(manual_has_every_key)
{
	struct strbuf man, path;

	strbuf_init(&man);
	strbuf_init(&path);
	schema_print_man(&man);
	EACH_ROW(row)
	{
		if (schema_is_later(row) || row->in_parent)
			continue;
		strbuf_clear(&path);
		strbuf_adds(&path, "\n*");
		for (const char *p = row->path; *p; p++) {
			if (*p == '*' || *p == '_')
				strbuf_addc(&path, '\\');
			strbuf_addc(&path, *p);
		}
		strbuf_adds(&path, "* (");
		ck_assert_msg(strstr(man.text, path.text), "%s", row->path);
	}
	strbuf_fini(&path);
	strbuf_fini(&man);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("schema");

	tcase_add_test(tcase, rows_are_in_preorder);
	tcase_add_test(tcase, rows_say_what_they_must);
	tcase_add_test(tcase, defaults_and_examples_are_values);
	tcase_add_test(tcase, later_keys_are_known);
	tcase_add_test(tcase, explain_keys);
	tcase_add_test(tcase, explain_suggests);
	tcase_add_test(tcase, synonyms_lead_somewhere);
	tcase_add_test(tcase, generated_docs_are_fresh);
	tcase_add_test(tcase, manual_has_every_key);
	return conf_check_main(tcase);
}
