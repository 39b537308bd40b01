/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/shard_rows.h"
#include "tests/unit/daemon/ctl_fixture.h"

START_TEST(test_commands)
{
	struct control *c = control_new();

	expect(c, "{\"command\":\"status\"}\n", "\"file\":\"braid.yaml\"");
	expect(c, "{\"command\":\"pools\"}\n", "\"usable\":2");
	expect(c, "{\"command\":\"listeners\"}\n", "\"listeners\":[]");
	expect(c, "{\"command\":\"servers\"}\n", "\"server\":\"b\"");
	expect(c, "{\"command\":\"servers\",\"arguments\":[\"q\"]}\n",
	    "{\"exit\":66,");
	expect(c, "{\"command\":\"drain\",\"arguments\":[\"p\",\"a\"]}\n",
	    "\"admin\":\"drain\"");
	expect(c, "{\"command\":\"pools\"}\n", "\"usable\":1");
	expect(c,
	    "{\"command\":\"weight\",\"arguments\":[\"p\",\"b\",\"9\"]}\n",
	    "\"weight\":9");
	expect(c,
	    "{\"command\":\"weight\",\"arguments\":[\"p\",\"b\",\"65536\"]}\n",
	    "{\"exit\":64,");
	expect(c,
	    "{\"command\":\"weight\",\"arguments\":[\"p\",\"b\",\"reset\"]}\n",
	    "\"weight\":3");
	expect(c, "{\"command\":\"maint\",\"arguments\":[\"p\",\"z\"]}\n",
	    "{\"exit\":66,");
	expect(c, "{\"command\":\"drain\",\"arguments\":[\"p\"]}\n",
	    "usage: drain POOL SERVER");
	expect(c, "{\"command\":\"nodes\"}\n", "not in this version");
	expect(c, "{\"command\":\"stop\"}\n", "{\"exit\":64,");
	expect(c, "garbage\n", "{\"exit\":64,");
	control_free(c);
}
END_TEST

/* POPs are set as a whole; among servers they are shown when asked for. */
START_TEST(test_pops)
{
	static const char *const wrong[] = {
	    "{\"command\":\"drain\",\"arguments\":[\"pop:ams\",\"a\"]}\n",
	    "{\"command\":\"weight\",\"arguments\":[\"pop:ams\"]}\n",
	    "{\"command\":\"weight\",\"arguments\":[\"pop:ams\",\"-1\"]}\n",
	    "{\"command\":\"weight\",\"arguments\":[\"p\",\"a\"]}\n",
	    "{\"command\":\"drain\",\"arguments\":[\"pop:ams\",\"--in\"]}\n",
	    "{\"command\":\"drain\",\"arguments\":[\"pop:ams\",\"--in\","
	    "\"soon\"]}\n",
	    "{\"command\":\"drain\",\"arguments\":[\"pop:ams\",\"--in\","
	    "\"31d\"]}\n",
	    "{\"command\":\"ready\",\"arguments\":[\"pop:ams\",\"--in\","
	    "\"5m\"]}\n",
	    "{\"command\":\"drain\",\"arguments\":[\"p\",\"--in\","
	    "\"5m\"]}\n"};
	struct control *c = control_new();

	expect(c, "{\"command\":\"pops\"}\n",
	    "\"pop\":\"ams\",\"health\":\"unknown\",\"admin\":\"ready\","
	    "\"addresses\":2,\"addresses_up\":2,\"checked\":false,"
	    "\"weight_percent\":100,\"weight_overridden\":false");
	expect(c, "{\"command\":\"pops\"}\n", "\"report\":null");
	c->pops[0]->agent.port = 9999;
	expect(c, "{\"command\":\"pops\"}\n",
	    "\"report\":{\"state\":\"none\",\"percent\":null,"
	    "\"checks\":\"none\",\"differs\":false,\"addresses\":0,"
	    "\"heard_seconds\":null,\"said\":\"\"}");
	expect(c, "{\"command\":\"drain\",\"arguments\":[\"pop:ams\"]}\n",
	    "\"admin\":\"drain\"");
	expect(c,
	    "{\"command\":\"drain\",\"arguments\":[\"pop:ams\",\"--in\","
	    "\"5m\"]}\n",
	    "\"ams\\\" is out of service as it is");
	expect(c, "{\"command\":\"maint\",\"arguments\":[\"pop:ams\"]}\n",
	    "\"admin\":\"maint\"");
	expect(c, "{\"command\":\"ready\",\"arguments\":[\"pop:ams\"]}\n",
	    "\"admin\":\"ready\"");
	expect(c,
	    "{\"command\":\"drain\",\"arguments\":[\"pop:ams\",\"--in\","
	    "\"5m\"]}\n",
	    "\"drains_in_seconds\":300,");
	expect(c,
	    "{\"command\":\"weight\",\"arguments\":[\"pop:ams\",\"30\"]}\n",
	    "\"weight_percent\":30,\"weight_overridden\":true");
	expect(c,
	    "{\"command\":\"weight\",\"arguments\":[\"pop:ams\","
	    "\"reset\"]}\n",
	    "\"weight_percent\":100,\"weight_overridden\":false");
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		expect(c, wrong[i], "{\"exit\":64,");
	expect(c, "{\"command\":\"drain\",\"arguments\":[\"pop:fra\"]}\n",
	    "no POP \\\"fra\\\"");
	expect(c, "{\"command\":\"servers\",\"arguments\":[\"pop:ams\"]}\n",
	    "\"server\":\"2001:db8::20\"");
	expect(c, "{\"command\":\"pools\"}\n", "\"usable\":2,");
	control_free(c);
}
END_TEST

START_TEST(test_request_in_pieces)
{
	struct control *c = control_new();
	const char *request = "{\"command\":\"pools\"}\n";
	int fd = client_open(c);
	char piece[2] = "";

	for (size_t i = 0; request[i]; i++) {
		piece[0] = request[i];
		say(fd, piece);
		settle(c);
	}
	ck_assert_ptr_nonnull(hear(fd));
	close(fd);

	/* Without a line's end: the stream's end does. */
	fd = client_open(c);
	say(fd, "{\"command\":\"pools\"}");
	settle(c);
	ck_assert_ptr_null(hear(fd));
	shutdown(fd, SHUT_WR);
	settle(c);
	ck_assert_ptr_nonnull(strstr(hear(fd), "\"pool\":\"p\""));
	close(fd);
	control_free(c);
}
END_TEST

START_TEST(test_longest_request)
{
	struct control *c = control_new();
	char *text = malloc(CTL_REQUEST_MAX + 1);
	int fd = client_open(c);
	const char *answer;

	memset(text, ' ', CTL_REQUEST_MAX);
	text[CTL_REQUEST_MAX] = '\0';
	say(fd, text);
	settle(c);
	answer = hear(fd);
	ck_assert_ptr_nonnull(answer);
	ck_assert_ptr_nonnull(strstr(answer, "longer than"));
	close(fd);
	free(text);
	control_free(c);
}
END_TEST

/* Dribbling does not extend the time for a request. */
START_TEST(test_mute_client_is_closed)
{
	struct control *c = control_new();
	int fd = client_open(c);

	settle(c);
	step_ms(c, CTL_IDLE_MS / 2);
	say(fd, "{");
	settle(c);
	ck_assert_ptr_null(hear(fd));
	step_ms(c, CTL_IDLE_MS / 2);
	settle(c);
	ck_assert_str_eq(hear(fd), "");
	close(fd);
	control_free(c);
}
END_TEST

START_TEST(test_more_connections_wait)
{
	struct control *c = control_new();
	int fds[CTL_CONNECTIONS_MAX], late;

	for (int i = 0; i < CTL_CONNECTIONS_MAX; i++) {
		fds[i] = client_open(c);
		settle(c);
	}
	late = client_open(c);
	say(late, "{\"command\":\"pools\"}\n");
	settle(c);
	ck_assert_ptr_null(hear(late));
	close(fds[7]);
	settle(c);
	ck_assert_ptr_nonnull(strstr(hear(late), "\"pool\":\"p\""));
	close(late);
	for (int i = 0; i < CTL_CONNECTIONS_MAX; i++) {
		if (i != 7)
			close(fds[i]);
	}
	settle(c);
	control_free(c);
}
END_TEST

static void list_one(
    struct control *c, uint64_t id, const char *server, bool complete)
{
	struct flow_listing *listing =
	    br_container_of(c->listing, struct flow_listing, base);

	ck_assert_ptr_nonnull(c->listing);
	c->listing = NULL;
	listing->base.n = 1;
	listing->base.last = id;
	listing->base.complete = complete;
	memset(&listing->rows[0], 0, sizeof(listing->rows[0]));
	listing->rows[0].id = id;
	snprintf(listing->rows[0].listener_name,
	    sizeof(listing->rows[0].listener_name), "web");
	snprintf(listing->rows[0].pool, sizeof(listing->rows[0].pool), "p");
	snprintf(listing->rows[0].server, sizeof(listing->rows[0].server), "%s",
	    server);
	listing->base.on_listed(&listing->base);
}

START_TEST(test_flows)
{
	struct control *c = control_new();
	int fd = client_open(c);
	const char *answer;

	say(fd, "{\"command\":\"flows\",\"arguments\":[\"server=a\"]}\n");
	settle(c);
	ck_assert_uint_eq(c->listing->worker, 0);
	ck_assert_uint_eq(c->listing->after, 0);
	list_one(c, 5, "a", false);
	ck_assert_uint_eq(c->listing->worker, 0);
	ck_assert_uint_eq(c->listing->after, 5);
	list_one(c, 8, "b", true);
	ck_assert_uint_eq(c->listing->worker, 1);
	ck_assert_uint_eq(c->listing->after, 0);
	list_one(c, 6, "a", true);
	ck_assert_ptr_null(c->listing);
	settle(c);
	answer = hear(fd);
	ck_assert_ptr_nonnull(answer);
	ck_assert_ptr_nonnull(strstr(answer, "\"id\":5,"));
	ck_assert_ptr_null(strstr(answer, "\"id\":8,"));
	ck_assert_ptr_nonnull(strstr(answer, "\"id\":6,"));
	ck_assert_ptr_nonnull(strstr(answer, "\"complete\":true"));
	close(fd);
	control_free(c);
}
END_TEST

/* The answer of the worker that was asked. */
static void kill_some(struct control *c, uint64_t n, bool complete)
{
	struct flow_killing *killing = c->killing;

	ck_assert_ptr_nonnull(killing);
	c->killing = NULL;
	killing->killed += n;
	killing->complete = complete;
	killing->on_killed(killing);
}

static void expect_heard(struct control *c, int fd, const char *part)
{
	const char *answer;

	settle(c);
	answer = hear(fd);
	ck_assert_ptr_nonnull(answer);
	ck_assert_msg(strstr(answer, part) != NULL, "%s: %s", part, answer);
	close(fd);
}

START_TEST(test_kill_one)
{
	struct control *c = control_new();
	int fd = client_open(c);

	say(fd, "{\"command\":\"kill\",\"arguments\":[\"42\"]}\n");
	settle(c);
	ck_assert_uint_eq(c->killing->id, 42);
	kill_some(c, 0, true);
	ck_assert_uint_eq(c->killing->worker, 1);
	kill_some(c, 1, true);
	expect_heard(c, fd, "\"data\":{\"killed\":1,\"id\":42}");
	ck_assert_ptr_null(c->killing);

	fd = client_open(c);
	say(fd, "{\"command\":\"kill\",\"arguments\":[\"42\"]}\n");
	settle(c);
	kill_some(c, 0, true);
	kill_some(c, 0, true);
	expect_heard(c, fd, "{\"exit\":1,\"error\":\"no flow 42 is open");
	control_free(c);
}
END_TEST

START_TEST(test_kill_of_a_server)
{
	struct control *c = control_new();
	int fd = client_open(c);

	say(fd, "{\"command\":\"kill\",\"arguments\":"
		"[\"--server\",\"p/a\"]}\n");
	settle(c);
	ck_assert_uint_eq(c->killing->id, 0);
	ck_assert_str_eq(c->killing->pool, "p");
	ck_assert_str_eq(c->killing->server, "a");
	kill_some(c, 256, false);
	ck_assert_uint_eq(c->killing->worker, 0);
	kill_some(c, 4, true);
	ck_assert_uint_eq(c->killing->worker, 1);
	kill_some(c, 2, true);
	expect_heard(c, fd, "\"killed\":262,");

	/* Configured and idle is no error; unknown is, unless a flow still
	 * has it from before a reload. */
	fd = client_open(c);
	say(fd, "{\"command\":\"kill\",\"arguments\":"
		"[\"--server\",\"p/b\"]}\n");
	settle(c);
	kill_some(c, 0, true);
	kill_some(c, 0, true);
	expect_heard(c, fd, "{\"exit\":0,");
	fd = client_open(c);
	say(fd, "{\"command\":\"kill\",\"arguments\":"
		"[\"--server\",\"p/gone\"]}\n");
	settle(c);
	kill_some(c, 0, true);
	kill_some(c, 0, true);
	expect_heard(c, fd, "{\"exit\":66,");
	control_free(c);
}
END_TEST

START_TEST(test_kill_refuses)
{
	static const char *const bad[] = {"\"x\"", "\"0\"", "\"-1\"",
	    "\"99999999999999999999\"", "\"\"", "\"--server\"",
	    "\"--server\",\"p\"", "\"--server\",\"/a\"", "\"--server\",\"p/\"",
	    "\"--pool\",\"p/a\"", "\"1\",\"2\"",
	    "\"--server\",\"p/"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "\""};
	struct control *c = control_new();
	char request[256];

	for (size_t i = 0; i < BR_COUNT(bad); i++) {
		snprintf(request, sizeof(request),
		    "{\"command\":\"kill\",\"arguments\":[%s]}\n", bad[i]);
		expect(c, request, "{\"exit\":64,");
		ck_assert_ptr_null(c->killing);
	}
	control_free(c);
}
END_TEST

/* The client leaves while a worker kills: what it asked for is done. */
START_TEST(test_kill_goes_on_alone)
{
	struct control *c = control_new();
	int fd = client_open(c);

	say(fd, "{\"command\":\"kill\",\"arguments\":"
		"[\"--server\",\"p/a\"]}\n");
	settle(c);
	ctl_stop(c->ctl);
	settle(c);
	ck_assert(ctl_done(c->ctl));
	close(fd);
	kill_some(c, 256, false);
	kill_some(c, 0, true);
	ck_assert_uint_eq(c->killing->worker, 1);
	kill_some(c, 0, true);
	ck_assert_ptr_null(c->killing);
	control_free(c);
}
END_TEST

START_TEST(test_flows_limit)
{
	struct control *c = control_new();
	int fd = client_open(c);

	say(fd, "{\"command\":\"flows\",\"arguments\":[\"limit=1\"]}\n");
	settle(c);
	list_one(c, 5, "a", false);
	list_one(c, 6, "a", false);
	ck_assert_ptr_null(c->listing);
	settle(c);
	ck_assert_ptr_nonnull(strstr(hear(fd), "\"complete\":false"));
	close(fd);
	expect(c, "{\"command\":\"flows\",\"arguments\":[\"limit=-1\"]}\n",
	    "{\"exit\":64,");
	control_free(c);
}
END_TEST

/* A page may have no row at all and not be the last. */
START_TEST(test_shards)
{
	struct control *c = control_new();
	int fd = client_open(c);
	struct shard_listing *listing;
	struct shard_row *row;
	const char *answer;

	say(fd, "{\"command\":\"shards\",\"arguments\":[\"pool=p\"]}\n");
	settle(c);
	listing = br_container_of(c->listing, struct shard_listing, base);
	c->listing = NULL;
	listing->base.n = 0;
	listing->base.last = 300;
	listing->base.on_listed(&listing->base);
	ck_assert_ptr_eq(c->listing, &listing->base);
	ck_assert_uint_eq(listing->base.after, 300);
	c->listing = NULL;
	listing->base.n = 2;
	listing->base.complete = true;
	memset(listing->rows, 0, sizeof listing->rows);
	for (int i = 0; i < 2; i++) {
		row = &listing->rows[i];
		row->id = 301 + (uint64_t)i;
		snprintf(row->pool, sizeof row->pool, "%s", i ? "q" : "p");
		row->view.n_lanes = 2;
		row->view.lanes[0].step = SHARD_BODY;
		row->view.lanes[0].from = 5;
		row->view.lanes[0].to = 9;
		row->view.lanes[1].step = SHARD_CONNECTING;
		snprintf(row->servers[0], sizeof row->servers[0], "a");
		snprintf(row->servers[1], sizeof row->servers[1], "b");
	}
	listing->base.on_listed(&listing->base);
	for (uint32_t i = 1; i < c->daemon.n_workers; i++) {
		ck_assert_uint_eq(c->listing->worker, i);
		c->listing = NULL;
		listing->base.n = 0;
		listing->base.on_listed(&listing->base);
	}
	settle(c);
	answer = hear(fd);
	ck_assert_ptr_nonnull(answer);
	ck_assert_ptr_nonnull(strstr(answer, "\"shards\":[{\"id\":301,"));
	ck_assert_ptr_nonnull(strstr(answer,
	    "\"lanes\":[{\"server\":\"a\",\"step\":\"body\",\"turn\":false,"
	    "\"from\":5,\"to\":9,"));
	ck_assert_ptr_nonnull(strstr(answer,
	    "{\"server\":\"b\",\"step\":\"connecting\",\"turn\":false,"
	    "\"from\":null,\"to\":null,"));
	ck_assert_ptr_null(strstr(answer, "302"));
	close(fd);
	expect(c, "{\"command\":\"shards\",\"arguments\":[\"server=a\"]}\n",
	    "{\"exit\":64,");
	control_free(c);
}
END_TEST

/* A worker still has the listing when the connection is given up. */
START_TEST(test_stop_while_listing)
{
	struct control *c = control_new();
	struct listing *listing;
	int fd = client_open(c);

	say(fd, "{\"command\":\"flows\"}\n");
	settle(c);
	listing = c->listing;
	ctl_stop(c->ctl);
	settle(c);
	ck_assert(ctl_done(c->ctl));
	ck_assert_str_eq(hear(fd), "");
	listing->on_listed(listing);
	close(fd);
	control_free(c);
}
END_TEST

START_TEST(test_listen)
{
	struct control *c = control_new();
	struct stat st;
	char path[300];
	int fd;

	ck_assert_int_eq(stat(c->path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0660);
	ck_assert_int_eq(ctl_listen(c->path, getuid(), getgid()), -EADDRINUSE);
	snprintf(path, sizeof(path), "%s/none/control.sock", c->folder);
	ck_assert_int_eq(ctl_listen(path, getuid(), getgid()), -ENOENT);
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(ctl_listen(path, getuid(), getgid()), -ENAMETOOLONG);
	control_free(c);

	/* What a braidd that was killed left behind is replaced. */
	c = control_new();
	ctl_stop(c->ctl);
	settle(c);
	fd = ctl_listen(c->path, getuid(), getgid());
	ck_assert_int_ge(fd, 0);
	sock_close(fd);
	control_free(c);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl");
	TCase *tcase = tcase_create("ctl");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_commands);
	tcase_add_test(tcase, test_pops);
	tcase_add_test(tcase, test_request_in_pieces);
	tcase_add_test(tcase, test_longest_request);
	tcase_add_test(tcase, test_mute_client_is_closed);
	tcase_add_test(tcase, test_more_connections_wait);
	tcase_add_test(tcase, test_flows);
	tcase_add_test(tcase, test_flows_limit);
	tcase_add_test(tcase, test_kill_one);
	tcase_add_test(tcase, test_kill_of_a_server);
	tcase_add_test(tcase, test_kill_refuses);
	tcase_add_test(tcase, test_kill_goes_on_alone);
	tcase_add_test(tcase, test_shards);
	tcase_add_test(tcase, test_stop_while_listing);
	tcase_add_test(tcase, test_listen);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
