/* SPDX-License-Identifier: Apache-2.0 */
/* The peers: they send a pattern, check the other's, and judge its end. */
#include "tests/sim/sim.h"

#include "base/assert.h"
#include "tests/sim/sim_tls_end.h"

#define STEP_BYTES 65536

/* Any byte that is lost, doubled, moved or from elsewhere shows. */
static uint8_t pattern(uint32_t id, bool from_client, uint64_t offset)
{
	uint64_t word = (offset / 8 + 1) * UINT64_C(0x9e3779b97f4a7c15);

	word ^= (uint64_t)id * UINT64_C(0xd6e8feb86659fd93);
	word ^= from_client ? UINT64_C(0xa5a5a5a5a5a5a5a5) : 0;
	word ^= word >> 32;
	return (uint8_t)(word >> (8 * (offset % 8)));
}

static uint8_t stream(const struct sim_prefix *prefix, uint32_t id,
    bool from_client, uint64_t offset)
{
	if (offset < prefix->length)
		return ((const uint8_t *)prefix->at)[offset];
	return pattern(id, from_client, offset - prefix->length);
}

struct sim_peer *sim_client(struct sim *sim, uint64_t to_send)
{
	struct sim_peer *peer = &sim->peers[sim->n_peers++];

	br_assert(sim->n_peers <= SIM_PEERS_MAX);
	*peer = (struct sim_peer){.conn = fake_client(sim->listen_fd),
	    .client = true,
	    .id = ++sim->next_id,
	    .to_send = to_send,
	    .reset_at = UINT64_MAX,
	    .write_max = UINT32_MAX,
	    .read_max = UINT32_MAX};
	if (sim->peer_client)
		peer->tls = sim_tls_end_client(sim->peer_client);
	return peer;
}

static uint32_t write_some(struct sim_peer *peer, uint32_t n)
{
	static uint8_t bytes[STEP_BYTES];
	const struct fake_queue *queue = &peer->conn->to_proxy;
	uint32_t room = queue->room - queue->length;
	uint32_t done;

	/* Making bytes is what simulations spend most on: none in vain. What
	 * TLS writes is not what it takes, so there the end decides. */
	if (!peer->tls && n > room)
		n = room;
	if (n > STEP_BYTES)
		n = STEP_BYTES;
	for (uint32_t i = 0; i < n; i++)
		bytes[i] =
		    stream(&peer->says, peer->id, peer->client, peer->sent + i);
	done = peer->tls ? sim_tls_end_write(peer->tls, peer->conn, bytes, n)
			 : fake_peer_write(peer->conn, bytes, n);
	peer->sent += done;
	return done;
}

static void read_some(struct sim_peer *peer, uint32_t most)
{
	static uint8_t bytes[STEP_BYTES];
	uint32_t n;

	if (most > STEP_BYTES)
		most = STEP_BYTES;
	n = peer->tls ? sim_tls_end_read(peer->tls, peer->conn, bytes, most)
		      : fake_peer_read(peer->conn, bytes, most);
	if (peer->deaf)
		return;
	for (uint32_t i = 0; i < n; i++)
		br_assert(bytes[i] == stream(&peer->hears, peer->id,
					  !peer->client, peer->received + i));
	peer->received += n;
	/* Bytes do not come from nowhere. */
	br_assert(
	    !n || (peer->other && peer->received + peer->other->says.length <=
				      peer->other->sent + peer->hears.length));
}

static void note_end(struct sim_peer *peer)
{
	/* An end without close_notify is one that must not look complete. */
	if (fake_peer_sees_reset(peer->conn))
		peer->got_reset = true;
	else if (peer->tls && sim_tls_end_closed(peer->tls))
		peer->got_fin = true;
	else if (peer->tls && sim_tls_end_holds(peer->tls))
		return;
	else if (peer->tls && fake_peer_sees_fin(peer->conn))
		peer->got_reset = true;
	else if (fake_peer_sees_fin(peer->conn))
		peer->got_fin = true;
}

void sim_write(struct sim_peer *peer, uint32_t n)
{
	while (n) {
		uint32_t done = write_some(peer, n);

		br_assert(done);
		n -= done;
	}
}

void sim_read(struct sim_peer *peer)
{
	if (peer->reset_sent)
		return;
	while (peer->conn->to_peer.length ||
	       (peer->tls && sim_tls_end_holds(peer->tls)))
		read_some(peer, STEP_BYTES);
	note_end(peer);
}

void sim_fin(struct sim_peer *peer)
{
	peer->fin_sent = true;
	if (peer->tls)
		sim_tls_end_fin(peer->tls, peer->conn, !peer->cuts);
	else
		fake_peer_fin(peer->conn);
}

void sim_reset(struct sim_peer *peer)
{
	peer->reset_sent = true;
	fake_peer_reset(peer->conn);
}

static bool wants_end(const struct sim_peer *peer)
{
	if (peer->fin_sent || peer->keeps_open || peer->sent < peer->to_send)
		return false;
	if (peer->tls && !peer->tls->established)
		return false;
	return !peer->waits_for_end || peer->got_fin;
}

void sim_step(struct sim_peer *peer)
{
	uint64_t left = peer->to_send - peer->sent;

	if (peer->reset_sent || peer->got_reset)
		return;
	if (!peer->client && peer->conn->fd < 0 && !peer->conn->proxy_fin)
		return; /* its connect never succeeded */
	read_some(peer, peer->read_max);
	note_end(peer);
	if (peer->got_reset)
		return;
	if (!peer->fin_sent && left) {
		uint32_t n =
		    left < peer->write_max ? (uint32_t)left : peer->write_max;

		if (n)
			write_some(peer, n);
	}
	if (peer->sent >= peer->reset_at)
		sim_reset(peer);
	else if (wants_end(peer))
		sim_fin(peer);
}

void sim_steps(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->n_peers; i++)
		sim_step(&sim->peers[i]);
}

void sim_check_peer(const struct sim_peer *peer)
{
	const struct sim_peer *other = peer->other;

	if (peer->reset_sent || peer->got_reset || !peer->got_fin || peer->deaf)
		return;
	br_assert(other && other->fin_sent && !other->reset_sent);
	br_assert(!other->tls || !other->cuts);
	br_assert(peer->received + other->says.length ==
		  other->sent + peer->hears.length);
	br_assert(other->sent >= other->to_send);
}
