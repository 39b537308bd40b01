/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/privileges.h"

#include "io/sock.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define USER_DEFAULT "braid"
#define USER_FALLBACK "nobody"

void privileges_self(char *ret, size_t room)
{
	const struct passwd *me = getpwuid(geteuid());

	if (me)
		(void)snprintf(ret, room, "%s", me->pw_name);
	else
		(void)snprintf(ret, room, "%u", (unsigned)geteuid());
}

static int choose_as_other(
    const struct conf_global *conf, struct privileges *ret)
{
	ret->uid = geteuid();
	ret->gid = getegid();
	privileges_self(ret->user, sizeof ret->user);
	if (conf->user_pos.line && strcmp(conf->user, ret->user) != 0)
		(void)snprintf(ret->warning, sizeof ret->warning,
		    "global.user %s is ignored: only root can become another "
		    "user, and braidd runs as %s",
		    conf->user, ret->user);
	return EXIT_CODE_OK;
}

int privileges_choose(const struct conf_global *conf, struct privileges *ret)
{
	const struct passwd *user;

	*ret = (struct privileges){.root = geteuid() == 0};
	if (!ret->root)
		return choose_as_other(conf, ret);
	user = getpwnam(conf->user);
	if (!user && !strcmp(conf->user, USER_DEFAULT)) {
		user = getpwnam(USER_FALLBACK);
		if (user && conf->user_pos.line)
			(void)snprintf(ret->warning, sizeof ret->warning,
			    "there is no user " USER_DEFAULT
			    ": running as " USER_FALLBACK);
	}
	if (!user) {
		(void)snprintf(ret->text, sizeof ret->text,
		    "global.user: there is no user \"%s\" on this host; make "
		    "it (useradd --system %s) or name another",
		    conf->user, conf->user);
		return EXIT_CODE_CONFIG;
	}
	ret->uid = user->pw_uid;
	ret->gid = user->pw_gid;
	ret->drop = ret->uid != 0;
	(void)snprintf(ret->user, sizeof ret->user, "%s", user->pw_name);
	return EXIT_CODE_OK;
}

/* -- transparent sockets ------------------------------------------------- */

bool privileges_transparent_key(const struct conf *conf, char *ret, size_t room)
{
	for (uint32_t i = 0; i < conf->n_listeners; i++)
		if (conf->listeners[i].transparent) {
			(void)snprintf(ret, room,
			    "listeners.%s.transparent: true",
			    conf->listeners[i].name);
			return true;
		}
	for (uint32_t i = 0; i < conf->n_pools; i++)
		if (conf_source_is_client(&conf->pools[i].source)) {
			(void)snprintf(ret, room, "pools.%s.source: client",
			    conf->pools[i].name);
			return true;
		}
	return false;
}

bool privileges_lack_transparent(
    const struct conf *conf, char *ret_key, size_t room)
{
	return privileges_transparent_key(conf, ret_key, room) &&
	       sock_may_be_transparent() == -EPERM;
}

/* -- folders ----------------------------------------------------------- */

static int make_one(const struct privileges *p, const char *path)
{
	if (mkdir(path, 0755))
		return errno == EEXIST ? 0 : -errno;
	if (p->drop && chown(path, p->uid, p->gid))
		return -errno;
	return 0;
}

int privileges_make_folder(struct privileges *p, const char *path)
{
	char part[PATH_MAX];
	size_t length = strlen(path);
	int err = 0;

	if (length >= sizeof part)
		err = -ENAMETOOLONG;
	for (size_t i = 1; i <= length && !err; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		err = make_one(p, part);
	}
	if (!err)
		return EXIT_CODE_OK;
	(void)snprintf(
	    p->text, sizeof p->text, "folder %s: %s", path, br_strerror(err));
	return err == -EACCES || err == -EPERM ? EXIT_CODE_PERMISSION
					       : EXIT_CODE_UNAVAILABLE;
}

/* -- becoming somebody else -------------------------------------------- */

#define CAPABILITY(name) (1u << CAP_NET_##name)

/* Of those that we have, the ones to keep. Either of RAW and ADMIN lets a
 * socket be transparent; ADMIN could also change the firewall and routes. */
static uint32_t capabilities_to_keep(uint32_t permitted, bool transparent)
{
	uint32_t keep = CAPABILITY(BIND_SERVICE);

	if (transparent)
		keep |= permitted & CAPABILITY(RAW) ? CAPABILITY(RAW)
						    : CAPABILITY(ADMIN);
	return keep & permitted;
}

/* Gives up all other capabilities; those kept are in *ret. glibc has no
 * wrapper, and libcap would be a dependency for two calls. */
static int keep_capabilities(bool transparent, uint32_t *ret)
{
	struct __user_cap_header_struct header = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};
	uint32_t keep;

	if (syscall(SYS_capget, &header, data))
		return -errno;
	keep = capabilities_to_keep(data[0].permitted, transparent);
	memset(data, 0, sizeof data);
	data[0].effective = data[0].permitted = keep;
	if (syscall(SYS_capset, &header, data))
		return -errno;
	*ret = keep;
	return 0;
}

static int fail(struct privileges *p, const char *step)
{
	(void)snprintf(p->text, sizeof p->text,
	    "cannot become user %s: %s: %s; the capabilities SETUID and "
	    "SETGID are needed, or start braidd as %s",
	    p->user, step, br_strerror(-errno), p->user);
	return EXIT_CODE_PERMISSION;
}

int privileges_drop(struct privileges *p)
{
	uint32_t kept = 0;

	if (!p->drop)
		return EXIT_CODE_OK;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
		return fail(p, "PR_SET_KEEPCAPS");
	if (initgroups(p->user, p->gid))
		return fail(p, "setgroups");
	if (setresgid(p->gid, p->gid, p->gid))
		return fail(p, "setgid");
	if (setresuid(p->uid, p->uid, p->uid))
		return fail(p, "setuid");
	if (keep_capabilities(p->transparent, &kept))
		return fail(p, "capset");
	if (!(kept & CAPABILITY(BIND_SERVICE)))
		(void)snprintf(p->warning, sizeof p->warning,
		    "CAP_NET_BIND_SERVICE could not be kept: a reload will "
		    "not be able to add ports below 1024");
	(void)prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	/* The kernel clears it with the change of user; without it there are
	 * no core dumps, and /proc/self is not ours to read. */
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return EXIT_CODE_OK;
}
