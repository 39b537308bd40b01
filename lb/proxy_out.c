/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/proxy_out.h"

#include "base/assert.h"
#include "io/sock.h"
#include "lb/flow_steps.h"
#include "lb/listener.h"
#include "lb/path.h"
#include "lb/side.h"
#include "lb/upstream.h"

#include <string.h>

static struct proxy_slice slice_of(const void *at, size_t length)
{
	return (struct proxy_slice){at, (uint32_t)length};
}

static struct proxy_slice slice_of_text(const char *text)
{
	return slice_of(text, text ? strlen(text) : 0);
}

static void proxy_out_addresses(struct flow *flow, struct proxy_out *out)
{
	const struct side *side = flow->side;

	/* The listener did not need it, so it was not asked for. */
	if (!flow->client.family)
		flow_note_client(flow);
	flow_client_addr(&flow->client, &out->source);
	if (side && side->destination.family)
		flow_client_addr(&side->destination, &out->destination);
	else if (flow->listener->address.length)
		out->destination = flow->listener->address;
	else if (sock_local(flow->client_fd, &out->destination))
		out->destination.length = 0;
}

/* `cn` is room for the common name of the client's certificate. */
static void proxy_out_tls(
    const struct side *side, struct proxy_out *out, char *cn, size_t room)
{
	struct tls_facts facts;

	if (!side->client_tls)
		return;
	tls_session_facts(&side->client, &facts);
	out->ssl.present = true;
	out->ssl.client = PROXY_SSL_USED;
	out->ssl.version = slice_of_text(facts.version);
	out->ssl.cipher = slice_of_text(facts.cipher);
	/* 0 says that a certificate was presented and verified. */
	out->ssl.verify = !facts.peer_verified;
	if (!facts.peer_verified)
		return;
	out->ssl.client |= PROXY_SSL_CERT_SESS;
	if (!facts.resumed)
		out->ssl.client |= PROXY_SSL_CERT_CONN;
	out->ssl.cn =
	    slice_of(cn, tls_session_peer_cn(&side->client, cn, room));
}

/* Before the client's bytes where they lie, so that both go out as one. Ahead
 * of a TLS handshake it has to go alone. */
static bool proxy_out_join(
    const struct flow *flow, const uint8_t *header, uint32_t n)
{
	struct first *first = flow->side ? flow->side->first : NULL;

	if (!first || first->start < n || flow->upstream->tls)
		return false;
	first->start -= n;
	first->header = n;
	memcpy(first->bytes + first->start, header, n);
	return true;
}

uint32_t proxy_out_build(struct flow *flow, uint8_t ret[PROXY_V2_BYTES_MAX])
{
	const struct side *side = flow->side;
	struct proxy_out out = {.crc32c = true};
	char cn[256];
	int n;

	proxy_out_addresses(flow, &out);
	if (flow->upstream->pool->proxy_out == CONF_PROXY_V1) {
		n = proxy_build_v1(ret, PROXY_V2_BYTES_MAX, &out);
	} else {
		if (side) {
			out.authority = slice_of(side->name, side->name_length);
			out.alpn = slice_of(side->alpn, side->alpn_length);
			out.unique_id =
			    slice_of(side->unique_id, side->unique_id_length);
			proxy_out_tls(side, &out, cn, sizeof cn);
		}
		n = proxy_build_v2(ret, PROXY_V2_BYTES_MAX, &out);
	}
	br_assert(n > 0);
	return (uint32_t)n;
}

bool proxy_out_say(struct flow *flow)
{
	uint8_t header[PROXY_V2_BYTES_MAX];
	uint32_t n = proxy_out_build(flow, header);

	return proxy_out_join(flow, header, n) ||
	       relay_park(flow, &flow->up, header, n);
}
