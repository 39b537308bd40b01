/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/profiling_open.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "daemon/privileges.h"
#include "profiler/model_abi.h"

#define PROFILING_WHY_MAX 512

static bool profiling_names_file(const struct conf *conf)
{
	return conf->profiler.model[0] == '/';
}

static bool profiling_has_none(const struct conf *conf)
{
	return strcmp(conf->profiler.model, "none") == 0;
}

static int profiling_load(const struct conf *conf, struct model *ret,
    char *ret_why, uint32_t why_room)
{
	int err;

	ret_why[0] = '\0';
	err = profiling_names_file(conf)
		  ? model_load(ret, conf->profiler.model, ret_why, why_room)
		  : model_builtin(ret, ret_why, why_room);
	if (err && !ret_why[0])
		(void)snprintf(ret_why, why_room, "%s", br_strerror(err));
	return err;
}

/* Its folder, "/" for "/x". */
static void profiling_record_folder(const struct conf *conf, char ret[PATH_MAX])
{
	const char *path = conf->profiler.record;
	const char *slash = strrchr(path, '/');
	size_t n = slash && slash > path ? (size_t)(slash - path) : 1;

	(void)snprintf(ret, PATH_MAX, "%.*s", (int)n, path);
}

/* What is wrong with the folder, for this user: 0 or errno. */
static int profiling_folder_errno(const char *folder)
{
	struct stat st;

	if (stat(folder, &st))
		return errno;
	if (!S_ISDIR(st.st_mode))
		return ENOTDIR;
	return eaccess(folder, W_OK | X_OK) ? errno : 0;
}

/* Others may put in order what is only warned of, at any time. */
static int profiling_check_record(
    const struct conf *conf, struct conf_errors *errors)
{
	const char *path = conf->profiler.record;
	char folder[PATH_MAX], user[64];
	struct stat st;
	int number;

	if (!path)
		return 0;
	if (!stat(path, &st) && S_ISDIR(st.st_mode)) {
		conf_errors_add(errors, conf->file, conf->profiler.record_pos,
		    false, "profiler.record: %s is a folder, want a file in it",
		    path);
		return BR_E_CONFIG;
	}
	profiling_record_folder(conf, folder);
	number = profiling_folder_errno(folder);
	if (!number)
		return 0;
	privileges_self(user, sizeof user);
	conf_errors_add(errors, conf->file, conf->profiler.record_pos, true,
	    "profiler.record: nothing is recorded as long as user %s cannot "
	    "write in folder %s: %s",
	    user, folder, strerror(number));
	return 0;
}

static int profiling_check_model(
    const struct conf *conf, struct conf_errors *errors)
{
	char why[PROFILING_WHY_MAX];
	struct model model;

	if (profiling_has_none(conf))
		return 0;
	if (!profiling_load(conf, &model, why, sizeof why)) {
		model_free(&model);
		return 0;
	}
	conf_errors_add(errors, conf->file, conf->profiler.model_pos, false,
	    "profiler.model: %s: %s", conf->profiler.model, why);
	return BR_E_CONFIG;
}

int profiling_check(const struct conf *conf, struct conf_errors *errors)
{
	int err = profiling_check_model(conf, errors);
	int err_record = profiling_check_record(conf, errors);

	return err ? err : err_record;
}

int profiling_open(const struct conf *conf, struct profiling_open **ret,
    char *ret_why, uint32_t why_room)
{
	struct profiling_open *open;
	int err;

	*ret = NULL;
	if (conf->profiler.mode == CONF_PROFILER_OFF)
		return 0;
	open = calloc(1, sizeof *open);
	if (!open)
		br_out_of_memory("a model", sizeof *open);
	open->references = 1;
	if (!profiling_has_none(conf)) {
		err = profiling_load(conf, &open->model, ret_why, why_room);
		if (err) {
			free(open);
			return err;
		}
		open->profiling.model = &open->model;
	}
	open->profiling.pins = conf->profiler.pins;
	open->profiling.acts = conf->profiler.mode == CONF_PROFILER_ACT;
	if (conf->profiler.record)
		open->profiling.record_share = conf->profiler.record_share;
	open->profiling.records_addresses =
	    conf->profiler.record_addresses == CONF_RECORD_FULL;
	*ret = open;
	return 0;
}

struct profiling_open *profiling_share(struct profiling_open *open)
{
	if (open)
		open->references++;
	return open;
}

void profiling_close(struct profiling_open *open)
{
	if (!open)
		return;
	br_assert(open->references > 0);
	if (--open->references)
		return;
	model_free(&open->model);
	free(open);
}

const char *profiling_model_name(const struct profiling_open *open)
{
	return open && open->model.abi ? open->model.abi->name : NULL;
}

uint64_t profiling_model_hash(const struct profiling_open *open)
{
	return open ? open->model.hash : 0;
}

bool profiling_same_model(
    const struct profiling_open *a, const struct profiling_open *b)
{
	return profiling_model_hash(a) == profiling_model_hash(b);
}

const char *profiling_forbidden(const struct conf *conf)
{
	return profiling_names_file(conf) && access(conf->profiler.model, R_OK)
		   ? conf->profiler.model
		   : NULL;
}

bool profiling_cannot_record(const struct conf *conf)
{
	char folder[PATH_MAX];

	if (!conf->profiler.record || conf->profiler.mode == CONF_PROFILER_OFF)
		return false;
	profiling_record_folder(conf, folder);
	return profiling_folder_errno(folder) != 0;
}
