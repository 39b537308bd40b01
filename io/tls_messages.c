/* SPDX-License-Identifier: Apache-2.0 */
/* What an established session says and hears beside its data: how often the
 * peer makes us work for none. */
#include "io/tls_internal.h"

#include "base/clock.h"

/* RFC 8446 4.6.3 bounds neither how often a peer takes new keys nor how often
 * it asks for ours, and OpenSSL 3.0 follows. 27 bytes cost us two derivations
 * of keys and an answer, which waits in memory if nobody reads it. Keys
 * last for 2^24.5 records (RFC 8446 5.5): nobody needs ten a second. */
#define MESSAGE_INTERVAL_NS (100 * NS_PER_MS)

/* The generic cell rate algorithm: `messages_until_ns` is when the peer would
 * have used up what it has sent, at the rate that is allowed. */
static void messages_count(struct tls_session *s)
{
	int64_t now_ns = mono_now().ns;

	if (s->messages_until_ns < now_ns)
		s->messages_until_ns = now_ns;
	s->messages_until_ns += MESSAGE_INTERVAL_NS;
	if (s->messages_until_ns - now_ns >
	    TLS_MESSAGES_BURST * MESSAGE_INTERVAL_NS)
		s->flooded = true;
}

static void messages_on_message(int sent, int version, int type,
    const void *bytes, size_t length, SSL *ssl, void *context)
{
	struct tls_session *s = tls_session_of(ssl);

	(void)version;
	(void)context;
	if (sent && s->keys)
		tls_session_on_sent(s, type, bytes, length);
	else if (!sent && type == SSL3_RT_HANDSHAKE && s->established)
		messages_count(s);
}

void tls_session_watch(struct tls_session *s)
{
	SSL_set_msg_callback(s->ssl, messages_on_message);
}
