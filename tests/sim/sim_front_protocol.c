/* SPDX-License-Identifier: Apache-2.0 */
/* Routes by protocol: who waits for which bytes, and for how long. */
#include "lb/front.h"

#include "base/assert.h"
#include "lb/route.h"
#include "tests/sim/sim.h"
#include "tests/sim/sim_check.h"

#include <string.h>

static struct sim sim;
static uint32_t route; /* of the flow that connected last */
static struct sim_prefix hears;

static void on_server(struct sim *s, struct sim_peer *server)
{
	route = sim_flow(s)->side->route;
	server->to_send = 3000;
	server->hears = hears;
}

static void start(const struct sim_options *options)
{
	fake_init(1);
	sim_start(&sim, options);
	sim.on_server = on_server;
	hears = (struct sim_prefix){NULL, 0};
	route = UINT32_MAX;
}

static void stop(void)
{
	sim_stop(&sim);
	fake_fini();
}

#define SSH PROTOCOL_BIT(PROTOCOL_SSH)
#define REDIS PROTOCOL_BIT(PROTOCOL_REDIS)

static const struct protocol_row {
	const char *says;
	protocol_set wants;
	uint32_t route;
	uint32_t write_max; /* 0: in one piece */
} protocol_rows[] = {
    {"SSH-2.0-x\r\n", SSH, 0, 0},
    {"SSH-2.0-x\r\n", SSH, 0, 1},
    {"SSH-2.0-x\r\n", SSH | REDIS, 0, 3},
    {"SSH-2.0-x\r\n", REDIS, ROUTE_DEFAULT, 0},
    {"*1\r\n$4\r\nPING\r\n", REDIS, 0, 1},
    {"GET / HTTP/1.1\r\n\r\n", PROTOCOL_BIT(PROTOCOL_HTTP), 0, 1},
    {"GET / HTTP/1.1\r\n\r\n", PROTOCOL_BIT(PROTOCOL_WEBSOCKET), ROUTE_DEFAULT,
	1},
    {"GET / HTTP/1.1\r\n\r\n", SSH, ROUTE_DEFAULT, 1},
    {"\xc3\x91 nobody's\r\n", SSH, ROUTE_DEFAULT, 1},
};

START_TEST(test_protocol_routes)
{
	const struct protocol_row *row = &protocol_rows[_i];
	struct sim_options options = sim_defaults();
	uint32_t length = (uint32_t)strlen(row->says);
	struct sim_peer *client;

	options.route_protocols = row->wants;
	start(&options);
	hears = (struct sim_prefix){row->says, length};
	client = sim_client_saying(&sim, row->says, length, 3000);
	if (row->write_max)
		client->write_max = row->write_max;
	sim_run_to_clean_end(&sim, client);
	ck_assert_uint_eq(client->other->received, length + 3000);
	ck_assert_uint_eq(route, row->route);
	stop();
}
END_TEST

/* Nobody waits for what its rule cannot need: one byte decides. */
START_TEST(test_protocol_one_byte_decides)
{
	struct sim_options options = sim_defaults();
	struct sim_peer *client;

	options.route_protocols = SSH;
	start(&options);
	hears = (struct sim_prefix){"G", 1};
	client = sim_client_saying(&sim, "G", 1, 0);
	sim_turn(&sim, 1);
	sim_write(client, 1);
	sim_turn(&sim, 1);
	sim_turn(&sim, 1);
	ck_assert_ptr_nonnull(client->other);
	ck_assert_uint_eq(route, ROUTE_DEFAULT);
	ck_assert(sim_run_to_end(&sim, 20000));
	stop();
}
END_TEST

/* A beginning that may become SSH, and nothing behind it: after `wait` it goes
 * where unknown ones go, and is not ended. */
START_TEST(test_protocol_undecided_goes_on)
{
	struct sim_options options = sim_defaults();
	struct sim_peer *client;

	options.route_protocols = SSH;
	start(&options);
	hears = (struct sim_prefix){"SSH", 3};
	client = sim_client_saying(&sim, "SSH", 3, 0);
	sim_turn(&sim, 1);
	sim_write(client, 3);
	sim_turn(&sim, 1);
	ck_assert_ptr_null(client->other);
	for (uint64_t i = 0; i < options.wait_ms + 20 && !client->other; i++)
		sim_turn(&sim, 1);
	ck_assert_ptr_nonnull(client->other);
	ck_assert_uint_eq(route, ROUTE_DEFAULT);
	ck_assert_uint_eq(
	    counter_read(&sim.worker->metrics->first_bytes_timeouts), 0);
	ck_assert(sim_run_to_end(&sim, 20000));
	stop();
}
END_TEST

static const struct silent_row {
	protocol_set wants;
	uint32_t route;
} silent_rows[] = {
    {PROTOCOL_BIT(PROTOCOL_SMTP), 0},
    {SSH | PROTOCOL_BIT(PROTOCOL_MYSQL), 0},
    {PROTOCOL_SILENT, 0},
    {SSH, ROUTE_DEFAULT},
};

/* Who says nothing waits for the server to begin. */
START_TEST(test_protocol_of_the_silent)
{
	struct sim_options options = sim_defaults();
	struct sim_peer *client;

	options.route_protocols = silent_rows[_i].wants;
	start(&options);
	client = sim_client_saying(&sim, "", 0, 100);
	for (uint64_t i = 0; i < options.wait_ms + 20 && !client->other; i++)
		sim_turn(&sim, 1);
	ck_assert_ptr_nonnull(client->other);
	ck_assert_uint_eq(route, silent_rows[_i].route);
	ck_assert(sim_run_to_end(&sim, 20000));
	stop();
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("front_protocol");

	tcase_add_loop_test(
	    tcase, test_protocol_routes, 0, BR_COUNT(protocol_rows));
	tcase_add_test(tcase, test_protocol_one_byte_decides);
	tcase_add_test(tcase, test_protocol_undecided_goes_on);
	tcase_add_loop_test(
	    tcase, test_protocol_of_the_silent, 0, BR_COUNT(silent_rows));
	return sim_check_main(tcase);
}
