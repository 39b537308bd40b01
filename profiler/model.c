/* SPDX-License-Identifier: Apache-2.0 */
#include "profiler/model.h"

#include "profiler/features.h"
#include "profiler/model_abi.h"
#include "profiler/profile.h"

#include <dlfcn.h>
#include <errno.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct model_why {
	char *text;
	uint32_t room;
};

__attribute__((format(printf, 2, 3))) static int model_refuse(
    const struct model_why *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why->text, why->room, format, args);
	va_end(args);
	return BR_E_MODEL;
}

static int model_bind_classes(struct model *ret, const struct braid_model *abi,
    const struct model_why *why)
{
	if (!abi->n_classes || abi->n_classes > MODEL_CLASSES_MAX)
		return model_refuse(why, "it has %u classes, want 1 to %u",
		    abi->n_classes, MODEL_CLASSES_MAX);
	for (uint32_t i = 0; i < abi->n_classes; i++) {
		enum flow_class class;

		if (!flow_class_find(abi->classes[i], &class))
			return model_refuse(why,
			    "it has a class \"%.40s\", "
			    "which no flow can be",
			    abi->classes[i]);
		ret->class_of[i] = (uint8_t) class;
	}
	return 0;
}

int model_bind(struct model *ret, const struct braid_model *abi, char *ret_why,
    uint32_t why_room)
{
	struct model_why why = {ret_why, why_room};
	struct model model = {.abi = abi};
	int err;

	if (abi->magic != BRAID_MODEL_MAGIC)
		return model_refuse(&why, "its braid_model is no model");
	if (abi->abi != BRAID_MODEL_ABI)
		return model_refuse(&why,
		    "it is of ABI %u, this braidd wants %u: compile it anew "
		    "with this version's braid-train",
		    abi->abi, BRAID_MODEL_ABI);
	if (abi->n_features != N_FEATURES ||
	    abi->features_hash != features_hash())
		return model_refuse(&why,
		    "it was trained on other features (%u, this braidd has "
		    "%u): record and train anew",
		    abi->n_features, (unsigned)N_FEATURES);
	err = model_bind_classes(&model, abi, &why);
	if (!err)
		*ret = model;
	return err;
}

static int model_check_owner(
    const char *path, const char *what, const struct model_why *why)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return model_refuse(why,
		    "%s belongs to user %u, want root or the service's", what,
		    st.st_uid);
	/* In a sticky folder nobody replaces what belongs to another. */
	if (st.st_mode & (S_IWGRP | S_IWOTH) &&
	    !(S_ISDIR(st.st_mode) && st.st_mode & S_ISVTX))
		return model_refuse(why, "%s is writable by others (mode %03o)",
		    what, st.st_mode & 0777);
	return 0;
}

static int model_check_file(const char *path, const struct model_why *why)
{
	char folder[4096];
	int err;

	if (strlen(path) >= sizeof folder)
		return -ENAMETOOLONG;
	err = model_check_owner(path, "it", why);
	if (err)
		return err;
	memcpy(folder, path, strlen(path) + 1);
	return model_check_owner(dirname(folder), "its folder", why);
}

int model_load(
    struct model *ret, const char *path, char *ret_why, uint32_t why_room)
{
	struct model_why why = {ret_why, why_room};
	const struct braid_model *abi;
	struct model model;
	void *object;
	int err;

	ret_why[0] = '\0';
	err = model_check_file(path, &why);
	if (err)
		return err;
	object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!object)
		return model_refuse(&why, "%s", dlerror());
	abi = dlsym(object, "braid_model");
	err = abi ? model_bind(&model, abi, ret_why, why_room)
		  : model_refuse(&why, "it exports no braid_model");
	if (err) {
		dlclose(object);
		return err;
	}
	model.object = object;
	*ret = model;
	return 0;
}

void model_free(struct model *model)
{
	if (model->object)
		dlclose(model->object);
	*model = (struct model){0};
}

uint8_t model_classify(const struct model *model, const int32_t *features,
    uint16_t *ret_confidence)
{
	uint32_t answer = model->abi->classify(features);
	uint32_t class = answer >> 16, confidence = answer & 0xffff;

	*ret_confidence =
	    (uint16_t)(confidence < BRAID_MODEL_SURE ? confidence
						     : BRAID_MODEL_SURE);
	return class < model->abi->n_classes ? model->class_of[class]
					     : (uint8_t)FLOW_CLASS_UNKNOWN;
}
