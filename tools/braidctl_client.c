/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braidctl_client.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/strbuf.h"

static const char *from = "-s";

void client_socket_from(const char *source)
{
	from = source;
}

static int explain_connect(const char *path, int error)
{
	if (error == EACCES || error == EPERM) {
		fprintf(stderr,
		    "braidctl: %s: permission denied; run as root or as the "
		    "user that braidd runs as\n",
		    path);
		return CLIENT_PERMISSION;
	}
	if (error == ENOENT) {
		fprintf(stderr,
		    "braidctl: no braidd at %s (%s): there is no such socket\n"
		    "Is braidd running? Where its file sets global.control, "
		    "name that path: braidctl -s SOCKET ..., or "
		    "BRAID_CONTROL=SOCKET.\n",
		    path, from);
		return CLIENT_UNAVAILABLE;
	}
	fprintf(stderr, "braidctl: nobody listens at %s (%s): %s\n", path, from,
	    strerror(error));
	if (error == ECONNREFUSED)
		fprintf(stderr,
		    "The socket is there but its braidd has ended; look at "
		    "its log, start it again.\n");
	return CLIENT_UNAVAILABLE;
}

static int connect_to(const char *path, int *ret_fd)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(at.sun_path)) {
		fprintf(stderr,
		    "braidctl: %s: the path of a socket has at "
		    "most %zu bytes\n",
		    path, sizeof(at.sun_path) - 1);
		return CLIENT_USAGE;
	}
	memcpy(at.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		fprintf(stderr, "braidctl: socket: %s\n", strerror(errno));
		return CLIENT_FAILED;
	}
	if (connect(fd, (struct sockaddr *)&at, sizeof(at))) {
		int code = explain_connect(path, errno);

		close(fd);
		return code;
	}
	*ret_fd = fd;
	return CLIENT_OK;
}

static char *compose(
    const char *command, int n_arguments, char *const *arguments)
{
	json_t *list = json_array();
	json_t *request;
	char *text;

	for (int i = 0; i < n_arguments; i++) {
		json_t *argument = json_string(arguments[i]);

		/* NULL: not UTF-8. */
		if (!argument || json_array_append_new(list, argument)) {
			json_decref(list);
			return NULL;
		}
	}
	request =
	    json_pack("{s:s, s:o}", "command", command, "arguments", list);
	text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	json_decref(request);
	return text;
}

/* A daemon that refuses may answer before it has read everything, so a failed
 * send is no reason not to look for its answer. */
static void send_line(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t n = send(fd, text, left, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		left -= (size_t)n;
	}
	(void)send(fd, "\n", 1, MSG_NOSIGNAL);
}

static int receive_all(int fd, struct strbuf *ret)
{
	static char part[65536];

	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		int count = poll(&ready, 1, CLIENT_SILENCE_MS);
		ssize_t n;

		if (count < 0 && errno == EINTR)
			return CLIENT_FAILED;
		if (count <= 0) {
			fprintf(stderr,
			    "braidctl: braidd accepted the connection but "
			    "does not answer\n");
			return CLIENT_TEMPORARY;
		}
		n = recv(fd, part, sizeof(part), 0);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return CLIENT_OK;
		if (ret->length + (size_t)n > CLIENT_ANSWER_MAX) {
			fprintf(stderr, "braidctl: the answer is too long\n");
			return CLIENT_FAILED;
		}
		strbuf_add(ret, part, (size_t)n);
	}
}

static int decode(const struct strbuf *text, json_t **ret)
{
	json_error_t error;
	json_t *answer = json_loadb(strbuf_text(text), text->length, 0, &error);

	if (answer && json_is_integer(json_object_get(answer, "exit")) &&
	    json_is_object(json_object_get(answer, "data"))) {
		*ret = answer;
		return CLIENT_OK;
	}
	json_decref(answer);
	if (text->length == 0)
		fprintf(stderr, "braidctl: braidd closed the connection "
				"without an answer\n");
	else
		fprintf(stderr, "braidctl: this is not an answer of braidd\n");
	return CLIENT_FAILED;
}

int client_ask(const char *path, const char *command, int n_arguments,
    char *const *arguments, json_t **ret)
{
	char *request = compose(command, n_arguments, arguments);
	struct strbuf text;
	int fd, code;

	if (!request) {
		fprintf(stderr, "braidctl: arguments must be UTF-8 text\n");
		return CLIENT_USAGE;
	}
	code = connect_to(path, &fd);
	if (code) {
		free(request);
		return code;
	}
	strbuf_init(&text);
	send_line(fd, request);
	code = receive_all(fd, &text);
	if (!code)
		code = decode(&text, ret);
	strbuf_fini(&text);
	close(fd);
	free(request);
	return code;
}

int client_exit_of(const json_t *answer)
{
	return (int)json_integer_value(json_object_get(answer, "exit"));
}

const char *client_error_of(const json_t *answer)
{
	return json_string_value(json_object_get(answer, "error"));
}

const json_t *client_data_of(const json_t *answer)
{
	return json_object_get(answer, "data");
}

uint64_t client_uint(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

double client_number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

const char *client_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

bool client_bool(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}
