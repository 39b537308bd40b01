/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/api.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/log.h"
#include "daemon/generations.h"
#include "daemon/metrics_text.h"

#define TYPE_OPENMETRICS                                                       \
	"application/openmetrics-text; version=1.0.0; charset=utf-8"
#define TYPE_PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"
#define TYPE_TEXT "text/plain; charset=utf-8"

#define API_PAUSE_STEPS 20

struct api {
	struct daemon *daemon;
	struct MHD_Daemon *http; /* NULL while paused */
	int fd; /* while paused; else it is libmicrohttpd's */
	struct snapshot_reader *reader;
	struct log_limit limit;
};

/* One path. The body goes to *body; returns the status. */
struct route {
	const char *path;
	unsigned (*answer)(struct api *api, struct MHD_Connection *connection,
	    struct strbuf *body, const char **ret_type);
};

/* A client that names neither type (curl, scripts) gets OpenMetrics; one that
 * asks for something else, such as a browser or an old scraper, the older text.
 * RFC 9110 section 12.5.1; weights only order what a client reads anyway. */
static enum metrics_format accepted_format(struct MHD_Connection *connection)
{
	const char *accept = MHD_lookup_connection_value(
	    connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);

	if (!accept || strstr(accept, "application/openmetrics-text") ||
	    !strcmp(accept, "*/*"))
		return METRICS_OPENMETRICS;
	return METRICS_PROMETHEUS;
}

static unsigned answer_metrics(struct api *api,
    struct MHD_Connection *connection, struct strbuf *body,
    const char **ret_type)
{
	enum metrics_format format = accepted_format(connection);
	struct tally *more = generations_tally(api->daemon->generations, true);
	struct metrics_view view;

	metrics_view_init(&view, api->daemon, api->reader);
	metrics_text_print(&view, format, more, body);
	metrics_view_fini(&view);
	tally_free(more);
	*ret_type =
	    format == METRICS_OPENMETRICS ? TYPE_OPENMETRICS : TYPE_PROMETHEUS;
	return MHD_HTTP_OK;
}

static unsigned answer_health(struct api *api,
    struct MHD_Connection *connection, struct strbuf *body,
    const char **ret_type)
{
	int state = atomic_load(&api->daemon->state);

	(void)connection;
	(void)ret_type;
	strbuf_adds(body, state == DAEMON_SERVING    ? "serving\n"
			  : state == DAEMON_DRAINING ? "draining\n"
						     : "starting\n");
	return state == DAEMON_SERVING ? MHD_HTTP_OK
				       : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static unsigned answer_index(struct api *api, struct MHD_Connection *connection,
    struct strbuf *body, const char **ret_type)
{
	(void)api;
	(void)connection;
	(void)ret_type;
	strbuf_adds(body, "Braid " BRAID_VERSION "\n\n"
			  "/metrics   counters and gauges, OpenMetrics\n"
			  "/healthz   200 while serving, else 503\n");
	return MHD_HTTP_OK;
}

static const struct route routes[] = {
    {"/metrics", answer_metrics},
    {"/healthz", answer_health},
    {"/", answer_index},
};

static unsigned answer(struct api *api, struct MHD_Connection *connection,
    const char *path, const char *method, struct strbuf *body,
    const char **ret_type)
{
	for (size_t i = 0; i < BR_COUNT(routes); i++) {
		if (strcmp(routes[i].path, path) != 0)
			continue;
		if (!strcmp(method, MHD_HTTP_METHOD_GET) ||
		    !strcmp(method, MHD_HTTP_METHOD_HEAD))
			return routes[i].answer(
			    api, connection, body, ret_type);
		strbuf_adds(body, "only GET and HEAD are answered here\n");
		return MHD_HTTP_METHOD_NOT_ALLOWED;
	}
	strbuf_adds(body, "there is nothing here; see /\n");
	return MHD_HTTP_NOT_FOUND;
}

static enum MHD_Result respond(struct MHD_Connection *connection,
    unsigned status, struct strbuf *body, const char *type)
{
	size_t length = body->length;
	char *text = strbuf_take(body);
	struct MHD_Response *response = MHD_create_response_from_buffer(
	    length, text, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result;

	if (!response) {
		free(text);
		return MHD_NO;
	}
	(void)MHD_add_response_header(
	    response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	(void)MHD_add_response_header(
	    response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void)MHD_add_response_header(
		    response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

/* Called once for the head and once for each part of a body; bodies are
 * thrown away and answered at their end, so that the connection can go on. */
static enum MHD_Result on_request(void *context,
    struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *upload, size_t *upload_length,
    void **request)
{
	static int seen;
	struct api *api = context;
	const char *type = TYPE_TEXT;
	struct strbuf body;
	unsigned status;

	(void)version;
	(void)upload;
	if (*request == NULL) {
		*request = &seen;
		return MHD_YES;
	}
	if (*upload_length) {
		*upload_length = 0;
		return MHD_YES;
	}
	strbuf_init(&body);
	status = answer(api, connection, url, method, &body, &type);
	return respond(connection, status, &body, type);
}

/* What clients do wrong is theirs; out of descriptors is ours to know. */
static void __attribute__((format(printf, 2, 0)))
on_log(void *context, const char *format, va_list args)
{
	struct api *api = context;
	char text[256];

	(void)vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	for (char *quote = text; (quote = strchr(quote, '"'));)
		*quote = '\'';
	log_event_limited(&api->limit, LOG_DEBUG, "api", "said=\"%s\"", text);
}

static void api_free(struct api *api)
{
	snapshot_reader_free(api->reader);
	free(api);
}

static int start_http(struct api *api, int fd)
{
	api->http = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD |
					 MHD_USE_POLL | MHD_USE_ITC |
					 MHD_USE_ERROR_LOG,
	    0, NULL, NULL, on_request, api, MHD_OPTION_EXTERNAL_LOGGER, on_log,
	    api, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)API_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned)API_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)API_REQUEST_MAX, MHD_OPTION_END);
	return api->http ? 0 : -EIO;
}

int api_start(struct daemon *daemon, int fd, struct api **ret)
{
	struct api *api = calloc(1, sizeof(*api));
	int err;

	if (!api)
		return -ENOMEM;
	api->daemon = daemon;
	api->fd = -1;
	api->reader = snapshot_reader_new(daemon->plan);
	if (!api->reader) {
		free(api);
		return -ENOMEM;
	}
	err = start_http(api, fd);
	if (err) {
		api_free(api);
		return err;
	}
	*ret = api;
	return 0;
}

/* Requests that have begun get some time to end; idle connections none, so
 * that a scraper does not stay with an old generation. */
static void let_end(struct api *api)
{
	struct timespec step = {.tv_nsec = 5 * NS_PER_MS};

	for (int i = 0; i < API_PAUSE_STEPS; i++) {
		const union MHD_DaemonInfo *info = MHD_get_daemon_info(
		    api->http, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

		if (!info || info->num_connections == 0)
			return;
		(void)nanosleep(&step, NULL);
	}
}

void api_pause(struct api *api)
{
	api->fd = MHD_quiesce_daemon(api->http);
	let_end(api);
	MHD_stop_daemon(api->http);
	api->http = NULL;
}

int api_resume(struct api *api)
{
	int err = start_http(api, api->fd);

	if (!err)
		api->fd = -1;
	return err;
}

void api_stop(struct api *api)
{
	if (!api)
		return;
	if (api->http)
		MHD_stop_daemon(api->http);
	if (api->fd >= 0)
		close(api->fd);
	api_free(api);
}
