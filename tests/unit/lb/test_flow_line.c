/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/flow_line.h"

#include "base/assert.h"
#include "base/log.h"
#include "lb/flow_log.h"
#include "lb/listener.h"
#include "lb/route.h"
#include "lb/side.h"
#include "tests/unit/base/json_check.h"
#include "tests/unit/lb/lb_check.h"

#include <arpa/inet.h>
#include <errno.h>

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

/* The line in that format with its newline, terminated. */
static int line_of(const struct flow_record *r, enum log_format format,
    char ret[LOG_LINE_MAX + 1])
{
	int n;

	log_configure(format, LOG_INFO);
	n = flow_line_compose(r, ret, LOG_LINE_MAX);
	ret[n] = '\0';
	ck_assert_ptr_eq(strchr(ret, '\n'), ret + n - 1);
	return n;
}

/* What is behind the stamp, level and message that all lines have. */
static void fields_of(const struct flow_record *r, char ret[LOG_LINE_MAX])
{
	static const char *const prefix =
	    "ts=1970-01-01T00:00:00.000Z level=info msg=\"flow\" ";
	char line[LOG_LINE_MAX + 1];
	int n = line_of(r, LOG_LOGFMT, line);

	ck_assert_int_eq(strncmp(line, prefix, strlen(prefix)), 0);
	line[n - 1] = '\0';
	(void)snprintf(ret, LOG_LINE_MAX, "%s", line + strlen(prefix));
}

START_TEST(test_every_field)
{
	struct flow_record r = full_record();
	char text[LOG_LINE_MAX];

	fields_of(&r, text);
	ck_assert_str_eq(text,
	    "id=42 listener=web client=192.0.2.1:4711 pool=origins server=a "
	    "address=127.0.0.1:9001 end=-- retries=2 path=splice-down "
	    "queue_ms=0.002 connect_ms=2.000 first_byte_ms=3.457 "
	    "total_ms=12000.000 bytes_in=100 bytes_out=5000000000 worker=3");
}
END_TEST

/* Numbers are numbers and names are strings, also a name of digits. */
START_TEST(test_json)
{
	static const struct server numbered = {
	    .name = "17", .addr_text = "127.0.0.1:9001"};
	struct flow_record r = full_record();
	char text[LOG_LINE_MAX + 1];

	r.server = &numbered;
	r.first_byte_ns = -1;
	r.error = -ECONNRESET;
	(void)line_of(&r, LOG_JSON, text);
	ck_assert_msg(json_valid(text), "%s", text);
	ck_assert_ptr_nonnull(strstr(text,
	    "\"msg\":\"flow\",\"id\":42,\"listener\":\"web\","
	    "\"client\":\"192.0.2.1:4711\",\"pool\":\"origins\","
	    "\"server\":\"17\",\"address\":\"127.0.0.1:9001\","
	    "\"end\":\"--\",\"retries\":2,\"path\":\"splice-down\","
	    "\"queue_ms\":0.002,\"connect_ms\":2.000,"
	    "\"first_byte_ms\":\"-\",\"total_ms\":12000.000,"
	    "\"bytes_in\":100,\"bytes_out\":5000000000,\"worker\":3,"
	    "\"error\":\"Connection reset by peer\"}\n"));
}
END_TEST

START_TEST(test_where_the_client_wanted_to_go)
{
	struct flow_record r = full_record();
	char text[LOG_LINE_MAX];

	r.wanted = (struct flow_client){.family = AF_INET6, .port = 443};
	(void)inet_pton(AF_INET6, "2001:db8::9", r.wanted.ip);
	r.error = -ECONNRESET;
	fields_of(&r, text);
	ck_assert_ptr_nonnull(strstr(text, " client=192.0.2.1:4711 "));
	ck_assert_ptr_nonnull(
	    strstr(text, " worker=3 to=[2001:db8::9]:443 error=\""));
}
END_TEST

START_TEST(test_a_request)
{
	struct flow_record r = full_record();
	char text[LOG_LINE_MAX];

	r.request = 3;
	r.status = 206;
	(void)snprintf(r.method, sizeof r.method, "GET");
	(void)snprintf(r.target, sizeof r.target, "/a?b=c");
	fields_of(&r, text);
	ck_assert_ptr_nonnull(strstr(text, " path=splice-down "));
	ck_assert_ptr_nonnull(strstr(text,
	    " worker=3 request=3 method=GET target=\"/a?b=c\" status=206"));
	ck_assert_ptr_null(strstr(text, "shards="));
	ck_assert_ptr_null(strstr(text, "unsplit="));
	r.bar = SHARD_BAR_validator;
	fields_of(&r, text);
	ck_assert_ptr_nonnull(strstr(text, " status=206 unsplit=validator"));
	r.bar = SHARD_BAR_NONE;
	r.status = 0;
	r.shards = 4;
	r.pieces = 20;
	r.error = -ECONNRESET;
	fields_of(&r, text);
	ck_assert_ptr_nonnull(strstr(text, " path=shard "));
	ck_assert_ptr_nonnull(
	    strstr(text, " status=- shards=4 pieces=20 migrations=0 error=\""));
}
END_TEST

START_TEST(test_what_was_not_reached)
{
	struct flow_record r = full_record();
	char text[LOG_LINE_MAX];

	r.server = NULL;
	r.queue_ns = r.connect_ns = r.first_byte_ns = -1;
	r.end_by = 's';
	r.end_phase = 'Q';
	r.error = -ETIMEDOUT;
	r.spliced_down = false;
	fields_of(&r, text);
	ck_assert_ptr_nonnull(strstr(text, " server=- address=- end=sQ "));
	ck_assert_ptr_nonnull(strstr(text, " path=relay "));
	ck_assert_ptr_nonnull(
	    strstr(text, " queue_ms=- connect_ms=- first_byte_ms=- "));
	ck_assert_ptr_nonnull(strstr(text, " worker=3 error=\""));
	ck_assert_int_eq(text[strlen(text) - 1], '"');
	r.spliced_up = true;
	fields_of(&r, text);
	ck_assert_ptr_nonnull(strstr(text, " path=splice-up "));
	r.spliced_down = true;
	fields_of(&r, text);
	ck_assert_ptr_nonnull(strstr(text, " path=splice "));
}
END_TEST

static void expect_cause(char by, char phase, int error, const char *cause)
{
	struct flow_record r = full_record();
	char text[LOG_LINE_MAX], wanted[256];

	r.end_by = by;
	r.end_phase = phase;
	r.error = error;
	fields_of(&r, text);
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
	char text[LOG_LINE_MAX];

	r.error = BR_E_TLS;
	r.cause = TLS_CAUSE_name_not_found;
	r.end_by = 'C';
	r.end_phase = 'T';
	fields_of(&r, text);
	ck_assert_ptr_nonnull(
	    strstr(text, " error=\"TLS with the client: no certificate for "
			 "the name asked for\""));
	r.end_by = 'S';
	r.end_phase = 'C';
	fields_of(&r, text);
	ck_assert_ptr_nonnull(
	    strstr(text, " error=\"TLS with the server: no certificate"));
	r.end_phase = 'D';
	fields_of(&r, text);
	ck_assert_ptr_nonnull(strstr(text, "\"TLS with the server: "));
	r.error = -ECONNRESET;
	fields_of(&r, text);
	ck_assert_ptr_nonnull(strstr(text, " error=\"Connection reset"));
	expect_cause('c', 'T', -ETIMEDOUT, "the TLS handshake took longer");
	expect_cause('c', 'P', -ETIMEDOUT, "no whole PROXY header within");
	expect_cause('c', 'F', -ETIMEDOUT, "no whole TLS ClientHello within");
}
END_TEST

START_TEST(test_causes_of_first_bytes)
{
	struct flow_record r = full_record();
	char text[LOG_LINE_MAX];

	r.end_by = 'P';
	r.end_phase = 'P';
	r.error = BR_E_PROXY_HEADER;
	r.cause = PROXY_CAUSE_V2_CRC32C;
	fields_of(&r, text);
	ck_assert_ptr_nonnull(
	    strstr(text, " error=\"PROXY header: version 2: wrong checksum\""));
	r.end_phase = 'F';
	r.error = BR_E_CLIENT_HELLO;
	r.cause = CLIENT_HELLO_CAUSE_LENGTH;
	fields_of(&r, text);
	ck_assert_ptr_nonnull(
	    strstr(text, " error=\"TLS ClientHello: longer than 16 KiB\""));
	/* What the cause of something earlier was says nothing of this. */
	r.error = -ECONNRESET;
	fields_of(&r, text);
	ck_assert_ptr_nonnull(strstr(text, " error=\"Connection reset"));
}
END_TEST

START_TEST(test_what_only_some_flows_have)
{
	static const struct listener routed = {.name = "web", .n_routes = 2};
	struct flow_record r = full_record();
	char text[LOG_LINE_MAX];

	r.listener = &routed;
	r.routed = true;
	r.route = 1;
	r.tls = "TLSv1.3";
	(void)snprintf(r.sni, sizeof r.sni, "www.example.com");
	(void)snprintf(r.alpn, sizeof r.alpn, "h2");
	r.proxy = (struct flow_client){.family = AF_UNIX};
	fields_of(&r, text);
	ck_assert_ptr_nonnull(strstr(text, " worker=3 proxy=unix tls=TLSv1.3 "
					   "sni=www.example.com alpn=h2 "
					   "route=2"));
	r.route = ROUTE_DEFAULT;
	fields_of(&r, text);
	ck_assert_ptr_nonnull(strstr(text, " route=default"));
}
END_TEST

START_TEST(test_names_those_that_failed_before)
{
	static struct server servers[] = {
	    {.name = "a"}, {.name = "b"}, {.name = "c"}};
	static const struct pool pool = {
	    .name = "origins", .servers = servers, .n_servers = 3};
	struct flow_record r = full_record();
	char text[LOG_LINE_MAX];

	r.pool = &pool;
	r.failed[0] = 2;
	r.failed[1] = 0;
	fields_of(&r, text);
	ck_assert_ptr_null(strstr(text, "tried="));
	r.n_failed = 2;
	fields_of(&r, text);
	ck_assert_ptr_nonnull(strstr(text, " worker=3 tried=c,a"));
	ck_assert_str_eq(text + strlen(text) - 3, "c,a");
	r.error = -ECONNREFUSED;
	fields_of(&r, text);
	ck_assert_ptr_nonnull(strstr(text, " tried=c,a error=\""));
}
END_TEST

/* In any room: whole fields, as many as fit, and never past it. */
START_TEST(test_little_room)
{
	struct flow_record r = full_record();
	char whole[LOG_LINE_MAX + 1], text[LOG_LINE_MAX + 1];

	r.tls = "TLSv1.3";
	memset(r.sni, 'a', FLOW_RECORD_SNI_MAX);
	memset(r.alpn, 'b', FLOW_RECORD_ALPN_MAX);
	r.proxy = r.client;
	r.error = BR_E_TLS;
	r.cause = TLS_CAUSE_memory;
	for (int format = LOG_LOGFMT; format <= LOG_JSON; format++) {
		int length = line_of(&r, (enum log_format)format, whole);

		ck_assert_int_gt(length, 400);
		for (int room = LOG_LINE_MIN; room <= length; room++) {
			int n, end;

			memset(text, '!', sizeof text);
			n = flow_line_compose(&r, text, room);
			ck_assert_int_le(n, room);
			ck_assert_int_eq(text[room], '!');
			ck_assert_int_eq(text[n - 1], '\n');
			text[n] = '\0';
			end = n - (format == LOG_JSON ? 2 : 1);
			if (text[end - 1] == '"')
				end--; /* text that was cut */
			ck_assert_int_eq(strncmp(text, whole, (size_t)end), 0);
			ck_assert_msg(
			    strchr(" ,\n}", whole[end]) || (text[end] == '"'),
			    "cut within a field: %s", text);
			if (format == LOG_JSON)
				ck_assert_msg(json_valid(text), "%s", text);
		}
	}
}
END_TEST

START_TEST(test_clients)
{
	struct flow_client client = {.family = AF_INET6, .port = 80};
	char text[FLOW_CLIENT_TEXT_MAX];

	(void)inet_pton(AF_INET6, "2001:db8::1", client.ip);
	ck_assert_uint_eq(flow_client_format(&client, text), strlen(text));
	ck_assert_str_eq(text, "[2001:db8::1]:80");
	(void)inet_pton(
	    AF_INET6, "2001:db8:1111:2222:3333:4444:5555:6666", client.ip);
	client.port = 65535;
	ck_assert_uint_eq(flow_client_format(&client, text), strlen(text));
	ck_assert_str_eq(
	    text, "[2001:db8:1111:2222:3333:4444:5555:6666]:65535");
	client.family = AF_UNIX;
	ck_assert_uint_eq(flow_client_format(&client, text), strlen(text));
	ck_assert_str_eq(text, "unix");
	client.family = 0;
	ck_assert_uint_eq(flow_client_format(&client, text), strlen(text));
	ck_assert_str_eq(text, "-");
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
	static const char *const optional[] = {"request", "method", "target",
	    "status", "unsplit", "shards", "pieces", "migrations", "tried",
	    "proxy", "tls", "sni", "alpn", "route"};

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
	ck_assert_ptr_nonnull(strstr(line, " level=info msg=\"flow\" id="));
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
	char text[LOG_LINE_MAX], key[64], row[80];
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
	r.request = r.shards = 1;
	r.method[0] = r.target[0] = 'a';
	fields_of(&r, text);
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

int main(void)
{
	TCase *tcase = tcase_create("flow_line");

	tcase_add_test(tcase, test_every_field);
	tcase_add_test(tcase, test_json);
	tcase_add_test(tcase, test_where_the_client_wanted_to_go);
	tcase_add_test(tcase, test_a_request);
	tcase_add_test(tcase, test_what_was_not_reached);
	tcase_add_test(tcase, test_causes_say_what_happened);
	tcase_add_test(tcase, test_causes_of_tls);
	tcase_add_test(tcase, test_causes_of_first_bytes);
	tcase_add_test(tcase, test_what_only_some_flows_have);
	tcase_add_test(tcase, test_little_room);
	tcase_add_test(tcase, test_names_those_that_failed_before);
	tcase_add_test(tcase, test_clients);
	tcase_add_test(tcase, test_docs_have_every_code);
	tcase_add_test(tcase, test_docs_have_every_field);
	return lb_check_main(tcase);
}
