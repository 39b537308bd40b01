/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/sim_tls_end.h"

#include "base/assert.h"
#include "io/tls_memory.h"

#include <stdlib.h>
#include <string.h>

static struct sim_tls_end *end_new(void)
{
	struct sim_tls_end *end = calloc(1, sizeof *end);

	br_assert(end);
	return end;
}

struct sim_tls_end *sim_tls_end_client(struct tls_context *context)
{
	struct sim_tls_end *end = end_new();
	struct tls_peer peer = {
	    .sni = "braid.test", .verify_name = "braid.test"};

	br_assert(!tls_session_init_client(&end->session, context, &peer));
	return end;
}

struct sim_tls_end *sim_tls_end_server(struct tls_context *context)
{
	struct sim_tls_end *end = end_new();

	/* Memory is to fail in the proxy, not here. */
	tls_memory_fail_nth(0, false);
	br_assert(!tls_session_init_server(&end->session, context));
	return end;
}

void sim_tls_end_free(struct sim_tls_end *end)
{
	if (!end)
		return;
	tls_session_fini(&end->session);
	free(end);
}

static uint32_t bounded(const struct sim_tls_end *end, uint32_t n)
{
	return end->step_max && n > end->step_max ? end->step_max : n;
}

static void end_receive(
    struct sim_tls_end *end, struct fake_conn *conn, uint32_t most)
{
	uint32_t n;

	memmove(end->in, end->in + end->in_start, end->in_end - end->in_start);
	end->in_end -= end->in_start;
	end->in_start = 0;
	n = SIM_TLS_WIRE_BYTES - end->in_end;
	if (most < n)
		n = most;
	end->in_end +=
	    fake_peer_read(conn, end->in + end->in_end, bounded(end, n));
}

static void end_send(struct sim_tls_end *end, struct fake_conn *conn)
{
	uint32_t n = end->out_end - end->out_start;

	if (n && !conn->peer_fin && !conn->peer_reset)
		end->out_start += fake_peer_write(
		    conn, end->out + end->out_start, bounded(end, n));
	if (end->out_start == end->out_end) {
		end->out_start = end->out_end = 0;
		if (end->fin_waits && !end->no_fin && !conn->peer_fin)
			fake_peer_fin(conn);
	}
}

static struct tls_out end_room(struct sim_tls_end *end)
{
	return (struct tls_out){
	    end->out + end->out_end, end->out + SIM_TLS_WIRE_BYTES};
}

static struct tls_in end_input(struct sim_tls_end *end)
{
	return (struct tls_in){end->in + end->in_start, end->in + end->in_end};
}

static void end_took(struct sim_tls_end *end, const struct tls_in *in,
    const struct tls_out *out, enum tls_status status)
{
	end->in_start = (uint32_t)(in->at - end->in);
	if (end->in_start == end->in_end)
		end->in_start = end->in_end = 0;
	end->out_end = (uint32_t)(out->at - end->out);
	end->failed |= status == TLS_FAILED;
	end->closed |= status == TLS_CLOSED;
	end->more = status == TLS_MORE;
}

static bool end_ready(struct sim_tls_end *end, struct fake_conn *conn)
{
	struct tls_in in = end_input(end);
	struct tls_out out = end_room(end);
	enum tls_status status;

	if (end->established || end->failed)
		return end->established && !end->failed;
	status = tls_session_handshake(&end->session, &in, &out);
	end_took(end, &in, &out, status);
	end->established = status == TLS_DONE;
	end_send(end, conn);
	return end->established;
}

uint32_t sim_tls_end_write(struct sim_tls_end *end, struct fake_conn *conn,
    const uint8_t *bytes, uint32_t n)
{
	struct tls_in none = end_input(end);
	struct tls_out out;
	enum tls_status status;
	size_t taken;

	end_send(end, conn);
	if (!end_ready(end, conn) || end->out_end)
		return 0;
	out = end_room(end);
	status = tls_session_write(&end->session, &out, bytes, n, &taken);
	end_took(end, &none, &out, status);
	end_send(end, conn);
	return (uint32_t)taken;
}

uint32_t sim_tls_end_read(
    struct sim_tls_end *end, struct fake_conn *conn, uint8_t *ret, uint32_t n)
{
	struct tls_in in;
	struct tls_out out;
	enum tls_status status;
	size_t got = 0;

	if (n)
		end_receive(end, conn, n);
	if (end_ready(end, conn) && n && !end->closed) {
		in = end_input(end);
		out = end_room(end);
		status =
		    tls_session_read(&end->session, &in, &out, ret, n, &got);
		end_took(end, &in, &out, status);
	}
	end_send(end, conn);
	return (uint32_t)got;
}

void sim_tls_end_fin(
    struct sim_tls_end *end, struct fake_conn *conn, bool notify)
{
	struct tls_in none = end_input(end);
	struct tls_out out = end_room(end);

	if (notify)
		end_took(
		    end, &none, &out, tls_session_close(&end->session, &out));
	end->fin_waits = true;
	end_send(end, conn);
}

bool sim_tls_end_closed(const struct sim_tls_end *end)
{
	return end->closed;
}

bool sim_tls_end_holds(const struct sim_tls_end *end)
{
	return end->established && !end->failed && !end->closed &&
	       (end->more || end->in_start < end->in_end);
}
