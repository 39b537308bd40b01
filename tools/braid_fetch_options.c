/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_options.h"

#include "base/assert.h"

#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Options without a letter. */
enum {
	OPT_CACERT = 256,
	OPT_CONNECT_TIMEOUT,
	OPT_DNS,
	OPT_HTTP1,
	OPT_JSON,
	OPT_LITERAL,
	OPT_MAX_REDIRS,
	OPT_NO_REMEMBER,
	OPT_RETRY,
	OPT_SPREAD,
	OPT_STAGGER,
	OPT_STALL,
};

struct row {
	int value; /* a letter, or of the enum above */
	const char *name, *argument, *help;
};

/* In the order of the help. */
static const struct row rows[] = {
    {'o', "output", "FILE", "write to FILE in place of the standard output"},
    {'O', "remote-name", NULL, "write to a file named as the URL ends"},
    {'C', "continue-at", "-", "go on with a file that is there"},
    {'i', "include", NULL, "write the response's head before its body"},
    {'I', "head", NULL, "ask for the head only (HEAD)"},
    {'X', "request", "METHOD", "GET or HEAD"},
    {'H', "header", "LINE", "a further field of the request"},
    {'L', "location", NULL, "follow redirects"},
    {OPT_MAX_REDIRS, "max-redirs", "N", "at most so many of them (50)"},
    {'f', "fail", NULL, "a status from 400 on is an error (22)"},
    {'s', "silent", NULL, "say nothing of errors"},
    {'S', "show-error", NULL, "do so, also with -s"},
    {'w', "write-out", "FORMAT", "write that when all is done"},
    {'m', "max-time", "SECONDS", "for all together"},
    {OPT_CONNECT_TIMEOUT, "connect-timeout", "SECONDS",
	"until a POP is connected (30)"},
    {OPT_STALL, "stall-time", "SECONDS",
	"without a byte, until a POP is given up (30; 0: never)"},
    {OPT_RETRY, "retry", "N", "all POPs again, so often, with pauses"},
    {'k', "insecure", NULL, "take any certificate"},
    {OPT_CACERT, "cacert", "FILE", "authorities to trust, as PEM"},
    {OPT_HTTP1, "http1.1", NULL, "without HTTP/2"},
    {'4', "ipv4", NULL, "IPv4 only"},
    {'6', "ipv6", NULL, "IPv6 only"},
    {OPT_DNS, "dns", "ADDR[:PORT]", "ask that server, not the system's"},
    {OPT_LITERAL, "literal", NULL, "ask the zone's own servers"},
    {OPT_SPREAD, "spread", NULL, "take turns between the POPs"},
    {OPT_STAGGER, "stagger", "MS", "between attempts to connect (250)"},
    {OPT_NO_REMEMBER, "no-remember", NULL, "neither use nor keep winners"},
    {'v', "verbose", NULL, "say every decision, with times, on stderr"},
    {OPT_JSON, "json", NULL, "the same as a line of JSON each"},
    {'h', "help", NULL, "this help"},
    {'V', "version", NULL, "the version"},
};

static void print_usage(FILE *to)
{
	fprintf(to, "usage: braid-fetch [OPTION ...] URL\n\noptions:\n");
	for (size_t i = 0; i < BR_COUNT(rows); i++) {
		const struct row *row = &rows[i];
		char text[64];

		snprintf(text, sizeof text, "--%s%s%s", row->name,
		    row->argument ? " " : "",
		    row->argument ? row->argument : "");
		if (row->value < OPT_CACERT)
			fprintf(to, "  -%c, %-30s %s\n", row->value, text,
			    row->help);
		else
			fprintf(to, "      %-30s %s\n", text, row->help);
	}
	fprintf(to,
	    "\nexit status: 0 done, 1 scheme, 2 usage, 3 URL, 6 no address,\n"
	    "7 no connection, 18 not all of it came, 22 status (-f), 23 "
	    "cannot write,\n28 too slow, 33 no ranges (-C), 35 TLS, 47 "
	    "redirects, 52 no answer,\n56 broken off, 60 certificate, 77 "
	    "--cacert\n");
}

static int usage(const char *option, const char *text)
{
	fprintf(stderr,
	    "braid-fetch: %s%s%s\nbraid-fetch --help lists the options.\n",
	    option, *option ? ": " : "", text);
	return FETCH_USAGE;
}

/* -- values ------------------------------------------------------------ */

static bool read_seconds(const char *text, int64_t *ret_ms)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !isfinite(value) || value < 0 ||
	    value > 1e6 || strchr("+- \t", *text))
		return false;
	*ret_ms = (int64_t)(value * 1000 + 0.999);
	return true;
}

static bool read_count(const char *text, uint32_t most, uint32_t *ret)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value > most)
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* "192.0.2.1", "[2001:db8::1]:53". */
static bool read_server(const char *text, struct addr *ret)
{
	struct addr addr;

	if (addr_parse_ip(&addr, text)) {
		if (addr_parse(&addr, text) || addr_is_unix(&addr))
			return false;
	} else {
		addr_set_port(&addr, 53);
	}
	*ret = addr;
	return true;
}

/* What the answer to a part of the download would depend on. */
static bool is_condition(const char *line)
{
	return !strncasecmp(line, "Range:", 6) || !strncasecmp(line, "If-", 3);
}

static bool add_header(struct fetch_options *o, const char *line)
{
	struct curl_slist *list;

	if (!strpbrk(line, ":;") || strpbrk(line, "\r\n"))
		return false;
	list = curl_slist_append(o->headers, line);
	if (!list)
		br_out_of_memory("a header", strlen(line));
	o->headers = list;
	o->own_range = o->own_range || is_condition(line);
	return true;
}

static bool set_method(struct fetch_options *o, const char *method)
{
	if (!strcmp(method, "HEAD"))
		o->head = true;
	return o->head || !strcmp(method, "GET");
}

/* -- the rows ---------------------------------------------------------- */

static void set_flag(struct fetch_options *o, int option)
{
	switch (option) {
	case 'O':
		o->remote_name = true;
		break;
	case 'i':
		o->include = true;
		break;
	case 'I':
		o->head = true;
		break;
	case 'L':
		o->follow = true;
		break;
	case 'f':
		o->fail = true;
		break;
	case 's':
		o->silent = true;
		break;
	case 'S':
		o->show_error = true;
		break;
	case 'k':
		o->insecure = true;
		break;
	case 'v':
		o->verbose = true;
		break;
	case '4':
		o->ipv6 = false;
		o->ipv4 = true;
		break;
	case '6':
		o->ipv4 = false;
		o->ipv6 = true;
		break;
	case OPT_HTTP1:
		o->http1_only = true;
		break;
	case OPT_JSON:
		o->json = true;
		break;
	case OPT_LITERAL:
		o->literal = true;
		break;
	case OPT_NO_REMEMBER:
		o->remember = false;
		break;
	case OPT_SPREAD:
		o->spread = true;
		break;
	default:
		br_assert(false);
	}
}

/* What is wrong with the value, NULL: nothing. */
static const char *set_value(
    struct fetch_options *o, int option, const char *text)
{
	static const char seconds[] = "takes seconds, such as 2.5";
	static const char count[] = "takes a whole number";
	uint32_t number;

	switch (option) {
	case 'o':
		o->output = strcmp(text, "-") != 0 ? text : NULL;
		return NULL;
	case 'C':
		o->resume = true;
		return strcmp(text, "-") != 0 ? "takes \"-\" only" : NULL;
	case 'X':
		return set_method(o, text)
			   ? NULL
			   : "only GET and HEAD can be asked of several POPs";
	case 'H':
		return add_header(o, text) ? NULL
					   : "takes one field, \"Name: value\"";
	case 'w':
		o->write_out = text;
		return NULL;
	case 'm':
		return read_seconds(text, &o->max_time_ms) ? NULL : seconds;
	case OPT_CONNECT_TIMEOUT:
		return read_seconds(text, &o->connect_timeout_ms) ? NULL
								  : seconds;
	case OPT_STALL:
		return read_seconds(text, &o->stall_ms) ? NULL : seconds;
	case OPT_CACERT:
		o->ca_file = text;
		return NULL;
	case OPT_DNS:
		return read_server(text, &o->dns)
			   ? NULL
			   : "takes an address, such as 192.0.2.1 or "
			     "[2001:db8::1]:53";
	case OPT_MAX_REDIRS:
		return read_count(text, 1000, &o->redirects) ? NULL : count;
	case OPT_RETRY:
		return read_count(text, 1000, &o->retries) ? NULL : count;
	case OPT_STAGGER:
		if (!read_count(text, 60000, &number))
			return "takes milliseconds";
		o->stagger_ms = number;
		return NULL;
	default:
		br_assert(false);
	}
}

static const struct row *row_of(int value)
{
	for (size_t i = 0; i < BR_COUNT(rows); i++)
		if (rows[i].value == value)
			return &rows[i];
	return NULL;
}

static int take(struct fetch_options *o, int option)
{
	const struct row *row = row_of(option);
	const char *wrong = NULL;
	char name[40];

	if (!row) /* getopt has said why */
		return usage("", "see above");
	if (option == 'h') {
		print_usage(stdout);
		return FETCH_OK;
	}
	if (option == 'V') {
		puts("braid-fetch " BRAID_VERSION);
		return FETCH_OK;
	}
	if (row->argument)
		wrong = set_value(o, option, optarg);
	else
		set_flag(o, option);
	if (!wrong)
		return -1;
	snprintf(name, sizeof name, "--%s", row->name);
	return usage(name, wrong);
}

/* -- all --------------------------------------------------------------- */

static void make_tables(char letters[2 * BR_COUNT(rows) + 1],
    struct option longs[BR_COUNT(rows) + 1])
{
	for (size_t i = 0; i < BR_COUNT(rows); i++) {
		const struct row *row = &rows[i];

		longs[i] = (struct option){
		    row->name, row->argument != NULL, NULL, row->value};
		if (row->value >= OPT_CACERT)
			continue;
		*letters++ = (char)row->value;
		if (row->argument)
			*letters++ = ':';
	}
	*letters = 0;
	longs[BR_COUNT(rows)] = (struct option){.name = NULL};
}

static int check(struct fetch_options *o, int argc, char **argv)
{
	if (optind + 1 != argc)
		return usage("",
		    optind < argc ? "one URL at a time" : "there is no URL");
	o->url = argv[optind];
	if (o->output && o->remote_name)
		return usage("", "either -o or -O");
	if (o->resume && !o->output && !o->remote_name)
		return usage("--continue-at", "needs -o or -O");
	if (o->resume && (o->head || o->include || o->own_range))
		return usage("--continue-at",
		    "does not go with -I, -i, or -H of a range or condition");
	if (o->json)
		o->verbose = true;
	return -1;
}

int fetch_options_read(int argc, char **argv, struct fetch_options *ret)
{
	char letters[2 * BR_COUNT(rows) + 1];
	struct option longs[BR_COUNT(rows) + 1];
	int option, code;

	*ret = (struct fetch_options){.remember = true,
	    .ipv4 = true,
	    .ipv6 = true,
	    .stagger_ms = 250,
	    .connect_timeout_ms = 30000,
	    .stall_ms = 30000,
	    .redirects = 50};
	make_tables(letters, longs);
	while ((option = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		code = take(ret, option);
		if (code >= 0)
			return code;
	}
	return check(ret, argc, argv);
}

void fetch_options_fini(struct fetch_options *options)
{
	curl_slist_free_all(options->headers);
}
