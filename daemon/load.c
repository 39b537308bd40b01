/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/load.h"

#include "base/assert.h"
#include "daemon/changes.h"
#include "daemon/privileges.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct load_job *load_job_new(struct daemon *daemon, const struct plan *before)
{
	struct load_job *job = calloc(1, sizeof *job);

	if (!job)
		br_out_of_memory("a reload", sizeof *job);
	job->daemon = daemon;
	job->before = before;
	job->started = mono_now();
	job->arena = arena_new();
	conf_errors_init(&job->errors);
	return job;
}

void load_job_free(struct load_job *job)
{
	conf_errors_fini(&job->errors);
	arena_free(job->arena);
	free(job->reweighted);
	free(job);
}

int load_config(const char *file, const struct tls_store *before,
    struct conf_errors *errors, struct conf **ret_conf,
    struct tls_store **ret_tls)
{
	int err = conf_load(file, ret_conf, errors);

	if (err)
		return err;
	err = tls_store_load(*ret_conf, before, errors, ret_tls);
	if (err)
		conf_free(*ret_conf);
	return err;
}

/* The data path would meet it with each connection; a reload must not let it
 * come to that. */
static bool lacks_capability(const struct conf *conf, struct plan_error *error)
{
	char key[PRIVILEGES_KEY_MAX];

	if (!privileges_lack_transparent(conf, key, sizeof key))
		return false;
	error->code = -EPERM;
	(void)snprintf(error->text, sizeof error->text,
	    "%s needs CAP_NET_RAW, which this braidd does not have: it keeps "
	    "what its configuration needs when it starts, so restart it",
	    key);
	return true;
}

void load_run(struct load_job *job)
{
	struct daemon *daemon = job->daemon;
	struct plan_source source = {
	    .tls_process = &daemon->tls, .diff = &job->diff};
	struct conf *conf;

	job->plan_error.text[0] = '\0';
	if (load_config(daemon->config_file, job->before->tls, &job->errors,
		&conf, &source.tls)) {
		(void)snprintf(job->summary, sizeof job->summary,
		    "refused, %u error%s",
		    job->errors.n_errors - job->errors.n_warnings,
		    job->errors.n_errors - job->errors.n_warnings == 1 ? ""
								       : "s");
		return;
	}
	conf_diff(job->before->conf, conf, job->arena, &job->diff);
	conf_keep_running(job->before->conf, conf);
	source.conf = conf;
	if (lacks_capability(conf, &job->plan_error) ||
	    tls_process_prepare(&daemon->tls, conf) ||
	    plan_build(&source, job->before, daemon->board, daemon->n_workers,
		&job->plan, &job->plan_error)) {
		tls_store_free(source.tls);
		conf_free(conf);
		(void)snprintf(job->summary, sizeof job->summary, "refused: %s",
		    job->plan_error.text);
		return;
	}
	job->n_reweighted = plan_reweighted(
	    job->before, job->plan, &job->diff, &job->reweighted);
	changes_describe(job->before->conf, conf, &job->diff, job->arena,
	    job->summary, sizeof job->summary);
}
