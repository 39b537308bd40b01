/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_train.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/* Learns models of flows from recorded CSV: braid-train(1). */

struct command {
	const char *name, *usage, *help;
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
    {"fit", "[OPTION ...] FILE.csv ...",
	"learn from rows, test, report, write C or a shared object",
	train_fit_main},
    {"eval", "--model builtin|FILE.so FILE.csv ...", "score a model on rows",
	train_eval_main},
    {"dpi", "[OPTION] FILE.csv ...",
	"say what protocol captured first bytes are, and the score",
	train_dpi_main},
};

static void print_usage(FILE *to)
{
	fprintf(to, "usage: braid-train COMMAND [ARGUMENT ...]\n\ncommands:\n");
	for (size_t i = 0; i < BR_COUNT(commands); i++)
		fprintf(to, "  %-5s %s\n        %s\n", commands[i].name,
		    commands[i].usage, commands[i].help);
	fprintf(to,
	    "\n  -h, -V     this help; the version. COMMAND --help says a "
	    "command's options.\n"
	    "\nexit status: 0 done, 1 failed, 64 usage, 65 the data is "
	    "wrong,\n66 a file cannot be read, 69 there is no compiler\n");
}

static int run(int argc, char **argv)
{
	const char *name = argv[1];

	if (!strcmp(name, "-h") || !strcmp(name, "--help")) {
		print_usage(stdout);
		return TRAIN_OK;
	}
	if (!strcmp(name, "-V") || !strcmp(name, "--version")) {
		puts("braid-train " BRAID_VERSION);
		return TRAIN_OK;
	}
	for (size_t i = 0; i < BR_COUNT(commands); i++) {
		if (!strcmp(commands[i].name, name))
			return commands[i].run(argc - 1, argv + 1);
	}
	fprintf(stderr, "braid-train: unknown command \"%s\"\n", name);
	print_usage(stderr);
	return TRAIN_USAGE;
}

int main(int argc, char **argv)
{
	int code = TRAIN_USAGE;

	if (argc < 2)
		print_usage(stderr);
	else
		code = run(argc, argv);
	/* A full disk or closed pipe is no success. */
	if (fflush(stdout) && !code) {
		fprintf(stderr, "braid-train: stdout: %s\n", strerror(errno));
		code = TRAIN_FAILED;
	}
	return code;
}

int train_option_number(const char *option, const char *text, uint64_t least,
    uint64_t most, uint64_t *ret)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value < least ||
	    value > most) {
		fprintf(stderr,
		    "braid-train: --%s takes a number from %llu to %llu, not "
		    "\"%s\"\n",
		    option, (unsigned long long)least, (unsigned long long)most,
		    text);
		return TRAIN_USAGE;
	}
	*ret = value;
	return 0;
}
