/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a new braidd gets from the one before it, when it was started by an
 * upgrade: read before anything else is opened.
 *
 *      environment: channel ──> manifest, descriptors ──> passed (listeners)
 *                                                     ├──> control, api
 *                                                     └──> older generations
 *
 * Thread:  main at boot; inherit_servers() also control.
 * Memory:  inherit_open() .. inherit_close(), which closes what nobody has
 *          taken.
 * Errors:  said on stderr and to the old process, which then goes on.
 */
#include "daemon/channel.h"
#include "daemon/daemon.h"
#include "daemon/manifest.h"

#define INHERIT_TIMEOUT_MS 10000

struct inherit {
	int channel; /* to the generation before */
	struct manifest manifest;
	void *bytes; /* of the manifest, which points into them */
	size_t n_bytes;
	int control_fd, api_fd; /* -1: none, or taken */
	bool took_control, took_api;
	int older[CONF_GENERATIONS_MAX][2]; /* channel, counters */
	int counters; /* of the generation before */
	/* -- of control, see heir.h -- */
	uint32_t n_armed;
	bool ready, committed;
};

/* *ret is NULL when this is no upgrade. */
int inherit_open(struct inherit **ret) BR_MUST_CHECK;
void inherit_close(struct inherit *inherit);
/* Tells the old process why this one does not take over; the first reason
 * counts. Nothing happens when there is none. */
void inherit_refuse(const char *text);
/* The descriptor of the control socket or api, if it is for this address. */
int inherit_take_control(struct inherit *inherit, const char *path);
int inherit_take_api(struct inherit *inherit, const struct addr *at);
/* What operators have set, and with `health` what checks have found out, about
 * servers that are in the plan, too, and ejections; an override only while the
 * configured weight is the same. on_changed may be NULL. */
void inherit_servers(const struct manifest *manifest, const struct plan *plan,
    bool health, void (*on_changed)(void *context, struct server *server),
    void *context);
/* The level that was set at run time, unless the file has another now. */
void inherit_log(const struct manifest *manifest, const struct plan *plan);
