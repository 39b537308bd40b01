/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_job.h"

#include "base/assert.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NEVER_NS (INT64_C(1000) * 86400 * NS_PER_S)
#define PAUSE_MAX_MS 60000

/* -- the URL ----------------------------------------------------------- */

/* NULL: the URL has none. */
static void part(
    struct fetch_job *job, CURLUPart which, unsigned flags, char **ret)
{
	*ret = NULL;
	(void)curl_url_get(job->parts, which, ret, flags);
}

/* "[2001:db8::1]" of a URL is an address without its brackets. */
static void unbracket(char *host)
{
	size_t length = strlen(host);

	if (length < 2 || host[0] != '[' || host[length - 1] != ']')
		return;
	memmove(host, host + 1, length - 2);
	host[length - 2] = 0;
}

static int take_parts(struct fetch_job *job)
{
	int code = FETCH_OK;
	char *scheme, *port;

	part(job, CURLUPART_SCHEME, 0, &scheme);
	part(job, CURLUPART_PORT, CURLU_DEFAULT_PORT, &port);
	if (!scheme ||
	    (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)) {
		code = fetch_say_error(&job->say, FETCH_SCHEME,
		    "only http and https can be fetched, not \"%s\"",
		    scheme ? scheme : "");
	} else {
		job->origin.https = !strcmp(scheme, "https");
		job->origin.port =
		    (uint16_t)(port ? strtoul(port, NULL, 10) : 0);
	}
	curl_free(scheme);
	curl_free(port);
	return code;
}

/* Also of a redirect, which libcurl has made absolute. */
static int set_url(struct fetch_job *job, const char *url)
{
	CURLUcode err = curl_url_set(job->parts, CURLUPART_URL, url,
	    CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME);
	int code;

	if (err)
		return fetch_say_error(&job->say, FETCH_URL, "the URL: %s",
		    curl_url_strerror(err));
	code = take_parts(job);
	if (code)
		return code;
	curl_free(job->url);
	curl_free(job->host);
	part(job, CURLUPART_URL, 0, &job->url);
	part(job, CURLUPART_HOST, CURLU_PUNYCODE, &job->host);
	if (!job->url || !job->host || !*job->host || !job->origin.port)
		return fetch_say_error(
		    &job->say, FETCH_URL, "the URL has no host");
	unbracket(job->host);
	job->origin.host = job->host;
	return FETCH_OK;
}

/* The name that -O takes: what stands behind the last slash. */
static int set_remote_name(struct fetch_job *job)
{
	int code = FETCH_OK;
	const char *name;
	char *path;

	part(job, CURLUPART_PATH, 0, &path);
	name = path ? strrchr(path, '/') : NULL;
	name = name ? name + 1 : "";
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		code = fetch_say_error(
		    &job->say, FETCH_WRITE, "the URL has no file name for -O");
	else
		job->path = strdup(name);
	curl_free(path);
	return code;
}

static int set_output(struct fetch_job *job)
{
	const struct fetch_options *o = job->options;
	int code = FETCH_OK, err;

	if (o->remote_name)
		code = set_remote_name(job);
	else if (o->output)
		job->path = strdup(o->output);
	if (code)
		return code;
	fetch_sink_init(&job->sink, job->path, o->resume);
	if (!o->resume)
		return FETCH_OK;
	err = fetch_sink_size(&job->sink, &job->progress.offset);
	if (err)
		return fetch_say_error(&job->say, FETCH_WRITE, "%s: %s",
		    job->path, br_strerror(err));
	if (job->progress.offset)
		fetch_say(&job->say, "resume", NULL, NULL,
		    "%" PRId64 " bytes are there", job->progress.offset);
	return FETCH_OK;
}

/* -- redirects --------------------------------------------------------- */

static bool is_secret(const char *line)
{
	return !strncasecmp(line, "Authorization:", 14) ||
	       !strncasecmp(line, "Cookie:", 7);
}

/* What was meant for one origin is not told to another. */
static void set_headers(struct fetch_job *job)
{
	const struct fetch_origin *now = &job->origin;
	bool same = job->first_host &&
		    !strcasecmp(job->first_host, now->host) &&
		    job->first_origin.port == now->port &&
		    job->first_origin.https == now->https;

	curl_slist_free_all(job->headers);
	job->headers = NULL;
	for (const struct curl_slist *at = job->options->headers; at;
	     at = at->next) {
		struct curl_slist *list;

		if (!same && is_secret(at->data))
			continue;
		list = curl_slist_append(job->headers, at->data);
		if (!list)
			br_out_of_memory("a header", 0);
		job->headers = list;
	}
}

static int redirect(struct fetch_job *job, char *location)
{
	int code;

	if (job->facts.redirects == job->options->redirects) {
		free(location);
		return fetch_say_error(&job->say, FETCH_REDIRECTS,
		    "more than %u redirects", job->options->redirects);
	}
	job->facts.redirects++;
	code = set_url(job, location);
	free(location);
	if (code)
		return code;
	fetch_say(&job->say, "redirect", NULL, NULL, "%d to %s://%s:%u",
	    job->facts.status, job->origin.https ? "https" : "http",
	    job->origin.host, job->origin.port);
	set_headers(job);
	return FETCH_OK;
}

/* -- legs -------------------------------------------------------------- */

struct field {
	struct fetch_candidate candidates[FETCH_RACE_MAX];
	uint32_t n;
	uint32_t rounds_left;
};

static void note_winner(struct fetch_job *job, const struct fetch_leg *leg,
    const struct fetch_candidate *winner)
{
	struct fetch_facts *facts = &job->facts;

	facts->status = leg->status ? leg->status : facts->status;
	facts->http_version = leg->http_version;
	facts->remote = winner->addr;
	facts->connected = leg->connected;
	if (!facts->first_byte.ns)
		facts->first_byte = leg->first_byte;
	facts->place[0] = 0;
	if (winner->place->name[0])
		(void)dname_to_text(winner->place->name, facts->place);
}

/* Those that are left: without who failed, and other addresses of the place
 * that failed after a connection at the end. */
static void drop_failed(struct field *field, const struct fetch_leg *leg)
{
	struct fetch_candidate kept[FETCH_RACE_MAX];
	const struct fetch_place *place =
	    leg->winner >= 0 ? field->candidates[leg->winner].place : NULL;
	uint32_t n = 0;

	for (int last = 0; last < 2; last++) {
		for (uint32_t i = 0; i < field->n; i++) {
			const struct fetch_candidate *at =
			    &field->candidates[i];

			if ((int32_t)i != leg->winner && !leg->failed[i] &&
			    (at->place == place) == last)
				kept[n++] = *at;
		}
	}
	memcpy(field->candidates, kept, n * sizeof *kept);
	field->n = n;
}

static void forget_failed(const struct fetch_job *job,
    const struct field *field, const struct fetch_leg *leg)
{
	for (uint32_t i = 0; i < field->n; i++)
		if ((int32_t)i == leg->winner || leg->failed[i])
			fetch_winners_failed(
			    &job->winners, &field->candidates[i]);
}

static void run_leg(
    struct fetch_job *job, struct field *field, struct fetch_leg *ret)
{
	const struct fetch_request request = {.options = job->options,
	    .say = &job->say,
	    .url = job->url,
	    .headers = job->headers,
	    .sink = &job->sink,
	    .progress = &job->progress,
	    .deadline = job->deadline,
	    .others_left = job->options->retries > 0 &&
			   (field->n > 1 || field->rounds_left > 0)};
	int64_t before = job->progress.offset;

	if (job->progress.begun) {
		job->facts.resumed++;
		fetch_say(&job->say, "resume", NULL, NULL,
		    "from byte %" PRId64 " of %s", job->progress.offset,
		    job->progress.etag);
	}
	fetch_leg_run(&request, field->candidates, field->n, ret);
	job->facts.size_bytes += job->progress.offset - before;
	if (ret->winner >= 0)
		note_winner(job, ret, &field->candidates[ret->winner]);
}

/* Whether what has begun cannot go on anywhere. */
static bool is_stuck(const struct fetch_job *job)
{
	return job->progress.begun &&
	       (job->options->own_range ||
		   !fetch_resume_is_possible(&job->progress));
}

/* With everybody once, until one of them does it. */
static void run_round(
    struct fetch_job *job, struct field *field, struct fetch_leg *ret)
{
	while (field->n) {
		run_leg(job, field, ret);
		if (ret->outcome != LEG_FAILED) {
			if (ret->outcome != LEG_FATAL)
				fetch_winners_won(&job->winners,
				    &field->candidates[ret->winner]);
			return;
		}
		if (ret->winner >= 0)
			fetch_say(&job->say, "failed", NULL,
			    &field->candidates[ret->winner].addr, "%s",
			    ret->error);
		forget_failed(job, field, ret);
		if (is_stuck(job)) {
			ret->outcome = LEG_FATAL;
			ret->code = FETCH_PARTIAL;
			fetch_say(&job->say, "stuck", NULL, NULL,
			    "without a strong ETag nobody can go on");
			return;
		}
		drop_failed(field, ret);
	}
}

static void pause_before(struct fetch_job *job, uint32_t round)
{
	int64_t ms = round < 7 ? 500 << round : PAUSE_MAX_MS;
	int64_t left_ms = mono_diff_ns(job->deadline, mono_now()) / NS_PER_MS;

	if (left_ms < ms)
		ms = left_ms > 0 ? left_ms : 0;
	fetch_say(&job->say, "retry", NULL, NULL, "in %" PRId64 " ms", ms);
	(void)poll(NULL, 0, (int)ms);
}

static int resolve(struct fetch_job *job, struct field *field)
{
	struct addr first;
	bool has_first;
	int code = fetch_resolve(job->options, &job->say, &job->origin,
	    job->deadline, &job->rng, &job->places);

	field->n = 0;
	if (code)
		return code;
	if (!job->facts.resolved.ns)
		job->facts.resolved = mono_now();
	fetch_winners_begin(&job->winners, &job->origin, &job->places);
	has_first = fetch_winners_first(&job->winners, &job->places, &first);
	field->n = fetch_order_make(
	    &job->places, has_first ? &first : NULL, field->candidates);
	for (uint32_t i = 0; i < field->n; i++) {
		const uint8_t *name = field->candidates[i].place->name;

		fetch_say(&job->say, "order", name[0] ? name : NULL,
		    &field->candidates[i].addr, "%u of %u", i + 1, field->n);
	}
	return FETCH_OK;
}

/* One URL, with all its rounds. */
static int fetch_url(struct fetch_job *job, struct fetch_leg *leg)
{
	struct field field;
	int code = FETCH_OK;

	for (uint32_t round = 0; round <= job->options->retries; round++) {
		if (round)
			pause_before(job, round);
		field.rounds_left = job->options->retries - round;
		code = resolve(job, &field);
		if (code)
			continue; /* it has been said */
		run_round(job, &field, leg);
		if (leg->outcome != LEG_FAILED)
			break;
		if (mono_diff_ns(job->deadline, mono_now()) <= 0)
			break;
	}
	if (code)
		return code;
	if (leg->outcome == LEG_DONE || leg->outcome == LEG_REDIRECT)
		return FETCH_OK;
	/* Who has part of it should be told that it is a part. */
	if (job->progress.begun && leg->code != FETCH_WRITE &&
	    leg->code != FETCH_TIMEOUT)
		leg->code = FETCH_PARTIAL;
	return fetch_say_error(&job->say, leg->code, "%s: %s%s",
	    job->origin.host, leg->error,
	    job->progress.begun ? " (what has come stays)" : "");
}

/* -- all --------------------------------------------------------------- */

static int run(struct fetch_job *job)
{
	struct fetch_leg leg;
	int code = set_url(job, job->options->url);

	if (code)
		return code;
	job->first_origin = job->origin;
	job->first_host = strdup(job->host);
	set_headers(job);
	code = set_output(job);
	while (!code) {
		memset(&leg, 0, sizeof leg);
		code = fetch_url(job, &leg);
		if (code || leg.outcome != LEG_REDIRECT)
			break;
		code = redirect(job, leg.location);
	}
	return code;
}

int fetch_job_run(struct fetch_job *job, const struct fetch_options *options)
{
	int64_t most_ns = options->max_time_ms * NS_PER_MS;
	int code, err;

	memset(job, 0, sizeof *job);
	job->options = options;
	job->facts.begun = mono_now();
	job->say = (struct fetch_say){.verbose = options->verbose,
	    .json = options->json,
	    .errors = !options->silent || options->show_error,
	    .begun = job->facts.begun};
	job->deadline =
	    mono_add_ns(job->facts.begun, most_ns ? most_ns : NEVER_NS);
	job->progress.total = -1;
	rng_seed_random(&job->rng);
	fetch_sink_init(&job->sink, NULL, false);
	fetch_winners_init(&job->winners, options, &job->say);
	job->parts = curl_url();
	if (!job->parts)
		br_out_of_memory("a URL", 0);
	code = run(job);
	err = fetch_sink_close(&job->sink);
	if (err && !code)
		code = fetch_say_error(&job->say, FETCH_WRITE, "%s: %s",
		    job->path, br_strerror(err));
	job->facts.ended = mono_now();
	fetch_say(&job->say, "end", NULL, NULL,
	    "exit status %d, %" PRId64 " bytes", code, job->facts.size_bytes);
	return code;
}

void fetch_job_fini(struct fetch_job *job)
{
	curl_url_cleanup(job->parts);
	curl_free(job->url);
	curl_free(job->host);
	free(job->first_host);
	free(job->path);
	curl_slist_free_all(job->headers);
}
