/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The command line of braid-fetch, and its exit statuses, which are curl's
 * where it has one for the same.
 *
 * Thread:  the only one.
 * Memory:  texts are argv's; fetch_options_fini() frees the lists.
 * Units:   milliseconds.
 * Errors:  an exit status, with a sentence already said on stderr.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"

enum fetch_exit {
	FETCH_OK = 0,
	FETCH_SCHEME = 1,
	FETCH_USAGE = 2,
	FETCH_URL = 3,
	FETCH_RESOLVE = 6,
	FETCH_CONNECT = 7,
	FETCH_PARTIAL = 18,
	FETCH_STATUS = 22,
	FETCH_WRITE = 23,
	FETCH_TIMEOUT = 28,
	FETCH_RANGE = 33,
	FETCH_TLS = 35,
	FETCH_REDIRECTS = 47,
	FETCH_EMPTY = 52,
	FETCH_RECEIVE = 56,
	FETCH_CERTIFICATE = 60,
	FETCH_CA_FILE = 77,
};

struct curl_slist;

struct fetch_options {
	const char *url;
	const char *output; /* -o; NULL: stdout */
	bool remote_name; /* -O */
	bool silent, show_error, verbose, json;
	bool include, head, fail, follow, insecure, resume, http1_only;
	bool ipv4, ipv6; /* both unless one is asked for */
	bool literal, spread, remember;
	bool own_range; /* -H has Range or a condition */
	const char *ca_file, *write_out;
	struct addr dns; /* length 0: the system's */
	int64_t connect_timeout_ms, max_time_ms, stall_ms; /* 0: none */
	int64_t stagger_ms;
	uint32_t retries, redirects;
	struct curl_slist *headers;
};

/* -1: go on; else the exit status: there was help to print, or an error. */
int fetch_options_read(
    int argc, char **argv, struct fetch_options *ret) BR_MUST_CHECK;
void fetch_options_fini(struct fetch_options *options);
