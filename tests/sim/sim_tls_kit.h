/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One simulation whose ends speak TLS with certificates made for it, for the
 * programs that test that: options, set-up, common runs.
 *
 *      main: kit_begin() ─> test: start(), clients, runs, stop() ─> kit_end()
 *
 * Thread:  the test's only one.
 */
#include "base/assert.h"
#include "io/tls_memory.h"
#include "io/tls_ticket.h"
#include "lb/flow_state.h"
#include "tests/sim/sim.h"
#include "tests/sim/sim_check.h"
#include "tests/unit/io/tls_made.h"

enum ends { CLIENT_END = 1, SERVER_END = 2, BOTH_ENDS = 3 };

static struct sim sim;
static struct sim_tls loaded;
static struct tls_ticket_keys keys;
static uint64_t answer_bytes;
static bool server_keeps_open;
static void (*set_up)(struct sim_peer *server);

static inline void on_server(struct sim *s, struct sim_peer *server)
{
	(void)s;
	server->to_send = answer_bytes;
	server->keeps_open = server_keeps_open;
	if (set_up)
		set_up(server);
}

static inline struct sim_options with(enum ends ends)
{
	struct sim_options options = sim_defaults();

	if (ends & CLIENT_END) {
		options.tls.client = loaded.client;
		options.tls.accept = loaded.accept;
	}
	if (ends & SERVER_END) {
		options.tls.connect = loaded.connect;
		options.tls.server = loaded.server;
	}
	return options;
}

static inline void start(uint64_t seed, const struct sim_options *options)
{
	fake_init(seed);
	sim_start(&sim, options);
	sim.on_server = on_server;
	answer_bytes = 0;
	set_up = NULL;
	server_keeps_open = false;
}

static inline void stop(void)
{
	sim_stop(&sim);
	fake_fini();
}

static inline uint64_t count(const struct counter *c)
{
	return counter_read(c);
}

static inline void run_to_clean_end(struct sim_peer *client)
{
	ck_assert(sim_run_to_end(&sim, 200000));
	ck_assert_str_eq(sim_end_of(&sim, 0), "--");
	sim_read(client);
	sim_read(client->other);
	ck_assert_uint_eq(client->other->received, client->to_send);
	ck_assert_uint_eq(client->received, client->other->to_send);
	ck_assert(client->got_fin && client->other->got_fin);
}

static inline void rounds(int n)
{
	for (int i = 0; i < n; i++) {
		sim_turn(&sim, 1);
		sim_steps(&sim);
	}
}

/* Both are connected and their handshakes done. */
static inline struct sim_peer *both_ready(struct sim_peer *client)
{
	client->keeps_open = server_keeps_open = true;
	for (int i = 0; i < 200; i++) {
		sim_turn(&sim, 1);
		sim_steps(&sim);
		if (client->other && sim_flow(&sim)->state == FLOW_ESTABLISHED)
			break;
	}
	ck_assert_ptr_nonnull(client->other);
	rounds(5);
	return client->other;
}

/* -- the files --------------------------------------------------------- */

static inline void load(void)
{
	static struct tls_certificate_files files;
	struct tls_server_options server = {
	    .certificates = &files, .n_certificates = 1};
	struct tls_client_options client = {.verify = TLS_VERIFY_FULL};
	struct made made =
	    made_certificate(&(struct made_options){.cn = "braid.test",
		.san = "DNS:braid.test,DNS:origin.test",
		.authority = true,
		.serial = 1});

	made_write(&made, "cert.pem", "key.pem", NULL);
	made_free(&made);
	files.cert = made_path("cert.pem");
	files.key = made_path("key.pem");
	client.ca = files.cert;
	br_assert(!tls_ticket_keys_make(&keys, 0));
	br_assert(!tls_server_load(
	    &server, NULL, NULL, (struct tls_server **)&loaded.accept));
	br_assert(!tls_server_load(
	    &server, NULL, NULL, (struct tls_server **)&loaded.server));
	br_assert(!tls_client_load(
	    &client, NULL, NULL, (struct tls_client **)&loaded.client));
	br_assert(!tls_client_load(
	    &client, NULL, NULL, (struct tls_client **)&loaded.connect));
}

static inline void kit_begin(void)
{
	br_assert(!tls_memory_install(512u << 20));
	br_assert(!tls_start());
	br_assert(!tls_memory_attach(0));
	made_begin();
	load();
	made_end();
}

static inline void kit_end(void)
{
	tls_server_free((struct tls_server *)loaded.accept);
	tls_server_free((struct tls_server *)loaded.server);
	tls_client_free((struct tls_client *)loaded.client);
	tls_client_free((struct tls_client *)loaded.connect);
}
