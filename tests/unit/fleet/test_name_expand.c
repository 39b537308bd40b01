/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/name_expand.h"

#include "base/arena.h"
#include "tests/unit/base/check_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct conf *conf;
static struct name_view *view;

static void load(const char *pools)
{
	char text[2048];
	struct conf_errors errors;
	int n = snprintf(text, sizeof text,
	    "listeners: {web: {bind: \"127.0.0.1:80\", pool: o}}\n"
	    "pools:\n  o: {%s}\n",
	    pools);

	conf_errors_init(&errors);
	if (conf_parse("t.yaml", text, (size_t)n, &conf, &errors))
		ck_abort_msg("%s", errors.errors[0].text);
	conf_errors_fini(&errors);
	view = name_view_new();
	view->rows = arena_alloc(view->arena, 16 * sizeof *view->rows);
}

static void done(void)
{
	name_view_unref(view);
	conf_free(conf);
}

static struct name_record *know(
    const char *host, enum name_type type, uint32_t n)
{
	struct name_record *records =
	    arena_alloc(view->arena, n * sizeof *records);

	view->rows[view->n++] = (struct name_view_row){
	    .host = host, .type = type, .n = n, .records = records};
	name_view_sort(view);
	return records;
}

static void know_ips(
    const char *host, enum name_type type, uint32_t n, const char *const *texts)
{
	struct name_record *records = know(host, type, n);

	for (uint32_t i = 0; i < n; i++)
		ck_assert_int_eq(addr_parse_ip(&records[i].addr, texts[i]), 0);
}

/* "instance weight [backup]", one after the other. */
static void expect(const char *wanted)
{
	struct conf *expanded = name_expand(conf, view);
	char text[2048] = "";
	size_t at = 0;

	for (uint32_t i = 0; i < expanded->pools[0].n_servers; i++) {
		const struct conf_server *s = &expanded->pools[0].servers[i];

		at += (size_t)snprintf(text + at, sizeof text - at, "%s%s %u%s",
		    i ? ", " : "", conf_server_instance(s), s->weight,
		    s->backup ? " backup" : "");
	}
	ck_assert_str_eq(text, wanted);
	conf_free(expanded);
}

START_TEST(test_each_address_is_a_server)
{
	load("servers: {z: {address: \"127.0.0.1:1\"}, "
	     "a: {address: \"o.test:80\", weight: 3}}");
	expect("z 1, a 0");
	know_ips("O.test", NAME_A, 3,
	    (const char *const[]){"192.0.2.9", "192.0.2.1", "192.0.2.9"});
	know_ips("o.test", NAME_AAAA, 1, (const char *const[]){"2001:db8::1"});
	expect("z 1, a/192.0.2.1:80 3, a/192.0.2.9:80 3, "
	       "a/[2001:db8::1]:80 3");
	done();
}
END_TEST

START_TEST(test_family_and_source)
{
	static const char *const v4[] = {"192.0.2.1"}, *const v6[] = {"::2"};
	struct name_want *wants;

	load("resolve: {family: ipv6}, servers: {a: {address: \"o.test:1\"}}");
	know_ips("o.test", NAME_A, 1, v4);
	know_ips("o.test", NAME_AAAA, 1, v6);
	expect("a/[::2]:1 1");
	ck_assert_uint_eq(name_wants_of(conf, &wants), 1);
	ck_assert(!wants[0].ipv4 && wants[0].ipv6 && !wants[0].srv);
	free(wants);
	done();
	load("source: 192.0.2.9, servers: {a: {address: \"o.test:1\"}}");
	know_ips("o.test", NAME_A, 1, v4);
	know_ips("o.test", NAME_AAAA, 1, v6);
	expect("a/192.0.2.1:1 1");
	ck_assert_uint_eq(name_wants_of(conf, &wants), 1);
	ck_assert(wants[0].ipv4 && !wants[0].ipv6);
	free(wants);
	done();
}
END_TEST

static void know_service(
    uint32_t n, const uint16_t (*facts)[3], const char *const *targets)
{
	struct name_record *records = know("_s._tcp.test", NAME_SRV, n);

	for (uint32_t i = 0; i < n; i++) {
		records[i].priority = facts[i][0];
		records[i].weight = facts[i][1];
		records[i].port = facts[i][2];
		(void)snprintf(records[i].target, sizeof records[i].target,
		    "%s", targets[i]);
	}
}

START_TEST(test_service)
{
	static const uint16_t facts[][3] = {
	    {20, 7, 80}, {10, 1, 81}, {10, 4, 82}, {30, 1, 81}};
	static const char *const targets[] = {
	    "c.test", "a.test", "b.test", "a.test"};

	load("servers: {s: {address: \"srv:_s._tcp.test\", weight: 2}}");
	know_service(4, facts, targets);
	expect("s 0");
	know_ips("a.test", NAME_A, 1, (const char *const[]){"192.0.2.1"});
	know_ips("b.test", NAME_A, 1, (const char *const[]){"192.0.2.2"});
	know_ips("c.test", NAME_A, 1, (const char *const[]){"192.0.2.3"});
	/* a.test:81 stands in two records and counts by the better one. */
	expect("s/192.0.2.1:81 2, s/192.0.2.2:82 8, "
	       "s/192.0.2.3:80 14 backup");
	done();
}
END_TEST

START_TEST(test_most_addresses)
{
	static const uint16_t facts[][3] = {{2, 1, 80}, {1, 1, 80}};
	static const char *const targets[] = {"a.test", "b.test"};

	load("resolve: {max: 2}, servers: {s: {address: "
	     "\"srv:_s._tcp.test\"}, n: {address: \"a.test:9\"}}");
	know_service(2, facts, targets);
	know_ips("a.test", NAME_A, 3,
	    (const char *const[]){"192.0.2.3", "192.0.2.1", "192.0.2.2"});
	know_ips("b.test", NAME_A, 1, (const char *const[]){"192.0.2.9"});
	/* The better priority comes first, then the lowest. */
	expect("s/192.0.2.1:80 1 backup, s/192.0.2.9:80 1, "
	       "n/192.0.2.1:9 1, n/192.0.2.2:9 1");
	done();
}
END_TEST

START_TEST(test_outlives_view_and_origin)
{
	struct conf *expanded;

	load("servers: {s: {address: \"srv:_s._tcp.test\"}}");
	know_service(1, (const uint16_t[][3]){{1, 1, 80}},
	    (const char *const[]){"a.test"});
	know_ips("a.test", NAME_A, 1, (const char *const[]){"192.0.2.1"});
	expanded = name_expand(conf, view);
	done();
	ck_assert_str_eq(expanded->pools[0].servers[0].host, "a.test");
	ck_assert_str_eq(expanded->pools[0].servers[0].name, "s");
	ck_assert_str_eq(
	    expanded->origin->pools[0].servers[0].host, "_s._tcp.test");
	conf_free(expanded);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("name_expand");

	tcase_add_test(tcase, test_each_address_is_a_server);
	tcase_add_test(tcase, test_family_and_source);
	tcase_add_test(tcase, test_service);
	tcase_add_test(tcase, test_most_addresses);
	tcase_add_test(tcase, test_outlives_view_and_origin);
	return check_main(tcase);
}
