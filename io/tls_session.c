/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_session.h"

#include "base/assert.h"
#include "base/hash.h"
#include "io/ktls.h"
#include "io/tls_cause.h"
#include "io/tls_internal.h"
#include "io/tls_memory.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

/* Header, explicit nonce, content type and tag: RFC 8446 5.2, RFC 5288 3. */
#define OVERHEAD_AEAD 32u
/* With a MAC and padding: RFC 5246 6.2.3.2. */
#define OVERHEAD_CBC 96u
/* An alert and a key update that go out before the record they meet. */
static_assert(TLS_OUT_ROOM_MIN > 2 * OVERHEAD_CBC, "a write gets somewhere");

/* -- OpenSSL's side: a BIO over the caller's span and chunk ------------- */

static BIO_METHOD *session_bio_method;

static void session_put_spill(struct tls_session *s)
{
	size_t room = s->out ? (size_t)(s->out->end - s->out->at) : 0;
	size_t n = s->n_spill < room ? s->n_spill : room;

	if (!n)
		return;
	memcpy(s->out->at, s->spill, n);
	s->out->at += n;
	s->n_spill = (uint8_t)(s->n_spill - n);
	memmove(s->spill, s->spill + n, s->n_spill);
}

/* OpenSSL's number for giving keys to a BIO that may know a kernel with TLS;
 * internal to it, and the same in all releases of 3.x. With another number no
 * keys would come, and sessions would go on as without. */
#define SESSION_BIO_SET_KTLS 72

/* A short rest is taken in: alerts must not be lost because a chunk is full,
 * and OpenSSL does not try again after a failure. */
static int session_bio_write(BIO *bio, const char *bytes, int length)
{
	struct tls_session *s = BIO_get_data(bio);
	size_t room = s->out ? (size_t)(s->out->end - s->out->at) : 0;
	size_t all = length > 0 ? (size_t)length : 0, n, rest;

	BIO_clear_retry_flags(bio);
	/* The kernel makes the records; tls_offload.c has seen what this
	 * one says. */
	if (s->offloaded)
		return length;
	/* Behind what waits already. */
	if (s->n_spill)
		room = 0;
	n = all < room ? all : room;
	if (n) {
		memcpy(s->out->at, bytes, n);
		s->out->at += n;
	}
	rest = all - n;
	if (rest && rest <= TLS_SPILL_BYTES - s->n_spill) {
		memcpy(s->spill + s->n_spill, bytes + n, rest);
		s->n_spill = (uint8_t)(s->n_spill + rest);
		n = all;
	}
	if (!n) {
		BIO_set_retry_write(bio);
		return -1;
	}
	return (int)n;
}

static int session_bio_read(BIO *bio, char *ret, int room)
{
	struct tls_session *s = BIO_get_data(bio);
	size_t there = s->in ? (size_t)(s->in->end - s->in->at) : 0;
	size_t n = room > 0 ? (size_t)room : 0;

	BIO_clear_retry_flags(bio);
	if (n > there)
		n = there;
	if (!n) {
		BIO_set_retry_read(bio);
		return -1;
	}
	memcpy(ret, s->in->at, n);
	s->in->at += n;
	return (int)n;
}

static long session_bio_control(BIO *bio, int command, long n, void *p)
{
	struct tls_session *s = BIO_get_data(bio);

	/* Declined, so that OpenSSL goes on by itself: what it has made is
	 * still on its way. n: not 0 for what is sent. */
	if (command == SESSION_BIO_SET_KTLS && n && p && s && s->keys)
		ktls_keys_set(s->keys, p);
	return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static int session_bio_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

int tls_session_start(void)
{
	BIO_METHOD *method;

	if (session_bio_method)
		return 0;
	method =
	    BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "braid");
	if (!method || !BIO_meth_set_write(method, session_bio_write) ||
	    !BIO_meth_set_read(method, session_bio_read) ||
	    !BIO_meth_set_ctrl(method, session_bio_control) ||
	    !BIO_meth_set_create(method, session_bio_create)) {
		BIO_meth_free(method);
		return -ENOMEM;
	}
	session_bio_method = method;
	return 0;
}

/* -- beginning and end ------------------------------------------------- */

static int session_init(struct tls_session *s, struct tls_context *context)
{
	BIO *bio;

	br_assert(session_bio_method);
	memset(s, 0, sizeof(*s));
	s->context = context;
	if (tls_memory_pressed())
		return -ENOMEM;
	s->ssl = SSL_new(context->ssl_ctx);
	bio = s->ssl ? BIO_new(session_bio_method) : NULL;
	if (!bio) {
		SSL_free(s->ssl);
		s->ssl = NULL;
		ERR_clear_error();
		return -ENOMEM;
	}
	BIO_set_data(bio, s);
	SSL_set_bio(s->ssl, bio, bio);
	tls_session_keep_keys(s);
	tls_session_watch(s);
	context->sessions++;
	return 0;
}

int tls_session_init_server(
    struct tls_session *session, struct tls_context *context)
{
	int rc;

	br_assert(context->server);
	rc = session_init(session, context);
	if (rc)
		return rc;
	session->server = true;
	SSL_set_accept_state(session->ssl);
	return 0;
}

/* RFC 6125: a name, or an address (RFC 6066 3 keeps those out of SNI). */
static bool session_expect_name(SSL *ssl, const char *name)
{
	struct in6_addr unused;

	if (inet_pton(AF_INET, name, &unused) == 1 ||
	    inet_pton(AF_INET6, name, &unused) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name);
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return *name && SSL_set1_host(ssl, name);
}

static uint64_t session_made_for(
    const struct tls_context *context, const struct tls_peer *peer)
{
	uint64_t sni =
	    peer->sni ? hash_bytes(peer->sni, strlen(peer->sni), 1) : 0;
	uint64_t name = peer->verify_name ? hash_bytes(peer->verify_name,
						strlen(peer->verify_name), 2)
					  : 0;

	return hash_u64(sni ^ name, context->identity);
}

/* The server's certificate was checked when the session was made, and is not
 * in a resumption: what was demanded then must be what is demanded now. */
static bool session_resume(
    struct tls_session *s, struct tls_resume *resume, uint64_t made_for)
{
	s->resume = resume;
	s->made_for = made_for;
	if (!resume || !resume->session)
		return true;
	if (resume->made_for != made_for) {
		tls_resume_clear(resume);
		return true;
	}
	return SSL_set_session(s->ssl, resume->session);
}

int tls_session_init_client(struct tls_session *session,
    struct tls_context *context, const struct tls_peer *peer)
{
	bool verify;
	int rc;

	br_assert(context->client);
	verify = context->client->verify != TLS_VERIFY_NONE;
	if (verify && !peer->verify_name)
		return -EINVAL;
	rc = session_init(session, context);
	if (rc)
		return rc;
	SSL_set_connect_state(session->ssl);
	if ((!peer->sni || SSL_set_tlsext_host_name(session->ssl, peer->sni)) &&
	    (!verify || session_expect_name(session->ssl, peer->verify_name)) &&
	    session_resume(
		session, peer->resume, session_made_for(context, peer)))
		return 0;
	rc = ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE ? -ENOMEM
								      : -EINVAL;
	ERR_clear_error();
	tls_session_fini(session);
	return rc;
}

void tls_session_fini(struct tls_session *session)
{
	if (!session->ssl)
		return;
	/* Otherwise OpenSSL would take an abrupt end for a reason to forget
	 * the session. */
	if (!session->failed)
		SSL_set_shutdown(
		    session->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	session->in = NULL;
	session->out = NULL;
	SSL_free(session->ssl);
	tls_session_drop_keys(session);
	ERR_clear_error();
	br_assert(session->context->sessions > 0);
	session->context->sessions--;
	session->ssl = NULL;
}

void tls_session_on_resumable(struct tls_session *s, SSL_SESSION *session)
{
	SSL_SESSION_free(s->resume->session);
	s->resume->session = session;
	s->resume->made_for = s->made_for;
}

void tls_resume_clear(struct tls_resume *resume)
{
	SSL_SESSION_free(resume->session);
	*resume = (struct tls_resume){0};
}

/* -- steps ------------------------------------------------------------- */

static bool session_has_input(const struct tls_session *s)
{
	return s->in && s->in->at < s->in->end;
}

/* Every call begins and ends with these two. */
static void session_begin(
    struct tls_session *s, struct tls_in *in, struct tls_out *out)
{
	br_assert(s->ssl);
	s->in = in;
	s->out = out;
	session_put_spill(s);
}

/* Whatever a call found: output that waits comes first. */
static enum tls_status session_end(
    struct tls_session *s, enum tls_status status)
{
	s->in = NULL;
	s->out = NULL;
	/* Functions of OpenSSL that succeed may leave errors behind too. */
	if (ERR_peek_error())
		ERR_clear_error();
	if (status != TLS_FAILED && s->n_spill)
		return TLS_WANT_OUTPUT;
	return status;
}

static enum tls_status session_fail(struct tls_session *s)
{
	tls_cause_find(s);
	s->failed = true;
	if (s->resume && !s->established)
		tls_resume_clear(s->resume);
	return TLS_FAILED;
}

static enum tls_status session_fail_for(
    struct tls_session *s, enum tls_cause cause)
{
	s->cause = (uint8_t)cause;
	return session_fail(s);
}

/* What a call of OpenSSL that did not succeed asks for. TLS_MORE: nothing,
 * it stopped by itself and there is input left. */
static enum tls_status session_asks(struct tls_session *s, int rc)
{
	switch (SSL_get_error(s->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return session_has_input(s) ? TLS_MORE : TLS_WANT_INPUT;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT_OUTPUT;
	case SSL_ERROR_ZERO_RETURN:
		s->close_received = true;
		return TLS_CLOSED;
	default:
		return session_fail(s);
	}
}

/* A TLS 1.2 server may have renewed the ticket of a resumed session: OpenSSL
 * then tells nobody, and never resumes the old one again. */
static void session_keep_renewed(struct tls_session *s)
{
	SSL_SESSION *session;

	if (!s->resume || SSL_version(s->ssl) == TLS1_3_VERSION)
		return;
	session = SSL_get1_session(s->ssl);
	if (session && SSL_SESSION_is_resumable(session))
		tls_session_on_resumable(s, session);
	else
		SSL_SESSION_free(session);
}

/* OpenSSL gives its read buffer back after data, but keeps it after a ticket
 * or a key update: 17 KB of an idle session. */
static enum tls_status session_rest(
    struct tls_session *s, enum tls_status status)
{
	if (status == TLS_WANT_INPUT && !SSL_has_pending(s->ssl))
		SSL_free_buffers(s->ssl);
	return status;
}

static void session_on_established(struct tls_session *s)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(s->ssl);

	s->established = true;
	s->overhead =
	    cipher && SSL_CIPHER_is_aead(cipher) ? OVERHEAD_AEAD : OVERHEAD_CBC;
	session_keep_renewed(s);
	/* The copy of the staple is not needed any more. */
	if (s->server && s->context->server->staples)
		SSL_set_tlsext_status_ocsp_resp(s->ssl, NULL, 0);
}

enum tls_status tls_session_handshake(
    struct tls_session *s, struct tls_in *in, struct tls_out *out)
{
	enum tls_status status = TLS_MORE;
	int rc;

	if (s->failed)
		return TLS_FAILED;
	session_begin(s, in, out);
	if (s->established)
		return session_end(s, TLS_DONE);
	if (tls_memory_pressed())
		return session_end(s, session_fail_for(s, TLS_CAUSE_memory));
	while (status == TLS_MORE) {
		const uint8_t *before = in ? in->at : NULL;

		rc = SSL_do_handshake(s->ssl);
		if (rc == 1) {
			session_on_established(s);
			status = TLS_DONE;
		} else {
			status = session_asks(s, rc);
		}
		/* OpenSSL stops after some records; it may not stand still. */
		if (status == TLS_MORE && in->at == before)
			status = session_fail_for(s, TLS_CAUSE_internal);
	}
	/* RFC 8446 6.1: before the handshake is over it is not an orderly
	 * end. */
	if (status == TLS_CLOSED)
		status = session_fail_for(s, TLS_CAUSE_truncated);
	return session_end(s, status);
}

static enum tls_status session_read_records(
    struct tls_session *s, uint8_t *plain, size_t room, size_t *ret_length)
{
	enum tls_status status;
	size_t n;

	for (uint32_t i = 0; i < TLS_RECORDS_PER_CALL; i++) {
		int rc;

		if (*ret_length == room)
			break;
		/* An idle session is not touched: OpenSSL would take a buffer
		 * only to find nothing. */
		if (!session_has_input(s) && !SSL_has_pending(s->ssl) &&
		    !SSL_in_init(s->ssl))
			return TLS_WANT_INPUT;
		rc = SSL_read_ex(
		    s->ssl, plain + *ret_length, room - *ret_length, &n);
		if (s->flooded)
			return session_fail_for(s, TLS_CAUSE_message_flood);
		if (rc == 1) {
			*ret_length += n;
			continue;
		}
		status = session_asks(s, rc);
		if (status != TLS_MORE)
			return session_rest(s, status);
	}
	if (session_has_input(s) || SSL_pending(s->ssl))
		return TLS_MORE;
	return session_rest(s, TLS_WANT_INPUT);
}

/* RFC 8446 4.6.3: whoever is asked for new keys sends no data any more before
 * it has them. The kernel would. */
static enum tls_status session_fail_rekey(struct tls_session *s)
{
	tls_session_alert_internal(s);
	return session_fail_for(s, TLS_CAUSE_rekey);
}

enum tls_status tls_session_read(struct tls_session *s, struct tls_in *in,
    struct tls_out *out, void *ret_plain, size_t room, size_t *ret_length)
{
	enum tls_status status;

	*ret_length = 0;
	if (s->failed)
		return TLS_FAILED;
	br_assert(s->established);
	if (s->close_received)
		return TLS_CLOSED;
	session_begin(s, in, out);
	status = session_read_records(s, ret_plain, room, ret_length);
	if (s->offloaded && !s->failed && tls_session_must_rekey(s))
		status = session_fail_rekey(s);
	return session_end(s, status);
}

/* Handshake messages that did not fit when they were due. While half a message
 * of the peer stands (one in several records, RFC 8446 5.1) OpenSSL sends
 * nothing at all, and a peer may leave it so for ever: it is given up. */
static enum tls_status session_finish_messages(struct tls_session *s)
{
	enum tls_status status;
	int rc;

	if (!SSL_in_init(s->ssl))
		return TLS_DONE;
	rc = SSL_do_handshake(s->ssl);
	status = rc == 1 ? TLS_DONE : session_asks(s, rc);
	if (status == TLS_WANT_INPUT || status == TLS_MORE)
		return session_fail_for(s, TLS_CAUSE_malformed);
	return status;
}

static enum tls_status session_write_records(struct tls_session *s,
    const uint8_t *plain, size_t length, size_t *ret_taken)
{
	enum tls_status status = session_finish_messages(s);

	if (status != TLS_DONE)
		return status;
	for (uint32_t i = 0; i < TLS_RECORDS_PER_CALL; i++) {
		size_t room = (size_t)(s->out->end - s->out->at);
		size_t n = length - *ret_taken, taken;
		int rc;

		if (!n)
			return TLS_DONE;
		if (s->n_spill || room < TLS_OUT_ROOM_MIN)
			return TLS_WANT_OUTPUT;
		if (n > TLS_RECORD_BYTES)
			n = TLS_RECORD_BYTES;
		if (n > room - s->overhead)
			n = room - s->overhead;
		rc = SSL_write_ex(s->ssl, plain + *ret_taken, n, &taken);
		/* It fits: a key update that goes before it is short enough
		 * for the spill to take what it displaces. */
		if (rc != 1)
			return session_asks(s, rc) == TLS_FAILED
				   ? TLS_FAILED
				   : session_fail_for(s, TLS_CAUSE_internal);
		*ret_taken += taken;
	}
	return *ret_taken < length ? TLS_MORE : TLS_DONE;
}

enum tls_status tls_session_write(struct tls_session *s, struct tls_out *out,
    const void *plain, size_t length, size_t *ret_taken)
{
	*ret_taken = 0;
	if (s->failed)
		return TLS_FAILED;
	br_assert(s->established && !s->close_sent && !s->offloaded);
	session_begin(s, NULL, out);
	return session_end(
	    s, session_write_records(s, plain, length, ret_taken));
}

enum tls_status tls_session_flush(struct tls_session *s, struct tls_out *out)
{
	enum tls_status status = TLS_DONE;

	session_begin(s, NULL, out);
	if (s->failed) {
		s->out = NULL;
		return s->n_spill ? TLS_WANT_OUTPUT : TLS_DONE;
	}
	if (s->established && SSL_want_write(s->ssl))
		status = session_finish_messages(s);
	return session_end(s, status);
}

bool tls_session_has_output(const struct tls_session *session)
{
	return session->n_spill ||
	       (!session->failed && SSL_want_write(session->ssl));
}

enum tls_status tls_session_close(struct tls_session *s, struct tls_out *out)
{
	enum tls_status status;
	int rc;

	if (s->failed)
		return TLS_FAILED;
	session_begin(s, NULL, out);
	if (s->close_sent || !s->established)
		return session_end(s, TLS_DONE);
	status = session_finish_messages(s);
	if (status != TLS_DONE)
		return session_end(s, status);
	/* 0: sent, the peer's is still to come. The spill holds it if the
	 * chunk does not. */
	rc = SSL_shutdown(s->ssl);
	if (rc < 0)
		return session_end(s, session_asks(s, rc));
	s->close_sent = true;
	return session_end(s, TLS_DONE);
}

enum tls_status tls_session_on_eof(struct tls_session *s)
{
	if (s->failed)
		return TLS_FAILED;
	if (s->close_received)
		return TLS_CLOSED;
	return session_fail_for(s, TLS_CAUSE_truncated);
}

int tls_session_update_keys(struct tls_session *s, bool both)
{
	int kind =
	    both ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED;

	if (!s->established || s->failed || s->close_sent || s->offloaded ||
	    SSL_version(s->ssl) != TLS1_3_VERSION)
		return -EPROTO;
	if (SSL_key_update(s->ssl, kind) == 1)
		return 0;
	ERR_clear_error();
	return -EPROTO;
}
