/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_leg.h"

#include "base/assert.h"
#include "base/strbuf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between looks at the clock, for what libcurl has no descriptor for. */
#define WAIT_MAX_MS 1000
#define CONNECT_TO_MAX (ADDR_TEXT_MAX + 8)

/* Why the body's or the head's reader has stopped libcurl. */
enum stop {
	STOP_NONE,
	STOP_WRITE, /* the sink is broken */
	STOP_OTHER, /* it is of another representation */
	STOP_STATUS, /* an error in place of what was asked for */
	STOP_BUSY, /* a status that tells to come back later */
	STOP_NO_RANGE,
	STOP_COMPLETE,
	STOP_FAIL, /* -f */
};

struct run;

struct attempt {
	struct run *run;
	uint32_t i;
	CURL *easy;
	struct curl_slist *connect_to, *headers;
	char error[CURL_ERROR_SIZE];
};

struct run {
	const struct fetch_request *request;
	const struct fetch_candidate *candidates;
	struct fetch_leg *leg;
	CURLM *multi;
	struct fetch_race race;
	struct attempt attempts[FETCH_RACE_MAX];
	struct fetch_head head;
	struct strbuf head_text; /* for -i and -I */
	int64_t skip; /* bytes of the body that have been written before */
	bool judged, drop_body, over;
	enum stop stop;
	int sink_error;
	CURLcode result; /* of the winner */
};

static void say(
    const struct run *run, const char *event, uint32_t i, const char *text)
{
	const struct fetch_candidate *candidate = &run->candidates[i];
	const uint8_t *name = candidate->place->name;

	fetch_say(run->request->say, event, name[0] ? name : NULL,
	    &candidate->addr, "%s", text);
}

/* -- what comes -------------------------------------------------------- */

static bool is_busy(int status)
{
	return status == 408 || status == 429 || status == 500 ||
	       (status >= 502 && status <= 504);
}

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 ||
	       status == 307 || status == 308;
}

/* The reason to stop that its status is, before what it says of the body is
 * looked at. */
static enum stop judge_status(const struct run *run)
{
	const struct fetch_request *request = run->request;
	int status = run->head.status;

	if (request->progress->begun)
		return STOP_NONE; /* the rest of what has been judged */
	if (is_busy(status) && request->others_left)
		return STOP_BUSY;
	if (status == 416 && request->progress->offset)
		return STOP_NONE;
	return request->options->fail && status >= 400 ? STOP_FAIL : STOP_NONE;
}

static enum stop judge_body(struct run *run)
{
	struct fetch_progress *progress = run->request->progress;

	switch (fetch_resume_judge(progress, &run->head)) {
	case HEAD_TAKE:
		return STOP_NONE;
	case HEAD_SKIP:
		run->skip = progress->offset;
		return STOP_NONE;
	case HEAD_COMPLETE:
		return STOP_COMPLETE;
	case HEAD_NO_RANGE:
		return STOP_NO_RANGE;
	case HEAD_STATUS:
		return STOP_STATUS;
	default:
		return STOP_OTHER;
	}
}

static bool write_out(struct run *run, const void *bytes, size_t length)
{
	run->sink_error = fetch_sink_open(run->request->sink);
	if (!run->sink_error)
		run->sink_error =
		    fetch_sink_write(run->request->sink, bytes, length);
	if (run->sink_error)
		run->stop = STOP_WRITE;
	return !run->sink_error;
}

/* The head of a final response is whole. */
static bool judge(struct run *run)
{
	const struct fetch_options *options = run->request->options;
	bool begun = run->request->progress->begun;

	run->judged = true;
	run->leg->status = run->head.status;
	run->leg->first_byte = mono_now();
	if (options->follow && is_redirect(run->head.status) && !begun)
		run->drop_body = run->head.has_location;
	if (!run->drop_body) {
		run->stop = judge_status(run);
		if (!run->stop)
			run->stop = judge_body(run);
	}
	if (run->stop)
		return false;
	/* Of redirects, too, as curl does. */
	if (!begun && run->head_text.length) {
		run->request->progress->begun = !run->drop_body;
		return write_out(
		    run, strbuf_text(&run->head_text), run->head_text.length);
	}
	/* An empty body is a file, too. */
	return run->drop_body || options->head || write_out(run, "", 0);
}

static size_t on_head(char *line, size_t size, size_t n, void *context)
{
	struct attempt *attempt = context;
	struct run *run = attempt->run;
	const struct fetch_options *options = run->request->options;
	size_t length = size * n;

	if (run->judged)
		return length; /* trailers */
	fetch_head_line(&run->head, line, length);
	if (options->include || options->head)
		strbuf_add(&run->head_text, line, length);
	/* Of 1xx another head follows; the line that ends 101 is the last. */
	if (run->head.is_whole && run->head.status >= 200 && !judge(run))
		return 0;
	return length;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *context)
{
	struct attempt *attempt = context;
	struct run *run = attempt->run;
	struct fetch_progress *progress = run->request->progress;
	size_t length = size * n, left = length;

	if (run->drop_body)
		return length;
	if (run->skip) {
		size_t dropped =
		    (uint64_t)run->skip < left ? (size_t)run->skip : left;

		run->skip -= (int64_t)dropped;
		bytes += dropped;
		left -= dropped;
	}
	if (!left)
		return length;
	if (!write_out(run, bytes, left))
		return 0;
	progress->begun = true;
	progress->offset += (int64_t)left;
	return length;
}

/* -- attempts ---------------------------------------------------------- */

/* A connection is ready for a request, which the first of them gets. */
static int on_ready(
    void *context, char *remote, char *local, int remote_port, int local_port)
{
	struct attempt *attempt = context;
	struct run *run = attempt->run;

	(void)remote;
	(void)local;
	(void)remote_port;
	(void)local_port;
	if (run->race.winner == (int32_t)attempt->i)
		return CURL_PREREQFUNC_OK;
	if (!fetch_race_connected(&run->race, attempt->i))
		return CURL_PREREQFUNC_ABORT;
	run->leg->winner = run->race.winner;
	run->leg->connected = mono_now();
	say(run, "connected", attempt->i, "first, gets the request");
	return CURL_PREREQFUNC_OK;
}

static struct curl_slist *appended(struct curl_slist *list, const char *text)
{
	list = curl_slist_append(list, text);
	if (!list)
		br_out_of_memory("a list for libcurl", strlen(text));
	return list;
}

/* The address in place of the URL's, which keeps its name for TLS and Host. */
static void set_place(struct attempt *attempt)
{
	char text[ADDR_TEXT_MAX], to[CONNECT_TO_MAX];

	(void)addr_format(&attempt->run->candidates[attempt->i].addr, text);
	(void)snprintf(to, sizeof to, "::%s", text);
	attempt->connect_to = appended(NULL, to);
	curl_easy_setopt(
	    attempt->easy, CURLOPT_CONNECT_TO, attempt->connect_to);
}

static void set_range(struct attempt *attempt)
{
	const struct fetch_progress *progress = attempt->run->request->progress;
	char range[32], condition[FETCH_ETAG_MAX + 16];

	for (const struct curl_slist *at = attempt->run->request->headers; at;
	     at = at->next)
		attempt->headers = appended(attempt->headers, at->data);
	if (progress->begun) {
		(void)snprintf(condition, sizeof condition, "If-Range: %s",
		    progress->etag);
		attempt->headers = appended(attempt->headers, condition);
	}
	curl_easy_setopt(attempt->easy, CURLOPT_HTTPHEADER, attempt->headers);
	if (!progress->offset)
		return;
	(void)snprintf(range, sizeof range, "%" PRId64 "-", progress->offset);
	curl_easy_setopt(attempt->easy, CURLOPT_RANGE, range);
}

static void set_options(struct attempt *attempt)
{
	const struct fetch_options *o = attempt->run->request->options;
	bool http1 = o->http1_only ||
		     attempt->run->candidates[attempt->i].place->http1_only;
	CURL *easy = attempt->easy;

	curl_easy_setopt(easy, CURLOPT_NOBODY, o->head ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
	    http1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, o->insecure ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, o->insecure ? 0L : 2L);
	if (o->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, o->ca_file);
	if (o->connect_timeout_ms)
		curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
		    (long)o->connect_timeout_ms);
	if (!o->stall_ms)
		return;
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(
	    easy, CURLOPT_LOW_SPEED_TIME, (long)((o->stall_ms + 999) / 1000));
}

static void set_plumbing(struct attempt *attempt)
{
	CURL *easy = attempt->easy;

	curl_easy_setopt(easy, CURLOPT_URL, attempt->run->request->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	/* A proxy would choose the POP itself. */
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "braid-fetch/" BRAID_VERSION);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, attempt->error);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, attempt);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_ready);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, attempt);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, attempt);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, attempt);
}

static void start(struct run *run, uint32_t i)
{
	struct attempt *attempt = &run->attempts[i];

	attempt->run = run;
	attempt->i = i;
	attempt->easy = curl_easy_init();
	if (!attempt->easy)
		br_out_of_memory("an attempt", 0);
	set_plumbing(attempt);
	set_options(attempt);
	set_place(attempt);
	set_range(attempt);
	say(run, "connect", i, i ? "the next" : "the first");
	if (curl_multi_add_handle(run->multi, attempt->easy))
		br_out_of_memory("an attempt", 0);
}

static void end(struct run *run, uint32_t i)
{
	struct attempt *attempt = &run->attempts[i];

	if (!attempt->easy)
		return;
	(void)curl_multi_remove_handle(run->multi, attempt->easy);
	curl_easy_cleanup(attempt->easy);
	curl_slist_free_all(attempt->connect_to);
	curl_slist_free_all(attempt->headers);
	attempt->easy = NULL;
	attempt->connect_to = attempt->headers = NULL;
}

static void end_losers(struct run *run)
{
	for (uint32_t i = 0; i < run->race.n; i++) {
		if ((int32_t)i == run->race.winner || !run->attempts[i].easy)
			continue;
		say(run, "lost", i, "is closed");
		end(run, i);
	}
}

/* -- the loop ---------------------------------------------------------- */

static void keep_error(struct run *run, uint32_t i, CURLcode code)
{
	const char *error = run->attempts[i].error;
	char addr[ADDR_TEXT_MAX];

	(void)addr_format(&run->candidates[i].addr, addr);
	run->leg->code = (int)code;
	(void)snprintf(run->leg->error, sizeof run->leg->error, "%s: %s", addr,
	    error[0] ? error : curl_easy_strerror(code));
}

static void on_done(struct run *run, struct attempt *attempt, CURLcode code)
{
	uint32_t i = attempt->i;

	if ((int32_t)i == run->race.winner) {
		run->result = code;
		run->over = true;
		return;
	}
	if (run->race.winner >= 0)
		return; /* it is closed in a moment */
	keep_error(run, i, code);
	say(run, "failed", i, run->leg->error);
	run->leg->failed[i] = true;
	fetch_race_failed(&run->race, i, mono_now());
	end(run, i);
}

static void collect(struct run *run)
{
	const CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(run->multi, &left))) {
		CURLcode code = message->data.result;
		struct attempt *attempt;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(
		    message->easy_handle, CURLINFO_PRIVATE, &attempt);
		on_done(run, attempt, code);
	}
}

static bool is_late(struct run *run, struct mono connect_by, struct mono now)
{
	bool all = mono_diff_ns(run->request->deadline, now) <= 0;
	bool connecting = run->race.winner < 0;

	if (!all && (!connecting || mono_diff_ns(connect_by, now) > 0))
		return false;
	run->leg->outcome = all ? LEG_FATAL : LEG_FAILED;
	run->leg->code = FETCH_TIMEOUT;
	(void)snprintf(run->leg->error, sizeof run->leg->error, "%s",
	    all          ? "not done within --max-time"
	    : connecting ? "no connection within --connect-timeout"
			 : "");
	for (uint32_t i = 0; i < run->race.n; i++)
		if (connecting && run->attempts[i].easy)
			run->leg->failed[i] = true;
	return true;
}

static void wait_a_while(struct run *run, struct mono by, struct mono now)
{
	int64_t next = fetch_race_wait_ns(&run->race, now);
	int64_t ns = mono_diff_ns(run->request->deadline, now);

	if (next >= 0 && next < ns)
		ns = next;
	if (run->race.winner < 0 && mono_diff_ns(by, now) < ns)
		ns = mono_diff_ns(by, now);
	if (ns > WAIT_MAX_MS * NS_PER_MS)
		ns = WAIT_MAX_MS * NS_PER_MS;
	(void)curl_multi_poll(
	    run->multi, NULL, 0, (int)((ns + NS_PER_MS - 1) / NS_PER_MS), NULL);
}

/* True: the winner is done, and its result is there. */
static bool race(struct run *run)
{
	int64_t limit_ms = run->request->options->connect_timeout_ms;
	struct mono now = mono_now(), by = run->request->deadline;
	int running;
	int32_t i;

	if (limit_ms)
		by = mono_add_ms(now, limit_ms);
	for (;;) {
		now = mono_now();
		if (is_late(run, by, now))
			return false;
		while ((i = fetch_race_start(&run->race, now)) >= 0)
			start(run, (uint32_t)i);
		if (curl_multi_perform(run->multi, &running))
			br_out_of_memory("libcurl", 0);
		collect(run);
		if (run->race.winner >= 0)
			end_losers(run);
		if (run->over)
			return true;
		if (fetch_race_is_lost(&run->race))
			return false;
		if (fetch_race_wait_ns(&run->race, mono_now()))
			wait_a_while(run, by, mono_now());
	}
}

/* -- the outcome ------------------------------------------------------- */

static void fail(struct run *run, enum fetch_outcome outcome, int code,
    const char *format, const char *text)
{
	run->leg->outcome = outcome;
	run->leg->code = code;
	(void)snprintf(run->leg->error, sizeof run->leg->error, format, text);
}

static void settle_stop(struct run *run)
{
	char status[8];

	(void)snprintf(status, sizeof status, "%d", run->head.status % 1000);
	switch (run->stop) {
	case STOP_WRITE:
		fail(run, LEG_FATAL, FETCH_WRITE, "cannot write: %s",
		    br_strerror(run->sink_error));
		return;
	case STOP_OTHER:
		fail(run, LEG_FAILED, FETCH_PARTIAL,
		    "it has another version of it%s", "");
		return;
	case STOP_NO_RANGE:
		fail(run, LEG_FATAL, FETCH_RANGE,
		    "it does not go on within a file, it says %s", status);
		return;
	case STOP_FAIL:
		fail(run, LEG_FATAL, FETCH_STATUS, "it says %s", status);
		return;
	case STOP_COMPLETE:
		run->leg->outcome = LEG_DONE;
		return;
	default: /* STOP_BUSY, STOP_STATUS */
		fail(run, LEG_FAILED, FETCH_STATUS, "it says %s", status);
	}
}

/* A body that ends with the connection, or a part that ends early, looks
 * whole to libcurl. */
static bool is_short(const struct run *run)
{
	const struct fetch_progress *progress = run->request->progress;

	return !run->drop_body && !run->request->options->head &&
	       (run->skip > 0 || (progress->total >= 0 &&
				     progress->offset < progress->total));
}

static void settle_done(struct run *run, CURL *easy)
{
	char *to = NULL;

	if (run->drop_body) {
		(void)curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &to);
		if (!to) {
			fail(run, LEG_FATAL, FETCH_URL,
			    "it redirects to what is no URL%s", "");
			return;
		}
		run->leg->location = strdup(to);
		run->leg->outcome = LEG_REDIRECT;
		if (!run->leg->location)
			br_out_of_memory("a URL", 0);
	} else if (is_short(run)) {
		fail(run, LEG_FAILED, FETCH_PARTIAL, "it ended early%s", "");
	} else {
		run->leg->outcome = LEG_DONE;
	}
}

static void settle(struct run *run)
{
	uint32_t winner = (uint32_t)run->race.winner;
	CURL *easy = run->attempts[winner].easy;

	(void)curl_easy_getinfo(
	    easy, CURLINFO_HTTP_VERSION, &run->leg->http_version);
	if (run->stop) {
		settle_stop(run);
	} else if (run->result) {
		keep_error(run, winner, run->result);
		run->leg->outcome = LEG_FAILED;
	} else {
		settle_done(run, easy);
	}
}

void fetch_leg_run(const struct fetch_request *request,
    const struct fetch_candidate *candidates, uint32_t n, struct fetch_leg *ret)
{
	struct run *run = calloc(1, sizeof *run);

	if (!run)
		br_out_of_memory("a race", sizeof *run);
	memset(ret, 0, sizeof *ret);
	ret->winner = -1;
	ret->outcome = LEG_FAILED;
	run->request = request;
	run->candidates = candidates;
	run->leg = ret;
	run->multi = curl_multi_init();
	if (!run->multi)
		br_out_of_memory("a race", 0);
	strbuf_init(&run->head_text);
	fetch_race_init(&run->race, n, request->options->stagger_ms * NS_PER_MS,
	    mono_now());
	if (race(run))
		settle(run);
	for (uint32_t i = 0; i < n; i++)
		end(run, i);
	strbuf_fini(&run->head_text);
	curl_multi_cleanup(run->multi);
	free(run);
}
