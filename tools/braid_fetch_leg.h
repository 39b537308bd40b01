/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One leg of a fetch: the candidates race for a connection, TLS handshake and
 * certificate included, and the winner carries the request.
 *
 * All attempts are handles of one libcurl multi handle. A TLS session cannot
 * be handed to libcurl, so the race is run inside it: before it sends a
 * request on a connection that is ready it asks (CURLOPT_PREREQFUNCTION); the
 * first to ask is told to go on, the others to stop, and they are closed. So
 * the connection that has won is the one that is used, there is no second
 * handshake, and no server but the winner ever sees a request.
 *
 * Thread:  the only one.
 * Memory:  the caller's; the leg borrows all of struct fetch_request.
 * Errors:  CURLcode, which is also the exit status; and what became of it.
 */
#include <curl/curl.h>

#include "tools/braid_fetch_options.h"
#include "tools/braid_fetch_order.h"
#include "tools/braid_fetch_resume.h"
#include "tools/braid_fetch_say.h"
#include "tools/braid_fetch_sink.h"

struct fetch_request {
	const struct fetch_options *options;
	const struct fetch_say *say;
	const char *url;
	struct curl_slist *headers; /* all but If-Range */
	struct fetch_sink *sink;
	struct fetch_progress *progress;
	struct mono deadline;
	bool others_left; /* for a status that tells to come back later */
};

enum fetch_outcome {
	LEG_DONE, /* there is nothing more to do */
	LEG_REDIRECT, /* to `location` */
	LEG_FAILED, /* another candidate may do better */
	LEG_FATAL, /* none would */
};

struct fetch_leg {
	enum fetch_outcome outcome;
	int code; /* of a failure; FETCH_OK */
	char error[2 * CURL_ERROR_SIZE];
	int32_t winner; /* -1: nobody got a connection */
	bool failed[FETCH_RACE_MAX]; /* candidates that did not connect */
	int status;
	long http_version;
	char *location; /* to be freed */
	struct mono connected, first_byte;
};

void fetch_leg_run(const struct fetch_request *request,
    const struct fetch_candidate *candidates, uint32_t n,
    struct fetch_leg *ret);
