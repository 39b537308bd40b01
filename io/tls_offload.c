/* SPDX-License-Identifier: Apache-2.0 */
/* What a session does beside its chunks so that the kernel can make its
 * records: keeps the keys, counts what was made with them, and catches what
 * OpenSSL still says. */
#include "base/assert.h"
#include "io/ktls.h"
#include "io/tls_internal.h"

#include <errno.h>
#include <string.h>

#define ALERT_BYTES 2u
/* RFC 8446 6. */
#define ALERT_FATAL 2u
#define ALERT_INTERNAL_ERROR 80u

/* Beside the data: counts records, and sees what the kernel has to send or
 * cannot. */
void tls_session_on_sent(
    struct tls_session *s, int type, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	if (type == SSL3_RT_HEADER) {
		s->keys->records++;
	} else if (type == SSL3_RT_HANDSHAKE && length &&
		   (s->offloaded || at[0] == SSL3_MT_KEY_UPDATE)) {
		s->keys->replaced = true;
	} else if (type == SSL3_RT_ALERT && length == ALERT_BYTES &&
		   s->offloaded) {
		memcpy(s->keys->alert, at, ALERT_BYTES);
		s->keys->has_alert = true;
	}
}

/* Without memory the session does without the kernel. */
void tls_session_keep_keys(struct tls_session *s)
{
	if (s->context->ktls)
		s->keys = OPENSSL_zalloc(sizeof *s->keys);
}

void tls_session_drop_keys(struct tls_session *s)
{
	OPENSSL_clear_free(s->keys, sizeof *s->keys);
	s->keys = NULL;
}

/* OpenSSL answers with the next write, of which there is none. */
bool tls_session_must_rekey(const struct tls_session *s)
{
	return s->keys->replaced ||
	       SSL_get_key_update_type(s->ssl) != SSL_KEY_UPDATE_NONE;
}

void tls_session_alert_internal(struct tls_session *s)
{
	s->keys->alert[0] = ALERT_FATAL;
	s->keys->alert[1] = ALERT_INTERNAL_ERROR;
	s->keys->has_alert = true;
}

int tls_session_offload(struct tls_session *s, struct ktls_info *ret)
{
	if (!s->established || s->failed || s->close_sent || s->offloaded ||
	    !s->keys)
		return -ENOTSUP;
	if (tls_session_has_output(s) || SSL_in_init(s->ssl) ||
	    SSL_get_key_update_type(s->ssl) != SSL_KEY_UPDATE_NONE)
		return -EAGAIN;
	return ktls_info_make(s->keys, ret);
}

void tls_session_set_offloaded(struct tls_session *s)
{
	br_assert(s->keys && !tls_session_has_output(s));
	s->offloaded = true;
	/* The socket has them now. */
	ktls_info_wipe(&s->keys->first);
}

const uint8_t *tls_session_alert(const struct tls_session *s)
{
	return s->keys && s->keys->has_alert ? s->keys->alert : NULL;
}

void tls_session_alert_sent(struct tls_session *s)
{
	s->keys->has_alert = false;
}
