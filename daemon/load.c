/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/load.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/log.h"
#include "daemon/changes.h"
#include "daemon/dns_shares.h"
#include "daemon/dns_store.h"
#include "daemon/dns_views.h"
#include "daemon/privileges.h"
#include "daemon/profiling_open.h"
#include "daemon/secret_files.h"
#include "fleet/name_expand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct load_job *load_job_new(
    struct daemon *daemon, const struct plan *before, enum load_kind kind)
{
	struct load_job *job = calloc(1, sizeof *job);

	if (!job)
		br_out_of_memory("a reload", sizeof *job);
	job->kind = kind;
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
	/* Only when the process ends between the two steps. */
	load_files_free(&job->files);
	conf_free(job->conf);
	free(job);
}

void load_files_free(struct load_files *files)
{
	tls_store_free(files->tls);
	dns_store_unref(files->dns);
	*files = (struct load_files){.tls = NULL};
}

int load_config(const char *file, const struct plan *before,
    struct conf_errors *errors, struct conf **ret_conf,
    struct load_files *ret_files)
{
	int err = conf_load(file, ret_conf, errors);

	*ret_files = (struct load_files){.tls = NULL};
	if (err)
		return err;
	err = profiling_check(*ret_conf, errors);
	if (!err)
		err = tls_store_load(*ret_conf, before ? before->tls : NULL,
		    errors, &ret_files->tls);
	if (!err)
		err = dns_store_load(*ret_conf, before ? before->dns : NULL,
		    before ? before->conf : NULL, errors, &ret_files->dns);
	if (err) {
		load_files_free(ret_files);
		conf_free(*ret_conf);
		return err;
	}
	secret_files_check(*ret_conf, errors);
	return 0;
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

struct conf *load_origin(const struct plan *plan)
{
	return plan->conf->origin ? plan->conf->origin : plan->conf;
}

/* A kind of names has the configuration already, and its certificates. */
static void take_origin(struct load_job *job)
{
	job->conf = load_origin(job->before);
	job->conf->references++;
	job->files.tls = tls_store_copy(job->before->tls);
	job->files.dns = dns_store_ref(job->before->dns);
}

bool load_start(struct load_job *job)
{
	job->plan_error.text[0] = '\0';
	if (job->kind == LOAD_NAMES) {
		take_origin(job);
		return true;
	}
	if (!load_config(job->daemon->config_file, job->before, &job->errors,
		&job->conf, &job->files))
		return true;
	job->conf = NULL;
	(void)snprintf(job->summary, sizeof job->summary, "refused, %u error%s",
	    job->errors.n_errors - job->errors.n_warnings,
	    job->errors.n_errors - job->errors.n_warnings == 1 ? "" : "s");
	return false;
}

static bool nothing_changed(const struct load_job *job, const struct conf *conf)
{
	for (uint32_t i = 0; i < conf->n_pools; i++)
		if (job->diff.pools[i] != CONF_SAME)
			return false;
	return true;
}

static void log_address(
    const struct conf_pool *pool, const struct conf_server *server)
{
	if (server->addr.length)
		log_event(LOG_INFO, "server has an address again",
		    "pool=%s server=%s name=%s", pool->name, server->name,
		    server->host);
	else
		log_event(LOG_WARN, "server has no address",
		    "pool=%s server=%s name=%s cause=%s", pool->name,
		    server->name, server->host, "the name is not resolved");
}

/* Servers with a name that have no address now and had one before, or the
 * other way round; new ones only if they have none. */
static void log_addresses(const struct conf_pool *before,
    const struct conf_pool *after, struct arena *arena)
{
	struct strmap *old = strmap_new(arena);

	for (uint32_t i = 0; before && i < before->n_servers; i++)
		if (before->servers[i].host)
			strmap_put(
			    old, before->servers[i].name, &before->servers[i]);
	for (uint32_t i = 0; i < after->n_servers; i++) {
		const struct conf_server *server = &after->servers[i], *was;

		if (!server->host ||
		    (i && !strcmp(after->servers[i - 1].name, server->name)))
			continue;
		was = strmap_get(old, server->name);
		if (was ? !was->addr.length != !server->addr.length
			: !server->addr.length)
			log_address(after, server);
	}
}

void load_log_addresses(const struct conf *before, const struct conf *after,
    const struct conf_diff *diff, struct arena *arena)
{
	for (uint32_t i = 0; i < after->n_pools; i++) {
		bool has_before = before && diff->pools[i] != CONF_ADDED;

		if (!before || diff->pools[i] != CONF_SAME)
			log_addresses(has_before
					  ? &before->pools[diff->pool_before[i]]
					  : NULL,
			    &after->pools[i], arena);
	}
}

static void build(struct load_job *job, struct conf *conf)
{
	struct daemon *daemon = job->daemon;
	struct plan_source source = {.conf = conf,
	    .tls = job->files.tls,
	    .dns = job->files.dns,
	    .tls_process = &daemon->tls,
	    .diff = &job->diff,
	    .keeps_files = job->kind == LOAD_NAMES};

	if (lacks_capability(conf, &job->plan_error) ||
	    tls_process_prepare(&daemon->tls, conf) ||
	    plan_build(&source, job->before, daemon->board, daemon->n_workers,
		&job->plan, &job->plan_error)) {
		(void)snprintf(job->summary, sizeof job->summary, "refused: %s",
		    job->plan_error.text);
		conf_free(conf);
		dns_shares_drop();
		return;
	}
	job->files = (struct load_files){.tls = NULL}; /* the plan's now */
	job->published = dns_published_new(
	    job->plan->dns, job->plan->conf, daemon->board, job->dns_epoch);
	if (job->kind == LOAD_NAMES)
		job->plan->loaded_at = job->before->loaded_at;
	/* A weight that DNS has changed is no change of the file. */
	if (job->kind == LOAD_FILE)
		job->n_reweighted = plan_reweighted(
		    job->before, job->plan, &job->diff, &job->reweighted);
	changes_describe(job->before->conf, conf, &job->diff,
	    &(struct changes_files){.tls_before = job->before->tls,
		.tls_after = job->plan->tls,
		.dns_before = job->before->dns,
		.dns_after = job->plan->dns,
		.model = !profiling_same_model(
		    job->before->profiling, job->plan->profiling)},
	    job->arena, job->summary, sizeof job->summary);
	load_log_addresses(job->before->conf, conf, &job->diff, job->arena);
}

void load_finish(struct load_job *job, const struct name_view *view)
{
	struct conf *conf = name_expand(job->conf, view);

	conf_diff(job->before->conf, conf, job->arena, &job->diff);
	if (job->kind == LOAD_FILE) {
		conf_keep_running(job->before->conf, conf);
		/* From which plans for other addresses will be made. */
		conf_keep_running(job->before->conf, job->conf);
	}
	job->same = job->kind == LOAD_NAMES && nothing_changed(job, conf);
	if (job->same)
		conf_free(conf);
	else
		build(job, conf);
	load_files_free(&job->files);
	conf_free(job->conf);
	job->conf = NULL;
}
