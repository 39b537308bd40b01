/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/flow_log.h"

#include "lb/listener.h"
#include "lb/worker.h"
#include "tests/unit/lb/lb_check.h"

#include <pthread.h>
#include <sched.h>

/* False when full. */
static bool put(struct record_queue *log, uint64_t id)
{
	struct flow_record *record = flow_log_room(log);

	if (!record)
		return false;
	record->id = id;
	record->bytes_down = id * 3;
	record_queue_put(log);
	return true;
}

START_TEST(test_full_and_in_order)
{
	struct record_queue *log = flow_log_new(4);
	struct flow_record got;

	ck_assert(!flow_log_take(log, &got));
	for (uint64_t round = 0; round < 5; round++) {
		for (uint64_t id = 0; id < 4; id++)
			ck_assert(put(log, id));
		ck_assert(!put(log, 4));
		for (uint64_t id = 0; id < 4; id++) {
			ck_assert(flow_log_take(log, &got));
			ck_assert_uint_eq(got.id, id);
		}
		ck_assert(!flow_log_take(log, &got));
	}
	record_queue_free(log);
	record_queue_free(NULL);
}
END_TEST

#define RECORDS 20000

static void *take_all(void *context)
{
	struct record_queue *log = context;
	uint64_t expected = 0;

	while (expected < RECORDS) {
		struct flow_record got;

		if (!flow_log_take(log, &got)) {
			sched_yield();
			continue;
		}
		/* Whole records: the last word belongs to the first. */
		if (got.id != expected || got.bytes_down != expected * 3)
			return context;
		expected++;
	}
	return NULL;
}

START_TEST(test_two_threads)
{
	struct record_queue *log = flow_log_new(16);
	void *failed = log;
	pthread_t clerk;

	ck_assert_int_eq(pthread_create(&clerk, NULL, take_all, log), 0);
	for (uint64_t id = 0; id < RECORDS; id++)
		while (!put(log, id))
			sched_yield();
	ck_assert_int_eq(pthread_join(clerk, &failed), 0);
	ck_assert_ptr_null(failed);
	record_queue_free(log);
}
END_TEST

static struct mono ms(int64_t n)
{
	return (struct mono){n * NS_PER_MS};
}

/* A flow that was accepted at 100 ms; it is 1000 ms now. */
static void fill(struct flow_record *ret, const struct flow_request *request,
    int64_t chosen_ms)
{
	static struct listener listener = {.name = "web"};
	static struct worker worker;
	struct flow flow = {.worker = &worker, .listener = &listener};

	worker.ring.now = ms(1000);
	flow.accepted_at = ms(100);
	flow.chosen_at = ms(chosen_ms);
	flow.connected_at = ms(chosen_ms + 5);
	flow.first_byte_at = ms(chosen_ms + 6);
	flow.up.bytes = 1000;
	flow.down.bytes = 2000;
	memset(ret, 0xff, sizeof *ret);
	flow_record_fill(ret, &flow);
	ck_assert_uint_eq(ret->request, 0);
	ck_assert_uint_eq(ret->shards, 0);
	if (request)
		flow_record_add_request(ret, &flow, request);
}

/* Of large answers that came from one server, and of no others. */
START_TEST(test_what_barred_it)
{
	const struct flow_request large = {.number = 1,
	    .status = 200,
	    .method = "GET",
	    .method_bytes = 3,
	    .target = "/",
	    .target_bytes = 1,
	    .bytes_down = 64u << 10,
	    .bar = SHARD_BAR_ranges,
	    .begun_at = ms(110)};
	struct flow_request other = large;
	struct flow_record r;

	fill(&r, &large, 120);
	ck_assert_uint_eq(r.bar, SHARD_BAR_ranges);
	other.bytes_down--;
	fill(&r, &other, 120);
	ck_assert_uint_eq(r.bar, SHARD_BAR_NONE);
	other = large;
	other.status = 404;
	fill(&r, &other, 120);
	ck_assert_uint_eq(r.bar, SHARD_BAR_NONE);
	other = large;
	other.shards = 1;
	fill(&r, &other, 120);
	ck_assert_uint_eq(r.bar, SHARD_BAR_NONE);
}
END_TEST

START_TEST(test_a_request_has_times_and_bytes_of_its_own)
{
	struct flow_request request = {.number = 1,
	    .status = 200,
	    .method = "GETGET",
	    .method_bytes = 3,
	    .target = "/a bc",
	    .target_bytes = 2,
	    .bytes_up = 10,
	    .bytes_down = 20,
	    .shards = 3,
	    .pieces = 4,
	    .migrations = 5,
	    .begun_at = ms(110),
	    .sent_at = ms(130),
	    .answered_at = ms(150)};
	struct flow_record r;

	fill(&r, NULL, 120);
	ck_assert_int_eq(r.total_ns, 900 * NS_PER_MS);
	fill(&r, &request, 120);
	ck_assert_str_eq(r.method, "GET");
	ck_assert_str_eq(r.target, "/a");
	ck_assert_uint_eq(r.request, 1);
	ck_assert_uint_eq(r.status, 200);
	ck_assert_uint_eq(r.bytes_up, 10);
	ck_assert_uint_eq(r.bytes_down, 20);
	ck_assert_uint_eq(r.shards * 100 + r.pieces * 10 + r.migrations, 345);
	ck_assert_uint_eq(r.bar, SHARD_BAR_NONE);
	ck_assert_int_eq(r.queue_ns, 20 * NS_PER_MS);
	ck_assert_int_eq(r.connect_ns, 5 * NS_PER_MS);
	ck_assert_int_eq(r.first_byte_ns, 20 * NS_PER_MS);
	ck_assert_int_eq(r.total_ns, 890 * NS_PER_MS);
	/* A later one has a server already... */
	request.number = 2;
	request.answered_at = ms(0);
	fill(&r, &request, 105);
	ck_assert_int_eq(r.queue_ns, -1);
	ck_assert_int_eq(r.connect_ns, -1);
	ck_assert_int_eq(r.first_byte_ns, -1);
	/* ... or gets another. */
	fill(&r, &request, 112);
	ck_assert_int_eq(r.queue_ns, 2 * NS_PER_MS);
	ck_assert_int_eq(r.connect_ns, 5 * NS_PER_MS);
}
END_TEST

START_TEST(test_what_a_client_says_is_cut_and_harmless)
{
	static const char odd[] = "/a=b&c%20d'e<>~\"\\ \n\x7f\x80\0z";
	char target[FLOW_RECORD_TARGET_MAX + 50];
	struct flow_request request = {.number = 1,
	    .method = "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
	    .method_bytes = 26,
	    .target = odd,
	    .target_bytes = sizeof odd - 1,
	    .begun_at = ms(110)};
	struct flow_record r;

	fill(&r, &request, 120);
	ck_assert_str_eq(r.method, "ABCDEFGHIJKLMNO");
	ck_assert_str_eq(r.target, "/a=b&c%20d'e<>~???"
				   "????z");
	memset(target, 't', sizeof target);
	request.target = target;
	request.target_bytes = sizeof target;
	fill(&r, &request, 120);
	ck_assert_uint_eq(strlen(r.target), FLOW_RECORD_TARGET_MAX);
	ck_assert_int_eq(r.target[FLOW_RECORD_TARGET_MAX - 1], 't');
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("flow_log");

	tcase_add_test(tcase, test_full_and_in_order);
	tcase_add_test(tcase, test_two_threads);
	tcase_add_test(tcase, test_a_request_has_times_and_bytes_of_its_own);
	tcase_add_test(tcase, test_what_barred_it);
	tcase_add_test(tcase, test_what_a_client_says_is_cut_and_harmless);
	return lb_check_main(tcase);
}
