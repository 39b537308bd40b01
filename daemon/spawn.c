/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/spawn.h"

#include "base/assert.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TO_TEXT(x) #x
#define NUMBER_TEXT(x) TO_TEXT(x)

static bool names(const char *entry, const char *variable)
{
	size_t length = strlen(variable);

	return !strncmp(entry, variable, length) && entry[length] == '=';
}

/* Ours, without what was meant for this process alone. */
static char **make_environment(void)
{
	static char channel[] =
	    SPAWN_ENVIRONMENT "=" NUMBER_TEXT(SPAWN_CHANNEL_FD);
	size_t n = 0, kept = 0;
	char **ret;

	while (environ[n])
		n++;
	ret = calloc(n + 2, sizeof(char *));
	if (!ret)
		br_out_of_memory("an environment", n * sizeof(char *));
	for (size_t i = 0; i < n; i++)
		if (!names(environ[i], SPAWN_ENVIRONMENT) &&
		    !names(environ[i], "WATCHDOG_PID"))
			ret[kept++] = environ[i];
	ret[kept] = channel;
	return ret;
}

/* Signals as they are in a process that nobody has touched: ours are blocked,
 * and SIGPIPE is ignored. */
static int set_signals(posix_spawnattr_t *attributes)
{
	sigset_t none, standard;
	int err;

	sigemptyset(&none);
	sigemptyset(&standard);
	sigaddset(&standard, SIGPIPE);
	err = posix_spawnattr_setsigmask(attributes, &none);
	if (!err)
		err = posix_spawnattr_setsigdefault(attributes, &standard);
	if (!err)
		err = posix_spawnattr_setflags(
		    attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return err;
}

static int set_files(posix_spawn_file_actions_t *actions, int channel)
{
	int err = posix_spawn_file_actions_adddup2(
	    actions, channel, SPAWN_CHANNEL_FD);

	if (!err)
		err = posix_spawn_file_actions_addclosefrom_np(
		    actions, SPAWN_CHANNEL_FD + 1);
	return err;
}

int spawn_braidd(
    const char *binary, const char *config_file, int channel, pid_t *ret)
{
	char *const argv[] = {(char *)(uintptr_t)binary, (char[]){"-f"},
	    (char *)(uintptr_t)config_file, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	char **environment = make_environment();
	int err;

	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawnattr_init(&attributes);
	err = set_signals(&attributes);
	if (!err)
		err = set_files(&actions, channel);
	if (!err)
		err = posix_spawn(
		    ret, binary, &actions, &attributes, argv, environment);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	free(environment);
	return -err;
}
