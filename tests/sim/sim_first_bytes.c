/* SPDX-License-Identifier: Apache-2.0 */
/* The profiler reads first bytes in as many reads as they take: what is kept
 * meanwhile, and until when. */
#include "base/slab.h"
#include "lb/flow_profile.h"
#include "profiler/hints.h"
#include "tests/sim/sim.h"
#include "tests/sim/sim_check.h"

#include <string.h>

#define BEHIND 3000u
#define BULK_BYTES (16u << 10) /* by large reads make a pinned flow bulk */

static const char get[] = "GET /v.mp4 HTTP/1.1\r\nHost: a.test\r\n\r\n";
#define GET_BYTES (sizeof get - 1)
#define PART 13u /* no whole line */

static struct sim sim;
static struct sim_prefix hears;

static void on_server(struct sim *s, struct sim_peer *server)
{
	(void)s;
	server->to_send = BEHIND;
	server->hears = hears;
}

/* A client of these bytes, with its server; flows of HTTP are pinned. */
static struct sim_peer *start(const char *says, uint32_t length)
{
	static struct profiling profiling = {.acts = true};
	struct sim_options options = sim_defaults();
	struct sim_peer *client;

	profiling.pins.by_protocol[PROTOCOL_HTTP] = CONF_PIN(FLOW_CLASS_BULK);
	options.profiler = false;
	fake_init(1);
	sim_start(&sim, &options);
	sim.on_server = on_server;
	sim.worker->profiling = &profiling;
	hears = (struct sim_prefix){says, length};
	client = sim_client_saying(&sim, says, length, BEHIND);
	client->write_max = 0;
	sim_connected(&sim, client);
	return client;
}

/* One read of the flow, which its server gets at once. */
static void say(struct sim_peer *client, uint32_t n)
{
	uint64_t before = client->other->received;

	sim_write(client, n);
	sim_turn(&sim, 1);
	sim_turn(&sim, 1);
	sim_read(client->other);
	ck_assert_uint_eq(client->other->received, before + n);
}

static void finish(struct sim_peer *client, uint32_t said)
{
	client->write_max = UINT32_MAX;
	sim_run_to_clean_end(&sim, client);
	ck_assert_uint_eq(client->other->received, said + BEHIND);
	sim_stop(&sim);
	fake_fini();
}

static const struct flow_profile *profile(void)
{
	return sim_flow(&sim)->profile;
}

/* Known with the second read: the pin counts and is acted upon, although no
 * verdict is due, and nothing is kept any more. */
START_TEST(test_in_two_reads)
{
	struct sim_peer *client = start(get, GET_BYTES);

	say(client, PART);
	ck_assert_uint_eq(profile()->profile.class, FLOW_CLASS_UNKNOWN);
	ck_assert_uint_ne(profile()->rule.counter.bytes, BULK_BYTES);
	ck_assert_ptr_nonnull(profile()->kept);
	ck_assert_uint_eq(sim.worker->kept_slab.used, 1);
	say(client, GET_BYTES - PART);
	ck_assert_uint_eq(profile()->profile.class, FLOW_CLASS_BULK);
	ck_assert_uint_eq(profile()->rule.counter.bytes, BULK_BYTES);
	ck_assert_ptr_null(profile()->kept);
	ck_assert_uint_eq(sim.worker->kept_slab.used, 0);
	finish(client, GET_BYTES);
}
END_TEST

/* What says all at once costs nothing. */
START_TEST(test_in_one_read)
{
	struct sim_peer *client = start(get, GET_BYTES);

	say(client, GET_BYTES);
	ck_assert_uint_eq(profile()->profile.class, FLOW_CLASS_BULK);
	ck_assert_uint_eq(sim.worker->kept_slab.touched, 0);
	finish(client, GET_BYTES);
}
END_TEST

/* Without room the first read counts alone. */
START_TEST(test_no_room)
{
	struct sim_peer *client = start(get, GET_BYTES);

	slab_fail_nth(2); /* the first is the profile */
	say(client, PART);
	slab_fail_nth(0);
	ck_assert_ptr_null(profile()->kept);
	say(client, GET_BYTES - PART);
	ck_assert_uint_eq(profile()->profile.class, FLOW_CLASS_UNKNOWN);
	finish(client, GET_BYTES);
}
END_TEST

/* One who never comes to an end is listened to for so long. */
START_TEST(test_until_it_is_full)
{
	static char hello[HINTS_KEPT_MAX + 1];
	struct sim_peer *client;

	memcpy(hello, "\x16\x03\x01\x20\0\1\0\x1f\xfc\x03\x03", 11);
	client = start(hello, sizeof hello);
	say(client, PART);
	ck_assert_uint_eq(profile()->profile.hints.protocol, PROTOCOL_TLS);
	say(client, HINTS_KEPT_MAX - 1 - PART);
	ck_assert_ptr_nonnull(profile()->kept);
	say(client, 1);
	ck_assert_ptr_null(profile()->kept);
	say(client, 1);
	finish(client, sizeof hello);
}
END_TEST

/* A flow that ends meanwhile gives back what is kept (sim_stop() looks). */
START_TEST(test_end_meanwhile)
{
	struct sim_peer *client = start(get, GET_BYTES);

	say(client, PART);
	ck_assert_uint_eq(sim.worker->kept_slab.used, 1);
	sim_reset(client);
	ck_assert(sim_run_to_end(&sim, 20000));
	sim_stop(&sim);
	fake_fini();
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("first_bytes");

	tcase_add_test(tcase, test_in_two_reads);
	tcase_add_test(tcase, test_in_one_read);
	tcase_add_test(tcase, test_no_room);
	tcase_add_test(tcase, test_until_it_is_full);
	tcase_add_test(tcase, test_end_meanwhile);
	return sim_check_main(tcase);
}
