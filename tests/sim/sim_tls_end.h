/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The TLS of a peer: a session of io/ between the test's plaintext and the
 * connection of the fake kernel.
 *
 * Thread:  the test's only one.
 * Memory:  made by the functions below, until sim_tls_end_free().
 */
#include "io/tls_context.h"
#include "io/tls_session.h"
#include "tests/sim/fake_io.h"

#define SIM_TLS_WIRE_BYTES (64u << 10)

struct sim_tls_end {
	struct tls_session session;
	bool established, closed, failed;
	bool more; /* plaintext that a read has left */
	bool fin_waits; /* behind what is still to be sent */
	bool no_fin; /* close_notify is not followed by a FIN */
	uint32_t step_max; /* ciphertext read or written at once; 0: no bound */
	uint32_t in_start, in_end, out_start, out_end;
	uint8_t in[SIM_TLS_WIRE_BYTES], out[SIM_TLS_WIRE_BYTES];
};

struct sim_tls_end *sim_tls_end_client(struct tls_context *context);
struct sim_tls_end *sim_tls_end_server(struct tls_context *context);
void sim_tls_end_free(struct sim_tls_end *end); /* NULL: nothing */
/* Plaintext taken or given; the handshake goes on in either. */
uint32_t sim_tls_end_write(struct sim_tls_end *end, struct fake_conn *conn,
    const uint8_t *bytes, uint32_t n);
uint32_t sim_tls_end_read(
    struct sim_tls_end *end, struct fake_conn *conn, uint8_t *ret, uint32_t n);
/* The end, with close_notify or without, behind what is still to be sent. */
void sim_tls_end_fin(
    struct sim_tls_end *end, struct fake_conn *conn, bool notify);
/* All was read, and the other has said close_notify. */
bool sim_tls_end_closed(const struct sim_tls_end *end);
/* There is input that a read would take. */
bool sim_tls_end_holds(const struct sim_tls_end *end);
