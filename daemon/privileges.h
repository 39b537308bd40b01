/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Who braidd runs as. Started as root it opens its sockets first and then
 * becomes global.user for good, keeping CAP_NET_BIND_SERVICE, so that a reload
 * may still bind low ports, and, where the configuration has transparent
 * sockets, CAP_NET_RAW (CAP_NET_ADMIN where only that is there): workers need
 * it for each connection. Started as anybody else it stays that, with the
 * capabilities it was given.
 *
 * Thread:  main at boot, before any other thread is made: capabilities belong
 *          to threads, and those made later inherit them.
 * Errors:  an exit code, and one line for the operator in `ret`.
 */
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "conf/conf.h"
#include "daemon/exit_code.h"

/* "listeners.NAME.transparent: true". */
#define PRIVILEGES_KEY_MAX (CONF_NAME_MAX + 32)

struct privileges {
	bool root; /* started as root */
	bool drop; /* ... and is to become somebody else */
	bool transparent; /* transparent sockets are wanted */
	char user[64]; /* who it will be */
	uid_t uid;
	gid_t gid;
	char text[512]; /* why it failed */
	char warning[256]; /* "": none */
};

/* Finds out; changes nothing. */
int privileges_choose(
    const struct conf_global *conf, struct privileges *ret) BR_MUST_CHECK;
/* The name of the user that this process is, or its number. */
void privileges_self(char *ret, size_t room);
/* Makes a folder (and those above it) for that user; what exists is left as
 * it is. */
int privileges_make_folder(
    struct privileges *p, const char *path) BR_MUST_CHECK;
int privileges_drop(struct privileges *p) BR_MUST_CHECK;
/* Whether the configuration asks for transparent sockets; if so, the first key
 * that does is in `ret` ("pools.web.source: client"). */
bool privileges_transparent_key(
    const struct conf *conf, char *ret, size_t room);
/* ... and this thread may not have them. */
bool privileges_lack_transparent(
    const struct conf *conf, char *ret_key, size_t room);
