/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/boot.h"
#include "io/tls.h"
#include "io/tls_memory.h"

#include "io/ktls.h"
#include "io/ring_off.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define CONFIG_DEFAULT "/etc/braid/braid.yaml"

static const char usage[] =
    "usage: braidd [-c] [-f FILE]\n"
    "  -f FILE  configuration (default " CONFIG_DEFAULT ")\n"
    "  -c       check it and exit: 0 good, 78 bad\n"
    "  -V       print the version\n"
    "  -h       print this\n"
    "Signals: TERM or INT drains, a second one stops at once; HUP reloads;\n"
    "USR2 hands over to a new process.\n";

static void print_version(void)
{
	uint32_t off = ring_off_environment();

	(void)puts("braidd " BRAID_VERSION);
	for (uint32_t i = 0; i < RING_OFF_N; i++)
		if (off & (1u << i))
			(void)printf(
			    "off by BRAID_IO_OFF: %s\n", ring_off_name(i));
	(void)printf("for global.ktls: %s\n", ktls_explain(ktls_probe()));
}

/* Before OpenSSL allocates anything. */
static int start_tls(void)
{
	int err = tls_memory_install(0);

	if (!err)
		err = tls_start();
	if (!err)
		return EXIT_CODE_OK;
	(void)fprintf(
	    stderr, "braidd: the TLS library: %s\n", br_strerror(err));
	return EXIT_CODE_UNAVAILABLE;
}

int main(int argc, char **argv)
{
	const char *file = CONFIG_DEFAULT;
	static const struct option names[] = {
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {0},
	};
	bool check = false;
	int option, code;

	while ((option = getopt_long(argc, argv, "f:cVh", names, NULL)) != -1) {
		switch (option) {
		case 'f':
			file = optarg;
			break;
		case 'c':
			check = true;
			break;
		case 'V':
			print_version();
			return EXIT_CODE_OK;
		case 'h':
			(void)fputs(usage, stdout);
			return EXIT_CODE_OK;
		default:
			(void)fputs(usage, stderr);
			return EXIT_CODE_USAGE;
		}
	}
	if (optind < argc) {
		(void)fprintf(
		    stderr, "braidd: unexpected \"%s\"\n", argv[optind]);
		(void)fputs(usage, stderr);
		return EXIT_CODE_USAGE;
	}
	code = start_tls();
	if (code)
		return code;
	return check ? boot_check(file) : boot_run(file);
}
