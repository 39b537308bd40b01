/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/notify.h"

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* "/path", or "@name" in the abstract namespace. */
static int notify_address(
    const char *name, struct sockaddr_un *ret, socklen_t *ret_length)
{
	size_t length = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || length < 2)
		return -EAFNOSUPPORT;
	if (length >= sizeof ret->sun_path)
		return -ENAMETOOLONG;
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret->sun_path, name, length);
	if (name[0] == '@')
		ret->sun_path[0] = '\0';
	*ret_length =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	return 0;
}

static int notify_put(const char *name, const char *text, size_t length)
{
	struct sockaddr_un to;
	socklen_t to_length;
	int fd, err = notify_address(name, &to, &to_length);

	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* A manager that does not read must not hold us up. */
	if (sendto(fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT,
		(struct sockaddr *)&to, to_length) < 0)
		err = -errno;
	close(fd);
	return err;
}

int notify_send(const char *format, ...)
{
	const char *name = getenv("NOTIFY_SOCKET");
	char text[NOTIFY_TEXT_MAX];
	va_list args;
	int n;

	if (!name || !*name)
		return 0;
	va_start(args, format);
	n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof text)
		return -EMSGSIZE;
	return notify_put(name, text, (size_t)n);
}

int notify_reloading(void)
{
	return notify_send(
	    "RELOADING=1\nMONOTONIC_USEC=%" PRId64, mono_now().ns / NS_PER_US);
}

uint64_t notify_watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	unsigned long long value;
	char *end;

	if (!usec || usec[0] < '0' || usec[0] > '9')
		return 0;
	if (pid && *pid && strtol(pid, NULL, 10) != (long)getpid())
		return 0;
	errno = 0;
	value = strtoull(usec, &end, 10);
	if (errno || *end || !value)
		return 0;
	/* Half of the time, as sd_watchdog_enabled(3) advises. */
	return value / 2000 ? value / 2000 : 1;
}
