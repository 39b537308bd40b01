/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_job.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

/* Fetches a URL from the best of several POPs: braid-fetch(1). */

/* -- --write-out ------------------------------------------------------- */

struct variable {
	const char *name;
	void (*print)(const struct fetch_job *job, int code);
};

static void print_seconds(const struct fetch_job *job, struct mono at)
{
	int64_t ns = at.ns ? mono_diff_ns(at, job->facts.begun) : 0;

	printf("%.6f", (double)ns / (double)NS_PER_S);
}

static void print_code(const struct fetch_job *job, int code)
{
	(void)job;
	printf("%d", code);
}

static void print_status(const struct fetch_job *job, int code)
{
	(void)code;
	printf("%03d", job->facts.status);
}

static void print_version(const struct fetch_job *job, int code)
{
	(void)code;
	printf("%s", job->facts.http_version == CURL_HTTP_VERSION_2_0   ? "2"
		     : job->facts.http_version == CURL_HTTP_VERSION_1_1 ? "1.1"
		     : job->facts.http_version == CURL_HTTP_VERSION_1_0 ? "1"
									: "0");
}

static void print_redirects(const struct fetch_job *job, int code)
{
	(void)code;
	printf("%u", job->facts.redirects);
}

static void print_resumed(const struct fetch_job *job, int code)
{
	(void)code;
	printf("%u", job->facts.resumed);
}

static void print_place(const struct fetch_job *job, int code)
{
	(void)code;
	printf("%s", job->facts.place);
}

static void print_remote(const struct fetch_job *job, int code)
{
	char text[ADDR_TEXT_MAX];

	(void)code;
	(void)addr_format(&job->facts.remote, text);
	printf("%s", text);
}

static void print_size(const struct fetch_job *job, int code)
{
	(void)code;
	printf("%" PRId64, job->facts.size_bytes);
}

static void print_resolved(const struct fetch_job *job, int code)
{
	(void)code;
	print_seconds(job, job->facts.resolved);
}

static void print_connected(const struct fetch_job *job, int code)
{
	(void)code;
	print_seconds(job, job->facts.connected);
}

static void print_first_byte(const struct fetch_job *job, int code)
{
	(void)code;
	print_seconds(job, job->facts.first_byte);
}

static void print_total(const struct fetch_job *job, int code)
{
	(void)code;
	print_seconds(job, job->facts.ended);
}

static void print_url(const struct fetch_job *job, int code)
{
	(void)code;
	printf("%s", job->url ? job->url : "");
}

static const struct variable variables[] = {
    {"exitcode", print_code},
    {"http_code", print_status},
    {"http_version", print_version},
    {"num_redirects", print_redirects},
    {"pop", print_place},
    {"remote", print_remote},
    {"resumed", print_resumed},
    {"response_code", print_status},
    {"size_download", print_size},
    {"time_connect", print_connected},
    {"time_namelookup", print_resolved},
    {"time_starttransfer", print_first_byte},
    {"time_total", print_total},
    {"url_effective", print_url},
};

/* "%{name}" at `text`: where it goes on, NULL: it is none. */
static const char *print_variable(
    const struct fetch_job *job, int code, const char *text)
{
	const char *end = text[1] == '{' ? strchr(text, '}') : NULL;
	size_t length;

	if (!end)
		return NULL;
	length = (size_t)(end - text - 2);
	for (size_t i = 0; i < BR_COUNT(variables); i++) {
		const struct variable *variable = &variables[i];

		if (strlen(variable->name) == length &&
		    !memcmp(variable->name, text + 2, length))
			variable->print(job, code);
	}
	return end + 1; /* of an unknown one nothing is left, as in curl */
}

static char escaped(char c)
{
	return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
}

static void write_out(const struct fetch_job *job, int code)
{
	const char *at = job->options->write_out, *next;

	while (at && *at) {
		if (*at == '%' && (next = print_variable(job, code, at))) {
			at = next;
		} else if (at[0] == '%' && at[1] == '%') {
			putchar('%');
			at += 2;
		} else if (*at == '\\' && at[1]) {
			putchar(escaped(at[1]));
			at += 2;
		} else {
			putchar(*at++);
		}
	}
}

/* -- main -------------------------------------------------------------- */

static int run(const struct fetch_options *options)
{
	static struct fetch_job job;
	int code;

	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		br_out_of_memory("libcurl", 0);
	code = fetch_job_run(&job, options);
	write_out(&job, code);
	fetch_job_fini(&job);
	curl_global_cleanup();
	return code;
}

int main(int argc, char **argv)
{
	struct fetch_options options;
	int code;

	(void)signal(SIGPIPE, SIG_IGN);
	code = fetch_options_read(argc, argv, &options);
	if (code < 0)
		code = run(&options);
	fetch_options_fini(&options);
	/* A full disk or closed pipe is no success. */
	if (fflush(stdout) && !code) {
		fprintf(stderr, "braid-fetch: (23) cannot write\n");
		code = FETCH_WRITE;
	}
	return code;
}
