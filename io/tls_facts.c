/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_internal.h"

#include <openssl/err.h>
#include <string.h>

/* What is known of a connection after its handshake. */

void tls_session_facts(const struct tls_session *session, struct tls_facts *ret)
{
	const SSL *ssl = session->ssl;
	const unsigned char *alpn = NULL;
	unsigned length = 0;

	SSL_get0_alpn_selected(ssl, &alpn, &length);
	*ret = (struct tls_facts){
	    .name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name),
	    .alpn = (const char *)alpn,
	    .alpn_length = (uint8_t)length,
	    .version = SSL_get_version(ssl),
	    .cipher = SSL_get_cipher_name(ssl),
	    .resumed = SSL_session_reused(ssl),
	    .peer_verified = SSL_get0_peer_certificate(ssl) &&
			     SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE &&
			     SSL_get_verify_result(ssl) == X509_V_OK,
	};
}

static size_t facts_copy(
    char *ret, size_t room, const char *text, size_t length)
{
	if (length >= room)
		length = room - 1;
	memcpy(ret, text, length);
	ret[length] = '\0';
	return length;
}

static const X509_NAME *facts_subject(const struct tls_session *session)
{
	const X509 *peer = SSL_get0_peer_certificate(session->ssl);

	return peer ? X509_get_subject_name(peer) : NULL;
}

size_t tls_session_peer_dn(
    const struct tls_session *session, char *ret, size_t room)
{
	const X509_NAME *subject = facts_subject(session);
	BIO *bio = subject ? BIO_new(BIO_s_mem()) : NULL;
	size_t length = 0;
	char *text;
	long n;

	ret[0] = '\0';
	if (bio && X509_NAME_print_ex(bio, subject, 0, XN_FLAG_RFC2253) > 0) {
		n = BIO_get_mem_data(bio, &text);
		if (n > 0)
			length = facts_copy(ret, room, text, (size_t)n);
	}
	BIO_free(bio);
	ERR_clear_error();
	return length;
}

size_t tls_session_peer_cn(
    const struct tls_session *session, char *ret, size_t room)
{
	const X509_NAME *subject = facts_subject(session);
	unsigned char *text = NULL;
	size_t length = 0;
	int at = -1, n = -1;

	ret[0] = '\0';
	if (subject)
		at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	if (at >= 0)
		n = ASN1_STRING_to_UTF8(&text,
		    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	/* What a peer put there may hold zeros; a name does not. */
	if (n >= 0 && !memchr(text, 0, (size_t)n))
		length = facts_copy(ret, room, (const char *)text, (size_t)n);
	OPENSSL_free(text);
	ERR_clear_error();
	return length;
}
