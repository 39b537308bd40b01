/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/node_report.h"

#include "probe/agent_text.h"
#include "tests/unit/base/check_main.h"

static struct board *board;
static struct pool *pool;

static void setup(void)
{
	struct conf_server servers[2] = {
	    {.name = "a", .weight = 1}, {.name = "b", .weight = 1}};
	struct conf_pool conf = {
	    .name = "p", .servers = servers, .n_servers = 2};

	ck_assert_int_eq(addr_parse(&servers[0].addr, "192.0.2.1:80"), 0);
	ck_assert_int_eq(addr_parse(&servers[1].addr, "192.0.2.2:80"), 0);
	board = board_new(1);
	pool = pool_new(&conf, board);
}

static void teardown(void)
{
	pool_free(pool, board);
	board_free(board);
}

static void say(uint32_t server, struct board_facts facts)
{
	board_write(pool->servers[server].row, &facts);
}

static const struct board_facts well = {
    .health = BOARD_UP, .weight_override = BOARD_WEIGHT_NONE};

START_TEST(test_states_of_a_pool)
{
	struct board_facts down = well, drained = well, ejected = well,
			   nothing = well;

	down.health = BOARD_DOWN;
	drained.admin = BOARD_DRAIN;
	ejected.ejected_until_ns = 5;
	nothing.weight_override = 0;
	/* Nobody has looked yet. */
	ck_assert_int_eq(node_report_pool(pool), NODE_UP);
	say(0, down);
	ck_assert_int_eq(node_report_pool(pool), NODE_UP);
	say(1, down);
	ck_assert_int_eq(node_report_pool(pool), NODE_DOWN);
	say(1, ejected);
	ck_assert_int_eq(node_report_pool(pool), NODE_DOWN);
	/* What an operator has taken out comes back when he wants. */
	say(1, drained);
	ck_assert_int_eq(node_report_pool(pool), NODE_DRAINED);
	say(1, nothing);
	ck_assert_int_eq(node_report_pool(pool), NODE_DRAINED);
	say(0, well);
	ck_assert_int_eq(node_report_pool(pool), NODE_UP);
	/* Both: it would not be well without the drain either. */
	drained.health = BOARD_DOWN;
	say(0, drained);
	say(1, drained);
	ck_assert_int_eq(node_report_pool(pool), NODE_DOWN);
}
END_TEST

static struct agent_report heard(enum node_state state, uint32_t percent)
{
	struct agent_report report;
	char text[NODE_REPORT_MAX];
	size_t length = node_report_print(state, percent, text);

	ck_assert_int_eq(text[length - 1], '\n');
	ck_assert_int_eq(agent_text_parse(text, length, false, &report), 1);
	ck_assert_uint_eq(report.unknown, 0);
	return report;
}

/* As who asks reads it: each line takes back what others have said. */
START_TEST(test_lines)
{
	struct agent_report r = heard(NODE_UP, 73);

	ck_assert_int_eq(r.admin, AGENT_ADMIN_READY);
	ck_assert_int_eq(r.health, AGENT_HEALTH_UP);
	ck_assert(r.has_percent && r.percent == 73);
	r = heard(NODE_DRAINED, 100);
	ck_assert_int_eq(r.admin, AGENT_ADMIN_DRAIN);
	ck_assert_int_eq(r.health, AGENT_HEALTH_UP);
	ck_assert(r.has_percent && r.percent == 100);
	r = heard(NODE_DOWN, 1);
	ck_assert_int_eq(r.admin, AGENT_ADMIN_READY);
	ck_assert_int_eq(r.health, AGENT_HEALTH_DOWN);
	ck_assert(!r.has_percent);
	ck_assert_str_eq(r.reason, "no pool has a usable server");
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("node_report");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_states_of_a_pool);
	tcase_add_test(tcase, test_lines);
	return check_main(tcase);
}
