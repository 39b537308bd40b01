/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/boot_state.h"
#include "daemon/ctl.h"
#include "daemon/dns_views.h"
#include "daemon/inherit.h"
#include "daemon/passed.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_permission(int err)
{
	return err == -EACCES || err == -EPERM;
}

static int exit_code_of(int err)
{
	return is_permission(err) ? EXIT_CODE_PERMISSION
				  : EXIT_CODE_UNAVAILABLE;
}

/* -- folders ----------------------------------------------------------- */

static int make_state_folder(struct boot *boot)
{
	int code = privileges_make_folder(
	    &boot->privileges, boot->conf->global.state_dir);

	/* Nothing is kept there yet: somebody who runs braidd by hand need
	 * not have it. */
	if (code && boot->privileges.root)
		return boot_fail(code, "%s", boot->privileges.text);
	return EXIT_CODE_OK;
}

static int make_control_folder(struct boot *boot)
{
	const char *path = boot->conf->global.control;
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	int code;

	if (!slash || slash == path)
		return EXIT_CODE_OK;
	(void)snprintf(
	    folder, sizeof folder, "%.*s", (int)(slash - path), path);
	code = privileges_make_folder(&boot->privileges, folder);
	if (code)
		return boot_fail(code,
		    "control socket: %s; set global.control to a path that "
		    "user %s may write",
		    boot->privileges.text, boot->privileges.user);
	return code;
}

/* -- sockets ----------------------------------------------------------- */

static int take_control(struct boot *boot, const char *path)
{
	int fd = boot->inherit ? inherit_take_control(boot->inherit, path) : -1;

	/* Until this process serves, the file is the old one's to remove. */
	atomic_store(&boot->daemon.control_given, fd >= 0);
	return fd >= 0 ? fd
		       : ctl_listen(
			     path, boot->privileges.uid, boot->privileges.gid);
}

static int open_control(struct boot *boot)
{
	const char *path = boot->conf->global.control;
	struct stat st;
	int fd;

	(void)snprintf(boot->daemon.control_path,
	    sizeof boot->daemon.control_path, "%s", path);
	fd = take_control(boot, path);
	if (fd == -EADDRINUSE)
		return boot_fail(EXIT_CODE_UNAVAILABLE,
		    "control socket %s: another braidd answers there; stop it "
		    "or set global.control to another path",
		    path);
	if (fd < 0)
		return boot_fail(exit_code_of(fd),
		    "control socket %s: %s; set global.control to a path that "
		    "user %s may write",
		    path, br_strerror(fd), boot->privileges.user);
	boot->control_fd = boot->daemon.control_fd = fd;
	if (!lstat(path, &st)) {
		boot->control_device = st.st_dev;
		boot->control_inode = st.st_ino;
	}
	return EXIT_CODE_OK;
}

static int open_api(struct boot *boot)
{
	struct sock_listen_options options = {.backlog = 64};
	const struct addr *at = &boot->conf->api.listen;
	struct plan_error error;
	int fd;

	if (!at->length)
		return EXIT_CODE_OK;
	fd = boot->inherit ? inherit_take_api(boot->inherit, at) : -1;
	if (fd < 0)
		fd = sock_listen(at, &options);
	if (fd < 0) {
		plan_sockets_explain(&error, "api.", "listen", at, fd);
		return boot_fail(exit_code_of(fd), "%s", error.text);
	}
	boot->api_fd = boot->daemon.api_fd = fd;
	boot->daemon.api_addr = *at;
	return EXIT_CODE_OK;
}

static int open_agent(struct boot *boot)
{
	struct sock_listen_options options = {.backlog = 64};
	const struct addr *at = &boot->conf->agent.listen;
	struct passed passed = {0};
	struct plan_error error;
	int fd;

	if (!at->length)
		return EXIT_CODE_OK;
	if (passed_take(MANIFEST_AGENT, at, &passed))
		fd = passed.fds[0];
	else
		fd = sock_listen(at, &options);
	if (fd < 0) {
		plan_sockets_explain(&error, "agent.", "listen", at, fd);
		return boot_fail(exit_code_of(fd), "%s", error.text);
	}
	boot->agent_fd = boot->daemon.agent_fd = fd;
	boot->daemon.agent_addr = *at;
	return EXIT_CODE_OK;
}

static int open_listeners(struct boot *boot)
{
	struct daemon *daemon = &boot->daemon;
	struct plan_source source = {.conf = boot->conf,
	    .tls = boot->files.tls,
	    .dns = boot->files.dns,
	    .tls_process = &daemon->tls};
	struct plan_error error;

	if (plan_build(&source, NULL, daemon->board, daemon->n_workers,
		&boot->plan, &error))
		return boot_fail(exit_code_of(error.code), "%s", error.text);
	boot->conf = NULL; /* the plan's now */
	boot->files = (struct load_files){.tls = NULL};
	if (boot->inherit) {
		inherit_servers(
		    &boot->inherit->manifest, boot->plan, true, NULL, NULL);
		inherit_log(&boot->inherit->manifest, boot->plan);
	}
	daemon->plan = snapshot_new(boot->plan);
	daemon->dns = snapshot_new(dns_published_new(
	    boot->plan->dns, boot->plan->conf, daemon->board, 1));
	atomic_store(&daemon->plan_number, boot->plan->number);
	return EXIT_CODE_OK;
}

int boot_open(struct boot *boot)
{
	int code = make_state_folder(boot);

	if (!code)
		code = make_control_folder(boot);
	if (!code)
		code = open_control(boot);
	if (!code)
		code = open_api(boot);
	if (!code)
		code = open_agent(boot);
	if (!code)
		code = open_listeners(boot);
	return code;
}

void boot_close(struct boot *boot)
{
	struct stat st;

	if (boot->api_fd >= 0)
		close(boot->api_fd);
	if (boot->agent_fd >= 0)
		close(boot->agent_fd);
	if (boot->control_fd >= 0)
		close(boot->control_fd);
	if (boot->signal_fd >= 0)
		close(boot->signal_fd);
	/* Another braidd may have put its own there. */
	if (boot->control_inode && !atomic_load(&boot->daemon.control_given) &&
	    !lstat(boot->daemon.control_path, &st) &&
	    st.st_dev == boot->control_device &&
	    st.st_ino == boot->control_inode)
		(void)unlink(boot->daemon.control_path);
}
