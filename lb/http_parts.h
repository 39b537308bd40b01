/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the files of http mode (http_flow.h) call of each other.
 *
 * Thread:  the flow's worker.
 */
#include "lb/http_flow.h"
#include "lb/worker.h"

/* Looks at [0, length) of what came; *ret_used is what was taken note of. The
 * rest is behind the request, and to be held. */
bool http_request_see(struct flow *flow, const uint8_t *bytes, uint32_t length,
    struct http_pass *ret, uint32_t *ret_used);
bool http_answer_see(struct flow *flow, const uint8_t *bytes, uint32_t length,
    struct http_pass *ret);
/* The next request may come. */
void http_request_reset(struct http_flow *http);
void http_answer_reset(struct flow *flow);
/* The head to a server that is there, and on with what follows it. */
bool http_request_send(struct flow *flow);
/* Room of its own; NULL: none, and the flow has not ended. */
struct chunk *http_chunk_new(struct flow *flow);
void http_chunk_free(struct flow *flow, struct chunk **chunk);
/* Copies behind what is held. */
bool http_hold(struct flow *flow, const uint8_t *bytes, uint32_t length);
void http_drop_held(struct flow *flow);
/* What is held is seen, as far as the next request's turn goes. */
bool http_feed(struct flow *flow);
/* From here on all bytes pass; those that were kept go first. */
bool http_make_opaque(struct flow *flow);
/* Request and answer are whole. */
void http_answered(struct flow *flow);

/* The request or answer in force is whole. */
void http_request_whole(struct flow *flow);
void http_answer_whole(struct flow *flow);
bool http_let_go(struct flow *flow);

/* -- http_home.c -- */

/* There is a connection to a server that can be used. */
bool http_has_home(const struct flow *flow);
bool http_server_ended(struct flow *flow);
/* One is to be found, in place of what is there. */
void http_seek_home(struct flow *flow);
/* Steps of http_turn(); false: not yet. */
bool http_drop_home(struct flow *flow);
bool http_open_home(struct flow *flow);
bool http_begin_shards(struct flow *flow);
/* Another server is there. */
bool http_reopened(struct flow *flow);
