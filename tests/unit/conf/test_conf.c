/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf.h"

#include "tests/unit/conf/conf_check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define LISTENER "listeners:\n  w: {bind: \"127.0.0.1:8080\", pool: p}\n"
#define POOL "pools:\n  p:\n    servers:\n      a: {address: \"127.0.0.1:1\"}\n"

static struct conf_errors errors;
static struct conf *conf;

static void setup(void)
{
	conf_errors_init(&errors);
	conf = NULL;
}

static void teardown(void)
{
	conf_errors_fini(&errors);
	conf_free(conf);
	conf = NULL;
}

static int parse(const struct strbuf *sb)
{
	return conf_parse("f", strbuf_text(sb), sb->length, &conf, &errors);
}

static void expect_only_error(const char *text)
{
	ck_assert_uint_eq(errors.n_errors, 1);
	ck_assert_msg(strstr(errors.errors[0].text, text) != NULL, "%s",
	    errors.errors[0].text);
}

/* All of the folder, without a warning. */
START_TEST(examples_load)
{
	char folder[1024], path[2048];
	struct dirent *entry;
	unsigned n = 0;
	DIR *dir;

	(void)snprintf(
	    folder, sizeof(folder), "%s/conf/examples", getenv("BRAID_SOURCE"));
	dir = opendir(folder);
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(
		    path, sizeof(path), "%s/%s", folder, entry->d_name);
		ck_assert_msg(conf_load(path, &conf, &errors) == 0, "%s",
		    errors.n_errors ? errors.errors[0].text : path);
		ck_assert_msg(errors.n_errors == 0, "%s",
		    errors.n_errors ? errors.errors[0].text : "");
		ck_assert_str_eq(conf->file, path);
		conf_free(conf);
		conf = NULL;
		n++;
	}
	closedir(dir);
	ck_assert_uint_ge(n, 4);
}
END_TEST

START_TEST(missing_file)
{
	int rc = conf_load("/nonexistent/braid.yaml", &conf, &errors);

	ck_assert_int_eq(rc, -ENOENT);
	expect_only_error("/nonexistent/braid.yaml: cannot be read: ");
	ck_assert_ptr_null(conf);
}
END_TEST

START_TEST(folder_in_place_of_a_file)
{
	int rc = conf_load("/tmp", &conf, &errors);

	ck_assert_int_eq(rc, -EISDIR);
	expect_only_error("/tmp: cannot be read: ");
}
END_TEST

START_TEST(file_too_large)
{
	char path[] = "/tmp/test_conf_XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)CONF_FILE_BYTES_MAX + 1), 0);
	close(fd);
	ck_assert_int_eq(conf_load(path, &conf, &errors), -EFBIG);
	expect_only_error("cannot be read");
	unlink(path);
}
END_TEST

START_TEST(from_a_pipe)
{
	static const char text[] = LISTENER POOL;
	char path[64];
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(
	    write(fds[1], text, sizeof(text) - 1), sizeof(text) - 1);
	close(fds[1]);
	(void)snprintf(path, sizeof(path), "/dev/fd/%d", fds[0]);
	ck_assert_int_eq(conf_load(path, &conf, &errors), 0);
	ck_assert_uint_eq(conf->n_pools, 1);
	close(fds[0]);
}
END_TEST

START_TEST(digest_follows_the_bytes)
{
	struct conf *a = conf_check_parse(LISTENER POOL);
	struct conf *b = conf_check_parse(LISTENER POOL);
	struct conf *c = conf_check_parse(LISTENER POOL "# changed\n");

	ck_assert_uint_eq(a->digest, b->digest);
	ck_assert_uint_ne(a->digest, c->digest);
	conf_free(a);
	conf_free(b);
	conf_free(c);
}
END_TEST

/* The limit itself is fine, one more is refused, and said once. */
START_TEST(too_many_pools)
{
	struct strbuf sb;

	for (uint32_t extra = 0; extra < 2; extra++) {
		strbuf_init(&sb);
		strbuf_adds(&sb, LISTENER "pools:\n");
		strbuf_adds(
		    &sb, "  p: {servers: {a: {address: \"127.0.0.1:1\"}}}\n");
		for (uint32_t i = 1; i < CONF_POOLS_MAX + extra; i++)
			strbuf_addf(&sb,
			    "  p%u: {servers: {a: {address: "
			    "\"127.0.0.1:1\"}}}\n",
			    i);
		ck_assert_int_eq(parse(&sb), extra ? BR_E_CONFIG : 0);
		conf_free(conf);
		conf = NULL;
		strbuf_fini(&sb);
	}
	expect_only_error("more than 4096 pools in the file");
}
END_TEST

START_TEST(too_many_listeners)
{
	struct strbuf sb;

	for (uint32_t extra = 0; extra < 3; extra += 2) {
		strbuf_init(&sb);
		strbuf_adds(&sb, "listeners:\n");
		for (uint32_t i = 0; i < CONF_LISTENERS_MAX + extra; i++)
			strbuf_addf(&sb,
			    "  w%u: {bind: \"127.0.0.1:%u\", pool: p}\n", i,
			    2000 + i);
		strbuf_adds(&sb, POOL);
		ck_assert_int_eq(parse(&sb), extra ? BR_E_CONFIG : 0);
		conf_free(conf);
		conf = NULL;
		strbuf_fini(&sb);
	}
	expect_only_error("more than 1024 listeners in the file");
}
END_TEST

/* The total over all pools counts. */
START_TEST(too_many_servers)
{
	struct strbuf sb;

	for (uint32_t extra = 0; extra < 2; extra++) {
		strbuf_init(&sb);
		strbuf_adds(&sb, LISTENER POOL "  q:\n    servers:\n");
		for (uint32_t i = 1; i < CONF_SERVERS_MAX + extra; i++)
			strbuf_addf(&sb,
			    "      s%u: {address: \"10.0.%u.%u:80\"}\n", i,
			    i >> 8, i & 255);
		ck_assert_int_eq(parse(&sb), extra ? BR_E_CONFIG : 0);
		conf_free(conf);
		conf = NULL;
		strbuf_fini(&sb);
	}
	expect_only_error("more than 65536 servers in the file");
}
END_TEST

START_TEST(errors_are_capped_and_counted)
{
	struct strbuf sb;

	strbuf_init(&sb);
	strbuf_adds(&sb, LISTENER POOL);
	for (uint32_t i = 0; i < CONF_ERRORS_SHOWN_MAX + 500; i++)
		strbuf_addf(&sb, "unknown%u: 1\n", i);
	ck_assert_int_eq(parse(&sb), BR_E_CONFIG);
	ck_assert_uint_eq(errors.n_errors, CONF_ERRORS_SHOWN_MAX + 1);
	ck_assert_uint_eq(errors.n_warnings, 0);
	ck_assert_str_eq(errors.errors[CONF_ERRORS_SHOWN_MAX].text,
	    "f: 500 more errors not shown");
	strbuf_fini(&sb);
}
END_TEST

START_TEST(dangling_references_in_bulk)
{
	struct strbuf sb;

	strbuf_init(&sb);
	strbuf_adds(&sb, "listeners:\n");
	for (uint32_t i = 0; i < CONF_LISTENERS_MAX; i++)
		strbuf_addf(&sb,
		    "  w%u: {bind: \"127.0.0.1:%u\", pool: origin-west-%u}\n",
		    i, 2000 + i, i);
	strbuf_adds(&sb, "pools:\n");
	for (uint32_t i = 0; i < CONF_POOLS_MAX; i++)
		strbuf_addf(&sb,
		    "  origin-east-%u: {servers: {a: {address: "
		    "\"127.0.0.1:1\"}}}\n",
		    i);
	ck_assert_int_eq(parse(&sb), BR_E_CONFIG);
	ck_assert_uint_eq(errors.n_errors, CONF_ERRORS_SHOWN_MAX + 1);
	strbuf_fini(&sb);
}
END_TEST

START_TEST(warnings_do_not_refuse)
{
	static const char text[] = LISTENER POOL "    queue: {timeout: 3s}\n";

	ck_assert_int_eq(
	    conf_parse("f", text, strlen(text), &conf, &errors), 0);
	ck_assert_uint_eq(errors.n_errors, 1);
	ck_assert_uint_eq(errors.n_warnings, 1);
	ck_assert_uint_eq(errors.errors[0].pos.line, 7);
	ck_assert_uint_eq(errors.errors[0].pos.column, 13);
}
END_TEST

/* Errors of the parser and of the checks come out in the file's order. */
START_TEST(errors_are_in_file_order)
{
	static const char text[] =
	    "listeners:\n  w: {bind: \"127.0.0.1:80\", pool: q}\n"
	    "  x: {bind: \"127.0.0.1:80\", pool: p, backlog: x}\n" POOL
	    "    balance: x\n";

	ck_assert_int_eq(
	    conf_parse("f", text, strlen(text), &conf, &errors), BR_E_CONFIG);
	ck_assert_uint_eq(errors.n_errors, 4);
	ck_assert_str_eq(errors.errors[0].text,
	    "f:2:35: listeners.w.pool: no pool is called \"q\"");
	ck_assert_uint_eq(errors.errors[1].pos.column, 13);
	ck_assert_uint_eq(errors.errors[2].pos.column, 47);
	ck_assert_uint_eq(errors.errors[3].pos.line, 8);
}
END_TEST

/* Deep and wide nesting under an unknown key is passed over without
 * recursion; what follows is still read. */
START_TEST(unknown_blocks_are_passed_over)
{
	static const char text[] = LISTENER POOL
	    "x: {a: [1, {b: [c, d]}], e: {}}\nglobal: {drain: 5}\n";

	ck_assert_int_eq(
	    conf_parse("f", text, strlen(text), &conf, &errors), BR_E_CONFIG);
	ck_assert_uint_eq(errors.n_errors, 2);
	ck_assert_uint_eq(errors.errors[1].pos.line, 8);
}
END_TEST

START_TEST(brackets_without_end)
{
	struct strbuf sb;

	strbuf_init(&sb);
	strbuf_adds(&sb, "x: ");
	for (int i = 0; i < 100000; i++)
		strbuf_addc(&sb, '[');
	ck_assert_int_eq(parse(&sb), BR_E_CONFIG);
	ck_assert_ptr_nonnull(
	    strstr(errors.errors[errors.n_errors - 1].text, "nested deeper"));
	strbuf_fini(&sb);
}
END_TEST

/* With dns there may be no pools at all, and a copy of none. */
START_TEST(derived_without_pools)
{
	struct conf *origin = conf_check_parse(
	    "dns:\n  bind: 127.0.0.1\n  zones: {a.example: {file: /z}}\n");
	struct conf *derived = conf_derive(origin);

	ck_assert_uint_eq(derived->n_pools, 0);
	ck_assert(derived->dns.present);
	ck_assert_uint_eq(derived->dns.n_zones, 1);
	conf_free(derived);
	conf_free(origin);
}
END_TEST

/* A file of a zone that is no absolute path lies beside the configuration. */
START_TEST(zone_files_from_the_folder)
{
	static const char text[] =
	    "dns:\n  bind: 127.0.0.1\n  zones:\n    a.example: {file: z/a}\n"
	    "    b.example: {file: /z/b}\n";
	static const char *const files[][2] = {{"braid.yaml", "z/a"},
	    {"/etc/braid/x.yaml", "/etc/braid/z/a"}, {"/x.yaml", "/z/a"},
	    {"conf/x.yaml", "conf/z/a"}};

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct conf *conf;

		ck_assert_int_eq(
		    conf_parse(files[i][0], text, strlen(text), &conf, &errors),
		    0);
		ck_assert_str_eq(conf->dns.zones[0].file, files[i][1]);
		ck_assert_str_eq(conf->dns.zones[1].file, "/z/b");
		conf_free(conf);
	}
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("conf");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, derived_without_pools);
	tcase_add_test(tcase, zone_files_from_the_folder);
	tcase_add_test(tcase, examples_load);
	tcase_add_test(tcase, missing_file);
	tcase_add_test(tcase, folder_in_place_of_a_file);
	tcase_add_test(tcase, file_too_large);
	tcase_add_test(tcase, from_a_pipe);
	tcase_add_test(tcase, digest_follows_the_bytes);
	tcase_add_test(tcase, too_many_pools);
	tcase_add_test(tcase, too_many_listeners);
	tcase_add_test(tcase, too_many_servers);
	tcase_add_test(tcase, errors_are_capped_and_counted);
	tcase_add_test(tcase, dangling_references_in_bulk);
	tcase_add_test(tcase, warnings_do_not_refuse);
	tcase_add_test(tcase, errors_are_in_file_order);
	tcase_add_test(tcase, unknown_blocks_are_passed_over);
	tcase_add_test(tcase, brackets_without_end);
	return conf_check_main(tcase);
}
