/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_memory.h"

#include "io/tls_ticket.h"
#include "tests/unit/io/io_check.h"
#include "tests/unit/io/tls_made.h"
#include "tests/unit/io/tls_pair.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>

#define CAP (UINT64_C(64) << 20)
#define SPAN TLS_MEMORY_SPAN_BYTES
/* Pools: sessions of servers and of clients are kept apart. */
#define SERVERS 0
#define CLIENTS 1

static struct pair pair;
static struct tls_ticket_keys keys;

static struct tls_memory_stats stats_of(uint32_t index)
{
	struct tls_memory_stats stats;

	tls_memory_read(index, &stats);
	return stats;
}

static void enter(uint32_t index)
{
	tls_memory_detach();
	ck_assert_int_eq(tls_memory_attach(index), 0);
}

/* -- the allocator alone ----------------------------------------------- */

START_TEST(test_sizes_and_contents)
{
	static uint8_t *blocks[3000];
	size_t length = 1;

	enter(5);
	for (size_t i = 0; i < BR_COUNT(blocks); i++) {
		length = (i * 7919) % 24000 + 1;
		blocks[i] = OPENSSL_malloc(length);
		ck_assert_ptr_nonnull(blocks[i]);
		ck_assert_uint_eq((uintptr_t)blocks[i] % 16, 0);
		memset(blocks[i], (int)(i & 0xff), length);
	}
	ck_assert_uint_ge(stats_of(5).live_blocks, 2700);
	for (size_t i = 0; i < BR_COUNT(blocks); i++) {
		length = (i * 7919) % 24000 + 1;
		blocks[i] = OPENSSL_realloc(blocks[i], length * 2);
		for (size_t k = 0; k < length; k += 97)
			ck_assert_uint_eq(blocks[i][k], i & 0xff);
		ck_assert_uint_eq(blocks[i][length - 1], i & 0xff);
		if (i % 2)
			OPENSSL_free(blocks[i]);
	}
	for (size_t i = 0; i < BR_COUNT(blocks); i += 2) {
		blocks[i] = OPENSSL_realloc(blocks[i], 8);
		ck_assert_uint_eq(blocks[i][0], i & 0xff);
		OPENSSL_free(blocks[i]);
	}
	ck_assert_uint_eq(stats_of(5).live_blocks, 0);
	ck_assert_uint_eq(stats_of(5).live_bytes, 0);
	/* Some empty spans are kept, the rest went back. */
	ck_assert_uint_le(stats_of(5).span_bytes, 16 * SPAN);
	tls_memory_detach();
}
END_TEST

START_TEST(test_cap)
{
	static void *blocks[64];
	uint64_t before = tls_memory_used_bytes();
	size_t n = 0;

	enter(6);
	tls_memory_set_cap(before + 16 * SPAN);
	ck_assert_uint_eq(tls_memory_cap_bytes(), before + 16 * SPAN);
	while (n < BR_COUNT(blocks) && !tls_memory_pressed())
		ck_assert_ptr_nonnull(blocks[n++] = OPENSSL_malloc(16384));
	/* Four of them fill a span; 7/8 of all spans are taken. */
	ck_assert_uint_ge(tls_memory_used_bytes(),
	    TLS_MEMORY_PRESSURE(before + 16 * SPAN) - SPAN);
	ck_assert(tls_memory_pressed());
	/* What is beyond the largest class comes from libc: not now. */
	ck_assert_ptr_null(OPENSSL_malloc(100000));
	ck_assert_uint_eq(stats_of(6).refusals, 1);
	while (n < BR_COUNT(blocks) && (blocks[n] = OPENSSL_malloc(16384)))
		n++;
	ck_assert_uint_eq(n, 64);
	ck_assert_ptr_null(OPENSSL_malloc(16384));
	ck_assert_uint_eq(stats_of(6).refusals, 2);
	/* Room in our own spans lifts the pressure. */
	for (size_t i = 0; i < 32; i++)
		OPENSSL_free(blocks[--n]);
	ck_assert(!tls_memory_pressed());
	ck_assert_ptr_nonnull(blocks[n++] = OPENSSL_malloc(16384));
	while (n)
		OPENSSL_free(blocks[--n]);
	tls_memory_set_cap(CAP);
	tls_memory_detach();
}
END_TEST

static void *free_elsewhere(void *argument)
{
	void **blocks = argument;

	ck_assert_int_eq(tls_memory_attach(8), 0);
	for (size_t i = 0; i < 1000; i++)
		OPENSSL_free(blocks[i]);
	tls_memory_detach();
	return NULL;
}

START_TEST(test_freed_by_another_thread)
{
	static void *blocks[1000];
	pthread_t thread;

	enter(7);
	for (int round = 0; round < 5; round++) {
		for (size_t i = 0; i < 1000; i++)
			blocks[i] = OPENSSL_malloc(1 + i * 3);
		ck_assert_uint_eq(stats_of(7).live_blocks, 1000);
		ck_assert_int_eq(
		    pthread_create(&thread, NULL, free_elsewhere, blocks), 0);
		/* Meanwhile here too. */
		for (size_t i = 0; i < 2000; i++)
			OPENSSL_free(OPENSSL_malloc(1 + i));
		pthread_join(thread, NULL);
		tls_memory_collect();
		ck_assert_uint_eq(stats_of(7).live_blocks, 0);
	}
	ck_assert_uint_eq(stats_of(8).live_blocks, 0);
	ck_assert_int_eq(tls_memory_attach(TLS_MEMORY_POOLS), -ENOSPC);
	tls_memory_detach();
}
END_TEST

/* Threads that take spans from each other's leavings. */
static void *churn(void *argument)
{
	uint32_t index = *(uint32_t *)argument;
	static _Thread_local void *held[200];

	ck_assert_int_eq(tls_memory_attach(index), 0);
	for (size_t round = 0; round < 200; round++) {
		for (size_t i = 0; i < BR_COUNT(held); i++) {
			held[i] = OPENSSL_malloc(8000 + i * 50);
			ck_assert_ptr_nonnull(held[i]);
			memset(held[i], (int)index, 64);
		}
		for (size_t i = 0; i < BR_COUNT(held); i++) {
			ck_assert_uint_eq(*(uint8_t *)held[i], index);
			OPENSSL_free(held[i]);
		}
	}
	tls_memory_detach();
	return NULL;
}

START_TEST(test_spans_between_threads)
{
	static uint32_t index[] = {10, 11, 12};
	pthread_t threads[3];

	for (size_t i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, churn, &index[i]);
	for (size_t i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
	}
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(stats_of(index[i]).live_blocks, 0);
}
END_TEST

/* -- under OpenSSL ----------------------------------------------------- */

static struct tls_server *server;
static struct tls_client *client;
static struct tls_context *server_context, *client_context;

static void on_problem(void *owner, const struct tls_problem *problem)
{
	(void)owner;
	ck_abort_msg("%s", problem->text);
}

static void contexts_open(enum tls_version version)
{
	struct tls_certificate_files files = {
	    .cert = made_path("leaf.pem"), .key = made_path("leaf.key")};
	struct tls_server_options s = {.certificates = &files,
	    .n_certificates = 1,
	    .min = version,
	    .max = version};
	struct tls_client_options c = {.verify = TLS_VERIFY_NONE};

	ck_assert_int_eq(tls_server_load(&s, on_problem, NULL, &server), 0);
	ck_assert_int_eq(tls_client_load(&c, on_problem, NULL, &client), 0);
	ck_assert_int_eq(
	    tls_context_new_server(server, NULL, &keys, &server_context), 0);
	ck_assert_int_eq(tls_context_new_client(client, &client_context), 0);
}

static void contexts_close(void)
{
	tls_memory_detach();
	tls_context_free(server_context);
	tls_context_free(client_context);
	tls_server_free(server);
	tls_client_free(client);
}

static void wires_empty(void)
{
	pair.to_client.start = pair.to_client.end = 0;
	pair.to_server.start = pair.to_server.end = 0;
	pair.feed = pair.chunk = 32768;
}

/* A handshake with each side in its pool; whether both are done. */
static bool handshake(void)
{
	bool moved = true;

	pair.client_status = pair.server_status = TLS_WANT_INPUT;
	while (moved) {
		enter(CLIENTS);
		moved = pair_step(&pair, false);
		enter(SERVERS);
		moved |= pair_step(&pair, true);
	}
	return pair.client_status == TLS_DONE && pair.server_status == TLS_DONE;
}

static const enum tls_version versions[] = {TLS_VERSION_1_2, TLS_VERSION_1_3};

/* A thousand bytes each way, each side in its pool. */
static void exchange(bool data)
{
	static uint8_t bytes[1000], got[2000];
	struct tls_out out;
	struct tls_in in;
	size_t n;

	/* The tickets of TLS 1.3, alone. */
	enter(CLIENTS);
	in = wire_in(&pair.to_client, 16384);
	out = (struct tls_out){0};
	ck_assert_int_eq(
	    tls_session_read(&pair.client, &in, &out, got, sizeof(got), &n),
	    TLS_WANT_INPUT);
	wire_took(&pair.to_client, &in);
	for (int server_turn = 0; data && server_turn < 2; server_turn++) {
		struct tls_session *from =
		    server_turn ? &pair.server : &pair.client;
		struct tls_session *to =
		    server_turn ? &pair.client : &pair.server;
		struct wire *wire =
		    server_turn ? &pair.to_client : &pair.to_server;

		enter(server_turn ? SERVERS : CLIENTS);
		out = wire_out(wire, 16384);
		ck_assert_int_eq(
		    tls_session_write(from, &out, bytes, sizeof(bytes), &n),
		    TLS_DONE);
		wire_got(wire, &out);
		enter(server_turn ? CLIENTS : SERVERS);
		in = wire_in(wire, 16384);
		out = (struct tls_out){0};
		ck_assert_int_eq(
		    tls_session_read(to, &in, &out, got, sizeof(got), &n),
		    TLS_WANT_INPUT);
		ck_assert_uint_eq(n, sizeof(bytes));
		wire_took(wire, &in);
	}
}

#define IDLE 200

/* Design section 6: at most 18 KB for an idle session in all. */
START_TEST(test_idle_session)
{
	static struct tls_session clients[IDLE], servers[IDLE];
	static const struct tls_peer peer = {.sni = "one.test"};
	uint64_t live, client_live, spans, each;

	contexts_open(versions[_i]);
	enter(SERVERS);
	live = stats_of(SERVERS).live_bytes;
	client_live = stats_of(CLIENTS).live_bytes;
	spans = stats_of(SERVERS).span_bytes;
	for (size_t i = 0; i < IDLE; i++) {
		wires_empty();
		enter(CLIENTS);
		ck_assert_int_eq(tls_session_init_client(
				     &pair.client, client_context, &peer),
		    0);
		enter(SERVERS);
		ck_assert_int_eq(
		    tls_session_init_server(&pair.server, server_context), 0);
		ck_assert(handshake());
		/* Half of them have been used, both ways. */
		exchange(i % 2 == 0);
		/* A session does not move, except that nothing but fini
		 * follows for these. */
		clients[i] = pair.client;
		servers[i] = pair.server;
	}
	enter(SERVERS);
	each = (stats_of(SERVERS).live_bytes - live) / IDLE;
	printf("TLS %s: %llu bytes an idle session (spans: %llu), "
	       "%zu of struct tls_session\n",
	    _i ? "1.3" : "1.2", (unsigned long long)each,
	    (unsigned long long)(stats_of(SERVERS).span_bytes - spans) / IDLE,
	    sizeof(struct tls_session));
	ck_assert_uint_le(each + sizeof(struct tls_session), 18 << 10);
	ck_assert_uint_gt(each, 4 << 10);
	/* Towards servers too, also when the last record was a ticket; these
	 * hold the server's certificate besides. */
	each = (stats_of(CLIENTS).live_bytes - client_live) / IDLE;
	printf("    and %llu as a client\n", (unsigned long long)each);
	ck_assert_uint_le(each + sizeof(struct tls_session), 20 << 10);
	for (size_t i = 0; i < IDLE; i++) {
		enter(SERVERS);
		tls_session_fini(&servers[i]);
		enter(CLIENTS);
		tls_session_fini(&clients[i]);
	}
	contexts_close();
}
END_TEST

/* Every single allocation of a handshake fails once, and from every one on
 * all fail: an error each time, never a crash, and nothing is kept. */
static uint32_t try_failing(uint32_t nth, bool all)
{
	static const struct tls_peer peer = {.sni = "one.test"};
	bool moved = true;
	int rc;

	wires_empty();
	tls_memory_detach();
	ck_assert_int_eq(
	    tls_session_init_client(&pair.client, client_context, &peer), 0);
	enter(SERVERS);
	tls_memory_fail_nth(nth, all);
	rc = tls_session_init_server(&pair.server, server_context);
	tls_memory_fail_nth(0, false);
	if (rc) {
		ck_assert_int_eq(rc, -ENOMEM);
		tls_session_fini(&pair.client);
		return 1;
	}
	pair.client_status = pair.server_status = TLS_WANT_INPUT;
	for (int i = 0; moved && i < 20; i++) {
		moved = pair_step(&pair, false);
		tls_memory_fail_nth(nth, all);
		moved |= pair_step(&pair, true);
		tls_memory_fail_nth(0, false);
	}
	rc = pair.server_status == TLS_FAILED;
	if (rc)
		ck_assert_msg(
		    pair.server.cause == TLS_CAUSE_memory ||
			pair.server.cause == TLS_CAUSE_internal ||
			pair.server.cause == TLS_CAUSE_malformed ||
			pair.server.cause == TLS_CAUSE_no_shared_cipher ||
			pair.server.cause == TLS_CAUSE_peer_alert,
		    "%u: %s", nth, tls_cause_name(pair.server.cause));
	tls_session_fini(&pair.server);
	tls_session_fini(&pair.client);
	return (uint32_t)rc;
}

START_TEST(test_allocations_fail)
{
	uint32_t failed = 0, nth = 1;
	uint64_t live;

	contexts_open(versions[_i]);
	ck_assert_uint_eq(try_failing(0, false), 0);
	live = stats_of(SERVERS).live_blocks;
	for (; nth < 400; nth++) {
		failed += try_failing(nth, true);
		failed += try_failing(nth, false);
	}
	ck_assert_uint_gt(failed, 200);
	ck_assert_uint_eq(try_failing(0, false), 0);
	/* Caches of the library may have come; a leak a handshake would be
	 * hundreds. */
	ck_assert_uint_le(stats_of(SERVERS).live_blocks, live + 32);
	contexts_close();
}
END_TEST

/* Under pressure a handshake is refused, and who is connected goes on. */
START_TEST(test_pressure)
{
	static struct tls_session waiting;
	static uint8_t bytes[3000], got[3000];
	static const struct tls_peer peer = {.sni = "one.test"};
	struct tls_in in = {bytes, bytes};
	struct tls_out out = {got, got};
	char text[100];

	contexts_open(TLS_VERSION_1_3);
	wires_empty();
	enter(CLIENTS);
	ck_assert_int_eq(
	    tls_session_init_client(&pair.client, client_context, &peer), 0);
	enter(SERVERS);
	ck_assert_int_eq(
	    tls_session_init_server(&pair.server, server_context), 0);
	ck_assert(handshake());
	ck_assert_int_eq(tls_session_init_server(&waiting, server_context), 0);
	{
		static void *blocks[400];
		size_t n = 0;

		/* The pool is full, and there is no more to be had. */
		while (n < BR_COUNT(blocks))
			ck_assert_ptr_nonnull(
			    blocks[n++] = OPENSSL_malloc(16384));
		ck_assert(!tls_memory_pressed());
		tls_memory_set_cap(1);
		ck_assert(tls_memory_pressed());
		ck_assert_int_eq(
		    tls_session_handshake(&waiting, &in, &out), TLS_FAILED);
		ck_assert_int_eq(waiting.cause, TLS_CAUSE_memory);
		tls_session_explain(&waiting, text, sizeof(text));
		ck_assert_str_eq(
		    text, "no memory: limits.tls_memory is reached");
		tls_session_fini(&waiting);
		ck_assert_int_eq(
		    tls_session_init_server(&waiting, server_context), -ENOMEM);
		while (n)
			OPENSSL_free(blocks[--n]);
	}
	tls_memory_set_cap(CAP);
	ck_assert_uint_eq(
	    pair_send(&pair, true, bytes, sizeof(bytes), got), sizeof(bytes));
	ck_assert_int_eq(tls_session_init_server(&waiting, server_context), 0);
	tls_session_fini(&waiting);
	tls_session_fini(&pair.server);
	enter(CLIENTS);
	tls_session_fini(&pair.client);
	contexts_close();
}
END_TEST

static void setup(void)
{
	struct made_options options = {.cn = "one.test", .serial = 2};
	struct made leaf;

	ck_assert_int_eq(tls_start(), 0);
	ck_assert_int_eq(tls_memory_install(CAP), -EALREADY);
	made_begin();
	leaf = made_certificate(&options);
	made_write(&leaf, "leaf.pem", "leaf.key", NULL);
	made_free(&leaf);
	ck_assert_int_eq(tls_ticket_keys_make(&keys, 0), 0);
}

int main(void)
{
	TCase *tests = tcase_create("memory");

	/* Before anything of OpenSSL. */
	if (tls_memory_install(CAP))
		return 1;
	tcase_add_unchecked_fixture(tests, setup, made_end);
	tcase_add_test(tests, test_sizes_and_contents);
	tcase_add_test(tests, test_cap);
	tcase_add_test(tests, test_freed_by_another_thread);
	tcase_add_test(tests, test_spans_between_threads);
	tcase_add_loop_test(tests, test_idle_session, 0, 2);
	tcase_add_loop_test(tests, test_allocations_fail, 0, 2);
	tcase_add_test(tests, test_pressure);
	return io_check_main(tests);
}
