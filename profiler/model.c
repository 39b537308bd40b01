/* SPDX-License-Identifier: Apache-2.0 */
#include "profiler/model.h"

#include "profiler/features.h"
#include "profiler/model_abi.h"
#include "profiler/model_file.h"
#include "profiler/profile.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int model_bind_classes(struct model *ret, const struct braid_model *abi,
    const struct model_why *why)
{
	if (!abi->n_classes || abi->n_classes > MODEL_CLASSES_MAX)
		return model_refuse(why, "it has %u classes, want 1 to %u",
		    abi->n_classes, MODEL_CLASSES_MAX);
	for (uint32_t i = 0; i < abi->n_classes; i++) {
		enum flow_class class;

		if (!abi->classes[i] ||
		    !flow_class_find(abi->classes[i], &class))
			return model_refuse(why,
			    "it has a class \"%.40s\", "
			    "which no flow can be",
			    abi->classes[i] ? abi->classes[i] : "");
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
		    "%u%s): record and train anew",
		    abi->n_features, (unsigned)N_FEATURES,
		    abi->n_features == N_FEATURES
			? " of other names or in another order"
			: "");
	if (!abi->classes || !abi->classify)
		return model_refuse(&why, "its braid_model is no model");
	err = model_bind_classes(&model, abi, &why);
	if (!err)
		*ret = model;
	return err;
}

/* The loader takes a name that it knows for the object that it has. */
static bool model_name_is_taken(const char *name)
{
	void *known = dlopen(name, RTLD_LAZY | RTLD_NOLOAD);

	if (known)
		dlclose(known);
	return known != NULL;
}

/* The name is of a descriptor that stays open as long as the object, so that
 * nobody else has it meanwhile. An object that cannot be unloaded (-z nodelete)
 * keeps its name for good: another descriptor has another one. */
static void *model_open_object(int *fd)
{
	char name[32];

	for (;;) {
		int other;

		(void)snprintf(name, sizeof name, "/proc/self/fd/%d", *fd);
		if (!model_name_is_taken(name))
			return dlopen(name, RTLD_NOW | RTLD_LOCAL);
		other = fcntl(*fd, F_DUPFD_CLOEXEC, *fd + 1);
		if (other < 0)
			return NULL;
		close(*fd);
		*fd = other;
	}
}

/* What comes before is the name that we have given it. */
static const char *model_loader_says(void)
{
	const char *text = dlerror();
	const char *said = text ? strstr(text, ": ") : NULL;

	return said ? said + 2 : text ? text : "it cannot be loaded";
}

int model_object_open(int *fd, const struct model_why *why, void **ret_object,
    const struct braid_model **ret_abi)
{
	const struct braid_model *abi;
	void *object = model_open_object(fd);

	if (!object)
		return model_refuse(why, "%s", model_loader_says());
	abi = dlsym(object, "braid_model");
	if (!abi) {
		dlclose(object);
		return model_refuse(why, "it exports no braid_model");
	}
	*ret_object = object;
	*ret_abi = abi;
	return 0;
}

static int model_take_object(
    struct model *model, int *fd, const struct model_why *why)
{
	const struct braid_model *abi;
	void *object;
	int err = model_object_open(fd, why, &object, &abi);

	if (err)
		return err;
	err = model_bind(model, abi, why->text, why->room);
	if (err)
		dlclose(object);
	else
		model->object = object;
	return err;
}

/* Of model_default.c, which is generated. */
extern const struct braid_model model_default;

int model_builtin(struct model *ret, char *ret_why, uint32_t why_room)
{
	int err = model_bind(ret, &model_default, ret_why, why_room);

	if (!err)
		ret->hash = MODEL_HASH_BUILTIN;
	return err;
}

int model_load(
    struct model *ret, const char *path, char *ret_why, uint32_t why_room)
{
	struct model_why why = {ret_why, why_room};
	struct model model;
	uint64_t hash;
	int err, fd;

	ret_why[0] = '\0';
	err = model_file_open(path, &why, &fd, &hash);
	if (err)
		return err;
	err = model_take_object(&model, &fd, &why);
	if (err) {
		close(fd);
		return err;
	}
	model.fd = fd;
	model.hash = hash;
	*ret = model;
	return 0;
}

void model_free(struct model *model)
{
	if (model->object) {
		dlclose(model->object);
		close(model->fd);
	}
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
