/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/flow_log.h"

#include "base/assert.h"
#include "lb/listener.h"
#include "lb/route.h"
#include "lb/side.h"
#include "tests/unit/lb/lb_check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>

static const struct listener web = {.name = "web"};
static const struct pool origins = {.name = "origins"};
static const struct server origin = {
    .name = "a", .addr_text = "127.0.0.1:9001"};

static struct flow_record full_record(void)
{
	struct flow_record r = {.id = 42,
	    .listener = &web,
	    .pool = &origins,
	    .server = &origin,
	    .client = {.family = AF_INET, .port = 4711},
	    .worker = 3,
	    .end_by = '-',
	    .end_phase = '-',
	    .retries = 2,
	    .spliced_down = true,
	    .queue_ns = 1500,
	    .connect_ns = 2 * NS_PER_MS,
	    .first_byte_ns = 3456789,
	    .total_ns = 12 * NS_PER_S,
	    .bytes_up = 100,
	    .bytes_down = UINT64_C(5000000000)};

	(void)inet_pton(AF_INET, "192.0.2.1", r.client.ip);
	return r;
}

START_TEST(test_every_field)
{
	struct flow_record r = full_record();
	char text[512];
	int n = flow_record_format(&r, text, sizeof text);

	ck_assert_str_eq(text,
	    "id=42 listener=web client=192.0.2.1:4711 pool=origins server=a "
	    "address=127.0.0.1:9001 end=-- retries=2 path=splice-down "
	    "queue_ms=0.002 connect_ms=2.000 first_byte_ms=3.457 "
	    "total_ms=12000.000 bytes_in=100 bytes_out=5000000000 worker=3");
	ck_assert_int_eq(n, (int)strlen(text));
}
END_TEST

START_TEST(test_where_the_client_wanted_to_go)
{
	struct flow_record r = full_record();
	char text[512];

	r.wanted = (struct flow_client){.family = AF_INET6, .port = 443};
	(void)inet_pton(AF_INET6, "2001:db8::9", r.wanted.ip);
	r.error = -ECONNRESET;
	(void)flow_record_format(&r, text, sizeof text);
	ck_assert_ptr_nonnull(strstr(text, " client=192.0.2.1:4711 "));
	ck_assert_ptr_nonnull(
	    strstr(text, " worker=3 to=[2001:db8::9]:443 error=\""));
}
END_TEST

START_TEST(test_what_was_not_reached)
{
	struct flow_record r = full_record();
	char text[512];

	r.server = NULL;
	r.queue_ns = r.connect_ns = r.first_byte_ns = -1;
	r.end_by = 's';
	r.end_phase = 'Q';
	r.error = -ETIMEDOUT;
	r.spliced_down = false;
	(void)flow_record_format(&r, text, sizeof text);
	ck_assert_ptr_nonnull(strstr(text, " server=- address=- end=sQ "));
	ck_assert_ptr_nonnull(strstr(text, " path=relay "));
	ck_assert_ptr_nonnull(
	    strstr(text, " queue_ms=- connect_ms=- first_byte_ms=- "));
	ck_assert_ptr_nonnull(strstr(text, " worker=3 error=\""));
	ck_assert_int_eq(text[strlen(text) - 1], '"');
	r.spliced_up = true;
	(void)flow_record_format(&r, text, sizeof text);
	ck_assert_ptr_nonnull(strstr(text, " path=splice-up "));
	r.spliced_down = true;
	(void)flow_record_format(&r, text, sizeof text);
	ck_assert_ptr_nonnull(strstr(text, " path=splice "));
}
END_TEST

static void expect_cause(char by, char phase, int error, const char *cause)
{
	struct flow_record r = full_record();
	char text[1024], wanted[256];

	r.end_by = by;
	r.end_phase = phase;
	r.error = error;
	(void)flow_record_format(&r, text, sizeof text);
	(void)snprintf(wanted, sizeof wanted, " error=\"%s", cause);
	ck_assert_msg(strstr(text, wanted) != NULL, "%s: %s", wanted, text);
}

/* Never the bare text of an errno that Braid chose itself. */
START_TEST(test_causes_say_what_happened)
{
	expect_cause('s', 'Q', -ETIMEDOUT,
	    "no free connection slot within queue.timeout\"");
	expect_cause('s', 'C', -ETIMEDOUT,
	    "the server did not accept within connect.timeout\"");
	expect_cause('c', 'D', -ETIMEDOUT, "silence beyond timeout.idle");
	expect_cause('s', 'D', -ETIMEDOUT, "silence beyond timeout.idle");
	expect_cause('S', 'D', -ETIMEDOUT, "the connection's other end");
	expect_cause('K', 'D', BR_E_KILLED, "killed by an operator\"");
	expect_cause('K', 'Q', BR_E_DRAINED, "killed at the end of the drain");
	expect_cause('S', 'C', -ECONNREFUSED, "Connection refused\"");
}
END_TEST

START_TEST(test_causes_of_tls)
{
	struct flow_record r = full_record();
	char text[1024];

	r.error = BR_E_TLS;
	r.tls_cause = TLS_CAUSE_name_not_found;
	r.end_by = 'C';
	r.end_phase = 'T';
	(void)flow_record_format(&r, text, sizeof text);
	ck_assert_ptr_nonnull(
	    strstr(text, " error=\"TLS with the client: no certificate for "
			 "the name asked for\""));
	r.end_by = 'S';
	r.end_phase = 'C';
	(void)flow_record_format(&r, text, sizeof text);
	ck_assert_ptr_nonnull(
	    strstr(text, " error=\"TLS with the server: no certificate"));
	r.end_phase = 'D';
	(void)flow_record_format(&r, text, sizeof text);
	ck_assert_ptr_nonnull(strstr(text, "\"TLS with the server: "));
	r.error = -ECONNRESET;
	(void)flow_record_format(&r, text, sizeof text);
	ck_assert_ptr_nonnull(strstr(text, " error=\"Connection reset"));
	expect_cause('c', 'T', -ETIMEDOUT, "the TLS handshake took longer");
	expect_cause('c', 'P', -ETIMEDOUT, "no whole PROXY header within");
	expect_cause('c', 'F', -ETIMEDOUT, "no whole TLS ClientHello within");
}
END_TEST

START_TEST(test_what_only_some_flows_have)
{
	static const struct listener routed = {.name = "web", .n_routes = 2};
	struct flow_record r = full_record();
	char text[1024];

	r.listener = &routed;
	r.routed = true;
	r.route = 1;
	r.tls = "TLSv1.3";
	(void)snprintf(r.sni, sizeof r.sni, "www.example.com");
	(void)snprintf(r.alpn, sizeof r.alpn, "h2");
	r.proxy = (struct flow_client){.family = AF_UNIX};
	(void)flow_record_format(&r, text, sizeof text);
	ck_assert_ptr_nonnull(strstr(text, " worker=3 proxy=unix tls=TLSv1.3 "
					   "sni=www.example.com alpn=h2 "
					   "route=2"));
	r.route = ROUTE_DEFAULT;
	(void)flow_record_format(&r, text, sizeof text);
	ck_assert_ptr_nonnull(strstr(text, " route=default"));
}
END_TEST

/* A record of all that is longest is cut, never written past its room. */
START_TEST(test_little_room)
{
	struct flow_record r = full_record();
	char text[1024], small[1024];
	int whole;

	r.tls = "TLSv1.3";
	memset(r.sni, 'a', FLOW_RECORD_SNI_MAX);
	memset(r.alpn, 'b', FLOW_RECORD_ALPN_MAX);
	r.proxy = r.client;
	r.error = BR_E_TLS;
	r.tls_cause = TLS_CAUSE_memory;
	whole = flow_record_format(&r, text, sizeof text);
	for (int room = 1; room <= whole; room++) {
		small[room] = '!';
		ck_assert_int_eq(flow_record_format(&r, small, room), room - 1);
		ck_assert_int_eq(small[room], '!');
		ck_assert_int_eq(strncmp(small, text, (size_t)room - 1), 0);
	}
}
END_TEST

START_TEST(test_names_those_that_failed_before)
{
	static struct server servers[] = {
	    {.name = "a"}, {.name = "b"}, {.name = "c"}};
	static const struct pool pool = {
	    .name = "origins", .servers = servers, .n_servers = 3};
	struct flow_record r = full_record();
	char text[1024];

	r.pool = &pool;
	r.failed[0] = 2;
	r.failed[1] = 0;
	(void)flow_record_format(&r, text, sizeof text);
	ck_assert_ptr_null(strstr(text, "tried="));
	r.n_failed = 2;
	(void)flow_record_format(&r, text, sizeof text);
	ck_assert_ptr_nonnull(strstr(text, " worker=3 tried=c,a"));
	ck_assert_str_eq(text + strlen(text) - 3, "c,a");
	r.error = -ECONNREFUSED;
	(void)flow_record_format(&r, text, sizeof text);
	ck_assert_ptr_nonnull(strstr(text, " tried=c,a error=\""));
}
END_TEST

/* At any size: terminated, never longer than it says. */
START_TEST(test_short_room)
{
	struct flow_record r = full_record();
	char whole[512], text[512];
	int length;

	r.error = -ECONNRESET;
	length = flow_record_format(&r, whole, sizeof whole);
	for (int room = 1; room < length + 3; room++) {
		int n;

		memset(text, 'x', sizeof text);
		n = flow_record_format(&r, text, room);
		ck_assert_int_eq(n, room <= length ? room - 1 : length);
		ck_assert_int_eq(text[n], '\0');
		ck_assert_int_eq(strncmp(text, whole, (size_t)n), 0);
		ck_assert_int_eq(text[room], 'x');
	}
}
END_TEST

START_TEST(test_clients)
{
	struct flow_client client = {.family = AF_INET6, .port = 80};
	char text[64];

	(void)inet_pton(AF_INET6, "2001:db8::1", client.ip);
	(void)flow_client_format(&client, text, sizeof text);
	ck_assert_str_eq(text, "[2001:db8::1]:80");
	(void)inet_pton(
	    AF_INET6, "2001:db8:1111:2222:3333:4444:5555:6666", client.ip);
	client.port = 65535;
	(void)flow_client_format(&client, text, sizeof text);
	ck_assert_str_eq(
	    text, "[2001:db8:1111:2222:3333:4444:5555:6666]:65535");
	client.family = AF_UNIX;
	(void)flow_client_format(&client, text, sizeof text);
	ck_assert_str_eq(text, "unix");
	client.family = 0;
	(void)flow_client_format(&client, text, sizeof text);
	ck_assert_str_eq(text, "-");
}
END_TEST

START_TEST(test_full_and_in_order)
{
	struct flow_log *log = flow_log_new(4);
	struct flow_record r = full_record(), got;

	ck_assert(!flow_log_take(log, &got));
	for (uint64_t round = 0; round < 5; round++) {
		for (r.id = 0; r.id < 4; r.id++)
			ck_assert(flow_log_put(log, &r));
		ck_assert(!flow_log_put(log, &r));
		for (uint64_t id = 0; id < 4; id++) {
			ck_assert(flow_log_take(log, &got));
			ck_assert_uint_eq(got.id, id);
		}
		ck_assert(!flow_log_take(log, &got));
	}
	flow_log_free(log);
	flow_log_free(NULL);
}
END_TEST

/* -- docs/access-log.md ------------------------------------------------ */

static char *read_docs(void)
{
	char path[1024];
	char *text = calloc(1, 1 << 16);
	FILE *f;

	ck_assert_ptr_nonnull(getenv("BRAID_SOURCE"));
	(void)snprintf(
	    path, sizeof path, "%s/docs/access-log.md", getenv("BRAID_SOURCE"));
	f = fopen(path, "r");
	ck_assert_msg(f && text, "%s", path);
	ck_assert_uint_lt(fread(text, 1, 1 << 16, f), (1 << 16) - 1);
	fclose(f);
	return text;
}

struct letter {
	char letter;
	const char *text;
};

/* The table below that head has these rows and no others. */
static void expect_letters(
    const char *docs, const char *head, const struct letter *letters, size_t n)
{
	const char *at = strstr(docs, head);
	char row[256];

	ck_assert_msg(at != NULL, "%s", head);
	at += strlen(head);
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(row, sizeof row, "| `%c` | %s |\n",
		    letters[i].letter, letters[i].text);
		ck_assert_msg(!strncmp(at, row, strlen(row)),
		    "docs/access-log.md: want %s", row);
		at += strlen(row);
	}
	ck_assert_msg(*at == '\n', "docs/access-log.md: more than %zu rows", n);
}

START_TEST(test_docs_have_every_code)
{
#define X(letter, text) {letter, text},
	static const struct letter ends[] = {FLOW_END_LIST(X)};
	static const struct letter phases[] = {FLOW_PHASE_LIST(X)};
#undef X
	char *docs = read_docs();

	expect_letters(
	    docs, "| letter | who |\n|---|---|\n", ends, BR_COUNT(ends));
	expect_letters(
	    docs, "| letter | phase |\n|---|---|\n", phases, BR_COUNT(phases));
	free(docs);
}
END_TEST

/* Walks "key=value key=value" and copies the next key; NULL at the end. */
static const char *next_key(const char *at, char ret[64])
{
	size_t length = strcspn(at, "= ");

	ck_assert_uint_lt(length, 64);
	if (at[length] != '=')
		return NULL;
	memcpy(ret, at, length);
	ret[length] = '\0';
	at += length + 1;
	at += *at == '"' ? strcspn(at + 1, "\"") + 2 : strcspn(at, " \n");
	return at + (*at == ' ');
}

/* Only in lines of some flows. */
static bool is_optional(const char *key)
{
	static const char *const optional[] = {
	    "tried", "proxy", "tls", "sni", "alpn", "route"};

	for (size_t i = 0; i < BR_COUNT(optional); i++)
		if (!strcmp(key, optional[i]))
			return true;
	return false;
}

/* Each example has the fields of a record, in their order. */
static void expect_example(const char *example, const char *fields)
{
	char want[64], got[64], pair[80];
	char line[2048];
	bool error;

	(void)snprintf(
	    line, sizeof line, "%.*s", (int)strcspn(example, "\n"), example);
	error = strstr(line, " end=-- ") == NULL;
	for (int i = 0; i < 3; i++) {
		static const char *const before[] = {"ts", "level", "msg"};

		example = next_key(example, got);
		ck_assert(example && !strcmp(got, before[i]));
	}
	while ((fields = next_key(fields, want))) {
		if (!strcmp(want, "error") && !error)
			continue;
		(void)snprintf(pair, sizeof pair, " %s=", want);
		if (is_optional(want) && !strstr(line, pair))
			continue;
		example = next_key(example, got);
		ck_assert_msg(example && !strcmp(got, want),
		    "docs/access-log.md: an example has %s where a line has %s",
		    got, want);
	}
	ck_assert_int_eq(*example, '\n');
}

START_TEST(test_docs_have_every_field)
{
	static const struct listener routed = {.name = "web", .n_routes = 2};
	static struct server servers[] = {{.name = "a"}};
	static const struct pool pool = {
	    .name = "origins", .servers = servers, .n_servers = 1};
	struct flow_record r = full_record();
	char text[1024], key[64], row[80];
	char *docs = read_docs();
	unsigned examples = 0;
	const char *at;

	r.pool = &pool;
	r.n_failed = 1;
	r.error = -ETIMEDOUT;
	r.listener = &routed;
	r.routed = true;
	r.tls = "TLSv1.3";
	r.sni[0] = r.alpn[0] = 'a';
	r.proxy = r.client;
	(void)flow_record_format(&r, text, sizeof text);
	for (at = text; (at = next_key(at, key));) {
		(void)snprintf(row, sizeof row, "\n| `%s` | ", key);
		ck_assert_msg(strstr(docs, row) != NULL,
		    "docs/access-log.md: no row for %s", key);
	}
	for (at = docs; (at = strstr(at, "\n    ts=")); examples++) {
		at += strlen("\n    ");
		expect_example(at, text);
	}
	ck_assert_uint_ge(examples, 5);
	free(docs);
}
END_TEST

#define RECORDS 20000

static void *take_all(void *context)
{
	struct flow_log *log = context;
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
	struct flow_log *log = flow_log_new(16);
	struct flow_record r = full_record();
	void *failed = log;
	pthread_t clerk;

	ck_assert_int_eq(pthread_create(&clerk, NULL, take_all, log), 0);
	for (r.id = 0; r.id < RECORDS; r.id++) {
		r.bytes_down = r.id * 3;
		while (!flow_log_put(log, &r))
			sched_yield();
	}
	ck_assert_int_eq(pthread_join(clerk, &failed), 0);
	ck_assert_ptr_null(failed);
	flow_log_free(log);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("flow_log");

	tcase_add_test(tcase, test_every_field);
	tcase_add_test(tcase, test_where_the_client_wanted_to_go);
	tcase_add_test(tcase, test_what_was_not_reached);
	tcase_add_test(tcase, test_causes_say_what_happened);
	tcase_add_test(tcase, test_causes_of_tls);
	tcase_add_test(tcase, test_what_only_some_flows_have);
	tcase_add_test(tcase, test_little_room);
	tcase_add_test(tcase, test_names_those_that_failed_before);
	tcase_add_test(tcase, test_short_room);
	tcase_add_test(tcase, test_clients);
	tcase_add_test(tcase, test_full_and_in_order);
	tcase_add_test(tcase, test_two_threads);
	tcase_add_test(tcase, test_docs_have_every_code);
	tcase_add_test(tcase, test_docs_have_every_field);
	return lb_check_main(tcase);
}
