/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A whole fetch: resolve, order, race, and again with who is left when a POP
 * fails, after a pause with all of them (`--retry`), and to where redirects
 * lead.
 *
 *      resolve ─> order ─> leg ── done
 *         ^         ^       ├──── failed: without it, from where it stopped
 *         │         └───────┘
 *         └── redirect, retry
 *
 * Thread:  the only one.
 * Memory:  fetch_job_fini() frees.
 * Errors:  an exit status, with a sentence already said.
 */
#include "tools/braid_fetch_leg.h"
#include "tools/braid_fetch_winners.h"

/* For -w, and for who wants to know how it went. */
struct fetch_facts {
	int status;
	long http_version;
	uint32_t redirects, resumed; /* how often it went on elsewhere */
	int64_t size_bytes;
	struct addr remote;
	char place[DNAME_TEXT_MAX]; /* "": an address in the URL */
	struct mono begun, resolved, connected, first_byte, ended;
};

struct fetch_job {
	const struct fetch_options *options;
	struct fetch_say say;
	struct rng rng;
	struct mono deadline;
	CURLU *parts;
	char *url, *host; /* curl_free() */
	struct fetch_origin origin, first_origin;
	char *first_host;
	char *path; /* of -o or -O */
	struct curl_slist *headers;
	struct fetch_sink sink;
	struct fetch_places places;
	struct fetch_winners winners;
	struct fetch_progress progress;
	struct fetch_facts facts;
};

int fetch_job_run(struct fetch_job *job, const struct fetch_options *options);
void fetch_job_fini(struct fetch_job *job);
