/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The HTTP side at api.listen, by libmicrohttpd on a thread of its own:
 *
 *      GET /metrics   OpenMetrics, or Prometheus text by Accept
 *      GET /healthz   200 while serving, 503 while starting or draining
 *      GET /          what there is
 *
 * It reads counters, the board and the published plan, and asks no other
 * thread anything, so that a scrape cannot hold up traffic or health checks,
 * nor a stuck thread the scrape.
 *
 * Thread:  api_start and api_stop: main or control; the rest on its own.
 * Memory:  an answer is built in memory: about 0.8 KiB a server.
 * Errors:  -ENOMEM; -EIO when libmicrohttpd refuses.
 * Limits:  API_CONNECTIONS_MAX connections, API_IDLE_S seconds of silence,
 *          API_REQUEST_MAX bytes of memory for a request.
 */
#include "base/error.h"
#include "daemon/daemon.h"

struct api;

#define API_CONNECTIONS_MAX 32
#define API_IDLE_S 10
#define API_REQUEST_MAX 16384

/* Takes over fd, a listening socket opened by sock_listen() at boot, before
 * privileges are dropped; daemon->plan must exist. On failure the caller
 * keeps fd. */
int api_start(struct daemon *daemon, int fd, struct api **ret) BR_MUST_CHECK;
/* Ends the thread, closes the socket and all connections. NULL is fine. */
/* Stops answering and closes all connections; the socket stays open, so that
 * clients wait in its queue for who answers next: the generation that has it
 * too, or api_resume(). May take a tenth of a second. */
void api_pause(struct api *api);
int api_resume(struct api *api) BR_MUST_CHECK;
void api_stop(struct api *api);
