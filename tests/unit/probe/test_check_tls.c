/* SPDX-License-Identifier: Apache-2.0 */
/* A check's dialogue inside TLS, against a server session without a socket:
 * what one side wants sent is handed to the other in pieces of any size. */
#include "probe/check_tls.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/tls_context.h"
#include "tests/unit/io/tls_made.h"

#define WIRE_BYTES (1u << 16)
#define TURNS_MAX 200000

static struct made authority, leaf;
static struct tls_server *server;
static struct tls_client *client;
static struct tls_context *server_context, *client_context;
static struct tls_session session; /* the server's */
static struct check_tls tls;
static struct talk talk;
static uint8_t to_server[WIRE_BYTES], to_client[WIRE_BYTES];
static size_t n_to_server, n_to_client, sent_to_client;
static char heard[WIRE_BYTES];
static size_t n_heard;

static void on_problem(void *owner, const struct tls_problem *problem)
{
	(void)owner;
	ck_abort_msg("%s", problem->text);
}

static void make_all(void)
{
	struct tls_certificate_files files;
	struct tls_server_options server_options = {
	    .certificates = &files, .n_certificates = 1};
	struct tls_client_options client_options = {.verify = TLS_VERIFY_FULL};

	made_begin();
	authority = made_certificate(&(struct made_options){
	    .cn = "authority", .authority = true, .serial = 1});
	leaf = made_certificate(&(struct made_options){.cn = "leaf",
	    .san = "DNS:good.example",
	    .issuer = &authority,
	    .serial = 2});
	made_write(&authority, "ca.pem", NULL, NULL);
	made_write(&leaf, "leaf.pem", "leaf.key", NULL);
	files = (struct tls_certificate_files){
	    .cert = made_path("leaf.pem"), .key = made_path("leaf.key")};
	client_options.ca = made_path("ca.pem");
	ck_assert_int_eq(
	    tls_server_load(&server_options, on_problem, NULL, &server), 0);
	ck_assert_int_eq(
	    tls_client_load(&client_options, on_problem, NULL, &client), 0);
	ck_assert_int_eq(
	    tls_context_new_server(server, NULL, NULL, &server_context), 0);
	ck_assert_int_eq(tls_context_new_client(client, &client_context), 0);
}

static void setup(void)
{
	n_to_server = n_to_client = sent_to_client = n_heard = 0;
}

static void teardown(void)
{
	check_tls_fini(&tls);
	tls_session_fini(&session);
}

static void unmake_all(void)
{
	tls_context_free(server_context);
	tls_context_free(client_context);
	tls_server_free(server);
	tls_client_free(client);
	made_free(&authority);
	made_free(&leaf);
	made_end();
}

static void begin(enum conf_health_type type, const char *name)
{
	static struct conf_step steps[2];
	struct conf_health health = {.type = type,
	    .steps = steps,
	    .n_steps = 2,
	    .path = "/",
	    .host = "h",
	    .n_status = 1,
	    .status = {{200, 200}}};
	struct tls_peer peer = {.sni = name, .verify_name = name};
	struct addr to;

	steps[0].send = (struct conf_bytes){.at = "PING", .n = 4};
	steps[1].expect = (struct conf_bytes){.at = "+PONG", .n = 5};
	ck_assert_int_eq(addr_parse(&to, "127.0.0.1:1"), 0);
	ck_assert_int_eq(talk_init_check(&talk, &health, &to, NULL), 0);
	ck_assert_int_eq(check_tls_init(&tls, client_context, &peer), 0);
	ck_assert_int_eq(tls_session_init_server(&session, server_context), 0);
}

/* The server's part of a turn: handshake, then what it hears; once it has
 * heard `question` it answers, and then ends if told so. */
static void server_turn(const char *question, const char *answer, bool ends)
{
	static uint8_t rest[WIRE_BYTES];
	struct tls_in in = {to_server, to_server + n_to_server};
	struct tls_out out = {to_client + n_to_client, to_client + WIRE_BYTES};
	enum tls_status status = TLS_DONE;
	size_t n = 0;

	if (!session.established)
		status = tls_session_handshake(&session, &in, &out);
	if (status == TLS_DONE && session.established) {
		(void)tls_session_read(&session, &in, &out, heard + n_heard,
		    sizeof(heard) - n_heard, &n);
		n_heard += n;
	}
	n = (size_t)(in.end - in.at);
	memcpy(rest, in.at, n);
	memcpy(to_server, rest, n);
	n_to_server = n;
	if (question && n_heard >= strlen(question) && !session.close_sent) {
		ck_assert_mem_eq(heard, question, strlen(question));
		if (answer)
			ck_assert_int_eq(tls_session_write(&session, &out,
					     answer, strlen(answer), &n),
			    TLS_DONE);
		/* Once. */
		if (ends || answer)
			(void)tls_session_close(&session, &out);
	}
	n_to_client = (size_t)(out.at - to_client);
}

/* Until the check has ended; pieces of `feed` bytes reach it. */
static void run(
    size_t feed, const char *question, const char *answer, bool ends)
{
	for (int i = 0; i < TURNS_MAX; i++) {
		enum talk_next next = check_tls_step(&tls, &talk);
		size_t n;

		if (next == TALK_ENDED)
			return;
		if (next == TALK_SEND) {
			ck_assert_uint_gt(tls.n_out, 0);
			memcpy(
			    to_server + n_to_server, tls.out_bytes, tls.n_out);
			n_to_server += tls.n_out;
			continue;
		}
		server_turn(question, answer, ends);
		n = n_to_client - sent_to_client;
		ck_assert_msg(n > 0 || ends, "nobody says anything");
		n = n < feed ? n : feed;
		memcpy(tls.in_bytes, to_client + sent_to_client, n);
		sent_to_client += n;
		check_tls_received(&tls, (uint32_t)n);
	}
	ck_abort_msg("it never ends");
}

static const size_t feeds[] = {1, 7, 1000, CHECK_TLS_BYTES};

START_TEST(a_handshake_is_enough)
{
	begin(CONF_HEALTH_TLS, "good.example");
	run(feeds[_i], NULL, NULL, false);
	ck_assert_int_eq(talk.error, 0);
	ck_assert_str_eq(talk.cause, "TLS handshake done, TLSv1.3");
	/* Our Finished was sent before the end. */
	server_turn(NULL, NULL, false);
	ck_assert(session.established);
}
END_TEST

START_TEST(a_script_goes_through)
{
	begin(CONF_HEALTH_SEND_EXPECT, "good.example");
	run(feeds[_i], "PING", "xx+PONG", false);
	ck_assert_int_eq(talk.error, 0);
	ck_assert_str_eq(talk.cause, "all 2 steps as expected");
}
END_TEST

START_TEST(an_http_status_goes_through)
{
	begin(CONF_HEALTH_HTTP, "good.example");
	run(feeds[_i], "GET / HTTP/1.1\r\nHost: h\r\n",
	    "HTTP/1.1 404 No\r\n\r\n", false);
	ck_assert_int_eq(talk.error, BR_E_STATUS);
	ck_assert_str_eq(talk.cause, "status 404, expected 200");
}
END_TEST

START_TEST(the_name_must_be_right)
{
	begin(CONF_HEALTH_TLS, "bad.example");
	run(feeds[_i], NULL, NULL, false);
	ck_assert_int_eq(talk.error, BR_E_PROTOCOL);
	ck_assert_ptr_nonnull(strstr(talk.cause, "for another name"));
}
END_TEST

START_TEST(an_orderly_end_instead_of_an_answer)
{
	begin(CONF_HEALTH_SEND_EXPECT, "good.example");
	run(feeds[_i], "PING", NULL, true);
	ck_assert_int_eq(talk.error, BR_E_CLOSED);
	ck_assert_str_eq(talk.cause,
	    "step 2: expected \"+PONG\", received nothing and the end");
}
END_TEST

START_TEST(an_end_within_the_handshake)
{
	begin(CONF_HEALTH_TLS, "good.example");
	ck_assert_int_eq(check_tls_step(&tls, &talk), TALK_SEND);
	ck_assert_int_eq(check_tls_step(&tls, &talk), TALK_RECEIVE);
	ck_assert(check_tls_in_handshake(&tls));
	check_tls_received(&tls, 0);
	ck_assert_int_eq(check_tls_step(&tls, &talk), TALK_ENDED);
	ck_assert_int_eq(talk.error, BR_E_CLOSED);
	ck_assert_str_eq(talk.cause, "closed within the TLS handshake");
}
END_TEST

START_TEST(what_is_not_tls)
{
	static const char banner[] = "220 mail ready\r\n";

	begin(CONF_HEALTH_TLS, "good.example");
	ck_assert_int_eq(check_tls_step(&tls, &talk), TALK_SEND);
	ck_assert_int_eq(check_tls_step(&tls, &talk), TALK_RECEIVE);
	memcpy(tls.in_bytes, banner, sizeof(banner) - 1);
	check_tls_received(&tls, sizeof(banner) - 1);
	ck_assert_int_eq(check_tls_step(&tls, &talk), TALK_ENDED);
	ck_assert_int_eq(talk.error, BR_E_PROTOCOL);
	ck_assert_ptr_nonnull(strstr(talk.cause, "TLS: "));
}
END_TEST

int main(void)
{
	const int n_feeds = (int)(sizeof(feeds) / sizeof(feeds[0]));
	Suite *suite = suite_create("check_tls");
	TCase *tcase = tcase_create("check_tls");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (tls_start())
		return EXIT_FAILURE;
	tcase_add_unchecked_fixture(tcase, make_all, unmake_all);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, a_handshake_is_enough, 0, n_feeds);
	tcase_add_loop_test(tcase, a_script_goes_through, 0, n_feeds);
	tcase_add_loop_test(tcase, an_http_status_goes_through, 0, n_feeds);
	tcase_add_loop_test(tcase, the_name_must_be_right, 0, n_feeds);
	tcase_add_loop_test(
	    tcase, an_orderly_end_instead_of_an_answer, 0, n_feeds);
	tcase_add_test(tcase, an_end_within_the_handshake);
	tcase_add_test(tcase, what_is_not_tls);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
