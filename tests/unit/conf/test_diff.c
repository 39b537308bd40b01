/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/diff.h"

#include "base/arena.h"

#include "tests/unit/conf/conf_check.h"

#define GLOBAL "global: {workers: 2}\n"
#define WEB "  web: {bind: \"127.0.0.1:8080\", pool: p}\n"
#define DNS "  dns: {bind: \"127.0.0.1:8053\", pool: q}\n"
#define P_HEAD "  p:\n    servers:\n"
#define A "      a: {address: \"127.0.0.1:9001\"}\n"
#define B "      b: {address: \"127.0.0.1:9002\"}\n"
#define Q "  q: {servers: {a: {address: \"127.0.0.1:9003\"}}}\n"
#define BASE GLOBAL "listeners:\n" WEB DNS "pools:\n" P_HEAD A B Q

static struct conf *before, *after;
static struct arena *arena;
static struct conf_diff diff;

static void setup(void)
{
	arena = arena_new();
	before = conf_check_parse(BASE);
	after = NULL;
}

static void teardown(void)
{
	conf_free(before);
	conf_free(after);
	arena_free(arena);
}

static void compare(const char *text)
{
	after = conf_check_parse(text);
	conf_diff(before, after, arena, &diff);
}

static void expect_servers(uint32_t added, uint32_t removed, uint32_t changed)
{
	ck_assert_uint_eq(diff.servers_added, added);
	ck_assert_uint_eq(diff.servers_removed, removed);
	ck_assert_uint_eq(diff.servers_changed, changed);
}

START_TEST(same)
{
	compare("# moved down by a line\n" BASE);
	for (uint32_t i = 0; i < 2; i++) {
		ck_assert_int_eq(diff.listeners[i], CONF_SAME);
		ck_assert_int_eq(diff.pools[i], CONF_SAME);
		ck_assert_uint_eq(diff.listener_before[i], i);
		ck_assert_uint_eq(diff.pool_before[i], i);
	}
	ck_assert_uint_eq(diff.n_restart_keys, 0);
	ck_assert_uint_eq(diff.n_listeners_removed, 0);
	ck_assert_uint_eq(diff.n_pools_removed, 0);
	expect_servers(0, 0, 0);
}
END_TEST

START_TEST(order_is_no_change)
{
	compare(GLOBAL "listeners:\n" DNS WEB "pools:\n" Q P_HEAD A B);
	for (uint32_t i = 0; i < 2; i++) {
		ck_assert_int_eq(diff.listeners[i], CONF_SAME);
		ck_assert_int_eq(diff.pools[i], CONF_SAME);
		ck_assert_uint_eq(diff.listener_before[i], 1 - i);
		ck_assert_uint_eq(diff.pool_before[i], 1 - i);
	}
	expect_servers(0, 0, 0);
}
END_TEST

START_TEST(order_of_servers_is_a_change)
{
	compare(GLOBAL "listeners:\n" WEB DNS "pools:\n" P_HEAD B A Q);
	ck_assert_int_eq(diff.pools[0], CONF_CHANGED);
	expect_servers(0, 0, 0);
}
END_TEST

START_TEST(added_and_removed)
{
	compare(GLOBAL "listeners:\n" WEB
		       "  new: {bind: \"127.0.0.1:1\", pool: r}\n"
		       "pools:\n  r: {servers: {a: {address: \"10.0.0.1:1\"}, "
		       "b: {address: \"10.0.0.1:2\"}}}\n" P_HEAD A B);
	ck_assert_int_eq(diff.listeners[0], CONF_SAME);
	ck_assert_int_eq(diff.listeners[1], CONF_ADDED);
	ck_assert_uint_eq(diff.listener_before[1], UINT32_MAX);
	ck_assert_int_eq(diff.pools[0], CONF_ADDED);
	ck_assert_uint_eq(diff.pool_before[0], UINT32_MAX);
	ck_assert_int_eq(diff.pools[1], CONF_SAME);
	ck_assert_uint_eq(diff.n_listeners_removed, 1);
	ck_assert_uint_eq(diff.listeners_removed[0], 1);
	ck_assert_uint_eq(diff.n_pools_removed, 1);
	ck_assert_uint_eq(diff.pools_removed[0], 1);
	expect_servers(2, 1, 0);
}
END_TEST

START_TEST(servers_within_a_pool)
{
	compare(GLOBAL "listeners:\n" WEB DNS "pools:\n" P_HEAD
		       "      b: {address: \"127.0.0.1:9002\", weight: 5}\n"
		       "      c: {address: \"127.0.0.1:9004\"}\n"
		       "      d: {address: \"127.0.0.1:9005\"}\n" Q);
	ck_assert_int_eq(diff.pools[0], CONF_CHANGED);
	ck_assert_int_eq(diff.pools[1], CONF_SAME);
	expect_servers(2, 1, 1);
	/* The listener of a changed pool did not change. */
	ck_assert_int_eq(diff.listeners[0], CONF_SAME);
}
END_TEST

/* Any key of a pool makes it differ, and no other. */
START_TEST(every_key_of_a_pool)
{
	static const char *const keys[] = {"    balance: rr\n",
	    "    connect: {timeout: 1s}\n", "    connect: {retries: 1}\n",
	    "    queue: {length: 1}\n", "    health: {}\n",
	    "    source: 127.0.0.1\n", "    health: {type: http, path: /x}\n",
	    "    health: {fail_open: 0}\n"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct strbuf sb;

		strbuf_init(&sb);
		strbuf_addf(&sb, "%s%s%s",
		    GLOBAL "listeners:\n" WEB DNS "pools:\n" P_HEAD A B,
		    keys[i], Q);
		compare(sb.text);
		ck_assert_msg(diff.pools[0] == CONF_CHANGED, "%s", keys[i]);
		ck_assert_int_eq(diff.pools[1], CONF_SAME);
		expect_servers(0, 0, 0);
		conf_free(after);
		after = NULL;
		strbuf_fini(&sb);
	}
}
END_TEST

static const char health_base[] =
    "listeners: {w: {bind: \"127.0.0.1:1\", pool: p}}\npools:\n  p:\n"
    "    servers: {a: {address: \"127.0.0.1:9001\"}}\n"
    "    health: {type: http, %s}\n";

START_TEST(every_key_of_a_health_check)
{
	static const char *const keys[] = {"interval: 3s", "timeout: 3s",
	    "rise: 7", "fall: 7", "port: 7", "path: /x", "host: x",
	    "status: 200", "status: [200-399, 404]", "fail_open: 7%"};
	char text[512];

	conf_free(before);
	(void)snprintf(text, sizeof(text), health_base, "rise: 2");
	before = conf_check_parse(text);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		(void)snprintf(text, sizeof(text), health_base, keys[i]);
		compare(text);
		ck_assert_msg(diff.pools[0] == CONF_CHANGED, "%s", keys[i]);
		conf_free(after);
		after = NULL;
	}
	(void)snprintf(text, sizeof(text), health_base, "status: 200-399");
	compare(text);
	ck_assert_int_eq(diff.pools[0], CONF_SAME);
}
END_TEST

START_TEST(listeners_change)
{
	static const char *const webs[] = {
	    "  web: {bind: \"127.0.0.1:8081\", pool: p}\n",
	    "  web: {bind: [\"127.0.0.1:8080\", \"[::1]:80\"], pool: p}\n",
	    "  web: {bind: \"127.0.0.1:8080\", pool: q}\n",
	    "  web: {bind: \"127.0.0.1:8080\", pool: p, backlog: 9}\n",
	    "  web: {bind: \"127.0.0.1:8080\", pool: p, tcp: {keepalive: "
	    "off}}\n",
	    "  web: {bind: \"127.0.0.1:8080\", pool: p, timeout: {idle: "
	    "1s}}\n"};

	for (size_t i = 0; i < sizeof(webs) / sizeof(webs[0]); i++) {
		struct strbuf sb;

		strbuf_init(&sb);
		strbuf_addf(&sb, "%s%s%s", GLOBAL "listeners:\n", webs[i],
		    DNS "pools:\n" P_HEAD A B Q);
		compare(sb.text);
		ck_assert_msg(diff.listeners[0] == CONF_CHANGED, "%s", webs[i]);
		ck_assert_int_eq(diff.listeners[1], CONF_SAME);
		ck_assert_int_eq(diff.pools[0], CONF_SAME);
		conf_free(after);
		after = NULL;
		strbuf_fini(&sb);
	}
}
END_TEST

START_TEST(keys_that_need_a_restart)
{
	compare("global: {workers: 3, max_connections: 5, user: x, state_dir: "
		"/x, control: /y, drain: 1s, log: {level: debug}}\n"
		"api: {listen: off}\nlimits: {parked_total: 1GiB}\n"
		"listeners:\n" WEB DNS "pools:\n" P_HEAD A B Q);
	ck_assert_uint_eq(diff.n_restart_keys, 7);
	ck_assert_str_eq(diff.restart_keys[0], "global.workers");
	ck_assert_str_eq(diff.restart_keys[5], "api.listen");
	ck_assert_str_eq(diff.restart_keys[6], "limits.parked_total");
}
END_TEST

#define OTHERS                                                                 \
	"api: {listen: off}\nlimits: {parked_total: 1GiB}\n"                   \
	"listeners:\n" WEB DNS "pools:\n" P_HEAD A B Q
#define CHANGED "global: {workers: 3, user: x, control: /y}\n" OTHERS

/* From one reload to the next, as the daemon does it. */
static void reload(const char *text)
{
	compare(text);
	conf_keep_running(before, after);
	conf_free(before);
	before = after;
	after = NULL;
}

START_TEST(restart_keys_differ_from_what_runs)
{
	struct addr api = before->api.listen;

	reload(CHANGED);
	ck_assert_uint_eq(diff.n_restart_keys, 5);
	/* The same file again: still not what runs. */
	reload(CHANGED);
	ck_assert_uint_eq(diff.n_restart_keys, 5);
	ck_assert_str_eq(diff.restart_keys[0], "global.workers");
	/* Back to what runs: nothing to say. */
	reload(BASE);
	ck_assert_uint_eq(diff.n_restart_keys, 0);
	ck_assert_uint_eq(before->global.workers, 2);
	ck_assert_str_eq(before->global.user, "braid");
	ck_assert_str_eq(before->global.control, "/run/braid/control.sock");
	ck_assert(addr_equal(&before->api.listen, &api));
	ck_assert_uint_eq(before->limits.parked_total_bytes, 256u << 20);
}
END_TEST

#define AGENT(at, who)                                                         \
	"agent: {listen: '127.0.0.1:" at "', allow: " who "}\n" BASE

/* Who may ask at an address that is kept goes by what was said of that one. */
START_TEST(the_agents_clients_stay_with_its_address)
{
	conf_free(before);
	before = conf_check_parse(AGENT("9999", "[10.0.0.0/8, 192.0.2.1]"));
	reload(BASE);
	ck_assert_uint_eq(before->agent.allow.n, 2);
	ck_assert_uint_eq(before->agent.allow.at[0].bits, 8);
	reload(AGENT("9998", "192.0.2.2"));
	ck_assert_uint_eq(before->agent.allow.n, 2);
	reload(AGENT("9999", "192.0.2.2"));
	ck_assert_uint_eq(before->agent.allow.n, 1);
	ck_assert_uint_eq(before->agent.allow.at[0].bits, 32);
}
END_TEST

/* Only those are kept. */
START_TEST(other_keys_are_the_files)
{
	reload("global: {workers: 2, drain: 1s, log: {level: debug}}\n" OTHERS);
	ck_assert_uint_eq(before->global.drain_ms, 1000);
	ck_assert_int_eq(before->global.log_level, LOG_DEBUG);
}
END_TEST

START_TEST(keys_that_need_none)
{
	compare("global: {workers: 2, drain: 1s, log: {level: debug, format: "
		"json, access: false}}\nlisteners:\n" WEB DNS
		"pools:\n" P_HEAD A B Q);
	ck_assert_uint_eq(diff.n_restart_keys, 0);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("diff");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, same);
	tcase_add_test(tcase, order_is_no_change);
	tcase_add_test(tcase, order_of_servers_is_a_change);
	tcase_add_test(tcase, added_and_removed);
	tcase_add_test(tcase, servers_within_a_pool);
	tcase_add_test(tcase, every_key_of_a_pool);
	tcase_add_test(tcase, every_key_of_a_health_check);
	tcase_add_test(tcase, listeners_change);
	tcase_add_test(tcase, keys_that_need_a_restart);
	tcase_add_test(tcase, restart_keys_differ_from_what_runs);
	tcase_add_test(tcase, the_agents_clients_stay_with_its_address);
	tcase_add_test(tcase, other_keys_are_the_files);
	tcase_add_test(tcase, keys_that_need_none);
	return conf_check_main(tcase);
}
