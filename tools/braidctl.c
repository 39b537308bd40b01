/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "conf/schema.h"
#include "conf/text.h"
#include "tools/braidctl_client.h"
#include "tools/braidctl_key.h"
#include "tools/braidctl_print.h"
#include "tools/braidctl_top.h"
#include "tools/braidctl_watch.h"

/* How an operator sees and steers a running braidd: docs/control.md. */

#define SOCKET_DEFAULT "/run/braid/control.sock"

struct options {
	const char *socket;
	bool json, colour;
};

struct command {
	const char *name, *usage, *help;
	/* NULL: the daemon knows what to do. */
	int (*run)(const struct options *options, int argc, char **argv);
};

static int run_explain(const struct options *options, int argc, char **argv);
static int run_top(const struct options *options, int argc, char **argv);
static int run_upgrade(const struct options *options, int argc, char **argv);
static int run_shards(const struct options *options, int argc, char **argv);
static int run_dns(const struct options *options, int argc, char **argv);

static const struct command commands[] = {
    {"status", "", "state, configuration, connections, memory", NULL},
    {"top", "[-n COUNT]", "rates each second; q ends it", run_top},
    {"servers", "[POOL]", "servers, their health and load", NULL},
    {"names", "", "names of servers and what the DNS says", NULL},
    {"pools", "", "pools and their load", NULL},
    {"listeners", "", "listeners and their load", NULL},
    {"flows", "[pool=P] [server=S] [listener=L] [class=C] [limit=N]",
	"flows that are open now", NULL},
    {"shards", "[-w] [pool=P] [limit=N]",
	"downloads that come from several servers now; -w: again and again",
	run_shards},
    {"kill", "FLOW-ID | --server POOL/SERVER",
	"reset a flow, or all flows of a server", NULL},
    {"pops", "", "POPs, their health and weight", NULL},
    {"dns",
	"[stats | explain NAME [TYPE] [--from ADDR|PREFIX] | reload ZONE | "
	"dump ZONE | key ZONE FILE]",
	"zones; what was answered; why a client gets its answer; one zone "
	"anew",
	run_dns},
    {"drain", "POOL SERVER | pop:NAME [--in TIME]",
	"no new flows; running ones stay", NULL},
    {"maint", "POOL SERVER | pop:NAME", "as drain, and health checks stop",
	NULL},
    {"ready", "POOL SERVER | pop:NAME", "end drain or maintenance", NULL},
    {"weight", "POOL SERVER N|reset | pop:NAME PERCENT|reset",
	"override the configured weight", NULL},
    {"reload", "", "read the configuration again, wait for the verdict", NULL},
    {"log-level", "error|warn|info|debug", "what is logged from now on", NULL},
    {"upgrade", "[BINARY]", "hand over to a new process, wait until it serves",
	run_upgrade},
    {"explain", "KEY", "what a configuration key means (needs no braidd)",
	run_explain},
};

/* Commands of the design that come with later versions. */
static const char *const later[] = {"nodes", "heatmap", "shadow"};

static void print_usage(FILE *to)
{
	fprintf(to, "usage: braidctl [-s SOCKET] [-o text|json] COMMAND "
		    "[ARGUMENT ...]\n\ncommands:\n");
	for (size_t i = 0; i < BR_COUNT(commands); i++)
		fprintf(to, "  %-9s %-22s%s%s\n", commands[i].name,
		    commands[i].usage,
		    strlen(commands[i].usage) > 22
			? "\n                                   "
			: " ",
		    commands[i].help);
	fprintf(to,
	    "\n  -s SOCKET  the control socket; else $BRAID_CONTROL, else "
	    "%s\n"
	    "  -o FORMAT  text (default) or json, the daemon's answer as it "
	    "is\n"
	    "  -h, -V     this help; the version. COMMAND --help: of one command\n"
	    "\nThe columns of the tables are explained in braidctl(1) and "
	    "docs/control.md.\n"
	    "\nexit status: 0 done, 1 failed, 64 usage, 66 no such pool or "
	    "server,\n69 no braidd listens, 75 try again, 77 permission, 78 "
	    "configuration refused\n",
	    SOCKET_DEFAULT);
}

static int run_explain(const struct options *options, int argc, char **argv)
{
	const char *suggestion = NULL;
	struct strbuf text;
	int err;

	(void)options;
	if (argc != 1) {
		fprintf(stderr, "usage: braidctl explain KEY, for example "
				"pools.*.balance\n");
		return CLIENT_USAGE;
	}
	strbuf_init(&text);
	err = schema_explain(argv[0], &text, &suggestion);
	if (!err)
		fputs(strbuf_text(&text), stdout);
	else if (suggestion)
		fprintf(stderr,
		    "braidctl: no key \"%s\", did you mean \"%s\"?\n", argv[0],
		    suggestion);
	else
		fprintf(stderr, "braidctl: no key \"%s\"\n", argv[0]);
	strbuf_fini(&text);
	return err ? CLIENT_USAGE : CLIENT_OK;
}

static int run_top(const struct options *options, int argc, char **argv)
{
	struct top_options top = {
	    .socket = options->socket, .colour = options->colour};
	char *end = NULL;

	if (argc == 2 && !strcmp(argv[0], "-n")) {
		unsigned long count = strtoul(argv[1], &end, 10);

		if (argv[1][0] >= '0' && argv[1][0] <= '9' && !*end &&
		    count > 0 && count <= UINT32_MAX)
			top.count = (uint32_t)count;
	}
	if (argc && !top.count) {
		fprintf(stderr, "usage: braidctl top [-n COUNT]\n");
		return CLIENT_USAGE;
	}
	return top_run(&top);
}

static int print_json(const json_t *answer)
{
	char *text =
	    json_dumps(answer, JSON_INDENT(2) | JSON_REAL_PRECISION(9));

	if (!text)
		return CLIENT_FAILED;
	puts(text);
	free(text);
	return client_exit_of(answer);
}

static int run_remote(
    const struct options *options, const char *command, int argc, char **argv)
{
	const char *error;
	struct strbuf text;
	json_t *answer;
	int code = client_ask(options->socket, command, argc, argv, &answer);

	if (code)
		return code;
	if (options->json) {
		code = print_json(answer);
		json_decref(answer);
		return code;
	}
	strbuf_init(&text);
	error = client_error_of(answer);
	if (!error || json_object_size(client_data_of(answer)))
		print_answer(
		    command, client_data_of(answer), options->colour, &text);
	fputs(strbuf_text(&text), error ? stderr : stdout);
	if (error)
		fprintf(stderr, "braidctl: %s\n", error);
	strbuf_fini(&text);
	code = client_exit_of(answer);
	json_decref(answer);
	return code;
}

static int run_shards(const struct options *options, int argc, char **argv)
{
	struct watch_options watch = {.socket = options->socket,
	    .command = "shards",
	    .colour = options->colour};

	if (argc && !strcmp(argv[0], "-w") && !options->json)
		return watch_run(&watch, argc - 1, argv + 1);
	return run_remote(options, "shards", argc, argv);
}

/* A key is made where the operator stands: braidd only ever reads it. */
static int run_dns(const struct options *options, int argc, char **argv)
{
	if (argc && !strcmp(argv[0], "key"))
		return key_run(options->json, argc - 1, argv + 1);
	return run_remote(options, "dns", argc, argv);
}

/* A path is from where the operator stands, not from where braidd does. */
static int run_upgrade(const struct options *options, int argc, char **argv)
{
	char path[PATH_MAX], folder[PATH_MAX];
	char *arguments[] = {path};
	int n = -1;

	if (argc != 1 || argv[0][0] == '/')
		return run_remote(options, "upgrade", argc, argv);
	if (getcwd(folder, sizeof(folder)))
		n = snprintf(path, sizeof(path), "%s/%s", folder, argv[0]);
	if (n < 0 || n >= (int)sizeof(path)) {
		fprintf(stderr, "braidctl: upgrade: %s: give the whole path\n",
		    argv[0]);
		return CLIENT_USAGE;
	}
	return run_remote(options, "upgrade", 1, arguments);
}

/* What operators of HAProxy type; several words where one has a choice. */
static const struct {
	const char *word, *meant;
} words[] = {
    {"show", "status, servers, pools, listeners or flows"},
    {"set", "drain, maint, ready or weight"},
    {"enable", "ready"},
    {"disable", "maint"},
    {"shutdown", "kill"},
    {"stat", "servers"},
    {"stats", "servers"},
    {"info", "status"},
    {"sess", "flows"},
    {"sessions", "flows"},
    {"connections", "flows"},
    {"resolvers", "names"},
    {"zones", "dns"},
    {"undrain", "ready"},
    {"loglevel", "log-level"},
    {"version", "braidctl -V"},
};

static const char *guess_command(const char *word)
{
	struct text_nearest nearest;

	for (size_t i = 0; i < BR_COUNT(words); i++)
		if (!strcmp(words[i].word, word))
			return words[i].meant;
	text_nearest_init(&nearest, word);
	for (size_t i = 0; i < BR_COUNT(commands); i++)
		text_nearest_offer(&nearest, commands[i].name);
	return nearest.best;
}

/* Short: the whole list would push the reason off a small screen. */
static int refuse_command(const char *word)
{
	const char *meant = guess_command(word);

	fprintf(stderr, "braidctl: unknown command \"%s\"", word);
	if (meant)
		fprintf(stderr, ", did you mean %s?", meant);
	fprintf(stderr, "\nbraidctl -h lists all.\n");
	return CLIENT_USAGE;
}

static int run(const struct options *options, int argc, char **argv)
{
	for (size_t i = 0; i < BR_COUNT(commands); i++) {
		const struct command *c = &commands[i];

		if (strcmp(c->name, argv[0]) != 0)
			continue;
		if (argc == 2 && !strcmp(argv[1], "--help")) {
			printf("usage: braidctl %s%s%s\n\n%s\n", c->name,
			    *c->usage ? " " : "", c->usage, c->help);
			return CLIENT_OK;
		}
		if (c->run)
			return c->run(options, argc - 1, argv + 1);
		return run_remote(options, c->name, argc - 1, argv + 1);
	}
	for (size_t i = 0; i < BR_COUNT(later); i++) {
		if (strcmp(later[i], argv[0]) != 0)
			continue;
		fprintf(stderr, "braidctl: %s: not in this version\n", argv[0]);
		return CLIENT_USAGE;
	}
	if (!strcmp(argv[0], "help")) {
		print_usage(stdout);
		return CLIENT_OK;
	}
	return refuse_command(argv[0]);
}

/* NO_COLOR: https://no-color.org, set and not empty. */
static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && term &&
	       strcmp(term, "dumb") != 0;
}

/* An exit code that ends the program, or -1. */
static int read_options(int argc, char **argv, struct options *ret)
{
	static const struct option names[] = {
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {0},
	};
	int option;

	/* '+': a command's own options come after it. */
	while (
	    (option = getopt_long(argc, argv, "+s:o:hV", names, NULL)) != -1) {
		switch (option) {
		case 's':
			ret->socket = optarg;
			client_socket_from("-s");
			break;
		case 'o':
			if (strcmp(optarg, "json") && strcmp(optarg, "text")) {
				fprintf(stderr, "braidctl: -o takes text or "
						"json\n");
				return CLIENT_USAGE;
			}
			ret->json = !strcmp(optarg, "json");
			break;
		case 'h':
			print_usage(stdout);
			return CLIENT_OK;
		case 'V':
			puts("braidctl " BRAID_VERSION);
			return CLIENT_OK;
		default:
			print_usage(stderr);
			return CLIENT_USAGE;
		}
	}
	return -1;
}

int main(int argc, char **argv)
{
	const char *named = getenv("BRAID_CONTROL");
	struct options options = {
	    .socket = named && *named ? named : SOCKET_DEFAULT,
	    .colour = wants_colour()};
	int code;

	client_socket_from(named && *named ? "BRAID_CONTROL" : "the default");
	(void)setlocale(LC_CTYPE, "");
	code = read_options(argc, argv, &options);
	if (code < 0 && optind == argc) {
		print_usage(stderr);
		code = CLIENT_USAGE;
	}
	if (code < 0)
		code = run(&options, argc - optind, argv + optind);
	/* A full disk or closed pipe is no success. */
	if (fflush(stdout) && !code) {
		fprintf(stderr, "braidctl: stdout: %s\n", strerror(errno));
		code = CLIENT_FAILED;
	}
	return code;
}
